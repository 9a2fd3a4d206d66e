"""Theory against exact finite perceptrons, one cell for every kind of rule and data.

Cells were fixed before looking; the number of trials was not. With an earlier sampler 100 trials at N = 50 and
100 told too little. With this one "hard" stood at 4.35 standard errors (kappa) after 300 trials of seed 0; seeds 1 to
3 gave at most 1.3, and 5,000 trials of a plain sampler and of this one agreed at three sizes. The number was raised to
1,000, which keep those 300.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import perceptron_theory as pt

SIZES = (60, 120)
TRIALS = 1000

#: A distribution that is anything but Gaussian: few values, heavy tail, second moment 1.
LUMPY = np.array([0.1, 0.2, 0.4, 0.5, 0.8, 0.9, 1.2, 2.5])
LUMPY = LUMPY / np.sqrt(np.mean(LUMPY**2))
MAGNITUDES = pt.MeasuredMargins(LUMPY, signed=False)
SIGNED = pt.MeasuredMargins(np.concatenate([LUMPY, LUMPY, -LUMPY[:3]]), signed=True)


class Cell(NamedTuple):
    margins: pt.MeasuredMargins | None
    rule: str | pt.Band | pt.KeepProbability
    alpha_prune: float
    f: float | None
    theta_deg: float


LABEL_AWARE = pt.KeepProbability(lambda m: np.where(m < 0.5, 0.8, 0.1), breakpoints=[0.5])

CELLS = {
    "hard, perfect metric": Cell(None, "hard", 3.0, 0.3, 0.0),
    "hard": Cell(None, "hard", 3.0, 0.3, 20.0),
    "easy": Cell(None, "easy", 2.0, 0.5, 30.0),
    "band": Cell(None, pt.Band(0.2), 2.5, 0.4, 15.0),
    "label-aware": Cell(None, LABEL_AWARE, 2.0, None, 25.0),
    "lumpy, hard": Cell(MAGNITUDES, "hard", 2.0, 0.45, 30.0),
    "lumpy, easy": Cell(MAGNITUDES, "easy", 2.0, 0.3, 40.0),
    "signed, hard": Cell(SIGNED, "hard", 2.0, 0.6, 35.0),
}


#: Its Gaussian data are drawn in full, which takes longer than all others.
SLOW = pytest.param("label-aware", marks=pytest.mark.slow)


@pytest.mark.parametrize("name", [SLOW if name == "label-aware" else name for name in CELLS])
def test_theory_is_the_limit_of_simulations(name: str) -> None:
    """Every overlap, the margin and the test error within 4 standard errors after extrapolation in 1/N."""
    cell = CELLS[name]
    sims = [
        pt.simulate(
            N,
            cell.alpha_prune,
            cell.f,
            np.deg2rad(cell.theta_deg),
            selection=cell.rule,
            margins=cell.margins,
            trials=TRIALS,
            workers=1,
        )
        for N in SIZES
    ]
    comparison = pt.compare(pt.solve, sims)
    theory = comparison.data.theory.isel(size=-1)
    print(f"{name}: {comparison.deviation.values.round(2)} standard errors")
    assert comparison.worst < 4
    # The comparison has teeth: a few per cent would show.
    assert np.all(comparison.data.difference_error < 0.06 * np.abs(theory))
