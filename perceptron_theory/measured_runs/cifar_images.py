"""CIFAR-10 (Krizhevsky 2009) as JPEG files in two archives: read in one go, and kept as arrays for the next time.

`cifar10_train_jpeg.tar.xz` has the files `train/<class>/0000.jpg` ..., `cifar10_test_jpeg.tar.xz` the same under
`test`. Here images are ordered by class, and within a class by number, which is their rank in the original order: image
i of these is image `numpy.argsort(labels, kind="stable")[i]` of the original order, whose labels these are.
"""

from __future__ import annotations

import io
import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.output import check_writable, write_all

ByteArray = npt.NDArray[np.uint8]
IntArray = npt.NDArray[np.int64]

#: By number.
CLASSES: Final = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
#: Pixels along each side.
SIDE: Final = 32


class Labelled(NamedTuple):
    """Images (n, 32, 32, 3) of red, green and blue, and the numbers of their classes (n,)."""

    x: ByteArray
    label: IntArray


class CifarImages(NamedTuple):
    """Images to choose from, and images to test on."""

    train: Labelled
    test: Labelled


class _File(NamedTuple):
    label: int
    number: int
    pixels: ByteArray


def read_images(folder: Path, scratch: Path | None = None) -> CifarImages:
    """Both parts of CIFAR-10.

    Parameters
    ----------
    folder : Path
        Where the two archives are.
    scratch : Path, optional
        Where arrays are kept, 180 MB, which are read ten times as fast as the archives. Default: nowhere.

    Returns
    -------
    CifarImages

    Raises
    ------
    InvalidInputError
        If an archive is not there, is damaged, or holds something else.
    OutputError
        If arrays cannot be kept.
    """
    return CifarImages(_part(folder, "train", scratch), _part(folder, "test", scratch))


def _part(folder: Path, part: str, scratch: Path | None) -> Labelled:
    path = folder / f"cifar10_{part}_jpeg.tar.xz"
    if not path.is_file():
        raise InvalidInputError(f"images not found, got {path}: give the folder with the archives of CIFAR-10.")
    if scratch is None:
        return read_archive(path)
    name, size = f"cifar10_{part}.npz", path.stat().st_size
    if (scratch / name).is_file():
        with np.load(scratch / name) as kept:
            # Arrays made of another archive would go unnoticed.
            if kept["archive_size"] == size:
                return Labelled(kept["x"], kept["label"])
    check_writable(scratch, [name])
    read = read_archive(path)
    write_all(scratch, {name: lambda target: np.savez(target, x=read.x, label=read.label, archive_size=size)})
    return read


def read_archive(path: Path) -> Labelled:
    """Images of an archive, by class and then by number.

    Raises
    ------
    InvalidInputError
        If the archive is damaged, holds something else, or numbers of a class are missing.
    """
    files = sorted(archive_files(path), key=lambda file: file[:2])
    label, number = (np.array([file[i] for file in files], dtype=np.int64) for i in range(2))
    sizes = np.bincount(label, minlength=len(CLASSES))
    if not np.array_equal(number, np.concatenate([np.arange(size) for size in sizes])):
        raise InvalidInputError(
            f"each class must be numbered from 0 without gaps, got {dict(zip(CLASSES, sizes.tolist(), strict=True))} "
            f"images in {path}: fetch the archive again."
        )
    return Labelled(np.stack([file.pixels for file in files]), label)


def archive_files(path: Path) -> Iterator[_File]:
    """Class, number and pixels of every file of an archive, as they come: the first few cost next to nothing.

    Raises
    ------
    InvalidInputError
        If the archive is damaged, or holds something else.
    """
    try:
        with tarfile.open(path, "r|xz") as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is not None:  # no folder
                    yield _decoded(PurePosixPath(member.name), content.read())
    except (tarfile.TarError, lzma.LZMAError, EOFError, OSError) as error:
        raise InvalidInputError(f"{path} is damaged ({error}): fetch it again.") from None


def _decoded(name: PurePosixPath, content: bytes) -> _File:
    # Comes with matplotlib; needed by nothing else here.
    from PIL import Image

    if name.parent.name not in CLASSES or not name.stem.isdecimal():
        raise InvalidInputError(f"files must be named like train/cat/0123.jpg, got {name}: is this CIFAR-10?")
    with Image.open(io.BytesIO(content)) as image:
        pixels = np.array(image.convert("RGB"))
    if pixels.shape != (SIDE, SIDE, 3):
        raise InvalidInputError(f"images must have {SIDE} x {SIDE} pixels, got {pixels.shape} in {name}.")
    return _File(CLASSES.index(name.parent.name), int(name.stem), pixels)
