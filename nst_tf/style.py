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
from nst_tf.losses import gram_matrix, layer_style_loss, positions, products
from nst_tf.trunks import resolve_layers
from nst_tf.windows import WHOLE


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

WEIGHTING = ("equal", "quarter-deepest", "geometric", "geometric-top")


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
    weighting : {"equal", "quarter-deepest", "geometric", "geometric-top"}
        Without `weights`: 1/number of layers each; the same, but the deepest layer counts a
        quarter, so that fewer whole motifs of the painting (a star, a face) land where they
        don't belong; or in the proportions of `geometric_weights`. They sum to 1, so that beta
        means the same for all.
    statistic : str
        A name in `STATISTICS`. A "chain" has no loss at the first layer, so its weight is 0.
    """
    check_choice("weighting", weighting, WEIGHTING)
    layers = resolve_layers(model, layers)
    if weights is not None:
        return one_weight_each("style", layers, weights)
    if weighting in ("equal", "quarter-deepest"):
        raw = dict.fromkeys(layers, 1.0)
        if weighting == "quarter-deepest":
            raw[max(layers, key=list(model).index)] = 0.25
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


def correlation_sums(features, others, guide=None):
    """How often channels of two maps fire at the same place: what adds up over positions.

    Parameters
    ----------
    features : (1, H, W, N)
    others : (1, H, W, N')
        With `others` = `features` it is the Gram matrix, eq. (3).
    guide : (1, H, W, 1), optional
        How much each position counts.

    Returns
    -------
    (1, N, N'), scalar
        The sum, and how much counted in all: the positions, or the guide's sum. One divided by
        the other is the matrix per position, so that a style is as strong in a small region as
        in a large one.
    """
    count = positions(features) if guide is None else tf.reduce_sum(guide)
    if others is features:
        if guide is not None:
            features = features * tf.cast(tf.sqrt(guide), features.dtype)  # (F g^1/2)^T (F g^1/2)
        return gram_matrix(features), count
    if guide is not None:
        features = features * tf.cast(guide, features.dtype)
    return products(features, others), count


def per_position(sums):
    """Divide each layer's sum by what counted."""
    return {layer: total / count for layer, (total, count) in sums.items()}


def gram_sums(features, guides, window=WHOLE):
    """Gatys et al. 2015, eq. (3): a Gram matrix for each layer.

    Parameters
    ----------
    features : dict of (1, H, W, N)
        Of what the window shows.
    guides : dict of (1, H, W, 1)
        Of the whole picture. Layers without a guide count everywhere.
    window : Whole or Tile

    Returns
    -------
    dict of (sum, count)
        Those of a picture's windows add up to the picture's own.
    """
    sums = {}
    for layer, feature in features.items():
        core = window.core(feature, layer)
        sums[layer] = correlation_sums(core, core, _guide(guides, layer, window))
    return sums


def _guide(guides, layer, window):
    return window.part(guides[layer], layer) if layer in guides else None


def chain_sums(features, guides, window=WHOLE):
    """Novak & Nikulin 2016, section 3.5: G^(l,l-1), each layer against the one below it.

    ``G^(l,l-1) = up(F^l)^T F^(l-1)``: the smaller of the two maps, the one beyond a pool, is
    upsampled. "The one below" is the next shallower of the style layers; the shallowest
    has none, so that n layers give n - 1 matrices (1, N_l, N_(l-1)).

    Differs from tutorial 2's code, which subtracts the ordinary losses of neighbours: there the
    last layer has weight -1, and its mismatch is rewarded.

    Arguments and what is returned are those of `gram_sums`.
    """
    sums = {}
    for below, layer in itertools.pairwise(features):
        size = tf.unstack(tf.shape(features[below])[1:3])  # depth only shrinks a map
        upsampled = window.core(upsample(features[layer], size), below)
        core = window.core(features[below], below)
        sums[layer] = correlation_sums(upsampled, core, _guide(guides, below, window))
    return sums


def upsample(features, size):
    """Repeat the positions of a map (1, H, W, N) until it has `size` (height, width).

    Position i of the larger map falls into i // 2 of one that was pooled once, at odd sizes too
    (tf.image.resize looks half a pixel further, and has no gradient in XLA).
    """
    for axis, length in enumerate(size, 1):
        there = tf.shape(features)[axis]
        poolings = tf.experimental.numpy.log2(tf.cast(length / there, tf.float32))
        times = 2 ** tf.cast(tf.round(poolings), tf.int32)  # odd sizes: not quite a power of two
        features = tf.gather(features, tf.minimum(tf.range(length) // times, there - 1), axis=axis)
    return features


def blurred_sums(features, guides, window=WHOLE):
    """Gram matrices of blurred maps: how often channels fire *near* the same place.

    Named in Novak & Nikulin 2016, who found it slow to converge for little gain. Here each map
    is averaged over 3x3 positions first. Arguments and what is returned are those of `gram_sums`.
    """
    blurred = {
        layer: tf.nn.avg_pool2d(feature, 3, 1, "SAME") for layer, feature in features.items()
    }
    return gram_sums(blurred, guides, window)


def moment_sums(features, guides, window=WHOLE):
    """First and second moments of each layer's channels; arguments as for `gram_sums`.

    Returns
    -------
    dict of ((1, N), (1, N, N), count)
    """
    sums = {}
    for layer, feature in features.items():
        core, guide = window.core(feature, layer), _guide(guides, layer, window)
        counted = core if guide is None else core * tf.cast(guide, core.dtype)
        if counted.dtype != tf.float32:  # rounded once a row, as in `products`
            counted = tf.cast(tf.reduce_sum(counted, axis=2, keepdims=True), tf.float32)
        total = tf.reduce_sum(counted, axis=(1, 2))
        sums[layer] = total, *correlation_sums(core, core, guide)
    return sums


def mean_and_covariance(sums):
    """Return mean (1, N) and covariance (1, N, N) of each layer's channels over its positions."""
    moments = {}
    for layer, (first, second, count) in sums.items():
        mean = first / count
        moments[layer] = mean, second / count - mean[:, :, tf.newaxis] * mean[:, tf.newaxis]
    return moments


def moments_loss(current, target, *, relative=False):
    """How far mean and covariance of the channels are from the style's, each by itself.

    A Gram matrix is covariance plus what the means alone make, ``C + m m^T``, and the means make
    most of its energy. Apart, how channels vary together, which is the strokes, counts as much as
    how bright they are.

    Parameters
    ----------
    current, target : (mean (1, N), covariance (1, N, N))
    relative : bool
        Divide each by the target's own energy, and take their mean.

    Returns
    -------
    scalar
        ``1/(4 N) sum (m - m')^2 + 1/(4 N^2) sum (C - C')^2``; relative:
        ``1/2 sum (m - m')^2 / sum m'^2 + 1/2 sum (C - C')^2 / sum C'^2``. Mean and covariance in
        place of Gram matrices: crowsonkb's style-transfer-pytorch.
    """
    mean, covariance = current
    target_mean, target_covariance = target
    of_means = layer_style_loss(mean[:, tf.newaxis], target_mean[:, tf.newaxis], relative=relative)
    of_covariances = layer_style_loss(covariance, target_covariance, relative=relative)
    return (of_means + of_covariances) / (2 if relative else 1)


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
        as a style loss: crowsonkb's style-transfer-pytorch. Activation shifts
        cancel in it, but for the relative form's divisor.
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
    sums : callable
        ``(features, guides, window) -> {layer: ...}``: what adds up over positions, and so over
        the tiles of a picture.
    finish : callable
        From the picture's sums to ``{layer: statistic}``.
    distance : callable
        ``(current, target, relative=...) -> scalar``, the loss of one layer.
    aim : callable
        What is done to a target once, before the loop.
    least_layers : int
        How many layers it needs.
    margin : int
        How many neighbours of a position it looks at, on each side.
    """

    sums: Callable
    finish: Callable = per_position
    distance: Callable = layer_style_loss
    aim: Callable = lambda target: target
    least_layers: int = 1
    margin: int = 0

    def measure(self, features, guides):
        """Return the statistic of each layer of a whole picture."""
        return self.finish(self.sums(features, guides, WHOLE))


STATISTICS = {
    "gram": Statistic(gram_sums),
    "chain": Statistic(chain_sums, least_layers=2),
    "blurred": Statistic(blurred_sums, margin=1),
    "moments": Statistic(moment_sums, mean_and_covariance, moments_loss),
    "wasserstein": Statistic(moment_sums, mean_and_covariance, wasserstein_loss, with_square_root),
}


def shifted(statistic, shift):
    """Return the statistic of activations plus `shift`: Novak & Nikulin 2016, section 3.3.

    After a ReLU most activations are 0, so most entries of a Gram matrix are near 0 too. Shifted
    by the paper's -1, "neither fires" counts as agreement as well. Guides come after the shift:
    black must not contribute shift^2.
    """
    if not shift:
        return statistic

    def sums(features, guides, window):
        features = {layer: feature + shift for layer, feature in features.items()}
        return statistic.sums(features, guides, window)

    return replace(statistic, sums=sums)
