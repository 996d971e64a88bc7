"""Runs that are killed without a warning, at random moments, come to the same end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HELPERS = Path(__file__).parent / "helpers"


def killed(folder, kills, seed, harness="killing.py"):
    """Return what the harness saw."""
    command = [sys.executable, str(HELPERS / harness), str(folder), str(kills), str(seed)]
    surroundings = {**os.environ, "PYTHONPATH": str(HELPERS.parents[1])}
    ended = subprocess.run(command, capture_output=True, text=True, env=surroundings, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.slow
def test_killed_once_the_picture_is_the_same(tmp_path):
    found = killed(tmp_path, 1, seed=1)
    assert found["kills"] == 1


@pytest.mark.long
def test_killed_forty_times_the_pictures_are_the_same(tmp_path, record_property):
    found = killed(tmp_path, 40, seed=0)
    assert found["kills"] == 40
    assert sum(iteration > 0 for iteration in found["gone_on_from"]) > 10, "few checkpoints"
    record_property("said", json.dumps(found))


@pytest.mark.cluster
def test_a_batch_of_eight_that_is_killed_twice_gives_eight_right_pictures(tmp_path):
    found = killed(tmp_path, 1, seed=3, harness="killing_batches.py")
    assert found["jobs"] == 8
    assert found["kills"], "it was over before it could be killed"


@pytest.mark.long
def test_batches_that_are_killed_again_and_again_lose_nothing(tmp_path, record_property):
    found = killed(tmp_path, 10, seed=0, harness="killing_batches.py")
    assert len(found["kills"]) >= 10
    record_property("said", json.dumps(found))
