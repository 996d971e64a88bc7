"""Check a weights file against known checksums and known values."""

import hashlib

import numpy as np

from nst_tf.console import hushed
from nst_tf.errors import WeightsError
from nst_tf.weights.registry import RELEASES


def verify(path):
    """Identify a weights file by its checksum, its layers and its first values.

    Returns
    -------
    list of str
        The findings, one per line.

    Raises
    ------
    WeightsError
        It can't be read, or its axes or channels are swapped.
    """
    with hushed():
        from nst_tf.models.vgg import find_vgg_weights, vgg_reader

    path = find_vgg_weights(path)
    weights = vgg_reader(path)(path)
    with open(path, "rb") as file:
        md5 = hashlib.file_digest(file, "md5").hexdigest()
    network = weights.network
    kind = fingerprint(weights.convolutions)
    if kind in WRONG:
        raise WeightsError(f"{path} is {network} but {WRONG[kind]}; fetch the released file")
    return [
        f"{path}: {path.stat().st_size:,} bytes, MD5 {md5}",
        f"release: {RELEASES.get(md5, 'unknown checksum')}",
        f"layers: the {len(weights.convolutions)} convolutions of {network}, "
        "shapes as expected, all finite",
        f"mean: {' '.join(f'{value:.3f}' for value in weights.mean)} (RGB)",
        f"numbers: {FOUND[kind]}",
    ]


WRONG = {
    "swapped": "its kernels have height and width swapped",
    "bgr": "its first layer takes blue-green-red input",
}
FOUND = {
    "vgg19": "Oxford's VGG-19, kernels not transposed, RGB",
    "vgg16": "Oxford's VGG-16, kernels not transposed, RGB",
    "unknown": "not those of Oxford's VGG-19 or VGG-16: retrained or modified",
}


# Of the first filter of conv1_1: (red, green, blue) at (0, 0), red at (0, 1), red at (1, 0), and
# the absolute tolerance. VGG-16's values are those of the embedded file, in float16.
PROBES = {
    "vgg19": ((0.39416704, 0.46418372, 0.34119523), 0.37740308, 0.2671299, 1e-4),
    "vgg16": ((0.47998047, 0.55029297, 0.42944336), 0.40844727, 0.31054688, 3e-4),
}


def fingerprint(convolutions):
    """Identify VGG-19 or VGG-16 by the first values of conv1_1.

    Parameters
    ----------
    convolutions : dict
        Layer name to (kernel (3, 3, in, out), bias), as read.

    Returns
    -------
    {"vgg19", "vgg16", "swapped", "bgr", "unknown"}
        "swapped": one of the two with height and width swapped; "bgr": one with BGR input.
    """
    kernel, _ = convolutions["conv1_1"]

    def probe(order):
        red = order[0]
        return [*kernel[0, 0, list(order), 0], kernel[0, 1, red, 0], kernel[1, 0, red, 0]]

    for network, (corner, right, below, atol) in PROBES.items():
        for kind, order, expected in [
            (network, (0, 1, 2), (*corner, right, below)),
            ("swapped", (0, 1, 2), (*corner, below, right)),
            ("bgr", (2, 1, 0), (*corner, right, below)),
        ]:
            if np.allclose(probe(order), expected, rtol=0, atol=atol):
                return kind
    return "unknown"
