"""The command recommend, in process: what it prints and writes, and what it refuses."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perceptron_theory as pt
from perceptron_theory.cli.app import main
from perceptron_theory.plotting import recommendation

THETA = float(np.deg2rad(20))
QUICK = ["--free", "N", "--fix", f"theta={THETA!r}"]
FILES = ["curves.csv", "frontier.csv", "options.csv", "recommendation.json", "report.html", "residuals.csv"]


def measured() -> pd.DataFrame:
    """Runs of a student with N = 300 at 20 degrees, with noise of 3 %."""
    rng = np.random.default_rng(3)
    rows = []
    for n_total in (300, 1000, 3000, 10000):
        for f, rule in ((1.0, "random"), (0.3, "hard")):
            error = float(pt.solve(f * n_total / 300, f, THETA, selection=rule).test_error)
            rows += [(n_total, round(f * n_total), rule, error * np.exp(0.03 * rng.normal()), s) for s in range(2)]
    return pd.DataFrame(rows, columns=["n_total", "n_kept", "selection", "test_error", "seed"])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recommend") / "runs.csv"
    measured().to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def library() -> pt.Calibration:
    return pt.calibrate(measured(), free=["N"], fixed={"theta": THETA})


@pytest.fixture(scope="module")
def advised(runs: Path) -> tuple[Path, str]:
    """Folder and what was printed."""
    out, printed = runs.parent / "out", io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.MonkeyPatch.context() as patch:
        patch.setattr(recommendation, "_SIZES", 4)  # quicker
        assert main(["recommend", str(runs), *QUICK, "--pool", "10000", "--budget", "2000", "--out", str(out)]) == 0
    return out, printed.getvalue()


def test_advice_is_that_of_the_library(advised: tuple[Path, str], library: pt.Calibration) -> None:
    out, printed = advised
    advice = library.recommend(pool=10000, budget=2000)
    assert sorted(path.name for path in out.iterdir()) == FILES
    text = (out / "report.html").read_text(encoding="utf-8")
    for sentence in advice.reasons:
        assert sentence in printed
        assert sentence in text  # without characters to be escaped
    assert text.index(advice.reasons[0]) < text.index("Parameters")
    assert text.count("<img") == 3
    made = json.loads((out / "recommendation.json").read_text(encoding="utf-8"))
    assert (made["options"]["pool"], made["options"]["budget"]) == (10000, 2000)
    assert made["recommendation"]["n_kept"] == advice.n_kept == 2000
    assert made["recommendation"]["selection"] == advice.selection
    # Runs are read from text.
    assert made["recommendation"]["test_error"] == pytest.approx(advice.test_error, rel=1e-9)
    options = pd.read_csv(out / "options.csv")
    # As above, and written with twelve digits.
    pd.testing.assert_frame_equal(options, advice.table.reset_index(drop=True), check_dtype=False, rtol=1e-9)


def test_frontier_holds_the_advice_and_ends_with_all(advised: tuple[Path, str], library: pt.Calibration) -> None:
    advice = library.recommend(pool=10000, budget=2000)
    table = pd.read_csv(advised[0] / "frontier.csv").set_index("n_kept")
    row = table.loc[advice.n_kept]
    for name in ("test_error", "random_error", "probability"):
        assert row[name] == pytest.approx(getattr(advice, name), rel=1e-9)  # as above
    last = table.loc[10000]
    assert last["selection"] == "random"
    assert last["test_error"] == last["random_error"]
    assert (table["low"] < table["high"]).all()
    assert table["random_error"].is_monotonic_decreasing


@pytest.mark.parametrize(
    ("question", "part"),
    [
        (["--pool", "3000", "--error", "0.06"], "as few as reach a test error of 0.06"),
        (["--pool", "20000", "--budget", "30000"], "Do not prune: train on all 20,000 examples."),
    ],
)
def test_other_questions(
    runs: Path,
    tmp_path: Path,
    question: list[str],
    part: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recommendation, "_SIZES", 2)  # quicker
    assert main(["recommend", str(runs), *QUICK, *question, "--out", str(tmp_path)]) == 0
    assert part in capsys.readouterr().out
    made = json.loads((tmp_path / "recommendation.json").read_text(encoding="utf-8"))
    assert made["recommendation"]["test_error"] <= 0.06


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ([], "--pool"),
        (["--pool", "1000"], "give either --budget or --error, got None and None"),
        (["--pool", "1000", "--budget", "10", "--error", "0.1"], "got 10 and 0.1"),
        (["--pool", "0", "--budget", "10"], "--pool must be a whole number of at least 1, got 0"),
        (["--pool", "1000", "--budget", "0"], "--budget must be a whole number of at least 1, got 0"),
        (["--pool", "1000", "--error", "0.7"], "--error must lie between 0 and chance, 0.5, got 0.7"),
        (["--pool", "1000", "--error", "nan"], "--error"),
        (["--pool", "1000", "--error", "1e-6"], "out of reach with 1,000 examples"),
        (["--pool", "many", "--budget", "0"], "many"),
    ],
)
def test_bad_input(
    runs: Path, tmp_path: Path, options: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recommend", str(runs), *QUICK, *options, "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1, captured.err
    assert captured.err.startswith("error: ")
    assert part in captured.err
    assert captured.out == ""
    assert not list((tmp_path / "out").glob("*"))
