"""BibTeX of theories: the right entries, each once, and one source for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import perceptron_theory as pt
from perceptron_theory import presets
from perceptron_theory.calibration.comparing import LAWS
from perceptron_theory.citations import citing
from perceptron_theory.citations.entries import BIBLIOGRAPHY, PACKAGE
from perceptron_theory.citations.sources import METRICS, NAMES, PRESETS, STUDENTS
from perceptron_theory.cli.app import main
from perceptron_theory.convex_loss import LOSSES
from perceptron_theory.scores.published import PUBLISHED_METRICS
from perceptron_theory.solving import saddle_point

CITATION = Path(__file__).resolve().parents[2] / "CITATION.cff"


def entries(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Key and fields of every BibTeX entry, read with balanced braces; nothing may be left over."""
    at = 0
    while at < len(text):
        head = re.compile(r"\s*@(\w+)\{([^,\s{}]+),").match(text, at)
        assert head is not None, text[at : at + 80]
        fields, at = {}, head.end()
        while not (end := re.compile(r"\s*\}\s*").match(text, at)):
            name = re.compile(r"\s*(\w+) = \{").match(text, at)
            assert name is not None, text[at : at + 80]
            start = at = name.end()
            depth = 1
            while depth:
                depth += {"{": 1, "}": -1}.get(text[at], 0)
                at += 1
            assert text[at] == ","
            assert name[1] not in fields
            fields[name[1]] = text[start : at - 1]
            at += 1
        at = end.end()
        yield head[2], fields


def keys(text: str) -> list[str]:
    return [key for key, _ in entries(text)]


def test_nothing_gives_the_package_and_its_paper() -> None:
    assert keys(pt.cite()) == ["perceptron_theory", "sorscher2022"]
    assert f"Version {pt.__version__}" in pt.cite()
    assert "2206.14486" in pt.cite()


@pytest.mark.parametrize("name", [*STUDENTS, *PRESETS, *METRICS])
def test_every_name_has_entries(name: str) -> None:
    found = keys(pt.cite(name))
    assert found
    assert found == keys(pt.cite(name.replace("-", "_").upper()))
    assert "perceptron_theory" not in found


def test_all_students_presets_and_metrics_are_in_the_table() -> None:
    students = {*get_args(saddle_point._Other), *get_args(saddle_point._InVersionSpace), *LOSSES}
    assert set(STUDENTS) == students
    assert {name.replace("_", "-") for name in presets.__all__} == set(PRESETS)
    for table in (NAMES, STUDENTS, PRESETS, METRICS):
        assert {key for found in table.values() for key in found} <= set(BIBLIOGRAPHY)


def test_every_entry_is_used() -> None:
    used = {key for name, found in NAMES.items() if name not in BIBLIOGRAPHY for key in found}
    assert used | {PACKAGE.key} == set(BIBLIOGRAPHY)
    assert "broken power law" in LAWS  # what Caballero et al. are cited for


def test_bibtex_is_valid() -> None:
    text = pt.cite(*reversed(list(BIBLIOGRAPHY)))
    assert text.isascii()
    found = dict(entries(text))
    assert list(found) == list(BIBLIOGRAPHY)  # unique, in the order of the bibliography
    required = {"article": {"journal", "year"}, "inproceedings": {"booktitle", "year"}, "misc": set()}
    required["incollection"] = required["inproceedings"] | {"publisher"}
    for key, fields in found.items():
        assert {"author", "title"} | required[BIBLIOGRAPHY[key].kind] <= fields.keys()
        assert all(value.strip() == value != "" for value in fields.values())
        assert not re.search(r"(?<!\\)[_&%#$]", " ".join(value for name, value in fields.items() if name != "doi"))


def test_accents_are_tex() -> None:
    assert '{\\"{o}}' in pt.cite("gibbs")
    assert "Zdeborov{\\'{a}}" in pt.cite("bayes-optimal")


def test_lines_tell_publications_apart() -> None:
    lines = [one.line for one in BIBLIOGRAPHY.values()]
    assert len(set(lines)) == len(lines)
    assert all(line.isascii() and "; " not in line for line in lines)


