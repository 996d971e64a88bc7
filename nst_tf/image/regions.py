"""Color-coded maps: which region of the photograph takes which region of the painting.

A map is drawn in flat colors, in the shape of its picture, as for the neural doodles of Champandard
(2016) and Ulyanov (2016). Its colors are labels, and both maps have the same ones.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from nst_tf.console import print_line
from nst_tf.errors import ImageError
from nst_tf.image.io import read_picture
from nst_tf.image.mask_files import sampled
from nst_tf.image.masks import check_aspect, fit_mask
from nst_tf.image.sizes import fit_size

MOST = 16  # labels of a map
FLAT = 8  # range of 3x3 pixels, in gray levels, up to which they are not at a border
SAME = 24  # distance of colors up to which they are one label; in palettes of data sets it is 34
MATCHING = 48  # distance below which colors of two maps are one label
RARE = 0.001  # share of the flat pixels below which a color is not a label
IDS = 64  # gray levels below are the numbers of labels, as segmentation programs write them
NAMED = 4  # colors in an error message
EXPECTED = "draw each region in one flat color, without gradients"


class Region(NamedTuple):
    """A label's masks, float32 in [0, 1]: (H, W) of the result and (H', W') of the painting."""

    mask: np.ndarray
    style_mask: np.ndarray


class LabelMap(NamedTuple):
    """A map that was read."""

    path: str
    colors: np.ndarray  # (N, 3) int32, RGB, the most frequent first
    labels: np.ndarray  # (H, W) uint8: indices of `colors`

    def name(self, label):
        """Return a label's color as text and the share of the map that it covers."""
        return f"{_hex(self.colors[label])} ({np.mean(self.labels == label):.1%})"

    def mask(self, label, size, binary):
        """Return the mask of a label at a size (height, width)."""
        levels = np.where(self.labels == label, 255, 0).astype(np.uint8)
        mask = fit_mask(levels, size, binary=binary)
        if not mask.any():
            raise ImageError(
                f"the region {self.name(label)} of the map {self.path} vanishes at "
                f"{size[1]}x{size[0]} pixels; draw it larger, or take a larger size"
            )
        return mask


def load_regions(
    content_map,
    style_map,
    size=None,
    style_size=None,
    *,
    picture_size=None,
    style_picture_size=None,
    binary=False,
    say=print_line,
):
    """Read two color-coded maps as masks: a pair for each color that both of them have.

    The labels of a map are its frequent colors; pixels of other colors, as at antialiased or
    compressed borders, belong to the nearest of them. Colors of the two maps match if their
    distance (Euclidean, in RGB levels) is below 48 and below half of that between any two colors
    of either map.

    Parameters
    ----------
    content_map, style_map : path
        Pictures in flat colors, in the shapes of the photograph and of the painting. In gray ones
        without levels above 63 every level is a label.
    size, style_size : (height, width), int or str, optional
        Sizes of the content and style images, as for `load_mask`. Default: those of the maps.
    picture_size, style_picture_size : (height, width), optional
        Sizes of the files of photograph and painting, to detect maps of another aspect ratio.
        Default: `size` and `style_size`.
    binary : bool
        Threshold the masks at one half after resizing.
    say : callable or None
        Called with a line about colors that match without being equal, and one about each color
        that one map lacks.

    Returns
    -------
    list of Region
        The largest of the content map first.

    Raises
    ------
    ImageError
        A map is not a picture in at most 16 flat colors or has another aspect ratio, or the maps
        have no color in common.
    """
    content, style = (read_map(path, say) for path in (content_map, style_map))
    size = _checked_size(content, size, picture_size)
    style_size = _checked_size(style, style_size, style_picture_size)
    matches = match_labels(content, style)
    for line in _remarks(content, style, matches) if say else ():
        say(line)
    return [
        Region(content.mask(label, size, binary), style.mask(other, style_size, binary))
        for label, other in matches.items()
    ]


def _checked_size(label_map, size, picture_size):
    shape = label_map.labels.shape
    if size is not None:
        size = fit_size(size, picture_size or shape)
    check_aspect("map", label_map.path, shape, picture_size or size)
    return size


# ------------------------------------------------------------------ one map


def read_map(path, say=print_line):
    """Read a map of at most 16 flat colors as a `LabelMap`; `say` is that of `read_picture`."""
    picture = read_picture(path, say=say)
    colors = _frequent_colors(path, Image.fromarray(picture))
    labels = _nearest(picture, colors)
    order = np.argsort(-np.bincount(labels.ravel(), minlength=len(colors)), kind="stable")
    return LabelMap(str(path), colors[order], np.argsort(order).astype(np.uint8)[labels])


