"""Starting without packages, in an old Python, or by the path of a file."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nst_tf.cli import reported
from nst_tf.requirements import MODULES

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ["run", "grid", "doctor", "report", "batch", "app", "video", "weights"]
AS_COMMAND = "import sys; sys.argv = ['-m']\n"


def started(*arguments):
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("package", ["lazy-loader", "Pillow", "tensorflow"])
def test_command_without_a_package_prints_one_line(package):
    hide = f"sys.modules[{MODULES[package]!r}] = None\n"
    done = started("-c", f"{AS_COMMAND}{hide}import nst_tf")
    [line] = done.stderr.splitlines()
    assert done.returncode == 2
    assert f" lacks {package}; `python -m pip install -r requirements.txt`" in line


def test_import_without_packages_raises():
    done = started("-c", "import sys; sys.modules['scipy'] = None\nimport nst_tf")
    last_line = done.stderr.splitlines()[-1]
    assert re.match(r"ModuleNotFoundError: .* lacks scipy; ", last_line)


def test_package_that_is_imported_late_is_named(capsys):
    assert reported(lambda: importlib.import_module("no_such_package")) == 2
    assert " lacks no_such_package; `python -m pip" in capsys.readouterr().err
    with pytest.raises(ModuleNotFoundError):
        reported(lambda: importlib.import_module("nst_tf.no_such_module"))


def test_old_python_prints_one_line():
    done = started("-c", f"{AS_COMMAND}sys.version_info = (3, 9, 1)\nimport nst_tf")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "is Python 3.9.1; nst_tf needs Python 3.11, 3.12 or 3.13" in done.stderr


def test_modules_are_those_of_the_requirements():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    required = {re.match(r"[\w-]*", line)[0] for line in lines} - {""}
    optional = {"jupyter", "jupyterlab", "ipykernel", "ipywidgets", "matplotlib"}
    assert required - set(MODULES) == optional
    assert set(MODULES) <= required


@pytest.mark.parametrize("command", COMMANDS)
def test_file_of_a_command_names_the_command(command):
    file = ROOT / "nst_tf" / f"{command}.py"
    done = started(str(file if file.exists() else ROOT / "nst_tf" / command / "__main__.py"), "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"nst_tf: start it as `python -m nst_tf.{command}`\n"
