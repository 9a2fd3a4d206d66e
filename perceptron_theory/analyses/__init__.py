"""The questions that the theory answers, one room each."""
