"""Where sliders can stand: round numbers, evenly spaced to the eye, and how they are read out."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from perceptron_theory.explorer.setting import Setting

#: Two-digit numbers, 24 to a decade, evenly spaced in their logarithm (IEC 60063).
_DECADE: Final = (
    1.0, 1.1, 1.2, 1.3, 1.5, 1.6, 1.8, 2.0, 2.2, 2.4, 2.7, 3.0, 3.3, 3.6, 3.9, 4.3, 4.7, 5.1, 5.6, 6.2, 6.8, 7.5, 8.2,
    9.1,
)  # fmt: skip


class Scale(NamedTuple):
    """A slider.

    Attributes
    ----------
    name : str
        Of the setting.
    label : str
        What it is called on the page.
    stops : list of float
        Values it can take, ascending.
    unit : str
        "%" for fractions that are read in per cent, or a word behind the number.
    """

    name: str
    label: str
    stops: list[float]
    unit: str = ""

    @property
    def start(self) -> int:
        """Stop of the default."""
        return self.stops.index(getattr(Setting, self.name))

    def said(self, value: float) -> str:
        """A value as the page reads it out.

        Examples
        --------
        >>> SCALES["f"].said(0.3), SCALES["alpha_tot"].said(1000.0), SCALES["theta_deg"].said(0.5)
        ('30 %', '1,000', '0.5°')
        """
        if self.unit == "%":
            return f"{100.0 * value:.4g} %"
        return f"{value:,.4g}{self.unit}" if value < 1000.0 else f"{value:,.0f}{self.unit}"


def _decades(first: float, last: float) -> list[float]:
    powers = range(int(np.floor(np.log10(first))), int(np.ceil(np.log10(last))) + 1)
    values = [float(f"{digits}e{power}") for power in powers for digits in _DECADE]
    return [value for value in values if first <= value <= last]


def _per_cent(values: np.ndarray) -> list[float]:
    return [round(float(value) / 100.0, 6) for value in values]


#: In the order of the page.
SCALES: Final = {
    scale.name: scale
    for scale in (
        Scale("theta_deg", "Angle between metric and truth, θ", (np.arange(181) / 2.0).tolist(), "°"),
        Scale("f", "Fraction kept, f", _per_cent(np.append(np.arange(1.0, 10.0, 0.5), np.arange(10, 101))), "%"),
        Scale("alpha_tot", "Examples in the pool per parameter", _decades(1.0, 1000.0)),
        Scale("ceiling", "Ceiling on the pool, for best fractions", _decades(2.0, 10_000.0)),
        Scale("lower", "Band: hardest share left out", _per_cent(np.arange(0, 96)), "%"),
        Scale(
            "lam", "Penalty of the loss, λ", [0.0, *(float(f"{m}e{p}") for p in range(-4, 2) for m in (1, 2, 5)), 100.0]
        ),
        Scale("flip", "Wrong labels", _per_cent(np.arange(0, 46)), "%"),
    )
}
