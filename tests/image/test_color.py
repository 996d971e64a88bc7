"""Color transfer: matched statistics, preserved chroma and masks."""

from pathlib import Path

import numpy as np
import pytest
from pictures import make_picture

from nst_tf import ConfigError, ImageError, read_picture, resize_picture
from nst_tf.image.color import (
    COLOR_MODES,
    METHODS,
    _matched_color,
    _matched_luma,
    color_after,
    color_before,
    match_color,
    match_histogram,
    match_luminance,
    preserve_color,
    to_luminance,
)
from nst_tf.image.color_spaces import SPACES, swap_colors
from nst_tf.image.pixels import UNIT_PIXELS, VGG_PIXELS

CONTENT = make_picture(45, 61)
STYLE = make_picture(50, 39, seed=1)
RESULT = make_picture(45, 61, seed=2)
IMAGES = Path(__file__).resolve().parents[2] / "images"
YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
MATCHES = {
    "luminance": match_luminance,
    "histogram": match_histogram,
    **{
        method: lambda *args, m=method, **masks: match_color(*args, m, **masks)
        for method in METHODS
    },
}


def flat(color, height=33, width=47):
    return np.full((height, width, 3), color, np.uint8)


def speckled(height, width, seed):
    """Return independent pixels, half of them at the corners of the RGB cube."""
    generator = np.random.default_rng(seed)
    picture = generator.integers(0, 256, (height, width, 3), np.uint8)
    corners = generator.choice(np.array([0, 255], np.uint8), picture.shape)
    return np.where(generator.random((height, width, 1)) < 0.5, corners, picture)


def left_half(picture, value=1.0):
    mask = np.zeros(picture.shape[:2])
    mask[:, : mask.shape[1] // 2] = value
    return mask


def moments(pixels):
    """Return mean (3,) and covariance (3, 3)."""
    pixels = pixels.reshape(-1, 3)
    return pixels.mean(axis=0), np.cov(pixels.T, bias=True)


# ------------------------------------------------------------------ luminance


def test_luminance_known_values():
    picture = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    expected = [[[76] * 3, [150] * 3, [29] * 3, [255] * 3]]  # 76.2, 149.7, 29.1
    np.testing.assert_array_equal(to_luminance(picture), expected)


@pytest.mark.parametrize("space", [VGG_PIXELS, UNIT_PIXELS])
def test_gray_image_is_the_image_of_the_gray_picture(space):
    picture = make_picture(20, 30)
    found = space.to_picture(space.to_gray(space.to_image(picture)))
    np.testing.assert_array_equal(found, to_luminance(picture))


def test_luminance_of_gray_picture_is_unchanged():
    grays = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    np.testing.assert_array_equal(to_luminance(grays), grays)


def test_match_luminance_mean_and_deviation():
    luma = _matched_luma(STYLE, CONTENT, None, None)
    content = CONTENT @ YIQ[0] / 255
    assert abs(luma.mean() - content.mean()) < 1e-3
    assert abs(luma.std() - content.std()) < 1e-3
    gray = match_luminance(STYLE, CONTENT)
    np.testing.assert_array_equal(gray[:, :, 0], gray[:, :, 1])
    np.testing.assert_array_equal(gray[:, :, 0], gray[:, :, 2])
    np.testing.assert_allclose(gray[:, :, 0], np.clip(255 * luma, 0, 255), atol=0.5)


# ------------------------------------------------------------------ linear maps


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("make", [make_picture, speckled])
def test_match_color_mean_and_covariance(method, make):
    for seed in range(5):
        style, content = make(50, 39, seed=seed), make(45, 61, seed=seed + 100)
        matched = _matched_color(style, content, method, None, None)
        for found, expected in zip(moments(matched), moments(content / 255)):
            np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_match_color_of_photograph_and_painting(method):
    content = resize_picture(read_picture(IMAGES / "content" / "coffee.jpg"), (60, 80))
    style = resize_picture(read_picture(IMAGES / "style" / "night_strokes.jpg"), (64, 79))
    matched = _matched_color(style, content, method, None, None)
    for found, expected in zip(moments(matched), moments(content / 255)):
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_match_color_rounds_and_clips():
    matched = _matched_color(STYLE, CONTENT, "pca", None, None)
    assert (matched.min() < 0) or (matched.max() > 1)  # otherwise clipping is not tested
    found = match_color(STYLE, CONTENT, "pca")
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found, np.clip(255 * matched, 0, 255), atol=0.5)


