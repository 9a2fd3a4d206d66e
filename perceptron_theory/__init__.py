from perceptron_theory.saddle_point import solve
from perceptron_theory.margins.selection import Band, KeepProbability
from perceptron_theory.margins.distributions import MeasuredMargins, GaussianMargins
