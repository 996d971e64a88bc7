"""Time-lapse files: their frames, and errors that are raised before the run."""

import errno
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from nst_tf.config import FILMS
from nst_tf.errors import ConfigError
from nst_tf.report import timelapse
from nst_tf.report.timelapse import SIDES, save_timelapse


@pytest.fixture
def frames(tmp_path):
    """Return paths of pictures of odd size, from dark to bright."""
    paths = [tmp_path / f"{number:06d}.png" for number in range(4)]
    for number, path in enumerate(paths):
        Image.fromarray(np.full((51, 67, 3), 60 * number + 20, np.uint8)).save(path)
    return paths


@pytest.mark.parametrize("kind", SIDES)
def test_timelapse_has_all_pictures_in_order(frames, tmp_path, kind):
    path = save_timelapse(frames, tmp_path / f"film.{kind}")
    plugin = "pyav" if kind == "mp4" else "pillow"
    levels = [float(frame.mean()) for frame in iio.imiter(path, plugin=plugin)]
    np.testing.assert_allclose(levels[:4], [20, 80, 140, 200], atol=6)
    assert levels == sorted(levels) or kind != "gif"
    assert all(abs(level - 200) < 6 for level in levels[4:]), "the last one stays"


def test_large_pictures_are_downsized(tmp_path):
    Image.fromarray(make_picture(900, 1500)).save(tmp_path / "000001.png")
    path = save_timelapse([tmp_path / "000001.png"], tmp_path / "film.gif")
    with Image.open(path) as film:
        assert max(film.size) == SIDES["gif"]


def test_mp4_without_pyav_is_rejected_before_the_run(job, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "av", None)  # as if it were not installed
    assert job("--animate", "mp4", "--output", "film") == 2
    assert "pip install -r requirements-video.txt" in capsys.readouterr().err
    assert not Path("film").exists()


@pytest.mark.parametrize(
    "error",
    [
        "ImportError('libavcodec.so.61: cannot open')",
        "OSError('libavcodec.so.61: cannot open')",
        "ValueError('numpy.dtype size changed')",
    ],
)
def test_broken_pyav_is_rejected_before_the_run(job, tmp_path, monkeypatch, capsys, error):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "av.py").write_text(f"raise {error}")
    monkeypatch.syspath_prepend(tmp_path / "broken")
    monkeypatch.delitem(sys.modules, "av", raising=False)
    assert job("--animate", "mp4", "--output", "film") == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "PyAV, which is installed but fails to import (" in line
    assert error.split("'")[1] in line
    assert "pip install --force-reinstall -r requirements-video.txt" in line
    assert not Path("film").exists()


def test_run_writes_timelapse(job):
    assert job("--animate", "gif", "--output", "film") == 0
    with Image.open("film/timelapse.gif") as film:
        assert film.n_frames == 3
    assert job("--animate", "webp", "--output", "film", "--overwrite") == 0
    assert not Path("film/timelapse.gif").exists()


def test_timelapse_without_saved_pictures_raises(job, tmp_path, capsys):
    assert job("--animate", "gif", "--save-every", "0") == 2
    assert "`save_every` is 0" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="no saved pictures"):
        save_timelapse([], tmp_path / "film.gif")


@pytest.mark.parametrize(
    "options",
    [
        ["--iterations", 0],
        ["--beta", 0, "--tv-weight", 0, "--optimizer", "lbfgs"],  # converged at the start
    ],
)
def test_run_without_saved_picture_writes_no_timelapse(job, capsys, options):
    assert job(*options, "--animate", "gif", "--output", "still") == 0
    assert "no intermediate pictures were saved: no time-lapse" in capsys.readouterr().out
    assert Path("still/report.html").exists()
    assert not Path("still/timelapse.gif").exists()


def test_fewer_iterations_than_save_every_give_one_frame(job):
    assert job("--save-every", 50, "--animate", "gif", "--output", "short") == 0
    with Image.open("short/timelapse.gif") as film:
        assert film.n_frames == 1


def test_report_is_written_if_timelapse_fails(job, monkeypatch, capsys):
    def raise_disk_full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(timelapse, "_save_pages", raise_disk_full)
    assert job("--animate", "gif", "--output", "full") == 2
    assert "timelapse.gif: No space left on device" in capsys.readouterr().err.splitlines()[-1]
    assert Path("full/report.html").exists()


def test_command_line_offers_every_format():
    assert set(FILMS) == set(SIDES)
