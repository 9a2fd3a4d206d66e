"""A power law of the number of examples kept, with or without a break, and its fit to measured errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import OptimizeResult, least_squares, lsq_linear

FloatArray = npt.NDArray[np.float64]

#: Exponents beyond these have not been seen; a fit that goes there follows noise.
_STEEPEST: Final = 10.0
#: Width of a break in ln n: below this it is a corner between any two sizes, above it spans all of them.
_WIDTHS: Final = (0.05, 3.0)
#: ln of how far the error in the middle of the sizes may lie from those measured, where it is capped.
_REACH: Final = 20.0
#: Starts: floors in units of the smallest error, breaks as quantiles of ln n, widths; and where errors reach chance,
#: steeper exponents, as different runs capped are different minima.
_FLOORS: Final = (0.0, 0.5, 0.9)
_BREAKS: Final = (0.25, 0.5, 0.75)
_START_WIDTHS: Final = (0.2, 1.0)
_STEEPER: Final = (1.0, 2.0, 4.0)
#: Errors above this share of chance tell a start nothing of the law below the cap.
_NEAR_CHANCE: Final = 0.95
#: Relative change of parameters and sum of squares at which a fit ends: far below the noise of any run.
_TOLERANCE: Final = 1e-12


@dataclass(frozen=True)
class RuleLaw:
    """Error of one rule, floor + A n^-c0 (1 + (n / n_break)^(1 / h))^(-c1 h) f^-d, at n examples kept.

    A power law has its break at infinity. With a break it is, for f = 1, the form with one break of Caballero,
    Gupta, Rish and Krueger, "Broken Neural Scaling Laws" (ICLR 2023, arXiv:2210.14891).

    Attributes
    ----------
    floor : float
        Error at infinitely many examples, >= 0.
    A : float
        Amplitude, > 0.
    c0 : float
        Exponent, before the break if there is one, >= 0.
    c1 : float
        What the break adds to it; c0 + c1 >= 0.
    n_break : float
        Number kept where it breaks; inf for a power law.
    h : float
        Width of the break in ln n, > 0.
    d : float
        Exponent of the fraction kept; positive where pruning hurts at equal n.

    Examples
    --------
    >>> from perceptron_theory.calibration.law_fits import RuleLaw
    >>> RuleLaw(floor=0.01, A=2.0, c0=0.5, d=1.0).error([100.0, 400.0], [1.0, 0.5]).round(3).tolist()
    [0.21, 0.21]
    """

    floor: float
    A: float
    c0: float
    c1: float = 0.0
    n_break: float = np.inf
    h: float = 1.0
    d: float = 0.0

    def error(self, n_kept: npt.ArrayLike, f: npt.ArrayLike) -> FloatArray:
        """Error, not capped, at `n_kept` examples that are a fraction `f` of the pool; the shape of both."""
        log_n = np.log(n_kept)
        bend = self.h * np.logaddexp(0.0, (log_n - np.log(self.n_break)) / self.h)
        falling = self.A * np.exp(-self.c0 * log_n - self.c1 * bend - self.d * np.log(f))
        return np.asarray(self.floor + falling, dtype=np.float64)


@dataclass(frozen=True)
class Terms:
    """What of a `RuleLaw` is fitted, beside A and c0.

    Attributes
    ----------
    floor, fraction, broken : bool
        Whether the floor, d, and the break (c1, n_break, h) are; else they are 0, 0, and there is none.
    """

    floor: bool
    fraction: bool
    broken: bool


class RuleFit:
    """Least squares of log errors, capped at chance, over the parameters of a `RuleLaw`.

    Internally ln A is that of the mean ln n, the break is described by both exponents, c0 and c0 + c1, which keeps the
    bounds a box, and n_break and h by their logarithms.

    Parameters
    ----------
    n_kept, f, error : ndarray
        Runs: examples kept, fraction kept in (0, 1], test error > 0; 1-d, of the same length.
    chance : float
        Largest possible error.
    terms : Terms
        What is fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from perceptron_theory.calibration.law_fits import RuleFit, Terms
    >>> n = np.array([100.0, 200.0, 400.0, 800.0])
    >>> fit = RuleFit(n, np.ones(4), 0.02 + 3.0 / n, 0.5, Terms(floor=True, fraction=False, broken=False))
    >>> law, converged = fit.best()
    >>> round(law.floor, 6), round(law.A, 4), round(law.c0, 6), converged
    (0.02, 3.0, 1.0, True)
    """

    def __init__(self, n_kept: FloatArray, f: FloatArray, error: FloatArray, chance: float, terms: Terms) -> None:
        self.n_kept, self.f, self.measured = n_kept, f, error
        self.chance, self.terms = chance, terms
        self.log_n, self.log_f = np.log(n_kept), np.log(f)
        self.middle = float(self.log_n.mean())
        #: Of the parameters that the logarithm of the falling part is linear in: ln A, c0, c0 + c1, d.
        self.n_linear = 2 + terms.broken + terms.fraction

    def best(self) -> tuple[RuleLaw, bool]:
        """Law with the smallest sum of squares of all starts, and whether its search ended."""
        searched = [self._search(start) for start in self._starts()]
        found = min(searched, key=lambda result: float(result.cost))
        return self._law(found.x), bool(found.success)

    def _search(self, start: FloatArray) -> OptimizeResult[Any]:
        return least_squares(
            self._residuals,
            np.clip(start, *self._bounds()),
            jac=self._jacobian,
            bounds=self._bounds(),
            x_scale="jac",
            ftol=_TOLERANCE,
            xtol=_TOLERANCE,
            gtol=_TOLERANCE,
            max_nfev=1000,
        )

    def _bounds(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest value of each parameter: ln A, c0, c0 + c1, d; ln n_break, ln h; floor."""
        terms, level = self.terms, np.log(self.measured)
        box = [(level.min() - _REACH, level.max() + _REACH), (0.0, _STEEPEST)]
        box += [(0.0, _STEEPEST)] * terms.broken + [(-_STEEPEST, _STEEPEST)] * terms.fraction
        # With fewer than two sizes on a side of the break, the exponent there would be made up.
        box += [tuple(np.unique(self.log_n)[[1, -2]]), tuple(np.log(_WIDTHS))] * terms.broken
        box += [(0.0, self.chance)] * terms.floor
        lower, upper = np.array(box).T
        return lower, upper

    def _law(self, x: FloatArray) -> RuleLaw:
        terms, c0 = self.terms, x[1]
        log_break, log_h = x[self.n_linear : self.n_linear + 2] if terms.broken else (np.inf, 0.0)
        return RuleLaw(
            floor=float(x[-1]) if terms.floor else 0.0,
            A=float(np.exp(x[0] + c0 * self.middle)),
            c0=float(c0),
            c1=float(x[2] - c0) if terms.broken else 0.0,
            n_break=float(np.exp(log_break)),
            h=float(np.exp(log_h)),
            d=float(x[self.n_linear - 1]) if terms.fraction else 0.0,
        )

    def _residuals(self, x: FloatArray) -> FloatArray:
        error = np.minimum(self._law(x).error(self.n_kept, self.f), self.chance)
        return np.asarray(np.log(error / self.measured))

    def _jacobian(self, x: FloatArray) -> FloatArray:
        law = self._law(x)
        error = law.error(self.n_kept, self.f)
        columns = [self._columns(law.n_break, law.h)]
        if self.terms.broken:
            u = (self.log_n - np.log(law.n_break)) / law.h
            beyond = np.exp(-np.logaddexp(0.0, -u))
            columns += [(law.c1 * beyond)[:, None], (-law.c1 * law.h * (np.logaddexp(0.0, u) - u * beyond))[:, None]]
        slopes = np.hstack(columns) * ((error - law.floor) / error)[:, None]
        if self.terms.floor:
            slopes = np.hstack([slopes, 1.0 / error[:, None]])
        return np.where(error[:, None] < self.chance, slopes, 0.0)

    def _columns(self, n_break: float, h: float) -> FloatArray:
        """What ln A, c0, c0 + c1 and d multiply in the logarithm of the falling part."""
        centred = self.log_n - self.middle
        bend = h * np.logaddexp(0.0, (self.log_n - np.log(n_break)) / h)
        columns = [np.ones_like(centred), bend - centred]
        columns += [-bend] * self.terms.broken + [-self.log_f] * self.terms.fraction
        return np.stack(columns, axis=1)

    def _starts(self) -> list[FloatArray]:
        """Linear least squares of the linear parameters for each floor and break, and steeper ones."""
        breaks = [(np.inf, 1.0)]
        if self.terms.broken:
            places = np.exp(np.quantile(np.unique(self.log_n), _BREAKS))
            breaks = [(float(place), width) for place in places for width in _START_WIDTHS]
        floors = _FLOORS if self.terms.floor else (0.0,)
        starts = [self._start(floor * float(self.measured.min()), *at) for floor in floors for at in breaks]
        steeper = _STEEPER if self.measured.max() >= _NEAR_CHANCE * self.chance else (1.0,)
        exponents = (np.arange(starts[0].size) > 0) & (np.arange(starts[0].size) < self.n_linear)
        return [np.where(exponents, factor * start, start) for factor in steeper for start in starts]

    def _start(self, floor: float, n_break: float, h: float) -> FloatArray:
        columns, bounds = self._columns(n_break, h), self._bounds()
        below = self.measured < _NEAR_CHANCE * self.chance
        if not below.any() or np.linalg.matrix_rank(columns[below]) < self.n_linear:
            below[:] = True
        target = np.log(self.measured - floor)
        ends = bounds[0][: self.n_linear], bounds[1][: self.n_linear]
        linear = lsq_linear(columns[below], target[below], bounds=ends).x
        bend = [np.log(n_break), np.log(h)] if self.terms.broken else []
        return np.array([*linear, *bend, *[floor] * self.terms.floor])
