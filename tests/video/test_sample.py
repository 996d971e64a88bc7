"""The sample clip: its true motion moves one frame onto the next, except where it says so."""

import numpy as np
import pytest

from nst_tf.video.flicker import flicker, warping_error
from nst_tf.video.flow import warp
from nst_tf.video.sample import sample_clip


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
