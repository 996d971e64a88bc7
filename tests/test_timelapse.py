"""A time-lapse has every saved picture, in order, and its kind is looked at before the run."""

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from conftest import make_picture
from PIL import Image

from nst_tf import timelapse
from nst_tf.config import FILMS
from nst_tf.errors import ConfigError
from nst_tf.timelapse import SIDES, save_timelapse


@pytest.fixture
def frames(tmp_path):
    """Return pictures of odd sizes, from dark to bright."""
    paths = [tmp_path / f"{number:06d}.png" for number in range(4)]
    for number, path in enumerate(paths):
        Image.fromarray(np.full((51, 67, 3), 60 * number + 20, np.uint8)).save(path)
    return paths


@pytest.mark.parametrize("kind", SIDES)
def test_all_pictures_are_there_in_order(frames, tmp_path, kind):
    path = save_timelapse(frames, tmp_path / f"film.{kind}")
    plugin = "pyav" if kind == "mp4" else "pillow"
    levels = [float(frame.mean()) for frame in iio.imiter(path, plugin=plugin)]
    np.testing.assert_allclose(levels[:4], [20, 80, 140, 200], atol=6)
    assert levels == sorted(levels) or kind != "gif"
    assert all(abs(level - 200) < 6 for level in levels[4:]), "the last one stays"


def test_large_pictures_are_made_smaller(tmp_path):
    Image.fromarray(make_picture(900, 1500)).save(tmp_path / "000001.png")
    path = save_timelapse([tmp_path / "000001.png"], tmp_path / "film.gif")
    with Image.open(path) as film:
        assert max(film.size) == SIDES["gif"]


def test_without_pyav_an_mp4_is_refused_before_the_run(job, monkeypatch, capsys):
    monkeypatch.setattr(timelapse, "find_spec", lambda name: None)
    assert job("--animate", "mp4", "--output", "film") == 2
    assert "requirements-video.txt" in capsys.readouterr().err
    assert not Path("film").exists()


def test_a_run_makes_its_own(job):
    assert job("--animate", "gif", "--output", "film") == 0
    with Image.open("film/timelapse.gif") as film:
        assert film.n_frames == 3
    assert job("--animate", "webp", "--output", "film", "--overwrite") == 0
    assert not Path("film/timelapse.gif").exists()


def test_without_saved_pictures_there_is_none(job, tmp_path, capsys):
    assert job("--animate", "gif", "--save-every", "0") == 2
    assert "`save_every` is 0" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="no saved pictures"):
        save_timelapse([], tmp_path / "film.gif")


def test_the_command_line_offers_the_same_kinds():
    assert set(FILMS) == set(SIDES)
