"""Twelve small jobs: one command each, one batch, and a batch by one and by two workers of Ray."""

import importlib.util
import itertools
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.place import ROOT
from benchmarks.report import Part, ratio

CONTENTS = ("chelsea", "coffee", "astronaut")
STYLES = ("waves", "woodcut", "watercolour", "cubist")
RAY = ["--engine", "ray", "--cpus", "1", "--workers"]
WAYS = {"batch": [], "batch, 1 worker": [*RAY, "1"], "batch, 2 workers": [*RAY, "2"]}


def measure(options):
    """Time whole commands, program start included; a round goes from way to way."""
    small = ["--size", options.batch_size, "--iterations", str(options.batch_iterations)]
    part = Part("batch", f"twelve jobs of {' '.join(small)}, seconds in all")
    ways = dict(WAYS)
    if importlib.util.find_spec("ray") is None:
        part.skipped["Ray"] = "requirements-cluster.txt is not installed"
        ways = {"batch": []}
    seen = {name: [] for name in ["one command each", *ways]}
    for _ in range(options.batch_rounds):
        with TemporaryDirectory() as place:
            seen["one command each"].append(_one_by_one(Path(place), small))
            for number, (name, more) in enumerate(ways.items()):
                output = ["--output", str(Path(place) / f"batch{number}")]
                seen[name].append(_timed("nst_tf.batch", [*_pairs(), *small, *output, *more]))
    for name, times in seen.items():
        part.add(name, statistics.median(times), "s")
    part.add("batch / one command each", ratio(seen["batch"], seen["one command each"]), "x")
    if len(ways) > 1:
        part.add(
            "2 workers / 1 worker", ratio(seen["batch, 2 workers"], seen["batch, 1 worker"]), "x"
        )
    part.raw |= seen
    return part


def _one_by_one(place, small):
    return sum(
        _timed("nst_tf.run", [content, style, *small, "--output", str(place / str(number))])
        for number, (content, style) in enumerate(itertools.product(_contents(), _styles()))
    )


def _pairs():
    return ["--content", *_contents(), "--style", *_styles()]


def _contents():
    return [f"images/content/{name}.jpg" for name in CONTENTS]


def _styles():
    return [f"images/style/{name}.jpg" for name in STYLES]


def _timed(module, words):
    began = time.perf_counter()
    command = [sys.executable, "-m", module, *words, "--quiet"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - began
