"""End-to-end tests of the web page in Chromium: `make test-app`."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import av
import numpy as np
import psutil
import pytest
from films import moving_frames, write_clip
from pictures import make_picture
from PIL import Image

from nst_tf.app.__main__ import main
from nst_tf.config import JobConfig

pytestmark = pytest.mark.app
ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 90_000  # milliseconds
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
]
ENDLESS = "100000"  # iterations, never completed


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Server:
    """Run the page in a subprocess."""

    def __init__(self, folder, weights, *options, environment=None, port=None):
        self.output, self.connections = folder / "runs", folder / "asked.txt"
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        arguments = ["--port", self.port, "--output", self.output, "--weights", weights, *options]
        paths = [str(ROOT / "tests" / "helpers" / "offline"), str(ROOT)]
        variables = {"PYTHONPATH": os.pathsep.join(paths), "NST_TF_ASKED": str(self.connections)}
        self.log = folder / f"log-{self.port}.txt"  # an unread pipe would fill up
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "nst_tf.app", *map(str, arguments)],
                cwd=folder,
                env={**os.environ, **variables, **(environment or {})},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        start = time.monotonic()
        while "the page is at" not in self.read_log():
            assert self.process.poll() is None, self.read_log()
            assert time.monotonic() - start < TIMEOUT / 1000, self.read_log()
            time.sleep(0.1)

    def read_log(self):
        """Return everything that the program has printed."""
        return self.log.read_text(encoding="utf-8")

    def stop(self):
        """Interrupt the program as with Ctrl-C; return its exit status and log."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60), self.read_log()


@pytest.fixture(scope="module")
def server(tmp_path_factory, tiny_mat):
    server = Server(tmp_path_factory.mktemp("page"), tiny_mat)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    assert program, "these tests need Chromium: apt-get install chromium, or name it in $CHROMIUM"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """Return a function that opens the page as a new visitor and records its requests."""
    contexts = []

    def visit(server, width=1280, height=1000, ready="#headline p"):
        context = browser.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(TIMEOUT)
        contexts.append(context)
        page = context.new_page()
        page.requested, page.script_errors = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("pageerror", lambda error: page.script_errors.append(str(error)))
        page.goto(server.url)
        page.wait_for_selector(ready)
        return page

    yield visit
    for context in contexts:
        for page in context.pages:
            assert page.script_errors == []
        context.close()


@pytest.fixture
def photo(tmp_path):
    """Return the path of a photograph of 96x64 pixels."""
    path = tmp_path / "harbour.png"
    Image.fromarray(make_picture(64, 96, seed=5)).save(path)
    return str(path)


def set_up(page, *, photo=None, iterations=ENDLESS, side="192"):
    """Set a small size and the number of iterations."""
    if photo:
        upload(page, photo)
    page.get_by_label("number input for Longer side").fill(side)
    page.get_by_label("Duration").fill(iterations)
    page.get_by_label("Duration").blur()


def upload(page, path, place=0):
    """Upload a picture; place 0 is the photograph, 1 the first style."""
    page.locator(f"#place-{place} button[aria-label='Remove Image']").click()
    page.locator(f"#place-{place} input[type=file]").set_input_files(path)


def wait_for_headline(page, text):
    page.wait_for_selector(f"#headline p:has-text('{text}')")


def wait_for_pictures(page, count):
    """Wait until `count` different pictures have been shown."""
    seen, start = set(), time.monotonic()
    while len(seen) < count:
        assert time.monotonic() - start < TIMEOUT / 1000
        address = page.evaluate("document.querySelector('#picture img')?.src")
        seen |= {address} - {None, ""}
        page.wait_for_timeout(100)


