from typing import Any, Literal

import numpy as np
import numpy.typing as npt

def load_digits(*, return_X_y: Literal[True]) -> tuple[npt.NDArray[np.float64], npt.NDArray[Any]]: ...
