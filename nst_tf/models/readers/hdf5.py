"""Read VGG from the files that Keras saves.

The three layouts:

============================  =====================================================
notop, ``save_weights`` .h5   a group per layer, named in the attribute layer_names
``model.save("x.h5")``        the same in the group model_weights
``save_weights`` .weights.h5  layers/conv2d_4/vars/0 and 1, numbered by kind of layer
============================  =====================================================

A .keras is a zip with the last one. Their input is BGR; the channels of conv1_1 are reversed to RGB
here.
"""

import io
import itertools
import math
import re
import zipfile

import h5py
import numpy as np

from nst_tf.errors import WeightsError
from nst_tf.models.readers.checks import MOST_NUMBERS, check_numbers
from nst_tf.models.readers.vgg_weights import CONVOLUTIONS_PER_BLOCK, LAYER_NAMES, checked_vgg

FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
ARCHIVED = "model.weights.h5"  # in a .keras
MOST_BYTES = 2**30  # of it; VGG-19 with its top has 575 million
NAMED = re.compile(r"block(\d+)_conv(\d+)")  # layers of keras.applications
NUMBERED = re.compile(r"(.*?)(?:_(\d+))?")  # conv2d, conv2d_1, conv2d_2, ...


def read_hdf5(path):
    """Read the convolutions of a VGG-19 or VGG-16 that Keras saved as HDF5.

    Parameters
    ----------
    path : Path
        Saved by `save_weights` or `save`, with or without top; or a notop file of Keras.

    Returns
    -------
    VggWeights
        With the mean of the original VGG.

    Raises
    ------
    WeightsError
        The file is damaged, or not a VGG.
    """
    return _read(path, path)


def read_keras_archive(path):
    """Read the convolutions of a .keras file; its config.json, which can name code, is not read.

    Parameters and return value are those of `read_hdf5`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entry = archive.getinfo(ARCHIVED)
            # Keras does not compress: then the size of the file is the maximum.
            if entry.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{ARCHIVED} is compressed")
            if entry.file_size > MOST_BYTES:
                raise WeightsError(
                    f"{path} has {entry.file_size:,} bytes of weights; at most {MOST_BYTES:,} were "
                    "expected: save a model without an optimizer and without top"
                )
            data = archive.read(entry)
    except WeightsError:
        raise
    except MemoryError:
        raise WeightsError(f"{path} does not fit into memory") from None
    except Exception as error:  # zipfile raises many kinds for damaged files
        raise WeightsError(f"{path} is damaged or not a .keras file: {error!s:.300}") from None
    return _read(path, io.BytesIO(data))


def _read(path, source):
    """Read a file or a file object; `path` is named in errors."""
    try:
        with h5py.File(source, "r") as file:
            datasets = _with_vgg_names(path, _layers(file))
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


def _layers(file):
    """Return the layers with two arrays, kernel and bias, in order: a list of (name, datasets)."""
    if "layers" in file:
        layers = _numbered_layers(_member(file, "layers"))
    elif "model_weights" in file:
        layers = _legacy_layers(_member(file, "model_weights"))
    else:
        layers = _legacy_layers(file)
    return [(name, datasets) for name, datasets in layers if len(datasets) == 2]


def _legacy_layers(group):
    for name in map(_text, group.attrs.get("layer_names", ())):
        layer = _member(group, name)
        yield name, [_member(layer, _text(weight)) for weight in layer.attrs["weight_names"]]


def _numbered_layers(group):
    for name in sorted(group, key=_by_number):
        if "vars" in _member(group, name):
            variables = _member(group[name], "vars")
            own_name = _text(variables.attrs.get("name", name))  # missing in Keras 3.0
            yield own_name, [_member(variables, key) for key in sorted(variables)]


def _by_number(name):
    kind, number = NUMBERED.fullmatch(name).groups()
    return kind, int(number or 0)


def _with_vgg_names(path, layers):
    """Return the datasets of the convolutions by VGG's names of layers.

    A network of one's own, whose layers are conv2d, conv2d_1 and so on, is recognized by its
    number of convolutions and by their channels, which change from block to block only.
    """
    named = {f"conv{m[1]}_{m[2]}": pair for name, pair in layers if (m := NAMED.fullmatch(name))}
    if named:
        return named
    pairs = [pair for _, pair in layers if pair[0].ndim == 4]
    for network, names in LAYER_NAMES.items():
        if len(pairs) == len(names):
            channels = {(name[:5], pair[0].shape[3]) for name, pair in zip(names, pairs)}
            if len(channels) == len(CONVOLUTIONS_PER_BLOCK[network]):
                return dict(zip(names, pairs))
    if not pairs:
        return {}
    raise WeightsError(
        f"{path} has {len(pairs)} convolutions, which are not those of VGG-19 or VGG-16"
    )


def _member(group, name):
    """Return a member of a group; reject links, within this file or to another."""
    for part in filter(None, name.split("/")):
        if not isinstance(group.get(part, getlink=True), h5py.HardLink):
            raise ValueError(f"{name[:80]!r} is missing or a link")
        group = group[part]
    return group


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
