"""Every metric beside a loop over examples in numpy, in float64."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor
from torch_devices import DEVICES

from perceptron_theory import metrics

# Rounding of float32, a few times 6e-8, on values up to 10.
CLOSE = 1e-6

N, CLASSES, MODELS = 60, 5, 4

Array = npt.NDArray[np.float64]


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def softmax(z: Array) -> Array:
    powers = np.exp(z - z.max())
    return np.asarray(powers / powers.sum())


def near(found: Tensor, expected: npt.ArrayLike, tolerance: float = CLOSE) -> None:
    np.testing.assert_allclose(found.cpu().numpy(), np.asarray(expected, float), rtol=tolerance, atol=tolerance)


@pytest.fixture
def logits() -> Array:
    return np.asarray(np.random.default_rng(0).normal(scale=3.0, size=(MODELS, N, CLASSES)).astype(np.float32), float)


@pytest.fixture
def labels() -> npt.NDArray[np.int64]:
    return np.random.default_rng(1).integers(CLASSES, size=N)


def on(device: str, array: npt.NDArray[np.generic]) -> Tensor:
    return torch.as_tensor(array.astype(np.float32) if array.dtype.kind == "f" else array, device=device)


def test_margin(device: str, logits: Array, labels: npt.NDArray[np.int64]) -> None:
    one = logits[0]
    expected = [float(z[y] - max(z[c] for c in range(CLASSES) if c != y)) for z, y in zip(one, labels, strict=True)]
    near(metrics.margin(on(device, one), on(device, labels), given="logits"), expected)
    probabilities = np.stack([softmax(z) for z in one])
    expected = [
        float(p[y] - max(p[c] for c in range(CLASSES) if c != y)) for p, y in zip(probabilities, labels, strict=True)
    ]
    near(metrics.margin(on(device, probabilities), on(device, labels), given="probabilities"), expected)


def test_area_under_margin(device: str, logits: Array, labels: npt.NDArray[np.int64]) -> None:
    expected = [
        float(np.mean([z[y] - np.delete(z, y).max() for z in history]))
        for history, y in zip(logits.transpose(1, 0, 2), labels, strict=True)
    ]
    at_once = metrics.area_under_margin(on(device, logits), on(device, labels))
    near(at_once, expected)
    streamed = metrics.area_under_margin((on(device, epoch) for epoch in logits), on(device, labels))
    assert torch.equal(streamed, at_once)


@pytest.mark.parametrize("given", ["logits", "probabilities"])
def test_el2n_and_grand(device: str, logits: Array, labels: npt.NDArray[np.int64], given: metrics.Given) -> None:
    features = np.random.default_rng(2).normal(size=(MODELS, N, 7)).astype(np.float32).astype(float)
    outputs = logits if given == "logits" else np.array([[softmax(z) for z in model] for model in logits])
    el2n, grand = np.zeros(N), np.zeros(N)
    for m in range(MODELS):
        for i in range(N):
            error = softmax(logits[m, i]) - np.eye(CLASSES)[labels[i]]
            el2n[i] += np.linalg.norm(error) / MODELS
            grand[i] += np.linalg.norm(np.outer(error, [*features[m, i], 1.0])) / MODELS
    tensors = on(device, outputs), on(device, labels)
    near(metrics.el2n(*tensors, given=given), el2n)
    near(metrics.grand_last_layer(*tensors, on(device, features), given=given), grand)
    only = metrics.el2n(tensors[0][0], tensors[1], given=given)
    near(only, [np.linalg.norm(softmax(z) - np.eye(CLASSES)[y]) for z, y in zip(logits[0], labels, strict=True)])


def test_grand_is_the_gradient_of_the_last_layer(logits: Array, labels: npt.NDArray[np.int64]) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(7, CLASSES)
    features = torch.randn(N, 7, generator=torch.Generator().manual_seed(0))
    truth = torch.from_numpy(labels)
    found = metrics.grand_last_layer(layer(features), truth, features, given="logits")
    for i in range(N):
        loss = torch.nn.functional.cross_entropy(layer(features[i : i + 1]), truth[i : i + 1])
        weight, bias = torch.autograd.grad(loss, [layer.weight, layer.bias])
        norm = torch.sqrt(weight.square().sum() + bias.square().sum())
        assert float(found[i]) == pytest.approx(float(norm), rel=1e-5)  # both in float32


def test_el2n_keeps_the_digits_of_very_easy_examples() -> None:
    """1 - p is 3e-9 and less here, which float32 probabilities round to 0."""
    logits = torch.tensor([[20.0, 0.0], [30.0, 0.0], [40.0, 0.0]])
    found = metrics.el2n(logits, torch.zeros(3, dtype=torch.int64), given="logits")
    np.testing.assert_allclose(found.numpy(), np.sqrt(2) * np.exp([-20.0, -30.0, -40.0]), rtol=1e-6)  # float32


def test_forgetting(device: str) -> None:
    right = np.random.default_rng(3).random((9, N)) < 0.6
    right[:, :3] = False
    counts, scores = np.zeros(N), np.zeros(N)
    for i in range(N):
        counts[i] = sum(right[t, i] and not right[t + 1, i] for t in range(8))
        scores[i] = counts[i] if right[:, i].any() else 9
    found = metrics.forgetting(on(device, right))
    near(found.counts, counts, 0.0)
    near(found.scores, scores, 0.0)
    assert np.flatnonzero(found.never_learned.cpu().numpy()).tolist() == [0, 1, 2]


def test_fraction_right(device: str) -> None:
    right = np.random.default_rng(4).random((11, N)) < 0.6
    near(metrics.fraction_right(on(device, right)), [right[:, i].mean() for i in range(N)])


def test_ensemble_entropy_and_the_subset_it_selects(device: str, logits: Array) -> None:
    entropy = np.zeros(N)
    for i in range(N):
        mean = np.mean([softmax(z) for z in logits[:, i]], axis=0)
        entropy[i] = -np.sum(mean * np.log(mean))
    near(metrics.ensemble_entropy(on(device, logits), given="logits"), entropy)
    kept = metrics.active_learning(on(device, logits), given="logits", keep_fraction=0.3).cpu().numpy()
    assert sorted(np.flatnonzero(kept)) == sorted(np.argsort(-entropy)[:18])
    assert set(kept) == {0.0, 1.0}


def subsets(n_test: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    rng = np.random.default_rng(5)
    return rng.random((40, N)) < 0.7, rng.random((40, n_test)) < 0.5


def test_memorization(device: str) -> None:
    inside, right = subsets(N)
    expected = [right[inside[:, i], i].mean() - right[~inside[:, i], i].mean() for i in range(N)]
    near(metrics.memorization(on(device, inside), on(device, right)), expected)


@pytest.mark.parametrize("block", [7, 4096])
def test_influence(device: str, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr("perceptron_theory.metrics.subsets._BLOCK", block)
    inside, right = subsets(33)
    matrix = np.zeros((N, 33))
    for i in range(N):
        for j in range(33):
            matrix[i, j] = right[inside[:, i], j].mean() - right[~inside[:, i], j].mean()
    found = metrics.influence(on(device, inside), on(device, right))
    near(found.max, matrix.max(axis=1))
    near(found.sum_abs, np.abs(matrix).sum(axis=1))


def test_supervised_prototypes(device: str, labels: npt.NDArray[np.int64]) -> None:
    embeddings = np.random.default_rng(6).normal(size=(N, 8))
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    expected = np.zeros(N)
    for i in range(N):
        mean = unit[labels == labels[i]].sum(axis=0)
        expected[i] = 1.0 - unit[i] @ mean / np.linalg.norm(mean)
    near(metrics.supervised_prototype_distance(on(device, embeddings), on(device, labels)), expected)


def test_distance_to_the_nearest_centroid(device: str) -> None:
    rng = np.random.default_rng(7)
    embeddings, centroids = rng.normal(size=(N, 8)), rng.normal(size=(6, 8))
    cosines = np.array(
        [[x @ c / np.linalg.norm(x) / np.linalg.norm(c) for c in centroids] for x in embeddings.astype(np.float32)]
    )
    found = metrics.assign(on(device, embeddings), on(device, centroids))
    near(found.distance, 1.0 - cosines.max(axis=1))
    near(found.nearest, cosines.argmax(axis=1).astype(float), 0.0)


def test_random_scores_repeat_and_are_uniform() -> None:
    one, again, other = (metrics.random_scores(10_000, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    # Four standard errors of the mean of 10,000 uniform numbers.
    assert float(one.mean()) == pytest.approx(0.5, abs=4 / np.sqrt(12 * 10_000))
    assert bool(((one >= 0) & (one < 1)).all())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(device: str, logits: Array, dtype: torch.dtype) -> None:
    labels = torch.zeros(N, dtype=torch.uint8, device=device)
    stored = on(device, logits).to(dtype)
    for metric in (metrics.el2n, metrics.margin):
        found = metric(stored[0], labels, given="logits")
        assert found.dtype == torch.float32
        assert torch.equal(found, metric(stored[0].float(), labels, given="logits"))
    embeddings = torch.randn(N, 8, device=device).to(dtype)
    centroids = torch.eye(8, device=device)
    assert torch.equal(
        metrics.assign(embeddings, centroids).distance, metrics.assign(embeddings.float(), centroids).distance
    )
