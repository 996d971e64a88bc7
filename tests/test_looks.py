"""The figures of how a picture looks: clipping, frame, speckle, seams."""

import numpy as np
import pytest

from benchmarks.looks import border_ratio, clipped_share, seam_ratio, speckle

NOISE = np.random.default_rng(0).integers(40, 200, (384, 512, 3)).astype(np.float64)
LEVEL = (132, 176)  # blocks of 16 pixels, 46.5 pixels of the picture


def test_pixels_at_either_end_count_as_clipped():
    picture = np.full((10, 10, 3), 128)
    picture[0, :, 0], picture[1, :5, 2] = 0, 255
    assert clipped_share(picture) == 0.15


def test_a_rough_frame_and_a_picture_finer_than_its_style_are_found():
    smooth = np.full((64, 64, 3), 100.0)
    framed = smooth.copy()
    framed[:8] = NOISE[:8, :64]
    assert border_ratio(framed) > 10 > border_ratio(NOISE)
    assert speckle(NOISE, NOISE) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_straight_step_on_a_block_border_is_a_seam(axis):
    at = round(6 * 16 * NOISE.shape[axis] / LEVEL[axis])
    seam = NOISE.copy()
    seam[(slice(None),) * axis + (slice(at, None),)] += 40
    assert seam_ratio(NOISE, LEVEL) == pytest.approx(1, abs=0.3)
    assert seam_ratio(seam, LEVEL) > 3


def test_a_straight_step_elsewhere_is_not():
    step = NOISE.copy()
    step[:, 6 * 16 * 512 // 176 + 23 :] += 40  # in the middle of a block
    assert seam_ratio(step, LEVEL) < 1.3
