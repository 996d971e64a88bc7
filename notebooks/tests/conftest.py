"""The lessons, run once each in quick mode, without a network."""

import functools
import importlib.util
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
def surroundings(worker_id):
    """Send everything that would leave the machine nowhere; two workers take a core each."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in NOWHERE.items():
            patch.setenv(name, value)
        if worker_id != "master":
            patch.setenv("TF_NUM_INTRAOP_THREADS", "1")
            patch.setenv("OMP_NUM_THREADS", "1")
        yield


@functools.cache
def executed(name):
    """Return a lesson, run once for all tests that look at it."""
    return run(build.read_source(name))


def pytest_terminal_summary(terminalreporter):
    """Print what tests recorded as "said": times are printed, not asserted."""
    for passed in terminalreporter.stats.get("passed", []):
        for name, value in passed.user_properties:
            if name == "said" and passed.when == "call":
                terminalreporter.write_line(value)
