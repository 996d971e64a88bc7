"""What style is: a picture with its weight and masks, and the statistics it is measured by.

Gram matrices are Gatys'; tutorial 2 adds what Novak & Nikulin 2016 put in their place. Each
statistic is measured at every style layer of the style once, and of the current picture at
every iteration; their distance is the layer's loss E_l.
"""

import itertools
import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import tensorflow as tf

from nst_tf.errors import ConfigError, check_choice
from nst_tf.losses import layer_style_loss
from nst_tf.trunks import resolve_layers


@dataclass(frozen=True)
class Style:
    """A style picture and where it acts, in one object so that they can't be mixed up.

    Attributes
    ----------
    image : (1, H, W, 3) float32
        The painting, of any size.
    weight : float
        How strong. Among styles without a mask only the proportions count.
    mask : (H, W) float in [0, 1], optional
        Of the content's size: where in the result this style acts. None: everywhere.
    style_mask : (H, W) float in [0, 1], optional
        Of the style image's size: which part of the painting is taken. None: all of it.
    """

    image: np.ndarray = field(repr=False)
    weight: float = 1.0
    mask: np.ndarray | None = field(default=None, repr=False)
    style_mask: np.ndarray | None = field(default=None, repr=False)

    def __post_init__(self):
        number = isinstance(self.weight, numbers.Real)
        if not number or not 0 < self.weight < math.inf:
            raise ConfigError(f"the weight of a style is {self.weight!r}; it must be above 0")


# --------------------------------------------------------------------------- layer weights

WEIGHTING = ("equal", "geometric", "geometric-top")


def geometric_weights(model, layers, *, favour="bottom"):
    """Layer weights of Novak & Nikulin 2016, section 3.1: powers of two by depth.

    Parameters
    ----------
    model : Trunk
    layers : sequence of str
    favour : {"bottom", "top"}
        "bottom" is the paper's for style, ``2^(D - d(l))``; "top" its for content, ``2^d(l)``.
        D is the number of convolutions in the trunk, d = 1..D the depth of a layer.

    Returns
    -------
    dict of float
        By layer name, not normalised: conv1_1 of VGG-19 gets 2^15 for style.

    Notes
    -----
    Tutorial 2's code (titu1994's INetwork.py) divides by 2^(D - d) for style, which favours the
    top although the text says "bottom layers": that is "top" here.
    """
    check_choice("favour", favour, ("bottom", "top"))
    layers = resolve_layers(model, layers)
    depth = {name: d for d, name in enumerate(model.convolutions, 1)}
    for layer in layers:
        if layer not in depth:
            raise ConfigError(f"{layer} is no convolution, so it has no geometric weight")
    total = len(depth)
    power = {"bottom": lambda d: total - d, "top": lambda d: d}[favour]
    return {layer: 2.0 ** power(depth[layer]) for layer in layers}


def style_layer_weights(model, layers, weights=None, weighting="equal", statistic="gram"):
    """Return w_l by layer name (eq. 5).

    Parameters
    ----------
    model : Trunk
    layers : sequence of str
    weights : sequence of float, optional
        One for each layer; they are taken as they are.
    weighting : {"equal", "geometric", "geometric-top"}
        Without `weights`: 1/number of layers each, or in the proportions of
        `geometric_weights`. They sum to 1, so that beta means the same for all.
    statistic : str
        A name in `STATISTICS`. A "chain" has no loss at the first layer, so its weight is 0.
    """
    check_choice("weighting", weighting, WEIGHTING)
    layers = resolve_layers(model, layers)
    if weights is not None:
        return one_weight_each("style", layers, weights)
    if weighting == "equal":
        raw = dict.fromkeys(layers, 1.0)
    else:
        favour = "bottom" if weighting == "geometric" else "top"
        raw = geometric_weights(model, layers, favour=favour)
    if statistic == "chain" and len(layers) > 1:
        raw[min(layers, key=list(model).index)] = 0.0
    return {layer: weight / sum(raw.values()) for layer, weight in raw.items()}


def one_weight_each(kind, layers, weights):
    """Return weights by layer name: one number for all, or one for each of them."""
    if isinstance(weights, (int, float)):
        weights = [weights] * len(layers)
    if len(weights) != len(layers):
        raise ConfigError(
            f"`{kind}_layer_weights` has {len(weights)} numbers for {len(layers)} {kind} layers "
            f"({' '.join(layers)}); give one for each"
        )
    return dict(zip(layers, weights))


# --------------------------------------------------------------------------- statistics


def correlation(features, others, guide=None):
    """How often channels of two maps fire at the same place, per position.

    Parameters
    ----------
    features : (1, H, W, N)
    others : (1, H, W, N')
        With `others` = `features` it is the Gram matrix, eq. (3), divided by M.
    guide : (1, H, W, 1), optional
        How much each position counts; the sum is divided by the guide's sum, so that a style
        is as strong in a small region as in a large one.

    Returns
    -------
    (1, N, N')
    """
    _, height, width, channels = features.shape
    positions = height * width
    flat_others = tf.reshape(others, (1, positions, others.shape[3]))
    if guide is not None:
        features, positions = features * guide, tf.reduce_sum(guide)
    flat = tf.reshape(features, (1, height * width, channels))  # (1, M, N)
    return tf.matmul(flat, flat_others, transpose_a=True) / positions


def gram_matrices(features, guides):
    """Gatys et al. 2015, eq. (3): one Gram matrix per position for each layer."""
    return {
        layer: correlation(feature, feature, guides.get(layer))
        for layer, feature in features.items()
    }


