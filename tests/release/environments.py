"""Wheel and sdist built, looked into, installed in clean environments, and tested there.

    python tests/release/environments.py --python 3.11=python3.11 --python 3.13=python3.13

Each environment gets the wheel; the tests are those of the sdist, beside which no package lies, so that they can only
find the installed one. Of the oldest supported Python given there are two: with the newest dependencies, and with the
oldest that pyproject.toml admits. With the newest Python all tests are run again as they would be on other processors.
The extras are then installed one by one, with the tests that need them. Prints a table; ends with 1 if anything failed.
Not collected by pytest: it takes more than an hour.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]

#: Data that the wheel may hold: the embedded default, tables of our own runs that figures draw, styles, types.
DATA_IN_WHEEL = {
    "perceptron_theory/__init__.pyi",
    "perceptron_theory/explorer/assets/explorer.css",
    "perceptron_theory/explorer/assets/explorer.js",
    "perceptron_theory/measured_runs/data/advice_runs.csv",
    "perceptron_theory/measured_runs/data/mnist_runs.csv",
    "perceptron_theory/measured_runs/data/mnist_runs.json",
    "perceptron_theory/plotting/perceptron_theory.mplstyle",
    "perceptron_theory/py.typed",
    "perceptron_theory/scores/data/digits_margins.csv",
    "perceptron_theory/scores/data/digits_facts.json",
}

#: What the tests without extras need.
TEST_TOOLS = ("hypothesis", "mpmath", "packaging", "pytest", "pytest-xdist")

#: Tests that hold with each extra alone; without any, those that need none.
TESTS_OF_EXTRAS: dict[str, tuple[str, ...]] = {
    "": ("tests/unit", "tests/limits", "tests/published", "tests/cli", "tests/calibration"),
    "torch": (
        "tests/metrics",
        "--ignore=tests/metrics/test_measured.py",
        "tests/identities/test_torch_bridge.py",
        "tests/keeplists",
    ),
    "digits": ("tests/scores/test_scores.py", "tests/simulation/test_loss_minimisers.py"),
    "derivation": ("tests/second_derivation",),
    "dask": ("tests/keeplists/test_streaming_executors.py", "tests/simulation/test_trials.py"),
    "explore": ("tests/explorer",),
    "docs": ("tests/docs", "docs"),
}

#: Processors that this one can stand for, and the variables that hold a library to the instructions they have.
PROCESSORS: dict[str, dict[str, str]] = {
    "torch held to AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"},
    "torch held to SSE4.1": {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default"},
    "OpenBLAS held to AVX2": {"OPENBLAS_CORETYPE": "Haswell"},
    # All that numpy has code for; the last is for processors that this need not be.
    "numpy held to AVX2": {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"},
    "kernels held to AVX2": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma"},
}


@dataclass(frozen=True)
class Environment:
    """One row of the table."""

    python: Path
    version: str
    extra: str
    oldest: bool
    tests: tuple[str, ...]
    processor: str = "as it is"

    @property
    def title(self) -> str:
        """What is installed, and on which processor, in words."""
        dependencies = "oldest" if self.oldest else "newest"
        return f"{self.version} | {dependencies} | {self.extra or 'none'} | {self.processor}"


def run(command: Sequence[object], folder: Path, **extra_environment: str) -> str:
    """Output of a command that must succeed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | extra_environment
    done = subprocess.run([*map(str, command)], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(map(str, command))} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-20000:]}"
        )
    return done.stdout


def built(folder: Path) -> tuple[Path, Path]:
    """Wheel and sdist; the wheel is built from the sdist, as an installer would."""
    run([sys.executable, "-m", "build", "--outdir", folder, ROOT], folder)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def check_wheel(wheel: Path) -> str:
    """What is in the wheel is code, and the data that are meant to be; its size in words."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
    surprising = sorted(name for name in names if not name.endswith(".py") and name not in DATA_IN_WHEEL)
    outside = sorted(name for name in names if not name.startswith("perceptron_theory/"))
    if surprising or outside:
        raise RuntimeError(f"the wheel holds what it should not: {surprising + outside}")
    return f"{wheel.name}: {wheel.stat().st_size / 1e3:.0f} kB, {len(names)} files"


def unpacked_tests(sdist: Path, folder: Path) -> Path:
    """Tests and what they read, without the package."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    (root / "perceptron_theory").rename(folder / "not-the-installed-package")
    shared = ROOT.parent / "shared"
    if shared.is_dir():
        (folder / "shared").symlink_to(shared)
    return root


