"""The page in a browser: numbers of the library under every slider, quickly; files; two clients; nothing leaves."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perceptron_theory as pt

pytest.importorskip("dash")

from perceptron_theory.explorer.access import REFUSED
from perceptron_theory.explorer.scales import SCALES
from perceptron_theory.explorer.setting import Setting
from perceptron_theory.explorer.uploads import MOST_BYTES

if os.environ.get("PERCEPTRON_THEORY_NEEDS_BROWSER") != "1":
    pytest.importorskip("playwright.sync_api")

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

pytestmark = pytest.mark.browser

#: Slider and stop of each move whose time is taken.
MOVES = [
    ("f", 55), ("f", 20), ("f", 90), ("theta_deg", 40), ("theta_deg", 0), ("theta_deg", 12), ("alpha_tot", 40),
    ("alpha_tot", 12), ("alpha_tot", 30), ("f", 35), ("f", 70), ("f", 28), ("theta_deg", 60), ("theta_deg", 30),
    ("theta_deg", 8), ("alpha_tot", 20), ("alpha_tot", 50), ("alpha_tot", 36), ("f", 45), ("f", 38),
]  # fmt: skip
#: Milliseconds from the event of the slider to the new numbers and the new main graph.
MOST_MS = 200.0

MOVE = """async ([name, stop, error]) => {
  const slider = document.getElementById(name);
  const graph = document.querySelector("#curves .js-plotly-plot");
  const value = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  const close = (text) => Math.abs(Number(text) / error - 1) < 1e-5;
  const told = () => close(document.querySelector("#certificate td").textContent);
  const begun = performance.now();
  const drawn = new Promise((resolve) => {
    const seen = () => {
      if (close(graph.data[2].y[0])) {
        graph.removeListener("plotly_afterplot", seen);
        resolve();
      }
    };
    graph.on("plotly_afterplot", seen);
  });
  value.set.call(slider, String(stop));
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  await drawn;
  while (!told()) { await new Promise(requestAnimationFrame); }
  return performance.now() - begun;
}"""

DRAG = """async ([name, stops, pause]) => {
  const slider = document.getElementById(name);
  const value = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  for (const stop of stops) {
    value.set.call(slider, String(stop));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}"""

FILE = """([name, content, size]) => {
  const bytes = size ? new Uint8Array(size) : Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name));
  return carried;
}"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    command = [sys.executable, "-m", "perceptron_theory.cli", "explore", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", line)
        assert found, line
        yield found.group()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)  # what is being computed comes to its end
        assert process.returncode == 0
        assert "Traceback" not in errors
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("PERCEPTRON_THEORY_NEEDS_BROWSER") == "1":
            pytest.fail("no chromium on the path, and PERCEPTRON_THEORY_NEEDS_BROWSER asks for one")
        pytest.skip("no chromium on the path")
    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=quiet)
        yield browser
        browser.close()