def test_run_can_be_watched_stopped_continued_and_downloaded(server, visit, photo, tmp_path):
    page = visit(server)
    set_up(page, photo=photo)
    page.click("#start")
    wait_for_headline(page, "Painting harbour_")
    wait_for_pictures(page, 3)
    page.wait_for_function("parseInt(document.querySelector('#numbers strong')?.textContent) > 60")
    assert re.search(r"\d+ of 100000 iterations, about [\d:]+ left", page.inner_text("#numbers"))
    assert page.locator("#numbers img[alt^='Total loss']").count() == 1
    assert page.locator("#picture img").get_attribute("alt").startswith("The picture so far, after")

    page.reload()
    wait_for_headline(page, "Painting harbour_")
    page.click("#stop")
    wait_for_headline(page, "Stopped: harbour_")
    reached = page.inner_text("#numbers")
    page.reload()
    wait_for_headline(page, "Stopped: harbour_")
    page.click("#continue")
    wait_for_headline(page, "Painting harbour_")
    page.click("#stop")
    wait_for_headline(page, "Stopped: harbour_")
    pattern = re.compile(r"(\d+) of")
    assert int(pattern.search(page.inner_text("#numbers"))[1]) >= int(pattern.search(reached)[1])

    with page.expect_download() as download:
        page.click("#get-picture")
    download.value.save_as(tmp_path / "got.png")
    config = JobConfig.load(tmp_path / "got.png")
    assert np.asarray(Image.open(tmp_path / "got.png")).shape == (128, 192, 3)
    assert (server.output / "uploads" / config.content).exists(), "a name, no directory"
    with page.expect_download() as download:
        page.click("#get-timelapse")
    download.value.save_as(tmp_path / "got.gif")
    assert Image.open(tmp_path / "got.gif").format == "GIF"
    with page.expect_download() as download:
        page.click("#get-settings")
    download.value.save_as(tmp_path / "got.json")
    assert json.loads((tmp_path / "got.json").read_text())["size"] == "192"
    command = page.input_value("#command textarea")
    assert command.startswith(f"python -m nst_tf.run {config.content} ")
    assert "--size 192" in command
    outside = [url for url in page.requested if not url.startswith((server.url, "data:", "blob:"))]
    assert outside == [], "the browser asks nobody else"


def test_unreadable_upload_and_missing_photograph_show_alerts(server, visit, tmp_path):
    page = visit(server)
    (tmp_path / "bad.jpg").write_bytes(b"this is no picture" * 100)
    upload(page, tmp_path / "bad.jpg")
    problem = page.wait_for_selector(".problem [role=alert]").inner_text()
    assert problem.startswith("the photograph: bad.jpg is not a readable picture")
    page.click("#start")
    alert = page.wait_for_selector("#alert [role=alert]").inner_text()
    assert alert == "the photograph is missing: upload one or choose a sample"
    page.locator(".samples button").first.click()
    page.wait_for_selector(".problem [role=alert]", state="detached")


def test_film_is_uploaded_watched_stopped_continued_and_played(server, visit, tmp_path):
    page = visit(server)
    set_up(page, iterations="10", side="96")
    page.get_by_text("Or paint a short film").click()
    (tmp_path / "bad.mp4").write_bytes(b"this is no film" * 100)
    page.locator("#film input[type=file]").set_input_files(tmp_path / "bad.mp4")
    problem = page.wait_for_selector(".problem [role=alert]").inner_text()
    assert problem.startswith("the film: bad.mp4 can't be read as a film")
    clip = write_clip(tmp_path / "walk.mp4", moving_frames(3, 64, 96))
    page.locator("#film input[type=file]").set_input_files(clip)
    page.wait_for_selector("#place-0 img[src*=walk_first]")
    page.wait_for_selector(".problem [role=alert]", state="detached")
    page.get_by_text("More", exact=True).click()
    page.get_by_text("Film", exact=True).first.click()
    page.get_by_label("frame iterations").fill("300")
    page.get_by_label("frame iterations").blur()
    page.click("#start")
    wait_for_headline(page, "Painting walk_")
    assert re.search(r"[12] of 3 frames", page.inner_text("#numbers"))
    assert page.locator("#picture img").get_attribute("alt").startswith("The picture so far, after")
    page.click("#stop")
    wait_for_headline(page, "Stopped: walk_")
    assert "not finished" in page.inner_text("#numbers")
    page.click("#continue")
    wait_for_headline(page, "Done: walk_")
    played = "() => document.querySelector('#picture video')?.videoWidth == 96"
    page.wait_for_function(played)
    with page.expect_download() as download:
        page.click("#get-film")
    download.value.save_as(tmp_path / "got.mp4")
    with av.open(str(tmp_path / "got.mp4")) as film:
        assert len(list(film.decode(video=0))) == 3
    assert page.input_value("#command textarea").startswith("python -m nst_tf.video walk")


def test_second_visitor_waits_for_the_first(server, visit):
    first, second = visit(server), visit(server)
    for page in (first, second):
        set_up(page)
        page.click("#start")
        wait_for_headline(page, "Painting" if page is first else "Waiting: 1 run ahead of yours")
    assert second.is_disabled("#start")
    first.click("#stop")
    wait_for_headline(first, "Stopped")
    wait_for_headline(second, "Painting")
    second.click("#stop")
    wait_for_headline(second, "Stopped")


