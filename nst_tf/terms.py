"""Binds targets to the equations: what is to be kept, and what is to be matched.

A term says which layers it reads and gives a scalar for (features, image); what it aims at was
computed once, when the term was made.
"""

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

from nst_tf.losses import content_loss, gram_matrix, style_loss, tv_loss
from nst_tf.trunks import extract_features


@dataclass(frozen=True)
class Term:
    """One part of the total loss.

    Attributes
    ----------
    name : str
        Under which its unweighted value is reported.
    weight : float
        alpha, beta or the like.
    layers : tuple of str
        The layers that `loss` reads.
    loss : callable
        ``(features, image) -> scalar``.
    """

    name: str
    weight: float
    layers: tuple[str, ...]
    loss: Callable


def content_term(model, content_image, layers, weight):
    """Keep the features of `content_image` (1, H, W, 3): eq. (1), summed over `layers`."""
    targets = _compiled_features(model, content_image, layers)

    def loss(features, image):
        return tf.add_n([content_loss(features[layer], targets[layer]) for layer in layers])

    return Term("content", weight, tuple(layers), loss)


def style_term(model, style_image, layer_weights, weight):
    """Match the Gram matrices of `style_image` (1, H, W, 3): eq. (5), w_l by layer name."""
    features = _compiled_features(model, style_image, layer_weights)
    targets = {
        layer: gram_matrix(feature, per_position=True) for layer, feature in features.items()
    }

    def loss(features, image):
        return style_loss(features, targets, layer_weights)

    return Term("style", weight, tuple(layer_weights), loss)


def tv_term(weight):
    """Keep neighbouring pixels alike: total variation."""
    return Term("tv", weight, (), lambda features, image: tv_loss(image))


def _compiled_features(model, image, layers):
    """Extract once, compiled like the loop, so that the start's content loss is exactly 0."""
    image = tf.constant(image, tf.float32)
    extract = tf.function(lambda x: extract_features(model, x, layers))
    return extract.get_concrete_function(image)(image)
