"""Scales a trunk's filters so that each of them speaks equally loud."""

import numpy as np

from nst_tf.errors import ConfigError
from nst_tf.models.model import extract_features, resolve_layers

# A filter that is silent on these pictures may shout on others: divided by its own mean it would
# drown the rest. So no filter counts for quieter than this share of its layer's mean. Our choice.
QUIETEST = 0.05


def normalize_trunk(model, images):
    """Return the trunk in which each filter's mean activation over the images is one.

    Parameters
    ----------
    model : Trunk
        VGG or SqueezeNet, with its own pooling.
    images : sequence of (1, H, W, 3) float32
        In the trunk's pixel space; of any sizes. Many and varied ones make a general trunk.

    Returns
    -------
    Trunk
        Same layers and pixel space; its features are the model's, channel by channel divided
        by the channel's mean over the images and positions.

    Raises
    ------
    ConfigError
        There are no images.

    Notes
    -----
    Gatys et al., CVPR 2016, section 2: "mean activation of each convolutional filter over images
    and positions is equal to one". Each layer's weights are multiplied by what its input was
    divided by and divided by its own means; nothing else changes, as ReLU and pooling let a
    positive factor through. Differs from the paper: the images are yours instead of ImageNet's, and
    filters quieter than 5 % of their layer's mean are taken to be that loud; a layer that is
    silent throughout stays as it is.
    """
    scales = {name: _scale(mean) for name, mean in channel_means(model, images).items()}
    layers, incoming = {}, np.ones(3)
    for name, layer in model.items():
        outgoing = scales.get(name, incoming)  # a pool passes on what it is given
        layers[name] = layer.rescaled(incoming, outgoing)
        incoming = outgoing
    return model.with_layers(layers, name=f"{model.name}, normalised")


def channel_means(model, images):
    """Return each filter's mean activation over images and positions.

    Parameters
    ----------
    model : Trunk
    images : sequence of (1, H, W, 3) float32

    Returns
    -------
    dict of (N_l,) float64
        By the name of each layer that has filters.
    """
    names = resolve_layers(model, "all")
    sums, positions = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0)
    for image in images:
        for name, features in extract_features(model, image, names).items():
            sums[name] = sums[name] + np.sum(features, axis=(0, 1, 2), dtype=np.float64)
            positions[name] += features.shape[1] * features.shape[2]
    if not all(positions.values()):
        raise ConfigError("`images` is empty; pass at least one image, (1, height, width, 3)")
    return {name: sums[name] / positions[name] for name in names}


def _scale(mean):
    """Return what a layer's channels are divided by."""
    if not mean.any():
        return np.ones_like(mean)
    return np.maximum(mean, QUIETEST * mean.mean())
