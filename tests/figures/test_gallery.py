"""Figures as files: committed, stamped, reproducible, and in the gallery."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from figure_numbers import COMMITTED, committed, made_now

import perceptron_theory as pt
from perceptron_theory.cli.app import main
from perceptron_theory.figures import gallery
from perceptron_theory.figures.gallery import NAMES, checked, file_names, make, module, stamped
from perceptron_theory.plotting.style import style_sheet
from perceptron_theory.solving.solution import Status

GALLERY = Path(__file__).parents[2] / "docs" / "gallery.md"


@pytest.mark.parametrize("name", NAMES)
def test_committed_with_its_numbers(name: str) -> None:
    for file in file_names(name):
        assert (COMMITTED / file).stat().st_size > 1000
    numbers = committed(name)
    stamps = numbers.attrs
    with style_sheet():
        figure = module(name).draw(numbers)
    assert stamps["source"] == f"perceptron_theory {pt.__version__}"
    assert stamps["command"] == f"perceptron-theory figures {name}"
    assert {"residual_tolerance", "quadrature_tolerance", "failed_points", "failures"} <= stamps.keys()
    text = " ".join([figure.get_suptitle(), *(axes.get_title(loc="left") for axes in figure.axes)])
    assert ("of Sorscher et al. 2022" in text) == name.startswith("fig_")


def test_nothing_else_is_committed() -> None:
    assert {path.name for path in COMMITTED.iterdir()} == {file for name in NAMES for file in file_names(name)}


def test_each_module_is_named() -> None:
    shared = {"__init__", "crossing_marks", "dots", "gains", "gallery", "measured_data"}
    assert {path.stem for path in Path(gallery.__file__).parent.glob("*.py")} - shared == set(NAMES)


def test_gallery_shows_each_with_its_command_and_what_differs() -> None:
    sections = GALLERY.read_text(encoding="utf-8").split("\n## ")[1:]
    assert [section.splitlines()[0] for section in sections] == list(NAMES)
    for name, section in zip(NAMES, sections, strict=True):
        where, picture, caption = section.split("\n\n")[1:4]
        assert f"`perceptron-theory figures {name}`" in where
        assert ("After Fig." in where) == name.startswith("fig_")
        assert picture == f"![{name}](../figures/{name}.png)"
        assert len(caption) > 20  # what differs and why


@pytest.mark.parametrize("name", NAMES)
def test_module_says_what_it_shows_and_what_differs(name: str) -> None:
    text = ast.get_docstring(ast.parse(Path(str(module(name).__file__)).read_text(encoding="utf-8")))  # type: ignore[attr-defined]
    assert text is not None
    assert ("After Fig." in text) == name.startswith("fig_")
    assert len(text) > 200


def test_command_writes_all_and_again_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("once", "twice"):
        assert main(["figures", "fig_1b", "fig_1f", "--fast", "--out", str(tmp_path / folder)]) == 0
    assert "fig_1f" in capsys.readouterr().out
    for name in ("fig_1b", "fig_1f"):
        for file in file_names(name):
            assert (tmp_path / "once" / file).read_bytes() == (tmp_path / "twice" / file).read_bytes()
    with xr.open_datatree(tmp_path / "once" / "fig_1f.nc") as numbers:
        assert numbers.attrs["command"] == "perceptron-theory figures fig_1f --fast"


def test_unknown_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["figures", "fig_1d", "--out", str(tmp_path / "out")]) == 2
    assert "no figure is called 'fig_1d': there are fig_1a, " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_folder_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["figures", "fig_1b", "--out", str(tmp_path / "file")]) == 2
    assert "choose another folder" in capsys.readouterr().err


def test_figures_whose_data_are_absent_are_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PERCEPTRON_THEORY_DATA", str(tmp_path / "nowhere"))
    assert main(["figures", "class_balance", "--out", str(tmp_path)]) == 2
    assert "set PERCEPTRON_THEORY_DATA to their folder" in capsys.readouterr().err
    monkeypatch.setattr("perceptron_theory.figures.gallery.NAMES", ("fig_1b", "class_balance"))
    assert main(["figures", "--fast", "--out", str(tmp_path)]) == 0
    assert "class_balance           left out: measured data not found" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(file_names("fig_1b"))


@pytest.mark.parametrize("name", ["measured_margins", "prototype_robustness"])
def test_without_an_optional_dependency(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scores").mkdir()
    monkeypatch.setenv("PERCEPTRON_THEORY_DATA", str(tmp_path))
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert main(["figures", name, "--fast", "--out", str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err
    assert "sklearn cannot be imported" in message
    assert 'pip install "perceptron_theory[digits]"' in message


def test_names_once_each() -> None:
    assert checked(["fig_3", "fig_3"]) == ("fig_3",)
    assert checked([]) == NAMES


def test_failures_are_stamped_and_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    status = np.array([Status.CONVERGED, Status.NOT_CONVERGED, Status.INFEASIBLE], dtype=np.int8)
    tree = xr.DataTree.from_dict(
        {"curves": xr.Dataset({"status": ("alpha_prune", status)}, {"alpha_prune": [1.0, 2.0, 3.0]})}
    )
    numbers = stamped("fig_1a", tree, fast=False)
    assert numbers.attrs["failed_points"] == 1
    assert numbers.attrs["failures"] == "curves: alpha_prune = 2.0: not_converged"
    blank = make("fig_1b", fast=True)
    monkeypatch.setattr("perceptron_theory.cli.figures.make", lambda *_: gallery.Made("fig_1b", numbers, blank.figure))
    assert main(["figures", "fig_1b", "--out", str(tmp_path)]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_made_again(name: str) -> None:
    """On any processor: theory and trained students are certified to 1e-9, best fractions to 1e-7."""
    kept, again = committed(name), made_now(name)
    assert kept.attrs == again.attrs
    for path in again.groups:
        xr.testing.assert_allclose(_physical(kept, path), _physical(again, path), rtol=1e-6, atol=1e-12)


def _physical(tree: xr.DataTree, path: str) -> xr.Dataset:
    """What is not itself a rounding error."""
    node = tree[path].to_dataset()
    small = (
        "residual",
        "quadrature_error",
        "gap",
        "optimality_gap",
        "exponent_error",
        "alpha_prune_error",
        "deviation",
    )
    return node.drop_vars([name for name in small if name in node.variables])
