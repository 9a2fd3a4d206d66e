"""Wires: which part of the page is made anew when another changes. What it shows is made elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from perceptron_theory.errors import PerceptronTheoryError
from perceptron_theory.explorer import page
from perceptron_theory.explorer.answers import Answers
from perceptron_theory.explorer.curves import draw_curves
from perceptron_theory.explorer.file_callbacks import wire_files
from perceptron_theory.explorer.frontier import draw_frontier
from perceptron_theory.explorer.kept import draw_kept, policy_meaning
from perceptron_theory.explorer.meaning import best_meaning, meaning, said, unbroken
from perceptron_theory.explorer.phases import draw_phases
from perceptron_theory.explorer.pictures import empty
from perceptron_theory.explorer.point import missing_note
from perceptron_theory.explorer.scales import SCALES
from perceptron_theory.explorer.setting import Setting
from perceptron_theory.explorer.tables import csv_text, graph_table

_SLIDERS: Final = [Input(name, "value") for name in SCALES]
_CHOICES: Final = [Input("selection", "value"), Input("student", "value")]
_SETTLED: Final = (Input("settled", "data"), Input("scores-token", "data"))
_COARSER: Final = "Fewer points than for the max-margin student, which is quicker. "
_OF_MAX_MARGIN: Final = "Of the max-margin student on clean labels. "
_MEASURED: Final = "On the margins of your scores, by rank. "


def wire(app: Dash, answers: Answers) -> None:
    """Register all callbacks of a page."""
    _wire_browser(app)
    _wire_point(app, answers)
    _wire_slower(app, answers)
    wire_files(app, answers)
    _wire_downloads(app, answers)


def _wire_browser(app: Dash) -> None:
    """What the browser does by itself, in assets/explorer.js."""
    register: Callable[..., Any] = app.clientside_callback

    def does(name: str, *wires: Any, **more: Any) -> None:
        register(ClientsideFunction("explorer", name), *wires, **more)

    texts = [Output(f"{name}-said", "children") for name in SCALES]
    rows = [Output(f"{name}-row", "style") for name in ("lower", "lam", "flip")]
    does("say", *texts, *rows, *_SLIDERS, *_CHOICES, State("scales", "data"))
    does("pack", Output("packed", "data"), *_SLIDERS, *_CHOICES, State("scales", "data"))
    does("release", Output("released", "data"), Input("curves", "figure"))
    does("settle", Output("rested", "data"), Input("setting", "data"))
    pictures = Input({"type": "picture", "graph": ALL, "format": ALL}, "n_clicks")
    does("picture", Output("saved", "data"), pictures, prevent_initial_call=True)


def _wire_point(app: Dash, answers: Answers) -> None:
    """The sentence and the main graph: what a slider moves at once."""

    @app.callback(
        Output("sentence", "children"),
        Output("certificate", "children"),
        Output("curves", "figure"),
        Output("curves-note", "children"),
        Input("setting", "data"),
        Input("scores-token", "data"),
        prevent_initial_call=True,
    )
    def point(given: Any, token: str | None) -> tuple[Any, ...]:
        try:
            setting = Setting.of(given)
            found = answers.point(setting, token)
            curves = answers.curves(setting, token)
        except (PerceptronTheoryError, MemoryError) as error:
            return said(error), None, empty("no curve here"), ""
        lost = missing_note([*curves["kept"].status.values, *curves["random"].status.values])
        figure = draw_curves(setting, curves, found)
        note = lost + (_MEASURED if token else "") + ("" if setting.quick else _COARSER)
        return unbroken(meaning(setting, found)), page.rows_table(found.rows), figure, note


def _wire_slower(app: Dash, answers: Answers) -> None:
    """Graphs that follow once the sliders rest, each for itself."""

    @app.callback(
        Output("best-sentence", "children"),
        Output("frontier", "figure"),
        Output("frontier-note", "children"),
        *_SETTLED,
        prevent_initial_call=True,
    )
    def frontier(given: Any, token: str | None) -> tuple[Any, ...]:
        def made(setting: Setting) -> tuple[Any, ...]:
            best = answers.best(setting, token)
            found = answers.frontier(setting, token)
            figure = draw_frontier(setting, found, best)
            note = missing_note(found.status) + (_MEASURED if token else "") + ("" if setting.quick else _COARSER)
            return unbroken(best_meaning(setting, best)), figure, f"{note}Pools up to the ceiling, {setting.ceiling:g}."

        return _or_reason(given, made, lambda reason: ("", empty("no frontier here"), reason))

    @app.callback(Output("phases", "figure"), Output("phases-note", "children"), *_SETTLED, prevent_initial_call=True)
    def phases(given: Any, token: str | None) -> tuple[Any, ...]:
        def made(setting: Setting) -> tuple[Any, ...]:
            note = (_MEASURED if token else "") + ("" if setting.quick else _OF_MAX_MARGIN)
            return draw_phases(setting, answers.phases(setting, token)), f"{note}At θ = {setting.theta_deg:g}°."

        return _or_reason(given, made, lambda reason: (empty("no diagram here"), reason))

    @app.callback(Output("kept", "figure"), Output("kept-note", "children"), *_SETTLED, prevent_initial_call=True)
    def kept(given: Any, token: str | None) -> tuple[Any, ...]:
        def made(setting: Setting) -> tuple[Any, ...]:
            policy = answers.policy(setting)
            figure = draw_kept(setting, answers.kept(setting, token), policy, token is not None)
            return figure, unbroken(policy_meaning(policy))

        return _or_reason(given, made, lambda reason: (empty("nothing here"), reason))


def _or_reason(
    given: Any, made: Callable[[Setting], tuple[Any, ...]], instead: Callable[[str], tuple[Any, ...]]
) -> tuple[Any, ...]:
    try:
        return made(Setting.of(given))
    except (PerceptronTheoryError, MemoryError) as error:
        return instead(said(error))


def _wire_downloads(app: Dash, answers: Answers) -> None:
    @app.callback(
        Output("download", "data"),
        Output("message", "children", allow_duplicate=True),
        Input({"type": "table", "graph": ALL}, "n_clicks"),
        State("settled", "data"),
        State("scores-token", "data"),
        State("runs-token", "data"),
        prevent_initial_call=True,
    )
    def table(clicks: list[int | None], given: Any, scores: str | None, runs: str | None) -> tuple[Any, ...]:
        if not any(one["value"] for one in ctx.triggered):
            return no_update, no_update  # a button that just came
        graph = str(ctx.triggered_id["graph"])
        try:
            content = csv_text(graph_table(graph, answers, Setting.of(given), scores, runs))
        except (PerceptronTheoryError, MemoryError) as error:
            return no_update, said(error)
        return {"content": content, "filename": f"perceptron_theory_{graph}.csv", "type": "text/csv"}, ""
