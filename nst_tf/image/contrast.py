"""A content map from the contrast of a photograph: white where there is detail."""

import numpy as np
from scipy import ndimage

from nst_tf.errors import ImageError
from nst_tf.image.pixels import LUMA
from nst_tf.image.sizes import resize_picture

SIDE = 512  # longer side in pixels that is looked at: the map is smooth
EDGES, OBJECTS = 1.5, 12.0  # deviations of the two Gaussians at that side, in pixels
LEAST = 0.7  # deviation in pixels: below it, the derivative of a Gaussian is not sampled
WHITE = 90  # percentile of the contrast from which the map is white


def contrast_map(picture):
    """Return a map of the local contrast of a picture, for `style_transfer`.

    The square root of the magnitude of a Gaussian gradient, smoothed by a wider Gaussian: edges and
    objects with texture are white, sky, walls and blurred background nearly black. It knows nothing
    of what the picture shows: a smooth face is darker than the edges of the clothes below it.

    Parameters
    ----------
    picture : (H, W, 3) uint8

    Returns
    -------
    (H, W) float32 in [0, 1]

    Raises
    ------
    ImageError
        The picture is of one color.
    """
    size = picture.shape[:2]
    factor = min(SIDE / max(size), 1.0)
    small = resize_picture(picture, [max(round(side * factor), 1) for side in size])
    unit = max(small.shape[:2]) / SIDE
    luma = small.astype(np.float32) @ np.float32(LUMA)
    edges = ndimage.gaussian_gradient_magnitude(luma, max(EDGES * unit, LEAST), mode="nearest")
    contrast = ndimage.gaussian_filter(edges, OBJECTS * unit, mode="nearest")
    white = np.percentile(contrast, WHITE)
    if white < 1e-3:  # gray levels per pixel: rounding
        raise ImageError(
            "the photograph has no contrast to make a content map of; give a picture as "
            "--content-map FILE, or none"
        )
    small = np.sqrt(np.clip(contrast / white, 0, 1)).astype(np.float32)
    return np.clip(resize_picture(small, size, "bilinear"), 0, 1)
