"""Wires of files: dropped, described, read or calibrated, taken away."""

from __future__ import annotations

from typing import Any

from dash import ALL, Dash, Input, Output, State, no_update

from perceptron_theory.errors import InvalidInputError, PerceptronTheoryError
from perceptron_theory.explorer import file_panels
from perceptron_theory.explorer.answers import Answers
from perceptron_theory.explorer.calibrated import Calibrated, draw_calibrated
from perceptron_theory.explorer.meaning import said
from perceptron_theory.explorer.measured import Measured, draw_scores, score_histogram
from perceptron_theory.explorer.uploads import Upload, chosen_runs, experiments, received


def wire_files(app: Dash, answers: Answers) -> None:
    """Register the callbacks of dropped files."""
    _wire_drop(app, answers)
    _wire_scores(app, answers)
    _wire_runs(app, answers)


def _wire_drop(app: Dash, answers: Answers) -> None:
    """A file that is dropped, and files that are taken away."""

    @app.callback(
        Output("score-upload", "data"),
        Output("run-upload", "data"),
        Output("message", "children"),
        Output("drop", "contents"),
        Input("drop", "contents"),
        State("drop", "filename"),
        prevent_initial_call=True,
    )
    def take(contents: str | None, filename: str | None) -> tuple[Any, ...]:
        if contents is None:
            return no_update, no_update, no_update, no_update
        try:
            upload = received(contents, filename)
        except (PerceptronTheoryError, MemoryError) as error:
            return no_update, no_update, said(error), None
        token = answers.files.keep(upload, len(upload.content))
        scores = upload.kind == "scores"
        return token if scores else no_update, no_update if scores else token, "", None

    for kind in ("score", "run"):

        @app.callback(
            Output(f"{kind}-upload", "data", allow_duplicate=True),
            Output(f"{kind}s-token", "data", allow_duplicate=True),
            Output("message", "children", allow_duplicate=True),
            Input(f"remove-{kind}s", "n_clicks"),
            prevent_initial_call=True,
        )
        def remove(clicks: int | None) -> tuple[Any, ...]:
            return (None, None, "") if clicks else (no_update, no_update, no_update)


def _wire_scores(app: Dash, answers: Answers) -> None:
    @app.callback(Output("score-controls", "children"), Input("score-upload", "data"), prevent_initial_call=True)
    def controls(token: str | None) -> Any:
        try:
            return file_panels.score_controls(answers.files.find(token, Upload)) if token else None
        except InvalidInputError as error:
            return said(error)

    @app.callback(
        Output("scores-token", "data", allow_duplicate=True),
        Output("message", "children", allow_duplicate=True),
        Input("higher-is", "value"),
        Input("part", "value"),
        State("score-upload", "data"),
        prevent_initial_call=True,
    )
    def read(higher_is: str | None, part: str | None, token: str | None) -> tuple[Any, ...]:
        try:
            upload = answers.files.find(token, Upload)
            if higher_is is None or (upload.parts and part is None):
                return no_update, no_update  # something is still to be chosen
            measured = Measured.of(upload.scores(higher_is, part), upload.name)
        except (PerceptronTheoryError, MemoryError) as error:
            return no_update, said(error)
        return answers.files.keep(measured, measured.size), ""

    @app.callback(Output("score-report", "children"), Input("scores-token", "data"), prevent_initial_call=True)
    def report(token: str | None) -> Any:
        try:
            measured = answers.measured(token)
        except InvalidInputError as error:
            return said(error)
        return (
            None
            if measured is None
            else file_panels.score_report(measured, draw_scores(measured, score_histogram(measured)))
        )


def _wire_runs(app: Dash, answers: Answers) -> None:
    @app.callback(Output("run-controls", "children"), Input("run-upload", "data"), prevent_initial_call=True)
    def controls(token: str | None) -> Any:
        try:
            upload = answers.files.find(token, Upload) if token else None
            return None if upload is None else file_panels.run_controls(upload.name, experiments(upload.table()))
        except PerceptronTheoryError as error:
            return said(error)

    @app.callback(
        Output("runs-token", "data", allow_duplicate=True),
        Output("message", "children", allow_duplicate=True),
        Input("calibrate", "n_clicks"),
        State("run-upload", "data"),
        State("chance", "value"),
        State("free", "value"),
        State({"type": "experiment", "column": ALL}, "value"),
        State({"type": "experiment", "column": ALL}, "id"),
        running=[(Output("calibrate", "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def calibrate(
        clicks: int | None,
        token: str | None,
        chance: float | None,
        free: list[str],
        values: list[list[str]],
        columns: list[dict[str, str]],
    ) -> tuple[Any, ...]:
        if not clicks:
            return no_update, no_update
        where = {one["column"]: chosen for one, chosen in zip(columns, values, strict=True)}
        try:
            runs = chosen_runs(answers.files.find(token, Upload).table(), where)
            found = Calibrated.of(runs, chance, free)
        except (PerceptronTheoryError, MemoryError) as error:
            return no_update, said(error)
        return answers.files.keep(found, int(found.curves.memory_usage().sum())), ""

    @app.callback(Output("run-report", "children"), Input("runs-token", "data"), prevent_initial_call=True)
    def report(token: str | None) -> Any:
        try:
            found = answers.files.find(token, Calibrated) if token else None
        except InvalidInputError as error:
            return said(error)
        return None if found is None else file_panels.run_report(found.rows, found.sentences, draw_calibrated(found))
