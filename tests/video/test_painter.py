"""What a frame is compared with and begins as, by the frames that it links to."""

import numpy as np
import pytest

from nst_tf.video.flow import Motion
from nst_tf.video.painter import follow, found_again


def motion(hidden=(), boundary=()):
    """Return the motion of a row of five pixels that does not move."""
    marks = np.zeros((2, 1, 5), bool)
    marks[0, 0, list(hidden)] = marks[1, 0, list(boundary)] = True
    return Motion(np.zeros((1, 5, 2), np.float32), *marks)


def row(value):
    return np.full((1, 1, 5, 3), value, np.float32)


def test_each_pixel_follows_the_nearest_frame_that_shows_it():
    """Ruder et al. 2016: c_long of a farther frame is 0 where a nearer one counts."""
    motions = [motion(hidden=[0, 1], boundary=[2]), motion(hidden=[0], boundary=[3])]
    followed, start = follow([row(10), row(20)], motions, {"content_image": row(99)})
    assert start[0, 0, :, 0].tolist() == [99, 20, 10, 10, 10]
    assert followed.weight[0, 0, :, 0].numpy().tolist() == [0, 1, 1, 1, 1]
    assert followed.image[0, 0, 1:, 0].numpy().tolist() == [20, 20, 10, 10]


def test_second_pass_starts_halfway_between_its_own_image_and_the_neighbor():
    """Ruder et al. 2016, "Multi-pass algorithm"; what the neighbor does not show stays."""
    motions = [motion(hidden=[0], boundary=[1])]
    followed, start = follow([row(10)], motions, {"content_image": row(99)}, own=row(40))
    assert start[0, 0, :, 0].tolist() == [40, 25, 25, 25, 25]
    assert followed.image[0, 0, :, 0].numpy().tolist() == [40, 40, 10, 10, 10]
    assert followed.weight[0, 0, :, 0].numpy().tolist() == [0, 0, 1, 1, 1]
    _, start = follow([], [], {"content_image": row(99)}, own=row(40))
    assert (start == 40).all()


def test_pixels_of_other_colors_are_not_found_again():
    earlier, frame = (np.zeros((1, 5, 3), np.uint8) for _ in range(2))
    frame[0, 3:] = 255
    assert found_again(earlier, frame, motion(hidden=[0])) == pytest.approx(2 / 5)
