"""A penalty on pixels darker than black or brighter than white, for runs that don't clip them."""

from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from nst_tf.image.pixels import PixelSpace


def value_range_loss(image, space):
    """Return how far the values of an image are out of range, 0 if they are between the bounds.

    Parameters
    ----------
    image : (1, H, W, 3)
    space : PixelSpace
        Of the image.

    Returns
    -------
    scalar
        The mean of ``max(sinh(x) sinh(x - 1), 0)``, where x is 0 for black and 1 for white
        (pystiche's `ValueRangeLoss`).
    """
    total, number = tf.unstack(value_range_sums(image, space))
    return total / number


def value_range_sums(image, space):
    """Return the sum over the values of an image, and their number: (2,)."""
    black, white = space.bounds
    x = (tf.cast(image, tf.float32) - black) / np.subtract(white, black)
    outside = tf.nn.relu(tf.sinh(x) * tf.sinh(x - 1))
    return tf.stack([tf.reduce_sum(outside), tf.cast(tf.size(outside), tf.float32)])


@dataclass(frozen=True)
class ValueRangeTerm:
    """Keep pixels between black and white.

    Attributes
    ----------
    weight : float
    space : PixelSpace
        Of the image.
    """

    weight: float = field(compare=False)
    space: PixelSpace
    name = "range"
    layers = ()

    def targets(self, objective, content_image, styles):
        """Return nothing: the bounds are those of the pixel space."""
        return ()

    def loss(self, features, image, target):
        """Return the unweighted loss, a scalar."""
        return value_range_loss(image, self.space)
