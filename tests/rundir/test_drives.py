"""Drives without permissions, fsync, locks or removal of files, and two runs in one directory."""

import errno
import json
import multiprocessing
import os
import platform
import signal
from pathlib import Path

import pytest
from PIL import Image

from nst_tf import ConfigError
from nst_tf.errors import Busy
from nst_tf.files import atomic_file
from nst_tf.run import main
from nst_tf.rundir.layout import LOCK, OWNER, locked

fcntl = pytest.importorskip("fcntl")
NOT_SUPPORTED = [errno.EPERM, errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EROFS]


@pytest.fixture
def broken(monkeypatch):
    """Return a function that makes a function raise OSError."""

    def break_(target, number, *, only=lambda *_: True):
        owner, _, name = target.rpartition(".")
        owner = {"os": os, "fcntl": fcntl, "Path": Path}[owner]
        original = getattr(owner, name)

        def raise_error(*arguments, **options):
            if only(*arguments):
                raise OSError(number, os.strerror(number))
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, raise_error)

    return break_


@pytest.mark.parametrize("number", NOT_SUPPORTED)
@pytest.mark.parametrize("target", ["os.chmod", "os.fsync", "fcntl.flock", "Path.unlink"])
def test_file_is_written_on_a_drive_without(target, number, broken, tmp_path):
    (tmp_path / "a.txt").write_text("earlier")
    broken(target, number)
    with atomic_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "a.txt").read_text() == "new"
    with locked(tmp_path):
        pass


@pytest.mark.parametrize("target", ["os.chmod", "os.fsync", "fcntl.flock", "Path.unlink"])
def test_run_and_resume_on_a_drive_without(target, job, broken):
    broken(target, errno.EPERM, only=lambda *arguments: OWNER not in str(arguments[0]))
    assert job("--output", "here", "--checkpoint-every", "0") == 0
    with Image.open("here/result.png") as picture:
        picture.load()
    finished = json.loads(Path("here/journal.json").read_text())
    assert finished["finished"]["iterations"] == 6
    assert main(["--resume", "here"]) == 0


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_lost_data_is_an_error(number, broken, tmp_path):
    broken("os.fsync", number)
    with (
        pytest.raises(OSError, match=os.strerror(number)),
        atomic_file(tmp_path / "a") as temporary,
    ):
        temporary.write_text("new")
    assert not list(tmp_path.iterdir())


def hold(folder, entered):
    with locked(folder):
        entered.set()
        signal.pause()


@pytest.fixture
def holder(tmp_path):
    """Return a function that starts a process that holds the lock of a directory."""
    context = multiprocessing.get_context("fork")  # it inherits the broken functions
    entered = context.Event()
    process = context.Process(target=hold, args=(tmp_path, entered), daemon=True)

    def start():
        process.start()
        assert entered.wait(60)
        return process

    yield start
    process.kill()
    process.join()


@pytest.mark.parametrize("number", NOT_SUPPORTED)
def test_two_runs_cannot_share_a_directory_without_locks(number, broken, holder, tmp_path):
    broken("fcntl.flock", number)
    process = holder()
    message = rf"another run is using .* \(process {process.pid} on {platform.node()}\)"
    with pytest.raises(Busy, match=message), locked(tmp_path):
        pass
    process.kill()
    process.join()
    message = f"if that process no longer runs, remove .*{OWNER}"
    with pytest.raises(Busy, match=message), locked(tmp_path):
        pass
    (tmp_path / OWNER).unlink()
    with locked(tmp_path):
        assert (tmp_path / OWNER).exists()
    assert [file.name for file in tmp_path.iterdir()] == [LOCK]


def test_process_with_locks_respects_one_without(tmp_path):
    (tmp_path / OWNER).write_text("process 7 on elsewhere")
    with pytest.raises(Busy, match="process 7 on elsewhere"), locked(tmp_path):
        pass


def test_overwrite_names_the_file_that_cannot_be_removed(job, broken, capsys):
    assert job("--output", "here", "--iterations", "0") == 0
    broken("Path.unlink", errno.EROFS, only=lambda path: path.name == "result.png")
    capsys.readouterr()
    assert job("--output", "here", "--overwrite", "--iterations", "0") == 2
    error = capsys.readouterr().err
    assert "here/result.png of an earlier run can't be removed (Read-only file system)" in error
    assert "choose another --output" in error
    assert issubclass(Busy, ConfigError)
