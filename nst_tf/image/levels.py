"""Convert the numbers of 16-bit, 32-bit and floating-point pictures to levels 0..255.

A file gives the number of bits of a value, but not how many of them are used, nor the range of
floats. Both are inferred from the values, and the assumption is returned as a remark for the user.
"""

import numpy as np

from nst_tf.errors import ImageError
from nst_tf.image.pixels import STRIP

BITS = (8, 10, 12, 16, 24, 32, 64)  # in use, inferred from the largest value
SURE_BITS = 16  # a picture that uses 12 of 16 bits would have 1/16 of the brightness
OVERSHOOT = 0.05  # of floats below 0 and above 1, as resampling leaves them
DYNAMIC_RANGE = 100  # largest value by median, beyond which a linear scale leaves little but black
REMEDY = "save it with 8 bits per channel, as PNG or JPEG"


def eight_bits(values):
    """Scale numbers to 0..255.

    Parameters
    ----------
    values : (H, W) or (H, W, C) array of integers or floats

    Returns
    -------
    levels : uint8 array of the same shape
    remark : str
        What was assumed; "" if it is certain.

    Raises
    ------
    ImageError
        The numbers are not finite, are negative, or have a range that can't be known; the message
        does not name the file.
    """
    scale, remark = _integer_scale(values) if values.dtype.kind in "ui" else _float_scale(values)
    return scaled(values, scale), remark


def scaled(values, scale):
    """Return values times a factor, rounded and clipped to 0..255, as uint8."""
    levels = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), STRIP):  # float64 copies of a whole picture are large
        strip = slice(top, top + STRIP)
        levels[strip] = np.rint(np.clip(values[strip] * np.float64(scale), 0, 255))
    return levels


def alpha_levels(values, colors):
    """Return alpha as 0..255.

    Parameters
    ----------
    values : (H, W) array
        Alpha.
    colors : (H, W, C) array of the same dtype
        If alpha stays below 4096 of 65535, it has as many bits as the colors have in use.
    """
    if values.dtype.kind == "f":
        return scaled(values, 255 if values.max() <= 1 + OVERSHOOT else 1)
    most = np.iinfo(values.dtype).max
    used = next(number for number in BITS if max(int(values.max()), int(colors.max())) < 2**number)
    return scaled(values, 255 / (2**used - 1 if used < SURE_BITS else most))


def _integer_scale(values):
    """Return the factor to 0..255 and a remark, by the bits that are in use."""
    lowest, highest = int(values.min()), int(values.max())
    if lowest < 0:
        raise ImageError(
            f"it has values from {lowest} to {highest}; 0 and more were expected: {REMEDY}"
        )
    most = max(int(np.iinfo(values.dtype).max), 255)  # of int8 the sign is not in use
    used = next(number for number in BITS if highest < 2**number)
    if 2**used - 1 < most and (used < SURE_BITS or most >= 2**SURE_BITS):
        return 255 / (2**used - 1), f"its values up to {highest} are taken as {used} bits"
    dark = most > 255 and highest < most // 2
    return 255 / most, f"its largest value is {highest} of {most}, so it is dark" if dark else ""


def _float_scale(values):
    """Return the factor to 0..255 and a remark: floats are 0..1 or 0..255 by convention."""
    lowest, highest = float(values.min()), float(values.max())
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        raise ImageError(f"it holds NaN or infinite numbers; replace them, and {REMEDY}")
    span = f"from {lowest:.4g} to {highest:.4g}"
    if lowest < -OVERSHOOT * max(highest, 0) or (highest <= 0 and lowest < 0):
        raise ImageError(f"it has values {span}; 0..1 or 0..255 was expected: {REMEDY}")
    if highest <= 1:
        return 255, ""
    if highest <= 255 and _are_whole(values):
        return 1, ""
    if highest <= 1 + OVERSHOOT:
        return 255, f"its values {span} are taken as 0..1"
    if 128 < highest <= 255 * (1 + OVERSHOOT):
        return 1, f"its values {span} are taken as 0..255"
    if highest > DYNAMIC_RANGE * float(np.median(values)):
        raise ImageError(
            f"it has a high dynamic range, with values {span} and a median of "
            f"{float(np.median(values)):.4g}: map it to 0..255 (tone mapping), and {REMEDY}"
        )
    return 255 / highest, f"its values {span} are divided by {highest:.4g}"


def _are_whole(values):
    strips = (values[top : top + STRIP] for top in range(0, len(values), STRIP))
    return all(np.array_equal(strip, np.rint(strip)) for strip in strips)
