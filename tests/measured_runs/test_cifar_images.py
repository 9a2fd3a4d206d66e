"""CIFAR-10 read from archives of JPEG files: in order, kept for the next time, or refused."""

from __future__ import annotations

import io
import itertools
import tarfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from perceptron_theory import InvalidInputError
from perceptron_theory.measured_runs import cifar_images
from perceptron_theory.measured_runs.cifar_batches import DEVIATION, MEAN
from perceptron_theory.measured_runs.cifar_images import CLASSES, archive_files, read_archive, read_images


def jpeg(grey: int, side: int = 32) -> bytes:
    """One flat colour, which JPEG keeps to rounding."""
    file = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), grey, dtype=np.uint8)).save(file, "JPEG", quality=95)
    return file.getvalue()


def write_archive(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    with tarfile.open(path, "w:xz", preset=0) as archive:
        folder = tarfile.TarInfo("train")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def flat(part: str, per_class: int) -> list[tuple[str, bytes]]:
    """Files whose colour is 20 times the class and the number on top."""
    pairs = itertools.product(range(len(CLASSES)), range(per_class))
    return [(f"{part}/{CLASSES[label]}/{number:04d}.jpg", jpeg(20 * label + number)) for label, number in pairs]


def write_folder(folder: Path) -> Path:
    for part, per_class in (("train", 3), ("test", 1)):
        write_archive(folder / f"cifar10_{part}_jpeg.tar.xz", flat(part, per_class)[::-1])
    return folder


def colours(x: npt.NDArray[np.uint8]) -> list[int]:
    assert np.ptp(x, axis=(1, 2, 3)).max() <= 1  # JPEG rounds colours once more
    return [round(float(image.mean())) for image in x]


def test_order_is_class_then_number_whatever_the_archive(tmp_path: Path) -> None:
    train, test = read_images(write_folder(tmp_path))
    assert train.x.shape == (30, 32, 32, 3)
    assert train.x.dtype == np.uint8
    assert train.label.tolist() == [label for label in range(10) for _ in range(3)]
    assert colours(train.x) == [20 * label + number for label in range(10) for number in range(3)]
    assert test.label.tolist() == list(range(10))


def test_arrays_are_kept_and_read_again_only_from_another_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, scratch = write_folder(tmp_path), tmp_path / "scratch"
    first = read_images(folder, scratch)
    reads: list[str] = []

    def counted(path: Path) -> cifar_images.Labelled:
        reads.append(path.name)
        return read_archive(path)

    monkeypatch.setattr(cifar_images, "read_archive", counted)
    again = read_images(folder, scratch)
    assert reads == []
    for one, other in zip((*first.train, *first.test), (*again.train, *again.test), strict=True):
        np.testing.assert_array_equal(one, other)
    write_archive(folder / "cifar10_test_jpeg.tar.xz", flat("test", 2))
    assert len(read_images(folder, scratch).test.label) == 20
    assert reads == ["cifar10_test_jpeg.tar.xz"]


@pytest.mark.parametrize(
    ("files", "part"),
    [
        ([("train/cat/0001.jpg", jpeg(3))], r"numbered from 0 without gaps, got .*'cat': 1.* images in"),
        ([("train/kitten/0000.jpg", jpeg(3))], "named like train/cat/0123.jpg, got train/kitten/0000.jpg"),
        ([("train/cat/README.jpg", jpeg(3))], "named like .* got train/cat/README.jpg"),
        ([("train/cat/0000.jpg", jpeg(3, side=28))], r"must have 32 x 32 pixels, got \(28, 28, 3\) in train/cat/0000"),
        ([("train/cat/0000.jpg", b"no picture")], "is damaged .*fetch it again"),
        ([("train/cat/0000.jpg", jpeg(3)[:300])], "is damaged .*fetch it again"),
    ],
)
def test_archives_of_something_else(tmp_path: Path, files: list[tuple[str, bytes]], part: str) -> None:
    write_archive(tmp_path / "some.tar.xz", files)
    with pytest.raises(InvalidInputError, match=part):
        read_archive(tmp_path / "some.tar.xz")


def test_damaged_and_missing_archives(tmp_path: Path) -> None:
    write_archive(tmp_path / "some.tar.xz", flat("train", 1))
    whole = (tmp_path / "some.tar.xz").read_bytes()
    for content in (b"nothing", b"", whole[: len(whole) // 2]):
        (tmp_path / "some.tar.xz").write_bytes(content)
        with pytest.raises(InvalidInputError, match="is damaged"):
            read_archive(tmp_path / "some.tar.xz")
    with pytest.raises(
        InvalidInputError, match=r"images not found, got .*cifar10_train_jpeg\.tar\.xz: give the folder"
    ):
        read_images(tmp_path)


def test_first_real_images(shared_data: Path) -> None:
    archive = shared_data / "images" / "cifar10-jpeg" / "cifar10_train_jpeg.tar.xz"
    first = list(itertools.islice(archive_files(archive), 20))
    assert [file[:2] for file in first] == [(CLASSES.index("airplane"), number) for number in range(20)]
    assert all(file.pixels.std() > 5.0 for file in first)  # pictures of something, not of one colour
    assert len({file.pixels.tobytes() for file in first}) == 20


@pytest.mark.slow
def test_all_real_images(shared_data: Path) -> None:
    train, test = read_images(shared_data / "images" / "cifar10-jpeg")
    assert np.bincount(train.label).tolist() == [5000] * 10
    assert np.bincount(test.label).tolist() == [1000] * 10
    # JPEG changes means by less than a tenth and deviations by less than a half, of 256.
    np.testing.assert_allclose(train.x.mean(axis=(0, 1, 2)), MEAN, atol=0.2)
    np.testing.assert_allclose([train.x[..., colour].std() for colour in range(3)], DEVIATION, atol=0.5)
