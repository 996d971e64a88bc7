"""A network as an ordered dict of layers, its features and its receptive fields."""

from typing import NamedTuple

import tensorflow as tf

from nst_tf.errors import ConfigError
from nst_tf.image.pixels import VGG_PIXELS, check_image
from nst_tf.models.layers import Branch


class Trunk(dict):
    """An ordered dict from layer name to callable, with metadata of the network.

    Attributes
    ----------
    name : str
        The network and its weights, for messages and reports.
    source : str
        Path of the weights.
    space : PixelSpace
        Of the input.
    dtype : tf.DType
        Of the layers' computation and the features. Images stay float32.
    wrap : {"", "x", "xy"}
        Axes in which the picture is circular: see `wrapped`.
    plain : Trunk
        The trunk that it is a wrapped copy of, by which styles are measured; or itself.
    """

    knows_fields = True  # whether the receptive fields are known
    float32_only = False

    def __init__(self, layers, *, name, source, space=VGG_PIXELS, dtype=tf.float32):
        super().__init__(layers)
        self.name = name
        self.source = source
        self.space = space
        self.dtype = dtype
        self.others = {}  # copies in other dtypes, and wrapped ones
        self.wrap, self.plain = "", self

    def __eq__(self, other):
        """Compare by identity: a trunk is part of the key of traced functions."""
        return self is other

    def __hash__(self):
        return id(self)

    def with_layers(self, layers, **changes):
        """Return a trunk with other layers and the same metadata, except for `changes`."""
        metadata = {name: getattr(self, name) for name in ("name", "source", "space", "dtype")}
        return Trunk(layers, **{**metadata, **changes})

    def computing_in(self, dtype):
        """Return a copy that computes in another dtype, such as bfloat16.

        The copy is cached, so that functions traced for it are reused.
        """
        if dtype == self.dtype:
            return self
        if dtype not in self.others:
            layers = {name: layer.changed(dtype=dtype) for name, layer in self.items()}
            self.others[dtype] = self.with_layers(layers, dtype=dtype)
        return self.others[dtype]

    def with_edges(self):
        """Return a copy whose convolutions pad with the outermost positions instead of zeros.

        With zeros, the features along the border differ from all others, at conv5_1 in a quarter
        of a small picture: the border is matched to the style's border, and the result has a frame
        or a band without strokes. (crowsonkb's style-transfer-pytorch repeats the pixels for the
        first convolution: "reduces edge artifacts". Here all convolutions do.) Layers without
        zero padding and SqueezeNet's fire modules do not change.
        """
        changed = {
            name: layer.changed(padding="EDGE")
            for name, layer in self.items()
            if getattr(layer, "padding", None) == "SAME" and layer.channels
        }
        return self.with_layers({**self, **changed}) if changed else self

    def wrapped(self, wrap):
        """Return a copy for pictures whose opposite edges meet.

        All convolutions and pools pad with the positions at the opposite edge, in the axis x
        ("x", a panorama of 360 degrees) or in both ("xy", a texture that tiles). The side of a
        picture in a wrapped axis must be divisible by the stride of the deepest layer that is
        read. The copy is cached, so that functions traced for it are reused. `style_transfer`
        creates it for its parameter `wrap`, which also affects total variation and sizes.

        Raises
        ------
        ConfigError
            The trunk is a wrapped Keras model.
        """
        if not self.knows_fields:
            raise ConfigError(
                f"{self.name} is a Keras model as it is, whose padding can't be changed, so `wrap` "
                "does not work; load it with vgg_from_keras, or leave `wrap` out"
            )
        if wrap not in self.others:
            layers = {name: layer.changed(wrap=wrap) for name, layer in self.items()}
            copy = self.others[wrap] = self.with_layers(layers)
            copy.wrap, copy.plain = wrap, self.plain
        return self.others[wrap]

    def side_strides(self, layers):
        """Return the divisors of the height and width of a picture: (int, int).

        For a wrapped axis, this is the stride of the deepest layer, because pools halve a map and
        an odd position would have no neighbor at the opposite edge. For other axes, it is 1.
        """
        fields = receptive_fields(self) if self.wrap else {}
        stride = max((fields[layer].stride for layer in layers if fields), default=1)
        return tuple(stride if axis in self.wrap else 1 for axis in "yx")

    def features(self, x, layers):
        """Return the features of the named layers for x (1, H, W, 3); see `extract_features`."""
        features = {}
        if not layers:
            return features
        for name, reached in self.walk(x, lambda layer, x: layer(x)):
            if name in layers:
                features[name] = reached
            if len(features) == len(layers):
                break
        return features

    def walk(self, state, step):
        """Yield the name of each layer and ``step(layer, state)``.

        `state` is the result for the previous layer; branches don't change it.
        """
        for name, layer in self.items():
            reached = step(layer, state)
            yield name, reached
            if not isinstance(layer, Branch):
                state = reached

    @property
    def convolutions(self):
        """Names of the layers with filters, in order; no pools."""
        return tuple(name for name, layer in self.items() if getattr(layer, "channels", None))


