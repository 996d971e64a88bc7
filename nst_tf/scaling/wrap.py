"""Pictures whose opposite edges meet: textures that tile, and panoramas of 360 degrees."""

import numpy as np

from nst_tf.errors import ImageError
from nst_tf.image.sizes import divisible_size


def wrapped_model(model, terms, wrap, size):
    """Return the trunk that wraps, for a result of a size (height, width).

    Parameters
    ----------
    model : Trunk
    terms : sequence
        Of the objective; their layers are read.
    wrap : {"x", "xy"}
    size : (height, width)

    Raises
    ------
    ConfigError
        A Keras model can't wrap.
    ImageError
        A wrapped side is not divisible by the stride of the deepest layer.
    """
    model = model.wrapped(wrap)
    strides = model.side_strides([layer for term in terms for layer in term.layers])
    (height, width), (new_height, new_width) = size, divisible_size(size, strides)
    if (height, width) != (new_height, new_width):
        sides = {"x": "its width", "xy": "each side"}[wrap]
        raise ImageError(
            f"the result has {width}x{height} pixels; with `wrap` {wrap}, {sides} must be "
            f"divisible by {max(strides)}, the stride of the deepest layer: resize the pictures "
            f"to {new_width}x{new_height}"
        )
    return model


def seam(picture, axis):
    """Return how far opposite edges of a picture are apart, and neighboring rows or columns.

    Parameters
    ----------
    picture : (H, W, 3)
    axis : int
        0 for top and bottom, 1 for left and right.

    Returns
    -------
    float, float
        Mean absolute differences, in gray levels.
    """
    lines = np.moveaxis(picture.astype(np.float32), axis, 0)
    return np.abs(lines[0] - lines[-1]).mean(), np.abs(np.diff(lines, axis=0)).mean()
