"""How much the prototype metric depends on the number k of prototypes, over a factor 100 in k.

Appendix E of Sorscher et al. 2022 finds the error after pruning ImageNet insensitive to k within a factor 10 of 1,000.
Left, the same on small data: test error of a softmax regression trained on the hardest half, for the 1,797 digits and
3,000 images of MNIST at half their resolution, a quarter of them for the test; grey bands are random halves (mean and
two standard deviations of ten): over the factor 100 the error of MNIST stays within chance, that of the digits within a
factor 2 of the best k only. Right, the scores themselves: rank correlation with those at a k in the middle, whose fit
has a seed of its own, so that at ratio 1 the rest to 1 is chance.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.figure import Figure

from perceptron_theory.extras import require
from perceptron_theory.figures import measured_data
from perceptron_theory.keeplists.selecting import select
from perceptron_theory.plotting.style import new_figure
from perceptron_theory.scores.scores import Scores

#: Reference k: two or three prototypes to each of the ten classes.
K_REFERENCE = {"digits": 20, "MNIST": 30}
FACTORS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
N_MNIST = 3_000
N_FAST = 600
KEPT = 0.5


def compute(fast: bool = False) -> xr.DataTree:
    """Spearman's coefficients per k and seed; test errors after pruning, and those of random subsets."""
    from perceptron_theory.metrics.robustness import robustness_in_k

    parts = {}
    for name, (rows, labels) in _images().items():
        if fast:
            rows, labels = rows[:N_FAST], labels[:N_FAST]
        k = [round(factor * K_REFERENCE[name]) for factor in (FACTORS[::3] if fast else FACTORS)]
        found = robustness_in_k(rows, k, K_REFERENCE[name], seeds=1 if fast else 3)
        parts[name] = xr.Dataset(
            {
                "spearman": (("k", "seed"), found.spearman),
                "test_error": ("k", [_error(rows, labels, number) for number in k]),
                "test_error_random": (
                    "subset",
                    [_error(rows, labels, None, seed) for seed in range(3 if fast else 10)],
                ),
            },
            {"k": found.k},
            {"k_reference": found.k_reference, "n": len(rows), "f": KEPT},
        )
    return xr.DataTree.from_dict(parts)


def _images() -> dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]]:
    """Pixels in rows, and labels."""
    require("digits", "the figure prototype_robustness trains students")
    from sklearn.datasets import load_digits

    pixels, digit = load_digits(return_X_y=True)
    images, labels = measured_data.mnist_images()
    half = images[:N_MNIST].reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(N_MNIST, -1)
    return {
        "digits": ((pixels / 16.0).astype(np.float32), digit.astype(np.int64)),
        "MNIST": (half.astype(np.float32), labels[:N_MNIST]),
    }


def _error(rows: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], k: int | None, seed: int = 0) -> float:
    """Test error of a softmax regression on the hardest part by k prototypes; on a random part where k is None."""
    from sklearn.linear_model import LogisticRegression

    from perceptron_theory.metrics.prototypes import prototype_distance

    test = np.arange(len(rows)) % 4 == 0
    x, y = rows[~test], labels[~test]
    found = np.arange(len(x), dtype=np.float64)
    if k is not None:
        found = prototype_distance(x, k, seed=1).scores.numpy().astype(np.float64)
    mode = "random" if k is None else "hard"
    kept = select(Scores(found, "harder"), KEPT, mode=mode, seed=seed).indices
    model = LogisticRegression(C=10.0, fit_intercept=True, max_iter=1_000, tol=1e-6).fit(x[kept], y[kept])
    fields = rows[test] @ model.coef_.T + model.intercept_
    return float(np.mean(model.classes_[fields.argmax(axis=1)] != labels[test]))


def draw(numbers: xr.DataTree) -> Figure:
    """Error after pruning, and correlation of scores, against k over its reference."""
    figure = new_figure(10.0, 4.4)
    left, right = figure.subplots(1, 2)
    for colour, name in zip(("C0", "C1"), K_REFERENCE, strict=True):
        found = numbers[name].to_dataset()
        ratio = found.k / found.attrs["k_reference"]
        label = f"{name}, n = {found.attrs['n']:,}, reference k = {found.attrs['k_reference']}"
        mean, spread = float(found.test_error_random.mean()), 2.0 * float(found.test_error_random.std(ddof=1))
        left.axhspan(mean - spread, mean + spread, color=colour, alpha=0.15, lw=0.0)
        left.axhline(mean, color=colour, lw=1.0, ls=":")
        left.plot(ratio, found.test_error, "o-", color=colour, lw=1.6, ms=4.5, label=label)
        right.plot(ratio, found.spearman.mean("seed"), color=colour, lw=1.6)
        for seed in range(found.sizes["seed"]):
            right.plot(ratio, found.spearman.isel(seed=seed), "o", ms=4.0, color=colour, mec="white", mew=0.6)
    left.set(xscale="log", xlabel="k / reference", ylabel="test error", ylim=(0.0, None))
    right.set(xscale="log", xlabel="k / reference", ylabel="rank correlation with the reference", ylim=(0.0, 1.03))
    left.set_title(f"trained on the hardest {100 * KEPT:g} %; bands: random", fontsize=10)
    right.set_title("scores", fontsize=10)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.suptitle("How much the prototype metric depends on the number of prototypes")
    return figure
