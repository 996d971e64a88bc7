"""Read VGG from the files that Keras saves.

The three layouts:

============================  =====================================================
notop, ``save_weights`` .h5   a group per layer, named in the attribute layer_names
``model.save("x.h5")``        the same in the group model_weights
``save_weights`` .weights.h5  layers/conv2d_4/vars/0 and 1, numbered by kind of layer
============================  =====================================================

A .keras is a zip with the last one. Their input is BGR; the channels of conv1_1 are reversed to RGB
here. Batch normalizations, one after each convolution, are folded into the convolutions.
"""

import io
import itertools
import json
import math
import re
import zipfile

import h5py
import numpy as np

from nst_tf.errors import WeightsError
from nst_tf.models.readers.checks import MOST_NUMBERS, check_numbers
from nst_tf.models.readers.vgg_weights import checked_vgg, folded, numbered_layers

FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
ARCHIVED, CONFIG = "model.weights.h5", "config.json"  # in a .keras
MOST_CONFIG = 2**22  # bytes of a model's description as JSON
EPSILON = 1e-3  # Keras' default of batch normalization, for files without a description
MOST_BYTES = 2**30  # of it; VGG-19 with its top has 575 million
NAMED = re.compile(r"(?:block|conv)(\d+)_(?:conv)?(\d+)")  # keras.applications', or VGG's names
NUMBERED = re.compile(r"(.*?)(?:_(\d+))?")  # conv2d, conv2d_1, conv2d_2, ...


def read_hdf5(path):
    """Read the convolutions of a VGG that Keras saved as HDF5.

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
    """Read the convolutions of a .keras file.

    Its config.json can name code, so no model is made of it; of its text only the epsilon of
    batch normalizations is taken.

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
            has_config = CONFIG in archive.namelist()
            config = archive.open(CONFIG).read(MOST_CONFIG) if has_config else None
    except WeightsError:
        raise
    except MemoryError:
        raise WeightsError(f"{path} does not fit into memory") from None
    except Exception as error:  # zipfile raises many kinds for damaged files
        raise WeightsError(f"{path} is damaged or not a .keras file: {error!s:.300}") from None
    return _read(path, io.BytesIO(data), config)


def _read(path, source, config=None):
    """Read a file or a file object; `path` is named in errors."""
    try:
        with h5py.File(source, "r") as file:
            layers = _layers(file)
            datasets = _with_vgg_names(path, layers)
            normalizations = _normalizations(path, layers, len(datasets))
            check_numbers(path, itertools.chain(*datasets.values(), *normalizations))
            convolutions = {name: _pair(*map(_array, pair)) for name, pair in datasets.items()}
            if normalizations:
                epsilon = _epsilon(path, config or file.attrs.get("model_config"))
                for (name, pair), arrays in zip(convolutions.items(), normalizations):
                    convolutions[name] = folded(*pair, map(_array, arrays), epsilon)
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


def _pair(kernel, bias=None):
    return kernel, np.zeros(kernel.shape[-1], np.float32) if bias is None else bias


def _normalizations(path, layers, count):
    """Return the four arrays of each batch normalization, in the order of the convolutions."""
    found = [arrays for _, arrays in layers if len(arrays) == 4 and arrays[0].ndim == 1]
    if found and len(found) != count:
        raise WeightsError(
            f"{path} has {len(found)} batch normalizations for {count} convolutions; one after "
            "each convolution was expected"
        )
    return found


def _epsilon(path, config):
    """Return the epsilon of the batch normalizations in a model's JSON, or Keras' default."""
    found = set(_epsilons(json.loads(config))) if config else {EPSILON}
    if len(found) != 1 or not all(isinstance(epsilon, float) and epsilon > 0 for epsilon in found):
        raise WeightsError(
            f"{path}: its batch normalizations have the epsilons {found}; one number was expected"
        )
    return found.pop()


def _epsilons(node):
    """Yield the epsilons of the batch normalizations in JSON."""
    if isinstance(node, dict):
        if node.get("class_name") == "BatchNormalization":
            yield node["config"]["epsilon"]
        node = list(node.values())
    for part in node if isinstance(node, list) else ():
        yield from _epsilons(part)


def _layers(file):
    """Return the layers of convolutions and batch normalizations in order: (name, datasets)."""
    if "layers" in file:
        layers = _numbered_layers(_member(file, "layers"))
    elif "model_weights" in file:
        layers = _legacy_layers(_member(file, "model_weights"))
    else:
        layers = _legacy_layers(file)
    return [
        (name, arrays)
        for name, arrays in layers
        if len(arrays) in (2, 4) or (len(arrays) == 1 and arrays[0].ndim == 4)
    ]


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
    if not pairs:
        return {}
    if names := numbered_layers([pair[0].shape[3] for pair in pairs]):
        return dict(zip(names, pairs))
    raise WeightsError(
        f"{path} has {len(pairs)} convolutions, which are not those of VGG-19 or of VGG-16, 13 or "
        "11"
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
