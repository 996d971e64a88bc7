"""SqueezeNet as a trunk: CS231n's network, 3 MB; VGG-19's convolutions have 80 MB."""

from pathlib import Path

from nst_tf.errors import WeightsError
from nst_tf.models.layers import ConvRelu, Fire, Pool, check_pooling
from nst_tf.models.model import Trunk
from nst_tf.models.readers.squeezenet_weights import (
    IMAGENET_PIXELS,
    PARTS,
    pickle_error,
    read_squeezenet,
)
from nst_tf.models.search import find_model_file, model_folders

# Iandola et al. 2016, figure 2, and the v1.1 of their repository; each stage ends with a pool.
LAYER_NAMES = {
    "v1.0": (
        *("conv1", "pool1", "fire2", "fire3", "fire4", "pool4"),
        *("fire5", "fire6", "fire7", "fire8", "pool8", "fire9"),
    ),
    "v1.1": (
        *("conv1", "pool1", "fire2", "fire3", "pool3", "fire4", "fire5", "pool5"),
        *("fire6", "fire7", "fire8", "fire9"),
    ),
}
# v1.0 is Caffe's, which rounds sizes up; CS231n's v1.1 rounds down. At 224 pixels they agree.
POOL_PADDING = {"v1.0": "CEIL", "v1.1": "VALID"}

# The numbers in CS231n's StyleTransfer-TensorFlow notebook (TF2) and tutorial 1: 3 is "fire3".
CS231N_LAYERS = dict(enumerate(LAYER_NAMES["v1.1"]))

SQUEEZENET_FILES = (
    "squeezenet.ckpt.index",
    "squeezenet_tf2/squeezenet.ckpt.index",  # as CS231n's squeezenet_tf2.zip unpacks
    "squeezenet_v1_1.npz",
    "squeezenet_v1_0.npz",
)


def load_squeezenet_model(path="squeezenet", *, pooling="max"):
    """Load SqueezeNet without its classifier.

    Parameters
    ----------
    path : path or "squeezenet"
        CS231n's TF2 or TF1 checkpoint (its prefix, its .index file, or its directory), or an
        .npz. "squeezenet" uses the first of these in model/ or in a directory of
        $NST_TF_MODEL_PATH.
    pooling : {"max", "average", "l2", "average-rescaled", "l2-rescaled"}
        SqueezeNet was trained with max, and CS231n keeps it.

    Returns
    -------
    Trunk
        v1.1: conv1, pool1, fire2, fire3, pool3, fire4, fire5, pool5, fire6 ... fire9.
        v1.0: conv1, pool1, fire2, fire3, fire4, pool4, fire5 ... fire8, pool8, fire9.
        Both in CS231n's pixel space: RGB standardized by ImageNet's mean and deviation.

    Raises
    ------
    WeightsError
        The file is missing, damaged, or not a SqueezeNet.

    Notes
    -----
    Tutorial 1 (CS231n assignment 3); Iandola et al. 2016. `CS231N_LAYERS` has the tutorial's
    numbers for the layers of v1.1.

    An .npz has float arrays "conv1/weights" (h, w, in, out) and "conv1/biases" (out,), and the
    same for "fire2/squeeze1x1", "fire2/expand1x1", "fire2/expand3x3" ... "fire9/expand3x3"; others,
    such as "conv10/weights", are ignored. A conv1 of 7x7 means v1.0, of 3x3 v1.1. Two optional
    strings describe the expected input: "channel_order" is "bgr" (the default) or "rgb";
    "pixels" is "caffe" (0..255 minus 104, 117, 123 in blue, green, red: the default of v1.0) or
    "imagenet" (CS231n's and torchvision's: the default of v1.1).
    """
    check_pooling(pooling)
    path = find_squeezenet_weights(path)
    weights = read_squeezenet(path)
    return Trunk(
        _layers(weights, pooling),
        name=f"SqueezeNet {weights.version} from {path.name.removesuffix('.index')}",
        source=str(path),
        space=IMAGENET_PIXELS,
    )


def squeezenet_version(path="squeezenet"):
    """Return "v1.0" or "v1.1", read from the file; `path` as for `load_squeezenet_model`."""
    return read_squeezenet(find_squeezenet_weights(path)).version


def _layers(weights, pooling):
    layers = {}
    for name in LAYER_NAMES[weights.version]:
        if name == "conv1":
            layers[name] = ConvRelu(*weights.convolutions[name], stride=2, padding="VALID")
        elif name.startswith("pool"):
            padding = POOL_PADDING[weights.version]
            layers[name] = Pool(pooling, size=3, stride=2, padding=padding)
        else:
            parts = (weights.convolutions[f"{name}/{part}"] for part in PARTS)
            layers[name] = Fire(*(ConvRelu(*pair) for pair in parts))
    return layers


def find_squeezenet_weights(path="squeezenet"):
    """Return the .npz or .index file that `path` names; see `load_squeezenet_model`."""
    if str(path) == "squeezenet":
        return _search()
    path = Path(path)
    if path.suffix.lower() in (".pth", ".pt"):
        raise pickle_error(path)
    if path.is_dir():
        return _find_in(path)
    index = path.with_name(path.name + ".index")
    if not path.exists() and index.is_file():
        return index
    if not path.exists():
        raise WeightsError(
            f"there is no weights file {path}, nor {index.name}; give SqueezeNet's .npz, or a "
            "checkpoint's prefix, .index file or directory"
        )
    if not path.is_file():
        raise WeightsError(f"{path} is not a file; an .npz or a checkpoint was expected")
    return path


def _find_in(folder):
    """Return the SqueezeNet in a directory: a file with a known name, else the only checkpoint."""
    known = [folder / name for name in SQUEEZENET_FILES if (folder / name).is_file()]
    found = known or sorted(folder.glob("*.index"))
    if known or len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(file.name for file in found)
        raise WeightsError(f"{folder} contains several checkpoints: {names}; name one of them")
    raise WeightsError(
        f"{folder} is a directory without a SqueezeNet: {_known_names()} was expected"
    )


def _search():
    found = find_model_file(SQUEEZENET_FILES)
    if found is not None:
        return found
    folders = ", ".join(map(str, model_folders()))
    raise WeightsError(
        f"there is no SqueezeNet in {folders}: put {_known_names()} there, unpack "
        "cs231n.stanford.edu/squeezenet_tf2.zip in model/, or name a folder in $NST_TF_MODEL_PATH"
    )


def _known_names():
    return f"{', '.join(SQUEEZENET_FILES[:-1])} or {SQUEEZENET_FILES[-1]}"
