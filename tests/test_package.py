"""The wheel: its contents, and that it works without the checkout."""

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
    """Build and unpack a wheel; return the directory."""
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


def run_python(installed, folder, *arguments):
    """Run Python with the package from the wheel; return the finished process."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    options = {"cwd": folder, "env": environment, "capture_output": True, "text": True}
    return subprocess.run([sys.executable, *arguments], **options)


def test_wheel_has_every_file_of_the_package(installed):
    files = [path.relative_to(ROOT) for path in (ROOT / "nst_tf").rglob("*") if path.is_file()]
    wanted = {path for path in files if "__pycache__" not in path.parts}
    samples = {"content/chelsea.jpg", "style/night_strokes.jpg"}
    wanted |= {Path("nst_tf/samples", name) for name in samples}
    found = {path.relative_to(installed) for path in installed.rglob("*") if path.is_file()}
    assert {path for path in found if path.parts[0] == "nst_tf"} == wanted


def test_wheel_has_license_and_credits(installed):
    (licenses,) = installed.glob("*.dist-info/licenses")
    for name in ("LICENSE", "images/CREDITS.md"):
        assert (licenses / name).read_bytes() == (ROOT / name).read_bytes()


def test_console_script_is_callable(installed):
    (file,) = installed.glob("*.dist-info/entry_points.txt")
    entries = ConfigParser()
    entries.read(file)
    module, _, name = entries["console_scripts"]["nst-tf"].partition(":")
    assert callable(getattr(import_module(module), name))


def test_installed_package_finds_samples_by_name(installed, tmp_path):
    code = "import nst_tf.samples as s; print(s.SAMPLES, *s.BY_NAME)"
    process = run_python(installed, tmp_path, "-c", code)
    samples = installed / "nst_tf" / "samples"
    assert process.stdout.split() == [str(samples), "chelsea", "night_strokes"], process.stderr


@pytest.mark.slow
def test_installed_package_paints_the_sample_pair(installed, tmp_path):
    process = run_python(installed, tmp_path, "-m", "nst_tf", "--size", "48", "--iterations", "1")
    assert process.returncode == 0, process.stderr
    assert (tmp_path / "output" / "chelsea_night_strokes" / "result.png").is_file()
