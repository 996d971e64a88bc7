"""The package does not run, unpickle or download anything that a file names."""

import ast
import socket
from pathlib import Path

import numpy as np
import pytest
from mat_files import tiny_vgg, write_keras
from PIL import Image
from squeezenet_files import tiny_squeezenet, write_npz

import nst_tf
from nst_tf.image.io import read_picture
from nst_tf.models import load_model

PACKAGE = Path(nst_tf.__file__).parent
FORBIDDEN_MODULES = {  # name -> files that may import it
    **dict.fromkeys(("pickle", "cPickle", "dill", "shelve", "marshal", "joblib", "yaml"), ()),
    "subprocess": ("films.py",),  # the page starts nst_tf.app.film_program, without a shell
    **dict.fromkeys(("ctypes", "importlib.machinery", "runpy", "code"), ()),
    **dict.fromkeys(("urllib.request", "http", "ftplib", "smtplib", "xmlrpc"), ()),
    "socket": ("on_ray.py",),  # checks that the cluster at --address is reachable
    # Only `weights fetch NAME` downloads, from URLs in the package or on the command line.
    **dict.fromkeys(("requests", "pooch"), ("download.py",)),
}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
FORBIDDEN_METHODS = {  # of any object: tf.keras.models.load_model can run code from a file
    *("system", "popen", "execv", "execvp", "spawnv", "startfile", "load_weights"),
    *("fromstring", "read_pickle", "extractall", "extract", "import_module"),
}


def calls(file):
    """Yield (name, node) of each call in a file: "eval", or ".load" for a method."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id, node
            elif isinstance(node.func, ast.Attribute):
                yield f".{node.func.attr}", node


def imports(file):
    """Yield the modules that a file imports, and the names imported from them."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: file.stem)
def test_no_forbidden_imports_or_calls(file):
    for module in imports(file):
        for forbidden, allowed in FORBIDDEN_MODULES.items():
            if module == forbidden or module.startswith(forbidden + "."):
                assert file.name in allowed, f"{file.name} imports {module}"
    for name, node in calls(file):
        assert name not in FORBIDDEN_CALLS, f"{file.name}:{node.lineno} calls {name}"
        assert name.removeprefix(".") not in FORBIDDEN_METHODS or not name.startswith("."), (
            f"{file.name}:{node.lineno} calls {name}"
        )
        options = {keyword.arg: keyword.value for keyword in node.keywords}
        assert "shell" not in options, f"{file.name}:{node.lineno} starts a shell"
        if "allow_pickle" in options:
            assert options["allow_pickle"].value is False, f"{file.name}:{node.lineno} unpickles"


def test_arrays_and_pictures_are_read_by_checked_readers():
    for file in PACKAGE.rglob("*.py"):
        for name, node in calls(file):
            location = f"{file.name}:{node.lineno}"
            if name == ".loadmat":  # after `check_matlab`
                assert file.name == "matconvnet.py", f"{location} reads MATLAB files"
            if name == ".load" and getattr(node.func.value, "id", "") in ("np", "numpy"):
                assert file.name == "npz.py", f"{location} loads arrays"
            if name == ".open" and getattr(node.func.value, "id", "") == "Image":
                assert "formats" in {keyword.arg for keyword in node.keywords}, (
                    f"{location} opens any format"
                )


@pytest.fixture
def no_network(monkeypatch):
    def connect(*_, **__):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)


def test_reading_does_not_use_the_network(tmp_path, tiny_mat, no_network):
    write_keras(tmp_path / "vgg.h5", tiny_vgg(16))
    write_npz(tmp_path / "squeezenet.npz", tiny_squeezenet())
    for path in (tiny_mat, tmp_path / "vgg.h5", tmp_path / "squeezenet.npz"):
        load_model(path)
    for name in ("a.png", "a.jpg", "a.webp", "a.tif"):
        Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / name)
        assert read_picture(tmp_path / name).shape == (40, 40, 3)
