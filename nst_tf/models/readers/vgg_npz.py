"""Read VGG from an .npz: the format of the embedded network, or of Frossard's vgg16_weights.npz."""

import re
import zipfile
from pathlib import Path

from nst_tf.errors import WeightsError
from nst_tf.models.readers.checks import MOST_NUMBERS, as_float32, check_numbers
from nst_tf.models.readers.vgg_weights import checked_vgg
from nst_tf.npz import array_name, read_npz

KERNELS, BIASES = ("/kernel", "_W"), ("/bias", "_b")
ARRAY = re.compile(rf"(conv\d_\d)({'|'.join(KERNELS + BIASES)})")


def read_vgg_npz(path):
    """Read the convolutions of a VGG .npz.

    Parameters
    ----------
    path : Path
        Arrays ``conv1_1/kernel`` (height, width, in, out) and ``conv1_1/bias`` (out,), ..., or
        ``conv1_1_W`` and ``conv1_1_b``, of float16, float32 or float64, for RGB input of 0..255
        minus the mean. Other arrays are ignored.

    Returns
    -------
    VggWeights
        In float32, with the mean of the original VGG.

    Raises
    ------
    WeightsError
        The file is damaged, or it is another kind of zip, such as a PyTorch .pth.
    """
    try:
        arrays = read_npz(path, most=8 * MOST_NUMBERS, wanted=ARRAY.fullmatch)
    except MemoryError:
        raise WeightsError(f"{path} does not fit into memory") from None
    except Exception as error:  # zipfile and NumPy raise a dozen kinds of errors
        raise WeightsError(
            f"{path} is damaged or not an .npz of VGG ({error!s:.300}); a zip of another kind "
            "(PyTorch .pth?) is not loaded because it can run code"
        ) from None
    pairs = {
        name: (arrays[name + kernel], arrays[name + bias])
        for name in dict.fromkeys(ARRAY.fullmatch(key)[1] for key in arrays)
        for kernel, bias in zip(KERNELS, BIASES)
        if name + kernel in arrays and name + bias in arrays
    }
    check_numbers(path, [array for pair in pairs.values() for array in pair])
    convolutions = {
        name: tuple(as_float32(path, name, array) for array in pair) for name, pair in pairs.items()
    }
    return checked_vgg(path, convolutions)


def is_vgg_npz(path):
    """Return whether a file is an .npz with names of VGG's arrays; only its names are read."""
    try:
        if not Path(path).is_file():  # a pipe would block
            return False
        with zipfile.ZipFile(path) as file:
            return any(ARRAY.fullmatch(array_name(entry)) for entry in file.infolist())
    except Exception:  # damaged: zipfile raises many kinds
        return False
