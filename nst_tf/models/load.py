"""Load any trunk; the form of the argument selects the loader."""

from pathlib import Path

from nst_tf.models.readers.vgg_npz import is_vgg_npz
from nst_tf.models.squeezenet import load_squeezenet_model
from nst_tf.models.vgg import load_vgg_model

VGG_ENDINGS = (".mat", ".h5", ".hdf5", ".keras")
SQUEEZENET_ENDINGS = (".npz", ".index", ".ckpt")


def load_model(weights="auto", *, pooling=None):
    """Load the trunk that `weights` names.

    Parameters
    ----------
    weights : path, "auto", "embedded" or "squeezenet"
        A .mat, .h5, .keras or .npz of VGG, "auto" and "embedded" as for `load_vgg_model`; an .npz
        or checkpoint of SqueezeNet and "squeezenet" as for `load_squeezenet_model`.
    pooling : {"average", "max", "l2", "average-rescaled", "l2-rescaled"}, optional
        Default: the one the sources use, average for VGG and max for SqueezeNet.

    Returns
    -------
    Trunk

    Raises
    ------
    WeightsError
        The file is missing, damaged, or not a weights file.
    """
    load = {"squeezenet": load_squeezenet_model, "vgg": load_vgg_model}[weights_family(weights)]
    return load(weights) if pooling is None else load(weights, pooling=pooling)


def weights_family(weights):
    """Return which network `weights` names, by its form; of an .npz, by the names of its arrays.

    Parameters
    ----------
    weights : path or str
        As for `load_model`.

    Returns
    -------
    {"vgg", "squeezenet"}
        A directory counts as a SqueezeNet checkpoint. Anything unknown counts as VGG, whose
        loader raises the error.
    """
    path = Path(weights)
    if str(weights) in ("auto", "embedded") or path.suffix.lower() in VGG_ENDINGS:
        return "vgg"
    if path.suffix.lower() == ".npz" and is_vgg_npz(path):
        return "vgg"
    is_named = path.suffix.lower() in SQUEEZENET_ENDINGS or "squeezenet" in path.name.lower()
    is_checkpoint = path.is_dir() or path.with_name(path.name + ".index").is_file()
    return "squeezenet" if is_named or is_checkpoint else "vgg"
