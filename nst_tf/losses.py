"""The equations, one function each. Numbers in brackets are those of Gatys et al. 2015.

Notation: a layer has N channels (filters) and M = H * W positions; F is the current picture's
feature map, P the content's, G and A the Gram matrices of the current picture and the style.
"""

import math

import tensorflow as tf

from nst_tf.errors import check_choice

STRIP = 64  # rows of a map that are looked at together

# What the sum of squared differences is multiplied by: kind -> f(H * W, N, sum P^2).
CONTENT_SCALES = {
    "half": lambda m, n, energy: 0.5,  # the paper, tutorials 0, 2 and 4
    "sum": lambda m, n, energy: 1.0,  # tutorial 1 (CS231n), keras.io
    "mean": lambda m, n, energy: 1 / (m * n),  # Johnson, PyTorch's and TensorFlow's tutorials
    "quarter-mean": lambda m, n, energy: 1 / (4 * m * n),  # tutorial 3 (deeplearning.ai)
    "root": lambda m, n, energy: 1 / (2 * math.sqrt(n * m)),  # cysmith; titu1994's type 1
    "relative": lambda m, n, energy: 1 / energy,  # a share of the target: free of size and trunk
}


def content_loss(current, target, *, scale="half"):
    """Content loss, eq. (1): half the squared distance of two feature maps.

    Parameters
    ----------
    current, target : (1, H, W, N)
        F and P, the features of one layer.
    scale : {"half", "sum", "mean", "quarter-mean", "root", "relative"}
        The factor before ``sum (F - P)^2``. "half" is 1/2, the paper's and that of tutorials
        0, 2 and 4; "sum" is 1 (tutorial 1); "mean" is 1/(H W N) (Johnson); "quarter-mean" is
        1/(4 H W N) (tutorial 3); "root" is 1/(2 sqrt(N M)) (titu1994, cysmith).
        "relative" is 1/sum P^2: 1 means "as far from the content as black is", at any size.

    Returns
    -------
    scalar
        "half", "sum" and "root" grow with the picture's area, the others do not.
    """
    target = tf.convert_to_tensor(target)
    return content_factor(target, scale) * squared_distance(current, target)


def squared_distance(current, target):
    """Return ``sum (F - P)^2`` of two maps in float32, whatever they were computed in."""
    return tf.reduce_sum(tf.square(tf.cast(current, tf.float32) - tf.cast(target, tf.float32)))


def content_factor(target, scale):
    """Return what `content_loss` multiplies the squared distance from a target by."""
    _, height, width, channels = target.shape
    # Strip by strip: of a large map, the float32 copies weigh more than all else in memory.
    strips = [target[:, top : top + STRIP] for top in range(0, height, STRIP)]
    energy = tf.add_n([tf.reduce_sum(tf.square(tf.cast(strip, tf.float32))) for strip in strips])
    # A layer that the content leaves silent has no energy to compare with: any change counts.
    energy = tf.maximum(energy, 1e-12)
    return CONTENT_SCALES[check_choice("scale", scale, CONTENT_SCALES)](
        height * width, channels, energy
    )


def gram_matrix(features, *, per_position=False):
    """Gram matrix, eq. (3): how often each two channels fire at the same place.

    Parameters
    ----------
    features : (1, H, W, N)
        The feature map of one layer.
    per_position : bool
        Divide by M = H * W, so that pictures of different size can be compared. This is the
        Gram matrix that `layer_style_loss` takes.

    Returns
    -------
    (1, N, N)
        ``G_ij = sum_k F_ki F_kj``: where each thing is, is summed away.
    """
    gram = _gram_matrix(tf.convert_to_tensor(features))
    return gram / positions(features) if per_position else gram


@tf.custom_gradient
def _gram_matrix(features):
    """Return F^T F and, as its gradient, F (U + U^T): one product where the tape would make two."""
    flat = _by_position(features)  # (1, M, N)

    def gradient(upstream):
        both = upstream + tf.linalg.matrix_transpose(upstream)
        return tf.reshape(tf.matmul(flat, tf.cast(both, flat.dtype)), tf.shape(features))

    return products(features, features), gradient


def products(features, others):
    """Return ``sum_k F_ki F'_kj`` (1, N, N') in float32: Gram's sums, of two maps.

    bfloat16 maps are multiplied as such where that keeps the sums exact to about 1/1000: row by
    row, as each product of matrices comes rounded, and rows are added up in float32. Deep layers
    have few positions and many channels, so that float32 is quicker there.

    Parameters
    ----------
    features : (1, H, W, N)
    others : (1, H, W, N')
    """
    if features.dtype != tf.float32 and features.shape[3] <= ROW_BY_ROW:
        rows = tf.matmul(features[0], others[0], transpose_a=True)  # (H, N, N')
        return tf.reduce_sum(tf.cast(rows, tf.float32), axis=0, keepdims=True)
    flat, flat_others = (tf.cast(_by_position(each), tf.float32) for each in (features, others))
    return tf.matmul(flat, flat_others, transpose_a=True)


def positions(features):
    """Return how many positions a map (1, H, W, N) has: M, as a float."""
    return tf.cast(tf.shape(features)[1] * tf.shape(features)[2], tf.float32)


def _by_position(features):
    return tf.reshape(features, (1, -1, features.shape[3]))  # (1, M, N)


