"""What sympy derived, averaged by quadratures of its own, against the compiled kernels at random students.

Students are random, not solutions: every equation is off its balance, and each of its terms counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
import pytest
import sympy as sp
from scipy.special import ndtri

import perceptron_theory as pt
from perceptron_theory.derivation import bayes_optimal, max_margin, overlaps, version_space
from perceptron_theory.derivation.averages import Average
from perceptron_theory.derivation.evidence_nodes import evidence_nodes
from perceptron_theory.derivation.gap import GapMoment
from perceptron_theory.derivation.gaussian_functions import G, Phi
from perceptron_theory.derivation.kept_nodes import Margins, Sharpness, kept_nodes, measured_margins, window_margins
from perceptron_theory.derivation.numerics import Nodes, Values, evaluate, number
from perceptron_theory.derivation.symbols import A, B, D, R, Z, alpha, d, delta, k, r, t, theta
from perceptron_theory.gaussian import FINE, VERIFY
from perceptron_theory.margins.frame import frame_at
from perceptron_theory.margins.kept import KeptMeasure, gaussian_window
from perceptron_theory.students.bayes_optimal import equations as B_kernels
from perceptron_theory.students.max_margin import equations as M_kernels
from perceptron_theory.students.max_margin.guess import gap_origin
from perceptron_theory.students.version_space import equations as V_kernels
from perceptron_theory.students.version_space.solver import angle

FloatArray = npt.NDArray[np.float64]

#: 100 points per student, a quarter of them in every run.
BLOCKS = [range(25), pytest.param(range(25, 100), marks=pytest.mark.slow)]
#: Relative to the scale of the terms. The fine level of the kernels' quadrature is made for errors of 1e-13 per panel;
#: seen: 2e-14 (max-margin) and 3e-14 (version space).
TOLERANCE = 1e-12

# Not cached on disk: numba would not notice that a kernel below them has changed.
_compile = numba.njit(nogil=True, error_model="numpy")


@_compile
def max_margin_kernel(measure: Any, values: Any, theta: float, alpha: float) -> Any:
    x = frame_at(values[0], values[1], values[2], gap_origin(measure), theta)
    s = M_kernels.moments(measure, x, alpha, FINE)
    return s, M_kernels.residual(s, x, alpha), M_kernels.overlaps(x)


@_compile
def version_space_kernel(measure: Any, values: Any, theta: float, alpha: float) -> Any:
    v = V_kernels.Volume(values[0], values[1], values[2], values[3])
    s = V_kernels.averages(measure, v, alpha, theta, gap_origin(measure), FINE)
    errors = angle(v, 1.0), angle(v, 0.0)
    return s, V_kernels.residuals(s, v, alpha, theta), V_kernels.entropy(s, v, alpha), errors


@_compile
def bayes_optimal_kernel(measure: Any, values: Any, theta: float, alpha: float) -> Any:
    x = B_kernels.Overlap(values[0], values[1], values[2])
    u = B_kernels.update(measure, x, alpha, theta, FINE)
    finer = B_kernels.update(measure, x, alpha, theta, VERIFY)
    return u, finer, B_kernels.entropy(x, finer.log, alpha), B_kernels.student(x, theta)


class Kept(NamedTuple):
    """One kept measure, in the package's form and as the limits of |z| or as atoms."""

    measure: KeptMeasure
    theta: float
    f: float
    window: tuple[float, float]
    atoms: Margins | None = None
    signed: bool = False

    def nodes(self, sharpness: Sharpness, noise: float = 0.0) -> Nodes:
        margins = self.atoms
        if margins is None:
            margins = window_margins(*self.window, self.f, self.theta, sharpness)
        return kept_nodes(margins, self.theta, sharpness, noise, self.signed)


