"""Bad input, at scale: an error in one line or a right result, in time and little memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).with_name("fuzzing.py")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the harness forks")


def surveyed(folder, cases, seed, *kinds):
    """Return the figures of so many damaged files; the harness fails where one ends badly."""
    command = [sys.executable, str(HARNESS), str(folder), str(cases), str(seed), *kinds]
    surroundings = {**os.environ, "PYTHONPATH": str(HARNESS.parents[1])}
    ended = subprocess.run(command, capture_output=True, text=True, env=surroundings, check=False)
    assert ended.returncode == 0, ended.stderr[-5000:] + ended.stdout[-1000:]
    return json.loads(ended.stdout.splitlines()[-1])


def test_some_hundred_damaged_files_end_in_an_error_or_a_right_result(tmp_path):
    found = surveyed(tmp_path, 300, 0)
    assert found["files"] >= 300
    assert found["errors"] > found["files"] / 2


@pytest.mark.long
def test_thousands_do(tmp_path, record_property, capsys):
    found = surveyed(tmp_path, 5000, 1)
    assert found["files"] >= 2000
    with capsys.disabled():
        print(json.dumps(found, indent=1))
    record_property("said", json.dumps(found))
