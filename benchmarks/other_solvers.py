"""Quadratic-programming solvers applied to min |w|^2 / 2 under Z w >= 1, each behind the same door.

`prepare` turns Z into what the solver wants and returns a function without arguments: only that is timed.
It returns w and the multipliers a, from which the duality gap of all solvers is computed alike.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import cvxopt
import daqp
import numpy as np
import numpy.typing as npt
import piqp
from cvxopt import solvers
from sklearn.svm import SVC

FloatArray = npt.NDArray[np.float64]
Solve = Callable[[], tuple[FloatArray, FloatArray]]

#: Asked of solvers that take a tolerance. cvxopt stops short of it on some hard data, and does not count there.
TOLERANCE = 1e-10

#: The support vector machine does not reach the certificate; this keeps its hopeless cases short.
SVC_ITERATIONS = 300_000


def prepare_daqp(Z: FloatArray) -> Solve:
    P, N = Z.shape
    H, f = np.eye(N), np.zeros(N)
    above, below, sense = np.full(P, 1e30), np.ones(P), np.zeros(P, dtype=np.int32)

    def solve() -> tuple[FloatArray, FloatArray]:
        w, _, _, info = daqp.solve(H, f, Z, above, below, sense)
        return w, np.abs(info["lam"])

    return solve


def prepare_piqp(Z: FloatArray) -> Solve:
    P, N = Z.shape
    H, f, below = np.eye(N), np.zeros(N), np.ones(P)

    def solve() -> tuple[FloatArray, FloatArray]:
        solver = piqp.DenseSolver()
        settings = solver.settings
        settings.verbose = False
        settings.eps_abs = settings.eps_rel = TOLERANCE
        settings.eps_duality_gap_abs = settings.eps_duality_gap_rel = TOLERANCE
        solver.setup(H, f, None, None, Z, below, None, None, None)
        solver.solve()
        return np.array(solver.result.x), np.array(solver.result.z_l)

    return solve


def prepare_cvxopt(Z: FloatArray) -> Solve:
    P, N = Z.shape
    H, f = cvxopt.matrix(np.eye(N)), cvxopt.matrix(np.zeros(N))
    G, h = cvxopt.matrix(-Z), cvxopt.matrix(-np.ones(P))
    options = {"show_progress": False, "abstol": TOLERANCE, "reltol": TOLERANCE, "feastol": TOLERANCE}

    def solve() -> tuple[FloatArray, FloatArray]:
        result = solvers.qp(H, f, G, h, options=options)
        return np.array(result["x"]).ravel(), np.array(result["z"]).ravel()

    return solve


def prepare_svc(Z: FloatArray) -> Solve:
    """Data with their mirror images, which makes the intercept vanish; a penalty beyond all multipliers."""
    P = Z.shape[0]
    X, y = np.vstack([Z, -Z]), np.repeat([1.0, -1.0], P)

    def solve() -> tuple[FloatArray, FloatArray]:
        model = SVC(kernel="linear", C=1e10, tol=1e-8, cache_size=2000, max_iter=SVC_ITERATIONS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, y)
        a = np.zeros(2 * P)
        a[model.support_] = np.abs(model.dual_coef_[0])
        return model.coef_[0], a[:P] + a[P:]

    return solve


SOLVERS: dict[str, Callable[[FloatArray], Solve]] = {
    "daqp": prepare_daqp,
    "piqp": prepare_piqp,
    "cvxopt": prepare_cvxopt,
    "scikit-learn": prepare_svc,
}


def gap(Z: FloatArray, w: FloatArray, a: FloatArray) -> float:
    """Relative duality gap; infinite if w does not separate."""
    a = np.maximum(a, 0.0)
    margin = float((Z @ w).min()) / float(np.linalg.norm(w))
    return float(np.linalg.norm(a @ Z)) / float(a.sum()) / margin - 1.0 if margin > 0.0 else float("inf")
