"""What a painted picture looks like, in figures: clipping, border band, speckle, seams.

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


def seam_ratio(picture, level, stride=16):
    """Return how much stronger straight steps are on a coarse level's block borders than elsewhere.

    Parameters
    ----------
    picture : (H, W, 3)
    level : (height, width)
        Size of the coarse level in pixels.
    stride : int
        Pixels of the level per position of the deepest style layer: 16 for conv5_1 of VGG.

    Returns
    -------
    float
        Energy of the differences across the block borders over that of the differences at all
        other positions, for vertical or horizontal borders, whichever is larger. About 1: no
        seams. A difference is a mean over one block along the border, so that straight edges
        count and strokes, which change direction within a block, hardly do.
    """
    grey = np.asarray(picture, np.float64).mean(axis=2)
    upright = _step_ratio(grey, level, stride)
    return max(upright, _step_ratio(grey.T, level[::-1], stride))


def _step_ratio(grey, level, stride):
    """Return `seam_ratio` of vertical borders alone, of a grey picture (H, W)."""
    height, width = grey.shape
    scale = width / level[1]  # picture pixels per pixel of the level
    band = max(round(scale), 1)
    sums = np.cumsum(np.pad(grey, ((0, 0), (1, 0))), axis=1)
    means = (sums[:, band:] - sums[:, :-band]) / band  # means[:, x] of the columns x ... x + band
    steps = means[:, band:] - means[:, :-band]  # steps[:, x] is the step at column x + band
    block = max(round(stride * height / level[0]), 1)
    runs = [steps[top : top + block].mean(axis=0) for top in range(0, height - block + 1, block)]
    energy = np.mean(np.square(runs), axis=0)
    borders = np.rint(np.arange(stride, level[1] - stride / 2, stride) * scale).astype(int) - band
    on_border = np.zeros(energy.shape, bool)
    on_border[borders[(borders >= 0) & (borders < energy.size)]] = True
    return float(energy[on_border].mean() / max(energy[~on_border].mean(), 1e-12))
