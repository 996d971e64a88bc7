"""Rescale a trunk's filters to a mean activation of one."""

import numpy as np

from nst_tf.errors import ConfigError
from nst_tf.models.layers import Branch
from nst_tf.models.model import extract_features, resolve_layers

# A filter that is inactive on these pictures may be active on others: divided by its own mean, it
# would dominate. So means are at least this share of their layer's mean. Our choice.
MIN_SHARE = 0.05


def normalize_trunk(model, images):
    """Return the trunk in which each filter's mean activation over the images is one.

    Parameters
    ----------
    model : Trunk
        VGG or SqueezeNet, with its own pooling.
    images : sequence of (1, H, W, 3) float32
        In the trunk's pixel space, of any size. Many different images give a general trunk.

    Returns
    -------
    Trunk
        With the same layers and pixel space; each channel of its features is divided by that
        channel's mean over the images and positions.

    Raises
    ------
    ConfigError
        `images` is empty.

    Notes
    -----
    Gatys et al., CVPR 2016, section 2: "mean activation of each convolutional filter over images
    and positions is equal to one". Each layer's weights are multiplied by the divisors of its
    input and divided by its own means; nothing else changes, since ReLU and pooling commute with
    positive factors. Differs from the paper: the images are yours instead of ImageNet's; means
    below 5 % of their layer's mean are raised to that value; a layer without any activation does
    not change.
    """
    scales = {name: _scale(mean) for name, mean in channel_means(model, images).items()}
    layers, incoming = {}, np.ones(3)
    for name, layer in model.items():
        outgoing = scales.get(name, incoming)  # pools keep the divisors of their input
        layers[name] = layer.rescaled(incoming, outgoing)
        incoming = incoming if isinstance(layer, Branch) else outgoing
    return model.with_layers(layers, name=f"{model.name}, normalized")


def channel_means(model, images):
    """Return each filter's mean activation over images and positions.

    Parameters
    ----------
    model : Trunk
    images : sequence of (1, H, W, 3) float32

    Returns
    -------
    dict of (N_l,) float64
        By layer name, for layers with filters.
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
    """Return the divisors of a layer's channels."""
    if not mean.any():
        return np.ones_like(mean)
    return np.maximum(mean, MIN_SHARE * mean.mean())
