"""What the command `python -m nst_tf.app` does in addition to serving the page."""

import os
import subprocess
import sys

import tensorflow as tf

from nst_tf.app.__main__ import CACHE, main, remove_stale_caches


def test_page_does_not_start_without_the_gpu_that_it_is_to_use(monkeypatch, capsys):
    # Gradio may be missing; it is needed later.
    monkeypatch.setattr("nst_tf.app.__main__.find_spec", lambda name: "found")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])
    assert main(["--device", "gpu:1"]) == 2
    assert "TensorFlow sees no GPU" in capsys.readouterr().err


def test_uploads_of_a_killed_page_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = {
        "stale": f"{CACHE}{ended.pid}-abc",
        "active": f"{CACHE}{os.getpid()}-abc",
        "other": f"{CACHE}mine-abc",
    }
    for name in names.values():
        (tmp_path / name / "picture").mkdir(parents=True)
    remove_stale_caches()
    assert {folder.name for folder in tmp_path.iterdir()} == {names["active"], names["other"]}
