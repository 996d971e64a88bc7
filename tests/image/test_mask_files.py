"""Masks as people draw them."""

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from nst_tf import ImageError, load_mask

LEFT = np.zeros((40, 60), np.uint8)
LEFT[:, :30] = 255


def read(tmp_path, picture, name="mask.png", **options):
    """Save and read a mask; return it and the lines that were said, without the name."""
    path = tmp_path / name
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(np.uint8(picture))
    picture.save(path, **options)
    lines = []
    mask = load_mask(path, say=lines.append)
    return mask, [line.removeprefix(f"the mask {path}: ") for line in lines]


def colored(*colors):
    """Return stripes of colors."""
    return np.repeat(np.repeat(np.uint8([colors]), 40, axis=0), 60 // len(colors), axis=1)


def with_alpha(picture, alpha):
    return np.dstack([picture, alpha]).astype(np.uint8)


def paletted(indices, *colors):
    picture = Image.fromarray(np.uint8(indices), "P")
    picture.putpalette([level for color in colors for level in color])
    return picture


WHITE, BLACK = np.full((40, 60, 3), 255), np.zeros((40, 60, 3))
ANTIALIASED = Image.fromarray(LEFT).rotate(10, Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("drawn", "remark"),
    [
        (LEFT, None),
        (Image.fromarray(LEFT).convert("1"), None),
        (LEFT // 255, "its values 0 and 1 are black and white"),
        (np.dstack([LEFT // 255] * 3), "its values 0 and 1 are black and white"),
        (paletted(LEFT // 255, (0, 0, 0), (255, 255, 255)), None),
        (paletted(LEFT // 255, (0, 0, 0), (128, 0, 0)), "its color #800000 on black is the mask"),
        (colored((255, 0, 0), (0, 0, 0)), "its color #ff0000 on black is the mask"),
        (colored((250, 240, 20), (9, 0, 3)), "its color #faf014 on black is the mask"),
        (with_alpha(WHITE, LEFT), "its transparency is the mask"),
        (with_alpha(BLACK, LEFT), "its transparency is the mask"),
        (with_alpha(make_picture(40, 60), LEFT), "its transparency is the mask"),
        (with_alpha(colored((0, 200, 0), (0, 0, 0)), LEFT), "its transparency is the mask"),
        (
            with_alpha(
                np.dstack([LEFT] * 3), np.where(np.arange(40) < 30, 255, 0)[:, None] + LEFT * 0
            ),
            "its transparent parts are black",
        ),
        (
            Image.fromarray((LEFT // 255).astype(np.uint16)),
            "its values up to 1 are taken as 8 bits",
        ),
    ],
    ids=[
        *("gray", "bits", "labels", "labels in RGB", "palette", "labels in a palette"),
        *("red", "yellow", "white drawing", "black drawing", "cut-out", "green cut-out"),
        *("drawn and transparent", "labels of 16 bits"),
    ],
)
def test_left_half_is_understood(tmp_path, drawn, remark):
    mask, lines = read(tmp_path, drawn)
    expected = LEFT / 255
    if remark == "its transparent parts are black":
        expected = np.where(np.arange(40)[:, None] < 30, expected, 0)
    np.testing.assert_allclose(mask, expected, atol=0.04)
    assert remark is None or lines[0].startswith(remark)
    assert bool(lines) == bool(remark)


def test_soft_masks_keep_their_levels(tmp_path):
    gradient = np.repeat(np.uint8([np.linspace(0, 255, 60)]), 40, axis=0)
    mask, lines = read(tmp_path, gradient)
    np.testing.assert_allclose(mask, gradient / 255, atol=1e-6)
    assert lines == []
    mask, lines = read(tmp_path, ANTIALIASED, "mask.jpg")
    np.testing.assert_allclose(mask, np.asarray(ANTIALIASED) / 255, atol=0.15)
    assert lines == []


def test_antialiased_red_on_black(tmp_path):
    red = np.dstack([ANTIALIASED, 0 * LEFT, 0 * LEFT])
    mask, lines = read(tmp_path, red)
    np.testing.assert_allclose(mask, np.asarray(ANTIALIASED) / 255, atol=0.01)
    assert lines == ["its color #ff0000 on black is the mask"]


@pytest.mark.parametrize("color", [(128, 0, 128), (255, 255, 0), (0, 90, 255)])
@pytest.mark.parametrize("quality", [30, 75])
def test_color_on_black_in_a_jpeg(tmp_path, color, quality):
    drawn = np.zeros((120, 180, 3), np.uint8)
    drawn[20:100, 40:140] = color
    mask, lines = read(tmp_path, drawn, "mask.jpg", quality=quality)
    assert mask[30:90, 50:130].min() > 0.9
    assert mask[:10].max() < 0.1
    assert "on black is the mask" in lines[0]


def stripes(*values):
    """Return vertical stripes of gray values."""
    return np.repeat(np.uint8([np.repeat(values, 600 // len(values))]), 60, axis=0)


@pytest.mark.parametrize(
    "values",
    [(0, 1, 255), (0, 15, 255), (0, 3, 17, 87, 149), range(20), range(32), (0, 250 - 10, 255)],
    ids=str,
)
def test_maps_of_labels_are_refused(tmp_path, values):
    found = ", ".join(map(str, list(values)[:16]))
    with pytest.raises(ImageError, match=f"has the values {found}"):
        read(tmp_path, stripes(*values))


@pytest.mark.parametrize("values", [(0, 128, 255), (0, 85, 170, 255), (0, 100, 255), (0, 200)])
def test_flat_grays_are_soft(tmp_path, values):
    mask, lines = read(tmp_path, stripes(*values))
    np.testing.assert_allclose(mask, stripes(*values) / 255, atol=1e-6)
    assert lines == []


def test_flat_grays_of_a_jpeg_are_soft(tmp_path):
    mask, lines = read(tmp_path, stripes(0, 127, 255), "mask.jpg", quality=75)
    np.testing.assert_allclose(mask, stripes(0, 127, 255) / 255, atol=0.1)
    assert lines == []


def test_nearly_white_is_white_and_nearly_opaque_is_opaque(tmp_path):
    nearly = np.full((40, 60), 255)
    nearly[::2] = 252
    assert read(tmp_path, nearly)[1] == ["it is white everywhere, so it changes nothing"]
    assert read(tmp_path, with_alpha(np.dstack([LEFT] * 3), nearly))[1] == []


def test_transparent_mask_raises(tmp_path):
    with pytest.raises(ImageError, match=r"mask\.png is all transparent"):
        read(tmp_path, with_alpha(WHITE, 0 * LEFT))


@pytest.mark.parametrize(
    ("drawn", "found"),
    [
        (colored((255, 0, 0), (0, 0, 255)), "the colors #0000ff, #ff0000;"),
        (colored((255, 0, 0), (0, 0, 0), (0, 255, 0)), "the colors #000000, #00ff00, #ff0000;"),
        (colored((255, 255, 255), (255, 0, 0)), "the colors #ff0000, #ffffff;"),
        (np.full((40, 60, 3), (255, 0, 0)), "the colors #ff0000;"),
        (make_picture(40, 60), "the colors #.* and [0-9,]+ more;"),
        (np.indices((40, 60))[1] // 15, "the values 0, 1, 2, 3;"),
        (1 + LEFT // 255, "the values 1, 2;"),
        (
            paletted(np.indices((40, 60))[1] // 20, (0, 0, 0), (128, 0, 0), (0, 128, 0)),
            "the colors",
        ),
    ],
    ids=["two", "three", "red on white", "red", "photograph", "labels", "labels from 1", "palette"],
)
def test_ambiguous_masks_raise_with_what_was_found(tmp_path, drawn, found):
    with pytest.raises(ImageError, match=rf"mask\.png has {found}.*white where it acts"):
        read(tmp_path, drawn)


def test_mask_that_changes_nothing_or_little_is_said(tmp_path):
    assert read(tmp_path, 255 + 0 * LEFT)[1] == ["it is white everywhere, so it changes nothing"]
    constant = np.full((40, 60), 180)
    assert read(tmp_path, constant)[1][0].startswith("it is gray (180 of 255) everywhere")
    weak = np.indices((40, 60))[1]
    assert read(tmp_path, weak)[1] == ["its largest value is 59 of 255, so it acts weakly"]
