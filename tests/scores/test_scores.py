"""Directions, ties, margins; the embedded default; real score files."""

from __future__ import annotations

import csv
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.stats import kstest, spearmanr

import perceptron_theory as pt
from perceptron_theory.cli.app import main
from perceptron_theory.scores.digits import digits_facts


def test_magnitudes_are_half_normal_in_the_order_of_the_scores() -> None:
    """Without ties: at most half a rank from the half-normal distribution, and the larger the easier."""
    values = np.random.default_rng(0).standard_cauchy(1000)
    z = pt.Scores(values, higher_is="easier").magnitudes()
    # The largest distance that n points can have from their own distribution, if they stand in the middle of the ranks.
    assert kstest(z, "halfnorm").statistic == pytest.approx(0.5 / 1000, rel=1e-9)
    assert spearmanr(values, z).statistic == 1.0


def test_equal_scores_fill_the_interval_of_their_ranks() -> None:
    values = np.round(np.random.default_rng(0).normal(size=1000), 1)
    z = pt.Scores(values, higher_is="easier").magnitudes()
    assert kstest(z, "halfnorm").statistic == pytest.approx(0.5 / 1000, rel=1e-9)
    for value in np.unique(values):
        inside = z[values == value]
        others_between = (z > inside.min()) & (z < inside.max()) & (values != value)
        assert not others_between.any()
        assert np.all(z[values < value] < inside.min())


def test_direction_turns_the_order() -> None:
    values = np.array([5.0, 1.0, 3.0])
    hard = pt.Scores(values, higher_is="harder").magnitudes()
    easy = pt.Scores(values, higher_is="easier").magnitudes()
    keep = pt.Scores(values, higher_is="keep").magnitudes()
    assert np.argmin(hard) == np.argmin(keep) == 0
    assert np.argmax(easy) == 0
    np.testing.assert_allclose(np.sort(hard), np.sort(easy))


def test_tie_report() -> None:
    ties = pt.Scores(np.array([0.0] * 6 + [1, 2, 3, 3]), higher_is="harder").ties
    assert (ties.n, ties.n_distinct, ties.largest) == (10, 4, 6)
    assert ties.tied_fraction == pytest.approx(0.8)


def test_values_are_scaled_to_second_moment_one() -> None:
    rng = np.random.default_rng(1)
    raw = 3.0 * rng.normal(0.5, 1.0, 500)
    scores = pt.Scores(raw, higher_is="easier")
    margins = scores.margins("value")
    assert margins.second_moment == pytest.approx(1.0)
    assert margins.mass_wrong == pytest.approx(np.mean(raw < 0))
    assert scores.theta_from_errors() == pytest.approx(np.pi * np.mean(raw < 0))


def test_values_that_cannot_be_margins_are_refused() -> None:
    scores = pt.Scores(np.array([0.1, 0.5, 0.7]), higher_is="harder")
    with pytest.raises(pt.ScoreError, match="'harder'"):
        scores.margins("value")
    with pytest.raises(pt.ScoreError, match="negative"):
        scores.theta_from_errors()
    with pytest.raises(pt.ScoreError, match="'size'"):
        scores.margins("size")  # type: ignore[arg-type]


def test_scores_cannot_be_changed() -> None:
    scores = pt.digits_scores()
    with pytest.raises(ValueError, match="read-only"):
        scores.values[0] = 0.0


def test_embedded_default_matches_its_facts() -> None:
    scores, facts = pt.digits_scores(), digits_facts()
    with files("perceptron_theory.scores").joinpath("data", "digits_margins.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == scores.n + facts.n_probe == 1797
    unseen = [row for row in rows if row["trained_on"] == "0"]
    assert scores.ids is not None
    assert scores.ids.tolist() == [int(row["index"]) for row in unseen]
    assert scores.values.tolist() == [float(row["margin"]) for row in unseen]
    # The angle that the error rate implies and the one measured to a fully trained student: same story.
    assert abs(np.rad2deg(scores.theta_from_errors() - facts.theta_to_full)) < 5


def test_the_angle_of_the_digits_is_from_images_that_the_probe_has_not_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One number, as documented, from function and command: 159 of 1,597 are wrong."""
    theta = pt.digits_scores().theta_from_errors()
    assert theta == pytest.approx(np.pi * 159 / 1597, rel=1e-12)
    assert pt.digits_scores().margins("value").mass_wrong == pytest.approx(theta / np.pi, rel=1e-12)
    assert main(["frontier", "--alpha-tot-max", "50", "--points", "2", "--out", str(tmp_path)]) == 0
    assert "theta      17.92 deg, from the probe's error of 10.0 %" in capsys.readouterr().out
    with xr.open_dataset(tmp_path / "frontier.nc", engine="netcdf4") as data:
        assert float(data.theta) == theta


def test_embedded_default_can_be_made_again(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    from perceptron_theory.scores.measure_digits import measure

    facts = measure(tmp_path)
    # Another version of scikit-learn may stop its optimiser elsewhere within its tolerance.
    assert facts.theta_to_full == pytest.approx(digits_facts().theta_to_full, abs=1e-3)
    committed = str(files("perceptron_theory.scores").joinpath("data", "digits_margins.csv"))
    again, before = (
        np.loadtxt(name, delimiter=",", skiprows=1) for name in (tmp_path / "digits_margins.csv", committed)
    )
    np.testing.assert_allclose(again, before, atol=1e-3)


@pytest.mark.parametrize("by", ["rank", "value"])
def test_frontier_of_the_embedded_default(by: str) -> None:
    scores = pt.digits_scores()
    margins, theta = scores.margins(by), scores.theta_from_errors()  # type: ignore[arg-type]
    frontier = pt.pareto_frontier(np.geomspace(0.5, 100, 7), theta, alpha_tot_max=100.0, margins=margins)
    assert np.all(frontier.status == pt.Status.CONVERGED)
    assert np.all(np.diff(frontier.test_error) < 0)
    assert np.all(frontier.test_error <= frontier.test_error_random * (1 + 1e-9))


@pytest.mark.parametrize(
    ("key", "direction"),
    [("el2n_cv", "harder"), ("cscore", "easier"), ("forgetting_260D", "harder"), ("margin_cv", "easier")],
)
def test_real_scores(shared_data: Path, key: str, direction: str) -> None:
    scores = pt.read_scores(shared_data / "scores" / "cifar10_train.npz", key=key, higher_is=direction)  # type: ignore[arg-type]
    assert scores.n == 50_000
    margins = scores.margins()
    for rule in ("hard", "easy"):
        s = pt.solve(np.geomspace(0.5, 100, 7), 0.3, np.deg2rad(10), selection=rule, margins=margins)
        assert s.converged.all(), (key, rule, s.status, s.quadrature_error)