def test_pages_of_many_visitors_are_refreshed_less_often():
    from nst_tf.app.page import refresh_seconds

    assert [refresh_seconds(orders) for orders in (0, 1, 5, 20)] == [1, 1, 1, 4]


@contextlib.contextmanager
def watched(url):
    """Ask for the page all the time from another process; print how long the answers took."""
    command = [sys.executable, str(ROOT / "tests" / "helpers" / "watching.py"), url]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as watcher:
        yield
        seconds = json.loads(watcher.communicate("\n")[0])
    shares = [f"{np.quantile(seconds, share):.2f}" for share in (0.5, 0.95, 0.99, 1)]
    print(f"{len(seconds)} looks; seconds at 50, 95, 99 and 100 %: {', '.join(shares)}")


def yield_to_the_server():
    """Let browsers compute only while nothing else does: visitors use their own machines."""
    for process in psutil.Process().children(recursive=True):
        if "chrom" in process.name() or "node" in process.name():  # node drives the browser
            for thread in process.threads():  # each has its own policy; new ones inherit it
                os.sched_setscheduler(thread.id, os.SCHED_IDLE, os.sched_param(0))


STARTED = ("Waiting", "Painting", "Done")  # a small run may be done before the browser looks


@pytest.mark.long
def test_a_class_of_twenty_visitors_paints_twenty_pictures(server, visit):
    """All are painted; how soon the page answers meanwhile is printed."""
    finished = len(set(server.output.glob("chelsea_*/result.png")))
    yield_to_the_server()
    with watched(server.url):
        pages = [visit(server) for _ in range(20)]
        for page in pages:
            set_up(page, iterations="20", side="96")
            page.click("#start")
            page.wait_for_selector(", ".join(f"#headline p:has-text('{word}')" for word in STARTED))
        for page in pages:
            page.wait_for_selector("#headline p:has-text('Done')", timeout=4 * TIMEOUT)
    assert len(set(server.output.glob("chelsea_*/result.png"))) == finished + 20


def test_two_styles_with_a_painted_mask(server, visit, photo, tmp_path):
    page = visit(server)
    set_up(page, photo=photo, iterations="10", side="128")
    page.get_by_text("Add a style").click()
    page.locator(".samples").nth(2).locator("button").nth(2).click()
    page.get_by_label("where I paint").first.check()
    canvas = page.locator(".paint canvas").first
    page.wait_for_function("document.querySelector('.paint canvas')?.width == 720")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()

    def stroke(height):
        page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + height * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + height * box["height"], steps=3)
        page.mouse.up()

    for height in (0.2, 0.5, 0.8):
        stroke(height)
    page.get_by_label("Erase").first.check()
    stroke(0.8)
    page.get_by_label("where no other style acts").nth(1).check()
    before = len(page.requested)
    page.wait_for_timeout(3000)
    assert len(page.requested) - before < 10, "the editor sends nothing on its own"
    page.click("#start")
    wait_for_headline(page, "Done: harbour_")
    with page.expect_download() as download:
        page.click("#get-picture")
    download.value.save_as(tmp_path / "got.png")
    config = JobConfig.load(tmp_path / "got.png")
    assert len(config.style) == 2
    assert config.masks[1] == f"not:{config.masks[0]}"
    mask = np.asarray(Image.open(server.output / "uploads" / config.masks[0]).convert("L"))
    assert 0.02 < (mask > 127).mean() < 0.9
    assert mask.shape[1] / mask.shape[0] == pytest.approx(1.5, rel=0.02)
    assert mask[:, -5:].max() == 0, "the right edge was not painted"
    rows = mask[:, round(0.35 * mask.shape[1])]
    painted = [rows[round(height * len(rows))] for height in (0.2, 0.35, 0.5, 0.8)]
    assert painted == [255, 0, 255, 0], "two strokes; the third was erased"


def test_recent_run_opens_and_its_name_is_escaped(server, visit, tiny_mat):
    name = "<img src=x onerror=alert(1)>"
    run = server.output / name
    run.mkdir(parents=True)
    sample = str(ROOT / "images" / "content" / "chelsea.jpg")
    config = JobConfig(content=sample, style=(sample,), weights=str(tiny_mat))
    config.save(run / "config.json")
    Image.fromarray(make_picture(40, 60)).save(run / "result.png")
    page = visit(server)
    page.locator("#recent button").first.click()
    wait_for_headline(page, f"Run: {name}")
    assert page.locator("#headline img").count() == 0
    assert not page.is_disabled("#continue")
    shutil.rmtree(run)


