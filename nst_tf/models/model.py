"""A network as an ordered dict of layers, and its features."""

from typing import NamedTuple

import tensorflow as tf

from nst_tf.errors import ConfigError
from nst_tf.image.pixels import VGG_PIXELS, check_image


class Trunk(dict):
    """An ordered dict from layer name to a callable, with what belongs to the network.

    Attributes
    ----------
    name : str
        Which network this is, honestly.
    source : str
        Where its numbers were read from.
    space : PixelSpace
        What it takes for pixels.
    dtype : tf.DType
        What its layers compute in, and their features are. Images stay float32.
    """

    knows_fields = True  # of view: what each layer sees of the picture

    def __init__(self, layers, *, name, source, space=VGG_PIXELS, dtype=tf.float32):
        super().__init__(layers)
        self.name = name
        self.source = source
        self.space = space
        self.dtype = dtype
        self.others = {}  # the same trunk in other dtypes

    def __eq__(self, other):
        """Return whether it is the same trunk: it is a key of traced functions."""
        return self is other

    def __hash__(self):
        return id(self)

    def with_layers(self, layers, **changes):
        """Return a trunk of other layers, all else as it is but for `changes`."""
        same = {name: getattr(self, name) for name in ("name", "source", "space", "dtype")}
        return Trunk(layers, **{**same, **changes})

    def computing_in(self, dtype):
        """Return the trunk whose layers compute in another dtype, such as bfloat16.

        It is the same one each time: what was traced for it fits.
        """
        if dtype == self.dtype:
            return self
        if dtype not in self.others:
            layers = {name: layer.changed(dtype=dtype) for name, layer in self.items()}
            self.others[dtype] = self.with_layers(layers, dtype=dtype)
        return self.others[dtype]

    def with_edges(self):
        """Return the trunk whose convolutions repeat the outermost positions instead of zeros.

        With zeros the features along the border differ from all others, at conv5_1 those of a
        whole quarter of a small picture: the style's border is matched at the border, as a frame
        or a band without strokes. (crowsonkb's style-transfer-pytorch repeats the pixels for the
        first convolution: "reduces edge artifacts". Here all convolutions do.) Layers without
        zero padding, and SqueezeNet's fire modules, stay as they are.
        """
        changed = {
            name: layer.changed(padding="EDGE")
            for name, layer in self.items()
            if getattr(layer, "padding", None) == "SAME" and layer.channels
        }
        return self.with_layers({**self, **changed}) if changed else self

    def features(self, x, layers):
        """Return what the named layers give for x (1, H, W, 3): see `extract_features`."""
        features = {}
        for name, layer in self.items():
            if len(features) == len(layers):
                break
            x = layer(x)
            if name in layers:
                features[name] = x
        return features

    @property
    def convolutions(self):
        """The names of the layers that have filters of their own, in order; no pools."""
        return tuple(name for name, layer in self.items() if getattr(layer, "channels", None))


def extract_features(model, image, layers):
    """Run an image through a trunk and keep what the named layers say.

    Nothing deeper than the deepest named layer is computed.

    Parameters
    ----------
    model : Trunk
    image : (1, H, W, 3) float32
        In the trunk's pixel space.
    layers : iterable of str
        Such as "conv4_2": after the ReLU, as in the tutorials.

    Returns
    -------
    dict of (1, H_l, W_l, N_l)
        By layer name, in the trunk's order; in the trunk's dtype.
    """
    check_image("image", image)
    return model.features(tf.cast(image, model.dtype), set(check_layers(model, layers)))


class Field(NamedTuple):
    """What position i of a layer sees: pixels ``i * stride + first`` and on, `size` of them."""

    stride: int
    first: int
    size: int


def receptive_fields(model):
    """Return the `Field` of each layer, in pixels of the picture along one side.

    At conv1_1 its size is 3, at VGG-19's conv5_1 156, with a stride of 16.
    """
    fields = {}
    stride, first, size = 1, 0, 1
    for name, layer in model.items():
        begin, number, step = layer.extent
        first += begin * stride
        size += (number - 1) * stride
        stride *= step
        fields[name] = Field(stride, first, size)
    return fields


def check_layers(model, layers):
    """Return `layers`, or say which of them the trunk has not; one may come as a text."""
    _check_trunk(model)
    layers = (layers,) if isinstance(layers, str) else layers
    for layer in layers:
        if layer not in model:
            raise ConfigError(
                f"there is no layer {layer!r} in {model.name}; it has {' '.join(model)}"
            )
    return layers


def resolve_layers(model, layers):
    """Return the names of the layers meant, after checking that the trunk has them.

    Parameters
    ----------
    model : Trunk
    layers : iterable of str, or str
        Layer names. "all" by itself stands for every layer that has filters, "last" for the
        deepest of them.

    Returns
    -------
    tuple of str
    """
    _check_trunk(model)
    layers = (layers,) if isinstance(layers, str) else tuple(layers)
    if layers == ("all",):
        return model.convolutions
    if "all" in layers:
        raise ConfigError(
            f"the layers are {' '.join(layers)}; 'all' means every layer that has filters: "
            "give it by itself, or leave it out"
        )
    layers = tuple(model.convolutions[-1] if layer == "last" else layer for layer in layers)
    return check_layers(model, layers)


def _check_trunk(model):
    if not isinstance(model, Trunk):
        raise ConfigError(f"`model` is {model!r:.60}; pass what load_vgg_model or KerasTrunk gives")