def _frequent_colors(path, picture):
    """Return the colors (N, 3) of a map's flat parts, where neighbors are equal."""
    pixels = sampled(picture)
    flat = pixels[_is_flat(Image.fromarray(pixels))]
    if len(flat) < pixels[..., 0].size / 2:
        share = len(flat) / pixels[..., 0].size
        raise ImageError(f"only {share:.0%} of the map {path} is in flat colors: {EXPECTED}")
    same = 0 if pixels.max() < IDS and not np.ptp(pixels, axis=-1).any() else SAME
    clusters = _clusters(flat.astype(np.int32), same)
    if not 0 < len(clusters) <= MOST:
        found = (f"{_hex(color)} ({count / len(flat):.1%})" for color, count in clusters[:NAMED])
        raise ImageError(
            f"the map {path} has more than {MOST} colors: {', '.join(found)} and others; {EXPECTED}"
        )
    return np.array([color for color, _ in clusters])


def _is_flat(picture):
    """Return where a picture has nearly the same color in 3x3 pixels: (H, W) bool."""
    spread = ImageChops.subtract(
        picture.filter(ImageFilter.MaxFilter(3)), picture.filter(ImageFilter.MinFilter(3))
    )
    return np.asarray(spread).max(axis=-1) <= FLAT


def _clusters(pixels, same):
    """Return frequent colors of pixels (N, 3), each with the number of pixels up to `same` away.

    At most one more than `MOST`: a photograph has thousands.
    """
    codes, counts = np.unique(pixels @ [1 << 16, 1 << 8, 1], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    codes, counts = codes[order], counts[order]
    colors = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1).astype(np.int32)
    found = []
    while len(colors) and len(found) <= MOST:
        near = _distances(colors, colors[0]) <= same
        if counts[near].sum() >= RARE * len(pixels):
            found.append((colors[0], counts[near].sum()))
        colors, counts = colors[~near], counts[~near]
    return found


def _nearest(picture, colors):
    """Return the index of the nearest color for each pixel of a picture: (H, W) uint8."""
    labels = np.zeros(picture.shape[:2], np.uint8)
    least = np.full(labels.shape, 1 << 20, np.int32)  # above the square of any distance
    for label, color in enumerate(colors):
        squares = sum(np.square(picture[..., n].astype(np.int32) - color[n]) for n in range(3))
        labels[squares < least] = label
        least = np.minimum(least, squares)
    return labels


def _distances(colors, color):
    return np.linalg.norm(colors - color, axis=-1)


def _hex(color):
    return f"#{bytes(color.tolist()).hex()}"


# ------------------------------------------------------------------ two maps


def match_labels(content, style):
    """Return the label of the style map for each label of the content map that it has.

    Below half the distance of any two colors of a map, each color has one match at most.
    """
    limit = min(MATCHING, _spacing(content.colors) / 2, _spacing(style.colors) / 2)
    matches = {}
    for label, color in enumerate(content.colors):
        distances = _distances(style.colors, color)
        if distances.min() < limit:
            matches[label] = int(distances.argmin())
    if not matches:
        names = [", ".join(map(_hex, label_map.colors)) for label_map in (content, style)]
        raise ImageError(
            f"the content map {content.path} ({names[0]}) and the style map {style.path} "
            f"({names[1]}) have no color in common; draw regions that belong together in the same "
            "color"
        )
    return matches


def _spacing(colors):
    """Return the smallest distance between two colors."""
    pairs = ((one, other) for n, one in enumerate(colors) for other in colors[:n])
    return min((float(_distances(*pair)) for pair in pairs), default=np.inf)


def _remarks(content, style, matches):
    """Yield messages about two maps: colors that are only similar, and colors that one lacks."""
    pairs = [(content.colors[one], style.colors[other]) for one, other in matches.items()]
    similar = [f"{_hex(one)} and {_hex(other)}" for one, other in pairs if any(one != other)]
    if similar:
        yield f"similar colors of the two maps are one region: {', '.join(similar)}"
    for label in sorted(set(range(len(content.colors))) - set(matches)):
        yield (
            f"the color {content.name(label)} of the content map is missing from the style map: "
            "no style acts there"
        )
    for label in sorted(set(range(len(style.colors))) - set(matches.values())):
        yield (
            f"the color {style.name(label)} of the style map is missing from the content map: "
            "this part of the painting is not used"
        )
