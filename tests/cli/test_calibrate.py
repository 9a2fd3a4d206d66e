"""The command calibrate, in process: what it prints and writes, and what it refuses."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

import perceptron_theory as pt
from perceptron_theory.cli.app import main
from perceptron_theory.cli.calibration_options import asked
from perceptron_theory.cli.calibration_record import calibration_record
from perceptron_theory.cli.run_tables import read_chosen
from perceptron_theory.plotting.calibrated_curves import calibrated_curves, panels

THETA = float(np.deg2rad(20))
CELLS = ((1.0, "random"), (0.3, "random"), (0.3, "hard"), (0.1, "hard"))
FILES = ["calibration.json", "curves.csv", "parameters.csv", "predictions.csv", "report.html", "residuals.csv"]
#: Quick: one parameter.
QUICK = ["--free", "N", "--fix", f"theta={THETA!r}"]


def measured(pools: tuple[int, ...] = (300, 1000, 3000, 10000)) -> pd.DataFrame:
    """Runs of students with N = 300 at 20 degrees, with noise of 3 %."""
    rng = np.random.default_rng(3)
    rows = []
    for n_total in pools:
        for f, rule in CELLS:
            error = float(pt.solve(f * n_total / 300, f, THETA, selection=rule).test_error)
            rows += [(n_total, round(f * n_total), rule, error * np.exp(0.03 * rng.normal()), s) for s in range(2)]
    return pd.DataFrame(rows, columns=["n_total", "n_kept", "selection", "test_error", "seed"])


def several_experiments() -> pd.DataFrame:
    """The runs above beside twice as bad ones of another student; pruned by a probe, or by none."""
    one = measured().assign(student="small")
    table = pd.concat([one, one.assign(student="large", test_error=0.5 - 0.5 * (0.5 - one["test_error"]))])
    return table.assign(probe=np.where(table["selection"] == "random", "any", "late"))


class Ran(NamedTuple):
    code: int
    out: str
    folder: Path
    runs: Path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("calibrate")
    several_experiments().to_csv(folder / "runs.csv", index=False)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        arguments = ["calibrate", str(folder / "runs.csv"), "--where", "student=small", "--compare"]
        code = main([*arguments, "--out", str(folder / "out")])
    return Ran(code, printed.getvalue(), folder / "out", folder / "runs.csv")


@pytest.fixture(scope="module")
def library() -> pt.Calibration:
    return pt.calibrate(measured())


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    path = tmp_path / "runs.csv"
    measured((300, 1000)).to_csv(path, index=False)
    return path


def test_tables_are_those_of_the_library(ran: Ran, library: pt.Calibration) -> None:
    assert ran.code == 0
    assert sorted(path.name for path in ran.folder.iterdir()) == sorted([*FILES, "held_out.csv"])
    # Written with twelve digits, and runs are read from text.
    digits: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-9, "check_dtype": False}
    parameters = pd.read_csv(ran.folder / "parameters.csv", index_col="parameter")
    pd.testing.assert_frame_equal(parameters, library.parameters, **digits)
    pd.testing.assert_frame_equal(pd.read_csv(ran.folder / "residuals.csv"), library.residuals, **digits)
    predictions = pd.read_csv(ran.folder / "predictions.csv")
    assert sorted(set(predictions["n_total"])) == [300, 1000, 3000, 10000, 20000, 40000]
    hard = library.predict([300, 1000, 3000, 10000, 20000, 40000], 0.3, "hard")
    found = predictions[(predictions["selection"] == "hard") & np.isclose(predictions["f"], 0.3)]
    pd.testing.assert_frame_equal(found.reset_index(drop=True), hard, **digits)
    held_out = pd.read_csv(ran.folder / "held_out.csv", index_col="model")
    pd.testing.assert_frame_equal(held_out, pt.compare_models(measured()).table, check_names=False, **digits)


def test_printed(ran: Ran, library: pt.Calibration) -> None:
    row = library.parameters.loc["N"]
    assert f"{'N':<12}{row['value']:>14.4g}{row['low']:>12.4g}{row['high']:>12.4g}  identified" in ran.out
    assert f"{np.rad2deg(library.theta):.1f} deg" in ran.out
    assert "32 of 64 rows with student=small; 16 different runs" in ran.out
    assert "Best on held-out runs" in ran.out


def test_record(ran: Ran, library: pt.Calibration) -> None:
    made = json.loads((ran.folder / "calibration.json").read_text(encoding="utf-8"))
    assert made["runs"]["sha256"] == hashlib.sha256(ran.runs.read_bytes()).hexdigest()
    assert made["versions"]["perceptron_theory"] == pt.__version__
    assert made["options"]["where"] == ["student=small"]
    assert made["options"]["free"] == ["N", "theta", "floor"]
    # As above.
    assert made["parameters"]["theta"]["value"] == pytest.approx(library.theta, rel=1e-9)
    assert made["parameters"]["theta"]["verdict"] == "identified"
    assert made["covariance"]["coordinates"] == ["ln N", "theta", "floor"]
    deviation = np.sqrt(np.diag(made["covariance"]["matrix"]))
    correlation = made["covariance"]["matrix"][0][1] / (deviation[0] * deviation[1])
    assert made["correlations"]["N"]["theta"] == pytest.approx(correlation, rel=1e-9)


class Page(HTMLParser):
    """Tags that are open, and every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read_page(path: Path) -> tuple[Page, str]:
    text = path.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert page.open == []
    return page, text


