"""Small files that would be huge once read: refused before, without the memory that they ask for."""

from __future__ import annotations

import base64
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import perceptron_theory as pt

pytest.importorskip("dash")
pytest.importorskip("torch")

import torch

from perceptron_theory.explorer.sizes import MOST_ROWS, check_file, check_scores

#: What refusing one may cost, in megabytes.
MOST_MB = 300
#: Reads files in the order of their names; writes what was said of each, and how much the process has grown by then.
READER = """
import json, resource, sys
from pathlib import Path
import perceptron_theory as pt
from perceptron_theory.explorer.uploads import received
import numpy, pandas, pyarrow.parquet, torch

def most_mb():
    # Not from getrusage where this is known: there a process begins with the size of the one that started it.
    status = Path("/proc/self/status").read_text() if Path("/proc/self/status").exists() else ""
    lines = [line for line in status.splitlines() if line.startswith("VmHWM")]
    if lines:
        return int(lines[0].split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)

def said(path):
    sent = "data:;base64," + path.read_text()
    try:
        upload = received(sent, path.name.partition("_")[2])
        upload.scores("harder", upload.parts[-1] if upload.parts else None)
    except pt.PerceptronTheoryError as error:
        return str(error)
    return "read"

folder = Path(sys.argv[1])
for path in sorted(folder.glob("0_*")):  # what is loaded once, and is no matter of size
    assert said(path) == "read", said(path)
found = {}
for path in sorted(folder.glob("1_*")):
    before = most_mb()
    found[path.name.partition("_")[2]] = (said(path), most_mb() - before)
print(json.dumps(found))
"""


