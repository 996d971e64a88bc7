"""The equations, one function each. Numbers in brackets are those of Gatys et al. 2015.

Equations (3) and (4), the Gram matrix and the loss of a layer, are in `statistics.py`, with the
other statistics.

Notation: a layer has N channels (filters) and M = H W positions; F is the current picture's
feature map, P the content's.
"""

import tensorflow as tf

from nst_tf.errors import check_choice
from nst_tf.models.layers import wrapped
from nst_tf.objective.statistics import STATISTICS

# Factors of the sum of squared differences: name -> f(H W, N, sum P^2).
CONTENT_SCALES = {
    "half": lambda m, n, energy: 0.5,  # the paper, tutorials 0, 2 and 4
    "sum": lambda m, n, energy: 1.0,  # tutorial 1 (CS231n), keras.io
    "mean": lambda m, n, energy: 1 / (m * n),  # Johnson, PyTorch's and TensorFlow's tutorials
    "quarter-mean": lambda m, n, energy: 1 / (4 * m * n),  # tutorial 3 (deeplearning.ai)
    "root": lambda m, n, energy: 1 / (2 * tf.sqrt(m * n)),  # cysmith; titu1994's type 1
    "relative": lambda m, n, energy: 1 / tf.maximum(energy, 1e-12),  # independent of size, network
}


def content_loss(current, target, *, guide=None, scale="half", by_size=False):
    """Content loss, eq. (1): half the squared distance of two feature maps.

    Parameters
    ----------
    current, target : (1, H, W, N)
        F and P, the features of one layer.
    guide : (1, H, W, 1), optional
        Weight of each position; default: 1 each.
    scale : {"half", "sum", "mean", "quarter-mean", "root", "relative"}
        The factor before ``sum (F - P)^2``. "half" is 1/2, the paper's and that of tutorials
        0, 2 and 4; "sum" is 1 (tutorial 1); "mean" is 1/(H W N) (Johnson); "quarter-mean" is
        1/(4 H W N) (tutorial 3); "root" is 1/(2 sqrt(N M)) (titu1994, cysmith).
        "relative" is 1/sum P^2, so that features of 0 have a loss of 1 at any size.
    by_size : bool
        Divide the loss by max(H, W, N).

    Returns
    -------
    scalar
        "half", "sum" and "root" grow with the picture's area, the others do not.

    Examples
    --------
    >>> import tensorflow as tf
    >>> target, current = tf.zeros((1, 4, 4, 2)), tf.ones((1, 4, 4, 2))
    >>> float(content_loss(current, target))  # half of 4 * 4 * 2 squares
    16.0
    >>> float(content_loss(current, target, scale="mean"))
    1.0
    """
    target = tf.convert_to_tensor(target)
    distance = content_distance(current, target, guide)
    energy = sum_of_squares(target) if scale == "relative" else 0.0
    return content_factor(tf.shape(target), scale, energy, by_size) * distance


def content_distance(current, target, guide=None):
    """Return the squared distance of two feature maps, positions weighted by a guide: a scalar."""
    difference = tf.cast(current, tf.float32) - tf.cast(target, tf.float32)
    return sum_of_squares(difference if guide is None else tf.sqrt(guide) * difference)


def sum_of_squares(x):
    """Return the sum of squares, a scalar in float32."""
    return 2 * tf.nn.l2_loss(tf.cast(x, tf.float32))


def content_factor(shape, scale, energy, by_size=False):
    """Return the factor of the squared distance from a target.

    Parameters
    ----------
    shape : (4,) int
        Of the target.
    scale, by_size
        As for `content_loss`.
    energy : scalar
        ``sum P^2`` of the target.
    """
    shape = tf.cast(shape, tf.float32)
    _, height, width, channels = tf.unstack(shape)
    check_choice("scale", scale, CONTENT_SCALES)
    factor = CONTENT_SCALES[scale](height * width, channels, energy)
    return factor / tf.reduce_max(shape) if by_size else factor


