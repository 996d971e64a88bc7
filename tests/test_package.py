"""The wheel: what it holds, and that it works without the checkout."""

import os
import shutil
import subprocess
import sys
from configparser import ConfigParser
from importlib import import_module
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[1]
NEEDED = ("pyproject.toml", "requirements.txt", "README.md", "LICENSE", "images", "nst_tf")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Build a wheel and return the folder that it is unpacked in."""
    folder = tmp_path_factory.mktemp("package")
    source, target = folder / "source", folder / "installed"
    source.mkdir()
    for name in NEEDED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([sys.executable, "-m", "pip", *build, "-w", folder, source], check=True)
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def start(installed, folder, *words):
    """Run Python in a folder, with the package from the wheel; return the finished process."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    how = {"cwd": folder, "env": environment, "capture_output": True, "text": True}
    return subprocess.run([sys.executable, *words], **how)


def test_the_wheel_has_every_file_of_the_package(installed):
    files = [path.relative_to(ROOT) for path in (ROOT / "nst_tf").rglob("*") if path.is_file()]
    wanted = {path for path in files if "__pycache__" not in path.parts}
    samples = {"content/chelsea.jpg", "style/night_strokes.jpg"}
    wanted |= {Path("nst_tf/samples", name) for name in samples}
    found = {path.relative_to(installed) for path in installed.rglob("*") if path.is_file()}
    assert {path for path in found if path.parts[0] == "nst_tf"} == wanted


def test_the_wheel_has_licence_and_credits(installed):
    (licences,) = installed.glob("*.dist-info/licenses")
    for name in ("LICENSE", "images/CREDITS.md"):
        assert (licences / name).read_bytes() == (ROOT / name).read_bytes()


def test_the_command_is_that_of_run(installed):
    (file,) = installed.glob("*.dist-info/entry_points.txt")
    entries = ConfigParser()
    entries.read(file)
    module, _, name = entries["console_scripts"]["nst-tf"].partition(":")
    assert callable(getattr(import_module(module), name))


def test_the_installed_package_has_the_sample_pair_by_name(installed, tmp_path):
    code = "import nst_tf.samples as s; print(s.SAMPLES, *s.BY_NAME)"
    done = start(installed, tmp_path, "-c", code)
    samples = installed / "nst_tf" / "samples"
    assert done.stdout.split() == [str(samples), "chelsea", "night_strokes"], done.stderr


@pytest.mark.slow
def test_the_installed_package_paints_the_sample_pair(installed, tmp_path):
    done = start(installed, tmp_path, "-m", "nst_tf", "--size", "48", "--iterations", "1")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "output" / "chelsea_night_strokes" / "result.png").is_file()