def layer_style_loss(current, target, *, relative=False):
    """Style loss of one layer, eq. (4): ``1/(4 N^2) sum (G/M - A/M)^2``.

    Parameters
    ----------
    current, target : (1, N, N), or (1, N, N') from two layers
        G and A, Gram matrices *per position*, each divided by its own M.
    relative : bool
        Divide by ``sum (A/M)^2`` instead of ``4 N^2``: a share of the target's own energy, so
        that no layer counts more only because its numbers are larger.

    Returns
    -------
    scalar
        Equal to the paper's ``1/(4 N^2 M^2) sum (G - A)^2`` when both pictures have the same
        size, and still meaningful when they have not. Tutorial 1 divides G by H W N and sums
        without the 1/4, which is 4 times this; titu1994 and keras.io put 3 and the picture's size
        for N and M.
    """
    squared = tf.reduce_sum(tf.square(current - target))
    if relative:
        return squared / tf.maximum(tf.reduce_sum(tf.square(target)), 1e-12)
    return squared / (4.0 * current.shape[-2] * current.shape[-1])


def style_loss(current, targets, weights):
    """Style loss, eq. (5): the layers' losses, each times its weight w_l, summed.

    Parameters
    ----------
    current : dict of (1, H, W, N)
        Features by layer name.
    targets : dict of (1, N, N)
        The style's Gram matrices per position, by layer name.
    weights : dict of float
        w_l by layer name. "Softer": raise conv5_1; "harder": raise conv1_1 (tutorial 0).

    Returns
    -------
    scalar
    """
    return tf.add_n(
        [
            weight
            * layer_style_loss(gram_matrix(current[layer], per_position=True), targets[layer])
            for layer, weight in weights.items()
        ]
    )


ROW_BY_ROW = 128  # channels: up to so many, bfloat16 products are made row by row

# What is summed of the differences to the pixel below, (1, H-1, W, 3), and right, (1, H, W-1, 3).
TV_FORMS = {
    "squared": lambda down, right: (tf.square(down), tf.square(right)),
    "absolute": lambda down, right: (tf.abs(down), tf.abs(right)),
    "mean": lambda down, right: (tf.square(down), tf.square(right)),
    "power": lambda down, right: (
        tf.pow(
            tf.square(down[:, :, : tf.shape(right)[2]]) + tf.square(right[:, : tf.shape(down)[1]]),
            1.25,
        ),
    ),
}


def tv_loss(image, form="squared"):
    """Total variation: how much neighbouring pixels differ (tutorial 1).

    Parameters
    ----------
    image : (1, H, W, 3)
    form : {"squared", "absolute", "mean", "power"}
        "squared": ``sum d^2`` (tutorial 1, CS231n). "absolute": ``sum |d|``
        (`tf.image.total_variation`, TensorFlow's tutorial, cysmith). "mean": the mean of
        ``d^2`` in each direction, which does not grow with the picture. "power":
        ``sum (dx^2 + dy^2)^1.25`` (tutorial 2's code, keras.io).

    Returns
    -------
    scalar
        More of it in the total loss: smoother picture, less grain. "absolute" keeps edges that
        "squared" blurs.
    """
    image = tf.convert_to_tensor(image)
    image = tf.cast(image, tf.float32)  # differences of uint8 would wrap round
    return tv_of_sums(tv_sums(*differences(image, tf.shape(image)[1:3]), form), form)


def differences(image, size):
    """Return by how much pixels differ from the one below and the one to the right.

    Parameters
    ----------
    image : (1, H, W, 3)
    size : (h, w)
        Of the upper left part whose differences are returned; what lies beyond it is looked at
        only as a neighbour.

    Returns
    -------
    (1, H-1, w, 3), (1, h, W-1, 3)
    """
    height, width = tf.unstack(tf.shape(image)[1:3])
    down = [1, height - 1, size[1], 3]
    right = [1, size[0], width - 1, 3]
    first = [0, 0, 0, 0]
    # The gradient of `tf.slice` is several times quicker than that of ``image[:, 1:]``.
    return (
        tf.slice(image, [0, 1, 0, 0], down) - tf.slice(image, first, down),
        tf.slice(image, [0, 0, 1, 0], right) - tf.slice(image, first, right),
    )


def tv_sums(down, right, form):
    """Return the sums and the numbers of what `form` takes of the differences: (2, 1 or 2)."""
    parts = TV_FORMS[check_choice("form", form, TV_FORMS)](down, right)
    sums = [tf.reduce_sum(part) for part in parts]
    return tf.stack([sums, [tf.cast(tf.size(part), tf.float32) for part in parts]])


def tv_of_sums(sums, form):
    """Return the loss that `tv_sums` add up to."""
    total, number = tf.unstack(sums)
    return tf.reduce_sum(total / number if form == "mean" else total)


def total_loss(content, style, alpha, beta, tv=0.0, tv_weight=0.0):
    """Total loss, eq. (7): ``alpha L_content + beta L_style``, and total variation by choice.

    Parameters
    ----------
    content, style, tv : scalar
        The three losses.
    alpha, beta, tv_weight : float
        Their weights. Higher alpha / beta: more house; lower: more brush.

    Returns
    -------
    scalar
    """
    return alpha * content + beta * style + tv_weight * tv