def style_loss(
    features,
    targets,
    weights,
    *,
    statistic="gram",
    relative=False,
    by_size=False,
    guides=None,
    wrap="",
):
    """Style loss, eq. (5): the weighted sum of the layers' losses, with weights w_l.

    Parameters
    ----------
    features : dict of (1, H, W, N)
        The current picture's, by layer name.
    targets : dict of (1, N, N)
        The style's Gram matrices per position, by layer name; of another statistic, what its
        `measure` returns.
    weights : dict of float
        w_l by layer name. For softer features, increase conv5_1; for harder, conv1_1 (tutorial 0).
    statistic : str
        A name in `STATISTICS`.
    relative : bool
        Divide each layer's loss by the target's energy.
    by_size : bool
        Divide each layer's weight by the longest side of its target: N for Gram matrices.
    guides : dict of (1, H, W, 1), optional
        Weight of each position, by layer name.
    wrap : {"", "x", "xy"}
        Axes in which the current picture is circular.

    Returns
    -------
    scalar

    Examples
    --------
    >>> import tensorflow as tf
    >>> from nst_tf import gram_matrix
    >>> style, current = tf.ones((1, 8, 8, 4)), tf.zeros((1, 8, 8, 4))
    >>> targets = {"conv1_1": gram_matrix(style, per_position=True)}
    >>> float(style_loss({"conv1_1": style}, targets, {"conv1_1": 1.0}))
    0.0
    >>> float(style_loss({"conv1_1": current}, targets, {"conv1_1": 1.0}))  # 16 / (4 * 4 ** 2)
    0.25
    """
    current = STATISTICS[statistic].measure(features, guides, wrap)
    options = {"statistic": statistic, "relative": relative, "by_size": by_size}
    return style_distance(current, targets, weights, **options)


def style_distance(current, targets, weights, *, statistic="gram", relative=False, by_size=False):
    """Return eq. (5) of two dicts of the measured statistic, by layer name."""
    distance = STATISTICS[statistic].distance
    sizes = {layer: _longest_side(target) if by_size else 1 for layer, target in targets.items()}
    return tf.add_n(
        [
            weights[layer] / sizes[layer] * distance(current[layer], target, relative=relative)
            for layer, target in targets.items()
        ]
    )


def _longest_side(target):
    return max(side for array in tf.nest.flatten(target) for side in array.shape)


# Terms of the sums, from the differences to the pixel below, (1, H-1, W, 3), to the right,
# (1, H, W-1, 3), and diagonally below to the right, (1, H-1, W-1, 3).
TV_FORMS = {
    "squared": lambda down, right, diagonal: (tf.square(down), tf.square(right)),
    "absolute": lambda down, right, diagonal: (tf.abs(down), tf.abs(right)),
    "mean": lambda down, right, diagonal: (tf.square(down), tf.square(right)),
    "power": lambda down, right, diagonal: (
        tf.pow(
            tf.square(down[:, :, : tf.shape(right)[2]]) + tf.square(right[:, : tf.shape(down)[1]]),
            1.25,
        ),
    ),
    "nine-point": lambda down, right, diagonal: (
        tf.square(down),
        tf.square(right),
        tf.square(diagonal),
        # The other diagonal: (below - here) - (right - here).
        tf.square(down[:, :, : tf.shape(right)[2]] - right[:, : tf.shape(down)[1]]),
    ),
}
# Factors of the forms that are sums of means. The other forms are plain sums.
TV_MEANS = {"mean": (1.0, 1.0), "nine-point": (2 / 3, 2 / 3, 1 / 6, 1 / 6)}


