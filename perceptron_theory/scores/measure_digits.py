"""Makes the embedded default: ``python -m perceptron_theory.scores.measure_digits [FOLDER]``.

Needs scikit-learn. A linear probe without bias learns odd against even from 200 of the 1,797
bundled digits; the signed margins of all are written, with the angle of the probe to a student trained on everything.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from perceptron_theory.scores.digits import FACTS_FILE, MARGINS_FILE, DigitsFacts

N_PROBE = 200
SEED = 0


def measure(folder: Path) -> DigitsFacts:
    """Train probe and full student, write margins and facts to `folder`."""
    pixels, digit = load_digits(return_X_y=True)
    pixels = pixels[:, pixels.std(axis=0) > 0.0]
    x = (pixels - pixels.mean(axis=0)) / pixels.std(axis=0)
    y = np.where(digit % 2 == 1, 1, -1)
    order = np.random.default_rng(SEED).permutation(y.size)
    used = np.zeros(y.size, dtype=bool)
    used[order[:N_PROBE]] = True

    def train(rows: np.ndarray) -> np.ndarray:
        model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=10_000, tol=1e-8)
        return np.asarray(model.fit(x[rows], y[rows]).coef_[0])

    probe = train(used)
    full = train(np.ones(y.size, dtype=bool))
    margin = y * (x @ probe)
    margin /= np.sqrt(np.mean(margin**2))
    cosine = float(np.mean((x @ probe) * (x @ full)) / np.sqrt(np.mean((x @ probe) ** 2) * np.mean((x @ full) ** 2)))
    facts = DigitsFacts(
        n_probe=N_PROBE,
        theta_to_full=float(np.arccos(cosine)),
        full_error=float(np.mean(y * (x @ full) < 0.0)),
    )
    folder.mkdir(parents=True, exist_ok=True)
    rows = [f"{i},{digit[i]},{margin[i]:.6f},{int(used[i])}" for i in range(y.size)]
    (folder / MARGINS_FILE).write_text("\n".join(["index,digit,margin,trained_on", *rows]) + "\n", encoding="utf-8")
    (folder / FACTS_FILE).write_text(json.dumps(asdict(facts), indent=2) + "\n", encoding="utf-8")
    return facts


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "data"
    print(measure(target))
