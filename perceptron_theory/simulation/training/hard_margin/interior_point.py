"""Interior-point start for data whose supporting set takes many passes to settle: hard or plentiful.

Mehrotra's predictor-corrector method with Gondzio's centrality correctors (Nocedal and Wright, Numerical
Optimization, 2006, section 16.6; Gondzio, Comput. Optim. Appl. 6, 137 (1996)) on

    min |w|^2 / 2 - rho   under   Z w - s = rho,  s >= 0,   with multipliers lam >= 0, sum(lam) = 1,  w = Z^T lam,

where |w| -> kappa and rho -> kappa^2.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import blas, lapack

FloatArray = npt.NDArray[np.float64]

#: The exact finish is quickest from a relative duality gap of about this.
_GAP = 1e-2

_MAX_ITERATIONS = 40
_CORRECTORS = 2

#: Multipliers start as this mixture of a uniform one and the given dual variables.
_UNIFORM = 0.3


class _Newton:
    """Newton directions of the optimality conditions at (lam, s), for several right-hand sides."""

    def __init__(self, Z: FloatArray, lam: FloatArray, s: FloatArray) -> None:
        self.Z, self.s = Z, s
        self.D = lam / s
        A = Z * np.sqrt(self.D)[:, None]
        M = blas.dsyrk(1.0, A.T, lower=1)
        M[np.diag_indices_from(M)] += 1.0
        self.factor, self.failed = lapack.dpotrf(M, lower=1, clean=0, overwrite_a=1)
        self.column = self.D @ Z
        self.v = self._solve(self.column)
        self.pivot = self.D.sum() - self.column @ self.v

    def _solve(self, b: FloatArray) -> FloatArray:
        return np.asarray(lapack.dpotrs(self.factor, b, lower=1)[0])

    def direction(self, infeasible: FloatArray, products: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """(drho, ds, dlam) with Z dw - drho - ds = -infeasible, s dlam + lam ds = products, sum(dlam) = 0."""
        q = products / self.s - self.D * infeasible
        u = self._solve(q @ self.Z)
        drho = (self.column @ u - q.sum()) / self.pivot
        change = self.Z @ (u + self.v * drho) - drho
        return float(drho), change + infeasible, q - self.D * change


def _step(lam: FloatArray, dlam: FloatArray, s: FloatArray, ds: FloatArray) -> float:
    """Largest step up to 1 that keeps lam and s positive."""
    return 1.0 / max(1.0, float(-(dlam / lam).min()), float(-(ds / s).min()))


def _advance(
    Z: FloatArray, lam: FloatArray, s: FloatArray, infeasible: FloatArray
) -> tuple[float, FloatArray, FloatArray] | None:
    """One predictor-corrector step: changes of rho, s and lam, or None if rounding has taken over."""
    newton = _Newton(Z, lam, s)
    if newton.failed:
        return None
    mu = lam @ s / lam.size
    _, ds, dlam = newton.direction(infeasible, -lam * s)
    t = _step(lam, dlam, s, ds)
    target = mu * ((lam + t * dlam) @ (s + t * ds) / lam.size / mu) ** 3
    products = target - lam * s - dlam * ds
    drho, ds, dlam = newton.direction(infeasible, products)
    t = _step(lam, dlam, s, ds)
    for _ in range(_CORRECTORS):
        if t > 0.9:
            break
        ahead = min(1.0, t + 0.3)
        reached = (lam + ahead * dlam) * (s + ahead * ds)
        correction = np.maximum(np.clip(reached, 0.1 * target, 10.0 * target) - reached, -10.0 * target)
        better = newton.direction(infeasible, products + correction)
        longer = _step(lam, better[2], s, better[1])
        if not longer > 1.05 * t:
            break
        products = products + correction
        (drho, ds, dlam), t = better, longer
    t = min(1.0, 0.995 * t)
    if not (np.isfinite(drho) and np.isfinite(ds).all() and np.isfinite(dlam).all()):
        return None
    return t * drho, t * ds, t * dlam


def approach(Z: FloatArray, a: FloatArray) -> None:
    """Replace dual variables by better ones, positive only on the likely supporting set.

    Parameters
    ----------
    Z : ndarray, shape (P, N)
        Examples, flipped by their labels.
    a : ndarray, shape (P,)
        In: at least 0, not all zero. Out: the same, near the solution.
    """
    P, N = Z.shape
    lam = (1.0 - _UNIFORM) * a / a.sum() + _UNIFORM / P
    w = lam @ Z
    margins = Z @ w
    rho = float(margins.min()) - 0.5 * float(np.sqrt(np.mean(margins * margins)))
    s = margins - rho
    for _ in range(_MAX_ITERATIONS):
        # On data that cannot be separated lam, s and the pivot run into 0.
        with np.errstate(all="ignore"):
            step = _advance(Z, lam, s, margins - rho - s)
        if step is None:
            break
        rho += step[0]
        s = s + step[1]
        lam = lam + step[2]
        lam /= lam.sum()
        w = lam @ Z
        margins = Z @ w
        if 0.0 < float(w @ w) <= margins.min() * (1.0 + _GAP):
            break
    supporting = lam * N * max(float(np.abs(margins).mean()), np.finfo(np.float64).tiny) > s
    square = float(w @ w)
    a[:] = np.where(supporting, lam / square, 0.0) if square > 0.0 else 0.0
