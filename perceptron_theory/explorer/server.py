"""The page on a port of this computer, for nobody else."""

from __future__ import annotations

import errno
import logging
import os
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import flask
import waitress
from dash import Dash
from werkzeug.exceptions import HTTPException

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.explorer.access import Access
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
#: Connections at once: far more than browsers open, fewer than a process may have files.
_CONNECTIONS: Final = 500
#: Seconds after which a connection that says nothing more is closed, and between two looks.
_SILENT_S: Final = 20
_LOOK_S: Final = 5
#: Seconds that a browser has to read the address.
_OPENING_S: Final = 30

#: Characters of an error that the terminal shows.
_SHOWN: Final = 200
_LOGGER: Final = logging.getLogger(__name__)

_DOCUMENT: Final = """<!DOCTYPE html>
<html lang="en-GB">
  <head>{%metas%}<title>{%title%}</title>{%favicon%}{%css%}</head>
  <body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body>
</html>"""


def explorer_app(answers: Answers, access: Access) -> Dash:
    """The page with its callbacks and its guards, not yet on a port.

    Parameters
    ----------
    answers : Answers
        What it computes and holds.
    access : Access
        Who may see it.
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
    guard(app.server, app.csp_hashes(), access)
    refuse_nonsense(app.server)
    return app


def guard(server: flask.Flask, script_hashes: Any, access: Access) -> None:
    """Refuse what does not come from this page or has no token, and forbid the page all that is not from here.

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
    def own() -> flask.Response | None:
        host = flask.request.headers.get("Host", "")
        origin = flask.request.headers.get("Origin")
        if _host_name(host) not in _OWN_NAMES or origin not in (None, f"http://{host}"):
            return flask.Response("This page answers to this computer only.", 403, mimetype="text/plain")
        return access.answer(flask.request)

    @server.after_request
    def guarded(response: flask.Response) -> flask.Response:
        response.headers.update(headers)
        return response


def refuse_nonsense(server: flask.Flask) -> None:
    """Answer 400 where a request makes no sense to a callback, which is told in one line.

    Callbacks turn what a user may do wrong into sentences of the page. What still fails was not sent by this page,
    or is a mistake in this package: then the line says where to look.
    """

    @server.errorhandler(Exception)
    def nonsense(error: Exception) -> flask.Response | HTTPException:
        if isinstance(error, HTTPException):
            return error
        reason = " ".join(str(error).split())[:_SHOWN]
        _LOGGER.warning("a request failed in %s: %s: %s", _place(error), type(error).__name__, reason)
        return flask.Response("The explorer cannot use this request: load the page again.", 400, mimetype="text/plain")


def _place(error: Exception) -> str:
    """File and line that raised an error."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "an unknown place" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


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
    with _listening(port) as listening:
        access = Access(listening.getsockname()[1])
        answers = Answers()
        app = explorer_app(answers, access)
        with compiling():
            answers.warm()
        server = served(app.server, listening)
        say(access.address)
        with _opened(access.address) if browser else nullcontext():
            server.run()


def served(application: flask.Flask, listening: socket.socket) -> Any:
    """A server on a socket; connections that send half a request and wait neither hold threads nor keep others out."""
    return waitress.create_server(
        application,
        sockets=[listening],
        threads=_THREADS,
        max_request_body_size=MOST_REQUEST_BYTES,
        connection_limit=_CONNECTIONS,
        channel_timeout=_SILENT_S,
        cleanup_interval=_LOOK_S,
        asyncore_use_poll=True,  # select takes no file number beyond 1024
        log_socket_errors=False,  # a client that went away is none
        ident=None,
    )


def _listening(port: int) -> socket.socket:
    """A socket of this computer alone. It listens from now on, while kernels compile: two pages cannot share a port."""
    listening = socket.socket()
    try:
        if os.name == "posix":  # elsewhere this lets two programs listen
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        listening.listen()
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            reason = "is in use: another program, perhaps another explorer, answers there; stop it, or"
        else:
            reason = f"cannot be had ({error.strerror}):"
        raise InvalidInputError(f"--port {port} {reason} leave --port out for a free one.") from None
    return listening


@contextmanager
def _opened(address: str) -> Iterator[None]:
    """The address opened in a browser, by way of a file that only this user can read.

    Other users see the commands that run, and so would see the token among the arguments of the browser. The file lies
    in the home folder for half a minute, since browsers in a sandbox see no other.
    """
    try:
        file = tempfile.NamedTemporaryFile(  # noqa: SIM115 (closed below)
            "w", prefix="perceptron_theory_", suffix=".html", dir=Path.home()
        )
    except (OSError, RuntimeError):  # no home to write in: the printed address is enough
        yield
        return
    with file:
        file.write(f'<!DOCTYPE html><meta http-equiv="refresh" content="0; url={address}"><a href="{address}">Open</a>')
        file.flush()
        webbrowser.open(Path(file.name).as_uri())
        removing = threading.Timer(_OPENING_S, file.close)
        removing.start()
        yield
        removing.cancel()
