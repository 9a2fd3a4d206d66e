"""The Gibbs student: any student that classifies the kept examples correctly, all equally likely."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.simulation.training.hard_margin.solver import MaxMargin
from perceptron_theory.simulation.training.hit_and_run import N_RECORDED, advance
from perceptron_theory.simulation.training.r_hat import split_r_hat
from perceptron_theory.simulation.training.trained import Trained, UncertifiedError, checked_examples
from perceptron_theory.validation import one_number, positive

FloatArray = npt.NDArray[np.float64]

#: Records in one round of one chain.
_DRAWS: Final = 20


class Samples(NamedTuple):
    """Independent students from one version space.

    Attributes
    ----------
    w : ndarray of float64, shape (chains, N)
        Unit vectors. Their mutual overlap estimates q, their sum the Bayes point.
    gap : float
        Largest R-hat - 1 of the chains they are the last states of.
    """

    w: FloatArray
    gap: float


@dataclass(frozen=True)
class Gibbs:
    """One student drawn uniformly from the version space {|w| = 1, Z w > 0}.

    Several chains (`hit_and_run`) start at different places and run until they agree: the second half of their records
    must have a small R-hat (`r_hat`) in every recorded number. If not, they run on to twice the length, a few times.
    The teacher is not looked at.

    Certificate (`Trained.gap`): the largest R-hat - 1. `Trained.n_support` is 0: no example has a dual variable.

    Parameters
    ----------
    chains : int
        Number of chains, at least 2.
    rounds : int
        Shortest run, at least 2. One round is about N sweeps over the coordinates (20 if N < 20), that is N^2 moves,
        because memory was measured to last in proportion: the autocorrelation time of the slowest overlap is 0.3 to 5
        rounds for N = 60 to 240, from easy (0.3) to hard with few kept (4), and starts are forgotten within 4.
    doublings : int
        How often the run may be doubled, at least 0.
    tolerance : float
        Largest certificate, > 0. With 0.1 (Gelman and Rubin 1992) the means of half chains scatter by less than half
        a standard deviation of the version space, about the noise of the shortest run. Averages over the draws of a
        chain, which are not taken here, would ask for 0.01 and runs ten times longer.

    Raises
    ------
    InvalidInputError
        If a parameter is out of range.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> pt.simulate(20, alpha_prune=1.0, f=0.5, student=pt.Gibbs(), trials=3).test_error.shape
    (3,)
    """

    chains: int = 4
    rounds: int = 40
    doublings: int = 4
    tolerance: float = 0.1
    name: ClassVar[str] = "gibbs"

    def __post_init__(self) -> None:
        for field, least, meaning in (
            ("chains", 2, "chains are compared with each other"),
            ("rounds", 2, "the first half is discarded"),
            ("doublings", 0, "it is how often the run may be doubled"),
        ):
            value = getattr(self, field)
            if not isinstance(value, (int, np.integer)) or value < least:
                raise InvalidInputError(f"Gibbs.{field} must be an integer >= {least}, got {value!r}: {meaning}.")
        one_number("Gibbs.tolerance", positive("Gibbs.tolerance", self.tolerance, "it is the largest R-hat - 1"))

    def train(self, Z: FloatArray, rng: np.random.Generator) -> Trained:
        """One student; on one machine the same `Z` and generator state give the same bits.

        (Rounding grows along a chain: where sums round otherwise, another student comes out, as good as this one.)

        Raises
        ------
        InvalidInputError
            If `Z` is not a finite matrix, or no student classifies all its examples.
        UncertifiedError
            If the chains do not agree within the longest run.
        """
        samples = self.samples(Z, rng)
        return Trained(samples.w[0], samples.gap, 0)

    def samples(self, Z: FloatArray, rng: np.random.Generator) -> Samples:
        """As many independent students as there are chains. Raises as `train`."""
        Z = checked_examples(Z)
        columns = np.ascontiguousarray(Z.T)
        centre = max_margin_direction(Z)
        states = [_spread_start(Z, centre, rng) for _ in range(self.chains)]
        records = np.empty((self.chains, 0, N_RECORDED))
        rounds, gap = self.rounds, math.inf
        for _ in range(self.doublings + 1):
            while records.shape[1] < rounds * _DRAWS:
                new = np.stack([_round(columns, centre, v, rng) for v in states])
                records = np.concatenate([records, new], axis=1)
            settled = records[:, records.shape[1] // 2 :]
            gap = max(1.0, *(split_r_hat(settled[:, :, k]) for k in range(settled.shape[2]))) - 1.0
            w = np.stack([v / np.linalg.norm(v) for v in states])
            if gap <= self.tolerance and (Z @ w.T > 0.0).all():
                return Samples(w, gap)
            rounds *= 2
        raise UncertifiedError(
            f"gibbs student: chains still differ after {rounds // 2} rounds, R-hat - 1 is {gap:.3g}, must be at most "
            f"{self.tolerance:g}: allow longer runs (Gibbs.rounds, Gibbs.doublings).",
            gap,
        )


def max_margin_direction(Z: FloatArray) -> FloatArray:
    """Unit vector (N,) with the largest smallest field, the start and the reference of the chains.

    Raises
    ------
    InvalidInputError
        If no weights classify all examples correctly.
    """
    try:
        return MaxMargin().train(Z, np.random.default_rng(0)).w
    except UncertifiedError:
        raise InvalidInputError(
            f"no weights were found that classify all {Z.shape[0]} examples correctly: there is no version space to "
            "sample. Use fewer examples, labels without noise, or a student with a loss."
        ) from None


def _spread_start(Z: FloatArray, centre: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Half way from the centre of the cone to the point of the cone that is nearest to a random one.

    Such points lie on faces of the cone: the starts are spread wider than the version space, as R-hat asks.
    """
    far = rng.standard_normal(size=(Z.shape[1],))
    a, _ = nnls(Z.T, -far, maxiter=30 * Z.shape[0])
    return np.asarray(centre + (far + Z.T @ a) / math.sqrt(far.size))


def _round(columns: FloatArray, centre: FloatArray, v: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Move `v` in place through one round; its records."""
    N = columns.shape[0]
    sweeps = math.ceil(N / _DRAWS)
    lengths = np.sqrt(rng.chisquare(N, (_DRAWS, sweeps)))
    return advance(columns, centre, v, rng.random((_DRAWS, sweeps, N, 2)), lengths)
