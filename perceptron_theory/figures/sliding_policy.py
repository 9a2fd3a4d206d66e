"""The optimal policy slides from easy to hard examples as the pool grows: no paper has it.

For a probe at 20 degrees and a kept fraction of 0.3. Above: which margins to keep, with labels unseen (distance to
the probe's boundary) and seen (signed margin). Below: errors relative to a random subset of the same size.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from perceptron_theory.analyses.phases import phase_diagram
from perceptron_theory.analyses.policies.optimal import optimal_policy
from perceptron_theory.analyses.policies.policy import PolicyStatus
from perceptron_theory.figures.dots import Cell, simulated
from perceptron_theory.plotting.curves import draw_dots, simulation_label
from perceptron_theory.plotting.style import ALPHA_TOT, RANDOM_COLOUR, new_figure, number_ticks

THETA = float(np.deg2rad(20.0))
F = 0.3
SIMULATED = (3.0, 6.0, 12.0, 24.0)
KINDS = {"unlabelled": False, "labelled": True}
COLOURS = {"unlabelled": "#0072b2", "labelled": "#cc79a7", "hard": "#d55e00", "easy": "#56b4e9"}
#: Windows end where no example is.
_END = 4.0


def compute(fast: bool = False) -> xr.DataTree:
    """Policies, rules they compete with, and simulations of policies."""
    pools = np.geomspace(1.0, 100.0, 13 if fast else 81)
    numbers = {kind: _policies(pools, aware) for kind, aware in KINDS.items()}
    numbers["rules"] = phase_diagram(pools, F, THETA)
    for kind, aware in KINDS.items():
        cells = [Cell(pool * F, None, THETA, optimal_policy(pool, F, THETA, label_aware=aware).k) for pool in SIMULATED]
        numbers[f"simulation_{kind}"] = simulated(cells, fast)
    return xr.DataTree.from_dict(numbers)


def _policies(pools: np.ndarray, aware: bool) -> xr.Dataset:
    policies = [optimal_policy(float(pool), F, THETA, label_aware=aware) for pool in pools]
    windows = np.full((pools.size, max(len(p.windows) for p in policies), 2), np.nan)
    for i, policy in enumerate(policies):
        windows[i, : len(policy.windows)] = policy.windows
    return xr.Dataset(
        {
            "windows": (("alpha_tot", "window", "edge"), windows),
            "test_error": ("alpha_tot", [p.test_error for p in policies]),
            "optimality_gap": ("alpha_tot", [p.optimality_gap for p in policies]),
            "status": ("alpha_tot", [int(p.solution.status) for p in policies]),
            "policy_status": (
                "alpha_tot",
                [int(p.status) for p in policies],
                {"flag_meanings": " ".join(s.name.lower() for s in PolicyStatus)},
            ),
        },
        {"alpha_tot": pools, "edge": ["lower", "upper"]},
        {"f": F, "theta": THETA, "label_aware": int(aware)},
    )


def draw(numbers: xr.DataTree) -> Figure:
    """Windows above, errors below."""
    figure = new_figure(10.0, 7.0)
    panels = figure.subplots(2, 2, sharex=True, height_ratios=[1.0, 1.0])
    for axes, kind in zip(panels[0], KINDS, strict=True):
        _draw_windows(axes, numbers[kind].to_dataset(), COLOURS[kind])
    panels[0, 0].set(ylabel=r"distance kept, $|z|$", ylim=(0.0, 3.0))
    panels[0, 1].set(ylabel=r"signed margin kept, $m$", ylim=(-2.0, 3.0))
    panels[0, 0].set_title("labels unseen", fontsize="medium")
    panels[0, 1].set_title("labels seen", fontsize="medium")
    for axes, kind in zip(panels[1], KINDS, strict=True):
        _draw_errors(axes, numbers, kind)
        axes.set(xlabel=ALPHA_TOT, ylabel="test error / that of a random subset", ylim=(0.3, 5.0), yscale="log")
        axes.legend(loc="upper left")
        number_ticks(axes)
    figure.suptitle(f"Which {100 * F:g} % to keep? From easy to hard as the pool grows, θ = 20°", x=0.01, ha="left")
    return figure


def _draw_windows(axes: Axes, policies: xr.Dataset, colour: str) -> None:
    for window in policies.window.values:
        lower, upper = (policies.windows.sel(window=window, edge=edge) for edge in ("lower", "upper"))
        axes.fill_between(
            policies.alpha_tot,
            np.maximum(lower, -_END),
            np.minimum(upper, _END),
            color=colour,
            alpha=0.45,
            lw=0,
            step="mid",
        )
    axes.set(xscale="log", xlim=(1.0, 100.0))


def _draw_errors(axes: Axes, numbers: xr.DataTree, kind: str) -> None:
    rules = numbers["rules"].test_error
    random = rules.sel(selection="random")
    style: dict[str, Any] = {"lw": 1.4, "ls": "--"}
    axes.axhline(1.0, color=RANDOM_COLOUR, lw=2.2, label="random subset")
    for rule in ("hard", "easy"):
        axes.plot(rules.alpha_tot, rules.sel(selection=rule) / random, color=COLOURS[rule], label=rule, **style)
    policy = numbers[kind].test_error
    axes.plot(policy.alpha_tot, policy / random, color=COLOURS[kind], lw=2.0, label=f"optimal, labels {_SEEN[kind]}")
    dots = numbers[f"simulation_{kind}"].to_dataset()
    dots = dots.assign_coords(alpha_tot=dots.alpha_prune / F)
    level = np.exp(np.interp(np.log(dots.alpha_tot), np.log(random.alpha_tot), np.log(random)))
    dots = dots.assign(mean=dots["mean"] / level, standard_error=dots.standard_error / level)
    draw_dots(axes, dots, [COLOURS[kind]], "theta", x="alpha_tot", label=simulation_label(dots))


_SEEN = {"unlabelled": "unseen", "labelled": "seen"}
