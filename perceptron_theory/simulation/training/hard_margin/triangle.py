"""Cholesky factor of the Gram matrix of the supporting examples, kept up to date as they come and go.

K_SS = R^T R with R upper triangular in the rows of `R`; y = R^-T 1, so that K_SS x = 1 is R x = y.
An example is appended by a forward substitution and removed by Givens rotations (Gill, Golub, Murray,
Saunders, Math. Comp. 28, 505 (1974)), each of order n^2.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perceptron_theory.gaussian import inner_kernel
from perceptron_theory.simulation.training.hard_margin.sums import row_dot, tail_dot

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: An example closer than this, relatively, to the span of the others adds nothing that rounding leaves visible.
_DEPENDENT = 1e-7


@inner_kernel
def gram(Z: FloatArray, rows: IntArray, n: int) -> FloatArray:
    """Lower triangle of z_i . z_j over the first n of `rows`; the rest is not to be read."""
    X = np.empty((n, Z.shape[1]))
    for i in range(n):
        X[i] = Z[rows[i]]
    K = np.empty((n, n))
    block = 8 + n // 6
    for low in range(0, n, block):
        high = min(low + block, n)
        K[low:high, :high] = np.dot(X[low:high], X[:high].T)
    return K


@inner_kernel
def factorise(Z: FloatArray, rows: IntArray, n: int, R: FloatArray, y: FloatArray) -> bool:
    """Fill R and y from scratch; False if the Gram matrix is singular to rounding."""
    K = gram(Z, rows, n)
    try:
        L = np.linalg.cholesky(K)
    except Exception:  # compiled code cannot name LinAlgError, and nothing else is raised here
        return False
    for i in range(n):
        if not L[i, i] > _DEPENDENT * np.sqrt(K[i, i]):
            return False
    for i in range(n):
        for j in range(i, n):
            R[i, j] = L[j, i]
    for i in range(n):
        y[i] = 1.0
    _forward_substitute(R, n, y)
    return True


@inner_kernel
def _forward_substitute(R: FloatArray, n: int, b: FloatArray) -> None:
    """Replace the first n entries of b by R^-T b."""
    for i in range(n):
        b[i] /= R[i, i]
        c = b[i]
        for j in range(i + 1, n):
            b[j] -= c * R[i, j]


@inner_kernel
def back_substitute(R: FloatArray, n: int, y: FloatArray) -> FloatArray:
    """Solution x of R x = y."""
    x = y[:n].copy()
    for i in range(n - 1, -1, -1):
        x[i] = (x[i] - tail_dot(R, i, x)) / R[i, i]
    return x


@inner_kernel
def solve(R: FloatArray, n: int, b: FloatArray) -> FloatArray:
    """Solution x of K_SS x = R^T R x = b."""
    x = b.copy()
    _forward_substitute(R, n, x)
    return back_substitute(R, n, x)


@inner_kernel
def _column(Z: FloatArray, rows: IntArray, n: int, R: FloatArray) -> FloatArray:
    """R^-T K_S,new for the example rows[n]: the column that it would add to R."""
    column = np.empty(n)
    for i in range(n):
        column[i] = row_dot(Z, rows[i], Z[rows[n]])
    _forward_substitute(R, n, column)
    return column


@inner_kernel
def coefficients(Z: FloatArray, rows: IntArray, n: int, R: FloatArray) -> FloatArray:
    """Coefficients c of the best approximation of example rows[n] by the first n: K_SS c = K_S,new."""
    return back_substitute(R, n, _column(Z, rows, n, R))


@inner_kernel
def append(Z: FloatArray, rows: IntArray, n: int, R: FloatArray, y: FloatArray) -> bool:
    """Add example rows[n] to a factor of the first n; False, and no change, if it depends on them."""
    column = _column(Z, rows, n, R)
    norm2 = row_dot(Z, rows[n], Z[rows[n]])
    rest, top = norm2, 1.0
    for i in range(n):
        rest -= column[i] * column[i]
        top -= column[i] * y[i]
    if not rest > _DEPENDENT**2 * norm2:
        return False
    for i in range(n):
        R[i, n] = column[i]
    R[n, n] = np.sqrt(rest)
    y[n] = top / R[n, n]
    return True


@inner_kernel
def remove(rows: IntArray, n: int, R: FloatArray, y: FloatArray, at: int) -> None:
    """Take example rows[at] out of a factor of n examples; those behind it move up by one place."""
    for i in range(at, n - 1):
        rows[i] = rows[i + 1]
    for i in range(at + 1):
        for j in range(at, n - 1):
            R[i, j] = R[i, j + 1]
    for i in range(at, n - 1):
        # Row i + 1 still stands one column to the right.
        a, b = R[i, i], R[i + 1, i + 1]
        length = np.hypot(a, b)
        c, s = a / length, b / length
        R[i, i] = length
        for j in range(i + 1, n - 1):
            u, v = R[i, j], R[i + 1, j + 1]
            R[i, j] = c * u + s * v
            R[i + 1, j] = c * v - s * u
        u, v = y[i], y[i + 1]
        y[i] = c * u + s * v
        y[i + 1] = c * v - s * u
