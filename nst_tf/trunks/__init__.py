"""Trunks: pretrained networks as an ordered dict from layer name to a callable."""

from nst_tf.trunks.layers import ConvRelu, Pool, Trunk, check_layers, extract_features
from nst_tf.trunks.vgg import find_vgg_weights, load_vgg_model

__all__ = [
    "ConvRelu",
    "Pool",
    "Trunk",
    "check_layers",
    "extract_features",
    "find_vgg_weights",
    "load_vgg_model",
]
