"""The students of the measured runs on MNIST, each with one recipe for all sizes; the linear ones without bias.

Inputs are of order 1 and without mean. What is trained is a function from images (n, N) to outputs (n, C), one per
class; the largest decides. Needs torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize

from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.errors import PerceptronTheoryError
from perceptron_theory.measured_runs.one_torch_thread import one_torch_thread
from perceptron_theory.simulation.training.convex_losses.student import LossMinimiser

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Outputs = Callable[[FloatArray], FloatArray]

#: Strength of the penalty lam N / 2 |w|^2 beside the sum of the losses, of both linear students.
LAM: Final = 0.01
#: Largest entry of the gradient of the mean loss at which the ten-class linear student is done.
GRADIENT: Final = 3e-4
MAX_ITERATIONS: Final = 5000

HIDDEN: Final = 100
STEPS: Final = 1000
BATCH: Final = 256
#: Of Adam, at the start; it falls to 0 along a line.
RATE: Final = 0.01


class UnfinishedError(PerceptronTheoryError):
    """A student stopped before its loss was at the minimum."""


def logistic(x: FloatArray, y: IntArray, seed: int) -> Outputs:
    """Two classes: the minimiser of the logistic loss with a weak penalty, certified to 1e-9; `seed` is not used.

    Outputs are 0 and the signed distance to the decision boundary, so that their difference is that distance.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1.0, 0.5], [-1.0, 0.5]])
    >>> logistic(x, np.array([1, 0]), seed=0)(x).round(6).tolist()
    [[0.0, 1.0], [0.0, -1.0]]
    """
    signs = np.where(y == 1, 1.0, -1.0)
    w = LossMinimiser(ConvexLoss("logistic", LAM)).train(x * signs[:, None], np.random.default_rng(seed)).w
    return lambda new: np.stack([np.zeros(len(new)), new @ w], axis=1)


def softmax(x: FloatArray, y: IntArray, seed: int) -> Outputs:
    """Ten classes: the minimiser of the cross-entropy of a linear map, with the same penalty; `seed` is not used.

    By L-BFGS until no entry of the gradient of the mean loss exceeds 3e-4. Classes that are not among the examples
    are nearly never chosen; two of them have equal outputs, so that rounding chooses between them.

    Raises
    ------
    UnfinishedError
        If that is not reached.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.eye(10)
    >>> softmax(x, np.arange(10), seed=0)(x).argmax(axis=1).tolist()
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    n, inputs = x.shape
    c, each = LAM * inputs / n, np.arange(n)

    def value(flat: FloatArray) -> tuple[float, FloatArray]:
        w = flat.reshape(inputs, 10)
        h = x @ w
        h -= h.max(axis=1, keepdims=True)
        p = np.exp(h)
        total = p.sum(axis=1)
        loss = float(np.mean(np.log(total) - h[each, y]))
        p /= total[:, None]
        p[each, y] -= 1.0
        return loss + 0.5 * c * float(flat @ flat), (x.T @ p / n + c * w).ravel()

    found = minimize(
        value,
        np.zeros(inputs * 10),
        jac=True,
        method="L-BFGS-B",
        options={"gtol": GRADIENT, "ftol": 0.0, "maxiter": MAX_ITERATIONS, "maxfun": 2 * MAX_ITERATIONS},
    )
    steepest = float(np.abs(value(found.x)[1]).max())
    if not steepest <= GRADIENT:
        raise UnfinishedError(
            f"the gradient must fall to {GRADIENT:g}, got {steepest:g} after {found.nit} iterations on {n} images: "
            "allow more of them."
        )
    w = found.x.reshape(inputs, 10)
    return lambda new: np.asarray(new @ w)


def network(x: FloatArray, y: IntArray, seed: int) -> Outputs:
    """Ten classes: one hidden layer of 100 rectified units, 1000 steps of Adam on batches of 256.

    The same number of steps for all sizes: batches are cut from random orders of the examples, one after the other.
    The rate falls from 0.01 to 0 along a line. `seed` draws weights and orders. Single precision.

    Examples
    --------
    >>> import numpy as np
    >>> network(np.eye(10), np.arange(10), seed=0)(np.eye(10)).argmax(axis=1).tolist()
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    images, classes = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = torch.nn.Sequential(torch.nn.Linear(x.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 10))
        orders = [torch.randperm(len(y)) for _ in range(-(-STEPS * BATCH // len(y)))]
    optimiser = torch.optim.Adam(net.parameters(), lr=RATE)
    with one_torch_thread():
        for step, batch in enumerate(torch.cat(orders)[: STEPS * BATCH].view(STEPS, BATCH)):
            optimiser.param_groups[0]["lr"] = RATE * (1.0 - step / STEPS)
            optimiser.zero_grad()
            loss = torch.nn.functional.cross_entropy(net(images[batch]), classes[batch])
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    def outputs(new: FloatArray) -> FloatArray:
        with torch.no_grad():
            return np.asarray(net(torch.tensor(new, dtype=torch.float32)).numpy(), dtype=np.float64)

    return outputs
