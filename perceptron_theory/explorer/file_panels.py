"""What the page shows of files: what has to be said of them, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from dash import dcc, html

from perceptron_theory.explorer.calibrated import FREE
from perceptron_theory.explorer.measured import Measured
from perceptron_theory.explorer.page import card, rows_table
from perceptron_theory.explorer.pictures import Picture
from perceptron_theory.explorer.uploads import Upload
from perceptron_theory.scores.scores import DIRECTIONS

_WORDS: Final = {"harder": "hard", "easier": "easy", "keep": "worth keeping"}


def score_controls(upload: Upload) -> list[Any]:
    """What has to be said of a score file before it is read."""
    said = {"label": f"{_WORDS['keep']} (published)", "value": "keep"}
    options: list[Any] = [{"label": _WORDS[name], "value": name} for name in DIRECTIONS]
    if upload.published:
        options = [said]
    value = "keep" if upload.published else None
    direction = dcc.RadioItems(options, value, id="higher-is", className="chips")
    part = dcc.RadioItems(list(upload.parts), None, id="part", className="chips")
    word = "Column" if upload.suffix in (".csv", ".parquet") else "Key"
    hidden = {} if upload.parts else {"display": "none"}
    return [
        html.H2(f"Scores: {upload.name}"),
        html.Fieldset([html.Legend(f"{word} of the scores"), part], style=hidden),
        html.Fieldset([html.Legend("A high score means an example is"), direction]),
        html.Div(html.Button("Back to Gaussian data", id="remove-scores"), className="buttons"),
    ]


def score_report(measured: Measured, figure: Picture) -> html.Article:
    """Scores of a file: picture, and what is to be known of them."""
    return card("scores", "Your scores", figure, [rows_table(measured.rows)], 280)


def run_controls(name: str, several: dict[str, list[str]]) -> list[Any]:
    """What has to be said of a table of runs before it is calibrated."""
    experiments = [
        html.Fieldset(
            [
                html.Legend(f"Which {column}"),
                dcc.Checklist(values, [], id={"type": "experiment", "column": column}, className="chips"),
            ]
        )
        for column, values in several.items()
    ]
    return [
        html.H2(f"Runs: {name}"),
        html.Div(
            [
                html.Label("Test error of guessing (chance) ", htmlFor="chance"),
                dcc.Input(id="chance", type="number", min=0.0, max=1.0, step="any", className="number"),
            ]
        ),
        *experiments,
        html.Fieldset(
            [html.Legend("What is fitted"), dcc.Checklist(list(FREE), list(FREE[:3]), id="free", className="chips")]
        ),
        html.Div(
            [
                html.Button("Calibrate", id="calibrate", className="main"),
                html.Button("Remove the runs", id="remove-runs"),
            ],
            className="buttons",
        ),
    ]


def run_report(rows: Sequence[Sequence[str]], sentences: Sequence[str], figure: Picture) -> html.Article:
    """A calibration: picture, parameters, and what the runs do not tell."""
    head = ("parameter", "value", "95 % interval", "verdict")
    more = [rows_table([head, *rows]), html.P(" ".join(sentences))]
    return card("calibrated", "Your runs, measured and calibrated", figure, more, int(figure["layout"]["height"]))
