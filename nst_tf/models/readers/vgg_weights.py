"""The weights of a VGG as all readers return them, and their checks."""

from dataclasses import dataclass, field

import numpy as np

from nst_tf.errors import WeightsError
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.models.readers.checks import check_convolution

CONVOLUTIONS_PER_BLOCK = {  # Simonyan & Zisserman 2015, table 1: E, D, B and A
    "VGG-19": (2, 2, 4, 4, 4),
    "VGG-16": (2, 2, 3, 3, 3),
    "VGG-13": (2, 2, 2, 2, 2),
    "VGG-11": (1, 1, 2, 2, 2),
}
LAYER_NAMES = {
    network: [f"conv{b}_{i}" for b, n in enumerate(blocks, 1) for i in range(1, n + 1)]
    for network, blocks in CONVOLUTIONS_PER_BLOCK.items()
}


@dataclass(frozen=True)
class VggWeights:
    """Kernels (3, 3, in, out) for RGB input and biases (out,), by layer name; the mean."""

    convolutions: dict[str, tuple[np.ndarray, np.ndarray]]
    mean: tuple[float, float, float] = field(default=VGG_PIXELS.mean)

    @property
    def network(self):
        """Its name, such as VGG-19."""
        names = list(self.convolutions)
        return next(network for network, layers in LAYER_NAMES.items() if layers == names)


def checked_vgg(path, convolutions, mean=VGG_PIXELS.mean):
    """Return the weights in network order; raise WeightsError if they do not fit together.

    Any number of channels is valid if consecutive layers match, so that tests can use small
    networks with VGG's layer names.
    """
    names = _network_order(path, convolutions)
    incoming = 3
    for name in names:
        kernel, bias = convolutions[name]
        check_convolution(path, name, kernel, bias, 3, incoming)
        incoming = kernel.shape[3]
    return VggWeights({name: convolutions[name] for name in names}, tuple(map(float, mean)))


def _network_order(path, convolutions):
    for names in LAYER_NAMES.values():
        if set(convolutions) == set(names):
            return names
    if not convolutions:
        raise WeightsError(f"{path} contains no convolution layers: it is not a VGG file")
    wrong = min((set(names) ^ set(convolutions) for names in LAYER_NAMES.values()), key=len)
    raise WeightsError(
        f"{path} is none of {', '.join(LAYER_NAMES)}: layers {' '.join(sorted(wrong))} are missing "
        "or unexpected"
    )


def numbered_layers(layers):
    """Return the names of VGG's layers for convolutions that have other names.

    Parameters
    ----------
    layers : list of int
        The number of filters of each, in order: they change from block to block only.

    Returns
    -------
    list of str or None
        None: the network is not a VGG.
    """
    for network, names in LAYER_NAMES.items():
        if len(layers) == len(names):
            filters = {(name[:5], count) for name, count in zip(names, layers)}
            if len(filters) == len(CONVOLUTIONS_PER_BLOCK[network]):
                return names
    return None


def folded(kernel, bias, normalization, epsilon):
    """Return kernel and bias of a convolution that includes the batch normalization after it.

    Parameters
    ----------
    kernel : (3, 3, in, out)
    bias : (out,) or 0
    normalization : (gamma, beta, mean, variance), each (out,)
        Ioffe & Szegedy 2015, algorithm 2: the moving averages of training.
    epsilon : float
        What is added to the variance.
    """
    gamma, beta, mean, variance = (np.asarray(values, np.float64) for values in normalization)
    scale = gamma / np.sqrt(variance + epsilon)
    return (kernel * scale).astype(np.float32), ((bias - mean) * scale + beta).astype(np.float32)
