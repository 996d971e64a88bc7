"""The photograph's colors moved to the painting's in Oklab."""

import numpy as np
import pytest
from pictures import make_picture

from nst_tf import ConfigError, ImageError, JobConfig, color_after
from nst_tf.image.color import COLOR_MODES
from nst_tf.image.oklab import from_oklab, match_oklab, moved, smoothed, to_oklab
from nst_tf.jobs.inputs import Finish, Painting

CONTENT, RESULT = make_picture(41, 57), make_picture(41, 57, seed=2)
STYLE = make_picture(50, 39, seed=1)


def gray(picture):
    return np.repeat(picture[..., :1], 3, 2)


def test_oklab_of_known_colors():
    colors = np.array([[1.0, 1, 1], [0, 0, 0], [1, 0, 0], [0, 0, 1]])
    published = [[1, 0, 0], [0, 0, 0], [0.628, 0.2249, 0.1258], [0.452, -0.0324, -0.3115]]
    np.testing.assert_allclose(to_oklab(colors), published, atol=1e-3)
    colors = np.random.default_rng(0).random((9, 7, 3))
    np.testing.assert_allclose(from_oklab(to_oklab(colors)), colors, atol=1e-6)


def test_moved_colors_have_the_others_moments():
    colors, others = to_oklab(CONTENT / 255), to_oklab(STYLE / 255)
    rows = moved(colors, others).reshape(-1, 3)
    np.testing.assert_allclose(rows.mean(0), others.reshape(-1, 3).mean(0), atol=1e-6)
    expected = np.cov(others.reshape(-1, 3).T, bias=True)
    np.testing.assert_allclose(np.cov(rows.T, bias=True), expected, atol=2e-4)


def test_smoothing_stops_at_edges_of_lightness():
    lightness = np.repeat([[0.0] * 6 + [9.0] * 6], 10, 0)
    noise = np.random.default_rng(0).random((10, 12, 2)) + np.float32(lightness > 0)[..., None]
    found = smoothed(noise, lightness)
    for half in (found[:, :6], found[:, 6:]):
        assert half.std() < 0.1
    assert found[:, 6:].min() - found[:, :6].max() > 0.5
    flat = smoothed(noise, np.zeros_like(lightness))
    assert flat[:, 6].mean() - flat[:, 5].mean() < 0.3, "without an edge they run together"


def test_result_keeps_its_lightness_and_takes_the_moved_colors():
    found = to_oklab(match_oklab(RESULT, CONTENT, STYLE) / 255)
    style, content = to_oklab(STYLE / 255), to_oklab(CONTENT / 255)
    lightness = np.clip(to_oklab(RESULT / 255)[..., 0], style[..., 0].min(), style[..., 0].max())
    expected = smoothed(moved(content[..., 1:], style[..., 1:]), lightness)
    expected = np.clip(expected, style[..., 1:].min((0, 1)), style[..., 1:].max((0, 1)))
    expected = np.dstack([lightness, expected])
    screen = from_oklab(expected)
    shown = (screen > 0).all(2) & (screen < 1).all(2)
    assert shown.mean() > 0.5
    np.testing.assert_allclose(found[shown], expected[shown], atol=1e-3)


def test_colors_of_a_drawing_are_not_taken_from_the_photograph():
    drawing = gray(STYLE)
    found = match_oklab(gray(RESULT), CONTENT, drawing)
    assert np.ptp(found, axis=2).max() < 1, "gray"
    lightness, wanted = (to_oklab(x / 255)[..., 0] for x in (found, drawing))
    assert lightness.mean() == pytest.approx(wanted.mean(), abs=0.02)


def test_mode_acts_under_masks_with_the_masked_part_of_the_style():
    mask, style_mask = np.zeros((41, 57)), np.zeros((50, 39))
    mask[:, :20], style_mask[:25] = 1, 1
    options = {"style_picture": STYLE, "style_mask": style_mask}
    found = color_after("match-oklab", RESULT, CONTENT, mask, **options)
    np.testing.assert_array_equal(found[:, 20:], RESULT[:, 20:])
    other = STYLE.copy()
    other[25:] = 255 - other[25:]
    options["style_picture"] = other
    same = color_after("match-oklab", RESULT, CONTENT, mask, **options)
    np.testing.assert_array_equal(found, same)
    assert (found[:, :20] != RESULT[:, :20]).any()


def test_result_of_a_job_is_finished_with_each_painting():
    mask = np.zeros((41, 57))
    mask[:20] = 1
    other = STYLE[::-1] // 2
    paintings = [Painting(STYLE, 1.0, mask, None), Painting(other, 1.0, 1 - mask, None)]
    finish = Finish("match-oklab", CONTENT, np.ones((41, 57)), False, paintings=paintings)
    found = finish(RESULT)
    for part, painting in zip((slice(20), slice(20, None)), paintings):
        expected = match_oklab(RESULT, CONTENT, painting.picture, painting.mask)
        np.testing.assert_allclose(found[part], expected[part], atol=0.51)
    large = make_picture(82, 114)
    rescaled = Finish(
        "match-oklab", CONTENT, np.ones((41, 57)), False, large, paintings
    ).for_result()
    assert rescaled(np.float32(large)).dtype == np.float32


def test_style_is_needed_and_several_need_masks():
    with pytest.raises(ImageError, match="`style_picture` has type NoneType"):
        color_after("match-oklab", RESULT, CONTENT)
    for mode in ("match-style", "match-oklab"):
        assert COLOR_MODES[mode].each
        with pytest.raises(ConfigError, match=f"`color` is {mode}, but 2 styles without a mask"):
            JobConfig(content="a.png", style=("b.png", "c.png"), color=mode)
