"""Additional layers of a trunk: dilated filters, and linear maps of channels.

leongatys/NeuralImageSynthesis compares such features as well (`ComputeActivationsDilation.lua`,
`LinTransMSE` and `LinTransGramMSE`).
"""

import numpy as np
import tensorflow as tf

from nst_tf.errors import ConfigError
from nst_tf.models.layers import Branch, ConvRelu
from nst_tf.models.model import check_layers


def with_dilation(model, layer, dilation):
    """Return a trunk with an additional layer: a dilated copy of a convolution.

    Parameters
    ----------
    model : Trunk
        VGG, from a file or from `vgg_from_keras`.
    layer : str
        A convolution, such as "conv4_1". The new layer has the same input.
    dilation : int
        Distance between the positions that a filter multiplies: with 2, a window of 5x5.

    Returns
    -------
    Trunk
        Its layer "conv4_1_dilated_2" can be used like any other.

    Raises
    ------
    ConfigError
        The layer is missing or not a convolution, or the dilation is not a whole number above 0.
    """
    check_layers(model, layer)
    if not isinstance(model[layer], ConvRelu):
        raise ConfigError(
            f"{layer} of {model.name} is not a convolution; there are "
            f"{' '.join(model.convolutions)}"
        )
    if isinstance(dilation, bool) or not isinstance(dilation, int) or dilation < 1:
        raise ConfigError(f"`dilation` is {dilation!r}; a whole number of at least 1 was expected")
    branch = Branch(model[layer].changed(dilation=dilation))
    return _with_branch(model, layer, f"{layer}_dilated_{dilation}", branch, after=False)


def with_linear_map(model, layer, matrix, name="mapped"):
    """Return a trunk with an additional layer: linear combinations of a layer's channels.

    Parameters
    ----------
    model : Trunk
    layer : str
    matrix : (out, in)
        ``F'_kj = sum_i matrix_ji F_ki`` at each position k, without a ReLU.
    name : str
        Suffix of the new layer, such as in "conv4_1_mapped".

    Returns
    -------
    Trunk

    Raises
    ------
    ConfigError
        The layer is missing, or the matrix does not fit its channels.
    """
    check_layers(model, layer)
    try:
        matrix = np.asarray(matrix, np.float32)
    except (TypeError, ValueError):
        raise ConfigError(f"`matrix` is {matrix!r:.60}; numbers (out, in) were expected") from None
    channels = dict(model.walk(3, lambda own, incoming: own.channels or incoming))[layer]
    if matrix.ndim != 2 or matrix.shape[1] != channels:
        raise ConfigError(
            f"`matrix` has shape {matrix.shape}; (any, {channels}) was expected: {layer} has "
            f"{channels} channels"
        )
    if not np.isfinite(matrix).all():
        raise ConfigError("`matrix` holds NaN or infinite numbers")
    branch = Branch(LinearMap(matrix))
    return _with_branch(model, layer, f"{layer}_{name}", branch, after=True)


def _with_branch(model, layer, name, branch, *, after):
    if not model.knows_fields:
        raise ConfigError(
            f"{model.name} is a Keras model as it is; load it with vgg_from_keras to add layers"
        )
    if name in model:
        raise ConfigError(f"{model.name} has a layer {name} already; give another name")
    layers = {}
    for known, own in model.items():
        pair = [(known, own), (name, branch)] if known == layer else [(known, own)]
        layers.update(pair if after else reversed(pair))
    return model.with_layers(layers)


class LinearMap:
    """Linear combinations (out, in) of channels, position by position."""

    extent = 0, 1, 1

    def __init__(self, matrix, dtype=tf.float32):
        self.matrix = tf.cast(tf.constant(matrix), dtype)

    def __call__(self, x):
        """Map (1, H, W, in) to (1, H, W, out)."""
        return tf.nn.conv2d(x, tf.transpose(self.matrix)[tf.newaxis, tf.newaxis], 1, "VALID")

    @property
    def channels(self):
        """Number of combinations."""
        return int(self.matrix.shape[0])

    def changed(self, *, dtype=None, wrap=None):
        """Return a copy with another dtype; `wrap` has no effect, as there is no padding."""
        return LinearMap(self.matrix, dtype or self.matrix.dtype)

    def reach(self, mask):
        """Return the mask itself: positions are mapped one by one."""
        return mask

    shrunk = reach

    def rescaled(self, incoming, outgoing):
        """Return the layer for inputs divided by `incoming`, with outputs divided by `outgoing`."""
        return LinearMap(self.matrix.numpy() * incoming / np.reshape(outgoing, (-1, 1)))
