"""The kept data along the probe: distributions, selection rules, and their quadrature nodes."""
