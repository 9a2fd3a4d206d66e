"""Measured runs and facts about them in a folder: written after every run, and gone on with at the next start."""

from __future__ import annotations

import csv
import dataclasses
import json
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd
import torch

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.measured_runs.cifar_runs import Cell, Settings
from perceptron_theory.measured_runs.cifar_scores import read_score_table
from perceptron_theory.measured_runs.measured_run import Run
from perceptron_theory.output import check_writable, settle, write_all
from perceptron_theory.version import __version__

RUNS_FILE: Final = "cifar_runs.csv"
FACTS_FILE: Final = "cifar_runs.json"
SCORES_FILE: Final = "scores_cifar10.parquet"
FILES: Final = (SCORES_FILE, RUNS_FILE, FACTS_FILE)


class RunTable:
    """The table of a folder.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    settings : Settings
        Of all runs in it.
    device : torch.device
        Where runs are measured from now on, for the facts.

    Raises
    ------
    InvalidInputError
        If the folder holds runs of other settings, or some of its files are missing.
    OutputError
        If the folder cannot be written.
    """

    def __init__(self, folder: Path, settings: Settings, device: torch.device) -> None:
        check_writable(folder, FILES)
        settle(folder, FACTS_FILE)
        self._folder = folder
        self._rows: list[dict[str, str]] = []
        now = json.loads(json.dumps(dataclasses.asdict(settings)))
        self._facts: dict[str, Any] = {"settings": now, "starts": []}
        there = [name for name in FILES if (folder / name).exists()]
        if there:
            self._go_on(there)
        self._since, self._start = time.perf_counter(), _this_start(device)
        self._facts["starts"].append(self._start)
        self._done = {_key(row) for row in self._rows}

    def __contains__(self, cell: Cell) -> bool:
        return _key(cell._asdict()) in self._done

    def scores(self, measure: Callable[[], tuple[pd.DataFrame, dict[str, Any]]]) -> pd.DataFrame:
        """Scores of an earlier start; where there are none, those that `measure` gives with facts about them.

        Raises
        ------
        ScoreError
            If the file of scores is damaged.
        OutputError
            If they cannot be written.
        """
        if "scores" not in self._facts:
            scores, self._facts["scores"] = measure()
            self._write({SCORES_FILE: lambda path: scores.to_parquet(path, index=False, write_page_checksum=True)})
        return read_score_table(self._folder / SCORES_FILE)

    def add(self, run: Run) -> None:
        """Keep a run.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        row = {name: str(value) for name, value in run._asdict().items()}
        self._rows.append(row)
        self._done.add(_key(row))
        self._start["runs"] += 1
        self._write()

    def _write(self, scores: Mapping[str, Callable[[Path], object]] = MappingProxyType({})) -> None:
        self._start["seconds"] = round(time.perf_counter() - self._since, 1)
        text = json.dumps(self._facts, indent=2) + "\n"
        facts = {FACTS_FILE: lambda path: path.write_text(text, encoding="utf-8")}
        write_all(self._folder, {**scores, RUNS_FILE: self._write_rows, **facts})

    def _write_rows(self, path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, Run._fields, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self._rows)

    def _go_on(self, there: list[str]) -> None:
        """Take up what is there."""
        missing = [name for name in FILES if name not in there]
        if missing:
            raise InvalidInputError(
                f"{self._folder} holds {' and '.join(there)} without {' and '.join(missing)}: put back what is "
                "missing, or delete the rest."
            )
        facts = json.loads((self._folder / FACTS_FILE).read_text(encoding="utf-8"))
        if facts["settings"] != self._facts["settings"]:
            raise InvalidInputError(
                f"{self._folder} holds runs of other settings: choose another folder, or delete them."
            )
        self._facts = facts
        with (self._folder / RUNS_FILE).open(encoding="utf-8", newline="") as file:
            self._rows = list(csv.DictReader(file))


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in Cell._fields)


def _this_start(device: torch.device) -> dict[str, Any]:
    """Device and versions; runs and seconds are counted later."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    versions = {"perceptron_theory": __version__, "python": platform.python_version()}
    versions |= {"numpy": np.__version__, "torch": torch.__version__}
    return {"device": f"{device.type}: {name}", "versions": versions, "runs": 0, "seconds": 0.0}
