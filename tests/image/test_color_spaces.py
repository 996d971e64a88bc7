"""Color spaces: published values, round trips, and pictures that get another's colors."""

import numpy as np
import pytest
from pictures import make_picture

from nst_tf.image.color import preserve_color
from nst_tf.image.color_spaces import SPACES, STRIP, swap_colors

CONTENT, RESULT = make_picture(2 * STRIP + 3, 37), make_picture(2 * STRIP + 3, 37, seed=2)
COLORS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0], [0.5, 0.5, 0.5]])
PUBLISHED = {  # Lab and Luv: Lindbloom's tables for sRGB and D65; YCbCr: BT.601
    "lab": [
        [53.24, 80.09, 67.20], [87.74, -86.18, 83.18], [32.30, 79.19, -107.86],
        [100, 0, 0], [0, 0, 0], [53.39, 0, 0],
    ],
    "luv": [
        [53.24, 175.01, 37.75], [87.74, -83.08, 107.39], [32.30, -9.41, -130.34],
        [100, 0, 0], [0, 0, 0], [53.39, 0, 0],
    ],
    "ycbcr": [
        [0.299, -0.168736, 0.5], [0.587, -0.331264, -0.418688], [0.114, 0.5, -0.081312],
        [1, 0, 0], [0, 0, 0], [0.5, 0, 0],
    ],
}  # fmt: skip


@pytest.mark.parametrize("space", SPACES)
def test_colors_have_their_published_coordinates(space):
    tolerance = 1e-6 if space == "ycbcr" else 0.05
    np.testing.assert_allclose(SPACES[space].from_rgb(COLORS), PUBLISHED[space], atol=tolerance)


@pytest.mark.parametrize("space", SPACES)
def test_conversion_there_and_back_is_the_identity(space):
    levels = np.linspace(0, 1, 9)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    back = SPACES[space].to_rgb(SPACES[space].from_rgb(cube))
    np.testing.assert_allclose(back, cube, atol=1e-4)


@pytest.mark.parametrize("space", SPACES)
def test_result_has_its_lightness_and_the_contents_colors(space):
    content, result = 64 + CONTENT // 4, 96 + RESULT // 8  # nothing is clipped
    swapped = SPACES[space].from_rgb(swap_colors(space, result, content) / 255)
    tolerance = 0.004 if space == "ycbcr" else 1.5  # rounded to gray levels
    expected = SPACES[space].from_rgb(result / 255)
    np.testing.assert_allclose(swapped[..., 0], expected[..., 0], atol=tolerance)
    expected = SPACES[space].from_rgb(content / 255)
    np.testing.assert_allclose(swapped[..., 1:], expected[..., 1:], atol=tolerance)


def test_ycbcr_is_the_swap_of_chroma_where_nothing_is_clipped():
    content, result = 64 + CONTENT // 4, 96 + RESULT // 8
    difference = swap_colors("ycbcr", result, content) - preserve_color(result, content).astype(int)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("space", SPACES)
def test_black_and_white_stay_black_and_white(space):
    for level in (0, 255):
        gray = np.full((3, 5, 3), level, np.uint8)
        np.testing.assert_array_equal(swap_colors(space, gray, gray), gray)
    gray = np.full_like(CONTENT, 90)
    assert np.ptp(swap_colors(space, RESULT, gray), axis=2).max() <= 1  # halves round either way