def test_controls_have_labels_and_start_works_by_keyboard(server, visit):
    page = visit(server, 390, 844)
    set_up(page, iterations="5", side="128")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('input, textarea, select, button')]
        .filter(e => e.offsetParent && e.type !== 'file')
        .filter(e => !(e.labels?.length || e.ariaLabel || e.title || e.textContent.trim()
            || e.closest('[role=group], fieldset, label') || e.getAttribute('aria-labelledby')))
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert nameless == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.focus("#start")
    page.keyboard.press("Enter")
    wait_for_headline(page, "Done")


def test_password_is_required_and_shutdown_saves_the_picture(visit, tmp_path, tiny_mat):
    environment = {"NST_TF_PASSWORD": "brushes"}
    server = Server(tmp_path, tiny_mat, environment=environment)
    page = _log_in(visit, server, "wrong")
    page.get_by_text("Incorrect").first.wait_for()
    assert page.locator("#start").count() == 0
    page = _log_in(visit, server, "brushes")
    page.wait_for_selector("#headline p")
    set_up(page)
    page.click("#start")
    wait_for_headline(page, "Painting")
    wait_for_pictures(page, 2)
    status, log = server.stop()
    assert status == 0
    assert "stopping: an active run is stopped and its picture is saved" in log
    assert "Traceback" not in log
    assert (next(server.output.glob("chelsea_*")) / "result.png").exists()
    assert not server.connections.exists(), "the program asks nobody: no telemetry, no version"


def _log_in(visit, server, password):
    page = visit(server, ready="input[type=password]")
    page.locator("input:not([type=password])").first.fill("ann")
    page.locator("input[type=password]").fill(password)
    page.get_by_role("button", name="Login").click()
    return page


def test_restarted_page_shows_the_interrupted_run(visit, tmp_path, tiny_mat):
    server = Server(tmp_path, tiny_mat)
    page = visit(server)
    set_up(page)
    page.click("#start")
    wait_for_pictures(page, 2)
    server.process.kill()
    server.stop()
    restarted = Server(tmp_path, tiny_mat, port=server.port)
    page.reload()
    wait_for_headline(page, "Run: chelsea_night_strokes")
    page.click("#continue")
    wait_for_headline(page, "Painting chelsea_night_strokes")
    page.click("#stop")
    wait_for_headline(page, "Stopped")
    restarted.stop()


def fetch(url, data=None, host=None):
    """Send a request without a browser; return the status and the body."""
    request = urllib.request.Request(url, data=data and json.dumps(data).encode())
    request.add_header("Content-Type", "application/json")
    if host:
        request.add_header("Host", host)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_no_request_reads_a_file_that_was_not_uploaded(server, visit, tmp_path):
    secret = tmp_path / "secret.png"
    Image.fromarray(make_picture(40, 50, seed=77)).save(secret)
    editor = {"background": {"path": str(secret)}, "layers": [{"path": str(secret)}]}
    functions = json.loads(fetch(f"{server.url}config")[1])["dependencies"]
    before = set(server.output.glob("uploads/*"))
    for number, function in enumerate(functions):
        for value in ({"path": str(secret)}, editor):
            data = [value] * len(function["inputs"])
            body = {"fn_index": number, "data": data, "session_hash": "x"}
            status, response = fetch(f"{server.url}gradio_api/run/predict", body)
            assert b"secret-" not in response
            assert status >= 400 or not function["inputs"], function
    assert set(server.output.glob("uploads/*")) == before
    for path in (secret, "/etc/passwd", ROOT / "README.md", server.output / "../asked.txt"):
        assert fetch(f"{server.url}gradio_api/file={path}")[0] >= 400


def test_local_page_rejects_other_host_names(server):
    assert fetch(server.url)[0] == 200
    assert fetch(server.url, host="evil.example")[0] == 400


def test_port_in_use_is_reported(server, tmp_path, tiny_mat, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["--port", str(server.port), "--weights", str(tiny_mat)]) == 2
    assert f"port {server.port} of 127.0.0.1 is not available" in capsys.readouterr().err
