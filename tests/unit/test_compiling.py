"""Where compiled code cannot be kept, it is compiled anew, and one warning says how to keep it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from numba.core.caching import CacheImpl

import perceptron_theory as pt
from perceptron_theory import compiling

SOLVE = "import perceptron_theory as pt; print(pt.solve(3.0, 0.3, 0.17).test_error)"
#: Puts every file system of this process on read-only, but for those of the kernel, then runs a command.
READ_ONLY = """
mount --make-rprivate / || exit 77
for place in $(awk '{print $2}' /proc/mounts); do
    case $place in /proc*|/sys*|/dev*) ;; *) mount -o remount,bind,ro "$place" 2>/dev/null ;; esac
done
touch "$0" 2>/dev/null && exit 77
exec "$@"
"""


@pytest.fixture
def no_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Numba finds no folder."""
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    compiling._warn_uncached.cache_clear()
    yield
    compiling._warn_uncached.cache_clear()


@pytest.mark.usefixtures("no_place")
def test_kernels_compute_without_a_place_and_warn_once() -> None:
    def twice(x: float) -> float:
        return 2.0 * x

    with pytest.warns(UserWarning, match="Set NUMBA_CACHE_DIR to a folder"):
        assert compiling.kernel(twice)(0.75) == 1.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compiling.kernel(twice)(0.5) == 1.0
        compiling.inner_kernel(twice)
        compiling.summing_kernel(twice)


@pytest.fixture
def homeless(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A copy of the package, and an environment, in which nobody, root neither, can make the folders numba asks for.

    Where a folder should be made, a file lies in the way.
    """
    package = tmp_path / "perceptron_theory"
    shutil.copytree(Path(pt.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__", "data"))
    for folder in (package, *(path for path in package.rglob("*") if path.is_dir())):
        (folder / "__pycache__").touch()
    home = tmp_path / "home"
    home.touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA", "XDG", "PYTHON"))}
    return package, kept | {"HOME": str(home), "PYTHONPATH": str(tmp_path)}


def run(command: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """From the folder of the copy: `python -c` looks there first."""
    return subprocess.run(
        command, env=environment, cwd=environment["PYTHONPATH"], capture_output=True, text=True, check=False
    )


def test_import_without_a_home(homeless: tuple[Path, dict[str, str]]) -> None:
    code = "import perceptron_theory as pt; pt.solve; print(pt.__file__)"
    found = run([sys.executable, "-c", code], homeless[1])
    assert found.returncode == 0, found.stderr
    assert Path(found.stdout.strip()).parent == homeless[0]
    assert found.stderr.count("UserWarning") == found.stderr.count("Set NUMBA_CACHE_DIR") == 1


def test_import_with_a_cache_of_its_own(homeless: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    """What the warning says helps."""
    environment = homeless[1] | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    found = run([sys.executable, "-W", "error", "-c", "import perceptron_theory as pt; pt.solve"], environment)
    assert found.returncode == 0, found.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="read-only file systems are made with Linux's unshare and mount")
def test_solve_in_a_container_without_a_place_to_write(homeless: tuple[Path, dict[str, str]]) -> None:
    """Nor for temporary files: half a minute, all of it compiling."""
    package, environment = homeless
    within = ["unshare", "--map-root-user", "--mount", "bash", "-c", READ_ONLY, str(package.parent / "touched")]
    found = run([*within, sys.executable, "-c", SOLVE], environment)
    if found.returncode == 77 or "unshare failed" in found.stderr:
        pytest.skip(f"this machine does not let us mount anything read-only: {found.stderr[-200:]}")
    assert found.returncode == 0, found.stderr
    assert found.stderr.count("Set NUMBA_CACHE_DIR") == 1
    # The same equations, compiled for the same processor.
    assert float(found.stdout) == pytest.approx(pt.solve(3.0, 0.3, 0.17).test_error, rel=1e-12)