def test_color_maps_have_their_defining_properties():
    generator = np.random.default_rng(4)
    style, content = (a @ a.T for a in generator.standard_normal((2, 3, 3)))
    maps = {name: make(style, content) for name, make in METHODS.items()}
    for found in maps.values():
        np.testing.assert_allclose(found @ style @ found.T, content, atol=1e-9)
    np.testing.assert_allclose(maps["cholesky"], np.tril(maps["cholesky"]), atol=1e-9)
    np.testing.assert_allclose(maps["symmetric"], maps["symmetric"].T, atol=1e-9)
    values, vectors = np.linalg.eigh(style)
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    pca_root = maps["pca"] @ root  # symmetric root of the content's covariance
    np.testing.assert_allclose(pca_root, pca_root.T, atol=1e-9)


def test_symmetric_map_changes_colors_least():
    changes = {
        method: np.square(_matched_color(STYLE, CONTENT, method, None, None) - STYLE / 255).mean()
        for method in METHODS
    }
    assert changes["symmetric"] == min(changes.values())


# ------------------------------------------------------------------ histograms


def test_match_histogram_quantiles():
    content, style = speckled(70, 91, seed=0) // 2 + 60, make_picture(83, 77, seed=1)
    found = match_histogram(style, content)
    steps = np.linspace(0.05, 0.95, 19)
    for channel in range(3):
        expected = np.quantile(content[:, :, channel], steps)
        actual = np.quantile(found[:, :, channel], steps)
        np.testing.assert_allclose(actual, expected, atol=3)  # limited by the style's levels
    assert found.min() >= content.min()
    assert found.max() <= content.max()


def test_match_histogram_preserves_order():
    found = match_histogram(STYLE, CONTENT)
    for channel in range(3):
        order = np.argsort(STYLE[:, :, channel].ravel())
        assert (np.diff(found[:, :, channel].ravel()[order].astype(int)) >= 0).all()


def test_match_histogram_maps_flat_style_to_median():
    ramp = np.repeat(np.arange(101, dtype=np.uint8).reshape(1, 101, 1), 3, axis=2)
    np.testing.assert_array_equal(match_histogram(flat(7), ramp), flat(50))


# ------------------------------------------------------------------ all matching functions


@pytest.mark.parametrize("name", MATCHES)
def test_matching_a_picture_to_itself_is_identity(name):
    for picture in (CONTENT, speckled(37, 41, seed=3), flat((200, 10, 90))):
        expected = to_luminance(picture) if name == "luminance" else picture
        tolerance = 1 if name == "luminance" else 0  # 57.5 is rounded up or down
        found = MATCHES[name](picture, picture)
        np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=tolerance, rtol=0)


@pytest.mark.parametrize("name", MATCHES)
def test_matching_gray_and_flat_pictures(name):
    generator = np.random.default_rng(0)
    gray = to_luminance(STYLE)
    nearly_gray = np.clip(gray + generator.integers(-1, 2, gray.shape), 0, 255).astype(np.uint8)
    plain = [flat(0), flat(255), flat((200, 10, 90)), gray, nearly_gray]
    with np.errstate(all="raise"):
        for style in [*plain, STYLE]:
            for content in [*plain, CONTENT]:
                found = MATCHES[name](style, content)
                assert found.shape == style.shape
                expected = to_luminance(content) if name == "luminance" else content
                if np.ptp(content, axis=(0, 1)).max() == 0:
                    assert np.abs(found.astype(int) - expected[0, 0]).max() <= 4  # due to epsilon
                else:
                    difference = found.mean(axis=(0, 1)) - expected.mean(axis=(0, 1))
                    assert np.abs(difference).max() < 20  # clipping; median, not mean