class Client:
    """A page that is watched: requests elsewhere and errors of the console are failures."""

    def __init__(self, browser: Browser, address: str, width: int = 1400, height: int = 1000) -> None:
        self.address = address.partition("?")[0]
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.context: BrowserContext = browser.new_context(viewport={"width": width, "height": height})
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.context.set_default_timeout(10_000)
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda told: self.errors.append(told.text) if told.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(address)
        self.page.wait_for_url(self.address)  # the token does not stay in the address
        expect(self.page.locator("#best-sentence")).to_contain_text("With 3 kept", timeout=30_000)
        self.rest()

    def rest(self) -> None:
        """Wait until every graph is drawn: nothing is asked of the server for longer than sliders are waited for."""
        asked = -1
        while asked != len(self.requests):
            asked = len(self.requests)
            self.page.wait_for_timeout(500)
            expect(self.page.locator("[data-dash-is-loading=true]")).to_have_count(0, timeout=30_000)

    def close(self) -> None:
        self.context.close()
        assert self.errors == []
        elsewhere = [url for url in self.requests if not url.startswith((self.address, "data:", "blob:"))]
        assert elsewhere == []

    def told(self, name: str = "test_error") -> str:
        """A number of the certificate."""
        return (
            self.page.locator("#certificate tr")
            .filter(has_text=re.compile(rf"^{name}"))
            .locator("td")
            .first.inner_text()
        )

    def expect_error(self, error: float) -> None:
        """The page shows an error in its table, its sentence and its main graph."""
        told = self.page.locator("#certificate td").first
        self.page.locator("#certificate").evaluate("box => { box.closest('details').open = true; }")
        expect(told).to_have_text(f"{error:.6g}", timeout=30_000)
        expect(self.page.locator("#sentence")).to_contain_text(f"the error is {100 * error:.3g}")
        assert self.star()[1] == pytest.approx(error, rel=1e-12)  # the same double, through JSON

    def star(self) -> tuple[float, float]:
        """Where the main graph marks the sliders."""
        trace = self.page.evaluate("document.querySelector('#curves .js-plotly-plot').data[2]")
        return trace["x"][0], trace["y"][0]

    def drop(self, name: str, content: bytes = b"", size: int = 0) -> None:
        """Drop a file on the page."""
        carried = self.page.evaluate_handle(FILE, [name, base64.b64encode(content).decode(), size])
        for event in ("dragenter", "dragover", "drop"):
            self.page.dispatch_event("#drop u", event, {"dataTransfer": carried})

    def choose(self, name: str, label: str) -> None:
        """Choose one of a few words."""
        self.page.locator(f"#{name} label").filter(has_text=re.compile(rf"^\s*{re.escape(label)}\s*$")).click()

    def saved(self, selector: str, folder: Path) -> bytes:
        """What a button saves."""
        with self.page.expect_download() as waiting:
            self.page.locator(selector).click()
        path = folder / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path.read_bytes()


@pytest.fixture
def client(browser: Browser, address: str) -> Iterator[Client]:
    found = Client(browser, address)
    yield found
    found.close()


def error_at(moved: dict[str, float], margins: pt.MeasuredMargins | None = None) -> float:
    setting = Setting(**moved)  # type: ignore[arg-type]
    solution = pt.solve(setting.alpha_prune, setting.f, setting.theta, selection=setting.rule, margins=margins)
    return float(solution.test_error)


def button(kind: str, graph: str, form: str = "") -> str:
    """CSS of a button with an id of several parts."""
    parts = {"graph": graph, "type": kind} | ({"format": form} if form else {})
    text = json.dumps(dict(sorted(parts.items())), separators=(",", ":"))
    return f"button[id='{text}']"


def npy(values: np.ndarray, folder: Path) -> bytes:
    np.save(folder / "made.npy", values)
    return (folder / "made.npy").read_bytes()


def run_table() -> bytes:
    rows = []
    for n_total in (300, 1000, 3000, 10000):
        for f, rule in ((1.0, "random"), (0.3, "random"), (0.3, "hard"), (0.1, "hard")):
            epsilon = float(pt.solve(f * n_total / 300, f, np.deg2rad(20), selection=rule).test_error)
            rows.append((n_total, round(f * n_total), rule, epsilon, 0))
    table = pd.DataFrame(rows, columns=["n_total", "n_kept", "selection", "test_error", "seed"])
    return table.to_csv(index=False).encode()


def test_the_page_loads_with_the_numbers_of_solve(client: Client) -> None:
    client.expect_error(error_at({}))
    solution = pt.solve(3.0, 0.3, np.deg2rad(10))
    for name in ("R", "rho", "kappa"):
        assert client.told(name) == f"{float(getattr(solution, name)):.6g}"
    assert "converged" in client.told("status")
    best = pt.pareto_frontier(3.0, np.deg2rad(10), alpha_tot_max=100.0)
    expect(client.page.locator("#best-sentence")).to_contain_text(f"hardest {100 * float(best.f):.3g}")
    for graph in ("curves", "frontier", "phases", "kept"):
        assert client.page.locator(f"#{graph} .js-plotly-plot .main-svg").count() >= 1
        assert client.page.locator(f"#{graph} .modebar-btn").count() == 0


def test_without_the_token_a_browser_sees_nothing(client: Client, browser: Browser) -> None:
    stranger = browser.new_context()
    page = stranger.new_page()
    for path in ("", "?token=guessed", "assets/explorer.js", "_dash-layout"):
        answer = page.goto(client.address + path)
        assert answer is not None
        assert answer.status == 403
        assert page.locator("body").inner_text() == REFUSED
    stranger.close()
    client.page.reload()  # who has the cookie needs no token
    client.expect_error(error_at({}))
    (cookie,) = client.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Strict", -1)
    assert client.page.evaluate("document.cookie") == ""


