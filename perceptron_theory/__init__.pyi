__all__: list[str]

from .comparison import Comparison as Comparison, compare as compare
from .errors import (
    InvalidInputError as InvalidInputError,
    OutputError as OutputError,
    PerceptronTheoryError as PerceptronTheoryError,
    ScoreError as ScoreError,
)
from .learning_curves import learning_curve as learning_curve
from .margins.distributions import (
    GaussianMargins as GaussianMargins,
    MeasuredMargins as MeasuredMargins,
)
from .margins.selection import (
    Band as Band,
    Easy as Easy,
    Hard as Hard,
    KeepProbability as KeepProbability,
    Random as Random,
)
from .pareto import pareto_frontier as pareto_frontier
from .saddle_point import solve as solve
from .scores.digits import digits_scores as digits_scores
from .scores.readers import read_scores as read_scores
from .scores.scores import Scores as Scores
from .simulation.execution import ExecutorError as ExecutorError
from .simulation.simulation import Simulation as Simulation
from .simulation.store import StoreError as StoreError
from .simulation.sweep import Sweep as Sweep, simulate_sweep as simulate_sweep
from .simulation.training.convex_losses import Hinge as Hinge, Logistic as Logistic, Ridge as Ridge
from .simulation.training.gibbs import Gibbs as Gibbs
from .simulation.training.hard_margin.solver import MaxMargin as MaxMargin
from .simulation.training.trained import UncertifiedError as UncertifiedError
from .simulation.trials import simulate as simulate
from .solution import ConvergenceError as ConvergenceError, Solution as Solution, Status as Status
from .version import __version__ as __version__
