"""Keep-lists read by the packages they are written for, where these are installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perceptron_theory as pt
from perceptron_theory.keeplists.keep_list import KeepList
from perceptron_theory.keeplists.selecting import select

N = 500


def written(folder: Path, names: np.ndarray | None, f: float = 0.3) -> KeepList:
    keep = select(pt.Scores(np.random.default_rng(0).normal(size=N), "harder", ids=names), f)
    keep.write(folder)
    return keep


def test_datasets_select(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    keep = written(tmp_path, None)
    whole = datasets.Dataset.from_dict({"position": list(range(N))})
    assert whole.select(np.load(tmp_path / "kept_indices.npy"))["position"][:] == keep.indices.tolist()
    table = datasets.Dataset.from_parquet(str(tmp_path / "selection.parquet"), cache_dir=str(tmp_path / "cache"))
    assert table.filter(lambda row: row["kept"])["index"][:] == keep.indices.tolist()


@pytest.mark.parametrize("f", [0.3, 1.0])
@pytest.mark.parametrize("text", [True, False])
def test_curator_removes(tmp_path: Path, text: bool, f: float) -> None:
    removal = pytest.importorskip("nemo_curator.stages.text.deduplication.removal")
    tasks = pytest.importorskip("nemo_curator.tasks")
    numbers = np.random.default_rng(1).permutation(N)
    names = np.array([f"doc-{i}" for i in numbers]) if text else numbers
    keep = written(tmp_path, names, f)
    stage = removal.TextDuplicatesRemovalStage(str(tmp_path / "ids_to_remove.parquet"), id_field="id")
    left: list[object] = []
    for rows in np.array_split(np.arange(N), 7):
        frame = pd.DataFrame({"id": names[rows], "text": "x"})
        left += stage.process(tasks.DocumentBatch(dataset_name="d", data=frame)).to_pandas()["id"].tolist()
    assert left == keep.ids.tolist()
