"""The page answers to this computer only, and takes nothing from elsewhere."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("dash")

from flask.testing import FlaskClient

from perceptron_theory.cli.app import main
from perceptron_theory.explorer import server
from perceptron_theory.explorer.answers import Answers


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    app = server.explorer_app(Answers())
    found: FlaskClient = app.server.test_client()
    return found


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


def test_a_broken_setting_is_answered_in_words(client: FlaskClient) -> None:
    wires = client.get("/_dash-dependencies").get_json()
    wire: dict[str, Any] = next(one for one in wires if "sentence.children" in one["output"])
    outputs = [
        dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in wire["output"][2:-2].split("...")
    ]
    body = {
        "output": wire["output"],
        "outputs": outputs,
        "inputs": [
            {"id": "setting", "property": "data", "value": {"f": 7}},
            {"id": "scores-token", "property": "data"},
        ],
        "changedPropIds": ["setting.data"],
    }
    answer = client.post("/_dash-update-component", json=body)
    assert answer.status_code == 200
    assert "load the page again" in answer.get_json()["response"]["sentence"]["children"]


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_port_that_is_none_is_refused(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--no-browser", "--port", str(port)]) == 2
    assert "--port must lie in [0, 65535]" in capsys.readouterr().err


def test_a_port_that_is_taken_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["explore", "--no-browser", "--port", str(taken.getsockname()[1])]) == 2
    assert "cannot be had" in capsys.readouterr().err


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
