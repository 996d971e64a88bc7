"""Read VGG from an .npz, the format of the embedded network."""

from nst_tf.errors import WeightsError
from nst_tf.models.readers.checks import MOST_NUMBERS, as_float32, check_numbers
from nst_tf.models.readers.vgg_weights import checked_vgg
from nst_tf.npz import read_npz


def read_vgg_npz(path):
    """Read the convolutions of a VGG .npz.

    Parameters
    ----------
    path : Path
        Arrays ``conv1_1/kernel`` (height, width, in, out) and ``conv1_1/bias`` (out,), ...,
        of float16, float32 or float64, for RGB input of 0..255 minus the mean. Other arrays
        are ignored.

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
        arrays = read_npz(path, most=8 * MOST_NUMBERS)
    except MemoryError:
        raise WeightsError(f"{path} does not fit into memory") from None
    except Exception as error:  # zipfile and NumPy raise a dozen kinds of errors
        raise WeightsError(
            f"{path} is damaged or not an .npz of VGG ({error!s:.300}); a zip of another kind "
            "(PyTorch .pth?) is not loaded because it can run code"
        ) from None
    names = [name.removesuffix("/kernel") for name in arrays if name.endswith("/kernel")]
    pairs = {
        name: (arrays[f"{name}/kernel"], arrays[f"{name}/bias"])
        for name in names
        if f"{name}/bias" in arrays
    }
    check_numbers(path, [array for pair in pairs.values() for array in pair])
    convolutions = {
        name: tuple(as_float32(path, name, array) for array in pair) for name, pair in pairs.items()
    }
    return checked_vgg(path, convolutions)