@pytest.mark.parametrize(
    "student", ["max-margin", "gibbs", "bayes-point", "bayes-optimal", pt.ConvexLoss("square", 1.0)]
)
def test_solutions_and_datasets_agree(student: Any, tmp_path: Path) -> None:
    name = student.loss if isinstance(student, pt.ConvexLoss) else student
    solution = pt.solve([1.0], 1.0, student=student)
    assert solution.student == name
    assert pt.cite(solution) == pt.cite(name) == pt.cite(student)
    curve = pt.learning_curve([1.0], 1.0, student=student)
    assert pt.cite(curve) == pt.cite(name)
    curve.to_netcdf(tmp_path / "curve.nc", engine="netcdf4")
    with xr.open_dataset(tmp_path / "curve.nc", engine="netcdf4") as back:
        assert pt.cite(back) == pt.cite(name)


def test_failed_points_are_cited_too() -> None:
    assert pt.cite(pt.solve([5.0], 1.0, student="gibbs", kappa=100.0, throw=False)) == pt.cite("gibbs")


def test_results() -> None:
    paper = pt.cite("sorscher2022")
    sim = pt.simulate(20, 2.0, 0.5, trials=2)
    assert pt.cite(sim) == paper
    assert pt.cite(pt.compare(pt.solve, sim)) == paper
    convex = pt.simulate(20, 2.0, 0.5, trials=2, student=pt.ConvexLoss("square", 1.0))
    comparison = pt.compare(pt.solve, convex)
    assert pt.cite(comparison) == pt.cite("square")
    assert pt.cite(pt.error_gradient(2.0, 0.5)) == paper
    assert pt.cite(pt.influence(2.0, 0.5, 0.1)) == paper
    frontier = pt.pareto_frontier([1.0, 2.0], 0.2, alpha_tot_max=10.0)
    assert pt.cite(frontier) == paper
    tree = xr.DataTree.from_dict({"one": frontier, "two": pt.learning_curve([1.0], 1.0, student="gibbs")})
    assert pt.cite(tree) == pt.cite("gibbs")


def test_angles() -> None:
    fields = np.random.default_rng(0).normal(size=(2, 100))
    assert keys(pt.cite(pt.theta_from_error_rate(10, 100))) == ["sorscher2022", "sheppard1899"]
    assert keys(pt.cite(pt.theta_from_agreement(10, 100))) == ["sorscher2022", "sheppard1899"]
    by_correlation = pt.theta_from_fields(*fields + fields[0], by="correlation")
    assert keys(pt.cite(by_correlation)) == ["sorscher2022"]