def random_window(rng: np.random.Generator, i: int, smallest_theta: float) -> Kept:
    """Hard, easy and bands in turn; every fourth metric is perfect."""
    angle = 0.0 if i % 4 == 0 else float(rng.uniform(smallest_theta, 0.5 * np.pi))
    f = float(np.exp(rng.uniform(np.log(0.03), 0.0)))
    lower = {0: 0.0, 1: 1.0 - f, 2: rng.uniform(0.0, 1.0 - f)}[i % 3]
    # Quantile q of |z| is at Phi^-1((1 + q) / 2).
    low = -float(ndtri(0.5 * (1.0 - lower)))
    high = -float(ndtri(0.5 * (1.0 - lower - f))) if i % 3 != 1 and lower + f < 1.0 else np.inf
    return Kept(gaussian_window(low, high, f), angle, f, (low, high))


def random_atoms(rng: np.random.Generator, i: int) -> Kept:
    """A dozen measured margins with weights, of known labels or not; theta > 0.1 keeps most atoms on the right side."""
    angle, signed = float(rng.uniform(0.1, 0.5 * np.pi)), i % 2 == 0
    values, weights = rng.exponential(1.0, 12), rng.uniform(0.2, 1.0, 12)
    if signed:
        values[:3] *= -0.3
    measured = pt.MeasuredMargins(values, weights, signed=signed)
    atoms = measured_margins(values, weights)
    if not signed:
        # Half of the weight on either sign; the label is that of the teacher.
        atoms = np.concatenate([atoms[0], -atoms[0]]), np.concatenate([atoms[1], atoms[1]])
    return Kept(measured.unpruned(angle), angle, 1.0, (0.0, np.inf), atoms, signed)


def close(name: str, kernel: float, derived: float, scale: float) -> None:
    assert abs(kernel - derived) <= TOLERANCE * scale, (name, kernel, derived, abs(kernel - derived) / scale)


GAP = max_margin.GAP
#: What the kernel averages: half of E[x^2] and its first and second derivatives, and what u adds to them.
MOMENTS = {
    "x2": GapMoment(2, GAP),
    "x": GapMoment(1, GAP),
    "Ax": A * GapMoment(1, GAP),
    "Bx": B * GapMoment(1, GAP),
    "one": Phi(GAP),
    "A": A * Phi(GAP),
    "B": B * Phi(GAP),
    "AA": A**2 * Phi(GAP),
    "AB": A * B * Phi(GAP),
    "BB": B**2 * Phi(GAP),
    "uA": GAP * A * Phi(GAP),
    "uB": GAP * B * Phi(GAP),
    "uu": GAP**2 * Phi(GAP),
}


@cache
def max_margin_expressions() -> dict[str, sp.Expr]:
    M = {name: max_margin.over_noise(e) for name, e in max_margin.equations().items()}
    sides = {f"{name} {side}": getattr(e, side) for name, e in M.items() for side in ("lhs", "rhs")}
    gap = max_margin.mean_gap()
    means = {name: Average(e) for name, e in MOMENTS.items()}
    sizes = {f"|{name}|": Average(sp.Abs(e)) for name, e in MOMENTS.items()}
    return {**means, **sizes, **sides, "gap lhs": gap.lhs, "gap rhs": gap.rhs}


def max_margin_point(rng: np.random.Generator, kept: Kept) -> tuple[FloatArray, float, dict[str, float]]:
    """A random student with the field of a random example as its margin, alpha within a factor 100 of (M1)."""
    while True:
        along = float(np.exp(rng.uniform(np.log(0.1), np.log(10.0))))
        beside = along * float(rng.uniform(-1.0, 1.0)) if kept.theta > 0.0 else 0.0
        nodes = kept.nodes(Sharpness.of(along, beside, kept.theta))
        example = rng.choice(nodes.weights.size, p=nodes.weights / nodes.weights.sum())
        field = along * nodes.examples[A][example] + beside * nodes.examples[B][example]
        margin = abs(float(field + rng.normal())) + 0.01
        size = float(np.exp(rng.uniform(np.log(0.1), np.log(1e3))))
        values: Values = {k: margin, r: along, delta: beside, alpha: size}
        found = evaluate(max_margin_expressions(), values, nodes)
        if 0.01 < size * found["x2"] < 100.0:
            return np.array([margin, along, beside]), size, found


