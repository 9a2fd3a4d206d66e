"""Students with a convex loss on every point of a problem, in threads, with a certificate on each."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from perceptron_theory.convex_loss import ConvexLoss, check_weights
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labels import Labels
from perceptron_theory.margins.distributions import GaussianMargins, Margins, MeasuredMargins
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.margins.selection import KeepProbability, Random, Selection
from perceptron_theory.problem import Problem
from perceptron_theory.solving.kept_groups import KeptGroup, kept_groups
from perceptron_theory.solving.solution import ConvexSolution, certify
from perceptron_theory.solving.threads import share_out
from perceptron_theory.students.convex_loss.equations import Setting
from perceptron_theory.students.convex_loss.settings import setting
from perceptron_theory.students.convex_loss.solver import separability, solve_convex

FloatArray = npt.NDArray[np.float64]

#: Points a thread takes at a time.
_CHUNK = 8
#: Tells kernels to look for the best penalty.
_OPTIMAL = -1.0
#: All examples at margin 0; both of its signs, of which the label picks one.
_ONE_MARGIN = KeptMeasure(
    np.empty((0, 2)),
    np.empty((0, 0)),
    np.empty((2, 0)),
    np.empty((0, 0)),
    np.array([[0.0], [2.0]]),
    False,
    1.0,
)
#: Gauss-Legendre rule for averages over the teacher's field, which are smooth beside the boundary.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
_END = 10.0


def solve_convex_loss(problem: Problem, student: ConvexLoss) -> ConvexSolution:
    """Solve (C1)-(C4) at every point; failed points are NaN with a status.

    The penalty has the shape of the problem.
    """
    if student.reweight and isinstance(problem.margins, MeasuredMargins):
        raise InvalidInputError(
            "reweight needs Gaussian margins, got measured ones: leave it out, or pass the weights with the margins."
        )
    if student.reweight and isinstance(problem.selection, KeepProbability):
        check_weights(problem.selection)
    lam = np.full(problem.shape, _OPTIMAL) if student.optimal else np.asarray(student.lam, dtype=np.float64)
    rows, f = _solve_groups(problem, student, np.broadcast_to(lam, problem.shape).ravel())
    test_error, R, rho, norm, V, train_error, train_loss, lam, residual, quadrature_error = np.moveaxis(rows, -1, 0)
    if isinstance(problem.selection, Random) and isinstance(problem.margins, GaussianMargins):
        rho = R * np.cos(problem.theta)
    if student.loss == "logistic":
        norm = np.where(np.isinf(V), np.inf, norm)
    return certify(
        ConvexSolution,
        student.loss,
        problem,
        f,
        (V > 0.0) | np.isinf(lam),
        residual,
        quadrature_error,
        {
            "test_error": test_error,
            "R": R,
            "rho": rho,
            "kappa": np.full(problem.shape, np.nan),
            "lam": lam,
            "norm": norm,
            "susceptibility": V,
            "train_error": train_error,
            "train_loss": train_loss,
            "label_error": _label_error(problem, test_error, R),
        },
    )


def separability_threshold(
    f: npt.ArrayLike | None = None,
    theta: npt.ArrayLike = 0.0,
    *,
    selection: str | Selection = "hard",
    margins: Margins | None = None,
    labels: Labels | None = None,
) -> FloatArray:
    """Kept examples per parameter up to which a student without bias can fit all of them.

    alpha_c = 1 / min over (p, c) of E[(-p m - c g - h)_+^2] over the kept data (Candes and Sur, Ann. Stat. 48, 27
    (2020), averaged over pruned data). For random labels it is 2, Cover's capacity; for noiseless ones infinite.

    Parameters
    ----------
    f, theta, selection, margins
        As in `solve`.
    labels : Labels, optional
        How labels come about. Default: noiseless.

    Returns
    -------
    ndarray
        Broadcast shape of `f` and `theta`.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> pt.separability_threshold([1.0, 0.1, 0.001], labels=pt.Labels(link="logistic", slope=2.0)).round(3).tolist()
    [2.899, 2.007, 2.0]
    """
    problem = Problem.of(1.0, f, theta, selection, margins, labels)
    x = setting("hinge", problem.labels)
    groups, angles, _ = _seen(problem)
    out = np.full(problem.theta.size, np.inf)
    for group in groups:
        _thresholds(group, x, angles, problem.labels, out)
    return np.asarray(out.reshape(problem.shape))[()]


def _seen(problem: Problem) -> tuple[list[KeptGroup], FloatArray, FloatArray]:
    """Groups, angles and fractions as kernels see them.

    A random subset of Gaussian data looks alike from everywhere: seen along a direction that tells nothing, at a right
    angle to the teacher, one margin stands for all, and a single integral is left.
    """
    groups, f = kept_groups(problem)
    angles = problem.theta.ravel()
    if isinstance(problem.selection, Random) and isinstance(problem.margins, GaussianMargins):
        groups = [group._replace(measure=_ONE_MARGIN) for group in groups]
        angles = np.full_like(angles, 0.5 * math.pi)
    return groups, angles, f


def _thresholds(group: KeptGroup, x: Setting, theta: FloatArray, labels: Labels, out: FloatArray) -> None:
    """Fill `out` at the points of the group."""
    if labels.noiseless:
        return
    for angle in np.unique(theta[group.points]):
        at = group.points[theta[group.points] == angle]
        out[at] = separability(group.measure, x._replace(cos=math.cos(angle), sin=math.sin(angle)))


def _solve_groups(problem: Problem, student: ConvexLoss, lam: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rows of `solve_convex`, and the fraction kept."""
    groups, theta, f = _seen(problem)
    alpha = problem.alpha_prune.ravel()
    x = setting(student.loss, problem.labels, student.reweight and isinstance(problem.selection, KeepProbability))
    rows = np.full((alpha.size, 10), np.nan)
    threshold = np.full(alpha.size, np.inf)

    def task(group: KeptGroup, points: npt.NDArray[np.intp]) -> Callable[[], None]:
        def run() -> None:
            out = np.full((points.size, 10), np.nan)
            solve_convex(
                group.measure, group.unpruned, x, alpha[points], theta[points], lam[points], threshold[points], out
            )
            rows[points] = out

        return run

    tasks = []
    for group in groups:
        if student.loss != "square" and np.any(lam[group.points] <= 0.0):
            _thresholds(group, x, theta, problem.labels, threshold)
        tasks += [task(group, group.points[i : i + _CHUNK]) for i in range(0, group.points.size, _CHUNK)]
    share_out(tasks)
    return rows.reshape(*problem.shape, 10), f.reshape(problem.shape)


def _label_error(problem: Problem, test_error: FloatArray, R: FloatArray) -> FloatArray:
    """Probability of disagreeing with the label of a fresh example, noise included."""
    labels = problem.labels
    if labels.link == "sign":
        return np.asarray(labels.flip + (1.0 - 2.0 * labels.flip) * test_error)
    if isinstance(problem.margins, MeasuredMargins):
        return np.full(problem.shape, np.nan)
    # 2 int DA P(y = 1 | A) H(R A / sqrt(1 - R^2)), each side of the boundary by itself.
    total = np.zeros(problem.shape)
    for side in (-1.0, 1.0):
        A = side * 0.5 * _END * (1.0 + _NODES)
        weight = 0.5 * _END * _WEIGHTS * np.exp(-0.5 * A * A) / math.sqrt(2.0 * math.pi) * labels.positive(A)
        steep = np.asarray(R / np.sqrt(1.0 - R * R))[..., None]
        total = total + 2.0 * (ndtr(-steep * A) @ weight)
    return np.asarray(total)