def saved(value: object) -> bytes:
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def described(description: bytes) -> bytes:
    """A file of torch.save with another description, deflated."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(torch.zeros(1)))) as given, zipfile.ZipFile(file, "w") as made:
        for one in given.infolist():
            if one.filename.endswith("data.pkl"):
                made.writestr(one.filename, description, zipfile.ZIP_DEFLATED)
            else:
                made.writestr(one, given.read(one))
    return file.getvalue()


def called(module: str, name: str, argument: int) -> bytes:
    """A pickle that calls a function with a number."""
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + pickle.dumps(argument, 2)[2:-1] + b"\x85R."


def npy(shape: tuple[int, ...], dtype: str = "<f8", content: bytes = b"") -> bytes:
    """A .npy file that claims a shape."""
    file = io.BytesIO()
    header = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + content


def npz(array: np.ndarray, repeated: int = 1) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, *[array] * repeated)
    return file.getvalue()


def member(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", content)
    return file.getvalue()


def parquet(table: pa.Table, **how: object) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, store_schema=False, **how)
    return file.getvalue()


def constant(rows: int, value: float | str = 0.5) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([value]))


def runs(rows: int, **more: pa.Array) -> pa.Table:
    """A table of runs of equal rows."""
    numbers = {name: constant(rows) for name in ("n_total", "n_kept", "test_error", "seed")}
    return pa.table({"selection": constant(rows, "hard"), **numbers, **more})


def nested(levels: int, width: int) -> list[object]:
    """Lists of one list again and again: each level is `width` times as long, and takes a few bytes."""
    made: list[object] = [1.0]
    for _ in range(levels):
        made = [made] * width
    return made


BOMBS: dict[str, Callable[[], bytes]] = {
    "expanded.pt": lambda: saved(torch.zeros(1).expand(300_000_000)),
    "expanded_matrix.pt": lambda: saved({"a": torch.zeros(1).expand(20_000, 20_000)}),
    "nested.pt": lambda: saved(nested(9, 10)),
    "texts.pt": lambda: saved(["x" * 100_000, *["y"] * 10_000]),
    "allocated.pt": lambda: described(called("torch.storage", "UntypedStorage", 2 * 10**9)),
    "called.pt": lambda: described(called("builtins", "bytearray", 2 * 10**9)),
    "remembered.pt": lambda: described(b"\x80\x02Nr\xff\xff\xff\x0f."),
    "followed.pt": lambda: described(b"\x80\x05\x96" + (2 * 10**9).to_bytes(8, "little") + b"."),
    "lists.pt": lambda: described(b"\x80\x02(" + b"]" * 5_000_000 + b"l."),
    "zeros.pt": lambda: described(b"\x80\x02N" + b"\0" * 150_000_000),
    "equal.parquet": lambda: parquet(pa.table({"score": constant(2_500_000)})),
    "few.parquet": lambda: parquet(pa.table({"score": np.arange(2_500_000) % 50 / 7})),
    "long_text.parquet": lambda: parquet(pa.table({"score": constant(1_500, "x" * 1_000_000)})),
    "lists.parquet": lambda: parquet(
        pa.table({"score": pa.FixedSizeListArray.from_arrays(np.ones(30_000_000, np.float32), 100)})
    ),
    "dotted.parquet": lambda: parquet(pa.table({"the.score": constant(1_500, "x" * 1_000_000)})),
    "struct.parquet": lambda: parquet(
        pa.table({"score": pa.StructArray.from_arrays([pa.array(np.zeros(500_000))] * 200, list(map(str, range(200))))})
    ),
    "columns.parquet": lambda: parquet(runs(20_000, **dict.fromkeys(map(str, range(4_000)), constant(20_000)))),
    "groups.parquet": lambda: parquet(
        pa.table(dict.fromkeys(map(str, range(900)), constant(50))), row_group_size=1, compression="none"
    ),
    "runs.parquet": lambda: parquet(runs(2_500_000)),
    "run_text.parquet": lambda: parquet(runs(15_000, student=constant(15_000, "x" * 100_000))),
    "returns.csv": lambda: b"score\r" + b"0.5\r0.25\r" * 2_000_000,
    "returns_of_runs.csv": lambda: b"n_total,n_kept,selection,test_error,seed\r" + b"9,9,hard,.5,0\r" * 100_000,
    "header.csv": lambda: b"a," * 5_000_000 + b"\n" + b"1," * 10,
    "line.csv": lambda: b"a\n" + b"ab," * 5_000_000,
    "wide_runs.csv": lambda: b"n_total,n_kept,selection,test_error,seed\n" + (b"ab," * 900 + b"\n") * 5_000,
    "shape.npy": lambda: npy((10**12,)),
    "shape_of_nothing.npy": lambda: npy((10**12,), "|S0"),
    "large_numbers.npy": lambda: npy((1_000_000,), "|S2000"),
    "zeros.npz": lambda: npz(np.zeros(20_000_000)),
    "bytes.npz": lambda: npz(np.zeros(100_000_000, np.int8)),
    "many.npz": lambda: npz(np.zeros(4_000_000), 5),
    "shape.npz": lambda: member(npy((10**12,), content=b"\0" * 1000)),
    "members.npz": lambda: b"PK\x01\x02" * 5_000 + npz(np.zeros(3)),
    "header.npz": lambda: member(b"\x93NUMPY\x02\x00\xff\xff\xff\x07" + b" " * 50_000_000),
    "deep.json": lambda: b"[" * 10_000_000,
    "deep_object.json": lambda: b'{"a":' * 2_000_000,
    "wide.json": lambda: b'{"a": [' + b"[]," * 5_000_000 + b"[]]}",
    "pairs.json": lambda: b'{"a":1.5' + b',"b":2.5' * 2_000_000 + b"}",
    "quotes.json": lambda: b'{"' + b'\\"' * 1_000_000,
    "utf16.json": lambda: ('{"a": [' + "[]," * 1_000_000 + "[]]}").encode("utf-16"),
}  # fmt: skip

RIGHT: dict[str, Callable[[], bytes]] = {
    "a.npy": lambda: npy((3,), content=np.arange(3.0).tobytes()),
    "a.npz": lambda: npz(np.arange(3.0)),
    "a.csv": lambda: b"a\n1\n2\n",
    "a.json": lambda: b'{"a": 1, "b[": 2, "c\\"{": 3}',
    "a.parquet": lambda: parquet(pa.table({"image": ["a", "b"], "score": [1.0, 2.0]})),
    "a.pt": lambda: saved({"id": ["a", "b"], "score": torch.arange(2.0)}),
}


def write(folder: Path, kind: int, files: dict[str, Callable[[], bytes]]) -> None:
    for name, made in files.items():
        (folder / f"{kind}_{name}").write_bytes(base64.b64encode(made()))


@pytest.mark.skipif(os.name != "posix", reason="how large a process was is asked of Linux and macOS")
def test_bombs_are_refused_without_the_memory_that_they_ask_for(tmp_path: Path) -> None:
    write(tmp_path, 0, RIGHT)
    write(tmp_path, 1, BOMBS)
    command = [sys.executable, "-c", READER, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1000:]
    found = json.loads(done.stdout)
    for name, (said, grown) in found.items():
        print(f"{name}: {(tmp_path / f'1_{name}').stat().st_size * 3 // 4:,} bytes, {grown:.0f} MB: {said}")
    assert found.keys() == BOMBS.keys()
    assert [name for name, (said, _) in found.items() if said == "read" or name not in said] == []
    # Of all of them together: a process does not shrink here.
    assert sum(grown for _, grown in found.values()) < MOST_MB


@pytest.mark.parametrize(
    "value",
    [
        torch.arange(3),
        torch.arange(3, dtype=torch.bfloat16),
        torch.nn.Parameter(torch.arange(3.0)),
        torch.arange(6.0)[::2],
        [1, 2.5, True],
        {"id": ["a", "b"], "shape": {"n": [3]}, "type": torch.float32, "score": torch.arange(3.0)},
    ],
)
def test_what_torch_saves_is_followed(value: object) -> None:
    content = saved(value)
    check_file("a.pt", ".pt", content)
    check_scores("a.pt", ".pt", content, "score" if isinstance(value, dict) else None)


@pytest.mark.parametrize(
    ("type_", "number"),
    [
        (pa.float16(), True), (pa.float32(), True), (pa.int8(), True), (pa.uint64(), True), (pa.bool_(), True),
        (pa.string(), False), (pa.binary(), False), (pa.list_(pa.float64()), False), (pa.binary(3), False),
        (pa.dictionary(pa.int32(), pa.string()), False),
    ],
)  # fmt: skip
def test_columns_of_numbers_are_told_from_text(type_: pa.DataType, number: bool) -> None:
    values = pd.Series([None, None]) if not number else pd.Series([0, 1])
    column = pa.array(values.to_numpy(np.float16) if type_ == pa.float16() else values, type_)
    content = parquet(pa.table({"other": ["x", "y"], "score": column}))
    if number:
        check_scores("a.parquet", ".parquet", content, "score")
    else:
        with pytest.raises(pt.ScoreError, match=r"score.* of a\.parquet holds no numbers"):
            check_scores("a.parquet", ".parquet", content, "score")


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_rows_are_counted_whichever_way_they_end(end: bytes) -> None:
    for last in (b"", end):
        check_file("a.csv", ".csv", b"a" + (end + b"1") * MOST_ROWS + last)
        with pytest.raises(pt.ScoreError, match=rf"a\.csv has {MOST_ROWS + 1:,} rows, more than"):
            check_file("a.csv", ".csv", b"a" + (end + b"1") * (MOST_ROWS + 1) + last)


def test_texts_of_a_json_file_do_not_count() -> None:
    check_file("a.json", ".json", b'{"[{,,\\"[": 1, "\\\\": 2}')
    with pytest.raises(pt.ScoreError, match="no other in it"):
        check_file("a.json", ".json", b'{"\\\\": [2]}')
