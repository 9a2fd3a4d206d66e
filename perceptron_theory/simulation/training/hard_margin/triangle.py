"""Cholesky factor of the Gram matrix of the supporting examples, kept up to date as they come and go.

K_SS = R^T R with R upper triangular in the rows of `R`; y = R^-T 1, so that K_SS x = 1 is R x = y.
An example is appended by a forward substitution and removed by Givens rotations (Gill, Golub, Murray,
Saunders, Math. Comp. 28, 505 (1974)), each of order n^2.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perceptron_theory.compiling import inner_kernel
from perceptron_theory.simulation.training.hard_margin.sums import row_dot, tail_dot, tile

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: An example closer than this, relatively, to the span of the others adds nothing that rounding leaves visible.
_DEPENDENT = 1e-7


@inner_kernel
def _corner(S: FloatArray, size: int) -> bool:
    """Replace the lower triangle of S, of this size, by its Cholesky factor; False if there is none."""
    for i in range(size):
        for j in range(i + 1):
            for k in range(j):
                S[i, j] -= S[i, k] * S[j, k]
            if j < i:
                S[i, j] /= S[j, j]
        if not S[i, i] > 0.0:
            return False
        S[i, i] = np.sqrt(S[i, i])
    return True


@inner_kernel
def factorise(Z: FloatArray, rows: IntArray, n: int, R: FloatArray, y: FloatArray) -> bool:
    """Fill R and y from scratch; False if the Gram matrix is singular to rounding.

    Gram matrix and factor together in tiles of 4 x 4, each read from memory once. This is quicker than a
    product by BLAS and a factor by LAPACK at every size tried, 60 to 700 rows.
    """
    L = np.empty((n, n))
    S, corner = np.empty((4, 4)), np.empty((4, 4))
    for left in range(0, n, 4):
        width = min(4, n - left)
        tile(Z, rows, n, L, left, left, corner)
        if not _corner(corner, width):
            return False
        for i in range(width):
            if not corner[i, i] > _DEPENDENT * np.sqrt(row_dot(Z, rows[left + i], Z[rows[left + i]])):
                return False
            for j in range(i + 1):
                L[left + i, left + j] = corner[i, j]
                R[left + j, left + i] = corner[i, j]
        if left + 4 >= n:
            break
        c10, c20, c21, c30, c31, c32 = (
            corner[1, 0],
            corner[2, 0],
            corner[2, 1],
            corner[3, 0],
            corner[3, 1],
            corner[3, 2],
        )
        d0, d1, d2, d3 = 1.0 / corner[0, 0], 1.0 / corner[1, 1], 1.0 / corner[2, 2], 1.0 / corner[3, 3]
        for low in range(left + 4, n, 4):
            tile(Z, rows, n, L, low, left, S)
            for i in range(low, min(low + 4, n)):
                s = S[i - low]
                x0 = s[0] * d0
                x1 = (s[1] - x0 * c10) * d1
                x2 = (s[2] - x0 * c20 - x1 * c21) * d2
                x3 = (s[3] - x0 * c30 - x1 * c31 - x2 * c32) * d3
                L[i, left], L[i, left + 1], L[i, left + 2], L[i, left + 3] = x0, x1, x2, x3
                R[left, i], R[left + 1, i], R[left + 2, i], R[left + 3, i] = x0, x1, x2, x3
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