@pytest.mark.parametrize("name", MATCHES)
def test_mask_of_ones_equals_no_mask(name):
    masks = {"style_mask": np.ones((50, 39), bool), "content_mask": np.ones((45, 61), np.float32)}
    found = MATCHES[name](STYLE, CONTENT, **masks)
    np.testing.assert_array_equal(found, MATCHES[name](STYLE, CONTENT))


@pytest.mark.parametrize("name", MATCHES)
@pytest.mark.parametrize("value", [1.0, 0.3])
def test_statistics_use_only_masked_pixels(name, value):
    style, content = STYLE.copy(), CONTENT.copy()
    style_mask, content_mask = left_half(style, value), left_half(content, value)
    cut_style, cut_content = style[:, :19], content[:, :30]
    expected = MATCHES[name](cut_style, cut_content)
    style[:, 19:], content[:, 30:] = 0, 255  # must be ignored
    found = MATCHES[name](style, content, style_mask=style_mask, content_mask=content_mask)
    assert found.shape == style.shape
    np.testing.assert_allclose(found[:, :19].astype(int), expected.astype(int), atol=1)


@pytest.mark.parametrize("name", MATCHES)
def test_soft_mask_weights_pixels(name):
    content = np.concatenate([CONTENT, CONTENT, RESULT])  # CONTENT counts twice
    mask = np.concatenate([np.full((45, 61), 1.0), np.full((45, 61), 0.5)])
    expected = MATCHES[name](STYLE, content)
    found = MATCHES[name](STYLE, np.concatenate([CONTENT, RESULT]), content_mask=mask)
    np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=1)


@pytest.mark.parametrize("name", MATCHES)
def test_pictures_and_masks_are_not_modified(name):
    arrays = [STYLE.copy(), CONTENT.copy(), left_half(STYLE), left_half(CONTENT)]
    for array in arrays:
        array.flags.writeable = False  # as in np.asarray of a Pillow image
    style, content, style_mask, content_mask = arrays
    MATCHES[name](style, content, style_mask=style_mask, content_mask=content_mask)
    preserve_color(content, content, content_mask)


# ------------------------------------------------------------------ preserved color


@pytest.mark.parametrize("make", [make_picture, speckled])
def test_preserve_color_has_content_chroma(make):
    for seed in range(20):
        picture, content = make(37, 53, seed=seed), make(37, 53, seed=seed + 100)
        found = preserve_color(picture, content)
        chroma = found / 255 @ YIQ[1:].T
        assert np.abs(chroma - content / 255 @ YIQ[1:].T).max() <= 1 / 255


def test_preserve_color_has_nearest_luma_in_range():
    picture, content = speckled(61, 45, seed=0), speckled(61, 45, seed=1)
    found = preserve_color(picture, content)
    expected, actual = picture @ YIQ[0], found @ YIQ[0]
    np.testing.assert_array_less(expected - actual, 0.51 + 255 * (found.max(axis=2) == 255))
    np.testing.assert_array_less(actual - expected, 0.51 + 255 * (found.min(axis=2) == 0))


def test_preserve_color_limits_luma_of_saturated_colors():
    yellow = flat((255, 255, 0))
    for gray in (0, 100, 255):
        np.testing.assert_array_equal(preserve_color(flat(gray), yellow), yellow)
    # A less saturated red ranges from (155, 0, 0) to (255, 100, 100).
    np.testing.assert_array_equal(preserve_color(flat(0), flat((200, 45, 45))), flat((155, 0, 0)))
    np.testing.assert_array_equal(
        preserve_color(flat(255), flat((200, 45, 45))), flat((255, 100, 100))
    )


def test_preserve_color_with_gray_or_identical_content():
    found = preserve_color(RESULT, flat(99, 45, 61))
    np.testing.assert_array_equal(found, found[:, :, [1, 2, 0]])
    np.testing.assert_allclose(found @ YIQ[0], RESULT @ YIQ[0], atol=0.51)
    np.testing.assert_array_equal(preserve_color(RESULT, RESULT), RESULT)


