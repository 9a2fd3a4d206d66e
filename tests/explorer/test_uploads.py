"""Files as a browser sends them: read as the library reads them, or refused in one line; none stays behind."""

from __future__ import annotations

import base64
import io
import pickle
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perceptron_theory as pt

pytest.importorskip("dash")

from perceptron_theory.explorer import sizes, uploads
from perceptron_theory.explorer.calibrated import Calibrated, calibrated_table, draw_calibrated
from perceptron_theory.explorer.uploads import Upload, chosen_runs, experiments, received

RNG = np.random.default_rng(0)
VALUES = RNG.exponential(size=50)


def sent(content: bytes, filename: object) -> Upload:
    return received(f"data:application/octet-stream;base64,{base64.b64encode(content).decode()}", filename)


def written(save: str, *arrays: object, **named: object) -> bytes:
    file = io.BytesIO()
    getattr(np, save)(file, *arrays, **named)
    return file.getvalue()


def run_table(n: float = 300.0) -> pd.DataFrame:
    rows = []
    for n_total in (300, 1000, 3000, 10000):
        for f, rule in ((1.0, "random"), (0.3, "random"), (0.3, "hard"), (0.1, "hard")):
            epsilon = float(pt.solve(f * n_total / n, f, np.deg2rad(20), selection=rule).test_error)
            rows.append((n_total, round(f * n_total), rule, epsilon, 0))
    return pd.DataFrame(rows, columns=["n_total", "n_kept", "selection", "test_error", "seed"])


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert list(tmp_path.iterdir()) == []


def test_a_vector_needs_only_its_direction() -> None:
    upload = sent(written("save", VALUES), "el2n.npy")
    assert (upload.kind, upload.parts, upload.published) == ("scores", (), False)
    scores = upload.scores("easier")
    np.testing.assert_array_equal(scores.values, VALUES)
    assert scores.higher_is == "easier"
    with pytest.raises(pt.ScoreError, match="never guessed"):
        upload.scores(None)


def test_keys_and_columns_are_offered() -> None:
    archive = sent(written("savez", el2n=VALUES, label=np.arange(50)), "cifar.npz")
    assert archive.parts == ("el2n", "label")
    np.testing.assert_array_equal(archive.scores("harder", "el2n").values, VALUES)
    with pytest.raises(pt.ScoreError, match="no key given for cifar"):
        archive.scores("harder")
    table = pd.DataFrame({"image": [f"{i}.png" for i in range(50)], "el2n": VALUES})
    for name, content in {"a.csv": table.to_csv(index=False).encode(), "a.parquet": table.to_parquet()}.items():
        upload = sent(content, name)
        assert upload.parts == ("image", "el2n")
        assert upload.scores("harder", "el2n").n == 50
        with pytest.raises(pt.ScoreError, match="image"):
            upload.scores("harder", "image")


def test_a_saved_dict_of_tensors_offers_its_keys() -> None:
    torch = pytest.importorskip("torch")
    file = io.BytesIO()
    torch.save({"el2n": torch.arange(5.0), "label": torch.zeros(5)}, file)
    upload = sent(file.getvalue(), "scores.pt")
    assert upload.parts == ("el2n", "label")
    assert upload.scores("harder", "el2n").values.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_a_published_file_says_itself_what_high_means() -> None:
    rows = "\n".join(f"{i},n01440764_{i}.JPEG,{value}" for i, value in enumerate(VALUES))
    upload = sent(f"index,name,score\n{rows}\n".encode(), r"C:\data\ImageNet-1K_EL2N-20-models.csv")
    assert upload.published
    scores = upload.scores(None)
    assert (scores.higher_is, scores.metric, scores.n) == ("keep", "EL2N-20-models", 50)


def test_runs_are_known_by_their_columns() -> None:
    table = run_table()
    for name, content in {"runs.csv": table.to_csv(index=False).encode(), "r.parquet": table.to_parquet()}.items():
        upload = sent(content, name)
        assert upload.kind == "runs"
        pd.testing.assert_frame_equal(upload.table(), table)
        assert len(chosen_runs(upload.table(), {})) == 16


def test_a_table_of_runs_without_errors_is_refused() -> None:
    with pytest.raises(pt.InvalidInputError, match="without test_error"):
        sent(run_table().drop(columns="test_error").to_csv(index=False).encode(), "runs.csv")


