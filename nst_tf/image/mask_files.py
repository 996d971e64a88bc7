"""Read masks as people draw them: black and white, labels, a color on black, or transparency."""

import numpy as np
from PIL import Image, ImageChops

from nst_tf.errors import ImageError
from nst_tf.image.io import read_layers

CHROMA = 24  # difference of the channels up to which a pixel is gray
SAMPLED = 512  # rows and columns that are looked at for colors
FEW = 16  # values: more make a soft mask, fewer may be labels
RARE = 0.01  # share of pixels that may be antialiased borders
OTHER = 0.03  # share of pixels of other colors or values, as JPEG leaves them along borders
FLAT = 0.9  # share of pixels that equal their neighbors, in a mask without soft transitions
OPAQUE = 250  # alpha from which a pixel counts as opaque, and level from which it is white
DARK, LIGHT = 64, 192  # levels up to which gray counts as black, and from which as white
EXPECTED = "white where it acts and black elsewhere was expected"


def mask_levels(path):
    """Read a mask file as gray levels: 255 where the style acts.

    ====================================  ==================================================
    file                                  levels
    ====================================  ==================================================
    gray, or black and white              its own
    values 0 and 1 only                   0 and 255
    one color on black                    the brightness of the color
    transparent parts                     its alpha; if what is opaque is black and white, its
                                          own levels, and transparent parts are black
    ====================================  ==================================================

    Returns
    -------
    levels : (H, W) uint8
    remarks : list of str
        What was assumed.

    Raises
    ------
    ImageError
        The file is not a readable picture, or it is not clear where the style acts: several
        colors, or labels.
    """
    picture, alpha, remarks = read_layers(path)
    if alpha is not None and alpha.getextrema()[0] < OPAQUE:
        levels, remark = _transparent_levels(path, picture, alpha)
    else:
        levels, remark = _opaque_levels(path, picture)
    return np.asarray(levels), [*remarks, *filter(None, [remark])]


def _transparent_levels(path, picture, alpha):
    """Return the levels of a mask with transparent parts, and a remark."""
    if alpha.getextrema()[1] == 0:
        raise ImageError(f"the mask {path} is all transparent, so it would act nowhere")
    colors, opacity = sampled(picture), sampled(alpha)
    drawn = colors[opacity >= 128].max(axis=-1, initial=0)
    is_black, is_white = drawn < DARK, drawn >= LIGHT
    both = min(is_black.mean(), is_white.mean()) > RARE if drawn.size else False
    if both and (is_black | is_white).mean() > 1 - RARE:
        black = Image.new("RGB", picture.size)
        black.paste(picture, mask=alpha)
        levels, remark = _opaque_levels(path, black)
        return levels, "; ".join(filter(None, ["its transparent parts are black", remark]))
    return alpha, "its transparency is the mask"


def _opaque_levels(path, picture):
    colors = sampled(picture)
    colored = np.ptp(colors, axis=-1) > CHROMA
    if colored.mean() > RARE:
        return _one_color_levels(path, picture, colors, colored)
    levels = picture.convert("L")
    values = [value for value, count in enumerate(levels.histogram()) if count]
    if values == [0, 1]:
        return levels.point(lambda value: 255 * value), "its values 0 and 1 are black and white"
    labels = values if 0 < values[-1] < 128 and len(values) <= FEW else _labels(levels)
    if labels:
        remedy = "draw it with these two"
        if len(labels) > 2:
            remedy = "draw one mask for each label, or use --regions"
        raise ImageError(
            f"the mask {path} has the values {', '.join(map(str, labels))}; {EXPECTED}, which are "
            f"255 and 0: {remedy}"
        )
    return levels, _remark_on(values)


def _labels(levels):
    """Return the values of a map of labels; none for a mask, black and white or soft.

    Labels are at least three flat values, none of them white, or one nearly black or white.
    """
    pixels = sampled(levels)
    equal = (pixels[:-1, :-1] == pixels[:-1, 1:]) & (pixels[:-1, :-1] == pixels[1:, :-1])
    if equal.mean() < FLAT:
        return []
    counts = np.bincount(pixels.ravel(), minlength=256)
    values = np.flatnonzero(counts > OTHER * pixels.size)
    unclear = (values > 0) & (values < DARK // 2) | (values > 255 - DARK // 2) & (values < OPAQUE)
    is_map = len(values) > 2 and (values[-1] < OPAQUE or unclear.any())
    return values[:FEW].tolist() if is_map else []


def _remark_on(values):
    """Return a remark about the gray values of a mask that does less than was perhaps meant."""
    if values[0] >= OPAQUE or values[0] == values[-1] > 0:
        return f"it is {_gray_name(values[0])} everywhere, so it changes nothing"
    if values[-1] < 128:
        return f"its largest value is {values[-1]} of 255, so it acts weakly"
    return ""


def _gray_name(value):
    return "white" if value >= OPAQUE else f"gray ({value} of 255)"


def _one_color_levels(path, picture, colors, colored):
    """Return the brightness of a single color on black, and a remark."""
    strength = colors[colored].max(axis=-1)
    strong = colors[colored][strength > 0.8 * strength.max()]
    brightest = np.median(strong, axis=0).astype(int)  # JPEG exceeds it along borders
    directions = colors / np.maximum(colors.max(axis=-1, keepdims=True), 1)
    direction = brightest / max(brightest.max(), 1)  # black: of several colors
    other = np.abs(directions - direction).max(axis=-1) > 0.25
    is_black = colors.max(axis=-1) < DARK
    if (other & ~is_black).mean() > OTHER or is_black.mean() <= RARE:
        raise ImageError(
            f"the mask {path} has the colors {_named(colors)}; {EXPECTED}: draw one mask for each "
            "region, or use --regions"
        )
    levels = ImageChops.lighter(ImageChops.lighter(*picture.split()[:2]), picture.split()[2])
    levels = levels.point(lambda value: min(255, round(255 * value / brightest.max())))
    return levels, f"its color #{bytes(brightest.tolist()).hex()} on black is the mask"


def _named(colors, most=4):
    """Return the most frequent colors in words."""
    found, counts = np.unique(colors.reshape(-1, 3), axis=0, return_counts=True)
    order = np.argsort(-counts)[:most]
    names = ", ".join(f"#{bytes(found[index].tolist()).hex()}" for index in order)
    return f"{names} and {len(found) - most:,} more" if len(found) > most else names


def sampled(picture):
    """Return at most `SAMPLED` rows and columns of a PIL image, without interpolation."""
    size = tuple(min(side, SAMPLED) for side in picture.size)
    return np.asarray(picture.resize(size, Image.Resampling.NEAREST))
