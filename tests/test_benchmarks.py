"""The benchmark of a GPU where there is none, estimates compared with runs, memory of methods."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.parts import estimate, methods
from benchmarks.workers import WorkerFailed

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
    """A worker whose runs take half of the estimated time, at 64 pixels twice as long."""

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


@pytest.mark.slow
def test_methods_are_rehearsed_small_and_held_against_their_bar():
    part = methods.measure(SimpleNamespace(method_size="48"))
    assert part.skipped == {}
    figures = {figure.name: figure for figure in part.figures}
    assert set(figures) == {"nnst", "memory of nnst", "strotss", "memory of strotss"}
    assert all(0 < figures[f"memory of {name}"].value < 8 for name in methods.PRESETS)
    assert all(figures[f"memory of {name}"].met for name in methods.PRESETS)


class Hungry(Told):
    """A worker that needs more memory than is allowed; one that ends."""

    def __init__(self, name, module, given):
        self.name = name

    def ask(self, *, preset, size, style_size, iterations):
        if preset == "strotss":
            raise WorkerFailed("it ended: no memory")
        assert (size, style_size) == ("512", "512")
        return {"took": 9.0, "peak_gib": 8.5}


def test_memory_of_methods_has_a_ceiling(monkeypatch):
    monkeypatch.setattr(methods, "Worker", Hungry)
    part = methods.measure(SimpleNamespace(method_size="512"))
    assert [(figure.value, figure.met) for figure in part.figures] == [(9.0, None), (8.5, False)]
    assert part.skipped == {"strotss": "it ended: no memory"}
