"""The content's colors moved to the style's, in Oklab: the last step of NNST.

Kolkin et al. 2022, arXiv 2203.13215, as in their program; Oklab is Ottosson's (2020,
`A perceptual color space <https://bottosson.github.io/posts/oklab/>`_). As in the program, it is
computed from the values of sRGB as if they were linear.
"""

import numpy as np

from nst_tf.image.color import METHODS

RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
LMS_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
OKLAB_TO_LMS, LMS_TO_RGB = np.linalg.inv(LMS_TO_OKLAB), np.linalg.inv(RGB_TO_LMS)
RIDGE = 1e-4  # added to variances
COLORLESS = 6e-5  # largest (co)variance of a and b of a drawing in black, white and grays
TIMES = 5  # that a and b are smoothed
STEEPNESS = 10.0  # by how much the weight of a neighbor falls with its difference in lightness


def match_oklab(picture, content_picture, style_picture, mask=None, style_mask=None):
    """Return the result with its lightness and the content's colors, moved to the style's.

    Parameters
    ----------
    picture, content_picture : (H, W, 3) uint8
        The result and the content. The result may also be float32, gray levels in 0..255.
    style_picture : (H', W', 3) uint8
    mask, style_mask : (H, W) and (H', W'), optional
        Weights of the pixels in the statistics.

    Returns
    -------
    (H, W, 3) float
        Gray levels. L of Oklab is the result's, within the style's range. a and b are the
        content's, moved by the linear map "pca" of `match_color` to the style's mean and
        covariance, smoothed by `smoothed`, and brought into the style's range. If the style has no
        colors, the result's own colors are moved instead, in all three coordinates.
    """
    result, content, style = (
        to_oklab(x / np.float32(255)) for x in (picture, content_picture, style_picture)
    )
    chosen = style if style_mask is None else style[style_mask > 0]
    lowest, highest = chosen.reshape(-1, 3).min(0), chosen.reshape(-1, 3).max(0)
    result[..., 0] = np.clip(result[..., 0], lowest[0], highest[0])
    _, covariance = _moments(style[..., 1:], style_mask)
    if np.abs(covariance).max() < COLORLESS:
        result = moved(result, style, mask, style_mask)
    else:
        colors = moved(content[..., 1:], style[..., 1:], mask, style_mask)
        result[..., 1:] = smoothed(colors, result[..., 0])
    return np.clip(255 * from_oklab(np.clip(result, lowest, highest)), 0, 255)


def to_oklab(rgb):
    """Convert RGB in 0..1 to Oklab (..., 3): lightness in 0..1, a and b."""
    return np.cbrt(rgb @ RGB_TO_LMS.T.astype(rgb.dtype)) @ LMS_TO_OKLAB.T.astype(rgb.dtype)


def from_oklab(lab):
    """Convert Oklab to RGB, which may lie outside of 0..1."""
    return (lab @ OKLAB_TO_LMS.T.astype(lab.dtype)) ** 3 @ LMS_TO_RGB.T.astype(lab.dtype)


def moved(colors, others, mask=None, other_mask=None):
    """Return colors (H, W, N) moved to the mean and covariance of others, by a linear map.

    ``Sigma_O^1/2 Sigma^-1/2 (x - mu) + mu_O``, with `RIDGE` added to both diagonals.
    """
    mean, covariance = _moments(colors, mask)
    other_mean, other_covariance = _moments(others, other_mask)
    ridge = RIDGE * np.eye(len(mean))
    color_map = METHODS["pca"](covariance + ridge, other_covariance + ridge)
    return ((colors - mean) @ color_map.T + other_mean).astype(colors.dtype)


def smoothed(colors, lightness):
    """Return colors (H, W, N) smoothed within areas of like lightness (H, W).

    `TIMES` times, each pixel becomes the mean of the 3x3 pixels around it, weighted by
    ``exp(-STEEPNESS |dL|)`` with their difference in lightness to it: a bilateral filter.
    """
    weights = [np.exp(-STEEPNESS * np.abs(x - lightness)) for x in _around(lightness)]
    total = sum(weights)[..., np.newaxis]
    for _ in range(TIMES):
        pairs = zip(weights, _around(colors))
        colors = sum(weight[..., np.newaxis] * x for weight, x in pairs) / total
    return colors


def _around(x):
    """Return x (H, W, ...) moved to each of the 3x3 places; the border is repeated."""
    height, width = x.shape[:2]
    wide = np.pad(x, [(1, 1), (1, 1)] + [(0, 0)] * (x.ndim - 2), "edge")
    return [wide[i : i + height, j : j + width] for i in range(3) for j in range(3)]


def _moments(colors, mask=None):
    """Return mean (N,) and covariance (N, N) of colors (H, W, N), with a mask as weights."""
    rows = colors.reshape(-1, colors.shape[-1]).astype(np.float64)
    weights = None if mask is None else np.ravel(mask)
    return np.average(rows, 0, weights), np.cov(rows.T, bias=True, aweights=weights)
