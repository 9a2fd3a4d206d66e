"""The commands simulate and compare, in process: output, files, exit codes."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure

import perceptron_theory as pt
from perceptron_theory.cli import comparison as command
from perceptron_theory.cli import trials as trials_command
from perceptron_theory.cli.app import main
from perceptron_theory.simulation.training.trained import Trained, UncertifiedError

THETA = np.deg2rad(10)
ONE = ["simulate", "--n", "20", "--alpha-prune", "3", "--f", "0.3", "--theta-deg", "10", "--trials", "6"]
SOME = ["--f", "0.5", "--theta-deg", "10", "--n", "20", "--n", "40", "--alpha-prune", "1", "--alpha-prune", "3"]
FILES = ["compare.csv", "compare.nc", "compare.png", "store"]


def compare(out: Path, *more: str) -> int:
    return main(["compare", *SOME, "--trials", "5", *more, "--out", str(out)])


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


def exact_table(path: Path) -> np.ndarray:
    """Not by pandas, some versions of which change the last digit."""
    return np.genfromtxt(path, delimiter=",", names=True)


def fail_where(monkeypatch: pytest.MonkeyPatch, *sizes: int) -> None:
    """No certificate for students of so many examples."""
    train = pt.MaxMargin.train

    def uncertified(self: pt.MaxMargin, Z: np.ndarray, rng: np.random.Generator) -> Trained:
        if Z.shape[0] in sizes:
            raise UncertifiedError("not optimal", 0.1)
        return train(self, Z, rng)

    monkeypatch.setattr(pt.MaxMargin, "train", uncertified)


def test_simulate_prints_what_the_library_measures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ONE, "--seed", "7"]) == 0
    printed = capsys.readouterr()
    assert "error" not in printed.err
    rows = {line.split()[0]: line[18:43].strip() for line in printed.out.splitlines()}
    sim = pt.simulate(20, 3.0, 0.3, THETA, trials=6, seed=7)
    expected = {"alpha_prune": "3", "f": "0.3", "alpha_tot": "10", "N": "20", "P": "60", "pool": "200"}
    expected |= {"theta": "10 deg", "selection": "hard", "trials": "6", "seed": "7", "status": "certified"}
    for name in ("test_error", "R", "rho", "kappa"):
        expected[name] = f"{getattr(sim.mean, name):.6g} +- {getattr(sim.standard_error, name):.2g}"
    expected |= {"gap": f"{sim.gap.max():.1e}", "n_support": f"{sim.n_support.mean():.6g}"}
    assert rows == expected


def test_simulate_says_what_was_realised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "trials.csv"
    assert (
        main(["simulate", "--n", "7", "--alpha-prune", "1.5", "--f", "0.3", "--trials", "1", "--out", str(path)]) == 0
    )
    out = capsys.readouterr().out
    assert f"{10 / 7:g}" in out
    assert f"{10 / 33:g}" in out
    assert "+- nan" in out  # of a single trial
    assert exact_table(path)["alpha_prune"] == 10 / 7


def test_simulate_writes_every_trial_to_the_last_digit(tmp_path: Path) -> None:
    path = tmp_path / "new" / "trials.csv"
    assert main([*ONE, "--selection", "band:0.2", "--workers", "2", "--out", str(path)]) == 0
    assert [p.name for p in path.parent.iterdir()] == ["trials.csv"]
    table = exact_table(path)
    sim = pt.simulate(20, 3.0, 0.3, THETA, selection=pt.Band(0.2), trials=6)
    measured = ["test_error", "R", "rho", "kappa", "gap", "n_support", "train_error", "train_loss", "norm"]
    assert list(table.dtype.names or ()) == ["N", "alpha_prune", "f", "theta", "trial", *measured]
    for name in measured:
        np.testing.assert_array_equal(table[name], getattr(sim, name))
    assert table["trial"].tolist() == list(range(6))
    assert set(table["theta"]) == {THETA}


def test_simulate_without_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_where(monkeypatch, 60)
    assert main([*ONE, "--out", str(tmp_path / "t.csv")]) == 1
    out = capsys.readouterr().out
    assert "6 of 6 trials have no certificate" in out
    assert "nan +- nan" in out
    table = pd.read_csv(tmp_path / "t.csv")
    assert table.R.isna().all()
    assert set(table.gap) == {0.1}


def test_compare_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert compare(out) == 0
    printed = capsys.readouterr()
    assert "error" not in printed.err
    assert sorted(p.name for p in out.iterdir()) == FILES
    assert (out / "compare.png").read_bytes().startswith(b"\x89PNG")

    sweep = pt.simulate_sweep(out / "store", [20, 40], [1.0, 3.0], 0.5, THETA, trials=5)
    expected = pt.compare(pt.solve, sweep)
    with xr.open_dataset(out / "compare.nc", engine="netcdf4") as data:
        for name in ("N", "trials", "mean", "standard_error", "theory", "difference", "difference_error", "deviation"):
            np.testing.assert_array_equal(data[name], expected.data[name])
        np.testing.assert_array_equal(data.p_value, list(expected.p_value.values()))
        assert data.worst_gap.values.tolist() == [
            max(sim.gap.max() for sim in sweep.simulations[i : i + 2]) for i in (0, 2)
        ]
        assert data.attrs["seed"] == "0"
    with xr.open_dataset(out / "compare.nc", engine="netcdf4", group="curves") as curves:
        at = curves.isel(alpha_prune=40)
        assert float(at.test_error) == pt.solve(float(at.alpha_prune), 0.5, THETA).test_error
        random = pt.solve(float(at.alpha_prune), 1.0, THETA, selection="random")
        assert float(at.test_error_random) == random.test_error

    table = pd.read_csv(out / "compare.csv")
    assert len(table) == 2 * 4 * 2
    row = table[(table.alpha_prune == 3) & (table.observable == "kappa") & (table.N == 40)].iloc[0]
    at_last = expected.data.sel(observable="kappa").isel(cell=1, size=1)
    for name in ("mean", "standard_error", "theory", "difference", "deviation"):
        assert row[name] == pytest.approx(float(at_last[name]), rel=1e-11)
    assert set(table.status) == {"certified"}

    assert f"{float(at_last['mean']):.6f} +- {float(at_last.standard_error):.2g}" in printed.out
    assert f"{float(at_last.deviation):+.2f} s.e." in printed.out
    assert f"kappa {expected.p_value['kappa']:.3g}" in printed.out
    assert f"worst      {expected.worst:.2f} s.e.: " in printed.out
    assert "one N only" not in printed.out
    assert "fewer than 30 trials" in printed.out


def test_compare_continues(tmp_path: Path) -> None:
    """Options in another order are the same sweep; what is in the store is not made again."""
    out = tmp_path / "out"
    assert compare(out) == 0
    before = contents(out)
    lost, *kept = sorted((out / "store").glob("*.parquet"))
    lost.unlink()
    times = [p.stat().st_mtime_ns for p in kept]
    other_order = ["--n", "40", "--n", "20", "--alpha-prune", "3", "--alpha-prune", "1", "--f", "0.5"]
    assert main(["compare", *other_order, "--theta-deg", "10", "--trials", "5", "--out", str(out)]) == 0
    assert [p.stat().st_mtime_ns for p in kept] == times
    after = contents(out)
    assert set(after) == set(before)
    # netCDF files carry times.
    for name in set(before) - {"compare.nc"}:
        assert after[name] == before[name], name


def test_compare_at_one_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["compare", "--f", "1", "--n", "20", "--alpha-prune", "2", "--trials", "3", "--selection", "random"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert "not extrapolated" in out
    assert "extrapolated difference" not in out


def test_compare_shows_a_failed_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_where(monkeypatch, 40 * 3)
    assert compare(tmp_path) == 1
    assert "failed: trial without certificate at N = 40" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "compare.csv")
    failed = table.alpha_prune == 3
    assert set(table.status[failed]) == {"trial without certificate at N = 40"}
    assert set(table.N[failed]) == {20, 40}
    assert table[failed][["mean", "deviation"]].isna().all(axis=None)
    assert table[~failed][["mean", "deviation"]].notna().all(axis=None)
    with xr.open_dataset(tmp_path / "compare.nc", engine="netcdf4") as data:
        assert data.alpha_prune.values.tolist() == [1.0, 3.0]


def test_compare_shows_a_failed_theory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    solve, failed = pt.solve, np.array(pt.Status.INACCURATE, dtype=np.int8)

    def failing(alpha_prune: float, *rest: Any, **options: Any) -> pt.Solution:
        solution: pt.Solution = solve(alpha_prune, *rest, **options)
        return dataclasses.replace(solution, status=failed) if alpha_prune == 1 else solution

    monkeypatch.setattr(command, "solve", failing)
    assert compare(tmp_path) == 1
    table = pd.read_csv(tmp_path / "compare.csv")
    assert set(table.status[table.alpha_prune == 1]) == {"theory that is inaccurate at N = 20"}


def test_compare_with_nothing_to_compare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_where(monkeypatch, 20, 40, 60, 120)
    assert compare(tmp_path) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: no point can be compared")
    assert captured.err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["store"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("NetCDF: HDF error")])
def test_compare_writes_all_or_none(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Figure, "savefig", full)
        assert compare(tmp_path / "out") == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: cannot write")
    assert captured.err.count("\n") == 1
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["store"]
    assert compare(tmp_path / "out") == 0


def test_another_sweep_is_refused_and_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert compare(out) == 0
    before = contents(out)
    for change in (["--seed", "1"], ["--n", "60"], ["--selection", "easy"], ["--theta-deg", "11"]):
        capsys.readouterr()
        assert compare(out, *change) == 2, change
        captured = capsys.readouterr()
        assert captured.err.startswith("error: ")
        assert "holds another sweep" in captured.err
        assert captured.err.count("\n") == 1
        assert contents(out) == before


def bad_points(folder: Path) -> dict[str, tuple[list[str], str]]:
    """Wrong for both commands; later options win, or are added."""
    return {
        "n 1": (["--n", "1"], "--n must be a whole number of at least 2, got 1"),
        "n negative": (["--n", "-5"], "-5"),
        "n not whole": (["--n", "20.5"], "20.5"),
        "n huge": (["--n", "1" + "0" * 400], "--n"),
        "n too large": (["--n", "100000"], "1e+09"),
        "nothing kept": (["--n", "3", "--alpha-prune", "0.3"], "take N of at least 4"),
        "rounding": (["--n", "10", "--alpha-prune", "0.25"], "0.2"),
        "alpha 0": (["--alpha-prune", "0"], "positive"),
        "alpha nan": (["--alpha-prune", "nan"], "nan"),
        "alpha huge": (["--alpha-prune", "1e308"], "1e+308"),
        "f 0": (["--f", "0"], "(0, 1]"),
        "f above 1": (["--f", "1.01"], "1.01"),
        "theta 95": (["--theta-deg", "95"], "[0, 90]"),
        "selection": (["--selection", "hardest"], "'hardest'"),
        "band too narrow": (["--selection", "band:0.9"], "at most 0.1"),
        "trials 0": (["--trials", "0"], "--trials"),
        "trials huge": (["--trials", "1000000000"], "1000000"),
        "seed": (["--seed", "-1"], "seed must be a whole number of at least 0"),
        "workers 0": (["--workers", "0"], "--workers must be a whole number of at least 1"),
        "unknown option": (["--theta", "10"], "--theta"),
        "out below a file": (["--out", str(folder / "file" / "out.csv")], "cannot write"),
    }


def bad_comparisons(folder: Path) -> dict[str, tuple[list[str], str]]:
    return {
        "one trial": (["--trials", "1"], "at least 2"),
        "n twice": (["--n", "20"], "20, 20, 40"),
        "alpha twice": (["--alpha-prune", "3.0"], "1, 3, 3"),
        "same examples": (["--alpha-prune", "3.001"], "further apart"),
        "out is a file": (["--out", str(folder / "file")], "cannot write"),
        "picture is a folder": (["--out", str(folder / "taken")], "compare.png is a folder"),
        "store is a file": (["--out", str(folder / "other")], "store"),
        "store is something else": (["--out", str(folder / "else")], "holds no sweep"),
    }


def bad_trials(folder: Path) -> dict[str, tuple[list[str], str]]:
    return {
        "out is a folder": (["--out", str(folder / "trials.csv")], "trials.csv is a folder"),
        "out is no table": (["--out", str(folder / "trials.png")], ".csv"),
        "out is a device": (["--out", "/dev/stdout"], ".csv"),
    }


@pytest.mark.parametrize("which", ["simulate", "compare"])
def test_bad_input_is_one_line_exit_code_2_nothing_written(
    which: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    for made in ("trials.csv", "taken/compare.png", "other", "else/store"):
        (tmp_path / made).mkdir(parents=True)
    (tmp_path / "other" / "store").write_text("")
    (tmp_path / "else" / "store" / "notes.txt").write_text("")
    good = ONE if which == "simulate" else ["compare", *SOME, "--trials", "5"]
    new = tmp_path / ("new.csv" if which == "simulate" else "new")
    cases = bad_points(tmp_path) | (bad_trials(tmp_path) if which == "simulate" else bad_comparisons(tmp_path))
    before = contents(tmp_path)
    for name, (arguments, part) in cases.items():
        code = main([*good, "--out", str(new), *arguments])
        captured = capsys.readouterr()
        assert code == 2, name
        assert captured.err.startswith("error: "), name
        assert captured.err.count("\n") == 1, (name, captured.err)
        assert part in captured.err, (name, captured.err)
        assert contents(tmp_path) == before, name


def test_out_of_memory(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def large(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(trials_command, "simulate", large)
    assert main(ONE) == 2
    assert capsys.readouterr().err.startswith("error: out of memory")


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("simulate", "compare"):
        assert main([name, "--help"]) == 0
        out = capsys.readouterr().out
        assert f"\n    perceptron-theory {name} " in out
    assert "the same command continues from there" in " ".join(out.split())
    assert "100, 200, 400" in out


def test_help_is_light() -> None:
    code = (
        "import sys; from perceptron_theory.cli.app import main; assert main(['compare', '--help']) == 0;"
        "heavy = {'matplotlib', 'numba', 'numpy', 'pandas', 'xarray'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
