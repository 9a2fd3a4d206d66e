"""Files that break where the usual ones do not: quotation marks that never close, members that numpy did not write."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
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


def scores_of(path: Path) -> object:
    return pt.read_scores(path, higher_is="harder", column="test_error")


def stream_of(path: Path) -> object:
    return pt.select_stream(path, 0.5, higher_is="harder", score="test_error", out=path.parent / "out")


@pytest.mark.parametrize("read", [scores_of, stream_of, pt.read_runs])
def test_a_flipped_bit_that_only_the_checksum_of_a_page_sees(tmp_path: Path, read: Callable[[Path], object]) -> None:
    path = tmp_path / "table.parquet"
    error = np.array([0.125, 0.25, 0.375])
    columns = {"n_total": [9, 9, 9], "n_kept": [9, 5, 4], "selection": ["hard"] * 3, "seed": [0] * 3}
    table = pa.table({"test_error": error, **columns})
    pq.write_table(table, path, compression="none", use_dictionary=False, write_page_checksum=True)
    content = bytearray(path.read_bytes())
    at = content.index(error.tobytes())
    content[at + 6] ^= 1
    path.write_bytes(content)
    assert not pq.read_table(path).equals(table)  # another number is read, and nothing is said
    with pytest.raises(pt.InvalidInputError, match=r"table.parquet is not a readable parquet file .*CRC"):
        read(path)
