"""What made a keep-list, as plain data: enough to make it again, and to see that it is the same one."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from perceptron_theory.analyses.policies.policy import Policy
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.keeplists.formats import MANIFEST, id_lines
from perceptron_theory.margins.selection import Band
from perceptron_theory.version import __version__

if TYPE_CHECKING:
    from perceptron_theory.keeplists.keep_list import KeepList
    from perceptron_theory.scores.scores import Scores


def manifest(keep: KeepList) -> dict[str, Any]:
    """Versions, fingerprints, settings, counts, ties and theory behind a keep-list; no time, no machine.

    Parameters
    ----------
    keep : KeepList
        What was kept.

    Returns
    -------
    dict
        Of numbers, strings, lists and dicts only.

    Raises
    ------
    InvalidInputError
        If an id holds a line break.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> from perceptron_theory.keeplists.selecting import select
    >>> made = manifest(select(pt.digits_scores(), 0.3))
    >>> made["mode"], made["count"], made["thresholds"]
    ({'name': 'hard'}, 479, [{'kept': 1, 'score': 0.47732, 'tied': 1}])
    """
    return {
        "versions": {
            "numpy": np.__version__,
            "pandas": pd.__version__,
            "perceptron_theory": __version__,
            "pyarrow": pa.__version__,
            "python": platform.python_version(),
        },
        "scores": _fingerprints(keep.scores),
        "mode": _mode(keep),
        "seed": keep.seed,
        "f_requested": keep.f_requested,
        "f_realised": keep.f_realised,
        "n": keep.n,
        "count": keep.count,
        "kept_indices_sha256": _sha256(keep.indices.astype("<i8").tobytes()),
        "class_floor": keep.class_floor,
        "classes": None if keep.classes is None else keep.classes.to_dict(orient="records"),
        "reasons": {str(name): int(number) for name, number in keep.reason.value_counts().items()},
        "thresholds": [dict(sorted(threshold._asdict().items())) for threshold in keep.thresholds],
        "theory": dict(keep.theory),
    }


def sealed(
    writers: Mapping[str, Callable[[Path], object]], made: Mapping[str, Any]
) -> dict[str, Callable[[Path], object]]:
    """What writes the files of a keep-list, and last the manifest with the SHA-256 of each and of its own content.

    Parameters
    ----------
    writers : mapping
        What writes each file, by its name.
    made : mapping
        The manifest so far.
    """
    digests: dict[str, str] = {}

    def noted(name: str, write: Callable[[Path], object]) -> Callable[[Path], object]:
        def write_and_note(path: Path) -> None:
            write(path)
            digests[name] = file_sha256(path)

        return write_and_note

    def write_manifest(path: Path) -> None:
        path.write_bytes(with_own_digest({**made, "files": digests}))

    return {name: noted(name, write) for name, write in writers.items()} | {MANIFEST: write_manifest}


def with_own_digest(made: Mapping[str, Any]) -> bytes:
    """The bytes of a manifest with the SHA-256 of all else in it under "sha256"."""
    return as_json({**made, "sha256": _sha256(as_json(made).encode())}).encode()


def file_sha256(path: Path) -> str:
    """SHA-256 of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def as_json(made: Mapping[str, Any]) -> str:
    """Text that is the same for the same content.

    Examples
    --------
    >>> print(as_json({"seed": 0, "f_requested": 0.3}), end="")
    {
      "f_requested": 0.3,
      "seed": 0
    }
    """
    return json.dumps(made, indent=2, sort_keys=True, allow_nan=False) + "\n"


def plain(value: object, name: str = "theory") -> Any:
    """The value as numbers, strings, lists and dicts, to be written as JSON.

    Parameters
    ----------
    value : mapping, sequence, array, number, str, bool or None
        Parameters of a theory and their intervals, say.
    name : str
        What a message calls it.

    Raises
    ------
    InvalidInputError
        If something in it is neither, or a number is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> plain({"theta": np.float64(0.2), "theta_interval": (0.1, 0.3)})
    {'theta': 0.2, 'theta_interval': [0.1, 0.3]}
    """
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(item, f"{name}[{key!r}]") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{name}[{i}]") for i, item in enumerate(value)]
    if value is None or isinstance(value, (str, int)) or (isinstance(value, float) and np.isfinite(value)):
        return value
    raise InvalidInputError(
        f"{name} must be a finite number, text, None or a list or mapping of them, got {value!r}: it goes into a JSON "
        "file; write None for an end that is open."
    )


def _mode(keep: KeepList) -> dict[str, Any]:
    """The rule with its settings."""
    if isinstance(keep.mode, Policy):
        policy = keep.mode
        windows = [[low, high if np.isfinite(high) else None] for low, high in policy.windows.tolist()]
        settings: dict[str, Any] = {"name": "policy", "z_windows": windows, "status": policy.status.name.lower()}
    else:
        settings = {"name": keep.mode.name}
        if isinstance(keep.mode, Band):
            settings |= {"lower": float(keep.mode.lower)}
    return settings | ({"random_share": keep.random_share} if keep.random_share else {})


def _fingerprints(scores: Scores) -> dict[str, Any]:
    """Where scores come from, and hashes of their bytes: little-endian float64, and one id or label per line."""
    return {
        "source": scores.source,
        "metric": scores.metric,
        "higher_is": scores.higher_is,
        "sha256": _sha256(scores.values.astype("<f8").tobytes()),
        "ids_sha256": None if scores.ids is None else _sha256(id_lines(scores.ids)),
        "labels_sha256": None if scores.labels is None else _sha256(id_lines(scores.labels)),
        "ties": asdict(scores.ties),
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
