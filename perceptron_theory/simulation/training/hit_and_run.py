"""A Markov chain whose direction is uniform over the version space {|w| = 1, Z w > 0}.

The chain moves v in R^N with the density exp(-|v|^2 / 2) on the cone Z v > 0. Both the density without the cone and
the cone are unchanged by what they should be unchanged by: the density depends on |v| only, the cone on v / |v| only.
So length and direction are independent, the length is chi with N degrees of freedom, and the direction is uniform on
the part of the unit sphere that lies in the cone. Each move leaves the density as it is:

- length: |v| drawn anew, direction kept;
- one coordinate i, the others kept (hit-and-run along an axis): on that line the cone is an interval [l, h], and the
  density is exp(-v_i^2 / 2) on it. With a level y uniform below that density (slice sampling, Neal 2003,
  Ann. Statist. 31, 705), the new v_i is uniform where l <= v_i <= h and v_i^2 <= -2 ln y.

The support is open, convex and moved through along all axes: no other law is left as it is. Moves along axes cost
O(P) each; along random directions they would cost O(N P), for the same mixing time in numbers of moves (measured).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from perceptron_theory.compiling import kernel

FloatArray = npt.NDArray[np.float64]

#: Stands for a field of zero: an example that is exactly on the boundary by rounding may still be left.
TINY: Final = 1e-300

#: What is recorded of the direction w: w_0, w_1, its overlap with a reference, ln of the smallest field, mean ln field.
#: They belong to the slow directions: the plane of the teacher, the centre of the cone, and its walls.
N_RECORDED: Final = 5


@kernel
def advance(
    columns: FloatArray, reference: FloatArray, v: FloatArray, uniforms: FloatArray, lengths: FloatArray
) -> FloatArray:
    """Move `v` in place; one row of recorded numbers for each draw.

    Parameters
    ----------
    columns : (N, P)
        Z transposed.
    reference : (N,)
        Unit vector.
    v : (N,)
        Inside the cone; changed.
    uniforms : (draws, sweeps, N, 2)
        In [0, 1): for each coordinate, the level and the place.
    lengths : (draws, sweeps)
        Independent draws of |v|.

    Returns
    -------
    ndarray, shape (draws, 5)
    """
    N, P = columns.shape
    draws, sweeps = lengths.shape
    records = np.empty((draws, N_RECORDED))
    t = np.empty(P)
    pull = np.empty(P)
    for draw in range(draws):
        for sweep in range(sweeps):
            scale = lengths[draw, sweep] / math.sqrt(np.sum(v * v))
            t[:] = 0.0  # fields from scratch: no rounding outlives a sweep
            for i in range(N):
                v[i] *= scale
                for mu in range(P):
                    t[mu] += v[i] * columns[i, mu]
            for i in range(N):
                z = columns[i]
                # Two plain loops: the compiler turns them into vector instructions, one loop it does not.
                for mu in range(P):
                    pull[mu] = z[mu] / max(t[mu], TINY)
                down, up = TINY, TINY
                for mu in range(P):
                    down = max(down, pull[mu])
                    up = max(up, -pull[mu])
                reach = math.sqrt(v[i] * v[i] - 2.0 * math.log(1.0 - uniforms[draw, sweep, i, 0]))
                low = max(v[i] - 1.0 / down, -reach)
                high = min(v[i] + 1.0 / up, reach)
                step = low + uniforms[draw, sweep, i, 1] * (high - low) - v[i]
                v[i] += step
                for mu in range(P):
                    t[mu] += step * z[mu]
        norm = math.sqrt(np.sum(v * v))
        smallest, log_sum, overlap = t[0], 0.0, 0.0
        for mu in range(P):
            smallest = min(smallest, t[mu])
            log_sum += math.log(max(t[mu], TINY))
        for i in range(N):
            overlap += v[i] * reference[i]
        records[draw, 0] = v[0] / norm
        records[draw, 1] = v[1] / norm
        records[draw, 2] = overlap / norm
        records[draw, 3] = math.log(max(smallest, TINY) / norm)
        records[draw, 4] = log_sum / P - math.log(norm)
    return records
