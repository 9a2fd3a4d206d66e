"""After Fig. 2A: teacher, probe and student in their plane, decision boundaries, and which examples are kept.

The paper sketches it; here the angle, f and size are ours, the student is the solved one, its length in the plane is
true (the rest of a unit vector points out of the plane), and the dots are finite students.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtri

from perceptron_theory.figures.dots import TRIALS, TRIALS_FAST, N
from perceptron_theory.plotting.curves import FRONTIER_COLOUR
from perceptron_theory.plotting.style import new_figure
from perceptron_theory.problem import Problem
from perceptron_theory.simulation.data import draw as draw_examples
from perceptron_theory.simulation.execution import one_per_core
from perceptron_theory.simulation.finite import FiniteProblem
from perceptron_theory.simulation.trials import simulate
from perceptron_theory.solving.saddle_point import solve

THETA = float(np.deg2rad(20.0))
ALPHA_PRUNE, F = 2.0, 0.4
RULES = ("hard", "easy")
EXAMPLES = 400

TEACHER_COLOUR, PROBE_COLOUR, STUDENT_COLOUR = "0.1", "#0072b2", FRONTIER_COLOUR


def compute(fast: bool = False) -> xr.DataTree:
    """Solved students, finite ones, and examples in the plane (along the teacher, orthogonal to it)."""
    theory = [solve(ALPHA_PRUNE, F, THETA, selection=rule) for rule in RULES]
    trials = TRIALS_FAST if fast else TRIALS
    sims = [
        simulate(N, ALPHA_PRUNE, F, THETA, selection=rule, trials=trials, seed=seed, executor=one_per_core())
        for seed, rule in enumerate(RULES)
    ]
    rng = np.random.default_rng(0)
    plane = draw_examples(FiniteProblem.of(Problem.of(EXAMPLES / 2, 1.0, THETA, "random"), 2), rng)
    flips = rng.choice([-1.0, 1.0], EXAMPLES)
    m, g = flips * plane.T
    along, across = m * np.cos(THETA) + g * np.sin(THETA), m * np.sin(THETA) - g * np.cos(THETA)
    return xr.DataTree.from_dict(
        {
            "students": xr.Dataset(
                {
                    "R": ("selection", [float(s.R) for s in theory]),
                    "rho": ("selection", [float(s.rho) for s in theory]),
                    "test_error": ("selection", [float(s.test_error) for s in theory]),
                    "status": ("selection", [int(s.status) for s in theory]),
                },
                {"selection": list(RULES)},
                {"alpha_prune": ALPHA_PRUNE, "f": F, "theta": THETA},
            ),
            "simulation": xr.Dataset(
                {
                    "R": (("selection", "trial"), [sim.R for sim in sims]),
                    "rho": (("selection", "trial"), [sim.rho for sim in sims]),
                },
                {"selection": list(RULES)},
                {"N": N, "trials": trials, "seeds": "number of the rule"},
            ),
            "examples": xr.Dataset({"along": ("example", along), "across": ("example", across)}, attrs={"seed": 0}),
        }
    )


def draw(numbers: xr.DataTree) -> Figure:
    """The plane, once for each rule."""
    figure = new_figure(10.0, 5.4)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, rule in zip(panels, RULES, strict=True):
        _draw_examples(axes, numbers["examples"].to_dataset(), rule)
        _draw_vectors(axes, numbers, rule)
        error = numbers["students"].test_error.sel(selection=rule).item()
        axes.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal", xlabel="orthogonal to the teacher")
        axes.set_title(rf"keep {rule}: $\varepsilon$ = {error:.3f}", fontsize="medium")
        axes.grid(False)
    panels[0].set_ylabel("along the teacher")
    panels[0].legend(loc="lower left", frameon=True, framealpha=0.92, edgecolor="none")
    title = rf"θ = 20°, f = {F:g}, $\alpha_\mathrm{{prune}}$ = {ALPHA_PRUNE:g} (after Fig. 2A of Sorscher et al. 2022)"
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def _draw_examples(axes: Axes, examples: xr.Dataset, rule: str) -> None:
    """Filled if kept, circles and crosses for the two labels."""
    z = np.abs(examples.along * np.cos(THETA) + examples.across * np.sin(THETA)).values
    kept = z < -ndtri(0.5 * (1.0 - F)) if rule == "hard" else z > -ndtri(0.5 * F)
    for label, marker in ((1.0, "o"), (-1.0, "X")):
        mine = np.sign(examples.along.values) == label
        for chosen, colour in ((mine & ~kept, "0.87"), (mine & kept, "0.5")):
            axes.scatter(
                examples.across[chosen], examples.along[chosen], marker=marker, s=16, color=colour, lw=0, zorder=1
            )


def _draw_vectors(axes: Axes, numbers: xr.DataTree, rule: str) -> None:
    here, finite = (numbers[name].to_dataset().sel(selection=rule) for name in ("students", "simulation"))
    student = np.array([_across(here.R, here.rho), here.R])
    vectors = {
        "teacher": (np.array([0.0, 1.0]), TEACHER_COLOUR, "-"),
        "probe": (np.array([np.sin(THETA), np.cos(THETA)]), PROBE_COLOUR, "--"),
        "student, its part in the plane": (student, STUDENT_COLOUR, "-."),
    }
    for name, (vector, colour, line) in vectors.items():
        unit = vector / np.hypot(*vector)
        boundary = 4.0 * np.array([unit[1], -unit[0]])
        axes.plot(*np.array([-boundary, boundary]).T, color=colour, lw=1.2, ls=line, zorder=2)
        arrow = {"arrowstyle": "-|>", "color": colour, "lw": 2.2, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", (2.0 * vector[0], 2.0 * vector[1]), (0.0, 0.0), arrowprops=arrow, zorder=3)
        axes.plot([], [], color=colour, ls=line, label=name)
    axes.scatter(
        2.0 * _across(finite.R, finite.rho),
        2.0 * finite.R,
        s=7,
        color=STUDENT_COLOUR,
        alpha=0.5,
        lw=0,
        zorder=4,
        label=f"{numbers['simulation'].sizes['trial']} students, N = {numbers['simulation'].attrs['N']}",
    )


def _across(R: xr.DataArray, rho: xr.DataArray) -> xr.DataArray:
    """Component orthogonal to the teacher: rho = R cos(theta) + d sin(theta)."""
    across: xr.DataArray = (rho - R * np.cos(THETA)) / np.sin(THETA)
    return across
