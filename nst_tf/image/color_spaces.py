"""Color spaces in which a result keeps its lightness and takes the content's colors.

Each entry of `SPACES` converts sRGB (H, W, 3) in 0..1 to a space whose first channel is lightness
or luma, and back.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from nst_tf.image.pixels import like
from nst_tf.image.profiles import encoded, linear

# IEC 61966-2-1: linear sRGB to CIE XYZ, white point D65.
RGB_TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)
XYZ_TO_RGB = np.linalg.inv(RGB_TO_XYZ)
WHITE = RGB_TO_XYZ.sum(axis=1)  # gray has exactly no color
CUTOFF, SLOPE = (6 / 29) ** 3, (29 / 3) ** 3  # CIE 1976: below the cutoff, lightness is linear
# ITU-R BT.601: R', G', B' to Y', Cb, Cr.
RGB_TO_YCBCR = np.array(
    [
        [0.299, 0.587, 0.114],
        [-0.299 / 1.772, -0.587 / 1.772, 0.5],
        [0.5, -0.587 / 1.402, -0.114 / 1.402],
    ]
)
YCBCR_TO_RGB = np.linalg.inv(RGB_TO_YCBCR)
STRIP = 64  # rows converted at a time: each conversion makes several copies


class Space(NamedTuple):
    """Conversions between sRGB and a color space, both (H, W, 3)."""

    from_rgb: Callable
    to_rgb: Callable


def swap_colors(space, picture, content_picture):
    """Return the content's colors with the lightness of another picture.

    Parameters
    ----------
    space : str
        A key of `SPACES`.
    picture, content_picture : (H, W, 3) uint8
        Of the same size. `picture` may also be float32, gray levels that are not rounded.

    Returns
    -------
    (H, W, 3) of the dtype of `picture`
        First channel of `picture`, second and third of `content_picture`; each of R, G and B is
        clipped to 0..255, which can change the hue (cysmith's `original_colors`).
    """
    swapped = np.empty_like(picture)
    for top in range(0, len(picture), STRIP):
        rows = slice(top, top + STRIP)
        values = SPACES[space].from_rgb(content_picture[rows] / 255)
        values[..., 0] = SPACES[space].from_rgb(picture[rows] / 255)[..., 0]
        swapped[rows] = like(picture, np.clip(255 * SPACES[space].to_rgb(values), 0, 255))
    return swapped


def rgb_to_lab(rgb):
    """Convert sRGB in 0..1 to CIE L*a*b* (L* in 0..100)."""
    x, y, z = np.moveaxis(_lightness(_rgb_to_xyz(rgb) / WHITE), -1, 0)
    return np.stack([y, 500 / 116 * (x - y), 200 / 116 * (y - z)], axis=-1)


def lab_to_rgb(lab):
    """Convert CIE L*a*b* to sRGB, which may lie outside of 0..1."""
    lightness, a, b = np.moveaxis(lab, -1, 0)
    scaled = np.stack([lightness + 116 / 500 * a, lightness, lightness - 116 / 200 * b], axis=-1)
    return _xyz_to_rgb(_relative_luminance(scaled) * WHITE)


def rgb_to_luv(rgb):
    """Convert sRGB in 0..1 to CIE L*u*v* (L* in 0..100)."""
    xyz = _rgb_to_xyz(rgb)
    lightness = _lightness(xyz[..., 1])
    chromaticity = _chromaticity(xyz) - _chromaticity(WHITE)
    return np.concatenate([lightness[..., None], 13 * lightness[..., None] * chromaticity], axis=-1)


def luv_to_rgb(luv):
    """Convert CIE L*u*v* to sRGB, which may lie outside of 0..1."""
    weight = 13 * luv[..., 0]
    u, v = np.moveaxis(luv[..., 1:] + weight[..., None] * _chromaticity(WHITE), -1, 0)
    v = np.maximum(v, 1.0)  # as OpenCV: near black, chromaticities grow without bound
    y = _relative_luminance(luv[..., 0])
    xyz = np.stack([9 * u / (4 * v), np.ones_like(v), (12 * weight - 3 * u - 20 * v) / (4 * v)], -1)
    return _xyz_to_rgb(y[..., None] * xyz)


def _lightness(y):
    """Return L* of luminance relative to white."""
    return np.where(y > CUTOFF, 116 * np.cbrt(y) - 16, SLOPE * y)


def _relative_luminance(lightness):
    """Return the inverse of `_lightness`."""
    return np.where(lightness > 8, ((lightness + 16) / 116) ** 3, lightness / SLOPE)


def _chromaticity(xyz):
    """Return u' and v' (..., 2) of CIE 1976; those of white for black."""
    weight = xyz @ [1, 15, 3]
    xyz = np.where(weight[..., None] > 1e-9, xyz, WHITE)
    return xyz[..., :2] * [4, 9] / (xyz @ [1, 15, 3])[..., None]


def _rgb_to_xyz(rgb):
    return linear(rgb) @ RGB_TO_XYZ.T


def _xyz_to_rgb(xyz):
    # A negative number has no root; it is clipped later.
    return encoded(np.maximum(xyz @ XYZ_TO_RGB.T, 0))


SPACES = {
    "lab": Space(rgb_to_lab, lab_to_rgb),
    "luv": Space(rgb_to_luv, luv_to_rgb),
    "ycbcr": Space(lambda rgb: rgb @ RGB_TO_YCBCR.T, lambda ycbcr: ycbcr @ YCBCR_TO_RGB.T),
}
