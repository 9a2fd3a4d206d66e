"""The command line, in process: output, files, exit codes."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import perceptron_theory as pt
from perceptron_theory import progress
from perceptron_theory.cli import frontier as cli_frontier
from perceptron_theory.cli.app import main
from perceptron_theory.plotting import frontier_figure

GOOD = ["--higher-is", "harder", "--theta-deg", "10", "--alpha-tot-max", "30"]


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    path = tmp_path / "scores.npy"
    np.save(path, np.random.default_rng(0).exponential(size=500))
    return path


def test_solve_prints_a_certified_point(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "--alpha-prune", "3", "--f", "0.3", "--theta-deg", "10"]) == 0
    out = capsys.readouterr().out
    for part in ("0.065274498594", "0.109563401", "residual", "quadrature_error", "converged"):
        assert part in out


def test_solve_for_another_student(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "--alpha-prune", "5", "--f", "1", "--student", "gibbs"]) == 0
    out = capsys.readouterr().out
    for part in ("0.118006033298", "0.932064245664", "entropy", "gain", "converged"):
        assert part in out


def test_solve_for_a_loss(capsys: pytest.CaptureFixture[str]) -> None:
    loss = ["--student", "logistic", "--lam", "0.1"]
    assert main(["solve", "--alpha-prune", "3", "--f", "0.3", "--theta-deg", "10", *loss]) == 0
    out = capsys.readouterr().out
    for part in ("0.2470271", "norm", "train_loss", "converged"):
        assert part in out
    assert main(["solve", "--alpha-prune", "3", "--f", "0.3", "--flip", "0.05", *loss[:3], "optimal"]) == 0
    assert "label_error" in capsys.readouterr().out


def test_frontier_for_a_loss(scores: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    loss = ["--student", "logistic", "--lam", "0.1", "--flip", "0.02"]
    assert main(["frontier", str(scores), *GOOD, *loss, "--points", "2", "--out", str(out)]) == 0
    table = pd.read_csv(out / "frontier.csv")
    assert set(table["status"]) == {"converged"}
    assert (table["lam"] == 0.1).all()
    with xr.open_dataset(out / "frontier.nc", engine="netcdf4") as data:
        assert data.attrs["theory"].startswith("logistic loss, lam = 0.1, Labels(flip=0.02")


def test_frontier_of_the_embedded_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["frontier", "--alpha-tot-max", "50", "--points", "6", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert "error" not in printed.err
    assert "1,597 scores" in printed.out
    assert sorted(p.name for p in out.iterdir()) == ["frontier.csv", "frontier.nc", "frontier.png"]
    table = pd.read_csv(out / "frontier.csv")
    with xr.open_dataset(out / "frontier.nc", engine="netcdf4") as data:
        np.testing.assert_allclose(table["test_error"], data.test_error, rtol=1e-11)
        assert data.attrs["alpha_tot_max"] == 50.0
        assert data.attrs["margins_by"] == "value"
    assert set(table["status"]) == {"converged"}
    assert list(table.columns[:6]) == ["alpha_prune", "f", "alpha_tot", "test_error", "test_error_random", "active"]
    assert (out / "frontier.png").read_bytes().startswith(b"\x89PNG")


def test_frontier_of_a_file_agrees_with_the_library(
    scores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["frontier", str(scores), *GOOD, "--points", "4", "--out", str(out)]) == 0
    table = pd.read_csv(out / "frontier.csv")
    margins = pt.read_scores(scores, higher_is="harder").margins()
    direct = pt.pareto_frontier(table["alpha_prune"], np.deg2rad(10), alpha_tot_max=30.0, margins=margins)
    # Minima of measured data lie in kinks: as accurate as the best f, 1e-7, times a slope of order 1.
    np.testing.assert_allclose(table["test_error"], direct.test_error, rtol=1e-6)
    assert "margins    by rank: those of Gaussian data, apart from ties" in capsys.readouterr().out


def test_picture_says_what_enters_of_the_scores(scores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    titles = []

    def kept(*arguments: Any) -> Any:
        figure = frontier_figure(*arguments)
        titles.append(figure.axes[0].get_title(loc="left") or figure.axes[0].get_title())
        return figure

    monkeypatch.setattr(cli_frontier, "frontier_figure", kept)
    assert main(["frontier", str(scores), *GOOD, "--points", "2", "--out", str(tmp_path / "out")]) == 0
    lines = titles[0].splitlines()
    assert len(lines) == 3
    assert lines[1] == "margins by rank: those of Gaussian data, apart from ties"


@pytest.mark.parametrize("options", [["--selection", "band:0.1"], ["--selection", "easy"], ["--f-min", "0.2"]])
def test_frontier_options(scores: Path, tmp_path: Path, options: list[str]) -> None:
    assert main(["frontier", str(scores), *GOOD, *options, "--points", "3", "--out", str(tmp_path / "out")]) == 0


def test_theta_from_signed_margins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "margins.npy"
    np.save(path, np.random.default_rng(0).normal(1.0, 1.0, 400))
    command = ["frontier", str(path), "--higher-is", "easier", "--by", "value", "--f-min", "0.2", "--points", "3"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    assert "P(m < 0)" in capsys.readouterr().out


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ([], ["solve"], ["frontier"]):
        assert main([*command, "--help"]) == 0
        out = capsys.readouterr().out
        assert "Usage" in out
        if command:
            assert f"\n    perceptron-theory {command[0]} " in out


def bad_inputs(folder: Path) -> dict[str, tuple[list[str], str]]:
    good = folder / "scores.npy"

    def save(name: str, values: object) -> str:
        np.save(folder / name, np.asarray(values), allow_pickle=True)
        return str(folder / name)

    (folder / "empty.csv").write_text("")
    (folder / "table.csv").write_text("id,el2n\n1,0.5\n2,0.7\n")
    (folder / "file").write_text("")
    np.savez(folder / "many.npz", a=np.arange(3.0), b=np.arange(3.0))
    rest = GOOD[2:]
    return {
        "missing file": ([str(folder / "none.npy"), *GOOD], "none.npy"),
        "empty file": ([str(folder / "empty.csv"), *GOOD], "empty file"),
        "nan": ([save("nan.npy", [1.0, np.nan]), *GOOD], "nan at index 1"),
        "infinite": ([save("inf.npy", [1.0, np.inf]), *GOOD], "inf at index 1"),
        "one value": ([save("one.npy", [2.0, 2.0]), *GOOD], "equal 2"),
        "column": ([str(folder / "table.csv"), "--column", "loss", *GOOD], "'loss'"),
        "key": ([str(folder / "many.npz"), "--key", "c", *GOOD], "'c'"),
        "no key": ([str(folder / "many.npz"), *GOOD], "a, b"),
        "pickled": ([save("object.npy", np.array([{}, 1], dtype=object)), *GOOD], "pickle"),
        "direction": ([str(good), *rest], "higher_is"),
        "unknown direction": ([str(good), "--higher-is", "better", *rest], "'better'"),
        "theta missing": ([str(good), "--higher-is", "harder", "--alpha-tot-max", "30"], "--theta-deg"),
        "theta negative": ([str(good), *GOOD[:2], "--theta-deg", "-1", "--alpha-tot-max", "30"], "-1"),
        "theta large": ([str(good), *GOOD[:2], "--theta-deg", "91", "--alpha-tot-max", "30"], "91"),
        "no ceiling": ([str(good), *GOOD[:4]], "--alpha-tot-max or --f-min"),
        "f outside": ([str(good), *GOOD[:4], "--f-min", "1.5"], "1.5"),
        "f zero": ([str(good), *GOOD[:4], "--f-min", "0"], "(0, 1]"),
        "negative alpha": ([str(good), *GOOD, "--alpha-min", "-1"], "-1"),
        "negative ceiling": ([str(good), *GOOD[:4], "--alpha-tot-max", "-5"], "-5"),
        "points": ([str(good), *GOOD, "--points", "1"], "1"),
        "too many points": ([str(good), *GOOD, "--points", "1000000000"], "1000000000"),
        "band too narrow": ([str(good), *GOOD[:4], "--f-min", "0.5", "--selection", "band:0.9"], "0.5"),
        "perfect metric that errs": (["--theta-deg", "0", "--alpha-tot-max", "30"], "theta = 0 contradicts"),
        "selection": ([str(good), *GOOD, "--selection", "hardest"], "'hardest'"),
        "band": ([str(good), *GOOD, "--selection", "band:x"], "band:x"),
        "by": ([str(good), *GOOD, "--by", "size"], "'size'"),
        "value of hard scores": ([str(good), *GOOD, "--by", "value"], "'harder'"),
        "not a number": ([str(good), *GOOD, "--points", "many"], "many"),
        "unknown option": ([str(good), *GOOD, "--ceiling", "3"], "--ceiling"),
        "key without file": (["--key", "a", "--alpha-tot-max", "30"], "no SCORES"),
    }


def test_bad_input_is_one_line_exit_code_2_nothing_written(
    scores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = bad_inputs(tmp_path)
    before = sorted(tmp_path.iterdir())
    for name, (arguments, part) in cases.items():
        code = main(["frontier", *arguments, "--out", str(tmp_path / "out")])
        captured = capsys.readouterr()
        assert code == 2, name
        assert captured.err.count("\n") == 1, (name, captured.err)
        assert captured.err.startswith("error: "), name
        assert part in captured.err, (name, captured.err)
        assert sorted(tmp_path.iterdir()) == before, name


def test_unwritable_output(scores: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder below a file cannot be made, not even by root."""
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.rglob("*"))
    assert main(["frontier", str(scores), *GOOD, "--out", str(tmp_path / "file" / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: cannot write")
    assert captured.err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--alpha-prune", "-1", "--f", "0.5"], "-1"),
        (["--alpha-prune", "1", "--f", "1.5"], "1.5"),
        (["--alpha-prune", "1", "--f", "0"], "(0, 1]"),
        (["--alpha-prune", "1", "--f", "0.5", "--theta-deg", "100"], "100"),
        (["--alpha-prune", "1", "--f", "nan"], "nan"),
        (["--f", "0.5"], "--alpha-prune"),
        (["--alpha-prune", "1", "--f", "0.5", "--student", "svm"], "'bayes-optimal'"),
        (["--alpha-prune", "1", "--f", "0.5", "--student", "hinge"], "--lam is required for the hinge loss"),
        (["--alpha-prune", "1", "--f", "0.5", "--student", "hinge", "--lam", "x"], "number >= 0 or 'optimal', got 'x'"),
        (["--alpha-prune", "1", "--f", "0.5", "--lam", "1"], "--lam belongs to a convex loss"),
        (["--alpha-prune", "1", "--f", "0.5", "--flip", "0.1"], "noisy labels need a ConvexLoss"),
        (["--alpha-prune", "1", "--f", "0.5", "--flip", "0.5"], "flip must lie in [0, 1/2)"),
    ],
)
def test_solve_bad_input(options: list[str], part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert part in captured.err


def test_failed_points_show_in_table_and_exit_code(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["frontier", "--alpha-tot-max", "1e300", "--points", "2", "--out", str(out)]) == 1
    table = pd.read_csv(out / "frontier.csv")
    assert table["status"].tolist()[1] != "converged"
    assert np.isnan(table["test_error"][1])


def test_names_are_not_mathematics(tmp_path: Path) -> None:
    path = tmp_path / r"a$\frac$b.npy"
    np.save(path, np.arange(50.0))
    assert main(["frontier", str(path), *GOOD, "--points", "3", "--out", str(tmp_path / "out")]) == 0


def test_long_and_foreign_names_leave_room_for_the_picture(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 100}\u202e\u6f22\n{'y' * 80}.npy"
    np.save(path, np.arange(50.0))
    assert main(["frontier", str(path), *GOOD, "--points", "2", "--out", str(tmp_path / "out")]) == 0
    assert main(["scores", "inspect", str(path), "--higher-is", "harder", "--out", str(tmp_path / "out")]) == 0


def test_output_that_the_terminal_cannot_show_is_escaped(
    scores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr("sys.stdout", terminal)
    out = tmp_path / "θ"
    assert main(["select", str(scores), "--higher-is", "harder", "--f", "0.5", "--out", str(out)]) == 0
    assert (terminal.encoding, terminal.errors) == ("cp1252", "strict")  # as it was
    terminal.flush()
    assert rb"\u03b8" in terminal.buffer.getvalue()


@pytest.mark.parametrize("stream", [[], ["--stream"]])
def test_folder_whose_name_is_no_text(
    scores: Path, tmp_path: Path, stream: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Bytes that are no UTF-8 reach Python as lone surrogates."""
    out = str(tmp_path / "keep\udcff")
    assert main(["select", str(scores), "--higher-is", "harder", "--f", "0.5", "--out", out, *stream]) == 2
    assert "the name is no text in UTF-8" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [scores]


def test_failed_point_is_not_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "--alpha-prune", "1e18", "--f", "0.5", "--selection", "easy"]) == 1
    printed = capsys.readouterr()
    assert "status            not_converged" in printed.out
    assert printed.err == ""


def test_silence_is_explained(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_DELAY", 0.01)
    with progress.compiling():
        time.sleep(0.2)
    assert "compiles" in capsys.readouterr().err
    with progress.compiling():
        pass
    time.sleep(0.05)
    assert capsys.readouterr().err == ""
