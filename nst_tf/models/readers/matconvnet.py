"""Read MatConvNet's imagenet-vgg-verydeep-19.mat and -16.mat, all releases.

The releases differ in the order of fields, in `filters`/`biases` against `weights`, in
`normalization` against `meta`, and in whether a bias is a row or a column: so everything is
found by name and reshaped. Kernels are stored as [height, width, in, out] with RGB input, as
TensorFlow expects. They must NOT be transposed: MatConvNet's importer swaps Caffe's axes twice.
The help text of vl_nnconv says otherwise, an error that many loaders copied.
"""

import itertools

import numpy as np
import scipy.io

from nst_tf.errors import WeightsError
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.models.readers.checks import check_numbers
from nst_tf.models.readers.matcheck import check_matlab
from nst_tf.models.readers.vgg_weights import checked_vgg

WANTED = ("layers", "meta", "normalization")
RELEASE_BYTES = 534_904_783  # the current imagenet-vgg-verydeep-19.mat


def read_matconvnet(path):
    """Read the convolutions and the mean of a MatConvNet VGG file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    VggWeights
    """
    contents = _load(path)
    pairs = {}
    for cell in np.ravel(contents["layers"]):
        layer = _fields(cell)
        name = _text(layer.get("name"))
        if name.startswith("conv"):
            pairs[name] = _kernel_and_bias(path, name, layer)
    check_numbers(path, itertools.chain(*pairs.values()))  # before converting to float32
    convolutions = {name: _as_floats(*pair) for name, pair in pairs.items()}
    return checked_vgg(path, convolutions, _mean(contents))


def _load(path):
    try:
        found = check_matlab(path, WANTED)
        if not found.get("layers"):
            raise WeightsError(_no_layers(path, found))
        names = [name for name in WANTED if found.get(name)]
        return scipy.io.loadmat(path, variable_names=names, verify_compressed_data_integrity=False)
    except WeightsError:
        raise
    except MemoryError:
        raise WeightsError(f"{path} does not fit into memory; about 1.2 GB are needed") from None
    except Exception as error:  # damaged files raise many kinds
        size = path.stat().st_size
        raise WeightsError(
            f"{path} is damaged or cut off ({error!s:.300}). It has {size:,} bytes; the released "
            f"VGG-19 has {RELEASE_BYTES:,}. "
            "Fetch it again with `python -m nst_tf.weights fetch vgg19`"
        ) from None


def _no_layers(path, found):
    if "layers" in found:
        return f"{path}: its `layers` contain objects or functions, which are not read"
    names = ", ".join(name[:40] for name in sorted(found)[:10]) or "nothing"
    return f"{path} has no variable `layers`, only {names}: not a MatConvNet file"


def _fields(value):
    """Return a MATLAB struct, wrapped or not, as a dict; {} for anything else."""
    value = _unwrap(value)
    if getattr(value, "dtype", None) is None or value.dtype.names is None:
        return {}
    return {name: value[name] for name in value.dtype.names}


def _unwrap(value):
    """Remove the 1x1 cells and 1x1 struct arrays that MATLAB wraps around values."""
    while isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "OV":
        value = value.reshape(-1)[0]
    return value


def _text(value):
    value = _unwrap(value)
    return str(value.reshape(-1)[0]) if isinstance(value, np.ndarray) and value.size else ""


def _kernel_and_bias(path, name, layer):
    if "weights" in layer:  # beta 11 and later: a 1x2 cell
        pair = np.ravel(_unwrap(layer["weights"]))
    else:
        pair = [layer.get("filters"), layer.get("biases")]
    arrays = [_unwrap(value) for value in pair]
    if len(arrays) != 2 or not all(_is_numbers(array) for array in arrays):
        raise WeightsError(f"{path}: {name} has no readable kernel and bias")
    return arrays


def _is_numbers(value):
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiu"


def _as_floats(kernel, bias):
    kernel, bias = (np.asarray(array, np.float32) for array in (kernel, bias))
    kernel = kernel.reshape(kernel.shape + (1,) * (4 - kernel.ndim))  # MATLAB drops trailing ones
    return np.ascontiguousarray(kernel), bias.reshape(-1)


def _mean(contents):
    """Return the RGB mean in the file: (3,), (1, 1, 3) or an average image."""
    parent = _fields(contents["meta"]) if "meta" in contents else contents
    average = _unwrap(_fields(parent.get("normalization")).get("averageImage"))
    if not isinstance(average, np.ndarray) or average.dtype.kind not in "fiu":
        return VGG_PIXELS.mean
    if average.size == 0 or average.size % 3 or not np.isfinite(average).all():
        return VGG_PIXELS.mean
    return average.reshape(-1, 3).mean(axis=0)
