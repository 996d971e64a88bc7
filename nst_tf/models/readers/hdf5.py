"""Read VGG from HDF5: Keras' "notop" files.

Their input is BGR; the channels of conv1_1 are reversed to RGB here.
"""

import itertools
import math

import h5py
import numpy as np

from nst_tf.errors import WeightsError
from nst_tf.models.readers.checks import MOST_NUMBERS, check_numbers
from nst_tf.models.readers.vgg_weights import checked_vgg

FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}


def read_hdf5(path):
    """Read the convolutions of a Keras VGG-19 or VGG-16 notop file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    VggWeights
        With the mean of the original VGG.

    Raises
    ------
    WeightsError
        The file is damaged, or not a VGG.
    """
    try:
        with h5py.File(path, "r") as file:
            datasets = _keras_datasets(file)
            datasets = {name: pair for name, pair in datasets.items() if len(pair) == 2}
            check_numbers(path, itertools.chain(*datasets.values()))
            convolutions = {name: [*map(_array, pair)] for name, pair in datasets.items()}
    except MemoryError:
        raise WeightsError(f"{path} does not fit into memory") from None
    except WeightsError:
        raise
    except Exception as error:  # h5py raises many kinds for damaged files
        raise WeightsError(f"{path} is damaged or not a VGG file: {error!s:.300}") from None
    if "conv1_1" in convolutions:
        kernel, bias = convolutions["conv1_1"]
        if kernel.ndim == 4:
            convolutions["conv1_1"] = np.ascontiguousarray(kernel[:, :, ::-1]), bias
    return checked_vgg(path, convolutions)


def _keras_datasets(file):
    """Return the datasets of each convolution, from Keras' legacy layout: a group per layer."""
    convolutions = {}
    for group_name in map(_text, file.attrs.get("layer_names", ())):
        if "_conv" in group_name:
            group = _member(file, group_name)
            datasets = [_member(group, _text(name)) for name in group.attrs["weight_names"]]
            convolutions[_layer_name(group_name)] = datasets
    return convolutions


def _member(group, name):
    """Return a member of a group; reject links, within this file or to another."""
    for part in filter(None, name.split("/")):
        if not isinstance(group.get(part, getlink=True), h5py.HardLink):
            raise ValueError(f"{name[:80]!r} is missing or a link")
        group = group[part]
    return group


def _layer_name(keras_name):
    """Convert block4_conv2 to conv4_2."""
    return keras_name.replace("block", "conv").replace("_conv", "_")


def _array(dataset):
    """Read a dataset stored in this file, uncompressed or compressed with gzip."""
    properties = dataset.id.get_create_plist()
    filters = {properties.get_filter(index)[0] for index in range(properties.get_nfilters())}
    if dataset.is_virtual or dataset.external or not filters <= FILTERS:
        raise ValueError("its numbers are in another file, or compressed by a plug-in")
    if dataset.dtype.kind not in "fiu" or math.prod(dataset.chunks or (0,)) > MOST_NUMBERS:
        raise ValueError(f"a kernel or bias holds {dataset.dtype} in chunks of {dataset.chunks}")
    return np.asarray(dataset, np.float32)


def _text(value):
    return value.decode() if isinstance(value, bytes) else str(value)
