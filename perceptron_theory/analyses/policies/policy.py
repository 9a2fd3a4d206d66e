"""A policy as a result: what it keeps, with two certificates, beside simpler rules at the same budget."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from perceptron_theory.analyses.policies.descent import Candidate
from perceptron_theory.analyses.policies.windows import MarginAxis
from perceptron_theory.margins.selection import Band, KeepProbability, Selection
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.solving.solution import Solution

FloatArray = npt.NDArray[np.float64]

#: A policy is called stationary up to this gap, relative to the test error.
GAP_TOLERANCE: Final = 1e-6


class PolicyStatus(IntEnum):
    """What became of a policy.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> pt.optimal_policy(30.0, f=0.1, theta=0.2).status.name
    'STATIONARY'
    """

    STATIONARY = 0
    NOT_STATIONARY = 1
    NOT_SOLVED = 2

    @property
    def sentence(self) -> str:
        """What the status means."""
        return _SENTENCES[self]


_SENTENCES = {
    PolicyStatus.STATIONARY: f"stationary: no policy of the same budget gains {GAP_TOLERANCE:g} of eps at first order",
    PolicyStatus.NOT_STATIONARY: f"the search ended with a first-order gain above {GAP_TOLERANCE:g} of eps left",
    PolicyStatus.NOT_SOLVED: "the student of the policy fails its certificate",
}


class RuleErrors(NamedTuple):
    """Test errors of simpler rules at the same alpha_tot and f; NaN where one fails its certificate."""

    hard: float
    easy: float
    random: float
    band: float
    """Of the best band."""


@dataclass(frozen=True)
class Policy:
    """The best policy found at a budget.

    Attributes
    ----------
    k : KeepProbability
        The policy as a `selection` for `solve` and `simulate`: 1 inside the windows, 0 outside.
    windows : ndarray, shape (n, 2)
        What is kept: intervals of the signed margin m if `label_aware`, else of the distance |z|; may reach infinity.
    label_aware : bool
        Whether the policy looks at labels.
    solution : Solution
        The student trained on what is kept, with its certificate.
    optimality_gap : float
        Largest first-order improvement of the test error over all keep probabilities of the same budget, relative to
        the test error: alpha_tot (E[k I] - min over k' of E[k' I]) / eps with the influence I and E[k'] = f. What is
        below 1e-12 is rounding. NaN if the student fails.
    threshold : float
        Influence of the examples at the inner edges of the windows: those of lower influence are kept.
    errors : RuleErrors
        Test errors of hard, easy, random and the best band at the same budget.
    band : Band
        The best band.
    status : PolicyStatus
        Whether both certificates hold.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> policy = pt.optimal_policy(30.0, f=0.1, theta=0.2)
    >>> policy.windows.round(3).tolist()
    [[0.153, 0.282]]
    >>> print(f"{policy.test_error:.4f}, hard {policy.errors.hard:.4f}, random {policy.errors.random:.4f}")
    0.0650, hard 0.3721, random 0.1428
    """

    k: KeepProbability
    windows: FloatArray
    label_aware: bool
    solution: Solution
    optimality_gap: float
    threshold: float
    errors: RuleErrors
    band: Band
    status: PolicyStatus

    @property
    def test_error(self) -> float:
        """Test error of the policy; NaN if its student fails the certificate."""
        return float(self.solution.test_error)


def report(axis: MarginAxis, best: Candidate, band: Band, alpha_tot: float, f: float, label_aware: bool) -> Policy:
    """Solve the policy and the simpler rules by the public route, with certificates."""
    kept = axis.rule(best.windows)
    k = kept.rule()
    solution = solve(alpha_tot * f, theta=axis.theta, selection=k, throw=False)
    status = PolicyStatus.STATIONARY
    if not best.optimality.gap <= GAP_TOLERANCE:
        status = PolicyStatus.NOT_STATIONARY
    if not solution.converged:
        status = PolicyStatus.NOT_SOLVED
    windows = np.array(kept.windows)
    windows.setflags(write=False)
    return Policy(
        k=k,
        windows=windows,
        label_aware=label_aware,
        solution=solution,
        optimality_gap=math.nan if status == PolicyStatus.NOT_SOLVED else best.optimality.gap,
        threshold=best.optimality.threshold,
        errors=_rule_errors(alpha_tot * f, f, axis.theta, band),
        band=band,
        status=status,
    )


def _rule_errors(alpha_prune: float, f: float, theta: float, band: Band) -> RuleErrors:
    def error(rule: str | Selection) -> float:
        return float(solve(alpha_prune, f, theta, selection=rule, throw=False).test_error)

    return RuleErrors(error("hard"), error("easy"), error("random"), error(band))
