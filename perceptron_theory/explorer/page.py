"""The page: sentence, controls, graphs, files. Nothing on it comes from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from dash import dcc, html

from perceptron_theory.convex_loss import LOSSES
from perceptron_theory.explorer.pictures import Picture, empty
from perceptron_theory.explorer.scales import SCALES, Scale
from perceptron_theory.explorer.setting import SELECTIONS, STUDENTS, Setting
from perceptron_theory.explorer.uploads import MOST_BYTES
from perceptron_theory.version import __version__

#: Graphs of every setting, with their titles.
GRAPHS: Final = {
    "curves": "Error over the number kept",
    "frontier": "Best fraction at each size",
    "phases": "Which examples: hard, easy or random?",
    "kept": "What is kept",
}
#: No logo, no upload, no floating buttons: pictures are saved by buttons of the page.
_CONFIG: Final[Any] = {"displayModeBar": False, "displaylogo": False, "responsive": True}


def layout() -> html.Main:
    """The page as it is loaded, before any callback."""
    return html.Main(
        [
            html.H1("How much of a data set to keep, and which part?"),
            html.P(
                "The theory of data pruning, point by point: move a slider, drop your scores or runs.",
                className="lead",
            ),
            html.Div([_says(), _controls(), _graphs()], className="page"),
            html.Footer(
                f"perceptron_theory {__version__}. Exact for students of infinite size (replica symmetric) in the "
                "model of Sorscher et al. 2022, arXiv:2206.14486; for deep networks an analogy. Files stay on this "
                "computer."
            ),
            *_stores(),
        ]
    )


def _named(label: str) -> dict[str, Any]:
    """What a screen reader calls a part of the page."""
    return {"aria-label": label}


def _says() -> html.Section:
    return html.Section(
        [
            html.P(id="sentence", role="status"),
            html.P(id="best-sentence"),
            html.Details([html.Summary("Numbers and certificate"), html.Div(id="certificate")], open=False),
            html.Div(id="message", role="alert"),
        ],
        className="card says",
        **_named("What this means"),
    )


def _controls() -> html.Section:
    rows: dict[str, Any] = {name: slider(scale) for name, scale in SCALES.items()}
    return html.Section(
        [
            *(rows[name] for name in ("theta_deg", "f", "alpha_tot", "ceiling")),
            choices("selection", "Which examples are kept", SELECTIONS, Setting.selection),
            rows["lower"],
            choices("student", "Student", STUDENTS, Setting.student),
            rows["lam"],
            rows["flip"],
            _drop(),
            html.Div(id="score-controls"),
            html.Div(id="run-controls"),
        ],
        className="card controls",
        **_named("Controls"),
    )


def slider(scale: Scale) -> html.Div:
    """A labelled slider with its value as text."""
    last = len(scale.stops) - 1
    return html.Div(
        [
            html.Label(scale.label, htmlFor=scale.name),
            html.Output(scale.said(scale.stops[scale.start]), id=f"{scale.name}-said"),
            dcc.Input(id=scale.name, type="range", min=0, max=last, step=1, value=scale.start),
        ],
        id=f"{scale.name}-row",
        className="slider",
    )


def choices(name: str, legend: str, options: Iterable[str], value: str | None) -> html.Fieldset:
    """One of a few words."""
    return html.Fieldset([html.Legend(legend), dcc.RadioItems(list(options), value, id=name, className="chips")])


def _drop() -> html.Div:
    zone = dcc.Upload(
        html.Div(["Drop a score file or a table of runs here, or ", html.U("choose one")]),
        id="drop",
        className="drop",
    )
    most: dict[str, Any] = {"data-most": str(MOST_BYTES)}
    return html.Div(zone, **most)


def _graphs() -> html.Section:
    return html.Section(
        [
            *(card(name, title) for name, title in GRAPHS.items()),
            html.Div(id="score-report", className="wide"),
            html.Div(id="run-report", className="wide"),
        ],
        className="graphs",
        **_named("Graphs"),
    )


def card(
    name: str, title: str, figure: Picture | None = None, more: Sequence[Any] = (), tall: int = 380
) -> html.Article:
    """A graph with its note and its downloads."""
    pictures = [
        html.Button(kind.upper(), id={"type": "picture", "graph": name, "format": kind}, title=f"Save as {kind}")
        for kind in ("png", "svg")
    ]
    return html.Article(
        [
            html.H2(title),
            dcc.Graph(
                id=name,
                figure=figure or empty("computing ..."),
                config=_CONFIG,
                style={"height": f"{tall}px"},
            ),
            html.P(id=f"{name}-note", className="note"),
            *more,
            html.Div(
                [html.Button("Table (CSV)", id={"type": "table", "graph": name}, title="Save the numbers"), *pictures],
                className="buttons",
            ),
        ],
        className="card",
    )


def _stores() -> list[Any]:
    names = (
        "setting",
        "settled",
        "packed",
        "released",
        "rested",
        "saved",
        "score-upload",
        "run-upload",
        "scores-token",
        "runs-token",
    )
    scales = {
        "stops": {name: scale.stops for name, scale in SCALES.items()},
        "said": {name: [scale.said(stop) for stop in scale.stops] for name, scale in SCALES.items()},
        "losses": LOSSES,
    }
    return [*(dcc.Store(id=name) for name in names), dcc.Store(id="scales", data=scales), dcc.Download(id="download")]


def rows_table(rows: Iterable[Sequence[str]]) -> html.Div:
    """Names and texts in rows."""
    return html.Div(
        html.Table(html.Tbody([html.Tr([html.Th(name), *map(html.Td, texts)]) for name, *texts in rows])),
        className="scroll",
    )