def check_max_margin(rng: np.random.Generator, kept: Kept) -> None:
    student, size, found = max_margin_point(rng, kept)
    s, residual, measured = max_margin_kernel(kept.measure, student, kept.theta, size)
    for name in MOMENTS:
        close(name, getattr(s, name), found[name], found[f"|{name}|"])
    first = abs(found["M1 lhs"] - found["M1 rhs"])
    second = abs(found["M2 lhs"] / found["M2 rhs"] - 1.0)
    third = abs(found["M3 lhs"] - found["M3 rhs"]) / np.sqrt(found["BB"] / found["one"]) if kept.theta else 0.0
    fourth = abs(found["gap lhs"] - found["gap rhs"]) * found["x"] / found["x2"]
    close("residual", residual, max(first, second, third, fourth), 1.0 + residual)
    values: Values = {k: student[0], r: student[1], delta: student[2], theta: kept.theta}
    cosine = overlaps.max_margin()
    for i, e in enumerate((overlaps.test_error(cosine), cosine, overlaps.with_probe(), max_margin.margin())):
        unit = values | {R: number(cosine, values), d: number(cosine * delta / r, values)}
        close(f"overlap {i}", measured[i], number(e, unit), 1.0)


@cache
def version_space_expressions() -> dict[str, sp.Expr]:
    x = version_space.FIELD
    terms = {"GG": G(x) ** 2, "G": G(x), "AG": A * G(x), "BG": B * G(x), "log": sp.log(Phi(x))}
    sides = {
        f"{name} {side}": getattr(e, side) for name, e in version_space.equations().items() for side in ("lhs", "rhs")
    }
    means = {name: Average(e) for name, e in terms.items()}
    sizes = {f"|{name}|": Average(sp.Abs(e)) for name, e in terms.items()}
    return {**means, **sizes, **sides, "S": version_space.entropy(), "gain": version_space.gain()}


def version_space_point(rng: np.random.Generator, kept: Kept) -> tuple[FloatArray, float, dict[str, float]]:
    """A random version space, half of them with a margin; alpha within a factor 100 of (V1)."""
    while True:
        along, noise = np.exp(rng.uniform(np.log(0.1), np.log(5.0), 2))
        beside = along * float(rng.uniform(-1.0, 1.0)) if kept.theta > 0.0 else 0.0
        kappa = float(rng.choice([0.0, rng.uniform(0.0, 0.5)]))
        size = float(np.exp(rng.uniform(np.log(0.1), np.log(1e3))))
        values: dict[sp.Symbol, float] = {r: along, delta: beside, t: noise, alpha: size}
        values[D] = number(version_space.inverse_gap(), values)
        values[k] = kappa * np.sqrt(values[D])
        # The noise t h smooths what is averaged over it.
        smooth = max(noise, 1.0)
        nodes = kept.nodes(Sharpness.of(along / smooth, beside / smooth, kept.theta), noise)
        found = evaluate(version_space_expressions(), values, nodes)
        if 0.01 < found["V1 lhs"] / found["V1 rhs"] < 100.0:
            return np.array([along, beside, noise, kappa]), size, found


def check_version_space(rng: np.random.Generator, kept: Kept) -> None:
    volume, size, found = version_space_point(rng, kept)
    s, residuals, entropy, angles = version_space_kernel(kept.measure, volume, kept.theta, size)
    for name in ("GG", "G", "AG", "BG", "log"):
        close(name, getattr(s, name), found[name], found[f"|{name}|"])
    for i, name in enumerate(("V1", "V2")):
        ratio = found[f"{name} lhs"] / found[f"{name} rhs"]
        close(f"residual of {name}", residuals[i], ratio - 1.0, 1.0 + abs(ratio))
    if kept.theta > 0.0:
        difference = found["V3 lhs"] - found["V3 rhs"]
        scale = size * found["|BG|"] + abs(found["V3 rhs"])
        close("residual of V3", residuals[2] * size * s.absBG, difference, scale)
    values: Values = {r: volume[0], delta: volume[1], t: volume[2]}
    prior = number(sp.log(D) + t**2, values | {D: number(version_space.inverse_gap(), values)})
    close("entropy", entropy, found["S"], prior + size * found["|log|"])
    close("gain", -s.log, found["gain"], found["|log|"])
    for i, cosine in enumerate((overlaps.gibbs(), overlaps.bayes_point())):
        close(f"error {i}", angles[i] / np.pi, number(overlaps.test_error(cosine), values), 1.0)


