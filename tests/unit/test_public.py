"""The public surface, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import perceptron_theory as pt

PUBLIC = {
    "AngleEstimate",
    "Band",
    "Calibration",
    "Comparison",
    "ConvergenceError",
    "ConvexLoss",
    "ConvexSolution",
    "Easy",
    "ErrorGradient",
    "ExecutorError",
    "GaussianMargins",
    "Gibbs",
    "Hard",
    "Influence",
    "InvalidInputError",
    "KeepList",
    "KeepListError",
    "KeepProbability",
    "Labels",
    "MaxMargin",
    "MeasuredMargins",
    "MissingExtraError",
    "ModelComparison",
    "OutputError",
    "PerceptronTheoryError",
    "Policy",
    "PolicyStatus",
    "Random",
    "RawScores",
    "Recommendation",
    "Runs",
    "ScoreError",
    "ScoreReport",
    "Scores",
    "Simulation",
    "Solution",
    "Status",
    "StoreError",
    "StreamSelection",
    "Sweep",
    "UncertifiedError",
    "VersionSpaceSolution",
    "__version__",
    "calibrate",
    "check_keep_list",
    "cite",
    "compare",
    "compare_models",
    "crossover",
    "digits_scores",
    "error_gradient",
    "frontier_exponent",
    "greedy_policy",
    "hard_easy_boundary",
    "hard_random_boundary",
    "influence",
    "information_gain",
    "inspect_scores",
    "learning_curve",
    "local_exponent",
    "optimal_policy",
    "paper_information_gain",
    "pareto_frontier",
    "phase_diagram",
    "policy_curve",
    "rank_average",
    "rank_correlation",
    "read_runs",
    "read_scores",
    "required_theta",
    "select",
    "select_stream",
    "separability_threshold",
    "simulate",
    "simulate_sweep",
    "smallest_useful_f",
    "solve",
    "tail_prefactor",
    "theta_from_agreement",
    "theta_from_error_rate",
    "theta_from_fields",
    "theta_from_rank_correlation",
}


def test_public_names() -> None:
    assert set(pt.__all__) == PUBLIC
    for name in PUBLIC:
        assert getattr(pt, name) is not None
    for name in PUBLIC - {"__version__"}:
        assert getattr(pt, name).__doc__


def test_import_is_light() -> None:
    """No tensors, pictures, symbols or tables are loaded before they are used; solving needs none either."""
    code = (
        "import sys, perceptron_theory as pt; heavy = {'torch', 'matplotlib', 'sympy', 'pandas', 'xarray'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules);"
        "pt.solve; assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_solution_shapes() -> None:
    one = pt.solve(3.0, 0.3, 0.1)
    assert isinstance(one.test_error, float)
    assert one.converged
    many = pt.solve(np.ones((4, 1)), np.full(3, 0.5), 0.1, selection="easy")
    fields = ("alpha_prune", "f", "theta", "alpha_tot", "test_error", "R", "rho", "kappa", "residual", "status")
    for name in fields:
        assert getattr(many, name).shape == (4, 3)
    assert many.selection == "easy"
    with pytest.raises(ValueError, match="read-only"):
        many.test_error[0, 0] = 1.0
    assert pt.solve(np.empty(0), 0.5, 0.1).test_error.shape == (0,)
    assert pt.solve(1.0, np.empty(0), 0.1).test_error.shape == (0,)


def test_learning_curve_is_labelled() -> None:
    curve = pt.learning_curve([1, 2, 3], [0.2, 0.4], 0.1, selection=pt.Band(0.1))
    assert dict(curve.sizes) == {"alpha_prune": 3, "f": 2}
    assert float(curve.theta) == 0.1
    point = pt.solve(2, 0.4, 0.1, selection=pt.Band(0.1))
    assert float(curve.test_error.sel(alpha_prune=2, f=0.4)) == point.test_error
    assert curve.test_error.attrs["long_name"]
    assert "2206.14486" in curve.attrs["references"]


def test_learning_curve_of_a_keep_probability_reports_f() -> None:
    rule = pt.KeepProbability(lambda m: 0.5 + 0.0 * m)
    curve = pt.learning_curve([1.0, 2.0], theta=[0.1, 0.2], selection=rule)
    assert dict(curve.sizes) == {"alpha_prune": 2, "theta": 2}
    np.testing.assert_allclose(curve.f, 0.5, rtol=1e-12)


def test_dataset_survives_netcdf(tmp_path: Path) -> None:
    frontier = pt.pareto_frontier([0.5, 3.0, 40.0], 0.2, alpha_tot_max=30.0)
    frontier.to_netcdf(tmp_path / "frontier.nc", engine="netcdf4")
    with xr.open_dataset(tmp_path / "frontier.nc", engine="netcdf4") as back:
        assert back.active.values.tolist() == frontier.active.values.tolist()
        np.testing.assert_array_equal(back.test_error, frontier.test_error)
        assert back.attrs["alpha_tot_max"] == 30.0


def test_version_is_said_once() -> None:
    root = Path(__file__).resolve().parents[2]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert f"version: {pt.__version__}" in (root / "CITATION.cff").read_text(encoding="utf-8")
    assert pt.__version__ in (root / "CHANGELOG.md").read_text(encoding="utf-8")
