"""The one place where the errors and warnings of file libraries become errors of this package."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from perceptron_theory.errors import PerceptronTheoryError, ScoreError

PICKLES_REFUSED = "pickles can run code and are refused"

_SHOWN = 200


@contextmanager
def translated(path: Path, kind: str, advice: str) -> Iterator[None]:
    """Whatever goes wrong inside becomes a `ScoreError` of one line; warnings are silent.

    A damaged file may raise anything (numpy alone: ValueError, EOFError, MemoryError, SyntaxError,
    zlib.error, ...), so every exception counts as damage here: nothing else happens inside.

    Parameters
    ----------
    path : Path
        File that is read.
    kind : str
        What it should be, such as "csv file".
    advice : str
        What to do next.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except PerceptronTheoryError:
            raise
        except Exception as error:
            reason = " ".join(str(error).split())[:_SHOWN] or type(error).__name__
            raise ScoreError(f"{path} is not a readable {kind} ({reason}): {advice}.") from None
