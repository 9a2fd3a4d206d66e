"""What a file of torch.save holds, without its numbers: sizes of tensors, lists and keys.

A tensor of a million million numbers takes a hundred bytes if all of them are one, so sizes are looked at before torch
is asked. The description of a file is a pickle: here it is followed without running anything, and refused if it holds
more than tensors, lists, dicts, numbers and strings.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.readers.translation import PICKLES_REFUSED, translated

#: Bytes of the description: 200,000 numbers in lists, or as many as there is room for in tensors. Each empty list is
#: one byte of it and sixty-four in memory.
_MOST_DESCRIPTION: Final = 2**21


class SavedTensor(NamedTuple):
    """A tensor of which only the shape is known; as a tuple, so that nothing in the file can change it."""

    shape: tuple[int, ...]


def saved(name: str, content: bytes) -> Any:
    """What a file holds, a `SavedTensor` in the place of each tensor.

    Parameters
    ----------
    name : str
        What the file is called, for messages.
    content : bytes
        The file.

    Raises
    ------
    ScoreError
        If it is damaged, or holds more than can be followed.
    """
    with translated(Path(name), "PyTorch file", "it is cut short or damaged; write it again with torch.save"):
        if not zipfile.is_zipfile(io.BytesIO(content)):
            raise ScoreError(f"{name} is no file of torch.save since PyTorch 1.6: save the scores again.")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            descriptions = [one for one in archive.infolist() if one.filename.rpartition("/")[2] == "data.pkl"]
            if len(descriptions) != 1 or descriptions[0].file_size > _MOST_DESCRIPTION:
                raise ScoreError(f"{name} holds too much beside tensors: save a tensor of scores, or a dict of them.")
            description = archive.read(descriptions[0])
        try:
            return _Follower(io.BytesIO(description)).load()
        except Exception:  # whatever else it would do
            raise ScoreError(
                f"{name} holds more than tensors, lists, numbers and strings, or is damaged: it would have to be "
                f"unpickled, and {PICKLES_REFUSED}; save the scores alone with torch.save."
            ) from None


def _tensor(storage: object, offset: int, shape: tuple[int, ...], *more: object) -> SavedTensor:
    if not all(type(n) is int and n >= 0 for n in shape):
        raise pickle.UnpicklingError(f"no shape: {shape}")
    return SavedTensor(tuple(shape))


def _parameter(data: SavedTensor, *more: object) -> SavedTensor:
    return data


class _Follower(pickle._Unpickler):
    """Python's own reader, with functions of this module in the place of those that the file names."""

    # In Python, not C: that one makes room for as many values as a file says it will remember. BYTEARRAY8 makes room
    # for as many bytes as a file says will follow, and torch.save does not write it.
    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)
    del dispatch[pickle.BYTEARRAY8[0]]

    def find_class(self, module: str, name: str) -> Any:
        known = {"_rebuild_tensor_v2": _tensor, "_rebuild_parameter": _parameter, "OrderedDict": OrderedDict}
        if name in known and module in ("torch._utils", "collections"):
            return known[name]
        if module == "torch":
            return name  # the type of a tensor: a word, which cannot be called
        raise pickle.UnpicklingError(f"{module}.{name} is not followed")

    def persistent_load(self, key: Any) -> Any:
        return key
