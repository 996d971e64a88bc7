"""The peers' own environment, made when it is first needed."""

import os
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
SHOWN = 300  # characters of what pip said


class Unavailable(Exception):
    """The peers can't be installed; the message says why."""


def peers_python(parent):
    """Return the Python of the environment ``parent/.venv``, installed if need be."""
    place = Path(parent) / ".venv"
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = place / "installed"
    if not done.exists() or done.stat().st_mtime < REQUIREMENTS.stat().st_mtime:
        print(f"installing the peers into {place} ...", flush=True)
        _run(sys.executable, "-m", "venv", str(place))
        _run(str(python), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS))
        done.touch()
    return python


def _run(*command):
    told = subprocess.run(command, capture_output=True, text=True)
    if told.returncode:
        raise Unavailable(f"{' '.join(command[1:4])}: {_reason(told.stdout + told.stderr)}")


def _reason(said):
    """Return pip's last error, or its last line, cut to a readable length."""
    lines = [line for line in said.splitlines() if line.strip()] or ["no reason given"]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines
    return errors[-1][:SHOWN]
