"""The numbers of each graph as a table to take away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pandas as pd

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.explorer.answers import Answers
from perceptron_theory.explorer.calibrated import Calibrated, calibrated_table
from perceptron_theory.explorer.curves import curve_table
from perceptron_theory.explorer.frontier import frontier_table
from perceptron_theory.explorer.measured import Measured, score_histogram
from perceptron_theory.explorer.phases import phase_table
from perceptron_theory.explorer.setting import Setting

_OF_SETTING: Final[dict[str, Callable[[Answers, Setting, str | None], pd.DataFrame]]] = {
    "curves": lambda answers, setting, token: curve_table(answers.curves(setting, token)),
    "frontier": lambda answers, setting, token: frontier_table(answers.frontier(setting, token)),
    "phases": lambda answers, setting, token: phase_table(answers.phases(setting, token)),
    "kept": lambda answers, setting, token: answers.kept(setting, token),
}


def graph_table(graph: str, answers: Answers, setting: Setting, scores: str | None, runs: str | None) -> pd.DataFrame:
    """The numbers that a graph shows.

    Parameters
    ----------
    graph : {"curves", "frontier", "phases", "kept", "scores", "calibrated"}
        Which.
    answers : Answers
        Where they are computed, or held.
    setting : Setting
        Where the sliders stand.
    scores, runs : str or None
        Tokens of measured scores and of a calibration.

    Raises
    ------
    InvalidInputError
        If there is no such graph, or its file is held no longer.

    Examples
    --------
    >>> table = graph_table("curves", Answers(), Setting(), None, None)
    >>> len(table), set(table["status"])
    (122, {'converged'})
    """
    if graph in _OF_SETTING:
        table = _OF_SETTING[graph](answers, setting, scores)
        stamp: dict[str, Any] = {"theta_deg": setting.theta_deg, "student": setting.student}
        stamp |= {"lam": setting.lam, "flip": setting.flip} if setting.loses else {}
        return table.assign(**stamp)
    if graph == "scores":
        return score_histogram(answers.files.find(scores, Measured))
    if graph == "calibrated":
        return calibrated_table(answers.files.find(runs, Calibrated))
    raise InvalidInputError(f"no graph {graph!r}: use {', '.join(_OF_SETTING)}, scores or calibrated.")


def csv_text(table: pd.DataFrame) -> str:
    r"""A table as text with 12 digits, as the commands write it.

    Examples
    --------
    >>> csv_text(pd.DataFrame({"f": [0.1, 1 / 3]}))
    'f\n0.1\n0.333333333333\n'
    """
    return table.to_csv(index=False, float_format="%.12g", lineterminator="\n")