def test_report_stands_alone(ran: Ran) -> None:
    page, text = read_page(ran.folder / "report.html")
    assert "script" not in page.seen
    assert "link" not in page.seen
    assert page.seen.count("img") == 2
    for address in page.addresses:
        assert address.startswith("data:image/svg+xml;base64,") or (ran.folder / address).is_file(), address[:60]
    assert "http" not in text
    for part in ("identified", "What this assumes", "10,000 examples", "max-margin, stretched", "deg", "student=small"):
        assert part in text


def test_text_of_users_is_text(tmp_path: Path) -> None:
    path = tmp_path / "a<b>&$x$.csv"
    measured((300, 1000)).assign(**{"<i>": "<u>|&amp;"}).to_csv(path, index=False)
    arguments = ["calibrate", str(path), *QUICK, "--where", "selection=random", "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    _, text = read_page(tmp_path / "out" / "report.html")
    assert "<b>" not in text
    assert "a&lt;b&gt;&amp;$x$.csv" in text


def test_same_command_same_bytes_whatever_the_intervals(runs: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        bootstrap = ["--intervals", "bootstrap", "--n-bootstrap", "9", "--seed", "5"]
        assert main(["calibrate", str(runs), *QUICK, *bootstrap, "--out", str(tmp_path / name)]) == 0
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    assert json.loads((tmp_path / "one" / "calibration.json").read_text())["options"]["n_bootstrap"] == 9


def test_what_runs_do_not_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs that were never pruned say nothing of the metric: no number for it, in no file."""
    table = measured()
    table[table["n_kept"] == table["n_total"]].to_parquet(tmp_path / "runs.parquet")
    assert main(["calibrate", str(tmp_path / "runs.parquet"), "--free", "N,theta", "--out", str(tmp_path / "out")]) == 0
    assert "theta is not identifiable" in capsys.readouterr().out
    made = json.loads((tmp_path / "out" / "calibration.json").read_text(encoding="utf-8"))
    assert made["parameters"]["theta"]["value"] is None
    _, text = read_page(tmp_path / "out" / "report.html")
    assert "theta is not identifiable" in text
    assert "not known" in text


def test_scores_count(runs: Path, tmp_path: Path) -> None:
    scores = np.repeat([0.0, 1.0, 2.0], [200, 50, 50])
    np.save(tmp_path / "scores.npy", scores)
    options = asked(
        runs=runs, scores=tmp_path / "scores.npy", where=["selection=hard"], chance=0.5, student="max-margin",
        lam=None, free="N", fix=[f"theta={THETA!r}"], intervals="normal", level=0.9, n_bootstrap=9, seed=0,
        higher_is="harder",
    )  # fmt: skip
    made = calibration_record(options, options.calibrate())
    chosen = measured((300, 1000)).query("selection == 'hard'")
    read = pt.read_scores(tmp_path / "scores.npy", higher_is="harder")
    direct = pt.calibrate(chosen, read, free=["N"], fixed={"theta": THETA}, intervals="normal")
    # Runs are read from text, and fits end when parameters change by less than 1e-8.
    assert made["parameters"]["N"]["value"] == pytest.approx(direct.N, rel=1e-7)
    assert made["scores"]["sha256"] == hashlib.sha256(scores.astype("<f8").tobytes()).hexdigest()
    assert pt.calibrate(chosen, free=["N"], fixed={"theta": THETA}, intervals="normal").N != direct.N


def test_one_pool_is_drawn_along_it() -> None:
    runs = measured((10000,))
    extra = pd.DataFrame({"n_total": 10000, "n_kept": [500, 6000], "selection": "hard", "test_error": 0.1, "seed": 0})
    runs = pd.concat([runs, extra])
    calibration = pt.calibrate(runs, free=["N"], fixed={"theta": THETA})
    assert [panel.title for panel in panels(calibration)] == ["pool of 10,000"]
    curves = calibrated_curves(calibration)
    assert set(curves["n_total"]) == {10000.0}
    hard = curves[curves["selection"] == "hard"]
    total, kept = hard["n_total"].to_numpy(dtype=np.float64), hard["n_kept"].to_numpy(dtype=np.float64)
    expected = calibration.expected(total, kept, np.full(len(hard), "hard"))
    np.testing.assert_array_equal(hard["test_error"], expected)
    band = calibration.forecast(total[16:17], kept[16:17], np.array(["hard"]))
    # A node of the interpolation: every eighth of the points.
    np.testing.assert_allclose(hard["high"].iloc[16], band["high"], rtol=1e-12)


def test_experiments_are_chosen_as_the_message_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "runs.csv"
    table = several_experiments()
    pd.concat([table, table[table["probe"] == "late"].assign(probe="early")]).to_csv(path, index=False)
    assert main(["calibrate", str(path), "--out", str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "student is large, small; probe is any, early, late" in message
    assert '--where "student=large" --where "probe=early|any"' in message
    assert len(read_chosen(path, ["student=large", "probe=early|any"]).runs) == 32
    assert len(read_chosen(path, ["student=small", "probe=late|any", "n_total=300|1000"]).runs) == 16
    # A column of another name tells runs apart that are the same otherwise.
    table.drop(columns="probe").rename(columns={"student": "width"}).to_csv(path, index=False)
    with pytest.raises(pt.InvalidInputError, match=r'width is large, small.*--where "width=large"'):
        read_chosen(path, [])


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--where", "student=network"], "no column 'student'; use one of n_total,"),
        (["--where", "selection"], "must be COLUMN=VALUE"),
        (["--where", "selection=soft"], "selection is never 'soft'; it is hard, random"),
        (["--where", "selection=hard", "--where", "n_kept=n_total"], "n_kept is never 'n_total'"),
        (["--where", "n_total=300", "--where", "n_total=1000"], "no row of runs.csv has n_total=300 and n_total=1000"),
        (["--fix", "theta"], "--fix must be NAME=NUMBER, got 'theta'"),
        (["--fix", "theta=small"], "got 'theta=small'"),
        (["--fix", "theta=0.2"], "fixed cannot hold 'theta'"),
        (["--free", "N,theta,width"], "unknown parameter 'width'"),
        (["--free", "N"], "theta must be in free or in fixed"),
        (["--student", "gibbs"], "unknown --student 'gibbs'"),
        (["--student", "logistic"], "--lam is required for the logistic loss"),
        (["--student", "logistic", "--lam", "1", "--free", "N,lam"], "--lam 1 contradicts"),
        (["--lam", "1"], "--lam belongs to a convex loss"),
        (["--chance", "1.5"], "chance must lie in (0, 1), got 1.5"),
        (["--level", "95"], "level must lie in (0, 1), got 95"),
        (["--level", "5e-324"], "level must lie in (0, 1), got 4.94066e-324"),
        (["--intervals", "none"], "intervals must be 'profile'"),
        (["--seed", "-1", "--intervals", "bootstrap"], "seed"),
        (["--where", "n_total=300", "--free", "N,theta,floor,scale"], "4 different runs for 4 parameters"),
        (["--higher-is", "harder"], "describes a score file, got no SCORES"),
        (["scores.npy", "--higher-is", "harder"], "scores.npy"),
    ],
)
def test_bad_input(
    runs: Path, tmp_path: Path, options: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", str(runs), *options, "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1, captured.err
    assert captured.err.startswith("error: ")
    assert part in captured.err
    assert not list((tmp_path / "out").glob("*"))


def test_bad_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "columns.csv").write_text("n_total,error\n10,0.1\n")
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1")
    parts = {
        "absent.csv": "no such file", "runs.txt": "from .csv and .parquet", "empty.csv": "not a readable csv file",
        "columns.csv": "n_kept, selection, test_error, seed missing", "damaged.parquet": "not a readable parquet file",
    }  # fmt: skip
    for name, part in parts.items():
        assert main(["calibrate", str(tmp_path / name), "--out", str(tmp_path / "out")]) == 2, name
        error = capsys.readouterr().err
        assert part in error, (name, error)
        assert error.count("\n") == 1, name
    assert not (tmp_path / "out").exists()


def test_an_empty_cell_names_another_experiment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = measured((300, 1000))
    table["student"] = [None, "small"] * (len(table) // 2)
    table.to_csv(tmp_path / "runs.csv", index=False)
    assert main(["calibrate", str(tmp_path / "runs.csv"), *QUICK, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "student is nan, small" in error
    assert '--where "student=nan"' in error


def test_all_is_written_or_nothing(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    random = ["--where", "selection=random"]
    assert main(["calibrate", str(runs), *QUICK, *random, "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.startswith("error: cannot write")
    assert not list((tmp_path / "out").iterdir())


def test_help_is_light() -> None:
    heavy = "{'pandas', 'matplotlib', 'scipy', 'numba'}"
    code = (
        f"import sys; from perceptron_theory.cli.app import main; main(sys.argv[1:]); print({heavy} & {{*sys.modules}})"
    )
    for command in ("calibrate", "recommend"):
        done = subprocess.run(
            [sys.executable, "-c", code, command, "--help"], capture_output=True, text=True, check=True
        )
        assert f"    perceptron-theory {command} runs.csv" in done.stdout
        assert done.stdout.splitlines()[-1] == "set()"
