"""Keras models as trunks."""

import keras
import numpy as np
import tensorflow as tf

from nst_tf.errors import ConfigError
from nst_tf.image.pixels import VGG_PIXELS, PixelSpace
from nst_tf.models.layers import check_pooling
from nst_tf.models.model import Trunk
from nst_tf.models.readers.vgg_weights import checked_vgg, folded, numbered_layers
from nst_tf.models.vgg import vgg_layers

RGB = PixelSpace(mean=(0.0, 0.0, 0.0))  # RGB in 0..255; no mean subtracted


class KerasTrunk(Trunk):
    """A Keras model as a trunk; layers are selected by name.

    Masks, tiles, `wrap` and bfloat16 are not supported: the layers' receptive fields are unknown.

    Parameters
    ----------
    model : keras.Model
        Built with the functional API; maps (1, H, W, 3) to feature maps (1, H, W, N).
    preprocess : callable, optional
        Converts an image, a float32 tensor of RGB in 0..255, to the model's input by TensorFlow
        operations; for Keras' applications, their ``preprocess_input``. Default: no conversion.

    Examples
    --------
    >>> import keras
    >>> network = keras.applications.VGG19(include_top=False, weights=None)
    >>> model = KerasTrunk(network, keras.applications.vgg19.preprocess_input)
    >>> model.convolutions[:2]
    ('block1_conv1', 'block1_conv2')
    """

    knows_fields = False
    float32_only = True

    def __init__(self, model, preprocess=None):
        if not isinstance(model, keras.Model) or not hasattr(model, "inputs"):
            raise ConfigError(f"{model!r:.60} is not a Keras model with inputs and outputs")
        if preprocess is not None and not callable(preprocess):
            raise ConfigError(f"`preprocess` is {preprocess!r:.60}; a function was expected")
        layers = {layer.name: layer for layer in model.layers if _returns_maps(layer)}
        super().__init__(layers, name=model.name, source="keras", space=RGB)
        self.model = model
        self.preprocess = preprocess or tf.identity
        self._extractors = {}

    @property
    def convolutions(self):
        """Names of the layers with filters, in order."""
        return tuple(name for name, layer in self.items() if hasattr(layer, "kernel"))

    def computing_in(self, dtype):
        """Return the model itself; only float32 is supported."""
        if dtype != tf.float32:
            raise ConfigError("a Keras model computes in float32; leave out precision='mixed'")
        return self

    def features(self, x, layers):
        """Return the features of the named layers for x (1, H, W, 3)."""
        layers = tuple(layer for layer in self if layer in layers)
        if not layers:
            return {}
        if layers not in self._extractors:
            outputs = {layer: self[layer].output for layer in layers}
            self._extractors[layers] = keras.Model(self.model.inputs, outputs)
        return self._extractors[layers](self.preprocess(x), training=False)


def _returns_maps(layer):
    """Return whether a layer's output is (1, H, W, N)."""
    output = getattr(layer, "output", None)
    is_input = isinstance(layer, keras.layers.InputLayer)
    return not is_input and getattr(output, "shape", None) is not None and len(output.shape) == 4


def vgg_from_keras(model, *, bgr=True, space=VGG_PIXELS, pooling="average"):
    """Return a VGG-19, 16, 13 or 11 in Keras as a trunk with the layer names of VGG.

    Unlike a `KerasTrunk` it can be used with masks, in tiles and in bfloat16, and its pooling can
    be chosen.

    Parameters
    ----------
    model : keras.Model
        With VGG's convolutions, of any names, each with a ReLU; and either no batch normalization
        or one between each convolution and its ReLU, which is folded into the convolution.
    bgr : bool
        Whether its input has the channels blue, green, red, as in `keras.applications`.
    space : PixelSpace
        Of its input, in the order red, green, blue.
    pooling : {"average", "max", "l2", "average-rescaled", "l2-rescaled"}
        Replaces the pooling of the model.

    Returns
    -------
    Trunk
        conv1_1, conv1_2, ..., each with its ReLU, and pools as from `load_vgg_model`.

    Raises
    ------
    ConfigError, WeightsError
        The model is not a VGG, or has batch normalizations elsewhere.
    """
    check_pooling(pooling)
    if not isinstance(model, keras.Model):
        raise ConfigError(f"{model!r:.60} is not a Keras model")
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    names = numbered_layers([layer.filters for layer in layers])
    if names is None:
        raise ConfigError(
            f"{model.name} has {len(layers)} convolutions, which are not those of VGG-19, 16, 13 "
            "or 11; pass it to KerasTrunk, which takes any model"
        )
    convolutions = dict(zip(names, map(_kernel_and_bias, layers, _normalizations(model, layers))))
    if bgr:
        kernel, bias = convolutions["conv1_1"]
        convolutions["conv1_1"] = kernel[:, :, ::-1], bias
    weights = checked_vgg(model.name, convolutions, space.mean)
    name = f"{weights.network} from {model.name}"
    return Trunk(vgg_layers(convolutions, pooling), name=name, source="keras", space=space)


def _normalizations(model, convolutions):
    """Return the batch normalization after each convolution, or None for each."""
    found = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not found:
        return [None] * len(convolutions)
    inputs = [layer.input for layer in found]
    if len(found) != len(convolutions) or any(
        convolution.output is not x or convolution.activation is not keras.activations.linear
        for convolution, x in zip(convolutions, inputs)
    ):
        raise ConfigError(
            f"{model.name} has {len(found)} batch normalizations for {len(convolutions)} "
            "convolutions; one between each convolution and its ReLU was expected"
        )
    return found


def _kernel_and_bias(convolution, normalization):
    kernel = np.asarray(convolution.kernel)
    bias = np.zeros(kernel.shape[3], np.float32)
    if convolution.use_bias:
        bias = np.asarray(convolution.bias)
    if normalization is None:
        return kernel, bias
    gamma = 1.0 if normalization.gamma is None else normalization.gamma
    beta = 0.0 if normalization.beta is None else normalization.beta
    moving = normalization.moving_mean, normalization.moving_variance
    return folded(kernel, bias, (gamma, beta, *moving), normalization.epsilon)
