"""`scores inspect` and `select`: what they print and write, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perceptron_theory as pt
from perceptron_theory.cli.app import main

N = 400
RNG = np.random.default_rng(5)
VALUES = np.where(np.arange(N) % 4 == 0, 0.0, RNG.gamma(2.0, size=N).round(2))
LABELS = np.where(np.arange(N) < 30, "rare", "common")
READ = ["--column", "el2n", "--ids", "name", "--labels", "class", "--higher-is", "harder"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "scores.csv"
    pd.DataFrame({"name": [f"i{k}" for k in range(N)], "class": LABELS, "el2n": VALUES}).to_csv(path, index=False)
    return path


def test_inspect(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scores", "inspect", str(table), *READ, "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    for part in ("harder (high = hard)", "400 scores", "pile-up", "classes:    2"):
        assert part in printed
    assert (tmp_path / "out" / "scores.png").read_bytes().startswith(b"\x89PNG")


def test_inspect_of_a_published_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ImageNet-1K_memorization.csv"
    path.write_text("idx,name,score\n" + "\n".join(f"{k},n{k}.JPEG,{k / 7:.4f}" for k in range(50)), encoding="utf-8")
    assert main(["scores", "inspect", str(path), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "high = keep" in printed
    assert "1,281,167" in printed


def test_select_is_the_library(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "keep"
    assert main(["select", str(table), *READ, "--f", "0.25", "--out", str(out)]) == 0
    scores = pt.read_scores(table, higher_is="harder", column="el2n", ids="name", labels="class")
    keep = pt.select(scores, 0.25, class_floor=0.5)
    np.testing.assert_array_equal(np.load(out / "kept_indices.npy"), keep.indices)
    written = json.loads((out / "selection.json").read_text(encoding="utf-8"))
    assert {name: written[name] for name in written if name not in ("files", "sha256")} == keep.manifest()
    printed = capsys.readouterr().out
    assert "kept       100 of 400 examples, f = 0.25" in printed
    assert "1 held by their floor" in printed


@pytest.mark.parametrize(
    ("mode", "options"),
    [("hard", []), ("easy", []), ("random", ["--seed", "3"]), ("band:0.1", ["--class-floor", "0"])],
)
def test_stream_and_memory_agree(table: Path, tmp_path: Path, mode: str, options: list[str]) -> None:
    if mode.startswith("band"):  # a band is streamed without classes
        read, options = [part for part in READ if part not in ("--labels", "class")], []
    else:
        read = READ
    for extra, name in (([], "memory"), (["--stream"], "stream")):
        out = ["--out", str(tmp_path / name)]
        assert main(["select", str(table), *read, "--f", "0.3", "--mode", mode, *options, *extra, *out]) == 0
    kept = [np.load(tmp_path / name / "kept_indices.npy") for name in ("memory", "stream")]
    np.testing.assert_array_equal(*kept)


def test_labels_in_a_file_and_policy(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "labels.npy", (LABELS == "rare").astype(np.int64))
    read = ["--column", "el2n", "--higher-is", "harder", "--labels", str(tmp_path / "labels.npy")]
    policy = ["--mode", "policy", "--alpha-tot", "30", "--theta-deg", "15"]
    assert main(["select", str(table), *read, "--f", "0.2", *policy, "--out", str(tmp_path / "out")]) == 0
    manifest = json.loads((tmp_path / "out" / "selection.json").read_text(encoding="utf-8"))
    assert [row["label"] for row in manifest["classes"]] == [0, 1]
    assert manifest["theory"] == {"alpha_tot": 30.0, "theta_deg": 15.0}


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--column", "el2n", "--f", "0.5"], "higher_is must be one of"),
        (["--column", "nothing", "--higher-is", "harder", "--f", "0.5"], "nothing"),
        ([*READ, "--f", "1.5"], "f must lie in (0, 1], got 1.5"),
        ([*READ, "--f", "0.5", "--mode", "best"], "unknown --mode 'best'"),
        ([*READ, "--f", "0.5", "--mode", "policy"], "needs --alpha-tot and --theta-deg"),
        ([*READ, "--f", "0.5", "--theta-deg", "5"], "are for --mode policy, got 'hard'"),
        ([*READ, "--f", "0.5", "--mode", "policy", "--alpha-tot", "9", "--theta-deg", "9", "--stream"], "in memory"),
        ([*READ[:4], "--higher-is", "harder", "--labels", "absent.npy", "--f", "0.5"], "no such file: absent.npy"),
        ([*READ, "--dtype", "float32", "--f", "0.5"], "dtype"),
        ([*READ, "--dtype", "float32", "--f", "0.5", "--stream"], "leave out --key, --dtype and label files"),
        (["--column", "el2n", "--f", "0.5", "--stream"], "higher_is must be one of"),
    ],
)
def test_bad_input(
    table: Path, tmp_path: Path, options: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["select", str(table), *options, "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert part in captured.err
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize(
    "line",
    [
        ["select", "LONG", "--f", "0.5", "--higher-is", "harder", "--stream"],
        ["select", "LONG", "--f", "0.5", "--higher-is", "harder"],
        ["select", "scores.npy", "--f", "0.5", "--higher-is", "harder", "--labels", "LONG.npy"],
        ["scores", "inspect", "LONG.csv", "--higher-is", "harder"],
        ["calibrate", "LONG.csv"],
    ],
)
def test_names_longer_than_any_file_has(
    line: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("scores.npy", np.arange(10.0))
    assert main([word.replace("LONG", "x" * 5000) for word in line]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "check the path" in error
    assert [path.name for path in tmp_path.iterdir()] == ["scores.npy"]
