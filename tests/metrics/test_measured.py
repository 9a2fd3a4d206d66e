"""Metrics on real data: published EL2N again, and prototypes of images at many k."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sklearn.datasets import load_digits

from perceptron_theory import metrics


def test_el2n_and_margin_of_cifar10_again(shared_data: Path) -> None:
    folder = shared_data / "scores"
    published = np.load(folder / "cifar10_train.npz")
    by_folder = np.load(folder / "cifar10_train_labels_folder_order.npz")
    softmax = torch.from_numpy(np.load(folder / "cifar10_train_softmax_cv_folder_order.npy"))
    labels, order = torch.from_numpy(by_folder["label_true"]), by_folder["orig_index"]
    np.testing.assert_array_equal(published["label"][order], by_folder["label_true"])
    assert softmax.dtype == torch.float16
    # Both sides start from the same float16 probabilities, and compute in float32.
    found = metrics.el2n(softmax, labels, given="probabilities")
    np.testing.assert_allclose(found.numpy(), published["el2n_cv"][order], rtol=0, atol=2e-7)
    found = metrics.margin(softmax, labels, given="probabilities")
    np.testing.assert_allclose(found.numpy(), published["margin_cv"][order], rtol=0, atol=2e-7)


def principal_components(images: npt.NDArray[np.float64], number: int) -> npt.NDArray[np.float32]:
    centred = images - images.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(centred @ directions[:number].T, np.float32)


def test_prototypes_of_digits_at_many_k() -> None:
    """Ranks follow those at the reference less and less, but over a factor of 100 they never turn round."""
    embeddings = principal_components(load_digits(return_X_y=True)[0], 20)
    found = metrics.robustness_in_k(embeddings, [2, 7, 20, 63, 200], 20, seeds=3)
    least, less, same, more, most = found.spearman.mean(axis=1)
    # Fixed before looking. Found: 0.24, 0.67, 0.87, 0.67, 0.44; seeds of one k scatter by 0.1.
    assert same > 0.8
    assert same > max(less, more)
    assert min(less, more) > 0.6
    assert min(least, most) > 0.0


def test_prototypes_of_digits_know_their_classes() -> None:
    """Distances to nearest prototypes and to the mean of the own class agree without any label in the first."""
    images, labels = load_digits(return_X_y=True)
    embeddings = principal_components(images, 20)
    found = metrics.prototype_distance(embeddings, 100, seed=0)
    purity = [np.bincount(labels[found.nearest.numpy() == j]).max() for j in range(100)]
    assert sum(purity) / len(labels) > 0.9
    assert found.report.dead.numel() == found.report.duplicates.numel() == 0


@pytest.mark.slow
def test_prototypes_of_mnist_at_many_k(shared_data: Path) -> None:
    """Over a factor of 100 in k the scores stay alike, though less than between seeds of one k."""
    with np.load(shared_data / "images" / "mnist" / "train_images.npz") as images:
        pixels = images["x"][:5000].reshape(5000, -1) / np.float32(255.0)
    found = metrics.robustness_in_k(pixels, [5, 50, 500], 50, seeds=1)
    few, same, many = found.spearman[:, 0]
    # Found: 0.68, 0.92, 0.69; for a second seed 0.72, 0.92, 0.70.
    assert same > 0.85
    assert min(few, many) > 0.6
