"""Test error of a given student: against fresh examples, against quadrature, and where it is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erfcx, ndtr

import perceptron_theory as pt
from perceptron_theory.margins.distributions import GaussianMargins, Margins
from perceptron_theory.simulation import generalisation

#: The quadrature here is good to 1e-13; the closed form is divided by probabilities of at least 0.02.
EXACT = 1e-12

MAGNITUDES = np.array([0.0, 0.0, 0.3, 0.3, 0.9, 2.5])
SIGNED = np.array([-3.0, -1.0, -0.4, -0.4, 0.0, 0.2, 0.4, 1.5])
WEIGHTS = np.array([0.5, 1.0, 2.0, 1.0, 3.0, 1.0, 4.0, 2.0])
MARGINS: dict[str, Margins] = {
    "gaussian": GaussianMargins(),
    "magnitudes": pt.MeasuredMargins(MAGNITUDES, signed=False),
    "signed": pt.MeasuredMargins(SIGNED, WEIGHTS, signed=True),
    "signed, all right": pt.MeasuredMargins(np.abs(SIGNED), WEIGHTS, signed=True),
}
THETA_DEG = (0.0, math.degrees(1e-3), 20.0, 90.0)
CELLS = [(kind, theta) for kind in MARGINS for theta in THETA_DEG if (kind, theta) != ("signed", 0.0)]

#: (component along the probe, across it in the plane of the teacher, out of the plane), to be normalised.
STUDENTS = {
    "general": (0.7, 0.3, 0.5),
    "past the teacher": (0.3, 0.9, 0.2),
    "away from the teacher": (0.9, -0.2, 0.3),
    "nearly in the plane": (0.8, 0.6, 1e-4),
    "in the plane": (0.8, 0.5, 0.0),
    "in the plane, away": (0.8, -0.5, 0.0),
    "no part across": (0.8, 0.0, 0.6),
    "hardly a part across": (0.8, 1e-15, 0.6),
    "a rounding error across": (-0.8, 1e-17, 0.6),
    "probe": (1.0, 0.0, 0.0),
    "against the probe": (-1.0, 0.0, 0.0),
    "no part along": (0.0, 0.4, 0.7),
    "only across": (0.0, 1.0, 0.0),
    "only across, away": (0.0, -1.0, 0.0),
    "out of the plane": (0.0, 0.0, 1.0),
    "wrong along": (-0.4, 0.6, 0.7),
    "all wrong": (-0.4, -0.6, 0.5),
}


def student(name: str, N: int = 5) -> np.ndarray:
    along, across, out = STUDENTS[name]
    w = np.array([along, across, *np.full(N - 2, out / math.sqrt(N - 2))])
    return np.asarray(w / np.linalg.norm(w))


def on_either_side(f: Callable[[float], float], low: float, high: float, at: float, width: float) -> float:
    """Integral of a function that turns within a few `width` of `at`."""
    cuts = [at + k * width for k in (-30, -10, -3, -1, 0, 1, 3, 10, 30)]
    edges = [low, *(x for x in cuts if low < x < high), high]
    return sum(quad(f, a, b, epsabs=1e-14, epsrel=1e-12)[0] for a, b in pairwise(edges) if b > a)


def wrong_share(m: float, theta: float, w: np.ndarray) -> float:
    """P(rho m + c g + s h < 0) for an example of margin m, over the g > -m cot(theta) that its label allows."""
    rho, c, s = float(w[0]), float(w[1]), float(np.linalg.norm(w[2:]))
    bound = -m / math.tan(theta) if theta > 0.0 else -math.inf
    turn = -rho * m / c if c != 0.0 else 0.0

    def wrong(g: float) -> float:
        field = rho * m + c * g
        return float(ndtr(-field / s)) if s > 0.0 else float(field < 0.0)

    width = s / abs(c) if c != 0.0 else 1.0
    if bound > 0.0:
        # g = bound + t, with densities relative to that at the bound.
        total = math.sqrt(math.pi / 2) * float(erfcx(bound / math.sqrt(2)))
        return (
            on_either_side(
                lambda t: math.exp(-t * (bound + 0.5 * t)) * wrong(bound + t),
                0.0,
                40.0 / max(bound, 4.0),
                turn - bound,
                width,
            )
            / total
        )
    return on_either_side(lambda g: density(g) * wrong(g), max(bound, -9.0), 9.0, turn, width) / float(ndtr(-bound))


def by_quadrature(kind: str, theta: float, w: np.ndarray) -> float:
    if kind == "signed":
        return float(WEIGHTS @ [wrong_share(m or 1e-300, theta, w) for m in SIGNED]) / float(WEIGHTS.sum())
    if kind == "signed, all right":
        return float(WEIGHTS @ [wrong_share(abs(m) or 1e-300, theta, w) for m in SIGNED]) / float(WEIGHTS.sum())
    if kind == "magnitudes":
        # The field has either sign; the teacher labels it right with the probability of its g.
        total = 0.0
        for z in np.maximum(MAGNITUDES, 1e-300):
            right = float(ndtr(z / math.tan(theta))) if theta > 0.0 else 1.0
            total += right * wrong_share(z, theta, w)
            if right < 1.0:
                total += float(ndtr(-z / math.tan(theta))) * wrong_share(-z, theta, w)
        return total / MAGNITUDES.size
    if theta == 0.0:
        return on_either_side(lambda m: 2.0 * density(m) * wrong_share(m, 0.0, w), 0.0, 9.0, 0.0, 1.0)
    cot = 1.0 / math.tan(theta)
    return on_either_side(
        lambda m: 2.0 * density(m) * float(ndtr(m * cot)) * wrong_share(m, theta, w), -9.0, 9.0, 0.0, math.tan(theta)
    )


def density(m: float) -> float:
    return math.exp(-0.5 * m * m) / math.sqrt(2 * math.pi)


@pytest.mark.parametrize("name", STUDENTS)
@pytest.mark.parametrize(("kind", "theta_deg"), [cell for cell in CELLS if cell[0] != "gaussian"])
def test_measured_margins_against_quadrature(kind: str, theta_deg: float, name: str) -> None:
    theta, w = math.radians(theta_deg), student(name)
    found = generalisation.test_error(w, theta, MARGINS[kind])
    assert abs(found - by_quadrature(kind, theta, w)) < EXACT


@pytest.mark.parametrize("name", ["general", "away from the teacher", "wrong along"])
@pytest.mark.parametrize("theta_deg", [0.0, 20.0, 90.0])
def test_gaussian_margins_against_quadrature(theta_deg: float, name: str) -> None:
    theta, w = math.radians(theta_deg), student(name)
    found = generalisation.test_error(w, theta, GaussianMargins())
    assert abs(found - by_quadrature("gaussian", theta, w)) < 1e-10  # one quadrature in the other


@pytest.mark.parametrize("out", [0.0, 1e-12, 1e-7, 1e-3, 0.1])
@pytest.mark.parametrize("turned", [-0.3, -1e-3, 0.0, 0.05, 2.0])
def test_atoms_that_the_model_nearly_forbids(turned: float, out: float) -> None:
    """Margins far on the wrong side, up to g of 6000; among them both sides of where the method changes."""
    for theta in (1e-3, 0.1, 0.35):
        for m in (-6.0, -2.0, -0.5, -2.001 * math.tan(theta), -1.999 * math.tan(theta)):
            w = np.array([math.cos(theta + turned), math.sin(theta + turned), out])
            w /= np.linalg.norm(w)
            found = generalisation.test_error(w, theta, pt.MeasuredMargins([m], signed=True))
            # Rounding of the field itself, about 1e-16 |m|, is divided by the width of the student's boundary.
            rounding = 1e-15 * abs(m) / max(float(w[2]), 1e-3)
            if turned == 0.0 and out < 1e-3:
                # The field is nothing but that rounding, unless what is out of the plane exceeds it.
                assert -EXACT <= found <= 0.5 + EXACT
                continue
            assert abs(found - wrong_share(m, theta, w)) < EXACT + rounding, (theta, m)


def fresh(kind: str, theta: float, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Unpruned examples of the model, flipped by their labels: (m, g)."""
    g = rng.standard_normal(n)
    if kind.startswith("signed"):
        m = rng.choice(SIGNED if kind == "signed" else np.abs(SIGNED), n, p=WEIGHTS / WEIGHTS.sum())
        while theta > 0.0 and (wrong := g < -m / math.tan(theta)).any():
            g[wrong] = rng.standard_normal(int(wrong.sum()))
        return m, g
    z = rng.standard_normal(n)
    if kind == "magnitudes":
        z = np.maximum(rng.choice(MAGNITUDES, n), 1e-300) * np.sign(z)
    y = np.where(math.cos(theta) * z + math.sin(theta) * g > 0.0, 1.0, -1.0)
    return y * z, y * g