def test_the_page_opens_from_another_program(browser: Browser, address: str, tmp_path: Path) -> None:
    (tmp_path / "open.html").write_text(f'<meta http-equiv="refresh" content="0; url={address}">')
    page = browser.new_page()
    page.goto((tmp_path / "open.html").as_uri())  # a cookie of the same site only does not come along from here
    expect(page.locator("#best-sentence")).to_contain_text("With 3 kept", timeout=30_000)
    assert page.url == address.partition("?")[0]
    page.close()


def test_nothing_outside_is_allowed(client: Client) -> None:
    answer = client.page.request.get(client.address)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    blocked = client.page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'blocked')")
    assert blocked == "blocked"
    assert any("Content Security Policy" in told for told in client.errors)
    client.errors.clear()
    client.requests = [url for url in client.requests if not url.startswith("http://127.0.0.1:9/")]


def test_a_slider_answers_quickly_with_the_numbers_of_solve(client: Client) -> None:
    at: dict[str, float] = {}
    taken = []
    for name, stop in MOVES:
        at[name] = SCALES[name].stops[stop]
        error = error_at(at)
        taken.append(client.page.evaluate(MOVE, [name, stop, error]))
        client.expect_error(error)
        client.rest()
    print(f"slider to numbers and graph: median {statistics.median(taken):.0f} ms, longest {max(taken):.0f} ms")
    assert statistics.median(taken) < MOST_MS


def test_no_stale_answer_stays_after_a_drag(client: Client) -> None:
    stops = [*range(20, 100, 2), 41]
    client.page.evaluate(DRAG, ["f", stops, 15])
    client.rest()
    moved = {"f": SCALES["f"].stops[41]}
    client.expect_error(error_at(moved))
    kept = client.page.evaluate("document.querySelector('#kept .js-plotly-plot').data[1]")
    width = np.diff(np.array(kept["x"]).reshape(-1, 2), axis=1).ravel()
    # The filled part of the density, of which the tails beyond |z| = 4 (6e-5) are not drawn.
    assert float(np.array(kept["y"])[::2] @ width) == pytest.approx(moved["f"], abs=1e-4)


def test_every_choice_gives_its_own_numbers(client: Client) -> None:
    client.choose("selection", "easy")
    client.expect_error(float(pt.solve(3.0, 0.3, np.deg2rad(10), selection="easy").test_error))
    client.choose("selection", "band")
    expect(client.page.locator("#lower-row")).to_be_visible()
    client.expect_error(float(pt.solve(3.0, 0.3, np.deg2rad(10), selection=pt.Band(0.1)).test_error))
    client.page.evaluate(DRAG, ["lower", [90], 10])
    expect(client.page.locator("#sentence")).to_contain_text("f must be at most 0.1 for a band")
    client.choose("selection", "hard")
    client.choose("student", "square")
    expect(client.page.locator("#lam-row")).to_be_visible()
    square = pt.solve(3.0, 0.3, np.deg2rad(10), student=pt.ConvexLoss("square", 0.1))
    client.expect_error(float(square.test_error))
    client.rest()
    expect(client.page.locator("#frontier-note")).to_contain_text("Fewer points", timeout=30_000)


def test_sliders_have_labels_and_keys(client: Client) -> None:
    for name, scale in SCALES.items():
        slider = client.page.locator(f"#{name}")
        assert slider.evaluate("one => one.labels[0].textContent") == scale.label
        assert slider.get_attribute("aria-valuetext") == scale.said(scale.stops[scale.start])
    client.page.locator("#theta_deg").focus()
    client.page.keyboard.press("ArrowRight")
    expect(client.page.locator("#theta_deg-said")).to_have_text("10.5°")
    client.expect_error(error_at({"theta_deg": 10.5}))
    client.page.keyboard.press("Tab")
    client.page.keyboard.press("End")
    expect(client.page.locator("#f-said")).to_have_text("100 %")
    client.expect_error(error_at({"theta_deg": 10.5, "f": 1.0}))


