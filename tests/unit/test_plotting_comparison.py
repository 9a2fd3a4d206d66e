"""What the picture of a comparison means: lines, points, scales, labels."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import same_color, to_hex
from matplotlib.container import ErrorbarContainer

import perceptron_theory as pt
from perceptron_theory.comparison import Comparison
from perceptron_theory.plotting import comparison_figure

ALPHA = np.array([0.5, 2.0, 8.0])
THETA = 0.2
OBSERVABLES = ["test_error", "R", "rho", "kappa"]


def made_up(sizes: tuple[int, ...], deviation: float = 1.0) -> Comparison:
    """Simulations that lie above the theory by 1 % at each size, and so many standard errors when extrapolated."""
    s = pt.solve(ALPHA, 0.4, THETA)
    theory = np.stack([getattr(s, name) for name in OBSERVABLES], axis=-1)
    theory = np.repeat(theory[:, None], len(sizes), axis=1)
    difference = 0.02 * theory[:, 0]
    by_size, by_cell = ("cell", "size", "observable"), ("cell", "observable")
    data = xr.Dataset(
        {
            "N": (("cell", "size"), np.tile(sizes, (ALPHA.size, 1))),
            "mean": (by_size, 1.01 * theory),
            "standard_error": (by_size, 0.005 * theory),
            "theory": (by_size, theory),
            "difference": (by_cell, difference),
            "difference_error": (by_cell, np.abs(difference / deviation)),
            "deviation": (by_cell, np.full(difference.shape, deviation)),
        },
        coords={
            "observable": OBSERVABLES,
            "alpha_prune": ("cell", ALPHA),
            "f": ("cell", np.full(ALPHA.size, 0.4)),
            "theta": ("cell", np.full(ALPHA.size, THETA)),
            "selection": ("cell", ["hard"] * ALPHA.size),
        },
    )
    return Comparison(data)


@pytest.fixture(scope="module")
def curves() -> xr.Dataset:
    sizes = np.geomspace(0.4, 10.0, 21)
    random = pt.learning_curve(sizes, 1.0, THETA, selection="random").test_error.drop_vars("f")
    return pt.learning_curve(sizes, 0.4, THETA).assign(test_error_random=random)


def bars(axes: Axes) -> list[ErrorbarContainer]:
    return [c for c in axes.containers if isinstance(c, ErrorbarContainer)]


def labels(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def points(bar: ErrorbarContainer) -> np.ndarray:
    assert bar.lines[0] is not None
    return np.column_stack([bar.lines[0].get_xdata(), bar.lines[0].get_ydata()])


def spans(bar: ErrorbarContainer) -> np.ndarray:
    """Lower and upper end of each error bar."""
    return np.array([segment[:, 1] for segment in bar.lines[2][0].get_segments()])


def test_test_errors_are_lines_and_points(curves: xr.Dataset) -> None:
    comparison = made_up((40, 80, 160))
    above = comparison_figure(comparison, curves, "some data").axes[0]
    random, theory = above.get_lines()[:2]
    np.testing.assert_array_equal(theory.get_ydata(), curves.test_error)
    np.testing.assert_array_equal(random.get_ydata(), curves.test_error_random)
    assert same_color(random.get_color(), "0.55")
    assert (above.get_xscale(), above.get_yscale()) == ("log", "log")
    assert "alpha" not in above.get_xlabel()  # said below
    assert "test error" in above.get_ylabel()
    assert above.get_title(loc="left") == "some data\nkeep hard, f = 0.4, θ = 11.5°"
    expected = ["random subset", "theory", "N = 40", "N = 80", "N = 160"]
    assert labels(above)[:-1] == expected
    assert labels(above)[-1].startswith("extrapolated")

    errors = pt.solve(ALPHA, 0.4, THETA).test_error
    *sizes, infinite = bars(above)
    assert len(sizes) == 3
    for bar in sizes:
        np.testing.assert_allclose(points(bar), np.column_stack([ALPHA, 1.01 * errors]), rtol=1e-12)
        np.testing.assert_allclose(spans(bar), np.outer(errors, [1.00, 1.02]), rtol=1e-12)
    # Theory and difference, 2 %, with bars of two standard errors of as much.
    np.testing.assert_allclose(points(infinite)[:, 1], 1.02 * errors, rtol=1e-12)
    np.testing.assert_allclose(spans(infinite), np.outer(errors, [0.98, 1.06]), rtol=1e-12)
    assert infinite.lines[0].get_markerfacecolor() == "none"
    looks = {(bar.lines[0].get_marker(), to_hex(bar.lines[0].get_color())) for bar in sizes}
    assert len(looks) == 3


def test_differences_are_relative_to_theory(curves: xr.Dataset) -> None:
    middle = comparison_figure(made_up((40, 80)), curves).axes[1]
    *sizes, infinite = bars(middle)
    for bar in sizes:
        np.testing.assert_allclose(points(bar)[:, 1], 1.0, rtol=1e-9)
        np.testing.assert_allclose(spans(bar), np.tile([0.0, 2.0], (3, 1)), atol=1e-9)
    np.testing.assert_allclose(points(infinite)[:, 1], 2.0, rtol=1e-9)
    # Set apart, but nearer to their own alpha_prune than to the next one.
    places = np.array([points(bar)[:, 0] for bar in bars(middle)])
    assert (np.diff(places, axis=0) > 0).all()
    assert (np.abs(np.log(places / ALPHA)) < 0.5 * np.log(4.0)).all()
    assert (middle.get_xscale(), middle.get_yscale()) == ("log", "linear")
    assert "%" in middle.get_ylabel()


def test_deviations_of_every_observable_with_bands(curves: xr.Dataset) -> None:
    below = comparison_figure(made_up((40, 80), deviation=-1.5), curves).axes[2]
    drawn = [line for line in below.get_lines() if line.get_marker() not in ("None", "none", None, "")]
    assert len(drawn) == len(labels(below)) == 4
    for line in drawn:
        np.testing.assert_array_equal(line.get_ydata(), -1.5)
    bands = [patch.get_y() + patch.get_height() for patch in below.patches]  # type: ignore[attr-defined]
    assert sorted(bands) == [2.0, 4.0]
    assert below.get_ylim() == (-5.0, 5.0)
    assert below.get_xscale() == "log"
    assert "alpha_" in below.get_xlabel()


def test_large_deviations_stay_in_sight(curves: xr.Dataset) -> None:
    below = comparison_figure(made_up((40, 80), deviation=9.0), curves).axes[2]
    low, high = below.get_ylim()
    assert low < -9.0
    assert high > 9.0


def test_one_size_is_not_called_extrapolated(curves: xr.Dataset) -> None:
    above, middle, below = comparison_figure(made_up((40,)), curves.drop_vars("test_error_random")).axes
    assert labels(above) == ["theory", "N = 40"]
    assert len(bars(middle)) == 1
    assert "extrapolated" not in below.get_title(loc="left")


def test_points_stand_where_whole_numbers_put_them(curves: xr.Dataset) -> None:
    """N = 5 and alpha_prune = 0.5 keep 2 examples."""
    above = comparison_figure(made_up((5,)), curves).axes[0]
    np.testing.assert_allclose(points(bars(above)[0])[:, 0], [0.4, 2.0, 8.0], rtol=1e-15)


def test_several_problems_are_refused(curves: xr.Dataset) -> None:
    data = made_up((40,)).data
    for other in (
        data.assign_coords(theta=("cell", [0.1, 0.2, 0.2])),
        data.assign_coords(selection=("cell", ["hard", "hard", "easy"])),
    ):
        with pytest.raises(pt.InvalidInputError, match="compare and draw each by itself"):
            comparison_figure(Comparison(other), curves)


def test_keep_probabilities_have_no_f_and_titles_no_mathematics(curves: xr.Dataset) -> None:
    data = made_up((40,)).data.assign_coords(f=("cell", np.full(3, np.nan)))
    above = comparison_figure(Comparison(data), curves, r"a$\frac$b").axes[0]
    assert "f =" not in above.get_title(loc="left")
    above.figure.canvas.draw()
