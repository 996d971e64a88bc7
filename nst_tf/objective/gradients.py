"""Gradients of equal size, whatever the scale of a loss (jcjohnson's -normalize_gradients)."""

import tensorflow as tf

TINY = 1e-8  # jcjohnson's: added to the norm


def normalized(term, weight, features, image):
    """Return features and image as a term reads them if its gradient is to be normalized.

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
        Of the same values.
    """
    if not term.layers:
        return features, with_normalized_gradient(image, weight)
    maps = {
        layer: with_normalized_gradient(features[layer], weight * layer_weight)
        for layer, layer_weight in term.layer_weights
    }
    return maps, image


def with_normalized_gradient(x, weight):
    """Return `x`; a gradient ``weight g`` becomes ``weight g / (|g|_1 + 1e-8)`` on its way back."""

    @tf.custom_gradient
    def identity(x):
        def gradient(upstream):
            weighted = tf.cast(upstream, tf.float32)  # sums of bfloat16 would lose digits
            norm = tf.reduce_sum(tf.abs(weighted))
            scaled = weighted * tf.math.divide_no_nan(weight, norm + weight * TINY)
            return tf.cast(scaled, upstream.dtype)

        return tf.identity(x), gradient

    return identity(x)
