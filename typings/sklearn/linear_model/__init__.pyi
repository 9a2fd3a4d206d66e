from typing import Any

import numpy.typing as npt

class LogisticRegression:
    classes_: npt.NDArray[Any]
    coef_: npt.NDArray[Any]
    intercept_: npt.NDArray[Any]
    def __init__(self, *, C: float, fit_intercept: bool, max_iter: int, tol: float) -> None: ...
    def fit(self, X: npt.NDArray[Any], y: npt.NDArray[Any]) -> LogisticRegression: ...
