"""Convex losses against a derivation, quadrature and root search of its own (`convex_reference`, numpy and scipy)."""

from __future__ import annotations

import math

import convex_reference
import pytest

import perceptron_theory as pt
from perceptron_theory.presets import curated_labels_unlimited

POINTS = convex_reference.POINTS


def compare(point: convex_reference.Point, reference: dict[str, float], tolerance: float) -> None:
    named = {"everything": "random", "hard": "hard", "easy": "easy"}
    rule: str | pt.KeepProbability
    f: float | None = None
    if point.rule in named:
        rule, f = named[point.rule], 1.0 if point.rule == "everything" else point.p1
    else:
        given = convex_reference.rule_of(point)
        rule = pt.KeepProbability(given.keep, breakpoints=given.breaks)
    link = "sign" if point.link == "step" else point.link
    s = pt.solve(
        point.alpha_prune,
        f,
        math.radians(point.theta_deg),
        selection=rule,
        student=pt.ConvexLoss(point.loss.replace(" ", "-"), point.lam, reweight=point.inverse_weights),  # type: ignore[arg-type]
        labels=pt.Labels(point.flip, link, None if link == "sign" else point.slope),
    )
    found = {
        "f": s.f,
        "test_error": s.test_error,
        "R": s.R,
        "rho": s.rho,
        "norm": s.norm,
        "V": s.susceptibility,
        "train_error": s.train_error,
        "train_loss": s.train_loss,
    }
    for name, value in found.items():
        # The training error is read off at the end, without a certificate of its own.
        near = pytest.approx(reference[name], rel=1e-8 if name == "train_error" else tolerance, abs=1e-12)
        assert float(value) == near, name


@pytest.mark.parametrize("row", range(len(POINTS)))
def test_table(row: int) -> None:
    """Numbers of the table are good to 1e-10 (the reference with twice the panels agrees to that)."""
    compare(POINTS[row], convex_reference.read_table()[row], 2e-10)


@pytest.mark.slow
def test_table_made_again() -> None:
    for row in range(0, len(POINTS), 5):
        again, kept = convex_reference.solve_point(POINTS[row]), convex_reference.read_table()[row]
        for name, value in kept.items():
            assert again[name] == pytest.approx(value, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("cosines", "rule"), [((1.0, 0.8, 0.8), "hard"), ((0.9, 1.0, 0.9), "easy")])
def test_population(cosines: tuple[float, float, float], rule: str) -> None:
    with_generator, with_oracle, between = cosines
    kept = {"hard": convex_reference.hard, "easy": convex_reference.easy}[rule](0.5)
    reference = convex_reference.population_square(math.acos(between), kept, truth=(with_generator, with_oracle))
    # Two quadratures to rounding; arccos near 1 has its square root.
    assert curated_labels_unlimited(0.5, cosines, rule) == pytest.approx(reference["test_error"], rel=1e-8)
