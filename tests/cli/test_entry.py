"""The ways into and out of the command line that are no command."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from perceptron_theory.cli import app
from perceptron_theory.version import __version__


def test_as_a_module() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "perceptron_theory.cli", "--version"], capture_output=True, text=True, check=True
    )
    assert __version__ in found.stdout


def test_console_script(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["perceptron-theory", "--version"])
    with pytest.raises(SystemExit) as end:
        app.entry()
    assert end.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_no_command_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main([]) == 2
    assert "Usage: perceptron-theory" in capsys.readouterr().out


def test_interrupted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(*_: object, **__: object) -> None:
        raise click.Abort

    monkeypatch.setattr(app.commands, "main", stop)
    assert app.main(["solve"]) == 130
    assert capsys.readouterr().err == "error: interrupted\n"