def tv_loss(image, form="squared", wrap=""):
    """Total variation: how much neighboring pixels differ (tutorial 1).

    Parameters
    ----------
    image : (1, H, W, 3)
    form : {"squared", "absolute", "mean", "power", "nine-point"}
        "squared": ``sum d^2`` (tutorial 1, CS231n). "absolute": ``sum |d|``
        (`tf.image.total_variation`, TensorFlow's tutorial, cysmith). "mean": the mean of
        ``d^2`` in each direction, which does not grow with the picture. "power":
        ``sum (dx^2 + dy^2)^1.25`` (tutorial 2's code, keras.io). "nine-point": two thirds of the
        mean of ``d^2`` in each direction plus a sixth of it along each diagonal, which depends
        less on the direction of a line (crowsonkb's style-transfer-pytorch, which also counts the
        differences along a repeated border).
    wrap : {"", "x", "xy"}
        Axes in which the image is circular: the pixels at opposite edges are neighbors, too.

    Returns
    -------
    scalar
        A larger weight makes the picture smoother, with less grain. "absolute" preserves edges
        that "squared" blurs.

    Examples
    --------
    >>> import numpy as np
    >>> stripes = np.zeros((1, 4, 4, 3), np.float32)
    >>> stripes[:, :, 2:] = 10  # one vertical edge of 4 pixels
    >>> float(tv_loss(stripes)), float(tv_loss(stripes, "absolute"))
    (1200.0, 120.0)
    """
    image = tf.cast(tf.convert_to_tensor(image), tf.float32)  # differences of uint8 would wrap
    size = tf.shape(image)[1:3]
    if wrap:
        image = wrapped(image, (0, 2, 1), wrap)  # each pixel, and the next one
    return tv_of_sums(tv_sums(*differences(image, size), form), form)


def differences(image, size):
    """Return the differences to the pixel below, to the right, and diagonally to both.

    Parameters
    ----------
    image : (1, H, W, 3)
    size : (h, w)
        Of the upper left part whose differences are returned; pixels beyond it serve as
        neighbors only.

    Returns
    -------
    (1, H-1, w, 3), (1, h, W-1, 3), (1, H-1, W-1, 3)
    """
    height, width = tf.unstack(tf.shape(image)[1:3])
    down = [1, height - 1, size[1], 3]
    right = [1, size[0], width - 1, 3]
    diagonal = [1, height - 1, width - 1, 3]
    first = [0, 0, 0, 0]
    # The gradient of `tf.slice` is several times faster than that of ``image[:, 1:]``.
    return (
        tf.slice(image, [0, 1, 0, 0], down) - tf.slice(image, first, down),
        tf.slice(image, [0, 0, 1, 0], right) - tf.slice(image, first, right),
        tf.slice(image, [0, 1, 1, 0], diagonal) - tf.slice(image, first, diagonal),
    )


def tv_sums(down, right, diagonal, form):
    """Return the sums of the terms that `form` names, and their numbers: (2, 1 to 4)."""
    parts = TV_FORMS[check_choice("form", form, TV_FORMS)](down, right, diagonal)
    sums = [tf.reduce_sum(part) for part in parts]
    return tf.stack([sums, [tf.cast(tf.size(part), tf.float32) for part in parts]])


def tv_of_sums(sums, form):
    """Return the loss from what `tv_sums` returned."""
    total, number = tf.unstack(sums)
    return tf.reduce_sum(TV_MEANS[form] * total / number if form in TV_MEANS else total)


def total_loss(content, style, alpha, beta, tv=0.0, tv_weight=0.0):
    """Total loss, eq. (7): ``alpha L_content + beta L_style``, optionally with total variation.

    Parameters
    ----------
    content, style, tv : scalar
        The three losses.
    alpha, beta, tv_weight : float
        Their weights. A higher alpha / beta keeps more content, a lower one gives more style.

    Returns
    -------
    scalar

    Examples
    --------
    >>> total_loss(content=2.0, style=3.0, alpha=10, beta=40)
    140.0
    """
    return alpha * content + beta * style + tv_weight * tv
