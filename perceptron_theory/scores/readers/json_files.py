"""Scores in .json: one object {id: score}."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.readers.request import Contents, Request
from perceptron_theory.scores.readers.translation import translated
from perceptron_theory.scores.rounding import score_array


def read_json(request: Request) -> Contents:
    """Scores in the order of the file; its keys are the ids, always strings."""
    path = request.path
    with translated(path, "json file", "write it again with json.dump"):
        # Pairs arrive as a tuple, apart from arrays, and with keys that a dict would have merged.
        pairs = json.loads(path.read_bytes(), object_pairs_hook=tuple)
        if not isinstance(pairs, tuple):
            raise ScoreError(f"{path} must hold one object {{id: score}}, got {_shown(pairs)}: write it as one.")
        ids = np.array([name for name, _ in pairs], dtype=object)
        scores = [score for _, score in pairs]
        if not {type(score) for score in scores} <= {int, float}:
            at = next(index for index, score in enumerate(scores) if type(score) not in (int, float))
            raise ScoreError(
                f"the score of {ids[at]!r} in {path} must be a number, got {_shown(scores[at])}: write {{id: score}}."
            )
        return Contents(score_array(scores, str(path)), ids=ids)


def _shown(value: Any) -> str:
    """What a value is, in json's words."""
    words = {list: "an array", tuple: "an object", str: "a string", bool: "true or false", type(None): "null"}
    return words.get(type(value), "a number")
