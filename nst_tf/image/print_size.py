"""Sizes of prints: paper in centimeters, millimeters or inches, as pixels."""

import re

from nst_tf.errors import ConfigError, ImageError
from nst_tf.image.sizes import fit_size, scaled_size

INCH = {"cm": 2.54, "mm": 25.4, "in": 1.0}  # in each unit
PAPER = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)x(\d{1,6}(?:\.\d{1,6})?)(cm|mm|in)", re.ASCII)
SAME_SHAPE = 0.01  # relative difference of two aspect ratios up to which a stretch is not seen


def paper_size(text, dpi):
    """Return the (height, width) of paper in pixels, unchecked.

    Parameters
    ----------
    text : str
        Width and height with their unit: "60x40cm", "297x420mm" or "8.5x11in".
    dpi : int
        Pixels per inch.

    Raises
    ------
    ConfigError
        The text is not a paper size.
    """
    plain = str(text).lower().replace("×", "x").replace(",", ".").replace(" ", "")
    match = PAPER.fullmatch(plain)
    if not match or not float(match[1]) or not float(match[2]):
        raise ConfigError(
            f"`print` is {text!r:.60}; width and height of the paper with a unit were expected, as "
            "in 60x40cm, 297x420mm or 8.5x11in"
        )
    width, height = (round(float(side) / INCH[match[3]] * dpi) for side in match.groups()[:2])
    return height, width


def print_size(text, dpi, shape):
    """Return the (height, width) in pixels of a picture of `shape`, printed as large as it fits.

    The paper has the orientation of the picture. The picture keeps its aspect ratio; if that
    differs from the paper's by less than `SAME_SHAPE`, it fills the paper.

    Parameters
    ----------
    text, dpi
        As for `paper_size`.
    shape : (height, width)
        Of the picture.

    Raises
    ------
    ImageError
        The print has too few pixels, or too many.
    ConfigError
        As from `paper_size`.
    """
    short, long = sorted(paper_size(text, dpi))
    (height, width) = paper = (long, short) if shape[0] > shape[1] else (short, long)
    try:
        if abs(shape[1] * height - shape[0] * width) < SAME_SHAPE * shape[0] * width:
            return fit_size(paper, shape)
        return scaled_size(shape, min(height / shape[0], width / shape[1]))
    except ImageError as error:
        raise ImageError(f"`print` {text} at {dpi} dpi: {error}; change --print or --dpi") from None