def project() -> dict[str, Any]:
    """What pyproject.toml says of the package."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def tested_torch() -> str:
    """The version of torch that tests are set up with; users get a range."""
    (exact,) = (item for item in project()["optional-dependencies"]["dev"] if item.startswith("torch=="))
    return str(exact)


def oldest_pins() -> Iterator[str]:
    """Lowest admitted version of each dependency."""
    for requirement in map(Requirement, project()["dependencies"]):
        (lowest,) = (bound.version for bound in requirement.specifier if bound.operator == ">=")
        yield f"{requirement.name}=={lowest}" + ("" if lowest.count(".") > 1 else ".*")


def tried(environment: Environment, wheel: Path, tests: Path, folder: Path) -> str:
    """Closing line of the tests in a new environment."""
    home = folder / "environment"
    run([environment.python, "-m", "venv", home], folder)
    python = home / "bin" / "python"
    extra = f"[{environment.extra}]" if environment.extra else ""
    pins = [*oldest_pins()] if environment.oldest else []
    tools = () if environment.extra == "dev" else TEST_TOOLS
    constraints = folder / "constraints.txt"
    constraints.write_text(tested_torch(), encoding="utf-8")
    install = [python, "-m", "pip", "install", "--quiet", "--constraint", constraints]
    run([*install, f"{wheel}{extra}", *pins, *tools], folder)
    processor = PROCESSORS.get(environment.processor, {})
    # numpy warns of instructions whose names it does not know.
    imported = "import numpy, perceptron_theory; print(perceptron_theory.__file__)"
    where = run([python, "-W", "error", "-c", imported], folder, **processor)
    if "site-packages" not in where:
        raise RuntimeError(f"the tests would not find the installed package but {where}")
    pytest = [python, "-m", "pytest", "--quiet", "--numprocesses", "2", "-p", "no:cacheprovider"]
    # Old dependencies use what newer ones of theirs deprecate: that is not ours to mend.
    pytest += ["-W", "default::DeprecationWarning"] if environment.oldest else []
    output = run([*pytest, *environment.tests], tests, NUMBA_CACHE_DIR=str(folder / "kernels"), **processor)
    return output.strip().splitlines()[-1]


def environments(pythons: dict[str, Path], extras: bool) -> Iterator[Environment]:
    """The rows of the table: everything on each Python, the oldest dependencies, processors, extras one by one."""
    everything = ("tests", "--pyargs", "perceptron_theory")
    first, last = next(iter(pythons)), list(pythons)[-1]
    yield Environment(pythons[first], first, "dev", True, everything)
    for version, python in pythons.items():
        yield Environment(python, version, "dev", False, everything)
    for processor in PROCESSORS:
        yield Environment(pythons[last], last, "dev", False, everything, processor)
    if extras:
        for extra, paths in TESTS_OF_EXTRAS.items():
            yield Environment(pythons[last], last, extra, False, paths)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", required=True, metavar="VERSION=PATH", help="oldest first")
    parser.add_argument("--no-extras", action="store_true", help="leave out the extras one by one")
    parser.add_argument("--only", help="rows whose title holds this text")
    chosen = parser.parse_args()
    pythons = {version: Path(path) for version, path in (item.split("=", 1) for item in chosen.python)}
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("dist", "sdist"):
            (folder / part).mkdir()
        wheel, sdist = built(folder / "dist")
        print(check_wheel(wheel), f"{sdist.name}: {sdist.stat().st_size / 1e6:.1f} MB", sep="\n")
        tests = unpacked_tests(sdist, folder / "sdist")
        print(
            "\n| Python | dependencies | extras | processor | tests | minutes |\n|---|---|---|---|---|---|", flush=True
        )
        for environment in environments(pythons, not chosen.no_extras):
            if chosen.only and chosen.only not in environment.title:
                continue
            begin = time.monotonic()
            with tempfile.TemporaryDirectory() as scratch:
                try:
                    result = tried(environment, wheel, tests, Path(scratch))
                except RuntimeError as error:
                    failed += 1
                    print(error, file=sys.stderr, flush=True)
                    result = "FAILED"
            print(f"| {environment.title} | {result} | {(time.monotonic() - begin) / 60:.0f} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