def test_calibrations() -> None:
    n_total = np.repeat([400, 800, 1600, 3200], 2)
    n_kept = np.where(np.arange(8) % 2, n_total, n_total // 2)
    rows = {
        "n_total": n_total,
        "n_kept": n_kept,
        "selection": np.where(n_kept < n_total, "hard", "random"),
        "test_error": pt.solve(n_kept / 50.0, n_kept / n_total, 0.2).test_error,
        "seed": 0,
    }
    fitted = {"intervals": "normal", "fixed": {"floor": 0.0}, "free": ("N", "theta")}
    calibration = pt.calibrate(pd.DataFrame(rows), **fitted)  # type: ignore[arg-type]
    assert keys(pt.cite(calibration)) == ["sorscher2022", "paule1982"]
    assert pt.cite(calibration.recommend(pool=5000, budget=500)) == pt.cite(calibration)
    loss = pt.calibrate(pd.DataFrame(rows), student=pt.ConvexLoss("logistic", 0.0), **fitted)  # type: ignore[arg-type]
    expected = ["sorscher2022", "thrampoulidis2018", "mignacco2020", "paule1982"]
    assert keys(pt.cite(loss)) == expected == keys(pt.cite(loss.recommend(pool=5000, budget=500)))


def test_metrics() -> None:
    pytest.importorskip("torch")
    from perceptron_theory import metrics

    named = {name.replace("_", "-") for name in metrics.HIGHER_IS} | {name.lower() for name in PUBLISHED_METRICS}
    assert named == set(METRICS)
    assert pt.cite(metrics.el2n) == pt.cite("el2n")


def test_scores_and_keep_lists() -> None:
    values = np.arange(10.0)
    el2n = pt.Scores(values, "harder", metric="EL2N-20-models")
    assert pt.cite(el2n) == pt.cite("el2n") == pt.cite(pt.inspect_scores(el2n))
    assert keys(pt.cite(pt.select(el2n, 0.5))) == ["sorscher2022", "paul2021"]
    assert keys(pt.cite(pt.select(pt.Scores(values, "harder"), 0.5, random_share=0.1))) == ["sorscher2022", "ayed2023"]


def test_functions_are_cited_by_themselves() -> None:
    assert pt.cite(presets.surrogate_sampling) == pt.cite("surrogate_sampling")
    assert pt.cite(pt.information_gain) == pt.cite("gibbs")
    assert pt.cite(pt.solve) == pt.cite("sorscher2022")


def test_several_are_cited_once_and_in_one_order() -> None:
    assert pt.cite("el2n", "gibbs", "gibbs") == pt.cite("gibbs", "el2n")
    assert keys(pt.cite("el2n", "gibbs")) == ["sorscher2022", "gardner1988", "gyorgyi1990", "paul2021"]


@pytest.mark.parametrize(
    "unknown",
    ["nothing", "", "\ud800", 3, None, {"references": "mine"}, xr.Dataset(), pt.Hard(), np.ones(3), len, np.linalg.norm,
     xr.Dataset(attrs={"references": "Somebody 1901"}), pt.Scores(np.arange(2.0), "harder")],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_unknown_is_refused(unknown: object) -> None:
    with pytest.raises(pt.InvalidInputError, match=r"el2n|cannot cite this Dataset"):
        pt.cite("gibbs", unknown)


def test_public_results_are_known() -> None:
    """A class that is added to the public names is cited, or said not to be."""
    no_theory = {
        "Band", "Easy", "ExecutorError", "GaussianMargins", "Hard", "KeepProbability", "Labels", "MeasuredMargins",
        "PolicyStatus", "Random", "RawScores", "Runs", "Status", "ConvexSolution", "VersionSpaceSolution",
    }  # fmt: skip
    classes = {name for name in pt.__all__ if isinstance(getattr(pt, name), type) and not name.endswith("Error")}
    assert classes - no_theory == set(citing._OF)
    assert issubclass(pt.ConvexSolution, pt.Solution)
    assert issubclass(pt.VersionSpaceSolution, pt.Solution)


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cite"]) == 0
    assert capsys.readouterr().out.strip() == pt.cite()
    assert main(["cite", "gibbs", "surrogate_sampling"]) == 0
    assert capsys.readouterr().out.strip() == pt.cite("gibbs", "surrogate_sampling")
    assert main(["cite", "nothing"]) == 2
    assert capsys.readouterr().err.startswith("error: unknown name 'nothing'")


def test_citation_file_agrees() -> None:
    text = CITATION.read_text(encoding="utf-8")
    assert text.startswith("cff-version: 1.2.0\n")
    assert f'title: "{PACKAGE.title}"' in text
    head, *references = re.split(r"\n  - type: ", text.partition("references:")[2])
    assert head == ""
    expected = [one for one in BIBLIOGRAPHY.values() if one is not PACKAGE]
    assert len(references) == len(expected)
    for one, said in zip(expected, references, strict=True):
        assert f'title: "{one.title}"' in said
        assert f"\n    year: {one.year}\n" in f"{said}\n"
        assert re.findall("arXiv:([0-9.]+)", said) == ([one.arxiv] if one.arxiv else [])
        assert re.findall(r"doi: (\S+)", said) == ([one.doi] if one.doi else [])
        families = [name.partition(",")[0].strip("{}") for name in one.authors]
        assert re.findall('family-names: "(.*)"', said) == families
