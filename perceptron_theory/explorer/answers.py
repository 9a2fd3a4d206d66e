"""Numbers of all graphs, each computed once for what it depends on."""

from __future__ import annotations

import dataclasses
from typing import Final

import pandas as pd
import xarray as xr

from perceptron_theory.analyses.policies.policy import Policy
from perceptron_theory.explorer.curves import compute_curves
from perceptron_theory.explorer.frontier import compute_best, compute_frontier
from perceptron_theory.explorer.kept import compute_kept, compute_policy
from perceptron_theory.explorer.measured import Measured
from perceptron_theory.explorer.memory import Memory
from perceptron_theory.explorer.phases import compute_phases
from perceptron_theory.explorer.point import Point, solved_point
from perceptron_theory.explorer.setting import Setting
from perceptron_theory.margins.distributions import MeasuredMargins

_DEFAULT: Final = Setting()
#: Answers that are held: a few hundred kilobytes at most each.
_MOST_ANSWERS: Final = 400
#: Files that are held, and their bytes.
_MOST_FILES, _MOST_BYTES = 64, 2**30


class Answers:
    """What one server computes and holds, for all of its pages.

    Nothing is held by client: files are found by a token that only the page that sent them knows, and numbers by what
    they depend on, that token among it.

    Attributes
    ----------
    files : Memory
        Uploads, measured scores and calibrations by token.
    """

    def __init__(self) -> None:
        self.files = Memory(_MOST_FILES, _MOST_BYTES)
        self._numbers = Memory(_MOST_ANSWERS)

    def measured(self, token: str | None) -> Measured | None:
        """The scores of a token, None without one.

        Raises
        ------
        InvalidInputError
            If they are held no longer.
        """
        return None if token is None else self.files.find(token, Measured)

    def point(self, setting: Setting, token: str | None) -> Point:
        """The point where the sliders stand."""
        key = dataclasses.replace(setting, ceiling=_DEFAULT.ceiling)
        return self._numbers.recalled(("point", key, token), lambda: solved_point(setting, self._margins(token)))

    def curves(self, setting: Setting, token: str | None) -> dict[str, xr.Dataset]:
        """Error curves."""
        key = dataclasses.replace(setting, ceiling=_DEFAULT.ceiling)
        return self._numbers.recalled(("curves", key, token), lambda: compute_curves(setting, self._margins(token)))

    def frontier(self, setting: Setting, token: str | None) -> xr.Dataset:
        """The frontier, which does not depend on fraction and pool."""
        key = dataclasses.replace(setting, f=_DEFAULT.f, alpha_tot=_DEFAULT.alpha_tot)
        return self._numbers.recalled(("frontier", key, token), lambda: compute_frontier(setting, self._margins(token)))

    def best(self, setting: Setting, token: str | None) -> xr.Dataset:
        """The frontier at one size."""
        return self._numbers.recalled(("best", setting, token), lambda: compute_best(setting, self._margins(token)))

    def phases(self, setting: Setting, token: str | None) -> dict[str, xr.Dataset]:
        """The phase diagram, which depends on the angle alone."""
        key = ("phases", setting.theta_deg, token)
        return self._numbers.recalled(key, lambda: compute_phases(setting, self._margins(token)))

    def kept(self, setting: Setting, token: str | None) -> pd.DataFrame:
        """Densities of all data and of what is kept."""
        measured = self.measured(token)
        return compute_kept(setting, None if measured is None else measured.margins)

    def policy(self, setting: Setting) -> Policy:
        """The best policy."""
        key = ("policy", setting.alpha_tot, setting.f, setting.theta_deg)
        return self._numbers.recalled(key, lambda: compute_policy(setting))

    def warm(self) -> None:
        """Compute the first page: kernels compile now, not under a slider."""
        self.point(_DEFAULT, None)
        self.curves(_DEFAULT, None)
        self.frontier(_DEFAULT, None)
        self.best(_DEFAULT, None)
        self.phases(_DEFAULT, None)
        self.policy(_DEFAULT)

    def _margins(self, token: str | None) -> MeasuredMargins | None:
        measured = self.measured(token)
        return None if measured is None else measured.margins
