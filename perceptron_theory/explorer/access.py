"""Who may see the page: whoever opens the address with its token, and then has the cookie."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final

import flask

#: What everybody else is told.
REFUSED: Final = "This page needs its token: open the address that perceptron-theory explore printed in the terminal."

# Not a redirect: a browser that came from another program would follow it without a cookie of the same site only.
_ENTRANCE: Final = """<!DOCTYPE html>
<html lang="en-GB">
  <head>
    <meta charset="utf-8"><title>perceptron_theory explorer</title><meta http-equiv="refresh" content="0; url=/">
  </head>
  <body><a href="/">The explorer</a></body>
</html>
"""


@dataclass(frozen=True)
class Access:
    """The token of one server, in its address once and then in a cookie.

    Parameters
    ----------
    port : int
        Where the page is served. Browsers send a cookie to every port of a host: its name says whose it is.
    token : str, optional
        Default: a new one that cannot be guessed.

    Examples
    --------
    >>> Access(8050, "secret").address
    'http://127.0.0.1:8050/?token=secret'
    """

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def address(self) -> str:
        """What a user opens."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    @property
    def cookie(self) -> str:
        """Name of the cookie."""
        return f"perceptron_theory_{self.port}"

    def answer(self, request: flask.Request) -> flask.Response | None:
        """What is said instead of the page: the way in to who has the token, a refusal to who has nothing."""
        if request.path == "/" and request.method == "GET" and self._fits(request.args.get("token")):
            entrance = flask.Response(_ENTRANCE, headers={"Cache-Control": "no-store"})
            entrance.set_cookie(self.cookie, self.token, httponly=True, samesite="Strict")
            return entrance
        if self._fits(request.cookies.get(self.cookie)):
            return None
        return flask.Response(REFUSED, 403, mimetype="text/plain")

    def _fits(self, given: str | None) -> bool:
        """Whether this is the token; the time that it takes does not say how much of it is right."""
        return given is not None and hmac.compare_digest(given.encode(errors="replace"), self.token.encode())
