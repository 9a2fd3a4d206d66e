"""Version spaces at random points: certified everywhere, and ordered as they must be."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.special import ndtri

import perceptron_theory as pt

#: Points per case; the same seeds always.
POINTS = 60


def points(seed: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    alpha, f = 10.0 ** rng.uniform(-3, 4, n), 10.0 ** rng.uniform(-3, 0, n)
    theta = np.choose(
        rng.integers(0, 4, n),
        [np.zeros(n), 10.0 ** rng.uniform(-6, 0, n), rng.uniform(0, np.pi / 2, n), np.full(n, np.pi / 2)],
    )
    return alpha, f, theta


@pytest.mark.parametrize("selection", ["hard", "easy"])
def test_every_point_is_certified_and_ordered(selection: str) -> None:
    """The mean of the space beats a typical student; both lose to nothing: entropy falls, gain is positive."""
    alpha, f, theta = points(1, POINTS)
    gibbs = pt.solve(alpha, f, theta, selection=selection, student="gibbs")
    bayes = pt.solve(alpha, f, theta, selection=selection, student="bayes-point")
    assert gibbs.converged.all()
    assert bayes.converged.all()
    assert np.all(bayes.test_error < gibbs.test_error)
    assert np.all(gibbs.entropy < 0)
    assert np.all(gibbs.gain > 0)
    more = pt.solve(1.1 * alpha, f, theta, selection=selection, student="gibbs")
    assert np.all(more.entropy < gibbs.entropy)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("selection", ["hard", "easy", pt.Band(0.15)], ids=str)
def test_many_points_with_margins(selection: str | pt.Band, seed: int) -> None:
    """Half of the points ask for a margin, up to 1 - 1e-3 of the largest; at 1 - u, 1 - q has 1 / u times its error."""
    alpha, f, theta = points(100 + seed, 250)
    f = np.minimum(f, 0.85)
    best = pt.solve(alpha, f, theta, selection=selection).kappa
    rng = np.random.default_rng(seed)
    share = np.where(rng.random(alpha.size) < 0.5, 0.0, 1.0 - 10.0 ** rng.uniform(-3, 0, alpha.size))
    known = ~np.isnan(best)
    assert known.all()
    s = pt.solve(alpha, f, theta, selection=selection, student="gibbs", kappa=share * best)
    print(f"{selection}: worst residual {s.residual.max():.1e}, quadrature error {s.quadrature_error.max():.1e}")
    assert s.converged.all()


def test_hardest_data_beyond_the_capacity() -> None:
    """f and theta so small that the solution, followed from few examples, changes all at once at alpha = 2."""
    alpha, f, theta = [12.0, 3.16, 5.0], [3e-4, 1e-4, 1e-4], [1.4e-4, 2e-8, 1e-5]
    s = pt.solve(alpha, f, theta, student="gibbs")
    best = pt.solve(alpha, f, theta)
    assert s.converged.all()
    # As without pruning, a typical student has about 5/4 the error of the max-margin one.
    assert np.all((s.test_error / best.test_error > 1.1) & (s.test_error / best.test_error < 1.7))


def test_margin_shrinks_the_space() -> None:
    best = float(pt.solve(2.0, 0.4, 0.2).kappa)
    s = pt.solve(2.0, 0.4, 0.2, student="gibbs", kappa=best * np.array([0.0, 0.3, 0.6, 0.9, 0.99]))
    assert np.all(np.diff(s.entropy) < 0)
    assert np.all(np.diff(s.q) > 0)


def test_no_student_has_more_than_the_largest_margin() -> None:
    best = float(pt.solve(2.0, 0.4, 0.2).kappa)
    s = pt.solve(2.0, 0.4, 0.2, student="gibbs", kappa=[0.5 * best, best, 2 * best])
    assert s.status.tolist() == [pt.Status.CONVERGED, pt.Status.NO_STUDENT, pt.Status.NO_STUDENT]
    assert np.isnan(s.entropy).tolist() == [False, True, True]
    with pytest.raises(pt.ConvergenceError, match="not below that of the max-margin student") as caught:
        pt.solve(2.0, 0.4, 0.2, student="gibbs", kappa=2 * best)
    # Errors travel between processes with what they carry.
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)
    assert copy.solution.status == pt.Status.NO_STUDENT


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"student": "svm"}, "unknown student 'svm'"),
        ({"student": np.array(["gibbs"])}, "unknown student array"),
        ({"kappa": 0.1}, "kappa cannot be asked of student 'max-margin'"),
        ({"student": "gibbs", "kappa": -1.0}, "kappa must be finite and >= 0, got -1"),
        ({"student": "gibbs", "kappa": np.nan}, "kappa must be finite and >= 0, got nan"),
        ({"student": "gibbs", "kappa": "big"}, "kappa must be a real number"),
        ({"student": "gibbs", "kappa": [0.1, 0.2], "theta": [0.1, 0.2, 0.3]}, "kappa must broadcast with"),
        ({"student": "bayes-optimal", "kappa": 0.1}, "kappa cannot be asked of student 'bayes-optimal'"),
    ],
)
def test_bad_arguments(options: dict[str, object], message: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=message):
        pt.solve(1.0, 0.5, **options)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("R", "f", "message"), [(1.0, 0.5, "R must lie in"), (-0.1, 0.5, "R must lie in"), (0.5, 0.0, "f must")]
)
def test_bad_arguments_of_the_closed_form(R: float, f: float, message: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=message):
        pt.paper_information_gain(R, f)


def test_different_routes_to_the_same_space() -> None:
    """Gaussian windows, a keep probability and a measured distribution of many values."""
    theta, f = 0.35, 0.3
    edge = float(ndtri(0.5 * (1.0 + f)))
    rule = pt.KeepProbability(lambda m: np.abs(m) < edge, breakpoints=[-edge, edge])
    window = pt.solve(2.0, f, theta, student="gibbs")
    probability = pt.solve(2.0, None, theta, selection=rule, student="gibbs")
    # Mid-quantiles of |z|: sums in place of integrals, with an error of order 1 / n at the edge.
    n = 20_000
    z = ndtri(0.5 * (1.0 + (np.arange(n) + 0.5) / n))
    measured = pt.solve(2.0, f, theta, margins=pt.MeasuredMargins(z, signed=False), student="gibbs")
    for name in ("test_error", "R", "rho", "q", "entropy", "gain"):
        value = float(getattr(window, name))
        assert getattr(probability, name) == pytest.approx(value, rel=1e-9)
        assert getattr(measured, name) == pytest.approx(value, rel=1e-4)


def test_closed_form_of_the_narrowest_windows() -> None:
    """f -> 0: relative accuracy, where differences of quantiles would have none."""
    gain = pt.paper_information_gain(0.5, [1e-8, 1e-12, 1e-17])
    assert gain == pytest.approx(gain[0], rel=1e-7)
    with pytest.raises(pt.InvalidInputError, match="R and f must broadcast"):
        pt.paper_information_gain([0.1, 0.2], [0.1, 0.2, 0.3])
