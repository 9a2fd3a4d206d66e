"""A calibration as plain data: enough to make it again, and to use it elsewhere."""

from __future__ import annotations

import hashlib
import math
import platform
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import scipy

from perceptron_theory.calibration.calibration import Calibration
from perceptron_theory.calibration.intervals import covariance
from perceptron_theory.cli.calibration_options import CalibrationOptions
from perceptron_theory.scores.scores import Scores
from perceptron_theory.version import __version__


def calibration_record(options: CalibrationOptions, calibration: Calibration) -> dict[str, Any]:
    """Versions, fingerprints, options, estimates with intervals, and their covariance; no time, no machine."""
    task = calibration.task
    coordinates = [f"ln {one.name}" if one.logarithmic else one.name for one in task.parameters]
    return {
        "versions": {
            "numpy": np.__version__,
            "pandas": pd.__version__,
            "perceptron_theory": __version__,
            "python": platform.python_version(),
            "scipy": scipy.__version__,
        },
        "runs": {
            "source": options.chosen.source,
            "sha256": options.chosen.sha256,
            "rows": options.chosen.rows,
            "chosen": len(calibration.runs),
            "different": len(calibration.residuals),
        },
        "scores": None if options.scores is None else _fingerprint(options.scores),
        "options": options.plain,
        "parameters": calibration.parameters.to_dict(orient="index"),
        "fixed": dict(task.curves.fixed),
        "misfit": calibration.misfit,
        "seed_noise": task.seed_noise,
        "identifiability": calibration.identifiability,
        "covariance": {"coordinates": coordinates, "matrix": covariance(task, calibration.fit)},
        "correlations": calibration.correlations.to_dict(),
    }


def _fingerprint(scores: Scores) -> dict[str, Any]:
    values = hashlib.sha256(scores.values.astype("<f8").tobytes()).hexdigest()
    return {"source": scores.source, "higher_is": scores.higher_is, "n": scores.n, "sha256": values}


def plain(value: Any) -> Any:
    """The value as JSON can hold it: None for what is not known or open."""
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
