"""Numbers of the graphs are those of the library; pictures and tables show them; what failed is missing."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

import perceptron_theory as pt

pytest.importorskip("dash")

from perceptron_theory.explorer.answers import Answers
from perceptron_theory.explorer.curves import draw_curves
from perceptron_theory.explorer.frontier import draw_frontier
from perceptron_theory.explorer.kept import compute_kept, draw_kept, policy_meaning
from perceptron_theory.explorer.meaning import best_meaning, meaning
from perceptron_theory.explorer.measured import Measured, draw_scores, score_histogram
from perceptron_theory.explorer.memory import Memory
from perceptron_theory.explorer.phases import draw_phases
from perceptron_theory.explorer.point import Point, missing_note, solved_point
from perceptron_theory.explorer.setting import Setting
from perceptron_theory.explorer.tables import csv_text, graph_table

DEFAULT = Setting()
BAND = Setting(selection="band", lower=0.05, f=0.4, theta_deg=20.0)


@pytest.fixture(scope="module")
def answers() -> Answers:
    return Answers()


@pytest.fixture(scope="module")
def measured() -> Measured:
    forgetting = np.random.default_rng(0).poisson(2.0, 300).astype(np.float64)
    return Measured.of(pt.Scores(forgetting, "harder", source="/somewhere/upload.npz:forgetting"), "mine.npz")


def failed(point: Point) -> Point:
    nothing = np.array(np.nan)
    return dataclasses.replace(
        point,
        solution=dataclasses.replace(
            point.solution, test_error=nothing, status=np.array(pt.Status.NOT_CONVERGED, dtype=np.int8)
        ),
    )


@pytest.mark.parametrize("setting", [DEFAULT, BAND, Setting(selection="easy", alpha_tot=1000.0)])
def test_point_and_curves_are_those_of_solve(answers: Answers, setting: Setting) -> None:
    point, curves = answers.point(setting, None), answers.curves(setting, None)
    direct = pt.solve(setting.alpha_prune, setting.f, setting.theta, selection=setting.rule)
    assert float(point.solution.test_error) == float(direct.test_error)
    sizes = curves["kept"].alpha_prune.values
    assert sizes[0] < setting.alpha_prune < sizes[-1]
    again = pt.solve(sizes, setting.f, setting.theta, selection=setting.rule)
    np.testing.assert_array_equal(curves["kept"].test_error, again.test_error)
    star = draw_curves(setting, curves, point)["data"][2]
    assert (star["x"], star["y"]) == ([setting.alpha_prune], [float(direct.test_error)])


def test_measured_scores_take_the_place_of_gaussian_data(answers: Answers, measured: Measured) -> None:
    token = answers.files.keep(measured, measured.size)
    direct = pt.solve(DEFAULT.alpha_prune, DEFAULT.f, DEFAULT.theta, margins=measured.scores.margins())
    error = float(answers.point(DEFAULT, token).solution.test_error)
    assert error == float(direct.test_error)
    assert error != float(answers.point(DEFAULT, None).solution.test_error)
    assert measured.scores.source == "mine.npz:forgetting"
    assert dict(measured.rows)["ties"] == str(pt.inspect_scores(measured.scores).ties)
    histogram = score_histogram(measured)
    assert histogram["examples"].sum() == 300
    assert "high = hard" in draw_scores(measured, histogram)["layout"]["xaxis"]["title"]["text"]


def test_a_file_that_is_held_no_longer_says_so(answers: Answers) -> None:
    with pytest.raises(pt.InvalidInputError, match="drop it again"):
        answers.curves(DEFAULT, "no such token")


def test_frontier_does_not_depend_on_fraction_and_pool(answers: Answers) -> None:
    frontier = answers.frontier(DEFAULT, None)
    assert answers.frontier(dataclasses.replace(DEFAULT, f=0.9, alpha_tot=3.0), None) is frontier
    assert answers.frontier(dataclasses.replace(DEFAULT, theta_deg=11.0), None) is not frontier
    best = answers.best(DEFAULT, None)
    direct = pt.pareto_frontier(DEFAULT.alpha_prune, DEFAULT.theta, alpha_tot_max=DEFAULT.ceiling)
    assert float(best.test_error) == float(direct.test_error)
    picture = draw_frontier(DEFAULT, frontier, best)
    assert picture["data"][1]["y"] == frontier.test_error.values.tolist()


def test_a_band_has_a_frontier_as_far_as_it_reaches(answers: Answers) -> None:
    frontier = answers.frontier(BAND, None)
    assert (frontier.status == pt.Status.CONVERGED).all()
    assert float(frontier.alpha_prune[-1]) == 0.95 * BAND.ceiling


def test_phases_depend_on_the_angle_alone(answers: Answers) -> None:
    phases = answers.phases(DEFAULT, None)
    assert answers.phases(Setting(f=0.5, alpha_tot=3.0, selection="easy", student="gibbs"), None) is phases
    diagram = phases["diagram"]
    direct = pt.phase_diagram(diagram.alpha_tot.values[::10], diagram.f.values[::8], DEFAULT.theta)
    assert (diagram.winner[::10, ::8].values == direct.winner.values).all()
    picture = draw_phases(DEFAULT, phases)
    boundary = next(trace for trace in picture["data"] if trace.get("name") == "hard = easy")
    direct = pt.hard_easy_boundary(boundary["y"][:3], DEFAULT.theta)
    # Roots by the same search; on fewer points together they may differ in the last digits.
    np.testing.assert_allclose(boundary["x"][:3], direct.alpha_tot, rtol=1e-9)
    json.dumps(picture)


@pytest.mark.parametrize("selection", ["hard", "easy", "random", "band"])
def test_what_is_kept_adds_up_to_f(measured: Measured, selection: str) -> None:
    setting = Setting(selection=selection, lower=0.25, f=0.4)
    for margins in (None, measured.margins):
        kept = compute_kept(setting, margins)
        width = kept.high - kept.low
        # All cells but the tails beyond |z| = 4, of mass 6e-5.
        assert float((kept.density * width).sum()) == pytest.approx(1.0, abs=1e-4)
        assert float((kept.kept * width).sum()) == pytest.approx(0.4, abs=1e-4)
        assert (kept.kept <= kept.density * (1.0 + 1e-12)).all()  # rounding of shares of ties


def test_optimal_windows_stand_over_what_is_kept(answers: Answers) -> None:
    policy = answers.policy(DEFAULT)
    picture = draw_kept(DEFAULT, answers.kept(DEFAULT, None), policy)
    assert [trace["name"] for trace in picture["data"]] == ["all data", "kept: hard", "optimal policy keeps"]
    edge = max(x for x in picture["data"][2]["x"] if x is not None)
    assert edge == pytest.approx(policy.windows.max(), abs=1e-12)
    assert f"{policy.windows[0, 1]:.2f}" in policy_meaning(policy)


def test_the_sentence_has_the_numbers(answers: Answers) -> None:
    point = answers.point(DEFAULT, None)
    sentence = meaning(DEFAULT, point)
    for error in (point.solution, point.random, point.everything):
        assert f"{100 * float(error.test_error):.3g} %" in sentence
    best = answers.best(DEFAULT, None)
    assert f"hardest {100 * float(best.f):.3g} %" in best_meaning(DEFAULT, best)
    above = dataclasses.replace(DEFAULT, alpha_tot=1000.0, f=0.5)
    assert "raise the ceiling" in best_meaning(above, answers.best(above, None))


def test_a_point_that_failed_is_missing_and_says_why(answers: Answers) -> None:
    point = failed(answers.point(DEFAULT, None))
    assert "no number here" in meaning(DEFAULT, point)
    assert "not converged: the residual" in meaning(DEFAULT, point)
    assert dict(point.rows)["test_error"] == "missing"
    assert draw_curves(DEFAULT, answers.curves(DEFAULT, None), point)["data"][2]["y"] == [None]
    curves = answers.curves(DEFAULT, None)
    broken = {
        name: curve.assign(test_error=curve.test_error.where(curve.alpha_prune > 1.0)) for name, curve in curves.items()
    }
    assert None in draw_curves(DEFAULT, broken, point)["data"][1]["y"]
    lost = broken["kept"].status.where(broken["kept"].alpha_prune > 1.0, pt.Status.INACCURATE)
    number = int((broken["kept"].alpha_prune <= 1.0).sum())
    assert missing_note(curves["kept"].status) == ""
    assert missing_note(lost).startswith(f"{number} points are missing: a finer quadrature")


def test_a_band_that_cannot_keep_so_much_is_refused() -> None:
    with pytest.raises(pt.InvalidInputError, match=r"f must be at most 0\.2"):
        solved_point(Setting(selection="band", lower=0.8, f=0.5))


@pytest.mark.parametrize("graph", ["curves", "frontier", "phases", "kept"])
def test_every_graph_has_a_table(answers: Answers, graph: str) -> None:
    text = csv_text(graph_table(graph, answers, DEFAULT, None, None))
    header, *rows = text.splitlines()
    assert len(rows) > 20
    assert "theta_deg" in header
    assert {row.count(",") for row in rows} == {header.count(",")}


def test_no_table_of_what_there_is_not(answers: Answers) -> None:
    with pytest.raises(pt.InvalidInputError, match="no graph 'other'"):
        graph_table("other", answers, DEFAULT, None, None)
    for graph in ("scores", "calibrated"):
        with pytest.raises(pt.InvalidInputError, match="drop it again"):
            graph_table(graph, answers, DEFAULT, None, None)


def test_the_memory_is_bounded_in_number_and_bytes() -> None:
    memory = Memory(10, most_bytes=100)
    tokens = [memory.keep(number, 40) for number in range(5)]
    assert len(memory) == 2
    assert [memory.find(token, int) for token in tokens[-2:]] == [3, 4]
    with pytest.raises(pt.InvalidInputError, match="drop it again"):
        memory.find(tokens[0], int)
    with pytest.raises(pt.InvalidInputError, match="drop it again"):
        memory.find(tokens[-1], str)  # what it was given for is something else
