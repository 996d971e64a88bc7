"""The sample clip: its true motion moves one frame onto the next, except where it says so."""

import numpy as np
import pytest
from PIL import Image

from nst_tf.video.flicker import flicker, warping_error
from nst_tf.video.flow import warp
from nst_tf.video.sample import main, sample_clip


@pytest.fixture(scope="module")
def clip():
    return sample_clip(4, (90, 128))


def test_true_motion_explains_every_pixel_that_is_not_hidden(clip):
    assert [frame.shape for frame in clip.frames] == [(90, 128, 3)] * 4
    for before, frame, motion in zip(clip.frames, clip.frames[1:], clip.motions):
        np.testing.assert_array_equal(
            warp(before, motion.backward)[~motion.hidden], frame[~motion.hidden]
        )
        assert 0.02 < motion.hidden.mean() < 0.2


def test_object_hides_and_uncovers(clip):
    inner = clip.motions[0].hidden[5:-5, 5:-5]
    assert inner.any(), "behind the object"
    assert len(np.unique(clip.motions[0].backward.reshape(-1, 2), axis=0)) == 2


def test_flicker_is_the_error_in_gray_levels_where_nothing_is_hidden(clip):
    np.testing.assert_array_equal(flicker(clip.frames, clip.motions), 0)
    noisy = [clip.frames[0], clip.frames[1].astype(float) + 7]
    assert warping_error(*noisy, clip.motions[0]) == pytest.approx(7)
    spoiled = clip.frames[1].copy()
    spoiled[clip.motions[0].hidden] = 255
    assert warping_error(clip.frames[0], spoiled, clip.motions[0]) == 0


def test_command_writes_the_frames(tmp_path, capsys):
    folder = tmp_path / "clip"
    assert main([str(folder), "--frames", "3", "--size", "96x54"]) == 0
    frames = sample_clip(3, (54, 96)).frames
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["0001.png", "0002.png", "0003.png"]
    for name, frame in zip(names, frames):
        np.testing.assert_array_equal(np.asarray(Image.open(folder / name)), frame)
    assert main([str(folder)]) == 2
    assert "exists; a new directory was expected" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--size", "max:300", "--size is max:300; a size such as 320x180 was expected"),
        ("--size", "300", "--size is 300; a size such as"),
        ("--frames", "0", "--frames is 0; 1 to 500 was expected"),
    ],
)
def test_command_refuses_other_values(tmp_path, capsys, option, value, message):
    assert main([str(tmp_path / "clip"), option, value]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "clip").exists()