def extract_features(model, image, layers):
    """Return the features of an image at the named layers.

    Layers after the deepest named layer are not computed.

    Parameters
    ----------
    model : Trunk
    image : (1, H, W, 3) float32
        In the trunk's pixel space.
    layers : iterable of str
        Such as "conv4_2"; features are taken after the ReLU, as in the tutorials.

    Returns
    -------
    dict of (1, H_l, W_l, N_l)
        By layer name, in the trunk's order and dtype.
    """
    check_image("image", image)
    layers = set(check_layers(model, layers))
    return model.features(tf.cast(image, model.dtype), layers)


class Field(NamedTuple):
    """Receptive field of position i of a layer: `size` pixels from ``i * stride + first`` on."""

    stride: int
    first: int
    size: int


def receptive_fields(model):
    """Return the `Field` of each layer, in pixels of the picture along one side.

    At conv1_1 its size is 3, at VGG-19's conv5_1 156, with a stride of 16.

    Examples
    --------
    >>> from nst_tf import load_vgg_model
    >>> fields = receptive_fields(load_vgg_model("embedded"))
    >>> fields["conv1_1"].size, fields["conv2_1"].size
    (3, 10)
    """
    fields, (stride, first, size) = {}, Field(1, 0, 1)
    for name, layer in model.items():
        offset, window, step = layer.extent
        field = Field(stride * step, first + offset * stride, size + (window - 1) * stride)
        fields[name] = field
        if not isinstance(layer, Branch):
            stride, first, size = field
    return fields


def check_layers(model, layers):
    """Return `layers`, a str as a tuple; raise ConfigError if the trunk lacks one."""
    _check_trunk(model)
    layers = (layers,) if isinstance(layers, str) else layers
    for layer in layers:
        if layer not in model:
            raise ConfigError(
                f"there is no layer {layer!r} in {model.name}; it has {' '.join(model)}"
            )
    return layers


def resolve_layers(model, layers):
    """Return layer names with "all" and "last" resolved; check that the trunk has them.

    Parameters
    ----------
    model : Trunk
    layers : iterable of str, or str
        Layer names. "all", used alone, means every layer with filters; "last" means the deepest
        of them.

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
            f"the layers are {' '.join(layers)}; 'all' means every layer with filters: "
            "use it alone, or leave it out"
        )
    layers = tuple(model.convolutions[-1] if layer == "last" else layer for layer in layers)
    if len(set(layers)) < len(layers):
        raise ConfigError(f"the layers are {' '.join(layers)}; name each one once")
    return check_layers(model, layers)


def _check_trunk(model):
    if not isinstance(model, Trunk):
        raise ConfigError(
            f"`model` is {model!r:.60}; pass a model from load_vgg_model or KerasTrunk"
        )
