"""The lessons, run once each in quick mode, without a network."""

import importlib.util
import os
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def module(path):
    """Import a file that belongs to no package."""
    spec = importlib.util.spec_from_file_location(f"lessons_{path.stem}", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


build = module(ROOT / "notebooks" / "build.py")
LESSONS = build.names()
# Nobody answers there: what reaches for the network fails at once.
NOWHERE = dict.fromkeys(["http_proxy", "https_proxy", "all_proxy"], "http://127.0.0.1:9")


class Timed:
    """Seconds of a lesson's cells, by number from 1."""

    def __init__(self, notebook, seconds):
        self.notebook = notebook
        self.seconds = seconds


def run(notebook):
    """Run a notebook in quick mode, timed cell by cell."""
    seconds, began = {}, {}

    def before(cell, cell_index):
        began[cell_index] = time.perf_counter()

    def after(cell, cell_index, execute_reply):
        seconds[cell_index + 1] = time.perf_counter() - began[cell_index]

    build.execute(notebook, "quick", on_cell_execute=before, on_cell_executed=after)
    return Timed(notebook, seconds)


@pytest.fixture(scope="session", autouse=True)
def offline():
    """Send everything that would leave the machine nowhere."""
    before = {name: os.environ.get(name) for name in NOWHERE}
    os.environ.update(NOWHERE)
    yield
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="session", params=LESSONS)
def lesson(request):
    """Each lesson in turn: its name, the notebook with outputs, its cells' times."""
    timed = run(build.read_source(request.param))
    return request.param, timed.notebook, timed.seconds
