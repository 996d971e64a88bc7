"""The benchmark of a GPU runs to its end where there is none."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
