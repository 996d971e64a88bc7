"""Runs that are killed without a warning, at random moments, come to the same end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).with_name("killing.py")


def killed(folder, kills, seed):
    """Return what the harness saw."""
    command = [sys.executable, str(HARNESS), str(folder), str(kills), str(seed)]
    surroundings = {**os.environ, "PYTHONPATH": str(HARNESS.parents[1])}
    ended = subprocess.run(command, capture_output=True, text=True, env=surroundings, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout.splitlines()[-1])


def test_killed_once_the_picture_is_the_same(tmp_path):
    found = killed(tmp_path, 1, seed=1)
    assert found["kills"] == 1


@pytest.mark.long
def test_killed_forty_times_the_pictures_are_the_same(tmp_path, record_property):
    found = killed(tmp_path, 40, seed=0)
    assert found["kills"] == 40
    assert sum(iteration > 0 for iteration in found["gone_on_from"]) > 10, "few checkpoints"
    record_property("said", json.dumps(found))
