"""What a painted picture looks like, in figures: clipping, border band, speckle.

All functions take pictures as (H, W, 3) arrays of grey levels 0..255, of any dtype.
"""

import numpy as np
from PIL import Image


def clipped_share(picture):
    """Return the share of pixels with at least one channel at 0 or 255.

    Judge it beside that of the style picture: a black woodcut clips by nature.
    """
    picture = np.asarray(picture)
    return float(np.mean(np.any((picture <= 0) | (picture >= 255), axis=2)))


def high_pass(picture):
    """Return each pixel's difference to the mean of its 3x3 neighbourhood, (H, W, 3) float.

    The picture's edge is repeated outwards, so that it makes no edge of its own.
    """
    picture = np.asarray(picture, np.float64)
    padded = np.pad(picture, ((1, 1), (1, 1), (0, 0)), mode="edge")
    height, width = picture.shape[:2]
    near = sum(padded[y : y + height, x : x + width] for y in range(3) for x in range(3))
    return picture - near / 9


def high_pass_energy(picture):
    """Return the mean square of `high_pass`, in squared grey levels."""
    return float(np.mean(np.square(high_pass(picture))))


def border_ratio(picture, band=8):
    """Return the high-pass energy of a band along the edges over that of the interior.

    1 is a picture that is as rough at its frame as elsewhere. The photograph's own ratio may
    differ from 1 (sky above, street below): compare with it.
    """
    energy = np.mean(np.square(high_pass(picture)), axis=2)
    inside = np.zeros(energy.shape, bool)
    inside[band:-band, band:-band] = True
    return float(energy[~inside].mean() / max(energy[inside].mean(), 1e-12))


def resized_to_area(picture, pixels):
    """Return the picture with about so many pixels, its aspect kept, uint8."""
    image = Image.fromarray(np.asarray(picture, np.uint8))
    factor = np.sqrt(pixels / (image.width * image.height))
    size = max(round(image.width * factor), 1), max(round(image.height * factor), 1)
    return np.asarray(image.resize(size, Image.Resampling.LANCZOS))


def speckle(picture, style):
    """Return the picture's high-pass energy over the style's, at the same number of pixels.

    About 1: as fine as the painting itself. Well above 1: grain that the painting has not.
    """
    height, width = np.asarray(picture).shape[:2]
    own = high_pass_energy(resized_to_area(style, height * width))
    return high_pass_energy(picture) / max(own, 1e-12)


def colour_grain(picture, style):
    """Return the high-pass energy of colour (channels less their mean) over the style's.

    Rainbow noise shows here before it shows in `speckle`, which brush strokes raise as well.
    """

    def energy(image):
        rough = high_pass(image)
        return float(np.mean(np.square(rough - rough.mean(axis=2, keepdims=True))))

    height, width = np.asarray(picture).shape[:2]
    return energy(picture) / max(energy(resized_to_area(style, height * width)), 1e-12)
