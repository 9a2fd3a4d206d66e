"""One point of the theory, printed with its certificate."""

from __future__ import annotations

import click

from perceptron_theory.cli.arguments import angle, rule
from perceptron_theory.progress import compiling
from perceptron_theory.saddle_point import solve
from perceptron_theory.solution import Status


def print_point(alpha_prune: float, f: float, theta_deg: float, selection: str) -> None:
    """Solve and print name, value and meaning, a line each."""
    with compiling():
        s = solve(alpha_prune, f, angle(theta_deg), selection=rule(selection))
    rows = [
        ("alpha_prune", f"{s.alpha_prune:g}", "examples kept per parameter"),
        ("f", f"{s.f:g}", "fraction kept"),
        ("alpha_tot", f"{s.alpha_tot:g}", "examples before pruning per parameter"),
        ("theta", f"{theta_deg:g} deg", "angle between probe and teacher"),
        ("selection", selection, "which examples are kept"),
        ("test_error", f"{s.test_error:.12g}", "probability of a wrong label"),
        ("R", f"{s.R:.12g}", "cosine of student and teacher"),
        ("rho", f"{s.rho:.12g}", "cosine of student and probe"),
        ("kappa", f"{s.kappa:.12g}", "margin"),
        ("residual", f"{s.residual:.1e}", "of the saddle-point equations"),
        ("quadrature_error", f"{s.quadrature_error:.1e}", "relative, against a finer rule"),
        ("status", Status(int(s.status)).name.lower(), Status(int(s.status)).sentence),
    ]
    for name, value, meaning in rows:
        click.echo(f"{name:<18}{value:<20}{meaning}")
