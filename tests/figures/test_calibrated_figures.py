"""What the figures of calibrated runs say: on the committed numbers, and in slow runs on numbers made now."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from figure_numbers import committed, made_now

from perceptron_theory.figures import advice_checked, calibrated_runs, held_out_models
from perceptron_theory.figures.crossing_marks import crossing_measured
from perceptron_theory.figures.gallery import module
from perceptron_theory.plotting.style import style_sheet

Numbers = Callable[[str], xr.DataTree]


@pytest.fixture(params=["committed", pytest.param("made now", marks=pytest.mark.slow)])
def numbers(request: pytest.FixtureRequest) -> Numbers:
    """Numbers of a figure by its name."""
    return committed if request.param == "committed" else made_now


@lru_cache
def fast(name: str) -> xr.DataTree:
    """Fewer points, once in a process."""
    return module(name).compute(fast=True)


@pytest.mark.parametrize("name", ["calibrated_runs", "held_out_models", "advice_checked"])
def test_fast_numbers_are_some_of_the_committed(name: str) -> None:
    kept, few = committed(name), fast(name)
    assert 0 < len(few.leaves) < len(kept.leaves)
    shared = [node.name for node in few.leaves if not str(node.name).startswith("permuted_curves")]
    for group in shared:
        mine, whole = few[str(group)].to_dataset(), kept[str(group)].to_dataset()
        found = {key: value for key, value in mine.coords.items() if value.ndim == 1 and key in mine.dims}
        # Fits settle at 1e-6; on other processors sums are rounded otherwise.
        xr.testing.assert_allclose(mine, whole.sel(found), rtol=1e-5)
    with style_sheet():
        assert module(name).draw(few).axes


@pytest.mark.parametrize("student", ["logistic", "network"])
def test_crossing_is_predicted_at_a_fifth_kept(numbers: Numbers, student: str) -> None:
    found = numbers("calibrated_runs")[f"crossings_{student}"].to_dataset().sel(f=0.2)
    assert found.measured_from < found.measured < found.measured_to
    assert found.low < found.measured < found.high
    assert found.measured_from < found.n_kept < found.measured_to
    # All runs that were fitted keep at most 300 images.
    assert found.n_kept > 300


@pytest.mark.parametrize("student", ["logistic", "network"])
def test_crossing_at_a_tenth_comes_earlier_than_predicted(numbers: Numbers, student: str) -> None:
    found = numbers("calibrated_runs")[f"crossings_{student}"].to_dataset().sel(f=0.1)
    assert np.isnan(found.n_kept)  # beyond the largest pool
    assert found.measured < found.low
    # With its misfit the theory does not exclude what was measured.
    assert found.run_low < found.measured_to


def test_expected_errors_are_there_and_ordered(numbers: Numbers) -> None:
    for student in ("logistic", "network"):
        curves = numbers("calibrated_runs")[f"curves_{student}"].to_dataset()
        pruned = curves.sel(f=[0.1, 0.2])
        for name in ("test_error", "low", "high", "run_low", "run_high"):
            assert np.isfinite(pruned[name]).all()
            assert np.isfinite(curves[name].sel(f=1.0, selection="random")).all()
        assert (pruned.run_low <= pruned.low).all()
        assert (pruned.high <= pruned.run_high).all()
        # Without pruning the error falls with the size, to the accuracy of the solver.
        assert (np.diff(curves.test_error.sel(f=1.0, selection="random")) < 1e-9).all()


def test_theory_holds_for_logistic_regression_and_fails_for_easy_images_of_the_network(numbers: Numbers) -> None:
    runs = {name: numbers("calibrated_runs")[f"runs_{name}"].to_dataset() for name in ("logistic", "network")}
    held_out = {name: found.isel(run=np.flatnonzero(~found.fitted)) for name, found in runs.items()}
    inside = {
        name: (found.test_error > found.run_low) & (found.test_error < found.run_high)
        for name, found in held_out.items()
    }
    assert {name: found.size for name, found in inside.items()} == {"logistic": 28, "network": 28}
    assert int(inside["logistic"].sum()) >= 25
    easy = held_out["network"].isel(run=np.flatnonzero(held_out["network"].selection == "easy"))
    assert int((easy.test_error > easy.run_high).sum()) >= 5  # of 8
    # The network does not stop where the small pools say that it will.
    floor = numbers("calibrated_runs")["curves_network"].attrs["floor"]
    assert float(runs["network"].test_error.min()) < 0.6 * floor


def test_held_out_errors_are_those_of_the_rules_together(numbers: Numbers) -> None:
    tree = numbers("held_out_models")
    groups = [f"{student}_{probe}" for student in calibrated_runs.TASKS for probe in held_out_models.PROBES]
    for group in groups:
        found = tree[group].to_dataset()
        # Four pools times four fractions for each rule, and four times no pruning.
        entries = xr.DataArray([20, 16, 16, 16], {"selection": ["random", "hard", "band:0.05", "easy"]})
        assert int(entries.sum()) == found.attrs["asked"]
        assert (found.predicted == found.attrs["asked"]).all()
        together = np.sqrt((found.held_out_rule**2).weighted(entries).mean("selection"))
        # Sums of 68 squares.
        np.testing.assert_allclose(found.held_out, together, rtol=1e-12)


def test_which_model_predicts(numbers: Numbers) -> None:
    tree = numbers("held_out_models")
    for student in ("softmax", "network"):
        for probe in held_out_models.PROBES:
            found = tree[f"{student}_{probe}"].to_dataset()
            stretched = found.sel(model="max-margin, stretched")
            assert str(stretched.held_out_rule.idxmax().values) == "easy"
            assert stretched.held_out < found.held_out.sel(model="max-margin")
            assert str(found.held_out.idxmin().values) == "power law"
    for probe, best in {"late": "max-margin", "early": "max-margin, stretched"}.items():
        assert str(tree[f"logistic_{probe}"].held_out.idxmin().values) == best
        # A factor of two.
        assert float(tree[f"network_{probe}"].held_out.sel(model="max-margin")) == pytest.approx(np.log(2.0), abs=0.05)


def test_crossing_on_permuted_mnist() -> None:
    tree = committed("held_out_models")
    found = tree["permuted_crossing"].to_dataset()
    assert (float(found.measured_from), float(found.measured_to)) == (9000.0, 12000.0)
    assert float(found.low) < 9500.0
    assert found.measured_from < found.high < found.measured
    assert int(tree["permuted_runs"].fitted.sum()) == 8


def test_permuted_mnist_is_left_out_where_it_is_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PERCEPTRON_THEORY_DATA", str(tmp_path / "nowhere"))
    assert held_out_models.permuted_mnist() is None
    (tmp_path / "scores").mkdir()
    monkeypatch.setenv("PERCEPTRON_THEORY_DATA", str(tmp_path))
    assert held_out_models.permuted_mnist() is None
    (tmp_path / "runs").mkdir()
    rows = "permuted_mnist,1,none,9000,92.96\npermuted_mnist,1,permuted_mnist_sorted,9000,92.24\nmnist,1,none,9000,99\n"
    (tmp_path / "runs" / "mnist_pruning_runs.csv").write_text("dataset,seed,sorting,n_kept,test_acc\n" + rows)
    table = held_out_models.permuted_mnist()
    assert table is not None
    assert table["selection"].tolist() == ["random", "hard"]
    # Per cent to fractions, one rounding.
    assert table["test_error"].tolist() == pytest.approx([0.0704, 0.0776], abs=1e-12)
    kept = committed("held_out_models")
    few = xr.DataTree.from_dict({str(n): c.to_dataset() for n, c in kept.children.items() if "permuted" not in str(n)})
    with style_sheet():
        assert len(held_out_models.draw(few).axes) == len(held_out_models.draw(kept).axes) - 2


def test_advice_where_it_was_right_and_wrong(numbers: Numbers) -> None:
    tree = numbers("advice_checked")
    error = {name: tree[name].test_error for name in ("logistic", "network")}
    pruned = {name: tree[name].advised.sel(choice="best") for name in error}
    assert {name: int(found.sum()) for name, found in pruned.items()} == {"logistic": 4, "network": 2}
    for name in error:
        assert (tree[name].advised.sum("choice") == 1).all()
    better = {name: found.sel(choice="best") < found.sel(choice="random") for name, found in error.items()}
    assert better["logistic"].all()
    assert better["network"].values.tolist() == [False, True, True, True, True]
    logistic, network = tree["logistic"].to_dataset(), tree["network"].to_dataset()
    gain, hoped = (
        np.log(x.sel(choice="random") / x.sel(choice="best")) for x in (logistic.test_error, logistic.expected)
    )
    assert (gain < hoped).all()
    assert bool(((logistic.test_error > logistic.run_low) & (logistic.test_error < logistic.run_high)).all())
    below = (network.test_error < network.run_low).sel(choice="best")
    assert below.values.tolist() == [False, False, False, True, True]


def test_advice_means_are_those_of_the_table() -> None:
    table = pd.read_csv(Path(advice_checked.__file__).parents[1] / "measured_runs" / "data" / "advice_runs.csv")
    chosen = table[(table["student"] == "network") & (table["budget"] == 500) & (table["choice"] == "best")]
    found = committed("advice_checked")["network"].to_dataset().sel(budget=500, choice="best")
    # Sums of three numbers.
    assert float(found.test_error) == pytest.approx(chosen["test_error"].mean(), rel=1e-12)
    assert float(found.standard_error) == pytest.approx(chosen["test_error"].std() / np.sqrt(3), rel=1e-12)


def runs(hard: list[list[float]]) -> pd.DataFrame:
    """Errors of hard by size and seed; those of random are 0.1."""
    rows = [
        (10 * 2**i, seed, name, 0.1 if name == "random" else error)
        for i, errors in enumerate(hard)
        for seed, error in enumerate(errors)
        for name in ("random", "hard")
    ]
    return pd.DataFrame(rows, columns=["n_kept", "seed", "selection", "test_error"])


def test_measured_crossing_skips_sizes_that_do_not_tell() -> None:
    # At 20 and 40 two standard errors include no difference; the later return, at 160, is no first crossing.
    found = crossing_measured(runs([[0.2, 0.21], [0.15, 0.08], [0.13, 0.07], [0.05, 0.051], [0.2, 0.21]]))
    assert (found[0], found[2]) == (10.0, 80.0)
    assert 20.0 < found[1] < 40.0


@pytest.mark.parametrize("hard", [[[0.2], [0.19]], [[0.05], [0.04]], [[0.05], [0.2]]])
def test_no_measured_crossing(hard: list[list[float]]) -> None:
    assert np.isnan(crossing_measured(runs(hard))).all()
