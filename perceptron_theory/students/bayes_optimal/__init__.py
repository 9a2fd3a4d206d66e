"""The Bayes-optimal student: knows how the data were pruned."""
