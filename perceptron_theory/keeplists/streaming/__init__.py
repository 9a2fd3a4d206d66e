"""Selection from tables larger than memory: read a few times, a batch of rows at a time, here or on a cluster."""
