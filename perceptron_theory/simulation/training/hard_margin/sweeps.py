"""Dual coordinate ascent: which examples support the student, found in a few passes over the data.

The problem is min |w|^2 / 2 under Z w >= 1; its dual is max sum(a) - |Z^T a|^2 / 2 over a >= 0, with
w = Z^T a. A step on one coordinate,

    a_i <- max(0, a_i + omega (1 - z_i.w) / |z_i|^2),

keeps w up to date (successive over-relaxation of the AdaTron: Anlauf and Biehl, EPL 10, 687 (1989);
Mangasarian and Musicant, IEEE Trans. Neural Netw. 10, 1032 (1999)). Most coordinates soon stay at
0 and are left alone while their margin is above 1.

Only which examples support matters here, and single precision tells; the exact finish has its own arithmetic.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from perceptron_theory.compiling import inner_kernel, kernel
from perceptron_theory.simulation.training.hard_margin.sums import ZERO, add_block_then_dots, block_dots, block_gram

FloatArray = npt.NDArray[np.float64]
SingleArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_ONE: Final = np.float32(1.0)
#: Vectors hold this many numbers, or a divisor of it.
_LANES: Final = 16
#: An example this much shorter (squared) than the longest is left to the exact finish.
_NO_LENGTH: Final = 1e-20

# Chosen by time. All but the first: 12 seeds (6 at N = 1000) of each of six sizes from N = 100, alpha = 2 to
# N = 1000, alpha = 2, random, hard and easy, with the time of the exact finish, and of the interior-point method
# where it is called. Half or twice the value costs up to 20 % somewhere, and gains less elsewhere.
#: Over-relaxation omega: quickest on random and easy data among 1.4, 1.5, 1.6, 1.7 and 1.8.
RELAXATION = 1.6
#: Passes over the supporting and violated examples before all are looked at again: between 5 and 7, which those
#: seeds prefer at different sizes, as 40 seeds at N = 100 do.
_PASSES = 6
#: The supporting set is nearly still if at most one example in this many comes or goes.
_STILL = 200
#: From this round r on a set of more than N (1 + 8 / r) examples is crowded; no solution has more than N. Without this
#: rule N = 400, alpha = 10, hard takes 3.5 times as long; at round 4 N = 400, alpha = 3, hard takes 1.7 times as long.
_PATIENCE = 8
_MAX_ROUNDS = 60


@inner_kernel
def _single(Z: FloatArray, scale: float) -> SingleArray:
    """Z * scale in single precision, its rows filled up with zeros to whole vectors."""
    P, N = Z.shape
    # An odd number of vectors: rows a power of two apart would compete for the same lines of the cache.
    X = np.empty((P, _LANES * (((N + _LANES - 1) // _LANES) | 1)), dtype=np.float32)
    for i in range(P):
        x, z = X[i], Z[i]
        for k in range(N):
            x[k] = scale * z[k]
        x[N:] = ZERO
    return X


@inner_kernel
def _step(a: SingleArray, i: int, pace: np.float32, margin: np.float32) -> tuple[np.float32, int]:
    """Move a[i] towards margin 1; returns by how much, and 1 if it left or reached 0."""
    old = a[i]
    new = max(ZERO, old + pace * (_ONE - margin))
    a[i] = new
    return new - old, int((new > ZERO) != (old > ZERO))


@inner_kernel
def _sweep(
    X: SingleArray, rows: IntArray, pace: SingleArray, K: SingleArray, n: int, a: SingleArray, w: SingleArray
) -> int:
    """One pass over the first n of `rows`, n a multiple of 4; returns how many coordinates left or reached 0.

    Four steps at a time, from margins taken together: `K`, dot products among the four, tells what each
    step does to the margins after it.
    """
    changes = 0
    m0, m1, m2, m3 = block_dots(X, rows, 0, w)
    for at in range(0, n, 4):
        k = K[at // 4]
        s0, c0 = _step(a, rows[at], pace[at], m0)
        s1, c1 = _step(a, rows[at + 1], pace[at + 1], m1 + s0 * k[0])
        s2, c2 = _step(a, rows[at + 2], pace[at + 2], m2 + s0 * k[1] + s1 * k[3])
        s3, c3 = _step(a, rows[at + 3], pace[at + 3], m3 + s0 * k[2] + s1 * k[4] + s2 * k[5])
        changes += c0 + c1 + c2 + c3
        following = at + 4 if at + 4 < n else 0
        m0, m1, m2, m3 = add_block_then_dots(X, rows, at, (s0, s1, s2, s3), w, following)
    return changes


@kernel
def identify(Z: FloatArray, norms: FloatArray, a: FloatArray) -> bool:
    """Passes over the data until the supporting set is nearly still.

    Parameters
    ----------
    Z : ndarray, shape (P, N)
        Examples, flipped by their labels.
    norms : ndarray, shape (P,)
        Their squared lengths.
    a : ndarray, shape (P,)
        Out: dual variables, at least 0.

    Returns
    -------
    bool
        False if the supporting set is still so crowded that it will settle too slowly.
    """
    P, N = Z.shape
    largest = norms.max()
    if largest <= 0.0:
        return True
    X = _single(Z, 1.0 / np.sqrt(largest))
    b = np.zeros(P, dtype=np.float32)
    w = np.zeros(X.shape[1], dtype=np.float32)
    # Rows to pass over, their paces and the dot products among each four; filled up to a multiple of 4 with pace 0.
    rows = np.zeros(P + 3, dtype=np.int64)
    pace = np.zeros(P + 3, dtype=np.float32)
    K = np.empty((P // 4 + 1, 6), dtype=np.float32)
    margins = np.zeros(P, dtype=np.float32)
    leaving = 0
    settled = True
    for rounds in range(_MAX_ROUNDS):
        n = 0
        entering = 0
        for i in range(P):
            if b[i] > ZERO or margins[i] < _ONE:
                entering += b[i] <= ZERO
                rows[n] = i
                # An example at the origin is never right; leave it alone.
                pace[n] = RELAXATION * largest / norms[i] if norms[i] > _NO_LENGTH * largest else 0.0
                n += 1
        supporting = n - entering
        if rounds > 0 and supporting < N and _STILL * (entering + leaving) <= n:
            break
        if rounds >= _PATIENCE and supporting * rounds > N * (rounds + _PATIENCE):
            settled = False
            break
        while n % 4:
            rows[n] = rows[n - 1]
            pace[n] = ZERO
            n += 1
        for at in range(0, n, 4):
            k = K[at // 4]
            k[0], k[1], k[2], k[3], k[4], k[5] = block_gram(X, rows, at)
        for _ in range(_PASSES):
            leaving = _sweep(X, rows, pace, K, n, b, w)
        margins = np.dot(X, w)
    for i in range(P):
        a[i] = b[i] / largest
    return settled