@cache
def bayes_optimal_expressions() -> dict[str, sp.Expr]:
    right = {name: e.rhs for name, e in bayes_optimal.equations().items()}
    return {
        **right,
        "one": Average(Z),
        "log": bayes_optimal.energetic_part(),
        "|log|": Average(sp.Abs(Z * sp.log(Z))),
        "S": bayes_optimal.free_energy(),
    }


def check_bayes_optimal(rng: np.random.Generator, kept: Kept) -> None:
    """Knowledge Qhat of the probe and of the teacher, from 0.05 to 10 each: edges and boundary teach these."""
    of_probe, of_teacher = np.exp(rng.uniform(np.log(0.05), np.log(10.0), 2))
    teacher = np.array([np.cos(kept.theta), np.sin(kept.theta)])
    knowledge = np.diag([of_probe, 0.0]) + of_teacher * np.outer(teacher, teacher)
    C = np.linalg.inv(np.eye(2) + knowledge)
    size = float(np.exp(rng.uniform(np.log(0.1), np.log(1e3))))
    upper = [0, 0, 1], [0, 1, 1]
    overlap = dict(zip(bayes_optimal.OVERLAPS, (np.eye(2) - C)[upper], strict=True))
    values: Values = {alpha: size, theta: kept.theta, **overlap}
    found = evaluate(bayes_optimal_expressions(), values, evidence_nodes(C, kept.window, kept.f, kept.theta))
    fine, finer, entropy, student = bayes_optimal_kernel(kept.measure, knowledge[upper], kept.theta, size)
    # (B1) is a matrix: its entries are relative to the largest.
    largest = found["mm"] + found["gg"]
    for level in (fine, finer):
        for name in ("mm", "mg", "gg"):
            close(name, getattr(level, name), found[name], largest)
        close("one", level.one, found["one"], 1.0)
        close("log", level.log, found["log"], found["|log|"])
    # The left side of (B1) is Qhat; 1 - Q loses digits to the knowledge.
    for known, e in zip(knowledge[upper], bayes_optimal.equations().values(), strict=True):
        close("left side", known, number(e.lhs, values), (1.0 + of_probe + of_teacher) ** 2)
    close("entropy", entropy, found["S"], 2.0 + abs(np.linalg.slogdet(C)[1]) + size * found["|log|"])
    cosine = bayes_optimal.teacher_cosine()
    for i, e in enumerate((overlaps.test_error(cosine), cosine, bayes_optimal.probe_cosine())):
        close(f"student {i}", student[i], number(e, values), 1.0)


def windows(block: range, seed: int, smallest_theta: float) -> Iterator[tuple[np.random.Generator, Kept]]:
    for i in block:
        rng = np.random.default_rng([seed, i])
        yield rng, random_window(rng, i, smallest_theta)


@pytest.mark.parametrize("block", BLOCKS, ids=len)
def test_max_margin_on_windows(block: range) -> None:
    for rng, kept in windows(block, 1, 0.01):
        check_max_margin(rng, kept)


@pytest.mark.parametrize("block", BLOCKS, ids=len)
def test_version_space_on_windows(block: range) -> None:
    for rng, kept in windows(block, 2, 0.01):
        check_version_space(rng, kept)


@pytest.mark.parametrize("block", BLOCKS, ids=len)
def test_bayes_optimal_on_windows(block: range) -> None:
    # A probe nearer to the teacher asks for more nodes than a test has time for.
    for rng, kept in windows(block, 3, 0.1):
        check_bayes_optimal(rng, kept)


@pytest.mark.parametrize("check", [check_max_margin, check_version_space])
def test_measured_margins(check: Callable[[np.random.Generator, Kept], None]) -> None:
    for i in range(20):
        rng = np.random.default_rng([4, i])
        check(rng, random_atoms(rng, i))
