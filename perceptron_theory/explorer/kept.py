"""What is kept: the data along the probe, the part that a rule keeps of them, and the windows of the best policy."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from perceptron_theory.analyses.measured_gradients import kept_atoms
from perceptron_theory.analyses.policies.optimal import optimal_policy
from perceptron_theory.analyses.policies.policy import Policy, PolicyStatus
from perceptron_theory.explorer.pictures import POLICY_COLOUR, Picture, axis, colour_of, line, picture
from perceptron_theory.explorer.setting import Setting
from perceptron_theory.margins.distributions import GaussianMargins, MeasuredMargins
from perceptron_theory.margins.selection import FractionRule, QuantileRule, Random

FloatArray = npt.NDArray[np.float64]

#: Half width of the picture, and cells in it.
_END, _CELLS, _MEASURED_CELLS = 4.0, 160, 80
#: Windows on both sides of 0 that are closer are one to the eye.
_TOUCHING = 0.02


def compute_kept(setting: Setting, margins: MeasuredMargins | None = None) -> pd.DataFrame:
    """Densities in cells of z: of all data, and of the part that is kept (their ratio is the share kept).

    Parameters
    ----------
    setting : Setting
        Where the sliders stand; only the rule and f count.
    margins : MeasuredMargins, optional
        Measured |z|; ties at a threshold are kept in equal parts. Default: Gaussian.

    Returns
    -------
    DataFrame
        z (middle of the cell), low, high, density, kept.

    Raises
    ------
    InvalidInputError
        If a band ends before it has so many.

    Examples
    --------
    >>> kept = compute_kept(Setting(f=0.3))
    >>> print(f"{(kept.kept * (kept.high - kept.low)).sum():.3f}")
    0.300
    """
    edges = np.linspace(-_END, _END, (_CELLS if margins is None else _MEASURED_CELLS) + 1)
    rule = setting.rule
    window = rule.window(setting.f) if isinstance(rule, QuantileRule) else None
    if margins is None:
        if window is not None:  # cells end where the window does, so that its edges are seen where they are
            low, high = GaussianMargins().window(_as_rule(rule), setting.f)
            ends = [end for end in (-high, -low, low, high) if abs(end) < _END]
            edges = np.unique(np.concatenate([edges, ends]))
        density, kept = _gaussian(edges, window, setting.f)
    else:
        density, kept = _measured(edges, rule, setting.f, margins)
    return pd.DataFrame(
        {"z": 0.5 * (edges[1:] + edges[:-1]), "low": edges[:-1], "high": edges[1:], "density": density, "kept": kept}
    )


def _as_rule(rule: object) -> QuantileRule:
    assert isinstance(rule, QuantileRule)
    return rule


def _gaussian(edges: FloatArray, window: tuple[float, float] | None, f: float) -> tuple[FloatArray, FloatArray]:
    density = np.diff(ndtr(edges)) / np.diff(edges)
    if window is None:
        return density, f * density
    middle = 0.5 * (edges[1:] + edges[:-1])
    quantile = 1.0 - 2.0 * ndtr(-np.abs(middle))
    return density, np.where((quantile >= window[0]) & (quantile <= window[1]), density, 0.0)


def _measured(
    edges: FloatArray, rule: FractionRule, f: float, margins: MeasuredMargins
) -> tuple[FloatArray, FloatArray]:
    """Half of the data on each side: by rank a sign is not known."""
    atoms = kept_atoms(margins, rule, f)
    share = np.full(atoms.values.size, f) if isinstance(rule, Random) else atoms.shares[atoms.group]
    both = np.concatenate([-atoms.values, atoms.values])
    weights = np.tile(0.5 * atoms.weights, 2)
    heights = [np.histogram(both, edges, weights=w)[0] for w in (weights, weights * np.tile(share, 2))]
    density, kept = (np.asarray(height / np.diff(edges), dtype=np.float64) for height in heights)
    return density, kept


def compute_policy(setting: Setting) -> Policy:
    """The best policy without labels for a pool, fraction and angle; of the max-margin student on Gaussian margins."""
    return optimal_policy(setting.alpha_tot, setting.f, setting.theta)


def draw_kept(setting: Setting, kept: pd.DataFrame, policy: Policy, measured: bool = False) -> Picture:
    """All data, an outline or if measured a histogram, the part kept filled, and what the best policy keeps, dashed."""
    x = np.column_stack([kept["low"], kept["high"]]).ravel()
    density, part = (np.repeat(kept[name].to_numpy(dtype=np.float64), 2) for name in ("density", "kept"))
    everything = line(kept["z"], kept["density"], "all data", "#333333", width=1.2)
    if measured:
        everything = line(x, density, "all data", "#9a9a9a", width=0.0, fill="tozeroy")
    traces = [
        everything,
        line(x, part, f"kept: {setting.selection}", colour_of(setting.selection), width=0.0, fill="tozeroy"),
    ]
    if policy.status == PolicyStatus.STATIONARY:
        top = 1.06 * float(kept["density"].max())
        corners = [_corners(low, high, top) for low, high in _both_sides(policy.windows)]
        xs, ys = (np.concatenate([corner[i] for corner in corners]) for i in range(2))
        traces.append(line(xs, ys, "optimal policy keeps", POLICY_COLOUR, dash="dash"))
    return picture(
        traces,
        axis("z along the probe, 0 at its boundary", range=[-_END, _END]),
        axis("density, p(z)", rangemode="tozero"),
    )


def _both_sides(windows: FloatArray) -> list[tuple[float, float]]:
    """Windows of |z| as windows of z; two that touch at 0 are one."""
    ends = [(float(low), min(float(high), _END)) for low, high in windows if low < _END]
    sides = [(-high, -low) for low, high in reversed(ends)]
    if sides and ends[0][0] < _TOUCHING:
        return [*sides[:-1], (-ends[0][1], ends[0][1]), *ends[1:]]
    return sides + ends


def _corners(low: float, high: float, top: float) -> tuple[list[float], list[float]]:
    """A box that is drawn from the ground; the gap behind it ends the line."""
    return [low, low, high, high, math.nan], [0.0, top, top, 0.0, math.nan]


def policy_meaning(policy: Policy) -> str:
    """What the best policy keeps, and its error; or why it is missing."""
    if policy.status != PolicyStatus.STATIONARY:
        return f"The optimal policy is missing: {policy.status.sentence}."
    windows = " and ".join(f"{low:.2f} to {high:.2f}" for low, high in policy.windows)
    return (
        f"The best rule that sees no labels keeps |z| from {windows}: the error of the max-margin student on Gaussian "
        f"margins is {100.0 * policy.test_error:.3g} %."
    )
