"""Temporal coherence: each frame of a film matches the previous frame, warped by the motion."""

from dataclasses import dataclass, field
from typing import NamedTuple

import tensorflow as tf

RELATIVE = 1e-4  # a root mean square difference of 100 gray levels counts 1


class Followed(NamedTuple):
    """The target of a temporal term.

    Attributes
    ----------
    image : (1, H, W, 3)
        An earlier painted frame, warped to the current one.
    weight : (1, H, W, 1)
        c, the weight of each pixel: 0 where the earlier frame does not show it.
    """

    image: tf.Tensor
    weight: tf.Tensor


def temporal_loss(image, target, scale=1.0):
    """Temporal loss of Ruder, Dosovitskiy & Brox 2016, over the pixels of nonzero weight.

    Parameters
    ----------
    image : (1, H, W, 3)
    target : Followed
    scale : float

    Returns
    -------
    scalar
        ``scale sum_k c_k (x_k - w_k)^2 / sum_k c_k``, where k are the values of the image; 0 if
        all weights are 0. The paper divides by the number of all values instead, so its loss is
        weaker for a frame with fewer known pixels.
    """
    return temporal_of_sums(temporal_sums(image, target), scale)


def temporal_sums(image, target):
    """Return the weighted sum of squared differences, and the weights of all values: (2,)."""
    difference = tf.cast(image, tf.float32) - target.image
    total = tf.reduce_sum(target.weight * tf.square(difference))
    return tf.stack([total, 3 * tf.reduce_sum(target.weight)])


def temporal_of_sums(sums, scale):
    """Return the loss from what `temporal_sums` returned."""
    total, number = tf.unstack(sums)
    return scale * tf.math.divide_no_nan(total, number)


@dataclass(frozen=True)
class TemporalTerm:
    """Make a frame match the previous ones.

    Attributes
    ----------
    weight : float
        gamma.
    scale : float
        As for `temporal_loss`.
    """

    weight: float = field(compare=False)
    scale: float = 1.0
    name = "temporal"
    layers = ()

    @classmethod
    def of_gray_levels(cls, weight, space):
        """Return a term whose loss is 1 where frames differ by 100 gray levels."""
        return cls(weight, RELATIVE * space.scale**2)

    def targets(self, objective, content_image, styles):
        """Return the target of a frame without a predecessor: all weights are 0."""
        image = tf.constant(content_image, tf.float32)
        return Followed(image, tf.zeros_like(image[..., :1]))

    def loss(self, features, image, target):
        """Return the unweighted loss, a scalar."""
        return temporal_loss(image, target, self.scale)
