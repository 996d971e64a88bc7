"""Gradients normalized for each loss and layer (jcjohnson's -normalize_gradients)."""

import tensorflow as tf

TINY = 1e-8  # jcjohnson's: added to the norm


def normalized(term, weight, features, image):
    """Return the features and the image for a term whose gradient is normalized.

    The gradient of the weighted loss at each layer of the term, or at the pixels for a term
    without layers, becomes ``w g / (|g|_1 + 1e-8)``: ``g`` is the gradient of the unweighted loss,
    and ``w`` the weight of the term times that of the layer.

    Parameters
    ----------
    term : ContentTerm, StyleTerm, TVTerm
    weight : scalar
        Of the term.
    features : dict of (1, H_l, W_l, N_l)
    image : (1, H, W, 3)

    Returns
    -------
    dict of (1, H_l, W_l, N_l), (1, H, W, 3)
        The same values.
    """
    if not term.layers:
        return features, with_normalized_gradient(image, weight)
    maps = {
        layer: with_normalized_gradient(features[layer], weight * layer_weight)
        for layer, layer_weight in term.layer_weights
    }
    return maps, image


def with_normalized_gradient(x, weight):
    """Return `x`, and change its gradient ``weight g`` to ``weight g / (|g|_1 + 1e-8)``."""

    @tf.custom_gradient
    def identity(x):
        def gradient(upstream):
            weighted = tf.cast(upstream, tf.float32)  # sums of bfloat16 would lose digits
            norm = tf.reduce_sum(tf.abs(weighted))
            scaled = weighted * tf.math.divide_no_nan(weight, norm + weight * TINY)
            return tf.cast(scaled, upstream.dtype)

        return tf.identity(x), gradient

    return identity(x)
