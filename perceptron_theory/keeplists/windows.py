"""Rules that keep the middle: bands and policies, as windows of ranks from the hardest example to the easiest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from perceptron_theory.analyses.policies.policy import Policy, PolicyStatus
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.selection import Band

FloatArray = npt.NDArray[np.float64]

#: Windows of a policy hold its f up to this, beside the rounding to whole examples.
_BUDGET_TOLERANCE = 1e-6


def band_windows(band: Band, f: float, n: int, count: int) -> FloatArray:
    """The window of `count` ranks that a band keeps of `n`.

    Quantiles are those of |z|, as in `Band`: 0 is the hardest example, so ``Band(0.05)`` drops the hardest 5 %.

    Parameters
    ----------
    band : Band
        Where to start.
    f : float
        Fraction asked for.
    n, count : int
        Examples in all, and kept.

    Returns
    -------
    ndarray, shape (1, 2)
        Start and end, in ranks.

    Raises
    ------
    InvalidInputError
        If a fraction `f` does not fit above the start of the band.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> band_windows(pt.Band(0.05), 0.3, n=1000, count=300).tolist()
    [[50.0, 350.0]]
    """
    low, _ = band.window(f)
    start = min(round(low * n), n - count)  # both may have been rounded up
    return np.array([[start, start + count]], dtype=np.float64)


def policy_windows(policy: Policy, f: float, n: int) -> FloatArray:
    """The windows of ranks that a policy keeps of `n` examples: |z| = Phi^-1((1 + q) / 2) at quantile q.

    Parameters
    ----------
    policy : Policy
        From `optimal_policy` with label_aware=False, for the same `f`.
    f : float
        Fraction asked for.
    n : int
        Examples in all.

    Returns
    -------
    ndarray, shape (n_windows, 2)
        Starts and ends, in ranks; not whole numbers.

    Raises
    ------
    InvalidInputError
        If the policy looks at labels, has no solution, or keeps another fraction.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> policy = pt.optimal_policy(alpha_tot=8.0, f=0.3, theta=0.2)
    >>> policy_windows(policy, 0.3, n=1000).round().tolist()
    [[447.0, 747.0]]
    """
    if policy.label_aware:
        raise InvalidInputError(
            "a policy that looks at labels needs signed margins, and scores give distances |z| only: "
            "use optimal_policy(..., label_aware=False)."
        )
    if policy.status == PolicyStatus.NOT_SOLVED:
        raise InvalidInputError(f"the policy cannot be used: {policy.status.sentence}.")
    quantiles = 1.0 - 2.0 * ndtr(-policy.windows)
    mass = float(np.sum(quantiles[:, 1] - quantiles[:, 0]))
    if abs(mass - f) > _BUDGET_TOLERANCE + 0.5 / n:
        raise InvalidInputError(
            f"the policy keeps a fraction {mass:g}, got f = {f:g}: ask for the same f here and of optimal_policy."
        )
    return np.asarray(n * quantiles)


def depth(windows: FloatArray, n: int) -> FloatArray:
    """How far inside the windows each rank lies: its distance to the nearest edge, negative outside.

    Nothing lies beyond the first and the last rank, so these are no edges.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, 2)
        In ranks, from 0 to n.
    n : int
        Number of ranks.

    Returns
    -------
    ndarray, shape (n,)
        In ranks; rank r lies at r + 1/2.

    Examples
    --------
    >>> import numpy as np
    >>> depth(np.array([[1.0, 4.0]]), 6).tolist()
    [-0.5, 0.5, 1.5, 0.5, -0.5, -1.5]
    >>> depth(np.array([[0.0, 4.0]]), 6).tolist()
    [3.5, 2.5, 1.5, 0.5, -0.5, -1.5]
    """
    at = np.arange(n) + 0.5
    best = np.full(n, -np.inf)
    for low, high in windows:
        above = at - low if low > 0.0 else np.inf
        below = high - at if high < n else np.inf
        np.maximum(best, np.minimum(above, below), out=best)
    return best
