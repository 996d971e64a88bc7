"""Color-coded maps: their labels, how those of two maps match, messages and errors."""

import re

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from nst_tf import ImageError
from nst_tf.image.regions import load_regions, read_map

HEIGHT, WIDTH = 75, 111
RED, GREEN, BLUE, GRAY = (200, 30, 20), (20, 160, 60), (30, 60, 220), (90, 90, 90)
CORNERS = np.zeros((HEIGHT, WIDTH), int)  # of label 1 above, 2 at the left, 3 at the right
CORNERS[:40], CORNERS[40:, :70], CORNERS[40:, 70:] = 1, 2, 3
TOWER = np.ones((64, 48), int)  # the labels of the other map, in other shares
TOWER[:, 20:], TOWER[50:] = 2, 3


def map_file(path, labels, colors, **options):
    """Save a map of labels 1, 2, ... in colors; return its path."""
    Image.fromarray(np.uint8([(0, 0, 0), *colors])[labels]).save(path, **options)
    return path


@pytest.fixture
def maps(tmp_path):
    """Return a function that saves two maps in colors and loads their regions."""

    def load(content_colors, style_colors, *, content=CORNERS, style=TOWER, **options):
        one = map_file(tmp_path / "one.png", content, content_colors)
        two = map_file(tmp_path / "two.png", style, style_colors)
        lines = []
        regions = load_regions(one, two, say=lines.append, **options)
        return regions, [line.replace(f"{tmp_path}/", "") for line in lines]

    return load


def labels_in(label_map, colors):
    """Return which of the given colors each pixel of a map belongs to, from 1."""
    numbers = [np.abs(np.array(colors) - color).sum(axis=-1).argmin() for color in label_map.colors]
    return np.array(numbers)[label_map.labels] + 1


# ------------------------------------------------------------------ labels of a map


def test_colors_are_labels_and_the_largest_comes_first(tmp_path):
    label_map = read_map(map_file(tmp_path / "a.png", TOWER, (RED, GREEN, BLUE)))
    np.testing.assert_array_equal(label_map.colors, [GREEN, RED, BLUE])
    np.testing.assert_array_equal(labels_in(label_map, (RED, GREEN, BLUE)), TOWER)
    assert label_map.labels.dtype == np.uint8


def test_antialiased_borders_go_to_the_nearest_label(tmp_path):
    large = np.kron(CORNERS, np.ones((4, 4), int))
    drawn = Image.fromarray(np.uint8([(0, 0, 0), RED, GREEN, BLUE])[large])
    drawn = drawn.rotate(7, Image.Resampling.BICUBIC, fillcolor=RED)
    smooth = drawn.resize((WIDTH, HEIGHT), Image.Resampling.BOX)
    smooth.save(tmp_path / "a.png")
    assert len(np.unique(np.asarray(smooth).reshape(-1, 3), axis=0)) > 50
    label_map = read_map(tmp_path / "a.png")
    assert {tuple(color) for color in label_map.colors.tolist()} == {RED, GREEN, BLUE}
    distances = [
        np.square(np.asarray(smooth, int) - color).sum(axis=-1) for color in label_map.colors
    ]
    np.testing.assert_array_equal(label_map.labels, np.argmin(distances, axis=0))


def test_compressed_map_has_the_labels_that_were_drawn(tmp_path):
    path = map_file(tmp_path / "a.jpg", CORNERS, (RED, GREEN, BLUE), quality=60)
    label_map = read_map(path)
    assert len(label_map.colors) == 3
    wrong = labels_in(label_map, (RED, GREEN, BLUE)) != CORNERS
    assert wrong.mean() < 0.02
    assert not wrong[:36].any()
    assert not wrong[44:, :66].any()


def test_numbers_of_labels_differ_by_one_level(tmp_path):
    Image.fromarray(np.uint8(CORNERS)).save(tmp_path / "a.png")
    label_map = read_map(tmp_path / "a.png", say=None)
    np.testing.assert_array_equal(labels_in(label_map, np.repeat([[1], [2], [3]], 3, 1)), CORNERS)


def test_specks_are_no_labels(tmp_path):
    labels = CORNERS.copy()
    labels[10:14, 10:14] = 4
    label_map = read_map(map_file(tmp_path / "a.png", labels, (RED, GREEN, BLUE, (0, 0, 0))))
    assert len(label_map.colors) == 3
    labels[10:20, 10:20] = 4
    label_map = read_map(map_file(tmp_path / "a.png", labels, (RED, GREEN, BLUE, (0, 0, 0))))
    assert len(label_map.colors) == 4


