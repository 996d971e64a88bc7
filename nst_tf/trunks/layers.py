"""What a trunk is made of, and the one way through it."""

import tensorflow as tf

from nst_tf.errors import ConfigError
from nst_tf.images import VGG_PIXELS, check_image


class ConvRelu:
    """A convolution with stride 1 and zero padding, its bias, and ReLU."""

    def __init__(self, kernel, bias):
        self.kernel = tf.constant(kernel, tf.float32)  # (h, w, in, out); constant: no gradient
        self.bias = tf.constant(bias, tf.float32)  # (out,)

    def __call__(self, x):
        """Map (1, H, W, in) to (1, H, W, out)."""
        x = tf.nn.conv2d(x, self.kernel, strides=1, padding="SAME")
        return tf.nn.relu(tf.nn.bias_add(x, self.bias))


class Pool:
    """Average or max pooling over 2x2; odd sizes are rounded up, as in Caffe."""

    def __init__(self, kind):
        self.kind = kind

    def __call__(self, x):
        """Map (1, H, W, N) to (1, ceil(H/2), ceil(W/2), N)."""
        pool = tf.nn.avg_pool2d if self.kind == "average" else tf.nn.max_pool2d
        return pool(x, ksize=2, strides=2, padding="SAME")


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
    """

    def __init__(self, layers, *, name, source, space=VGG_PIXELS):
        super().__init__(layers)
        self.name = name
        self.source = source
        self.space = space


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
        By layer name, in the trunk's order.
    """
    check_image("image", image)
    wanted = set(check_layers(model, layers))
    features = {}
    x = image
    for name, layer in model.items():
        if len(features) == len(wanted):
            break
        x = layer(x)
        if name in wanted:
            features[name] = x
    return features


def check_layers(model, layers):
    """Return `layers`, or say which of them the trunk has not."""
    if not isinstance(model, Trunk):
        raise ConfigError(f"`model` is {model!r:.60}; pass what load_vgg_model gives")
    for layer in layers:
        if layer not in model:
            raise ConfigError(
                f"there is no layer {layer!r} in {model.name}; it has {' '.join(model)}"
            )
    return layers
