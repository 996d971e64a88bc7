"""The weights of a VGG as all readers return them, and their checks."""

from dataclasses import dataclass, field

import numpy as np

from nst_tf.errors import WeightsError
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.models.readers.checks import check_convolution

CONVOLUTIONS_PER_BLOCK = {"VGG-19": (2, 2, 4, 4, 4), "VGG-16": (2, 2, 3, 3, 3)}
LAYER_NAMES = {
    network: [f"conv{b}_{i}" for b, n in enumerate(blocks, 1) for i in range(1, n + 1)]
    for network, blocks in CONVOLUTIONS_PER_BLOCK.items()
}


@dataclass(frozen=True)
class VggWeights:
    """Kernels (3, 3, in, out) for RGB input and biases (out,), by layer name; the mean."""

    convolutions: dict[str, tuple[np.ndarray, np.ndarray]]
    mean: tuple[float, float, float] = field(default=VGG_PIXELS.mean)


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
    nearest = LAYER_NAMES["VGG-19" if len(convolutions) > 13 else "VGG-16"]
    wrong = sorted(set(nearest) ^ set(convolutions))
    raise WeightsError(
        f"{path} is neither VGG-19 nor VGG-16: layers {' '.join(wrong)} are missing or unexpected"
    )
