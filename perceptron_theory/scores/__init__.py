"""From the outside world to margins: score files in, a distribution along the probe out."""

from perceptron_theory.scores.digits import digits_scores
from perceptron_theory.scores.inspection import ScoreReport, inspect_scores
from perceptron_theory.scores.readers import read_scores
from perceptron_theory.scores.scores import Scores

__all__ = ["ScoreReport", "Scores", "digits_scores", "inspect_scores", "read_scores"]
