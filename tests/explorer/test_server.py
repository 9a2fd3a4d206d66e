"""The page answers to who has its token, on this computer only, and takes nothing from elsewhere."""

from __future__ import annotations

import base64
import dataclasses
import http.client
import json
import os
import random
import re
import socket
import stat
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("dash")

from flask import Flask
from flask.testing import FlaskClient

from perceptron_theory.cli.app import main
from perceptron_theory.explorer import server
from perceptron_theory.explorer.access import REFUSED, Access
from perceptron_theory.explorer.answers import Answers
from perceptron_theory.explorer.setting import Setting

ACCESS = Access(8050)


@pytest.fixture(scope="module")
def answers() -> Answers:
    return Answers()


@pytest.fixture(scope="module")
def application(answers: Answers) -> Flask:
    made: Flask = server.explorer_app(answers, ACCESS).server
    return made


@pytest.fixture
def stranger(application: Flask) -> FlaskClient:
    """Another user of this machine: everything but the token."""
    return application.test_client()


@pytest.fixture
def client(application: Flask) -> FlaskClient:
    found = application.test_client()
    for host in ("127.0.0.1", "localhost", "::1"):
        found.set_cookie(ACCESS.cookie, ACCESS.token, domain=host)
    return found


EVERYTHING = ("/", "/_dash-layout", "/_dash-dependencies", "/assets/explorer.js", "/_favicon.ico", "/nothing")


@pytest.mark.parametrize(
    "token",
    ["", "wrong", "\N{SNOWMAN}", ACCESS.token[:-1], ACCESS.token + "x"],
    ids=["none", "wrong", "no ASCII", "too short", "too long"],
)
def test_without_the_token_nothing_is_seen(stranger: FlaskClient, token: str) -> None:
    for port in (8050, 8051):  # the name of the cookie is no secret
        stranger.set_cookie(f"perceptron_theory_{port}", token, domain="127.0.0.1")
    for path in (*EVERYTHING, f"/?token={token}"):
        with stranger.get(path, headers={"Host": "127.0.0.1:8050"}) as answer:
            assert (answer.status_code, answer.get_data(as_text=True)) == (403, REFUSED)
            assert "Set-Cookie" not in answer.headers


def test_the_token_opens_the_page_once_and_a_cookie_from_then_on(stranger: FlaskClient) -> None:
    address = urlsplit(ACCESS.address)
    host = {"Host": address.netloc}
    entrance = stranger.get(f"{address.path}?{address.query}", headers=host)
    cookie = entrance.headers["Set-Cookie"]
    assert cookie.startswith("perceptron_theory_8050=")
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert 'content="0; url=/"' in entrance.get_data(as_text=True)  # on to the address without the token
    assert entrance.headers["Referrer-Policy"] == "no-referrer"
    assert stranger.get("/", headers=host).status_code == 200
    assert stranger.post("/", query_string=address.query, headers=host).status_code == 405


def test_tokens_differ() -> None:
    tokens = {Access(8050).token for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43  # 256 bits in base64
    assert ACCESS.token not in repr(ACCESS)


def test_another_user_pushes_no_file_out(client: FlaskClient, stranger: FlaskClient, answers: Answers) -> None:
    content = base64.b64encode(b"score\n0.5\n0.25\n").decode()
    drop = {"id": "drop", "property": "contents", "value": f"data:;base64,{content}"}
    body = callback_body(client, "score-upload.data", drop, {"id": "drop", "property": "filename", "value": "a.csv"})
    assert client.post("/_dash-update-component", json=body).status_code == 200
    held = len(answers.files)
    assert held >= 1
    for _ in range(100):
        assert stranger.post("/_dash-update-component", json=body).status_code == 403
    assert len(answers.files) == held


def test_the_arguments_of_the_browser_do_not_hold_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    with server._opened(ACCESS.address):
        path = Path(unquote(urlsplit(opened[0]).path))
        assert ACCESS.token not in opened[0]
        assert f'url={ACCESS.address}"' in path.read_text()
        if os.name == "posix":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == []


def test_without_a_home_no_browser_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "missing")
    monkeypatch.setattr(webbrowser, "open", lambda address: pytest.fail(f"opened {address}"))
    with server._opened(ACCESS.address):
        pass


@pytest.mark.parametrize("host", ["127.0.0.1:8050", "localhost:1", "localhost", "[::1]:8050"])
def test_own_names_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["example.org", "example.org:8050", "127.0.0.1.example.org", "", "[", "0.0.0.0:8050"])
def test_other_names_are_refused(client: FlaskClient, host: str) -> None:
    for path in ("/", "/_dash-layout", "/assets/explorer.js"):
        with client.get(path, headers={"Host": host}) as answer:
            assert answer.status_code == 403
            assert b"script" not in answer.data