def test_preserve_color_acts_only_under_mask():
    mask = left_half(CONTENT)
    whole = preserve_color(RESULT, CONTENT)
    found = preserve_color(RESULT, CONTENT, mask)
    np.testing.assert_array_equal(found[:, :30], whole[:, :30])
    np.testing.assert_array_equal(found[:, 30:], RESULT[:, 30:])
    np.testing.assert_array_equal(preserve_color(RESULT, CONTENT, np.ones((45, 61))), whole)


def test_preserve_color_blends_under_soft_mask():
    found = preserve_color(RESULT, CONTENT, np.full((45, 61), 0.25))
    expected = 0.75 * RESULT + 0.25 * preserve_color(RESULT, CONTENT)
    np.testing.assert_allclose(found, expected, atol=0.5)


# ------------------------------------------------------------------ color modes


def test_color_modes_and_their_help():
    assert list(COLOR_MODES) == [
        "style", "luminance", "cholesky", "pca", "symmetric", "histogram", "swap", "match-style",
        "match-oklab",
        "luminance-lab", "luminance-luv", "luminance-ycbcr", "swap-lab", "swap-luv", "swap-ycbcr",
    ]  # fmt: skip
    assert all(mode.help for mode in COLOR_MODES.values())


@pytest.mark.parametrize("mode", ["style", "swap"])
def test_color_before_keeps_both_pictures(mode):
    content, style = color_before(mode, CONTENT, STYLE)
    assert content is CONTENT
    assert style is STYLE


@pytest.mark.parametrize("mode", [*METHODS, "histogram"])
def test_modes_that_recolor_only_the_style(mode):
    masks = {"content_mask": left_half(CONTENT), "style_mask": left_half(STYLE)}
    content, style = color_before(mode, CONTENT, STYLE, **masks)
    assert content is CONTENT
    np.testing.assert_array_equal(style, MATCHES[mode](STYLE, CONTENT, **masks))
    assert color_after(mode, RESULT, CONTENT, left_half(CONTENT)) is RESULT


def test_luminance_mode_uses_gray_and_restores_chroma():
    content, style = color_before("luminance", CONTENT, STYLE)
    np.testing.assert_array_equal(content, to_luminance(CONTENT))
    np.testing.assert_array_equal(style, match_luminance(STYLE, CONTENT))
    np.testing.assert_array_equal(color_after("luminance", content, CONTENT), CONTENT)


def test_luminance_mode_grays_content_only_under_mask():
    mask = left_half(CONTENT)
    content, style = color_before("luminance", CONTENT, STYLE, content_mask=mask)
    np.testing.assert_array_equal(content[:, :30], to_luminance(CONTENT)[:, :30])
    np.testing.assert_array_equal(content[:, 30:], CONTENT[:, 30:])
    np.testing.assert_array_equal(style, match_luminance(STYLE, CONTENT[:, :30]))


@pytest.mark.parametrize("mode", ["luminance", "swap"])
def test_color_after_preserves_content_color(mode):
    for mask in (None, left_half(CONTENT)):
        found = color_after(mode, RESULT, CONTENT, mask)
        np.testing.assert_array_equal(found, preserve_color(RESULT, CONTENT, mask))


def test_match_style_recolors_the_content_under_its_mask():
    mask, style_mask = left_half(CONTENT), left_half(STYLE)
    masks = {"content_mask": mask, "style_mask": style_mask}
    content, style = color_before("match-style", CONTENT, STYLE, **masks)
    assert style is STYLE
    expected = match_color(CONTENT, STYLE, "pca", style_mask=mask, content_mask=style_mask)
    np.testing.assert_array_equal(content[:, :30], expected[:, :30])
    np.testing.assert_array_equal(content[:, 30:], CONTENT[:, 30:])
    assert color_after("match-style", RESULT, CONTENT, mask) is RESULT


