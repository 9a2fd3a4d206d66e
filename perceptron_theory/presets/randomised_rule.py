"""A rule calibrated by random examples: Ayed and Hayou."""

from __future__ import annotations

import numpy as np

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.distributions import GaussianMargins
from perceptron_theory.margins.selection import KeepProbability, QuantileRule, Random, Selection, as_selection
from perceptron_theory.validation import kept_fraction, number_array, one_number


def randomised_rule(f: float, random_share: float, selection: str | Selection = "hard") -> KeepProbability:
    """Of the examples kept, a share is random and the rest follows a rule: k(z) = (1 - e) [rule keeps z] + e f. Exact.

    Ayed and Hayou, "Data pruning and neural scaling laws: fundamental limitations of score-based algorithms",
    arXiv:2302.06960: below about 30 % kept, rules that keep only some margins do worse than random ones, and a share of
    random examples repairs them. On Gaussian data.

    Parameters
    ----------
    f : float
        Fraction kept, in (0, 1].
    random_share : float
        e, in [0, 1].
    selection : {"hard", "easy"} or Band
        The rule.

    Returns
    -------
    KeepProbability
        It keeps `f`.

    Raises
    ------
    InvalidInputError
        If a number lies outside its range, or the rule is not one of quantiles.

    Examples
    --------
    >>> import numpy as np
    >>> randomised_rule(0.2, 0.5)(np.array([0.1, 1.0])).tolist()
    [0.6, 0.1]
    """
    fraction = one_number("f", kept_fraction("f", f))
    e = one_number("random_share", number_array("random_share", random_share, "it is a share of the examples kept"))
    if not 0.0 <= e <= 1.0:
        raise InvalidInputError(f"random_share must lie in [0, 1], got {e:g}: it is a share of the examples kept.")
    rule = as_selection(selection)
    if isinstance(rule, Random):
        return KeepProbability(lambda z: np.full(z.shape, fraction))
    if not isinstance(rule, QuantileRule):
        raise InvalidInputError(f"selection must be a rule of quantiles, got {rule.name!r}: use hard, easy or a Band.")
    lo, hi = GaussianMargins().window(rule, fraction)
    points = [x for x in (-hi, -lo, lo, hi) if np.isfinite(x) and x != 0.0]
    return KeepProbability(
        lambda z: (1.0 - e) * ((np.abs(z) >= lo) & (np.abs(z) <= hi)) + e * fraction, breakpoints=points
    )
