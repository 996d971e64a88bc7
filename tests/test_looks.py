"""Metrics of picture quality: clipping, border, speckle and seams."""

import numpy as np
import pytest

from benchmarks.looks import border_ratio, clipped_share, seam_ratio, speckle

NOISE = np.random.default_rng(0).integers(40, 200, (384, 512, 3)).astype(np.float64)
LEVEL = (132, 176)  # blocks of 16 pixels, 46.5 pixels of the picture


def test_clipped_share_counts_both_ends():
    picture = np.full((10, 10, 3), 128)
    picture[0, :, 0], picture[1, :5, 2] = 0, 255
    assert clipped_share(picture) == 0.15


def test_border_ratio_and_speckle():
    smooth = np.full((64, 64, 3), 100.0)
    framed = smooth.copy()
    framed[:8] = NOISE[:8, :64]
    assert border_ratio(framed) > 10 > border_ratio(NOISE)
    assert speckle(NOISE, NOISE) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("axis", [0, 1])
def test_step_on_a_block_border_is_a_seam(axis):
    position = round(6 * 16 * NOISE.shape[axis] / LEVEL[axis])
    seam = NOISE.copy()
    seam[(slice(None),) * axis + (slice(position, None),)] += 40
    assert seam_ratio(NOISE, LEVEL) == pytest.approx(1, abs=0.3)
    assert seam_ratio(seam, LEVEL) > 3


def test_step_inside_a_block_is_not_a_seam():
    step = NOISE.copy()
    step[:, 6 * 16 * 512 // 176 + 23 :] += 40  # in the middle of a block
    assert seam_ratio(step, LEVEL) < 1.3