@pytest.mark.parametrize("space", SPACES)
def test_modes_of_a_color_space(space):
    mask = left_half(CONTENT)
    for mode in (f"luminance-{space}", f"swap-{space}"):
        for mine, other in zip(
            color_before(mode, CONTENT, STYLE), color_before(mode.split("-")[0], CONTENT, STYLE)
        ):
            np.testing.assert_array_equal(mine, other)
        found = color_after(mode, RESULT, CONTENT, mask)
        np.testing.assert_array_equal(found[:, :30], swap_colors(space, RESULT, CONTENT)[:, :30])
        np.testing.assert_array_equal(found[:, 30:], RESULT[:, 30:])


def test_color_after_in_style_mode_is_identity():
    assert color_after("style", RESULT, CONTENT) is RESULT


# ------------------------------------------------------------------ invalid arguments


def test_unknown_method_or_mode_raises():
    with pytest.raises(ConfigError, match="`method` is 'magic'; choose from cholesky, pca, symm"):
        match_color(STYLE, CONTENT, "magic")
    listed = r"`color` is 'sepia'; choose from style, luminance, cholesky, pca, symmetric, hist"
    with pytest.raises(ConfigError, match=listed):
        color_before("sepia", CONTENT, STYLE)
    with pytest.raises(ConfigError, match=listed):
        color_after("sepia", RESULT, CONTENT)


@pytest.mark.parametrize("name", MATCHES)
def test_matching_with_invalid_mask_raises(name):
    for argument, picture in [("style_mask", STYLE), ("content_mask", CONTENT)]:
        size = picture.shape[:2]
        for mask, message in [
            (np.ones((9, 8)), rf"has shape \(9, 8\), its picture \({size[0]}, {size[1]}\) pix"),
            (np.ones((*size, 1)), r"has shape .*, 1\), its picture .* resize it with load_mask"),
            (np.zeros(size), "is 0 everywhere; mark at least one pixel, or pass no mask"),
            (np.full(size, 255, np.uint8), "has values from 255 to 255; 0 to 1 was expected"),
            (np.full(size, -0.5), "has values from -0.5 to -0.5; 0 to 1 was expected"),
            (np.full(size, np.nan), "has values from nan to nan; 0 to 1 was expected"),
        ]:
            with pytest.raises(ImageError, match=f"`{argument}` {message}"):
                MATCHES[name](STYLE, CONTENT, **{argument: mask})


@pytest.mark.parametrize("mode", COLOR_MODES)
def test_modes_with_invalid_mask_or_size_raise(mode):
    for argument in ("style_mask", "content_mask"):
        with pytest.raises(ImageError, match=rf"`{argument}` has shape \(9, 8\)"):
            color_before(mode, CONTENT, STYLE, **{argument: np.ones((9, 8))})
    with pytest.raises(ImageError, match="`mask` is 0 everywhere"):
        color_after(mode, RESULT, CONTENT, np.zeros((45, 61)))
    with pytest.raises(ImageError, match="has 39x50 pixels, the content 61x45; the same size was"):
        color_after(mode, STYLE, CONTENT)


def test_preserve_color_with_other_size_raises():
    message = "the picture has 39x50 pixels, the content 61x45; .*: resize one with resize_picture"
    with pytest.raises(ImageError, match=message):
        preserve_color(STYLE, CONTENT)


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (CONTENT / 255, r"shape \(45, 61, 3\) of float64"),
        (CONTENT[np.newaxis], r"shape \(1, 45, 61, 3\) of uint8"),
        (CONTENT[:, :, 0], r"shape \(45, 61\) of uint8"),
        ("coffee.jpg", "type str"),
    ],
)
def test_invalid_picture_raises(wrong, found):
    message = rf"has {found}; \(height, width, 3\) of uint8 was expected: pass the first value"
    with pytest.raises(ImageError, match=f"`picture` {message}"):
        to_luminance(wrong)
    with pytest.raises(ImageError, match=f"`style_picture` {message}"):
        color_before("swap", CONTENT, wrong)
    for match in MATCHES.values():
        with pytest.raises(ImageError, match=f"`content_picture` {message}"):
            match(STYLE, wrong)
    with pytest.raises(ImageError, match=f"`content_picture` {message}"):
        preserve_color(RESULT, wrong)