def test_a_score_file_takes_the_place_of_gaussian_data(client: Client, tmp_path: Path) -> None:
    values = np.random.default_rng(1).poisson(1.0, 400).astype(np.float64)
    client.drop("forgetting.npy", npy(values, tmp_path))
    expect(client.page.locator("#score-controls")).to_contain_text("forgetting.npy")
    client.expect_error(error_at({}))  # nothing is guessed before the direction is said
    client.choose("higher-is", "hard")
    expect(client.page.locator("#score-report")).to_contain_text("direction", timeout=30_000)
    scores = pt.Scores(values, "harder")
    client.expect_error(error_at({}, scores.margins()))
    expect(client.page.locator("#score-report")).to_contain_text(str(scores.ties))
    expect(client.page.locator("#curves-note")).to_contain_text("On the margins of your scores")
    client.rest()
    client.choose("higher-is", "easy")
    client.expect_error(error_at({}, pt.Scores(values, "easier").margins()))
    client.page.locator("#remove-scores").click()
    client.expect_error(error_at({}))
    expect(client.page.locator("#score-report")).to_be_empty()


def test_a_file_with_several_columns_offers_them(client: Client) -> None:
    rows = "".join(f"{i}.png,{(7 * i) % 41},{i % 3}\n" for i in range(41))
    client.drop("../scores.csv", f"image,el2n,label\n{rows}".encode())
    expect(client.page.locator("#score-controls")).to_contain_text("Scores: scores.csv")
    client.choose("higher-is", "hard")
    client.choose("part", "image")
    expect(client.page.locator("#message")).to_contain_text("image")
    client.expect_error(error_at({}))
    client.choose("part", "el2n")
    expect(client.page.locator("#score-report")).to_contain_text("41 distinct", timeout=30_000)
    expect(client.page.locator("#message")).to_be_empty()
    values = np.array([(7 * i) % 41 for i in range(41)])
    client.expect_error(error_at({}, pt.Scores(values, "harder").margins()))


def test_a_run_table_is_calibrated(client: Client, tmp_path: Path) -> None:
    content = run_table()
    client.drop("runs.csv", content)
    client.page.locator("#calibrate").click()
    expect(client.page.locator("#message")).to_contain_text("chance is missing")
    client.page.locator("#chance").fill("0.5")
    client.page.locator("#calibrate").click()
    report = client.page.locator("#run-report")
    expect(report).to_contain_text("identified", timeout=60_000)
    expect(client.page.locator("#message")).to_be_empty()
    (tmp_path / "runs.csv").write_bytes(content)
    found = pt.calibrate(pt.read_runs(tmp_path / "runs.csv"), chance=0.5, intervals="normal")
    expect(report).to_contain_text(f"{found.N:.4g}")
    expect(report).to_contain_text(f"{found.theta:.4g}")
    data = client.page.evaluate("document.querySelector('#calibrated .js-plotly-plot').data")
    points = {y for trace in data if "measured" in trace["name"] for y in trace["y"]}
    np.testing.assert_allclose(sorted(points), sorted(set(found.residuals["measured"])), rtol=1e-12)
    saved = client.saved(button("table", "calibrated"), tmp_path)
    assert (pd.read_csv(tmp_path / "perceptron_theory_calibrated.csv")["what"] == "run").sum() == 16
    assert saved.startswith(b"n_total,")


WRONG = {
    "junk.npy": (bytes(range(200)), "junk.npy is not a readable numpy file"),
    "empty.csv": (b"", "empty file: empty.csv"),
    "paper.pdf": (b"%PDF-1.7", "unknown format of paper.pdf"),
    "pickle.npy": (b"\x80\x04K\x01.", "pickles can run code"),
    "half.parquet": (b"PAR1" + bytes(50), "half.parquet is not a readable parquet file"),
}


