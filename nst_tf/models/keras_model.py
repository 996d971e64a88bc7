"""Any Keras model with named layers, as a model for style transfer."""

import keras
import tensorflow as tf

from nst_tf.errors import ConfigError
from nst_tf.image.pixels import PixelSpace
from nst_tf.models.model import Trunk

RGB = PixelSpace(mean=(0.0, 0.0, 0.0))  # an image is a picture as it is: RGB in 0..255


class KerasTrunk(Trunk):
    """A Keras model whose layers are read by their names.

    Masks, tiles and bfloat16 need to know what a layer sees of the picture; they are refused.

    Parameters
    ----------
    model : keras.Model
        Built with the functional API; it takes (1, H, W, 3) and gives maps (1, H, W, N).
    preprocess : callable, optional
        From an image, RGB in 0..255, to what the model takes: of Keras' applications it is their
        ``preprocess_input``. Default: the model takes the image as it is.

    Examples
    --------
    >>> import keras
    >>> network = keras.applications.VGG19(include_top=False, weights=None)
    >>> model = KerasTrunk(network, keras.applications.vgg19.preprocess_input)
    >>> model.convolutions[:2]
    ('block1_conv1', 'block1_conv2')
    """

    knows_fields = False

    def __init__(self, model, preprocess=None):
        if not isinstance(model, keras.Model) or not hasattr(model, "inputs"):
            raise ConfigError(f"{model!r:.60} is no Keras model with inputs and outputs")
        layers = {layer.name: layer for layer in model.layers if _gives_maps(layer)}
        super().__init__(layers, name=model.name, source="keras", space=RGB)
        self.model = model
        self.preprocess = preprocess or tf.identity
        self._parts = {}

    @property
    def convolutions(self):
        """The names of the layers that have filters of their own, in order."""
        return tuple(name for name, layer in self.items() if hasattr(layer, "kernel"))

    def computing_in(self, dtype):
        """Return the model itself; only float32 is possible."""
        if dtype != tf.float32:
            raise ConfigError("a Keras model computes in float32; leave out the precision mixed")
        return self

    def features(self, x, layers):
        """Return the features of an image, by layer name."""
        layers = tuple(layer for layer in self if layer in layers)
        if not layers:
            return {}
        if layers not in self._parts:
            outputs = {layer: self[layer].output for layer in layers}
            self._parts[layers] = keras.Model(self.model.inputs, outputs)
        return self._parts[layers](self.preprocess(x), training=False)


def _gives_maps(layer):
    """Return whether a layer gives maps (1, H, W, N)."""
    output = getattr(layer, "output", None)
    inputs = isinstance(layer, keras.layers.InputLayer)
    return not inputs and getattr(output, "shape", None) is not None and len(output.shape) == 4
