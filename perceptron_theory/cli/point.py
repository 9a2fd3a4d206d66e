"""One point of the theory, printed with its certificate."""

from __future__ import annotations

import click

from perceptron_theory.cli.arguments import angle, rule, trained
from perceptron_theory.progress import compiling
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.solving.solution import ConvexSolution, Solution, Status, VersionSpaceSolution


def print_point(
    alpha_prune: float, f: float, theta_deg: float, selection: str, student: str, lam: str | None, flip: float
) -> bool:
    """Solve and print name, value and meaning, a line each. False if the point failed its certificate."""
    who, labels = trained(student, lam, flip)
    with compiling():
        s = solve(alpha_prune, f, angle(theta_deg), selection=rule(selection), student=who, labels=labels, throw=False)
    rows = [
        ("alpha_prune", f"{s.alpha_prune:g}", "examples kept per parameter"),
        ("f", f"{s.f:g}", "fraction kept"),
        ("alpha_tot", f"{s.alpha_tot:g}", "examples before pruning per parameter"),
        ("theta", f"{theta_deg:g} deg", "angle between probe and teacher"),
        ("selection", selection, "which examples are kept"),
        ("student", student, "who is trained on them"),
        ("test_error", f"{s.test_error:.12g}", "probability of a wrong label, noise left out"),
        ("R", f"{s.R:.12g}", "cosine of student and teacher"),
        ("rho", f"{s.rho:.12g}", "cosine of student and probe"),
        ("kappa", f"{s.kappa:.12g}", "margin"),
        *_version_space(s),
        *_convex(s),
        ("residual", f"{s.residual:.1e}", "of the saddle-point equations"),
        ("quadrature_error", f"{s.quadrature_error:.1e}", "relative, against a finer rule"),
        ("status", Status(int(s.status)).name.lower(), Status(int(s.status)).sentence),
    ]
    for name, value, meaning in rows:
        click.echo(f"{name:<18}{value:<20}{meaning}")
    return bool(s.converged)


def _version_space(s: Solution) -> list[tuple[str, str, str]]:
    """Lines that only a student of the version space has."""
    if not isinstance(s, VersionSpaceSolution):
        return []
    return [
        ("q", f"{s.q:.12g}", "cosine of two students"),
        ("entropy", f"{s.entropy:.12g}", "logarithm of the volume, nats per parameter"),
        ("gain", f"{s.gain:.12g}", "information in one more kept example, nats"),
    ]


def _convex(s: Solution) -> list[tuple[str, str, str]]:
    """Lines that only a student with a convex loss has."""
    if not isinstance(s, ConvexSolution):
        return []
    return [
        ("lam", f"{s.lam:.12g}", "strength of the penalty lam N / 2 |w|^2"),
        ("norm", f"{s.norm:.12g}", "length of the student"),
        ("train_error", f"{s.train_error:.12g}", "share of the kept examples it gets wrong"),
        ("train_loss", f"{s.train_loss:.12g}", "their mean loss"),
        ("label_error", f"{s.label_error:.12g}", "disagreement with fresh labels, noise included"),
    ]
