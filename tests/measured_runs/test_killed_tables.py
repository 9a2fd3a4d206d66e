"""Tables of measured runs whose process ended while it moved them to their places."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
import torch

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.measured_runs import measure_mnist
from perceptron_theory.measured_runs.cifar_runs import Settings
from perceptron_theory.measured_runs.cifar_table import FILES, RunTable
from perceptron_theory.measured_runs.measure_mnist import FACTS_FILE, RUNS_FILE


def interrupted_at(move: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real, moves = os.replace, iter(range(1, 100))

    def replace(*paths: Path) -> None:
        if next(moves) == move:
            raise KeyboardInterrupt
        real(*paths)

    monkeypatch.setattr(os, "replace", replace)


@pytest.mark.parametrize("move", [1, 2, 3])
def test_cifar_goes_on(move: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = RunTable(tmp_path, Settings(), torch.device("cpu"))
    interrupted_at(move, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        table.scores(lambda: (pd.DataFrame({"score": [0.5]}), {"networks": 1}))
    assert sum((tmp_path / name).exists() for name in FILES) == move - 1
    RunTable(tmp_path, Settings(), torch.device("cpu"))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)


@pytest.mark.parametrize("move", [1, 2])
def test_mnist_goes_on(move: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_at(move, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        measure_mnist._write(tmp_path, [], {"settings": "others"})

    with pytest.raises(InvalidInputError, match="holds runs of other settings"):
        measure_mnist.measure(tmp_path, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([RUNS_FILE, FACTS_FILE])
