"""Every file of real scores beside the checkout: read, and found to be what its table says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import perceptron_theory as pt
from perceptron_theory.scores.inspection import ScoreReport, inspect_scores


def report(folder: Path, name: str, key: str | None = None, labels: str | None = None) -> ScoreReport:
    scores = pt.read_scores(folder / "scores" / name, key=key, labels=labels, higher_is="harder")
    return inspect_scores(scores)


def test_every_array_of_every_file(shared_data: Path) -> None:
    read = 0
    for path in sorted((shared_data / "scores").iterdir()):
        keys = np.load(path).files if path.suffix == ".npz" else [None]
        for key in keys:
            if "softmax" in path.name:
                with pytest.raises(pt.ScoreError, match=r"must be a vector, one per example, got shape \(\d+, 10\)"):
                    pt.read_scores(path, key=key, higher_is="harder")
                continue
            scores = pt.read_scores(path, key=key, higher_is="harder")
            expected = np.load(path)[key] if key else np.load(path)
            np.testing.assert_array_equal(scores.values, expected.ravel())
            assert inspect_scores(scores).n == {"mnist_train.npz": 60_000, "mnist_test_labels.npy": 10_000}.get(
                path.name, 50_000
            )
            read += 1
    assert read == 37


@pytest.mark.parametrize(
    ("name", "key", "count"),
    [
        ("cifar10_train.npz", "forgetting_260D", 1414),
        ("mnist_train.npz", "mnist_forgetting", 22),
        ("mnist_train.npz", "permuted_mnist_forgetting", 147),
    ],
)
def test_never_learned(shared_data: Path, name: str, key: str, count: int) -> None:
    found = report(shared_data, name, key, "label")
    assert [(sentinel.value, sentinel.count) for sentinel in found.sentinels] == [(200.0, count)]
    assert [pile_up.value for pile_up in found.pile_ups] == [0.0]  # never forgotten
    assert (found.saturated, found.bimodal, found.n_classes) == (False, False, 10)


def test_float16_saturation(shared_data: Path) -> None:
    found = report(shared_data, "cifar10_train.npz", "ptrue_cv")
    assert found.saturated
    assert found.pile_ups[0].share == pytest.approx(0.46, abs=0.005)  # "46 %", rounded
    assert found.bimodal


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("cifar10_train.npz", "cscore"),
        ("cifar10_train.npz", "maxlossinc_260D"),
        ("cifar100_train.npz", "cscore"),
        ("mnist_train.npz", "mnist_maxlossinc"),
        ("mnist_train.npz", "permuted_mnist_maxlossinc"),
    ],
)
def test_nothing_to_report(shared_data: Path, name: str, key: str) -> None:
    found = report(shared_data, name, key)
    assert (found.sentinels, found.pile_ups, found.float16, found.bimodal) == ((), (), False, False)
    assert found.ties.tied_fraction < 0.02


@pytest.mark.parametrize("noise", [2, 4, 6])
def test_wrong_labels_make_a_second_heap(shared_data: Path, noise: int) -> None:
    found = report(shared_data, "cifar10_train.npz", f"el2n_cv_noisy_s0_n{noise}")
    assert len(found.modes) == 2
    assert (found.sentinels, found.float16) == ((), False)


def test_fraction_of_models(shared_data: Path) -> None:
    found = report(shared_data, "imagenet_val_fraction_of_models_correct.npy")
    assert (found.n, found.ties.n_distinct, found.ties.tied_fraction) == (50_000, 12, 1.0)
    assert (found.sentinels, found.float16, found.bimodal) == ((), False, False)
