"""Where the benchmark's files lie: all under output/, which git ignores."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "output" / "benchmark"


def folder(name):
    """Return a folder of results, made if need be."""
    path = OUTPUT / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def log_file(name):
    """Return where a worker's messages go."""
    return folder("logs") / (re.sub(r"\W+", "_", name) + ".log")
