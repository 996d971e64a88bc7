"""Read and check the weights of a SqueezeNet, from CS231n's checkpoints or an .npz.

All are converted to RGB in CS231n's pixel space, so that CS231n's learning rate, clipping and
total variation weight mean the same for every file.
"""

import math
import re
import zipfile
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from nst_tf.console import silenced
from nst_tf.errors import WeightsError
from nst_tf.image.pixels import PixelSpace
from nst_tf.models.readers.checks import MOST_NUMBERS, as_float32, check_convolution
from nst_tf.npz import read_npz

# CS231n's `SQUEEZENET_MEAN` and `SQUEEZENET_STD`, for pixels in 0..255: torchvision's for ImageNet.
IMAGENET_PIXELS = PixelSpace(
    mean=(255 * 0.485, 255 * 0.456, 255 * 0.406), std=(255 * 0.229, 255 * 0.224, 255 * 0.225)
)
CAFFE_PIXELS = PixelSpace(mean=(123.0, 117.0, 104.0))  # SqueezeNet's own prototxt, as RGB
SPACES = {"imagenet": IMAGENET_PIXELS, "caffe": CAFFE_PIXELS}
DEFAULT_PIXELS = {"v1.0": "caffe", "v1.1": "imagenet"}  # of an .npz without "pixels"

VERSIONS = {7: "v1.0", 3: "v1.1"}  # by the size of conv1's kernel
PARTS = {"squeeze": 1, "expand1x1": 1, "expand3x3": 3}  # of a fire module -> size of the kernel
FIRES = tuple(f"fire{number}" for number in range(2, 10))
CONVOLUTIONS = ("conv1", *(f"{fire}/{part}" for fire in FIRES for part in PARTS))
MOST_BYTES = 2**27  # of an .npz, decompressed; a SqueezeNet has 5 MB

# Keras' path of a variable in CS231n's TF2 checkpoint. Layer 9, the classifier, is ignored.
TF2_NAME = re.compile(
    r"(?:.*/)?layer_with_weights-([0-8])/(?:(squeeze|expand1x1|expand3x3)/)?(kernel|bias)"
    r"/\.ATTRIBUTES/VARIABLE_VALUE"
)
# Variable scopes of the TF1 checkpoint, where ReLUs and pools are numbered too.
TF1_NAME = re.compile(r"(?:.*/)?features/layer(\d+)/(?:fire/(squeeze|e11|e33)/)?(weights|bias)")
TF1_LAYERS = {"0": "conv1", **dict(zip(("3", "4", "6", "7", "9", "10", "11", "12"), FIRES))}
TF1_PARTS = {"squeeze": "squeeze", "e11": "expand1x1", "e33": "expand3x3"}


@dataclass(frozen=True)
class SqueezeNetWeights:
    """Kernels (h, w, in, out) for RGB and biases (out,), for `IMAGENET_PIXELS`.

    By name: "conv1", "fire2/squeeze", "fire2/expand1x1", "fire2/expand3x3" and so on.
    """

    convolutions: dict[str, tuple[np.ndarray, np.ndarray]]

    @property
    def version(self):
        """Version of SqueezeNet: "v1.0" or "v1.1"."""
        return VERSIONS[self.convolutions["conv1"][0].shape[0]]


def read_squeezenet(path):
    """Read the convolutions of a SqueezeNet, without its classifier.

    Parameters
    ----------
    path : Path
        An .npz, or the .index of a checkpoint; recognized by the first bytes.

    Returns
    -------
    SqueezeNetWeights

    Raises
    ------
    WeightsError
        The file is damaged, not a SqueezeNet, or could run code.
    """
    start = _first_bytes(path)
    if start.startswith(b"\x80"):
        raise pickle_error(path)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):  # a zip, or an empty one
        return _read_npz(path)
    return checked_squeezenet(path, _read_checkpoint(path))


def pickle_error(path):
    """Return the error for a PyTorch file."""
    return WeightsError(
        f"{path} is a pickle (PyTorch .pth?), which is not loaded because it can run code; "
        "save its arrays as an .npz in the layout that load_squeezenet_model describes"
    )


def checked_squeezenet(path, convolutions):
    """Return the weights in network order; raise WeightsError if they do not fit together.

    Any number of channels is valid if consecutive layers match, so that tests can use small
    networks with SqueezeNet's layer names.
    """
    _check_names(path, convolutions)
    _check_conv1(path, *convolutions["conv1"])
    incoming = convolutions["conv1"][1].size
    for fire in FIRES:
        incoming = _check_fire(path, fire, convolutions, incoming)
    return SqueezeNetWeights({name: convolutions[name] for name in CONVOLUTIONS})


def _check_names(path, convolutions):
    if not convolutions:
        raise WeightsError(f"{path} contains no convolution layers: it is not a SqueezeNet file")
    missing = [name for name in CONVOLUTIONS if name not in convolutions]
    if missing:
        raise WeightsError(
            f"{path} is an incomplete SqueezeNet: layers {' '.join(missing)} are missing; "
            "fetch the file again"
        )


def _check_conv1(path, kernel, bias):
    if kernel.ndim != 4 or kernel.shape[0] not in VERSIONS:
        raise WeightsError(
            f"{path}: the kernel of conv1 has shape {kernel.shape}; (3, 3, 3, channels) of v1.1 "
            "or (7, 7, 3, channels) of v1.0 was expected"
        )
    check_convolution(path, "conv1", kernel, bias, kernel.shape[0], 3)