def test_a_wrong_file_changes_nothing(client: Client, tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(size=90).round(1)
    client.drop("right.npy", npy(values, tmp_path))
    client.choose("higher-is", "hard")
    error = error_at({}, pt.Scores(values, "harder").margins())
    client.expect_error(error)
    for name, (content, told) in WRONG.items():
        client.drop(name, content)
        expect(client.page.locator("#message")).to_contain_text(told)
        assert "\n" not in client.page.locator("#message").inner_text().strip()
        expect(client.page.locator("#score-controls")).to_contain_text("right.npy")
        expect(client.page.locator("#score-report")).to_contain_text("right.npy")
        client.expect_error(error)


def test_a_huge_file_is_refused_before_it_is_read(client: Client) -> None:
    asked = len(client.requests)
    client.drop("huge.npy", size=MOST_BYTES + 1)
    expect(client.page.locator("#message")).to_contain_text(f"huge.npy is larger than the {MOST_BYTES // 2**20} MB")
    assert len(client.requests) == asked
    client.expect_error(error_at({}))


def test_two_clients_never_see_each_other(browser: Browser, address: str, tmp_path: Path) -> None:
    clients = [Client(browser, address), Client(browser, address)]
    values = [np.random.default_rng(seed).poisson(1.0 + seed, 300 + seed).astype(np.float64) for seed in range(2)]
    for i, one in enumerate(clients):
        one.drop(f"mine{i}.npy", npy(values[i], tmp_path))
    for one in clients:
        one.choose("higher-is", "hard")
    margins = [pt.Scores(value, "harder").margins() for value in values]
    at: list[dict[str, float]] = [{}, {}]
    for step in range(6):  # both move before either is looked at
        for i, one in enumerate(clients):
            stop = 30 + 5 * step + 3 * i
            at[i]["f"] = SCALES["f"].stops[stop]
            one.page.evaluate(DRAG, ["f", [stop - 1, stop], 5])
        for i, one in enumerate(clients):
            one.expect_error(error_at(at[i], margins[i]))
    for i, one in enumerate(clients):
        one.rest()
        text = one.page.locator("main").inner_text()
        assert f"mine{i}.npy" in text
        assert f"{300 + i} scores" in text
        assert f"mine{1 - i}.npy" not in text
        assert f"{301 - i} scores" not in text
    for one in clients:
        one.close()


def test_numbers_and_pictures_can_be_saved(client: Client, tmp_path: Path) -> None:
    client.page.evaluate(DRAG, ["f", [28], 5])
    client.rest()
    saved = client.saved(button("table", "curves"), tmp_path)
    table = pd.read_csv(tmp_path / "perceptron_theory_curves.csv")
    kept = table[table["selection"] == "hard"]
    shown = client.page.evaluate("document.querySelector('#curves .js-plotly-plot').data[1]")
    # Twelve digits are written.
    np.testing.assert_allclose(kept["alpha_prune"], shown["x"], rtol=1e-11)
    np.testing.assert_allclose(kept["test_error"], shown["y"], rtol=1e-11)
    f = SCALES["f"].stops[28]
    direct = pt.solve(kept["alpha_prune"].to_numpy(), f, np.deg2rad(10))
    # The sizes are those of the file, with twelve digits, which errors amplify a little.
    np.testing.assert_allclose(kept["test_error"], direct.test_error, rtol=1e-9)
    assert set(kept["f"]) == {f}
    assert saved.endswith(b"\n")
    for graph in ("frontier", "phases", "kept"):
        client.saved(button("table", graph), tmp_path)
        assert len(pd.read_csv(tmp_path / f"perceptron_theory_{graph}.csv")) > 20
    assert client.saved(button("picture", "curves", "png"), tmp_path).startswith(b"\x89PNG\r\n\x1a\n")
    drawing = client.saved(button("picture", "phases", "svg"), tmp_path).decode()
    assert drawing.startswith("<svg")
    assert "hard = easy" in drawing


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1400, 1000)])
def test_nothing_overflows(browser: Browser, address: str, width: int, height: int, tmp_path: Path) -> None:
    client = Client(browser, address, width, height)
    client.drop("a-score-file-with-a-rather-long-name-that-has-to-be-shown.npy", npy(np.arange(50.0), tmp_path))
    client.choose("higher-is", "hard")
    expect(client.page.locator("#score-report")).to_contain_text("50 distinct", timeout=30_000)
    client.drop("runs.csv", run_table())
    client.page.locator("#chance").fill("0.5")
    client.page.locator("#calibrate").click()
    expect(client.page.locator("#run-report")).to_contain_text("identified", timeout=60_000)
    client.rest()
    assert client.page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = client.page.evaluate(
        "Array.from(document.querySelectorAll('.card, .card button, .slider, .dash-graph, .svg-container'))"
        ".map((one) => one.getBoundingClientRect()).filter((box) => box.width > 0).map((box) => [box.left, box.right])"
    )
    assert len(boxes) > 30
    assert min(left for left, _ in boxes) >= 0.0
    assert max(right for _, right in boxes) <= width
    client.close()
