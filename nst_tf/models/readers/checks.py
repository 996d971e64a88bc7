"""What every reader asks of a convolution before it is let in."""

import numpy as np

from nst_tf.errors import WeightsError

MOST_NUMBERS = 2**26  # in all convolutions; VGG-19 has 20 million


def check_numbers(path, arrays):
    """Refuse more numbers than any trunk has; `arrays` may be what is not read yet."""
    claimed = sum(array.size for array in arrays)
    if claimed > MOST_NUMBERS:
        raise WeightsError(
            f"{path} claims {claimed:,} numbers in its convolutions; "
            f"{MOST_NUMBERS:,} at most were expected: it is no VGG or SqueezeNet"
        )


def as_float32(path, name, array):
    """Return a kernel or bias of any numeric dtype, float16 included, as float32."""
    if array.dtype.kind not in "fiu":
        raise WeightsError(f"{path}: {name} holds {array.dtype} instead of numbers")
    return np.asarray(array, np.float32)


def check_convolution(path, name, kernel, bias, size, incoming):
    """Refuse a kernel that is not (size, size, incoming, channels), or a bias that fits it not."""
    if kernel.ndim != 4 or kernel.shape[:3] != (size, size, incoming):
        raise WeightsError(
            f"{path}: the kernel of {name} has shape {kernel.shape}; "
            f"({size}, {size}, {incoming}, channels) was expected"
        )
    if bias.shape != (kernel.shape[3],):
        raise WeightsError(f"{path}: {name} has {kernel.shape[3]} channels but {bias.size} biases")
    if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
        raise WeightsError(f"{path}: {name} holds NaN or infinite numbers; fetch the file again")
