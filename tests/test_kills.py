"""Runs and batches killed at random times and resumed give the same pictures."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HELPERS = Path(__file__).parent / "helpers"


def run_harness(folder, kills, seed, harness="killing.py"):
    """Run a script of `helpers` in a subprocess and return its findings."""
    command = [sys.executable, str(HELPERS / harness), str(folder), str(kills), str(seed)]
    environment = {**os.environ, "PYTHONPATH": str(HELPERS.parents[1])}
    process = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert process.returncode == 0, process.stderr[-3000:]
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.slow
def test_run_resumes_after_one_kill(tmp_path):
    found = run_harness(tmp_path, 1, seed=1)
    assert found["kills"] == 1


@pytest.mark.long
def test_runs_resume_after_forty_kills(tmp_path, record_property):
    found = run_harness(tmp_path, 40, seed=0)
    assert found["kills"] == 40
    assert sum(iteration > 0 for iteration in found["gone_on_from"]) > 10, "few checkpoints"
    record_property("said", json.dumps(found))


@pytest.mark.slow
def test_film_resumes_after_five_kills(tmp_path):
    found = run_harness(tmp_path, 5, seed=2, harness="killing_films.py")
    assert found["kills"] == 5
    assert found["complete"] == sorted(found["complete"]), "no frame is lost"


@pytest.mark.slow
def test_twenty_signals_are_not_lost(tmp_path):
    found = run_harness(tmp_path, 20, seed=5, harness="signaling.py")
    assert found["signals"] == 20
    assert found["resumed"] > 0


@pytest.mark.long
def test_two_hundred_signals_are_not_lost(tmp_path, record_property):
    found = run_harness(tmp_path, 200, seed=6, harness="signaling.py")
    assert found["signals"] == 200
    record_property("said", json.dumps(found))


@pytest.mark.cluster
def test_batch_of_eight_resumes_after_two_kills(tmp_path):
    found = run_harness(tmp_path, 1, seed=3, harness="killing_batches.py")
    assert found["jobs"] == 8
    assert found["kills"], "it was over before it could be killed"


@pytest.mark.long
def test_batches_resume_after_repeated_kills(tmp_path, record_property):
    found = run_harness(tmp_path, 10, seed=0, harness="killing_batches.py")
    assert len(found["kills"]) >= 10
    record_property("said", json.dumps(found))
