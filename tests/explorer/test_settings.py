"""What the controls of the page say: checked, as the library wants it, round where sliders stop."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

import perceptron_theory as pt

pytest.importorskip("dash")

from perceptron_theory.explorer.scales import SCALES
from perceptron_theory.explorer.setting import NUMBERS, SELECTIONS, STUDENTS, Setting

DEFAULT = dataclasses.asdict(Setting())


def test_the_default_is_where_the_sliders_start() -> None:
    assert set(SCALES) == set(NUMBERS)
    for name, scale in SCALES.items():
        assert scale.stops[scale.start] == DEFAULT[name]


@pytest.mark.parametrize("name", sorted(SCALES))
def test_sliders_stand_on_valid_ascending_numbers(name: str) -> None:
    stops = SCALES[name].stops
    assert (np.diff(stops) > 0.0).all()
    said = [SCALES[name].said(stop) for stop in stops]
    assert len(set(said)) == len(said)  # every stop is read out differently
    for stop in stops:
        Setting.of(DEFAULT | {name: stop})


@pytest.mark.parametrize("student", STUDENTS)
@pytest.mark.parametrize("selection", SELECTIONS)
def test_every_choice_is_one_of_the_library(student: str, selection: str) -> None:
    setting = Setting.of(DEFAULT | {"student": student, "selection": selection, "flip": 0.1})
    point = pt.solve(1.0, 0.3, 0.2, selection=setting.rule, student=setting.trained, labels=setting.labels, throw=False)
    assert point.selection == selection
    assert setting.labels.flip == (0.1 if setting.loses else 0.0)


def test_what_a_choice_does_not_use_makes_no_difference() -> None:
    assert Setting.of(DEFAULT | {"lower": 0.3, "lam": 5.0, "flip": 0.2}) == Setting()
    assert Setting.of(DEFAULT | {"lower": 0.3, "selection": "band"}) != Setting.of(DEFAULT | {"selection": "band"})


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"theta_deg": 91.0}, "theta must lie in [0, 90] degrees, got 91"),
        ({"f": 0.0}, "f must lie in (0, 1], got 0"),
        ({"f": "a lot"}, "f must be a real number"),
        ({"f": [0.1, 0.2]}, "f must be one number"),
        ({"alpha_tot": -1.0}, "alpha_tot must be positive"),
        ({"alpha_tot": math.inf}, "alpha_tot must be positive and finite"),
        ({"ceiling": math.nan}, "alpha_tot_max must be positive"),
        ({"selection": "best"}, "unknown selection 'best'"),
        ({"student": ["gibbs"]}, "unknown student"),
        ({"student": "bayes-optimal"}, "unknown student 'bayes-optimal'"),
        ({"lower": 1.0}, "Band.lower must lie in [0, 1)"),
        ({"lam": -1.0}, "lam must be >= 0"),
        ({"flip": 0.5}, "flip must lie in [0, 1/2)"),
        ({"more": 1.0}, "a setting needs"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(pt.InvalidInputError) as refused:
        Setting.of(DEFAULT | wrong)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("nothing", [None, [], "hard", {}, 3])
def test_no_setting_is_refused(nothing: object) -> None:
    with pytest.raises(pt.InvalidInputError, match="load the page again"):
        Setting.of(nothing)
