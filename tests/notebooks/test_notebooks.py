"""Notebooks: what is kept is what the script says, reads well, and comes out again."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import nbformat
import pytest
from notebook_pairs import FOLDER, METADATA, execute, read_script

import perceptron_theory as pt

SCRIPTS = sorted(FOLDER.glob("*.py"))

#: Seconds, from starting Python to the last cell.
LIMIT = 60.0

#: Code hosts show larger files slowly or not at all.
MOST_BYTES = 500_000

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
PLACE = re.compile(r"(?<![\w.])/(?:home|root|tmp|usr|opt|var|work|Users)/|[A-Z]:\\|site-packages|\b0x[0-9a-f]{6,}")


def kept(script: Path) -> nbformat.NotebookNode:
    notebook: nbformat.NotebookNode = nbformat.read(script.with_suffix(".ipynb"), as_version=nbformat.NO_CONVERT)
    return notebook


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    """Everything printed and shown but pictures, cell by cell."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            found += [output.get("text", ""), *(data[kind] for kind in sorted(data) if kind.startswith("text/"))]
    return found


def test_every_notebook_has_a_script() -> None:
    assert SCRIPTS
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == {path.stem for path in SCRIPTS}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_kept_outputs(script: Path) -> None:
    notebook = kept(script)
    nbformat.validate(notebook)
    assert notebook.metadata == METADATA
    source, shown = read_script(script).cells, notebook.cells
    again = "out of date: run python tests/notebook_pairs.py"
    assert [(c.id, c.cell_type, c.source) for c in shown] == [(c.id, c.cell_type, c.source) for c in source], again
    code = [cell for cell in shown if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), again
    assert not any(cell.metadata for cell in shown), "metadata change with every execution"
    outputs = [output for cell in code for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs) or texts(notebook)
    for output in outputs:
        assert output.output_type != "error"
        assert output.get("name") != "stderr", output.text
    for text in texts(notebook):
        assert not PLACE.search(text), text
    assert script.with_suffix(".ipynb").stat().st_size < MOST_BYTES


@pytest.fixture(scope="session")
def compiled() -> None:
    """On a fresh machine kernels are compiled once, before the clock is started."""
    pt.simulate(20, 1.0, 0.5, 0.1, trials=1, student=pt.Gibbs())
    for student in ("max-margin", "gibbs"):
        pt.solve(1.0, 0.5, 0.1, student=student)
    pt.solve(1.0, 0.5, 0.1, margins=pt.digits_scores().margins())
    pt.solve(1.0, 0.5, 0.1, student=pt.ConvexLoss("square", "optimal"))
    pt.separability_threshold(0.5, 0.1, labels=pt.Labels(0.1))


@pytest.mark.slow
@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_executes(script: Path) -> None:
    """Within the time limit; prints again what is kept, to one unit of the last digit printed."""
    new, old = texts(execute(script, LIMIT)), texts(kept(script))
    assert [NUMBER.sub("#", text) for text in new] == [NUMBER.sub("#", text) for text in old]
    for now, before in zip(NUMBER.findall("\n".join(new)), NUMBER.findall("\n".join(old)), strict=True):
        # Other processors round sums otherwise.
        last_digit = Decimal(1).scaleb(max(int(Decimal(x).as_tuple().exponent) for x in (now, before)))
        assert abs(Decimal(now) - Decimal(before)) <= last_digit, f"{before} is now {now}"