@pytest.mark.parametrize(("kind", "theta_deg"), CELLS)
def test_fresh_examples(kind: str, theta_deg: float) -> None:
    """All students on the same 100 000 examples, within 5 standard errors (240 comparisons)."""
    theta, n = math.radians(theta_deg), 100_000
    if kind == "signed":
        # The plain route would wait for ever for what the model nearly forbids, which is tested above.
        theta = max(theta, math.radians(60.0))
    rng = np.random.default_rng([list(MARGINS).index(kind), int(theta_deg)])
    m, g = fresh(kind, theta, n, rng)
    h = rng.standard_normal(n)
    for name in STUDENTS:
        w = student(name)
        field = w[0] * m + w[1] * g + np.linalg.norm(w[2:]) * h
        # A margin of 0 is a tiny positive one.
        counted = float(np.mean(np.where(field == 0.0, w[0] < 0.0, field < 0.0)))
        expected = generalisation.test_error(w, theta, MARGINS[kind])
        error = math.sqrt(max(expected * (1.0 - expected), 0.0) / n)
        assert abs(counted - expected) <= 5.0 * error + EXACT, name


@pytest.mark.parametrize(("kind", "theta_deg"), CELLS)
def test_known_students(kind: str, theta_deg: float) -> None:
    theta, margins = math.radians(theta_deg), MARGINS[kind]
    teacher = np.array([math.cos(theta), math.sin(theta), 0.0])
    probe = student("probe")
    rounding = 0.0
    if kind == "signed":
        # At m = -3 teacher fields are of the order sin(theta)^2 / 3, and their rounding is 1e-15.
        rounding = 3e-15 / math.tan(theta) ** 2
        assert abs(generalisation.test_error(probe, theta, margins) - WEIGHTS[:4].sum() / WEIGHTS.sum()) < EXACT
    assert generalisation.test_error(teacher, theta, margins) < EXACT + rounding
    if kind == "gaussian":
        # arccos(R) / pi of the teacher itself, and of students beyond where cosines keep their digits
        near = np.array([math.cos(theta + 1e-9), math.sin(theta + 1e-9), 0.0])
        assert abs(generalisation.test_error(near, theta, margins) / (1e-9 / math.pi) - 1.0) < 1e-6  # 1e-16 / 1e-9
        assert abs(generalisation.test_error(probe, theta, margins) - theta / math.pi) < EXACT
    if kind == "magnitudes" and theta > 0.0:
        expected = float(ndtr(-MAGNITUDES / math.tan(theta)).mean())
        assert abs(generalisation.test_error(probe, theta, margins) - expected) < EXACT


@pytest.mark.parametrize(("kind", "theta_deg"), CELLS)
@pytest.mark.parametrize("name", STUDENTS)
def test_the_opposite_student_errs_elsewhere(name: str, kind: str, theta_deg: float) -> None:
    theta, w = math.radians(theta_deg), student(name)
    both = [generalisation.test_error(v, theta, MARGINS[kind]) for v in (w, -w)]
    assert min(both) >= 0.0
    assert abs(sum(both) - 1.0) < EXACT


def test_overlaps() -> None:
    theta = 0.4
    w = student("general", N=9)
    teacher = np.zeros(9)
    teacher[:2] = math.cos(theta), math.sin(theta)
    R, rho = generalisation.overlaps(w, theta)
    assert abs(R - w @ teacher) < 1e-15  # sums of two products
    assert rho == w[0]


def test_two_inputs_have_nothing_out_of_the_plane() -> None:
    w = np.array([0.6, 0.8])
    for kind, theta_deg in CELLS:
        theta = math.radians(theta_deg)
        one, other = (generalisation.test_error(v, theta, MARGINS[kind]) for v in (w, np.array([0.6, 0.8, 0.0])))
        assert one == other
