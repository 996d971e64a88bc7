"""VGG-19, 16, 13 and 11 as a trunk, from any supported file."""

import zipfile
from pathlib import Path

from nst_tf.errors import WeightsError
from nst_tf.files import address_advice
from nst_tf.image.pixels import PixelSpace
from nst_tf.models.layers import POOLING, ConvRelu, Pool, check_pooling
from nst_tf.models.model import Trunk
from nst_tf.models.readers.cache import read_cached
from nst_tf.models.readers.hdf5 import ARCHIVED, read_hdf5, read_keras_archive
from nst_tf.models.readers.matconvnet import read_matconvnet
from nst_tf.models.readers.vgg_npz import read_vgg_npz
from nst_tf.models.search import find_model_file

VGG_MODEL = "imagenet-vgg-verydeep-19.mat"  # the paper's network; searched for in model/
EMBEDDED = "VGG-16 (ImageNet)"
EMBEDDED_FILE = Path(__file__).with_name("data") / "vgg16_imagenet.npz"  # shipped with nst_tf
FOREIGN = {  # extension -> program of weights files that are not read
    ".pth": "PyTorch",
    ".pt": "PyTorch",
    ".t7": "Torch",
    ".caffemodel": "Caffe",
    ".onnx": "ONNX",
    ".safetensors": "safetensors",
    ".pkl": "Python's pickle",
    ".pb": "TensorFlow 1",
    ".tflite": "TensorFlow Lite",
}


def load_vgg_model(path="auto", *, pooling="average"):
    """Load VGG without its classifier: convolutions with ReLU, and pools.

    Parameters
    ----------
    path : path, "auto" or "embedded"
        A MatConvNet .mat of any release, a file that Keras saved (.h5, .weights.h5, .keras), or
        an .npz such as vgg16_weights.npz, of VGG-19, VGG-16, VGG-13 or VGG-11.
        "embedded" is the ImageNet-trained VGG-16 that is part of nst_tf. "auto" uses
        imagenet-vgg-verydeep-19.mat if it is in model/ or in a directory of
        $NST_TF_MODEL_PATH, and the embedded network otherwise.
    pooling : {"average", "max", "l2", "average-rescaled", "l2-rescaled"}
        VGG was trained with max; the paper replaces it with average, unscaled, because it
        "improves the gradient flow and one obtains slightly more appealing results". The others
        are those of `Pool`.

    Returns
    -------
    Trunk
        conv1_1 ... conv5_4 (conv5_3 for VGG-16), avgpool1 ... avgpool5 (or maxpool1 ...,
        l2pool1 ...).

    Raises
    ------
    WeightsError
        The file is missing, damaged, or not a VGG.

    Notes
    -----
    Tutorial 0, `load_vgg_model`. Differs from it: layers are found by name, not by position,
    so that all releases of the file can be read.
    """
    check_pooling(pooling)
    path = find_vgg_weights(path)
    reader = vgg_reader(path)
    # Reading a .mat takes seconds; the other formats load as fast as the cache would.
    weights = read_cached(path, reader) if reader is read_matconvnet else reader(path)
    return Trunk(
        vgg_layers(weights.convolutions, pooling),
        name=EMBEDDED if path == EMBEDDED_FILE else f"{weights.network} from {path.name}",
        source=str(path),
        space=PixelSpace(mean=tuple(weights.mean)),
    )


def vgg_layers(convolutions, pooling):
    """Return the layers in order, a pool after the last convolution of each block."""
    norm, _ = POOLING[pooling]
    prefix = {"average": "avgpool", "max": "maxpool", "l2": "l2pool"}[norm]
    layers = {}
    for block in "12345":
        for name, (kernel, bias) in convolutions.items():
            if name.startswith(f"conv{block}_"):
                layers[name] = ConvRelu(kernel, bias)
        layers[f"{prefix}{block}"] = Pool(pooling)
    return layers


def find_vgg_weights(path="auto"):
    """Return the file that `path` names; see `load_vgg_model`."""
    if str(path) == "auto":
        return find_model_file([VGG_MODEL]) or _embedded_file()
    if str(path) == "embedded":
        return _embedded_file()
    if advice := address_advice(str(path)):
        raise WeightsError(advice)
    path = Path(path)
    if path.is_dir():
        raise WeightsError(
            f"{path} is a directory; a weights file such as {VGG_MODEL} was expected"
        )
    if not path.exists():
        raise WeightsError(
            f"there is no weights file {path}; fetch the paper's network with "
            "`python -m nst_tf.weights fetch vgg19`, or use --weights embedded"
        )
    if not path.is_file():
        raise WeightsError(f"{path} is not a file; a weights file such as {VGG_MODEL} was expected")
    return path


def _embedded_file():
    if not EMBEDDED_FILE.is_file():
        raise WeightsError(
            f"the embedded network {EMBEDDED_FILE} is missing: reinstall nst_tf, or name a "
            "weights file with --weights"
        )
    return EMBEDDED_FILE


def vgg_reader(path):
    """Return the reader of a VGG weights file, chosen by the file's first bytes.

    Parameters
    ----------
    path : Path

    Returns
    -------
    callable
        ``path -> VggWeights``: reads the file, not its cache.

    Raises
    ------
    WeightsError
        The file can't be read, or is not a MATLAB, HDF5, .keras or .npz file.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(128)
    except PermissionError:
        raise WeightsError(f"{path} is not readable: check its permissions") from None
    except OSError as error:
        raise WeightsError(f"{path} can't be read: {error.strerror or error}") from None
    if start.startswith(b"MATLAB 5.0"):
        return read_matconvnet
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return read_hdf5
    if start.startswith(b"PK\x03\x04"):
        names = _names_in_zip(path)
        if ARCHIVED in names:
            return read_keras_archive
        if not any(name.endswith(".pkl") for name in names):  # PyTorch's zips contain a pickle
            return read_vgg_npz
    raise WeightsError(f"{path} is not a weights file: {_describe(start, path.suffix.lower())}")


def _names_in_zip(path):
    """Return the names of the files in a zip; none if it is damaged, which its reader reports."""
    try:
        with zipfile.ZipFile(path) as file:
            return file.namelist()
    except Exception:  # zipfile raises many kinds
        return []


def _describe(start, extension):
    """Return what a file that is not a weights file is, and what to do."""
    fetch = "fetch it again with `python -m nst_tf.weights fetch vgg19`"
    get = "`python -m nst_tf.weights fetch vgg19` downloads the paper's network instead"
    if start.startswith(b"MATLAB 7.3"):
        return "it is a MATLAB v7.3 file; MatConvNet's releases are v5 and v7: save it with -v7"
    if start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return f"it is a web page, probably an error page saved under this name; {fetch}"
    if not start:
        return f"it is empty; {fetch}"
    if start.startswith(b"\x80"):
        return f"it is a pickle (PyTorch .pth?), which is not loaded because it can run code; {get}"
    if start.startswith(b"PK"):
        return f"it is a PyTorch file, which is not loaded because it can run code; {get}"
    if extension in FOREIGN:
        return f"files of {FOREIGN[extension]} are not read; {get}"
    return f"it begins with {start[:8]!r}, neither MATLAB's nor HDF5's signature; {fetch}"