def test_other_origins_are_refused(client: FlaskClient) -> None:
    def posted(origin: str) -> int:
        headers = {"Host": "127.0.0.1:8050", "Origin": origin}
        return client.post("/_dash-update-component", json={}, headers=headers).status_code

    assert posted("http://example.org") == posted("http://127.0.0.1:9000") == posted("null") == 403
    assert posted("http://127.0.0.1:8050") != 403


def test_every_answer_forbids_what_is_not_from_here(client: FlaskClient) -> None:
    for path in ("/", "/_dash-dependencies", "/assets/explorer.css", "/nothing"):
        with client.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert rules["default-src"] == "'none'"
        assert rules["connect-src"] == "'self'"
        for word in policy.replace(";", " ").split():
            assert not word.startswith(("http", "*", "//", "ws"))
        assert "unsafe" not in rules["script-src"]


def test_the_page_names_no_other_place(client: FlaskClient) -> None:
    html = client.get("/").get_data(as_text=True)
    for outside in ('src="http', "src='http", 'href="http', 'src="//', 'href="//'):
        assert outside not in html


def test_a_request_beyond_the_limit_is_refused(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(client.application.config, "MAX_CONTENT_LENGTH", 1000)
    answer = client.post("/_dash-update-component", data=b"0" * 2000, content_type="application/json")
    assert answer.status_code == 413


def callback_body(client: FlaskClient, output: str, *given: dict[str, Any]) -> dict[str, Any]:
    """What the page sends to a callback: inputs that are given, then states."""
    wires = client.get("/_dash-dependencies").get_json()
    wire = next(one for one in wires if output in one["output"])
    names = wire["output"].strip(".").split("...")
    outputs = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in names]
    n = len(wire["inputs"])
    return {
        "output": wire["output"],
        "outputs": outputs if len(outputs) > 1 else outputs[0],
        "inputs": list(given[:n]),
        "state": list(given[n:]),
        "changedPropIds": [f"{given[0]['id']}.{given[0]['property']}"],
    }


def point_body(client: FlaskClient, setting: Any, token: Any = None) -> dict[str, Any]:
    return callback_body(
        client,
        "sentence.children",
        {"id": "setting", "property": "data", "value": setting},
        {"id": "scores-token", "property": "data", "value": token},
    )


def test_a_broken_setting_is_answered_in_words(client: FlaskClient) -> None:
    answer = client.post("/_dash-update-component", json=point_body(client, {"f": 7}))
    assert answer.status_code == 200
    assert "load the page again" in answer.get_json()["response"]["sentence"]["children"]


GARBAGE: list[Any] = [
    None, True, -1, 1e308, "", "x", "sentence.children", "..a...b..", [], [[]], [None], ["x", 1], {}, {"id": {}},
    {"id": "x", "property": 3}, [{"id": "setting"}], [{"property": "data", "id": ["a"]}], [[[[1]]]], {"a": {"b": [1]}},
]  # fmt: skip


def garbage(body: dict[str, Any], rng: random.Random) -> Any:
    """A body of the page with a part lost, replaced or added, or no such body at all."""
    if rng.random() < 0.1:
        return rng.choice(GARBAGE)
    made = dict(body)
    for name in rng.sample(sorted(made), rng.randint(1, 3)):
        if rng.random() < 0.3:
            del made[name]
        elif isinstance(made[name], list) and rng.random() < 0.5:
            kept = [dict(one) if isinstance(one, dict) else one for one in made[name]]
            if kept and isinstance(kept[0], dict):
                kept[0][rng.choice(["id", "property", "value"])] = rng.choice(GARBAGE)
            made[name] = [*kept, rng.choice(GARBAGE)] if rng.random() < 0.5 else kept[1:]
        else:
            made[name] = rng.choice(GARBAGE)
    return made