def _check_fire(path, fire, convolutions, incoming):
    """Check a fire module's three convolutions; return its number of output channels."""
    channels = {}
    for part, size in PARTS.items():
        kernel, bias = convolutions[f"{fire}/{part}"]
        expected = incoming if part == "squeeze" else channels["squeeze"]
        check_convolution(path, f"{fire}/{part}", kernel, bias, size, expected)
        channels[part] = bias.size
    return channels["expand1x1"] + channels["expand3x3"]


# ---------------------------------------------------------------------------- checkpoints


def _read_checkpoint(path):
    """Read CS231n's TF2 or TF1 checkpoint, for RGB in `IMAGENET_PIXELS`."""
    prefix = str(path).removesuffix(".index")
    try:
        with silenced():  # TensorFlow's readers also print the error
            arrays = _checkpoint_arrays(prefix)
    except Exception as error:  # TensorFlow's own, or IndexError if it is cut off
        raise WeightsError(
            f"{path} is neither an .npz nor a valid checkpoint with its .data file next to it: "
            f"{_one_line(error)}"
        ) from None
    return {
        name: (arrays[name, "kernel"], arrays[name, "bias"])
        for name in CONVOLUTIONS
        if (name, "kernel") in arrays and (name, "bias") in arrays
    }


def _checkpoint_arrays(prefix):
    """Return the convolutions as float32, by (layer, "kernel" or "bias")."""
    reader = tf.train.load_checkpoint(prefix)
    shapes = reader.get_variable_to_shape_map()
    keys = {name: key for name in shapes if (key := _key(name))}
    count = sum(math.prod(shapes[name]) for name in keys)
    if count > MOST_NUMBERS:
        raise ValueError(f"it declares {count:,} numbers")
    return {key: np.asarray(reader.get_tensor(name), np.float32) for name, key in keys.items()}


def _key(variable):
    """Return a variable's key, such as ("fire2/squeeze", "kernel"), or None to ignore it."""
    if match := TF2_NAME.fullmatch(variable):
        number, part, kind = match.groups()
        layer = ("conv1", *FIRES)[int(number)]
        return f"{layer}/{part}" if part else layer, kind
    match = TF1_NAME.fullmatch(variable)
    if match and match[1] in TF1_LAYERS:
        number, part, kind = match.groups()
        layer = TF1_LAYERS[number]
        return f"{layer}/{TF1_PARTS[part]}" if part else layer, kind.replace("weights", "kernel")
    return None


def _one_line(error):
    return str(error).strip().partition("\n")[0][:300]


def _first_bytes(path):
    try:
        with open(path, "rb") as file:
            return file.read(8)
    except PermissionError:
        raise WeightsError(f"{path} is not readable: check its permissions") from None
    except OSError as error:
        raise WeightsError(f"{path} can't be read: {error.strerror or error}") from None


# ---------------------------------------------------------------------------- .npz


def _read_npz(path):
    """Read an .npz in the layout that `load_squeezenet_model` describes."""
    arrays = _load_arrays(path)
    convolutions = {}
    for name in CONVOLUTIONS:
        key = name.replace("squeeze", "squeeze1x1")
        if f"{key}/weights" in arrays and f"{key}/biases" in arrays:
            pair = arrays[f"{key}/weights"], arrays[f"{key}/biases"]
            convolutions[name] = tuple(as_float32(path, name, array) for array in pair)
    weights = checked_squeezenet(path, convolutions)
    order = _choice(path, arrays, "channel_order", "bgr", ("bgr", "rgb"))
    pixels = _choice(path, arrays, "pixels", DEFAULT_PIXELS[weights.version], tuple(SPACES))
    kernel, bias = weights.convolutions["conv1"]
    kernel = kernel[:, :, ::-1] if order == "bgr" else kernel
    with np.errstate(over="ignore"):  # huge numbers, which the check below rejects
        weights.convolutions["conv1"] = for_imagenet_pixels(kernel, bias, SPACES[pixels])
    _check_conv1(path, *weights.convolutions["conv1"])
    return weights


def for_imagenet_pixels(kernel, bias, space):
    """Convert a conv1 for images in `space` to one for images in `IMAGENET_PIXELS`.

    Both images are the same picture p = mean + std * x, so the network's own input is
    (std * x + mean - its mean) / its std: a factor for the kernel and a constant for the bias.
    Exact at the borders too, since conv1 has no padding: every window is inside the picture.
    """
    if space == IMAGENET_PIXELS:
        return np.ascontiguousarray(kernel), bias
    ours, own = IMAGENET_PIXELS, space
    shift = (np.array(ours.mean) - own.mean) / own.std  # (RGB,), float64 like the rest
    factor = np.array(ours.std) / own.std
    bias = bias + np.einsum("hwio,i->o", kernel, shift, dtype=np.float64)
    return (kernel * factor[:, np.newaxis]).astype(np.float32), bias.astype(np.float32)


def _load_arrays(path):
    try:
        with zipfile.ZipFile(path) as file:
            names = file.namelist()
        if any(name.endswith(".pkl") for name in names):
            raise pickle_error(path)  # PyTorch's newer files are zips that contain a pickle
        return read_npz(path, most=MOST_BYTES)
    except WeightsError:
        raise
    except Exception as error:  # zipfile and NumPy raise many kinds
        raise WeightsError(
            f"{path} is damaged or not an .npz of arrays: {_one_line(error)}; fetch it again"
        ) from None


def _choice(path, arrays, key, default, choices):
    """Return the value of an optional key."""
    value = arrays.get(key, default)
    value = str(value).lower() if np.ndim(value) == 0 else f"an array of {np.size(value)}"
    if value not in choices:
        raise WeightsError(f"{path}: {key} is {value!r:.40}; {' or '.join(choices)} was expected")
    return value
