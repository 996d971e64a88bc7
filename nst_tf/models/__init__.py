"""Trunks: pretrained networks as an ordered dict from layer name to a callable."""

from nst_tf.models.branches import with_dilation, with_linear_map
from nst_tf.models.keras_model import KerasTrunk, vgg_from_keras
from nst_tf.models.layers import ConvRelu, Fire, Pool
from nst_tf.models.load import load_model, weights_family
from nst_tf.models.model import (
    Trunk,
    check_layers,
    extract_features,
    receptive_fields,
    resolve_layers,
)
from nst_tf.models.normalize import normalize_trunk
from nst_tf.models.squeezenet import (
    CS231N_LAYERS,
    find_squeezenet_weights,
    load_squeezenet_model,
    squeezenet_version,
)
from nst_tf.models.vgg import find_vgg_weights, load_vgg_model

__all__ = [
    "CS231N_LAYERS",
    "ConvRelu",
    "Fire",
    "KerasTrunk",
    "Pool",
    "Trunk",
    "check_layers",
    "extract_features",
    "find_squeezenet_weights",
    "find_vgg_weights",
    "load_model",
    "load_squeezenet_model",
    "load_vgg_model",
    "normalize_trunk",
    "receptive_fields",
    "resolve_layers",
    "squeezenet_version",
    "vgg_from_keras",
    "weights_family",
    "with_dilation",
    "with_linear_map",
]
