"""Small files for random command lines: score files and tables of runs of every format, valid and damaged."""

from __future__ import annotations

import io
import json
import pickle
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

#: Number of scores: enough for every command, quick for all.
COUNT = 40
#: Damaged copies of each valid file.
COPIES = 8

VALUES = np.random.default_rng(0).exponential(size=COUNT).round(3)
NAMES = np.array([f"image {k:02}" for k in range(COUNT)])
CLASSES = np.arange(COUNT) % 4
TABLE = pd.DataFrame({"el2n": VALUES, "uid": NAMES, "label": CLASSES})

#: Test errors of max-margin students with 100 parameters and theta = 0.2, to four digits.
RUNS = pd.DataFrame(
    [
        (400, 400, "random", 0.1156, 0),
        (400, 120, "hard", 0.2346, 0),
        (1600, 1600, "random", 0.0307, 0),
        (1600, 480, "hard", 0.0539, 0),
        (6400, 6400, "random", 0.0078, 0),
        (6400, 1920, "hard", 0.0104, 0),
    ],
    columns=["n_total", "n_kept", "selection", "test_error", "seed"],
)


def _bytes(write: Callable[[io.BytesIO], Any]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def _csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


def _runs(**columns: Any) -> bytes:
    return _csv(RUNS.assign(**columns))


def valid_scores() -> dict[str, bytes]:
    """Contents by file name; ImageNet-1K_DDD.csv and s.bin need other options than the others."""
    published = pd.DataFrame({"": range(COUNT), "image": NAMES, "score": VALUES})
    return {
        "s.npy": _bytes(lambda file: np.save(file, VALUES)),
        "s.npz": _bytes(lambda file: np.savez(file, el2n=VALUES, uid=NAMES, label=CLASSES)),
        "s.csv": _csv(TABLE),
        "s.parquet": _bytes(TABLE.to_parquet),
        "s.json": json.dumps(dict(zip(NAMES.tolist(), VALUES.tolist(), strict=True))).encode(),
        "s.bin": VALUES.astype(np.float32).tobytes(),
        "ImageNet-1K_DDD.csv": _csv(published),
    }


def valid_runs() -> dict[str, bytes]:
    """Contents by file name."""
    return {"runs.csv": _csv(RUNS), "runs.parquet": _bytes(RUNS.to_parquet)}


def bad_scores() -> dict[str, bytes]:
    """What no score file should hold, by file name."""
    ones = np.ones(COUNT)
    return {
        "object.npy": _bytes(lambda file: np.save(file, np.array([1, "a", None], dtype=object), allow_pickle=True)),
        "object.npz": _bytes(lambda file: np.savez(file, el2n=np.array([{}, []], dtype=object))),
        "constant.npy": _bytes(lambda file: np.save(file, ones)),
        "none.npy": _bytes(lambda file: np.save(file, ones[:0])),
        "one.npy": _bytes(lambda file: np.save(file, ones[:1])),
        "nan.npy": _bytes(lambda file: np.save(file, np.where(CLASSES, VALUES, np.nan))),
        "huge.npy": _bytes(lambda file: np.save(file, np.where(CLASSES, VALUES, 1e308))),
        "tiny.npy": _bytes(lambda file: np.save(file, VALUES * 1e-320)),
        "square.npy": _bytes(lambda file: np.save(file, np.ones((3, 3)) * np.arange(3))),
        "complex.npy": _bytes(lambda file: np.save(file, VALUES + 1j)),
        "text.npy": _bytes(lambda file: np.save(file, NAMES)),
        "whole.npy": _bytes(lambda file: np.save(file, np.array([2**63 - 1, -(2**63), 0]))),
        "times.npy": _bytes(lambda file: np.save(file, np.arange(5).astype("datetime64[s]"))),
        "pickle.npy": pickle.dumps(VALUES),
        "pickle.pt": pickle.dumps({"el2n": VALUES}),
        "noise.pt": bytes(range(256)),
        "empty.parquet": _bytes(TABLE[:0].to_parquet),
        "nested.json": json.dumps({"a": {"b": [1, 2]}, "c": None}).encode(),
        "deep.json": b"[" * 100_000,
        "list.json": b"[0.1, 0.5, 0.25, NaN]",
        "numbers.json": b'{"a": 1e999, "b": 123456789012345678901234567890, "c": 0}',
        "header.csv": b"el2n,uid,label\n",
        "wrong.csv": b"score,name\n1,a\n2,b\n",
        "repeated.csv": b"el2n,el2n,uid\n1,2,a\n3,4,b\n",
        "letters.csv": b"el2n,uid,label\n1,a,0\nthree,b,1\n",
        "huge.csv": b"el2n,uid,label\n1e308,a,0\n-1e308,b,1\n1e400,c,1\n",
        "row.csv": b"el2n,uid,label\n1,a,0\n",
        "ragged.csv": b"el2n,uid,label\n1,a\n2,b,1,4\n3,c,1\n",
        "zeros.csv": b"el2n,uid,label\n\x001,a,0\n2,b,1\n",
        "latin.csv": "el2n,uid,label\n1,é,0\n2,b,1\n".encode("latin-1"),
        "marked.csv": "\ufeffel2n,uid,label\n1,a,0\n2,b,1\n".encode("utf-16"),
        "quoted.csv": b'el2n,uid,label\n1,"a,0\n2,b,1\n',
        "same.csv": b"el2n,uid,label\n1,a,0\n2,a,1\n3,b,1\n",
        "no-ending": b"1\n2\n3\n",
        "s.xyz": b"\x00\x01\x02",
    }


def bad_runs() -> dict[str, bytes]:
    """What no table of runs should hold, by file name."""
    return {
        "missing.csv": _csv(RUNS.drop(columns="test_error")),
        "no-rows.csv": _csv(RUNS[:0]),
        "one-row.csv": _csv(RUNS[:1]),
        "two-rows.csv": _csv(RUNS[:2]),
        "nan.csv": _runs(test_error=np.nan),
        "nans.csv": _runs(test_error=[0.1, np.nan, 0.1, 0.2, 0.1, 0.1]),
        "large.csv": _runs(n_total=[10**308] * 6),
        "infinite.csv": _runs(n_total=np.inf),
        "huge.csv": _runs(n_total=10**18, n_kept=10**17, selection="hard"),
        "percent.csv": _runs(test_error=RUNS["test_error"] * 100),
        "zero.csv": _runs(test_error=0.0),
        "same.csv": _runs(test_error=0.1),
        "chance.csv": _runs(test_error=0.5),
        "tiny.csv": _runs(test_error=RUNS["test_error"] * 1e-300),
        "text.csv": _runs(test_error=["a", "b", "0.1", "0.2", "0.3", "0.4"]),
        "negative.csv": _runs(n_kept=-RUNS["n_kept"]),
        "more-kept.csv": _runs(n_kept=RUNS["n_total"] * 2),
        "fractions.csv": _runs(n_kept=RUNS["n_kept"] + 0.5),
        "rules.csv": _runs(selection="best"),
        "numbers.csv": _runs(selection=3),
        "bands.csv": _runs(selection="band:2"),
        "only-hard.csv": _csv(RUNS[RUNS["selection"] == "hard"]),
        "seeds.csv": _runs(seed="first"),
        "seed-nan.csv": _runs(seed=np.nan),
        "tested.csv": _runs(n_test=0),
        "tested-huge.csv": _runs(n_test=1e308),
        "two-students.csv": _csv(pd.concat([RUNS.assign(student="a"), RUNS.assign(student="b")])),
        "nameless.csv": _runs(student=["a", None] * 3),
        "nameless-random.csv": _runs(student=[None, "a"] * 3, probe=["any", "late"] * 3),
        "odd-column.csv": _csv(RUNS.assign(**{"a,b\n": "=1+1"})),
        "times.parquet": _bytes(RUNS.assign(n_total=pd.Timestamp(0)).to_parquet),
        "true.parquet": _bytes(RUNS.assign(test_error=True).to_parquet),
        "bytes.parquet": _bytes(RUNS.assign(selection=b"hard").to_parquet),
    }


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Cut, or some bits flipped, bytes lost or put in."""
    if rng.random() < 0.25:
        return content[: rng.randrange(len(content))]
    out = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = rng.randrange(len(out))
        kind = rng.random()
        if kind < 0.5:
            out[at] ^= 1 << rng.randrange(8)
        elif kind < 0.75:
            del out[at : at + rng.choice([1, 4, 30])]
        else:
            out[at:at] = rng.choice([b"\x00", b",", b'"', b"\n", b"\xff\xfe", b"1e999", b"nan"])
        if not out:
            break
    return bytes(out)


class InputFiles:
    """Files under one folder; names are relative to it.

    Attributes
    ----------
    scores, bad_scores, runs, bad_runs : list of str
        Names; bad ones may by chance be readable.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        rng = random.Random(0)
        self.scores = self._write("scores", valid_scores())
        self.runs = self._write("runs", valid_runs())
        self.bad_scores = self._write("bad-scores", bad_scores())
        self.bad_runs = self._write("bad-runs", bad_runs())
        for k in range(COPIES):
            worse = {name: damaged(content, rng) for name, content in valid_scores().items()}
            self.bad_scores += self._write(f"damaged-{k}", worse)
            worse = {name: damaged(content, rng) for name, content in valid_runs().items()}
            self.bad_runs += self._write(f"damaged-{k}", worse)
        self._odd_names()
        self._folders()

    def _write(self, where: str, contents: Mapping[str, bytes]) -> list[str]:
        (self.folder / where).mkdir(exist_ok=True)
        for name, content in contents.items():
            (self.folder / where / name).write_bytes(content)
        return [f"{where}/{name}" for name in contents]

    def _odd_names(self) -> None:
        """Valid contents under names that few expect."""
        names = ["-s", "--out", "é ü", "a\nb", "%s{}", "s\udcff", "x" * 200, "s.csv", "'\"", "=1+1", "\u202e"]
        valid = valid_scores()["s.npy"]
        self.scores += self._write("odd", {f"{name}.npy": valid for name in names})
        self.runs += self._write("odd", {f"{name}.csv": valid_runs()["runs.csv"] for name in ("r\udcff", "a\nb", "é")})

    def _folders(self) -> None:
        """Shards of a table, a label file, and folders in place of files."""
        parts = {f"part-{k}.parquet": _bytes(TABLE[k::2].to_parquet) for k in range(2)}
        self._write("shards", parts)
        self._write("labels", {"labels.npy": _bytes(lambda file: np.save(file, CLASSES))})
        for name in ("folder", "folder.npy", "folder.csv", "folder.parquet"):
            (self.folder / name).mkdir()
        self.bad_scores += ["folder", "folder.npy", "folder.csv", "folder.parquet", "shards/"]
        self.bad_runs += ["folder", "folder.csv", "folder.parquet"]
