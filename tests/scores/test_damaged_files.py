"""Files that break where the usual ones do not: quotation marks that never close, members that numpy did not write."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

import perceptron_theory as pt
from perceptron_theory.scores.readers.broken_lines import broken_line


def test_quotation_mark_that_never_closes(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    # Beyond 131,072 characters Python's reader gives a field up.
    path.write_text('id,score\n1,0.5\n2,"0.7\n' + "3,0.9\n" * 30_000)
    error = broken_line(path, ["id", "score"], "score")
    assert error is not None
    assert "line 3 of" in str(error)
    assert "close its quotation marks" in str(error)


def test_member_that_numpy_did_not_write(tmp_path: Path) -> None:
    path = tmp_path / "scores.npz"
    np.savez(path, scores=np.arange(3.0))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("notes.txt", "by hand")
    with pytest.raises(pt.ScoreError, match="is not an array"):
        pt.read_scores(path, higher_is="harder", key="notes.txt")


def test_array_under_the_suffix_of_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "scores.npz"
    with path.open("wb") as file:
        np.save(file, np.arange(3.0))
    with pytest.raises(pt.ScoreError, match="is a single array"):
        pt.read_scores(path, higher_is="harder")


def test_objects_in_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "scores.npz"
    np.savez(path, scores=np.array([1.0, None], dtype=object))
    with pytest.raises(pt.ScoreError, match="pickle"):
        pt.read_scores(path, higher_is="harder")
