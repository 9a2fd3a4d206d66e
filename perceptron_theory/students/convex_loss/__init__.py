"""Students that minimise a convex loss with a ridge penalty."""