def test_garbage_is_400_without_a_traceback(
    client: FlaskClient, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    rng = random.Random(0)
    drop = {"id": "drop", "property": "contents", "value": "data:;base64,eA=="}
    name = {"id": "drop", "property": "filename", "value": "a.pdf"}
    choice = [{"id": one, "property": "value", "value": "harder"} for one in ("higher-is", "part")]
    bodies = [
        point_body(client, {"f": 7}),
        callback_body(client, "score-upload.data", drop, name),
        callback_body(client, "score-controls.children", {"id": "score-upload", "property": "data", "value": "x"}),
        callback_body(client, "scores-token.data", *choice, {"id": "score-upload", "property": "data", "value": "x"}),
    ]
    codes = []
    for _ in range(400):
        data = json.dumps(garbage(rng.choice(bodies), rng))
        answer = client.post("/_dash-update-component", data=data, content_type="application/json")
        codes.append(answer.status_code)
    # Some of it is what a page may send: that is answered in words, or changes nothing (204).
    assert set(codes) <= {200, 204, 400}
    assert codes.count(400) > 200
    said = capfd.readouterr()
    assert "Traceback" not in said.out + said.err + caplog.text
    assert all("\n" not in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"output": "no.such"}, 400),
        ({"output": 7}, 400),
        ({"inputs": None}, 400),
        ({"inputs": []}, 400),
        ({"inputs": [1, 2]}, 400),
        ({"outputs": "x"}, 400),
        ({"changedPropIds": 3}, 400),
    ],
)
def test_a_callback_that_the_page_does_not_have_is_refused(
    client: FlaskClient, change: dict[str, Any], code: int
) -> None:
    body = point_body(client, {"f": 7})
    assert client.post("/_dash-update-component", json=body | change).status_code == code
    for lost in body.keys() & change.keys() - {"changedPropIds"}:
        rest = {name: value for name, value in body.items() if name != lost}
        assert client.post("/_dash-update-component", json=rest).status_code == code


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"null", b'"x"', b"NaN"])
def test_a_body_that_is_no_call_is_refused(client: FlaskClient, data: bytes) -> None:
    answer = client.post("/_dash-update-component", data=data, content_type="application/json")
    assert answer.status_code == 400


def test_an_unhashable_token_is_refused(client: FlaskClient) -> None:
    setting = dataclasses.asdict(Setting())
    assert client.post("/_dash-update-component", json=point_body(client, setting, [])).status_code == 400


@contextmanager
def on_a_port(application: Flask) -> Iterator[int]:
    """An application as `serve` serves it."""
    with server._listening(0) as listening:
        running = server.served(application, listening)
        thread = threading.Thread(target=running.run)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            running.asyncore.close_all(running._map)  # the loop ends with its sockets
            thread.join()
            running.task_dispatcher.shutdown()


HALF = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    b"POST /_dash-update-component HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{",
)


def half_open(port: int, n: int, stack: ExitStack) -> None:
    for i in range(n):
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        connection.sendall(HALF[i % 2])


def asked(port: int, timeout: float) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", "/", headers={"Host": "127.0.0.1:8050", "Cookie": f"{ACCESS.cookie}={ACCESS.token}"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_half_requests_do_not_keep_the_page(application: Flask) -> None:
    with on_a_port(application) as port, ExitStack() as stack:
        half_open(port, 150, stack)
        # Long before silent connections are closed: it is not they that make room.
        assert asked(port, 0.5 * server._SILENT_S) == 200


def test_silent_connections_are_closed(application: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"_CONNECTIONS": 10, "_SILENT_S": 1, "_LOOK_S": 1}.items():
        monkeypatch.setattr(server, name, value)
    with on_a_port(application) as port, ExitStack() as stack:
        half_open(port, 30, stack)
        # Three rounds of ten, a second or two each; left to itself, waitress takes two minutes for each.
        assert asked(port, 60.0) == 200


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_port_that_is_none_is_refused(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--no-browser", "--port", str(port)]) == 2
    assert "--port must lie in [0, 65535]" in capsys.readouterr().err


def test_a_port_that_is_taken_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["explore", "--no-browser", "--port", str(taken.getsockname()[1])]) == 2
    assert "is in use" in capsys.readouterr().err


def test_a_second_page_is_told_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Answers, "warm", lambda self: pytest.fail("it computed before it had its port"))
    with server._listening(0) as first:  # the first one still compiles
        port = first.getsockname()[1]
        assert main(["explore", "--no-browser", "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert f"--port {port} is in use: another program, perhaps another explorer" in error


@pytest.mark.slow
def test_of_two_processes_on_a_port_one_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "perceptron_theory.cli", "explore", "--no-browser", "--port", str(port)]
    pair = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        while all(one.poll() is None for one in pair):  # either is told, or the test does not end
            time.sleep(0.1)
        told = next(one for one in pair if one.poll() is not None)
        (other,) = [one for one in pair if one is not told]
        assert told.returncode == 2
        assert re.search(rf"^error: --port {port} is in use", told.communicate()[1])
        assert other.stdout is not None
        assert f":{port}/?token=" in other.stdout.readline()
    finally:
        for one in pair:
            one.kill()
            one.communicate()


def test_without_the_extra_the_error_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "waitress", None)
    assert main(["explore", "--no-browser"]) == 2
    assert 'pip install "perceptron_theory[explore]"' in capsys.readouterr().err


def test_the_package_does_not_load_the_page() -> None:
    code = "import sys, perceptron_theory as pt; pt.solve; print('dash' in sys.modules, 'waitress' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