def correlation_chain(features, guides):
    """Novak & Nikulin 2016, section 3.5: G^(l,l-1), each layer against the one below it.

    ``G^(l,l-1) = up(F^l)^T F^(l-1)``: the smaller of the two maps, the one beyond a pool, is
    upsampled. "The one below" is the next shallower of the style layers; the shallowest
    has none, so that n layers give n - 1 matrices (1, N_l, N_(l-1)).

    Differs from tutorial 2's code, which subtracts the ordinary losses of neighbours: there the
    last layer has weight -1, and its mismatch is rewarded.
    """
    layers = list(features)
    chain = {}
    for below, layer in itertools.pairwise(layers):
        size = features[below].shape[1:3]  # depth only shrinks a map
        upsampled = upsample(features[layer], size)
        chain[layer] = correlation(upsampled, features[below], guides.get(below))
    return chain


def upsample(features, size):
    """Repeat the positions of a map (1, H, W, N) until it has `size` (height, width).

    Position i of the larger map falls into i // 2 of one that was pooled once, at odd sizes too
    (tf.image.resize looks half a pixel further, and has no gradient in XLA).
    """
    for axis, length in enumerate(size, 1):
        sources = np.arange(length) * features.shape[axis] // length
        features = tf.gather(features, sources, axis=axis)
    return features


def blurred_correlations(features, guides):
    """Gram matrices of blurred maps: how often channels fire *near* the same place.

    Named in Novak & Nikulin 2016, who found it slow to converge for little gain. Here each map
    is averaged over 3x3 positions first.
    """
    blurred = {
        layer: tf.nn.avg_pool2d(feature, 3, 1, "SAME") for layer, feature in features.items()
    }
    return gram_matrices(blurred, guides)


def mean_and_covariance(features, guides):
    """Mean (1, N) and covariance (1, N, N) of each layer's channels over its positions."""
    moments = {}
    for layer, feature in features.items():
        guide = guides.get(layer)
        share = tf.ones_like(feature[..., :1]) if guide is None else guide
        share /= tf.reduce_sum(share)
        mean = tf.reduce_sum(feature * share, axis=(1, 2))  # (1, N)
        centred = feature - mean[:, tf.newaxis, tf.newaxis]
        moments[layer] = mean, correlation(centred, centred, guide)
    return moments


def with_square_root(moments):
    """Add the square root of the covariance to a target's mean and covariance, once.

    A little of the mean variance is added along the diagonal: a dead channel has variance 0,
    where the square root has no slope.
    """
    mean, covariance = moments
    ridge = 1e-4 * tf.reduce_mean(tf.linalg.diag_part(covariance)) + 1e-12
    values, vectors = tf.linalg.eigh(_with_ridge(covariance, ridge))
    root = vectors * tf.sqrt(tf.maximum(values, 0.0))[:, tf.newaxis]
    return mean, covariance, tf.matmul(root, vectors, transpose_b=True), ridge


def wasserstein_loss(current, target, *, relative=False):
    """Squared Wasserstein-2 distance of two normal distributions, by channel.

    Parameters
    ----------
    current : (mean (1, N), covariance (1, N, N))
    target : the same, followed by what `with_square_root` adds
    relative : bool
        Divide by the target's own ``|mean|^2 + trace(covariance)``.

    Returns
    -------
    scalar
        ``(|m - m'|^2 + tr(C + C' - 2 (C'^1/2 C C'^1/2)^1/2)) / N`` (Olkin & Pukelsheim 1982);
        as a style loss: crowsonkb's style-transfer-pytorch. Activation shifts cancel in it.
    """
    mean, covariance = current
    target_mean, target_covariance, root, ridge = target
    covariance = _with_ridge(covariance, ridge)
    target_covariance = _with_ridge(target_covariance, ridge)
    product = tf.matmul(tf.matmul(root, covariance), root)
    product = (product + tf.linalg.matrix_transpose(product)) / 2  # symmetric to the last bit
    overlap = tf.sqrt(tf.maximum(tf.linalg.eigvalsh(product), tf.square(ridge) / 4))
    energy = tf.reduce_sum(tf.square(target_mean)) + tf.linalg.trace(target_covariance)[0]
    distance = (
        tf.reduce_sum(tf.square(mean - target_mean))
        + tf.linalg.trace(covariance + target_covariance)[0]
        - 2 * tf.reduce_sum(overlap)
    )
    return distance / (tf.maximum(energy, 1e-12) if relative else mean.shape[-1])


def _with_ridge(matrix, ridge):
    return matrix + ridge * tf.eye(matrix.shape[-1])


@dataclass(frozen=True)
class Statistic:
    """How style is measured and compared.

    Attributes
    ----------
    measure : callable
        ``(features, guides) -> {layer: statistic}``; layers without a guide count everywhere.
    distance : callable
        ``(current, target, relative=...) -> scalar``, the loss of one layer.
    aim : callable
        What is done to a target once, before the loop.
    least_layers : int
        How many layers it needs.
    """

    measure: Callable
    distance: Callable = layer_style_loss
    aim: Callable = lambda target: target
    least_layers: int = 1


STATISTICS = {
    "gram": Statistic(gram_matrices),
    "chain": Statistic(correlation_chain, least_layers=2),
    "blurred": Statistic(blurred_correlations),
    "wasserstein": Statistic(mean_and_covariance, wasserstein_loss, with_square_root),
}


def shifted(statistic, shift):
    """Return the statistic of activations plus `shift`: Novak & Nikulin 2016, section 3.3.

    After a ReLU most activations are 0, so most entries of a Gram matrix are near 0 too. Shifted
    by the paper's -1, "neither fires" counts as agreement as well. Guides come after the shift:
    black must not contribute shift^2.
    """
    if not shift:
        return statistic

    def measure(features, guides):
        features = {layer: feature + shift for layer, feature in features.items()}
        return statistic.measure(features, guides)

    return replace(statistic, measure=measure)
