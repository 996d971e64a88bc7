"""Checks of convolutions that all readers share."""

import numpy as np

from nst_tf.errors import WeightsError

MOST_NUMBERS = 2**26  # in all convolutions; VGG-19 has 20 million


def check_numbers(path, arrays):
    """Reject more numbers than any trunk has; `arrays` may be datasets not read yet."""
    count = sum(array.size for array in arrays)
    if count > MOST_NUMBERS:
        raise WeightsError(
            f"{path} declares {count:,} numbers in its convolutions; "
            f"at most {MOST_NUMBERS:,} were expected: it is not a VGG or SqueezeNet"
        )


def as_float32(path, name, array):
    """Return a kernel or bias of any numeric dtype, float16 included, as float32."""
    if array.dtype.kind not in "fiu":
        raise WeightsError(f"{path}: {name} holds {array.dtype} instead of numbers")
    return np.asarray(array, np.float32)


def check_convolution(path, name, kernel, bias, size, incoming):
    """Check that a kernel is (size, size, incoming, channels), its bias fits, all is finite."""
    if kernel.ndim != 4 or kernel.shape[:3] != (size, size, incoming):
        raise WeightsError(
            f"{path}: the kernel of {name} has shape {kernel.shape}; "
            f"({size}, {size}, {incoming}, channels) was expected"
        )
    if bias.shape != (kernel.shape[3],):
        raise WeightsError(f"{path}: {name} has {kernel.shape[3]} channels but {bias.size} biases")
    if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
        raise WeightsError(f"{path}: {name} holds NaN or infinite numbers; fetch the file again")
