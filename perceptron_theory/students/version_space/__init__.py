"""Version space: all students that classify the kept data, with a margin kappa or none."""
