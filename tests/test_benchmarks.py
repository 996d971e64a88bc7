"""The benchmark of a GPU where there is none, and estimates beside runs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.parts import estimate

ROOT = Path(__file__).resolve().parents[1]


def run_benchmark(tmp_path, *options):
    """Return what `python -m benchmarks --device gpu` prints and its figures, without a GPU."""
    file = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks", "--device", "gpu", "--json", file, *options]
    options = {"cwd": ROOT, "env": {**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}}
    done = subprocess.run(list(map(str, command)), **options, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(file.read_text())["parts"]["gpu"]


def test_gpu_benchmark_says_that_there_is_none(tmp_path):
    printed, part = run_benchmark(tmp_path)
    assert "TensorFlow sees no GPU here" in printed
    assert part["figures"] == []
    assert part["skipped"] == {"all": "there is no GPU; --quick rehearses it on the CPU"}


@pytest.mark.slow
def test_gpu_benchmark_is_rehearsed_on_the_cpu(tmp_path):
    printed, part = run_benchmark(tmp_path, "--quick")
    assert "this rehearsal on the CPU says nothing about one" in printed
    assert part["skipped"] == {}
    names = " ".join(figure["name"] for figure in part["figures"])
    for figure in (
        *("mixed adam", "float32 XLA adam", "to the first update", "convolutions alone"),
        *("lbfgs-fixed / adam", "default job 2, the whole command"),
    ):
        assert figure in names
    assert all(figure["value"] > 0 for figure in part["figures"])
    (pictures,) = (f for f in part["figures"] if f["name"] == "pictures of the same command")
    assert pictures["value"] == 1


class Told:
    """A worker whose runs take half of what was told, at 64 pixels twice as long."""

    def __init__(self, name, module, given):
        assert set(given) == {"content", "style"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def ready(self):
        return {}

    def ask(self, *, size, iterations, **knobs):
        took = {"64": 20.0, "128": 5.0}[size]
        return {"told": "about 0:10 min", "usual": 10.0, "took": took}


def test_estimates_are_compared_with_runs(monkeypatch):
    monkeypatch.setattr(estimate, "Worker", Told)
    given = {"estimated_sizes": ["64", "128"], "estimated_iterations": 200, "estimated_rounds": 3}
    part = estimate.measure(SimpleNamespace(**given))
    ratios = {figure.name: figure.value for figure in part.figures}
    assert ratios["default, 64"] == 0.5
    assert ratios["tutorial, float32, 128"] == 2
    assert ratios["the worst of them"] == pytest.approx(2)
    assert not part.figures[-1].met
    assert len(part.raw["default, 64"]) == 3
