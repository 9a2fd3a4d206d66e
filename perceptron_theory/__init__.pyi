__all__: list[str]

from .analyses.boundaries import (
    hard_easy_boundary as hard_easy_boundary,
    hard_random_boundary as hard_random_boundary,
)
from .analyses.exponents import local_exponent as local_exponent
from .analyses.frontier_slope import frontier_exponent as frontier_exponent
from .analyses.gradients import ErrorGradient as ErrorGradient, error_gradient as error_gradient
from .analyses.influences import Influence as Influence, influence as influence
from .analyses.information import (
    information_gain as information_gain,
    paper_information_gain as paper_information_gain,
)
from .analyses.learning_curves import learning_curve as learning_curve
from .analyses.metric_quality import required_theta as required_theta
from .analyses.pareto import pareto_frontier as pareto_frontier
from .analyses.phases import phase_diagram as phase_diagram
from .analyses.policies.curves import greedy_policy as greedy_policy, policy_curve as policy_curve
from .analyses.policies.optimal import optimal_policy as optimal_policy
from .analyses.policies.policy import Policy as Policy, PolicyStatus as PolicyStatus
from .analyses.power_law import crossover as crossover
from .analyses.prefactors import smallest_useful_f as smallest_useful_f, tail_prefactor as tail_prefactor
from .calibration.calibrating import calibrate as calibrate
from .calibration.calibration import Calibration as Calibration
from .calibration.comparing import ModelComparison as ModelComparison, compare_models as compare_models
from .calibration.recommending import Recommendation as Recommendation
from .calibration.runs import Runs as Runs, read_runs as read_runs
from .citations.citing import cite as cite
from .comparison import Comparison as Comparison, compare as compare
from .convex_loss import ConvexLoss as ConvexLoss
from .errors import (
    InvalidInputError as InvalidInputError,
    KeepListError as KeepListError,
    OutputError as OutputError,
    PerceptronTheoryError as PerceptronTheoryError,
    ScoreError as ScoreError,
)
from .labels import Labels as Labels
from .keeplists.checking import check_keep_list as check_keep_list
from .keeplists.keep_list import KeepList as KeepList
from .keeplists.selecting import select as select
from .keeplists.streaming.results import StreamSelection as StreamSelection
from .keeplists.streaming.selection import select_stream as select_stream
from .keeplists.streaming.tables import RawScores as RawScores
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
from .extras import MissingExtraError as MissingExtraError
from .solving.convex_losses import separability_threshold as separability_threshold
from .solving.saddle_point import solve as solve
from .scores.angle import AngleEstimate as AngleEstimate, theta_from_error_rate as theta_from_error_rate
from .scores.angle_agreement import (
    theta_from_agreement as theta_from_agreement,
    theta_from_fields as theta_from_fields,
)
from .scores.angle_ranks import theta_from_rank_correlation as theta_from_rank_correlation
from .scores.averaging import rank_average as rank_average, rank_correlation as rank_correlation
from .scores.digits import digits_scores as digits_scores
from .scores.inspection import ScoreReport as ScoreReport, inspect_scores as inspect_scores
from .scores.readers import read_scores as read_scores
from .scores.scores import Scores as Scores
from .simulation.execution import ExecutorError as ExecutorError
from .simulation.simulation import Simulation as Simulation
from .simulation.store import StoreError as StoreError
from .simulation.sweep import Sweep as Sweep, simulate_sweep as simulate_sweep
from .simulation.training.gibbs import Gibbs as Gibbs
from .simulation.training.hard_margin.solver import MaxMargin as MaxMargin
from .simulation.training.trained import UncertifiedError as UncertifiedError
from .simulation.trials import simulate as simulate
from .solving.solution import (
    ConvergenceError as ConvergenceError,
    ConvexSolution as ConvexSolution,
    Solution as Solution,
    Status as Status,
    VersionSpaceSolution as VersionSpaceSolution,
)
from .version import __version__ as __version__
