"""Notebooks: scripts in the percent format, and the .ipynb files with outputs that are made of them.

python tests/notebook_pairs.py        # execute all scripts of the folder notebooks and write their .ipynb files
python tests/notebook_pairs.py 1 3    # only those whose names begin so
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"

#: The same wherever it was executed.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def read_script(script: Path) -> nbformat.NotebookNode:
    """Notebook without outputs, its cells numbered: a random id would change with every execution."""
    notebook: nbformat.NotebookNode = jupytext.read(script, fmt="py:percent")
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = {}
    notebook.metadata = METADATA
    notebook.nbformat, notebook.nbformat_minor = 4, 5  # the first with ids
    return notebook


def execute(script: Path, limit: float | None = None) -> nbformat.NotebookNode:
    """Notebook with outputs, from a new Python in an empty folder.

    Raises what nbclient raises if a cell fails, or if all take longer than `limit` seconds, start included.
    """
    notebook = read_script(script)
    end = None if limit is None else time.monotonic() + limit
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            kernel_name=METADATA["kernelspec"]["name"],
            resources={"metadata": {"path": folder}},
            timeout_func=lambda _: None if end is None else max(1, math.ceil(end - time.monotonic())),
            record_timing=False,
            coalesce_streams=True,
            # Kernel and client talk on this machine only, unencrypted as Jupyter does by default: no warning of it.
            extra_arguments=["--log-level=ERROR"],
        )
        # What users run at the start of their own IPython stays out.
        client.execute(env={**os.environ, "IPYTHONDIR": folder})
    notebook.metadata = METADATA
    return notebook


def main(beginnings: list[str]) -> None:
    """Write the .ipynb file of each script."""
    for script in sorted(FOLDER.glob("*.py")):
        if not beginnings or script.name.startswith(tuple(beginnings)):
            started = time.monotonic()
            notebook = execute(script)
            nbformat.validate(notebook)
            nbformat.write(notebook, script.with_suffix(".ipynb"))
            print(f"{script.stem:<30}{time.monotonic() - started:6.1f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