def test_too_many_colors_raise_with_those_found(tmp_path):
    colors = [(60 * (n % 4), 60 * (n // 4 % 4), 120 * (n // 16)) for n in range(17)]
    stripes = np.repeat([np.repeat(np.arange(1, 18), 6)], 40, axis=0)
    stripes[:20, :40] = 17
    expected = (
        r"a\.png has more than 16 colors: #000078 \(.*%\), #.*, #.*, #.* and others; draw each "
        "region in one flat color, without gradients"
    )
    with pytest.raises(ImageError, match=expected):
        read_map(map_file(tmp_path / "a.png", stripes, colors))
    stripes[stripes == 1] = 17
    assert len(read_map(map_file(tmp_path / "a.png", stripes, colors)).colors) == 16


def test_photographs_and_noise_raise(tmp_path):
    Image.fromarray(make_picture(400, 600)).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match=r"has more than 16 colors: .* draw each region in"):
        read_map(tmp_path / "a.png")
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match=r"only 0% of the map .*a\.png is in flat colors: draw"):
        read_map(tmp_path / "a.png")


# ------------------------------------------------------------------ labels of two maps


def test_regions_are_masks_of_the_same_color(maps):
    regions, lines = maps((RED, GREEN, BLUE), (RED, GREEN, BLUE))
    for label, region in zip((1, 2, 3), regions, strict=True):
        np.testing.assert_array_equal(region.mask, (label == CORNERS).astype(np.float32))
        np.testing.assert_array_equal(region.style_mask, (label == TOWER).astype(np.float32))
        assert region.mask.dtype == np.float32
    assert lines == []


def test_order_of_colors_is_irrelevant(maps):
    expected, _ = maps((RED, GREEN, BLUE), (RED, GREEN, BLUE))
    regions, _ = maps((BLUE, RED, GRAY), (BLUE, RED, GRAY))
    np.testing.assert_equal(regions, expected)


def test_similar_colors_match_and_others_do_not(maps):
    like_red = tuple(np.add(RED, (25, -5, 10)))
    regions, lines = maps((RED, GREEN, BLUE), (GREEN, like_red, GRAY))
    assert [region.style_mask.mean() for region in regions] == [
        pytest.approx(np.mean(label == TOWER)) for label in (2, 1)
    ]
    assert lines == [
        "similar colors of the two maps are one region: #c81e14 and #e1191e",
        "the color #1e3cdc (17.2%) of the content map is missing from the style map: no style acts "
        "there",
        "the color #5a5a5a (21.9%) of the style map is missing from the content map: this part of "
        "the painting is not used",
    ]


def test_colors_further_apart_than_half_of_two_labels_do_not_match(maps):
    near, nearer = (tuple(np.add(GRAY, (0, 0, step))) for step in (30, 15))
    regions, lines = maps((GRAY, near, RED), (nearer, GREEN, RED))
    assert len(regions) == 1
    assert len(lines) == 4


def test_numbers_of_labels_match_exactly(maps):
    numbers = np.repeat([[1], [2], [3], [4]], 3, axis=1)
    regions, _ = maps(numbers, numbers, content=np.where(CORNERS == 3, 4, CORNERS))
    assert len(regions) == 2


def test_maps_without_a_common_color_raise(maps):
    expected = r"one\.png \(#c81e14\) and the style map .*two\.png \(#14a03c, .*\) have no color"
    with pytest.raises(ImageError, match=expected):
        maps((RED, RED, RED), (BLUE, GREEN, GREEN))


def test_maps_are_resized_like_masks(maps):
    regions, _ = maps((RED, GREEN, BLUE), (RED, GREEN, BLUE), size=(50, 74), style_size="width:36")
    assert [region.mask.shape for region in regions] == [(50, 74)] * 3
    assert regions[0].style_mask.shape == (48, 36)
    np.testing.assert_allclose(sum(region.mask for region in regions), 1, atol=0.01)
    assert ((regions[0].mask > 0.1) & (regions[0].mask < 0.9)).any()
    options = {"size": (50, 74), "binary": True}
    regions, _ = maps((RED, GREEN, BLUE), (RED, GREEN, BLUE), **options)
    assert set(np.unique(regions[0].mask)) == {0, 1}


def test_map_in_another_shape_raises(maps):
    expected = re.escape("one.png has 111x75 pixels, its picture 60x60: draw it on the picture")
    with pytest.raises(ImageError, match=f"the map .*{expected}"):
        maps((RED, GREEN, BLUE), (RED, GREEN, BLUE), picture_size=(60, 60), size=(60, 60))
    with pytest.raises(ImageError, match=r"the map .*two\.png has 48x64 pixels, its picture 64x48"):
        maps((RED, GREEN, BLUE), (RED, GREEN, BLUE), style_size=(48, 64))


def test_region_that_vanishes_raises(maps):
    content = np.where(CORNERS == 3, 1, CORNERS).repeat(4, axis=0).repeat(4, axis=1)
    content[:, 150:154] = 3
    expected = (
        r"the region #1e3cdc \(0.9%\) of the map .*one.png vanishes at 48x32 pixels; draw it lar"
    )
    with pytest.raises(ImageError, match=expected):
        maps((RED, GREEN, BLUE), (RED, GREEN, BLUE), content=content, size=(32, 48), binary=True)
