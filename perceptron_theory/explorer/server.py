"""The page on a port of this computer, for nobody else."""

from __future__ import annotations

import socket
import webbrowser
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import flask
import waitress
from dash import Dash

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.explorer.answers import Answers
from perceptron_theory.explorer.callbacks import wire
from perceptron_theory.explorer.page import layout
from perceptron_theory.explorer.uploads import MOST_BYTES
from perceptron_theory.progress import compiling

LOOPBACK: Final = "127.0.0.1"
_OWN_NAMES: Final = frozenset({LOOPBACK, "localhost", "::1"})
#: A file arrives in base64, with the state of the page around it.
MOST_REQUEST_BYTES: Final = MOST_BYTES * 4 // 3 + 2**20
_THREADS: Final = 8

_DOCUMENT: Final = """<!DOCTYPE html>
<html lang="en-GB">
  <head>{%metas%}<title>{%title%}</title>{%favicon%}{%css%}</head>
  <body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body>
</html>"""


def explorer_app(answers: Answers) -> Dash:
    """The page with its callbacks and its guards, not yet on a port.

    Parameters
    ----------
    answers : Answers
        What it computes and holds.
    """
    app = Dash(
        "perceptron_theory.explorer",
        assets_folder=str(Path(__file__).parent / "assets"),
        index_string=_DOCUMENT,
        suppress_callback_exceptions=True,  # controls of a file come with the file
        title="perceptron_theory explorer",
        update_title="",
    )
    app.layout = layout
    wire(app, answers)
    guard(app.server, app.csp_hashes())
    return app


def guard(server: flask.Flask, script_hashes: Any) -> None:
    """Refuse what does not come from this page, and forbid the page everything that is not from here.

    A page elsewhere could have its name point to this computer (DNS rebinding): requests must name this computer
    themselves, and carry no foreign origin.
    """
    server.config["MAX_CONTENT_LENGTH"] = MOST_REQUEST_BYTES
    policy = {
        "default-src": "'none'",
        "script-src": " ".join(["'self'", *script_hashes]),
        "style-src": "'self' 'unsafe-inline'",  # graphs style themselves
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    headers = {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
    }

    @server.before_request
    def own() -> tuple[str, int] | None:
        host = flask.request.headers.get("Host", "")
        origin = flask.request.headers.get("Origin")
        if _host_name(host) not in _OWN_NAMES or origin not in (None, f"http://{host}"):
            return "This page answers to this computer only.", 403
        return None

    @server.after_request
    def guarded(response: flask.Response) -> flask.Response:
        response.headers.update(headers)
        return response


def _host_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def serve(port: int, browser: bool, say: Any) -> None:
    """Serve the page until Ctrl-C.

    Parameters
    ----------
    port : int
        Where; 0 for any that is free.
    browser : bool
        Whether to open it in a browser.
    say : callable
        Takes the address, once the page answers there.

    Raises
    ------
    InvalidInputError
        If the port is taken or is none.
    """
    if not 0 <= port <= 65535:
        raise InvalidInputError(f"--port must lie in [0, 65535], got {port}: 0 takes a free one.")
    with _bound(port) as listening:
        answers = Answers()
        app = explorer_app(answers)
        with compiling():
            answers.warm()
        server = waitress.create_server(
            app.server,
            sockets=[listening],
            threads=_THREADS,
            max_request_body_size=MOST_REQUEST_BYTES,
            ident=None,
        )
        address = f"http://{LOOPBACK}:{listening.getsockname()[1]}/"
        say(address)
        if browser:
            webbrowser.open(address)
        server.run()


def _bound(port: int) -> socket.socket:
    """A socket of this computer alone."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((LOOPBACK, port))
    except OSError as error:
        listening.close()
        raise InvalidInputError(
            f"--port {port} cannot be had ({error.strerror}): leave it out for a free one."
        ) from None
    return listening
