"""Sums whose order the compiler may choose."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from perceptron_theory.compiling import summing_kernel

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
SingleArray = npt.NDArray[np.float32]
Four = tuple[np.float32, np.float32, np.float32, np.float32]
Six = tuple[np.float32, np.float32, np.float32, np.float32, np.float32, np.float32]
ZERO: Final = np.float32(0.0)


@summing_kernel
def row_dot(Z: FloatArray, i: int, w: FloatArray) -> float:
    """Z[i] . w."""
    total = 0.0
    for k in range(w.size):
        total += Z[i, k] * w[k]
    return total


@summing_kernel
def tail_dot(R: FloatArray, i: int, x: FloatArray) -> float:
    """R[i, i+1:n] . x[i+1:] with n = x.size."""
    total = 0.0
    for k in range(i + 1, x.size):
        total += R[i, k] * x[k]
    return total


@summing_kernel
def block_dots(Z: SingleArray, rows: IntArray, at: int, w: SingleArray) -> Four:
    """Z[rows[at : at + 4]] . w."""
    z0, z1, z2, z3 = Z[rows[at]], Z[rows[at + 1]], Z[rows[at + 2]], Z[rows[at + 3]]
    dot0, dot1, dot2, dot3 = ZERO, ZERO, ZERO, ZERO
    for k in range(w.size):
        value = w[k]
        dot0 += z0[k] * value
        dot1 += z1[k] * value
        dot2 += z2[k] * value
        dot3 += z3[k] * value
    return dot0, dot1, dot2, dot3


@summing_kernel
def add_block_then_dots(Z: SingleArray, rows: IntArray, at: int, steps: Four, w: SingleArray, following: int) -> Four:
    """Add steps . Z[rows[at : at + 4]] to w, then Z[rows[following : following + 4]] . w; in one pass."""
    y0, y1, y2, y3 = Z[rows[at]], Z[rows[at + 1]], Z[rows[at + 2]], Z[rows[at + 3]]
    z0, z1, z2, z3 = Z[rows[following]], Z[rows[following + 1]], Z[rows[following + 2]], Z[rows[following + 3]]
    step0, step1, step2, step3 = steps
    dot0, dot1, dot2, dot3 = ZERO, ZERO, ZERO, ZERO
    for k in range(w.size):
        value = w[k] + step0 * y0[k] + step1 * y1[k] + step2 * y2[k] + step3 * y3[k]
        w[k] = value
        dot0 += z0[k] * value
        dot1 += z1[k] * value
        dot2 += z2[k] * value
        dot3 += z3[k] * value
    return dot0, dot1, dot2, dot3


@summing_kernel
def block_gram(Z: SingleArray, rows: IntArray, at: int) -> Six:
    """Dot products 01, 02, 03, 12, 13, 23 of the rows Z[rows[at : at + 4]]."""
    z0, z1, z2, z3 = Z[rows[at]], Z[rows[at + 1]], Z[rows[at + 2]], Z[rows[at + 3]]
    dot01, dot02, dot03, dot12, dot13, dot23 = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
    for k in range(Z.shape[1]):
        dot01 += z0[k] * z1[k]
        dot02 += z0[k] * z2[k]
        dot03 += z0[k] * z3[k]
        dot12 += z1[k] * z2[k]
        dot13 += z1[k] * z3[k]
        dot23 += z2[k] * z3[k]
    return dot01, dot02, dot03, dot12, dot13, dot23


@summing_kernel
def tile(Z: FloatArray, rows: IntArray, n: int, L: FloatArray, i: int, j: int, out: FloatArray) -> None:
    """Fill out[c, d], shape (4, 4), with x_(i+c) . x_(j+d) - L[i+c, :j] . L[j+d, :j], x_k = Z[rows[k]].

    Behind the n rows the last one is repeated.
    """
    i0, i1, i2, i3 = i, min(i + 1, n - 1), min(i + 2, n - 1), min(i + 3, n - 1)
    j0, j1, j2, j3 = j, min(j + 1, n - 1), min(j + 2, n - 1), min(j + 3, n - 1)
    a0, a1, a2, a3 = Z[rows[i0]], Z[rows[i1]], Z[rows[i2]], Z[rows[i3]]
    b0, b1, b2, b3 = Z[rows[j0]], Z[rows[j1]], Z[rows[j2]], Z[rows[j3]]
    s00, s01, s02, s03 = 0.0, 0.0, 0.0, 0.0
    s10, s11, s12, s13 = 0.0, 0.0, 0.0, 0.0
    s20, s21, s22, s23 = 0.0, 0.0, 0.0, 0.0
    s30, s31, s32, s33 = 0.0, 0.0, 0.0, 0.0
    for k in range(Z.shape[1]):
        u0, u1, u2, u3 = a0[k], a1[k], a2[k], a3[k]
        v0, v1, v2, v3 = b0[k], b1[k], b2[k], b3[k]
        s00, s01, s02, s03 = s00 + u0 * v0, s01 + u0 * v1, s02 + u0 * v2, s03 + u0 * v3
        s10, s11, s12, s13 = s10 + u1 * v0, s11 + u1 * v1, s12 + u1 * v2, s13 + u1 * v3
        s20, s21, s22, s23 = s20 + u2 * v0, s21 + u2 * v1, s22 + u2 * v2, s23 + u2 * v3
        s30, s31, s32, s33 = s30 + u3 * v0, s31 + u3 * v1, s32 + u3 * v2, s33 + u3 * v3
    a0, a1, a2, a3 = L[i0], L[i1], L[i2], L[i3]
    b0, b1, b2, b3 = L[j0], L[j1], L[j2], L[j3]
    for k in range(j):
        u0, u1, u2, u3 = a0[k], a1[k], a2[k], a3[k]
        v0, v1, v2, v3 = b0[k], b1[k], b2[k], b3[k]
        s00, s01, s02, s03 = s00 - u0 * v0, s01 - u0 * v1, s02 - u0 * v2, s03 - u0 * v3
        s10, s11, s12, s13 = s10 - u1 * v0, s11 - u1 * v1, s12 - u1 * v2, s13 - u1 * v3
        s20, s21, s22, s23 = s20 - u2 * v0, s21 - u2 * v1, s22 - u2 * v2, s23 - u2 * v3
        s30, s31, s32, s33 = s30 - u3 * v0, s31 - u3 * v1, s32 - u3 * v2, s33 - u3 * v3
    out[0, 0], out[0, 1], out[0, 2], out[0, 3] = s00, s01, s02, s03
    out[1, 0], out[1, 1], out[1, 2], out[1, 3] = s10, s11, s12, s13
    out[2, 0], out[2, 1], out[2, 2], out[2, 3] = s20, s21, s22, s23
    out[3, 0], out[3, 1], out[3, 2], out[3, 3] = s30, s31, s32, s33
