"""`cite`: the BibTeX of what stands behind results."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from perceptron_theory.citations.entries import BIBLIOGRAPHY, PACKAGE
from perceptron_theory.citations.sources import METRICS, NAMES, PAPER, PRESETS, QUESTIONS, STUDENTS, Keys
from perceptron_theory.errors import InvalidInputError

_LINES: Final = {one.line: one.key for one in BIBLIOGRAPHY.values()}
_PACKAGE: Final = __name__.partition(".")[0]


def cite(*results: object) -> str:
    """BibTeX of the theories behind results: what a paper that uses them should cite.

    Parameters
    ----------
    *results : object
        Any number of: results (a `Solution`, `Simulation`, `Comparison`, `Policy`, `Calibration`, `Recommendation`,
        `ModelComparison`, `ErrorGradient`, `Influence`, `AngleEstimate`, `KeepList`, ...); datasets and data trees
        that this package made, also read back from netCDF; a `ConvexLoss`; `Scores` that name their metric; public
        functions, presets and metrics; or names: of students ("gibbs"), presets ("surrogate_sampling"), metrics
        ("el2n", "self-supervised-prototypes"), and BibTeX keys. Nothing at all: this package and the paper whose
        theory it computes.

    Returns
    -------
    str
        BibTeX in ASCII: each entry once, in the order of the package's bibliography whatever the order of the results.
        The entry of this package is there only if asked for, by `cite()` or "perceptron_theory".

    Raises
    ------
    InvalidInputError
        If something cannot be cited.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> print(pt.cite("gardner1988"))
    @article{gardner1988,
      author = {Gardner, Elizabeth and Derrida, Bernard},
      title = {{Optimal storage properties of neural network models}},
      journal = {Journal of Physics A: Mathematical and General},
      volume = {21},
      number = {1},
      pages = {271--284},
      year = {1988},
      doi = {10.1088/0305-4470/21/1/031},
    }
    >>> solution = pt.solve(3.0, 0.3, 0.1)
    >>> pt.cite(solution) == pt.cite("max-margin") == pt.cite("sorscher2022")
    True
    """
    cited = {key for result in results for key in cited_keys(result)} if results else {PACKAGE.key, PAPER}
    return "\n\n".join(one.bibtex for key, one in BIBLIOGRAPHY.items() if key in cited)


def cited_keys(result: object) -> Keys:
    """Keys of the bibliography behind one result.

    Raises
    ------
    InvalidInputError
        If there are none.

    Examples
    --------
    >>> cited_keys("bayes-optimal")
    ('sorscher2022', 'aubin2018')
    """
    if isinstance(result, str):
        return _named(result)
    attributes = getattr(result, "attrs", None)
    if isinstance(attributes, Mapping):
        return _of_dataset(result)
    if inspect.isroutine(result) and str(result.__module__).partition(".")[0] == _PACKAGE:
        return NAMES.get(_plain(result.__name__), (PAPER,))
    for kind in type(result).__mro__:
        if kind.__name__ in _OF and kind.__module__.partition(".")[0] == _PACKAGE:
            return tuple(_OF[kind.__name__](result))
    raise InvalidInputError(
        f"cannot cite {_shown(result)}: give results of this package (solutions, datasets, policies, calibrations, "
        "simulations, ...), a ConvexLoss, Scores with a metric, or names such as 'gibbs', 'surrogate_sampling' or "
        "'el2n'; cite() gives the package and its paper."
    )


def _named(name: str) -> Keys:
    keys = NAMES.get(_plain(name))
    if keys is None:
        raise InvalidInputError(
            f"unknown name {_shown(name)}: use a student ({', '.join(STUDENTS)}), a preset ({', '.join(PRESETS)}), "
            f"a metric ({', '.join(METRICS)}), a function ({', '.join(QUESTIONS)}) or a BibTeX key "
            f"({', '.join(BIBLIOGRAPHY)})."
        )
    return keys


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _shown(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."


def _of_dataset(data: Any) -> Keys:
    """What the attributes say; those of a tree are in all of its nodes."""
    said = [str(node.attrs["references"]) for node in getattr(data, "subtree", [data]) if "references" in node.attrs]
    keys = [_LINES.get(line) for text in said for line in text.split("; ")]
    if not keys or None in keys:
        raise InvalidInputError(
            f"cannot cite this {type(data).__name__}: its attribute 'references' is {_shown('; '.join(said))}, which "
            "this package does not write; give a dataset as it was returned or saved."
        )
    return tuple(key for key in keys if key is not None)


def _of_metric(result: Any) -> Keys:
    if result.metric is None or _plain(str(result.metric)) not in METRICS:
        raise InvalidInputError(
            f"cannot cite {type(result).__name__} with metric {result.metric!r}: name the metric, as in "
            f"Scores(values, higher_is, metric='el2n'); known are {', '.join(METRICS)}."
        )
    return METRICS[_plain(str(result.metric))]


def _of_choice(result: Any) -> Iterable[str]:
    """Keeping by margin or score, at random in part, by a metric if it is named."""
    scores = getattr(result, "scores", None)
    named = None if scores is None else scores.metric
    own = METRICS.get(_plain(str(named)), ())
    return (PAPER, *(PRESETS["randomised-rule"] if result.random_share > 0.0 else ()), *own)


def _of_student(student: Any) -> Keys:
    return STUDENTS[student if isinstance(student, str) else student.loss]


def _of_angle(result: Any) -> Keys:
    signs = result.method.startswith(("the error rate", "the disagreement"))
    return QUESTIONS["theta-from-error-rate"] if signs else (PAPER,)


#: What each kind of result rests on. Kinds are known by name: citing loads none of them.
_OF: Final[Mapping[str, Callable[[Any], Iterable[str]]]] = {
    "AngleEstimate": _of_angle,
    "Calibration": lambda result: (*_of_student(result.task.curves.student), *QUESTIONS["calibrate"]),
    "Comparison": lambda result: _of_dataset(result.data),
    "ConvexLoss": _of_student,
    "ErrorGradient": lambda result: _of_student(result.solution.student),
    "Gibbs": lambda _: STUDENTS["gibbs"],
    "Influence": lambda result: _of_student(result.solution.student),
    "KeepList": _of_choice,
    "MaxMargin": lambda _: STUDENTS["max-margin"],
    "ModelComparison": lambda result: (
        *(key for one in result.calibrations.values() for key in cited_keys(one)),
        *QUESTIONS["compare-models"],
    ),
    "Policy": lambda result: _of_student(result.solution.student),
    "Recommendation": lambda result: (*_of_student(result.student), *QUESTIONS["calibrate"]),
    "ScoreReport": _of_metric,
    "Scores": _of_metric,
    "Simulation": lambda _: (PAPER,),
    "Solution": lambda result: _of_student(result.student),
    "StreamSelection": _of_choice,
    "Sweep": lambda _: (PAPER,),
}
