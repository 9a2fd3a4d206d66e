"""Every file of a keep-list, byte for byte or column by column, and that all of them are written or none."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_scores import gaussian_scores

import perceptron_theory as pt
from perceptron_theory.keeplists import formats
from perceptron_theory.keeplists.keep_list import KeepList
from perceptron_theory.keeplists.selecting import select

ALWAYS = ["kept_indices.npy", "mask.npy", "ids.txt", "selection.parquet", "ids_to_remove.parquet", "selection.json"]


def example(ids: list[str] | None = None, n: int = 60, seed: int = 0) -> KeepList:
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(size=n), 1)
    names = np.array(ids if ids else [f"n{i % 3}/é{i:05d}.JPEG" for i in rng.permutation(n)])
    scores = pt.Scores(values, "easier", "made up", ids=names, labels=np.arange(n) % 3, metric="EL2N")
    return select(scores, 0.4, class_floor=0.5, theory={"theta": 0.2, "theta_interval": [0.1, 0.3]})


def uids(n: int) -> list[str]:
    return [hashlib.md5(str(i).encode()).hexdigest() for i in range(n)]


def saved(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_indices_mask_and_ids(tmp_path: Path) -> None:
    keep = example()
    assert [path.name for path in keep.write(tmp_path)] == ALWAYS
    assert sorted(content(tmp_path)) == sorted(ALWAYS)
    indices = np.array(sorted(keep.indices), dtype="<i8")
    assert (tmp_path / "kept_indices.npy").read_bytes() == saved(indices)
    mask = np.isin(np.arange(60), indices)
    assert (tmp_path / "mask.npy").read_bytes() == saved(mask)
    assert keep.scores.ids is not None
    lines = "".join(keep.scores.ids[i] + "\n" for i in indices)
    assert (tmp_path / "ids.txt").read_bytes() == lines.encode()


def test_table(tmp_path: Path) -> None:
    keep = example()
    keep.write(tmp_path)
    table = pq.read_table(tmp_path / "selection.parquet")
    assert table.schema.names == ["id", "index", "label", "score", "rank", "kept", "reason"]
    assert [str(field.type) for field in table.schema] == [
        "string",
        "int64",
        "int64",
        "double",
        "int64",
        "bool",
        "string",
    ]
    frame = pd.read_parquet(tmp_path / "selection.parquet")
    assert frame["id"].tolist() == list(keep.scores.ids if keep.scores.ids is not None else [])
    assert frame["index"].tolist() == list(range(60))
    assert frame["score"].tolist() == keep.scores.values.tolist()
    assert sorted(frame["rank"]) == list(range(60))
    assert frame.index[frame["kept"]].tolist() == keep.indices.tolist()
    assert frame["reason"].tolist() == [str(reason) for reason in keep.reason]
    # What a high rank means: without floors the kept are those of lowest rank.
    assert set(frame.nsmallest(24, "rank")["index"]) == set(select(keep.scores, 0.4).indices)


def test_table_without_ids_and_labels(tmp_path: Path) -> None:
    select(gaussian_scores(10), 0.5).write(tmp_path)
    table = pq.read_table(tmp_path / "selection.parquet")
    assert table.schema.names == ["id", "index", "score", "rank", "kept", "reason"]
    assert table["id"].to_pylist() == list(range(10))
    assert pq.read_table(tmp_path / "ids_to_remove.parquet").schema.field("id").type == pa.int64()


def test_curator_removes_what_is_not_kept(tmp_path: Path) -> None:
    keep = example()
    keep.write(tmp_path)
    table = pq.read_table(tmp_path / "ids_to_remove.parquet")
    assert table.schema.names == ["id"]
    assert keep.scores.ids is not None
    assert table["id"].to_pylist() == sorted(keep.scores.ids[~keep.mask])


def test_curator_when_nothing_is_removed(tmp_path: Path) -> None:
    select(example().scores, 1.0).write(tmp_path)
    table = pq.read_table(tmp_path / "ids_to_remove.parquet")
    assert (table.num_rows, table.schema.field("id").type) == (0, pa.string())


def test_datacomp(tmp_path: Path) -> None:
    """As its README makes a subset, in so many words."""
    keep = example(uids(60))
    keep.write(tmp_path)
    expected = np.array([(int(uid[:16], 16), int(uid[16:32], 16)) for uid in keep.ids], np.dtype("u8,u8"))
    expected.sort()
    assert (tmp_path / "datacomp_subset.npy").read_bytes() == saved(expected)


@pytest.mark.parametrize("wrong", ["F" * 32, "0" * 31, "0" * 33, "g" * 32, "0" * 30 + " 0", "٣" * 32])
def test_datacomp_needs_uids(tmp_path: Path, wrong: str) -> None:
    keep = example([*uids(59), wrong])
    with pytest.raises(pt.InvalidInputError, match="32 lower-case hexadecimal digits"):
        keep.write(tmp_path / "out", formats=["datacomp"])
    assert not (tmp_path / "out").exists()
    assert "datacomp_subset.npy" not in [path.name for path in keep.write(tmp_path / "out")]


def test_some_formats(tmp_path: Path) -> None:
    written = example(uids(60)).write(tmp_path, formats=("datacomp", "ids"))
    assert [path.name for path in written] == ["datacomp_subset.npy", "ids.txt", "selection.json"]
    assert sorted(content(tmp_path)) == sorted(path.name for path in written)


@pytest.mark.parametrize("wrong", [["ids", "npy"], "ids", [3]])
def test_formats_that_are_none(tmp_path: Path, wrong: list[str]) -> None:
    with pytest.raises(
        pt.InvalidInputError, match=r"unknown format .*: formats is a list of some of indices, mask, ids"
    ):
        example().write(tmp_path / "out", formats=wrong)
    assert not (tmp_path / "out").exists()


def test_manifest(tmp_path: Path) -> None:
    keep = example()
    keep.write(tmp_path)
    text = (tmp_path / "selection.json").read_text()
    made = json.loads(text)
    assert text == json.dumps(made, indent=2, sort_keys=True) + "\n"
    whole = json.dumps({name: made[name] for name in made if name != "sha256"}, indent=2, sort_keys=True) + "\n"
    assert made.pop("sha256") == hashlib.sha256(whole.encode()).hexdigest()
    others = [name for name in ALWAYS if name != "selection.json"]
    assert made.pop("files") == {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in others}
    assert made == keep.manifest()
    assert made["versions"]["perceptron_theory"] == pt.__version__
    assert made["versions"]["numpy"] == np.__version__
    assert made["versions"]["python"] == platform.python_version()
    assert made["scores"]["sha256"] == hashlib.sha256(keep.scores.values.tobytes()).hexdigest()
    ids = "".join(f"{name}\n" for name in np.asarray(keep.scores.ids))
    assert made["scores"]["ids_sha256"] == hashlib.sha256(ids.encode()).hexdigest()
    indices = np.load(tmp_path / "kept_indices.npy")
    assert made["kept_indices_sha256"] == hashlib.sha256(indices.tobytes()).hexdigest()
    assert (made["f_requested"], made["f_realised"], made["count"], made["n"]) == (0.4, 0.4, 24, 60)
    assert (made["seed"], made["mode"], made["class_floor"]) == (0, {"name": "hard"}, 0.5)
    assert [row["kept"] for row in made["classes"]] == np.bincount(indices % 3).tolist()
    assert sum(made["reasons"].values()) == 60
    assert made["thresholds"][0]["tied"] >= made["thresholds"][0]["kept"] >= 1
    assert made["theory"] == {"theta": 0.2, "theta_interval": [0.1, 0.3]}
    assert (made["scores"]["higher_is"], made["scores"]["metric"]) == ("easier", "EL2N")


def test_manifest_of_other_modes() -> None:
    scores = gaussian_scores(20)
    made = select(scores, 0.3, mode=pt.Band(0.1), random_share=0.25, seed=3).manifest()
    assert (made["mode"], made["seed"]) == ({"name": "band", "lower": 0.1, "random_share": 0.25}, 3)
    assert (made["class_floor"], made["classes"], made["scores"]["ids_sha256"]) == (None, None, None)
    policy = pt.optimal_policy(alpha_tot=2.0, f=0.3, theta=0.2)
    made = select(scores, 0.3, mode=policy).manifest()
    assert made["mode"] == {"name": "policy", "status": "stationary", "z_windows": policy.windows.tolist()}
    assert select(scores, 0.3, mode="random").manifest()["thresholds"] == []


def test_same_bytes_again(tmp_path: Path) -> None:
    for folder in ("once", "twice"):
        example(uids(60)).write(tmp_path / folder)
    assert content(tmp_path / "once") == content(tmp_path / "twice")
    example(uids(60)).write(tmp_path / "once")
    assert content(tmp_path / "once") == content(tmp_path / "twice")


@pytest.mark.parametrize("wrong", ["a\nb", "a\rb", "\n"])
def test_ids_with_line_breaks(tmp_path: Path, wrong: str) -> None:
    keep = example([*(f"a{i}" for i in range(59)), wrong])
    with pytest.raises(pt.InvalidInputError, match=r"ids must not hold line breaks, got '.*\\[nr]"):
        keep.write(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("which", ["write_ids", "write_table", "write_removed_ids"])
def test_full_disk_leaves_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    example().write(tmp_path)
    before = content(tmp_path)

    def full(path: Path, *_: object) -> NoReturn:
        path.write_bytes(b"half a fi")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(formats, which, full)
    with pytest.raises(pt.OutputError, match=r"cannot write to .*\(No space left on device\): make room there"):
        example(seed=1).write(tmp_path)
    assert content(tmp_path) == before
    with pytest.raises(pt.OutputError):
        example(seed=1).write(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


LIMITED = """
import resource, signal, sys
import numpy as np, perceptron_theory as pt
from perceptron_theory.keeplists.selecting import select
keep = select(pt.Scores(np.random.default_rng(1).normal(size=5000), "harder"), 0.5)
keep.write(sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for limit in map(int, sys.argv[3:]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        keep.write(sys.argv[1])
    except pt.OutputError as error:
        print(limit, error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits on the size of files are POSIX")
def test_files_that_may_not_grow(tmp_path: Path) -> None:
    """A real failure of the system, in the middle of a file: of the indices (20 kB), then of the table (100 kB)."""
    example().write(tmp_path / "old")
    before = content(tmp_path / "old")
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "old"), str(tmp_path / "whole"), "9000", "30000"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first.startswith("9000 cannot write to "), done
    assert second.startswith("30000 cannot write to "), done
    assert content(tmp_path / "old") == before
    assert sorted(content(tmp_path / "whole")) == sorted(ALWAYS)


def test_folders_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(pt.OutputError, match="cannot write to"):
        example().write(tmp_path / "file")
    (tmp_path / "out" / "mask.npy").mkdir(parents=True)
    with pytest.raises(pt.OutputError, match=r"mask.npy is a folder"):
        example().write(tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mask.npy"]


def test_no_file_of_another_keep_list_stays_beside(tmp_path: Path) -> None:
    example(uids(60)).write(tmp_path)
    before = content(tmp_path)
    with pytest.raises(pt.OutputError, match=r"holds datacomp_subset.npy of another keep-list.*remove it"):
        example().write(tmp_path)
    assert content(tmp_path) == before
