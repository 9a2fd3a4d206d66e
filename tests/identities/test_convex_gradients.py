"""The gradient of the test error of convex losses against differences of certified solves, and where it is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import ndtri

import perceptron_theory as pt
from perceptron_theory.analyses.gradients import error_gradient
from perceptron_theory.convex_loss import LOSSES, Loss

FloatArray = npt.NDArray[np.float64]
N_VALUES = 12


class Point(NamedTuple):
    alpha: float
    f: float
    theta: float
    lam: float
    flip: float
    loss: Loss
    rule: str | pt.Band
    link: str = "sign"
    slope: float | None = None
    margins: pt.MeasuredMargins | None = None

    def labels(self) -> pt.Labels:
        return pt.Labels(self.flip, self.link, self.slope)  # type: ignore[arg-type]

    def errors(self, name: str, changes: FloatArray) -> FloatArray:
        """Test errors with one argument changed by shares of itself; labels are one for all points of a call."""
        at = {key: np.full(changes.shape, getattr(self, key)) for key in ("alpha", "f", "theta", "lam", "flip")}
        at[name] = at[name] * (1.0 + changes)
        calls = range(changes.size) if name == "flip" else [slice(None)]
        return np.concatenate([np.atleast_1d(self._solved({key: x[i] for key, x in at.items()})) for i in calls])

    def _solved(self, at: dict[str, FloatArray]) -> FloatArray:
        student = pt.ConvexLoss(self.loss, at["lam"])
        labels = self._replace(flip=float(np.ravel(at["flip"])[0])).labels()
        return pt.solve(
            *(at["alpha"], at["f"], at["theta"]),
            selection=self.rule,
            student=student,
            margins=self.margins,
            labels=labels,
            throw=True,
        ).test_error

    def gradient(self) -> pt.ErrorGradient:
        student = pt.ConvexLoss(self.loss, self.lam)
        return error_gradient(
            *(self.alpha, self.f, self.theta),
            selection=self.rule,
            student=student,
            margins=self.margins,
            labels=self.labels(),
        )


def random_point(seed: int) -> Point:
    """Losses, rules and links in turn."""
    rng = np.random.default_rng(seed)
    alpha, f, theta = 10 ** rng.uniform(-0.7, 2.0), rng.uniform(0.05, 0.85), 10 ** rng.uniform(-1.5, 0.15)
    lam, flip, slope = 10 ** rng.uniform(-4.0, 1.0), rng.uniform(0.02, 0.4), 10 ** rng.uniform(-0.3, 1.0)
    rule = ("hard", "easy", "random", pt.Band(0.1))[(seed // 4) % 4]
    link = ("sign", "sign", "sign", "probit", "logistic")[seed % 5]
    return Point(alpha, f, theta, lam, flip, LOSSES[seed % 4], rule, link, None if link == "sign" else slope)


def measured_point(seed: int) -> Point:
    """Thresholds lie in the middle of an atom, away from kinks."""
    rng = np.random.default_rng(seed)
    point, signed = random_point(seed), seed % 3 == 1
    # A small angle contradicts many wrong signs, and many examples at few margins hold the student to the probe.
    theta = rng.uniform(0.3, 1.4) if signed else point.theta
    alpha = 10 ** rng.uniform(-0.7, 0.5)
    values, weights = rng.laplace(0.3, 0.7, N_VALUES), rng.uniform(0.5, 1.5, N_VALUES)
    values = values if signed else np.abs(values)
    ends = np.append(0.0, np.cumsum(weights[np.argsort(np.abs(values))])) / weights.sum()
    middles = 0.5 * (ends[1:] + ends[:-1])
    low, high = middles[int(rng.integers(0, 3))], middles[int(rng.integers(4, N_VALUES - 1))]
    band = isinstance(point.rule, pt.Band)
    f = high - low if band else 1.0 - high if point.rule == "easy" else high
    return point._replace(
        alpha=alpha,
        f=float(f),
        theta=theta,
        flip=0.0 if signed else point.flip,
        rule=pt.Band(float(low)) if band else point.rule,
        link="sign",
        slope=None,
        margins=pt.MeasuredMargins(values, weights, signed=signed),
    )


def central(function: Callable[[FloatArray], FloatArray], h: float) -> float:
    """Derivative at 0 by differences of fourth order."""
    values = function(h * np.array([-2.0, -1.0, 1.0, 2.0]))
    return float(values @ [1.0, -8.0, 8.0, -1.0] / (12.0 * h))


def forward(function: Callable[[float], float], h: float) -> float:
    """Derivative at 0 from above, of fourth order."""
    values = np.array([function(k * h) for k in range(5)])
    return float(values @ [-25.0, 48.0, -36.0, 16.0, -3.0] / (12.0 * h))


def check(point: Point) -> None:
    gradient = point.gradient()
    # Rounding of the solves, 1e-13 of the error, over a step of 3e-4.
    noise = 1e-9 * float(gradient.solution.test_error)
    for name in ("alpha", "f", "theta", "lam", "flip"):
        slope = getattr(gradient, "alpha_prune" if name == "alpha" else name)
        if getattr(point, name) == 0.0 or slope is None:
            continue
        expected = central(lambda h, name=name: point.errors(name, h), 3e-4)  # type: ignore[misc]
        # Truncation, 3e-14 of a fifth derivative: 1e-6 leaves room for narrow features at weak penalties.
        assert abs(getattr(point, name) * float(slope) - expected) <= 1e-6 * abs(expected) + noise, (name, point)


@pytest.mark.parametrize("seed", range(48))
def test_against_differences(seed: int) -> None:
    check(random_point(seed))


@pytest.mark.parametrize("seed", range(100, 118))
def test_against_differences_on_measured_margins(seed: int) -> None:
    check(measured_point(seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1300))
def test_against_differences_in_many_settings(seed: int) -> None:
    check(random_point(seed))
    check(measured_point(seed))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("theta", [0.0, 0.4])
@pytest.mark.parametrize("measured", [False, True])
def test_the_first_turned_labels(loss: Loss, theta: float, measured: bool) -> None:
    margins = pt.MeasuredMargins([0.2, 0.5, 0.9, 1.4], [1.0, 2.0, 2.0, 1.5], signed=False) if measured else None

    def error(flip: float) -> float:
        at = {"student": pt.ConvexLoss(loss, 0.1), "margins": margins, "labels": pt.Labels(flip)}
        return float(pt.solve(2.0, 0.6, theta, **at).test_error)  # type: ignore[call-overload]

    gradient = error_gradient(2.0, 0.6, theta, student=pt.ConvexLoss(loss, 0.1), margins=margins)
    assert gradient.flip is not None
    # Rounding, 1e-13 over a step of 1e-4; truncation less.
    assert float(gradient.flip) == pytest.approx(forward(error, 1e-4), rel=1e-7)


@pytest.mark.parametrize("loss", ["hinge", "logistic", "squared-hinge"])
@pytest.mark.parametrize("rule", ["hard", "easy", "random", pt.Band(0.1)])
@pytest.mark.parametrize("measured", [False, True])
def test_without_penalty_it_is_that_of_max_margin(loss: Loss, rule: str | pt.Band, measured: bool) -> None:
    margins = pt.MeasuredMargins([0.2, 0.5, 0.9, 1.4], [1.0, 2.0, 2.0, 1.5], signed=False) if measured else None
    at = {"alpha_prune": [0.5, 5.0], "f": 0.6, "theta": 0.4, "selection": rule, "margins": margins}
    gradient = error_gradient(**at, student=pt.ConvexLoss(loss, 0.0))  # type: ignore[arg-type]
    expected = error_gradient(**at)  # type: ignore[arg-type]
    for name in ("alpha_prune", "f", "theta"):
        # Two solutions of the same equations, each certified to 1e-9.
        np.testing.assert_allclose(getattr(gradient, name), getattr(expected, name), rtol=1e-8, atol=1e-10)
    assert gradient.lam is not None
    if loss == "logistic":
        # The error falls as 1 / ln(1 / lam).
        assert np.isnan(gradient.lam).all()
    elif loss == "hinge":
        assert not gradient.lam.any()
    else:
        assert (gradient.lam != 0.0).all()
    assert (gradient.status == pt.Status.CONVERGED).all()


@pytest.mark.parametrize(
    ("loss", "alpha", "flip"),
    [("squared-hinge", 3.0, 0.0), ("squared-hinge", 1.2, 0.1), ("square", 0.6, 0.1)]
    + [(loss, 10.0, 0.1) for loss in LOSSES],
)
def test_the_first_penalty(loss: Loss, alpha: float, flip: float) -> None:
    """With data that can be fitted, where the square's and the squared hinge's errors count, and that cannot."""
    labels = pt.Labels(flip)

    def error(lam: float) -> float:
        return float(pt.solve(alpha, 0.4, 0.3, student=pt.ConvexLoss(loss, lam), labels=labels).test_error)

    gradient = error_gradient(alpha, 0.4, 0.3, student=pt.ConvexLoss(loss, 0.0), labels=labels)
    assert np.isinf(gradient.solution.susceptibility) == (alpha < 10.0)  # type: ignore[attr-defined]
    assert gradient.lam is not None
    # Rounding, 1e-13 over a step of 1e-5; the next orders are 10 lam to the fifth power.
    assert float(gradient.lam) == pytest.approx(forward(error, 1e-5), rel=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_vanishing_penalty(loss: Loss) -> None:
    at = {"alpha_prune": 10.0, "f": 0.4, "theta": 0.3, "labels": pt.Labels(0.1)}
    zero, near = (error_gradient(**at, student=pt.ConvexLoss(loss, lam)) for lam in (0.0, 1e-9))  # type: ignore[arg-type]
    for name in ("alpha_prune", "f", "theta", "lam", "flip"):
        # The next order: 1e-9 times numbers up to 100.
        assert float(getattr(near, name)) == pytest.approx(float(getattr(zero, name)), rel=1e-6)


def check_envelope(loss: Loss, rule: str) -> None:
    at = {"alpha": 1.0 if rule == "random" else 3.0, "f": 0.4, "theta": 0.3, "flip": 0.05}

    def errors(name: str, changes: FloatArray) -> FloatArray:
        student, found = pt.ConvexLoss(loss, "optimal"), []
        for change in changes:
            x = at | {name: at[name] * (1.0 + change)}
            found.append(
                pt.solve(
                    x["alpha"], x["f"], x["theta"], selection=rule, student=student, labels=pt.Labels(x["flip"])
                ).test_error
            )
        return np.array(found)

    student, labels = pt.ConvexLoss(loss, "optimal"), pt.Labels(at["flip"])
    gradient = error_gradient(at["alpha"], at["f"], at["theta"], selection=rule, student=student, labels=labels)
    # Where the best is none at all, the error rises from there.
    assert (gradient.lam == 0.0) == (cast(pt.ConvexSolution, gradient.solution).lam > 0.0)
    for name, value in at.items():
        found = value * float(getattr(gradient, "alpha_prune" if name == "alpha" else name))
        # The best penalty is found to about 1e-8 of itself: the slopes at it are good to a few 1e-8.
        assert found == pytest.approx(central(lambda h, name=name: errors(name, h), 1e-3), rel=1e-6, abs=1e-10)  # type: ignore[misc]


@pytest.mark.parametrize("loss", ["square", "squared-hinge", "logistic"])
def test_the_envelope(loss: Loss) -> None:
    check_envelope(loss, "random")


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("rule", ["hard", "easy", "random"])
def test_the_envelope_everywhere(loss: Loss, rule: str) -> None:
    check_envelope(loss, rule)


def test_the_best_penalty_may_be_none() -> None:
    at = {"alpha_prune": 3.0, "f": 0.4, "theta": 0.3, "labels": pt.Labels(0.1)}
    best = error_gradient(**at, student=pt.ConvexLoss("square", "optimal"))  # type: ignore[arg-type]
    none = error_gradient(**at, student=pt.ConvexLoss("square", 0.0))  # type: ignore[arg-type]
    assert cast(pt.ConvexSolution, best.solution).lam == 0.0
    assert best.lam is not None
    assert best.lam > 0.0
    for name in ("alpha_prune", "f", "theta", "lam", "flip"):
        # The same student, approached on two ways.
        assert float(getattr(best, name)) == pytest.approx(float(getattr(none, name)), rel=1e-9)


@pytest.mark.parametrize("loss", ["logistic", "square"])
def test_an_infinite_penalty(loss: Loss) -> None:
    """The best student is its first step; beside it, all of them are best."""
    at = {"alpha_prune": 10.0, "f": 0.45, "theta": 0.54, "selection": "easy", "labels": pt.Labels(0.2)}
    best = error_gradient(**at, student=pt.ConvexLoss(loss, "optimal"))  # type: ignore[arg-type]
    near = error_gradient(**at, student=pt.ConvexLoss(loss, 1e9))  # type: ignore[arg-type]
    assert np.isinf(cast(pt.ConvexSolution, best.solution).lam)
    assert best.lam == 0.0
    for name in ("alpha_prune", "f", "theta", "flip"):
        # The limit is reached as 1 / lam.
        assert float(getattr(best, name)) == pytest.approx(float(getattr(near, name)), rel=1e-6)


@pytest.mark.parametrize("rule", ["hard", "random"])
def test_square_loss_in_closed_form(rule: str) -> None:
    def error(alpha: complex, lam: complex, flip: complex) -> complex:
        # With t = V / (1 + V): lam V = 1 - alpha t, p = alpha t (1 - 2 flip) E|A|, s^2 = alpha t^2 E[(1 - omega)^2].
        b = lam + alpha - 1.0
        V = (-b + np.sqrt(b * b + 4.0 * lam)) / (2.0 * lam)
        t, mean = V / (1.0 + V), (1.0 - 2.0 * flip) * np.sqrt(2.0 / np.pi)
        p = alpha * t * mean
        s2 = alpha * t * t * (1.0 - 2.0 * p * mean + p * p) / (1.0 - alpha * t * t)
        return complex(np.arctan(np.sqrt(s2) / p) / np.pi)

    for alpha, lam, flip in ((0.5, 0.1, 0.0), (3.0, 1.0, 0.1), (40.0, 2.0, 0.3)):
        gradient = error_gradient(
            alpha, 1.0, 0.7, selection=rule, student=pt.ConvexLoss("square", lam), labels=pt.Labels(flip)
        )
        assert gradient.lam is not None
        assert gradient.flip is not None
        h = 1e-30
        # Complex steps are exact; the averages are good to 1e-12.
        for found, expected in (
            (gradient.alpha_prune, error(alpha + h * 1j, lam, flip)),
            (gradient.lam, error(alpha, lam + h * 1j, flip)),
            (gradient.flip, error(alpha, lam, flip + h * 1j)),
        ):
            assert float(found) == pytest.approx(expected.imag / h, rel=1e-10)
        assert abs(gradient.theta) < 1e-14


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("flip", [0.0, 0.1])
@pytest.mark.parametrize("theta", [0.0, 0.3])
def test_one_sided_where_all_is_kept(loss: Loss, flip: float, theta: float) -> None:
    def error(rule: str, f: float) -> float:
        student = pt.ConvexLoss(loss, 0.1)
        return float(pt.solve(3.0, f, theta, selection=rule, student=student, labels=pt.Labels(flip)).test_error)

    easy, hard = (
        error_gradient(3.0, 1.0, theta, selection=rule, student=pt.ConvexLoss(loss, 0.1), labels=pt.Labels(flip))
        for rule in ("easy", "hard")
    )
    # Rounding 1e-13 over a step of 1e-5, curvature 1 times it.
    assert float(easy.f) == pytest.approx((error("easy", 1.0) - error("easy", 1.0 - 1e-5)) / 1e-5, abs=1e-4)
    if loss == "square" or flip > 0.0:
        # Examples count the more the farther they lie.
        slopes = [(error("hard", 1.0) - error("hard", 1.0 - h)) / h for h in (1e-2, 1e-4, 1e-6)]
        assert np.isnan(hard.f)
        assert slopes[2] - slopes[1] > 0.3 * (slopes[1] - slopes[0]) > 0.0
    else:
        # Content are those at the threshold, |z| ~ sqrt(2 ln(1 / h)), but for the rest of a logistic loss there.
        expected = (error("hard", 1.0) - error("hard", 1.0 - 1e-7)) / 1e-7
        assert float(hard.f) == pytest.approx(expected, rel=2e-3)
    assert easy.status == hard.status == pt.Status.CONVERGED
    # All data are kept: the probe counts for nothing.
    assert abs(hard.theta) < 1e-12


@pytest.mark.parametrize("rule", ["hard", "easy", pt.Band(0.2)])
@pytest.mark.parametrize("link", ["sign", "probit", "logistic"])
def test_ends_of_the_angle(rule: str | pt.Band, link: str) -> None:
    labels = pt.Labels(0.1, link, None if link == "sign" else 2.0)  # type: ignore[arg-type]
    gradient = error_gradient(
        3.0, 0.4, [0.0, 1e-3, np.pi / 2], selection=rule, student=pt.ConvexLoss("logistic", 0.1), labels=labels
    )
    assert gradient.theta[0] == 0.0
    at = [
        float(
            pt.solve(3.0, 0.4, theta, selection=rule, student=pt.ConvexLoss("logistic", 0.1), labels=labels).test_error
        )
        for theta in (0.0, 1e-2)
    ]
    # The error is even: the next order in the angle is of order 1e-4.
    assert gradient.theta[1] / 1e-3 == pytest.approx(2e4 * (at[1] - at[0]), rel=1e-2)
    # About pi/2 as well; and there the probe says nothing, which part is kept does not matter.
    assert abs(gradient.theta[2]) < 1e-12
    assert abs(gradient.f[2]) < 1e-12


def test_random_data_have_no_angle_and_no_fraction() -> None:
    gradient = error_gradient(3.0, [0.2, 1.0], 0.7, selection="random", student=pt.ConvexLoss("hinge", 0.1))
    assert not gradient.f.any()
    assert not gradient.theta.any()
    assert gradient.alpha_prune[0] == gradient.alpha_prune[1]


def test_fine_atoms_are_gaussian_data() -> None:
    quantiles = (np.arange(4000) + 0.5) / 4000
    margins = pt.MeasuredMargins(ndtri(0.5 * (1.0 + quantiles)), signed=False)
    student, labels = pt.ConvexLoss("logistic", 0.1), pt.Labels(0.1)
    gaussian, atoms = (
        error_gradient(3.0, 0.4, 0.3, margins=given, student=student, labels=labels) for given in (None, margins)
    )
    for name in ("alpha_prune", "f", "theta", "lam", "flip"):
        # The rule of the middle point is good to about 1 / 4000 where the integrand is smooth.
        assert float(getattr(atoms, name)) == pytest.approx(float(getattr(gaussian, name)), rel=2e-3)


def test_a_kink_in_f_has_the_mean_of_both_slopes() -> None:
    margins = pt.MeasuredMargins([0.2, 0.5, 0.9, 1.4], signed=False)
    at = {"margins": margins, "student": pt.ConvexLoss("hinge", 0.1)}
    slopes = error_gradient(3.0, [0.4999, 0.5, 0.5001], 0.3, **at).f  # type: ignore[arg-type]
    # The slopes themselves change by a few parts in 10,000.
    assert slopes[1] == pytest.approx(0.5 * (slopes[0] + slopes[2]), rel=1e-3)
    assert abs(slopes[0] - slopes[2]) > 0.01


def test_shapes() -> None:
    margins = pt.MeasuredMargins([0.5, -0.1, 0.5, 2.0, 3.0], signed=True)
    student = pt.ConvexLoss("hinge", [[[0.1]], [[0.2]]])
    gradient = error_gradient([1.0, 2.0, 3.0], 0.4, [[0.2], [0.4]], margins=margins, student=student)
    assert gradient.lam is not None
    for slope in (gradient.alpha_prune, gradient.f, gradient.theta, gradient.lam, gradient.status):
        assert slope.shape == (2, 2, 3)
    # Signed margins carry their labels.
    assert gradient.flip is None
    assert gradient.weights is None
    one = error_gradient(2.0, 0.4, 0.4, margins=margins, student=pt.ConvexLoss("hinge", 0.2))
    assert one.theta == gradient.theta[1, 1, 1]
    for given in (None, pt.MeasuredMargins([0.5, 1.0], signed=False)):
        for rule in ("hard", "random"):
            none = error_gradient([], 0.4, 0.2, student=pt.ConvexLoss("hinge", 0.1), margins=given, selection=rule)
            assert none.theta.shape == (0,)
    assert error_gradient(2.0, 0.4, 0.4).lam is None
    assert error_gradient(2.0, 0.4, 0.4).flip is None


def test_many_points_are_those_one_by_one() -> None:
    alpha, f, lam = np.geomspace(0.5, 20.0, 40), np.repeat([0.3, 0.6], 20), np.geomspace(1e-3, 1.0, 40)
    labels = pt.Labels(0.05)
    gradient = error_gradient(alpha, f, 0.3, student=pt.ConvexLoss("squared-hinge", lam), labels=labels)
    for i in (0, 17, 39):
        one = error_gradient(alpha[i], f[i], 0.3, student=pt.ConvexLoss("squared-hinge", lam[i]), labels=labels)
        for name in ("alpha_prune", "f", "theta", "lam", "flip"):
            assert getattr(one, name) == getattr(gradient, name)[i]


def test_no_student_is_nan_with_a_status() -> None:
    failed = error_gradient([1e300, 3.0], 0.5, 0.3, student=pt.ConvexLoss("logistic", 0.1))
    assert failed.status.tolist() == [pt.Status.NOT_CONVERGED, pt.Status.CONVERGED]
    for name in ("alpha_prune", "f", "theta", "lam", "flip"):
        assert np.isfinite(getattr(failed, name)).tolist() == [False, True]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"f": 1.5}, r"f must lie in \(0, 1\], got 1.5"),
        ({"student": pt.ConvexLoss("hinge", [0.1, 0.2]), "f": [0.1, 0.2, 0.3]}, "lam must broadcast"),
        ({"student": "gibbs"}, "student must be 'max-margin' or a ConvexLoss, got 'gibbs'"),
        ({"student": "max-margin", "labels": pt.Labels(0.1)}, "noisy labels need a ConvexLoss"),
        ({"selection": pt.KeepProbability(np.ones_like)}, "`influence` answers for a keep probability"),
        (
            {"labels": pt.Labels(0.1, "probit", 2.0), "margins": pt.MeasuredMargins([0.5, 1.0], signed=False)},
            "link must be 'sign' on measured margins, got 'probit'",
        ),
    ],
)
def test_bad_input(arguments: dict[str, object], says: str) -> None:
    given = {"alpha_prune": 2.0, "f": 0.3, "theta": 0.1, "student": pt.ConvexLoss("hinge", 0.1)}
    with pytest.raises(pt.InvalidInputError, match=says):
        error_gradient(**(given | arguments))  # type: ignore[arg-type]
