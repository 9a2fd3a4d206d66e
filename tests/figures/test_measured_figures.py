"""What the figures of measured scores say: on the committed numbers, and in slow runs on numbers made now."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from figure_numbers import committed, made_now

Numbers = Callable[[str], xr.DataTree]


@pytest.fixture(params=["committed", pytest.param("made now", marks=pytest.mark.slow)])
def numbers(request: pytest.FixtureRequest) -> Numbers:
    """Numbers of a figure by its name."""
    return committed if request.param == "committed" else made_now


@pytest.mark.parametrize(
    ("figure", "names"),
    [
        ("measured_margins", ("digits", "MNIST", "CIFAR-10")),
        ("measured_frontiers", ("c-score", "EL2N", "forgetting")),
    ],
)
def test_frontiers_never_lose_to_random(numbers: Numbers, figure: str, names: tuple[str, ...]) -> None:
    tree = numbers(figure)
    for name in names:
        for kind in ("measured", "gaussian"):
            frontier = tree[f"{kind}_{name}"].to_dataset()
            # Keeping all is among the candidates; certified errors are good to 1e-9.
            assert (frontier.test_error <= frontier.test_error_random * (1 + 1e-9)).all()
            # Between the smallest and the largest size the best choice gains by at least a quarter.
            assert (frontier.test_error / frontier.test_error_random).min() < 0.75


def test_densities_hold_all_data(numbers: Numbers) -> None:
    tree = numbers("measured_margins")
    for name in ("digits", "MNIST", "CIFAR-10"):
        density = tree[f"density_{name}"].to_dataset()
        width = float(density.m[1] - density.m[0])
        # Sums of at most 60,000 weights.
        assert float(density.density.sum()) * width + density.attrs["outside"] == pytest.approx(1.0, abs=1e-9)
    # Most softmax margins of CIFAR-10 are saturated.
    assert float(tree["density_CIFAR-10"].density.max()) * width > 0.7


def test_angles_lie_in_their_intervals(numbers: Numbers) -> None:
    tree = numbers("measured_frontiers")
    for name in ("c-score", "EL2N", "forgetting"):
        found = tree[f"measured_{name}"].to_dataset()
        assert 0.3 < found.attrs["theta_low"] < float(found.theta) < found.attrs["theta_high"] < 0.6
    assert tree["measured_forgetting"].attrs["tied"] > 0.99


def test_metrics_of_one_network_agree(numbers: Numbers) -> None:
    matrix = numbers("metric_clustermap")["correlations"].spearman
    np.testing.assert_allclose(np.diag(matrix), 1.0, atol=1e-12)
    assert float(matrix.sel(metric="EL2N", other="margin")) > 0.99
    assert (matrix > 0.4).all()  # all signed alike


def test_floors_hold(numbers: Numbers) -> None:
    tree = numbers("class_balance")
    for name in ("MNIST_hard", "CIFAR-10_hard", "CIFAR-10_easy"):
        counts = tree[name].to_dataset()
        assert int(counts.kept.sum()) == int(counts.kept_with_floor.sum()) == round(0.2 * int(counts.n.sum()))
        assert (counts.kept_with_floor >= counts.floor).all()
        assert (counts.kept < counts.floor).any()  # what the figure is about
    assert int(tree["CIFAR-10_easy"].kept.sel(label=3)) == 12  # cats


def test_scores_change_with_the_number_of_prototypes(numbers: Numbers) -> None:
    for name in ("digits", "MNIST"):
        mean = numbers("prototype_robustness")[name].spearman.mean("seed").values
        assert int(np.argmax(mean)) == 3  # the reference
        assert (np.diff(mean[:4]) > 0.0).all()
        assert (np.diff(mean[3:]) < 0.0).all()
        assert mean.min() > 0.3
    mnist = numbers("prototype_robustness")["MNIST"].to_dataset()
    chance = mnist.test_error_random
    assert (abs(mnist.test_error - chance.mean()) < 3.0 * chance.std(ddof=1)).all()
