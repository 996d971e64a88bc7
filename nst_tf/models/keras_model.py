"""Keras models as trunks."""

import keras
import tensorflow as tf

from nst_tf.errors import ConfigError
from nst_tf.image.pixels import PixelSpace
from nst_tf.models.model import Trunk

RGB = PixelSpace(mean=(0.0, 0.0, 0.0))  # RGB in 0..255; no mean subtracted


class KerasTrunk(Trunk):
    """A Keras model as a trunk; layers are selected by name.

    Masks, tiles and bfloat16 are not supported: the layers' receptive fields are unknown.

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
