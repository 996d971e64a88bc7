"""What every reader asks of a convolution before it is let in."""

import numpy as np

from nst_tf.errors import WeightsError


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