def test_runs_of_several_experiments_need_a_choice() -> None:
    table = pd.concat([run_table().assign(student=name) for name in ("linear", "network")])
    assert experiments(table) == {"student": ["linear", "network"]}
    with pytest.raises(pt.InvalidInputError, match="choose the student"):
        chosen_runs(table, {})
    with pytest.raises(pt.InvalidInputError, match="no run has all"):
        chosen_runs(table, {"student": ["other"]})
    assert len(chosen_runs(table, {"student": ["linear"]})) == 16


def test_runs_are_calibrated() -> None:
    runs = chosen_runs(run_table(), {})
    with pytest.raises(pt.InvalidInputError, match="chance is missing"):
        Calibrated.of(runs, None, ["N", "theta", "floor"])
    found = Calibrated.of(runs, 0.5, ["N", "theta"])
    # Runs that the theory made: N and theta come back but for the rounding of n_kept.
    np.testing.assert_allclose(found.calibration.N, 300.0, rtol=1e-3)
    assert [row[0] for row in found.rows] == ["N", "theta"]
    assert "20.0°" in found.sentences[0]
    picture = draw_calibrated(found)
    points = [trace for trace in picture["data"] if "measured" in trace["name"]]
    measured = {y for trace in points for y in trace["y"]}
    assert measured == set(found.calibration.residuals["measured"])
    table = calibrated_table(found)
    assert (table["what"] == "run").sum() == 16
    assert (table["what"] == "curve").sum() == len(found.curves)


WRONG: dict[str, tuple[bytes, object, str]] = {
    "junk": (RNG.bytes(300), "a.npy", "a.npy is not a readable numpy file"),
    "cut": (written("save", VALUES)[:90], "a.npy", "a.npy"),
    "empty": (b"", "a.csv", "empty file: a.csv"),
    "pickle": (pickle.dumps([1.0, 2.0]), "a.npy", "pickles can run code"),
    "pickled array": (written("save", np.array([{}, 1], dtype=object), allow_pickle=True), "a.npy", "pickle"),
    "pickled tensor": (pickle.dumps(Path("x")), "a.pt", "a.pt"),
    "wrong type": (b"%PDF-1.7", "a.pdf", "unknown format of a.pdf"),
    "no suffix": (b"1,2", "scores", "unknown format of scores"),
    "no name": (b"1,2", None, "unknown format of the file"),
    "junk table": (RNG.bytes(300), "a.parquet", "a.parquet is not a readable parquet file"),
    "junk csv": (RNG.bytes(300), "a.csv", "a.csv"),
    "junk archive": (RNG.bytes(300), "a.npz", "a.npz"),
    "deep json": (b"[" * 100_000, "a.json", "a.json"),
    "text as scores": (b"score\nhigh\nlow\n", "a.csv", "a.csv"),
    "same scores": (written("save", np.ones(5)), "a.npy", "all 5 scores equal 1"),
    "matrix": (written("save", np.ones((5, 2))), "a.npy", "one per example"),
    "a path as a name": (RNG.bytes(30), "../../../etc/passwd.npy", "passwd.npy is not"),
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_file_is_refused_in_one_line_by_its_own_name(name: str, tmp_path: Path) -> None:
    content, filename, told = WRONG[name]
    with pytest.raises(pt.PerceptronTheoryError) as refused:
        sent(content, filename)
    message = str(refused.value)
    assert told in message
    assert "\n" not in message
    assert str(tmp_path) not in message  # where it lay here is nobody's business


@pytest.mark.parametrize("contents", [None, 3, "", "el2n", "data:;base64,!!!", "data:;base64,AAA", "data:;base64,ä"])
def test_what_no_browser_sends_is_refused(contents: object) -> None:
    with pytest.raises(pt.ScoreError):
        received(contents, "a.npy")


def test_a_large_file_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 2**20)
    with pytest.raises(pt.ScoreError, match=r"a\.npy is larger than the 1 MB"):
        sent(b"0" * (2**20 + 1000), "a.npy")


def test_a_table_of_too_many_runs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MOST_RUNS", 10)
    for name, content in {
        "r.csv": run_table().to_csv(index=False).encode(),
        "r.parquet": run_table().to_parquet(),
    }.items():
        with pytest.raises(pt.ScoreError, match="16 rows, more than the 10"):
            sent(content, name)
