"""What is to be calibrated, as the options of a command say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from perceptron_theory.calibration.calibrating import calibrate
from perceptron_theory.calibration.calibration import Calibration
from perceptron_theory.calibration.comparing import THEORIES, ModelComparison, Theory, compare_models
from perceptron_theory.cli.arguments import trained
from perceptron_theory.cli.run_tables import ChosenRuns, read_chosen
from perceptron_theory.cli.score_files import read_if_named
from perceptron_theory.convex_loss import LOSSES, ConvexLoss
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.scores.scores import Scores

#: Where the penalty is fitted or fixed, the loss needs one that is then replaced.
_REPLACED = "0.1"


@dataclass(frozen=True, eq=False)
class CalibrationOptions:
    """Options shared by `calibrate` and `recommend`.

    Attributes
    ----------
    chosen : ChosenRuns
        The runs.
    scores : Scores or None
        Along the metric; None is Gaussian.
    student : "max-margin" or ConvexLoss
        Whose theory is fitted.
    free : tuple of str
        What is fitted.
    fixed : dict
        What is held.
    chance, level : float
        Error of guessing; of intervals and bands.
    intervals : str
        "profile" or "bootstrap".
    n_bootstrap, seed : int
        Replicates, and start of their random numbers.
    """

    chosen: ChosenRuns
    scores: Scores | None
    student: str | ConvexLoss
    free: tuple[str, ...]
    fixed: Mapping[str, float]
    chance: float
    level: float
    intervals: str
    n_bootstrap: int
    seed: int

    def calibrate(self) -> Calibration:
        """The calibration that was asked for."""
        return calibrate(
            self.chosen.runs,
            self.scores,
            student=self.student,
            chance=self.chance,
            free=self.free,
            fixed=self.fixed,
            intervals=cast(Literal["profile", "bootstrap", "normal"], self.intervals),
            level=self.level,
            n_bootstrap=self.n_bootstrap,
            seed=self.seed,
            progress=True,
        )

    def compare(self) -> ModelComparison:
        """The default theories, what was asked for, and the laws, on held-out runs."""
        theories = {name: THEORIES[name] for name in ("max-margin", "max-margin, stretched")}
        asked = Theory(self.student, self.free)
        if asked not in theories.values() and not self.fixed:
            theories[f"{self.student_name}, {'+'.join(self.free)}"] = asked
        return compare_models(self.chosen.runs, self.scores, chance=self.chance, theories=theories, progress=True)

    @property
    def student_name(self) -> str:
        """The student in words, without a penalty that is fitted or fixed."""
        return self.student if isinstance(self.student, str) else self.student.loss

    @property
    def plain(self) -> dict[str, Any]:
        """All options as numbers, strings and lists."""
        own_lam = isinstance(self.student, ConvexLoss) and "lam" not in (*self.free, *self.fixed)
        return {
            "where": list(self.chosen.where),
            "student": self.student_name,
            "lam": cast(ConvexLoss, self.student).lam if own_lam else None,
            "chance": self.chance,
            "free": list(self.free),
            "fixed": dict(self.fixed),
            "intervals": self.intervals,
            "level": self.level,
            "n_bootstrap": self.n_bootstrap if self.intervals == "bootstrap" else None,
            "seed": self.seed,
            "margins": "Gaussian" if self.scores is None else "by rank",
        }


def asked(
    *,
    runs: Path,
    scores: Path | None,
    where: Sequence[str],
    chance: float,
    student: str,
    lam: str | None,
    free: str,
    fix: Sequence[str],
    intervals: str,
    level: float,
    n_bootstrap: int,
    seed: int,
    **reading: str | None,
) -> CalibrationOptions:
    """Options as they were given, read and checked as far as they can be before the work."""
    names = tuple(name.strip() for name in free.split(",") if name.strip())
    fixed = dict(_fixed(one) for one in fix)
    who = _student(student, lam, (*names, *fixed))
    chosen = read_chosen(runs, where)
    along = read_if_named(scores, reading)
    return CalibrationOptions(chosen, along, who, names, fixed, chance, level, intervals, n_bootstrap, seed)


def _student(student: str, lam: str | None, named: Sequence[str]) -> str | ConvexLoss:
    if "lam" in named and lam is not None:
        raise InvalidInputError(f"--lam {lam} contradicts lam in --free or --fix: leave one of them out.")
    if student not in ("max-margin", *LOSSES):
        raise InvalidInputError(
            f"unknown --student {student!r} of a calibration: use max-margin, or a loss ({', '.join(LOSSES)})."
        )
    who, _ = trained(student, _REPLACED if "lam" in named and student in LOSSES else lam, 0.0)
    return who


def _fixed(one: str) -> tuple[str, float]:
    name, _, value = one.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise InvalidInputError(f"--fix must be NAME=NUMBER, got {one!r}: for example theta=0.2, in radians.") from None
