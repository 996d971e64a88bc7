"""The equations, one function each. Numbers in brackets are those of Gatys et al. 2015.

Notation: a layer has N channels (filters) and M = H * W positions; F is the current picture's
feature map, P the content's, G and A the Gram matrices of the current picture and the style.
"""

import math

import tensorflow as tf

from nst_tf.errors import check_choice

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
    _, height, width, channels = target.shape
    target = tf.convert_to_tensor(target)
    # A layer that the content leaves silent has no energy to compare with: any change counts.
    energy = tf.maximum(tf.reduce_sum(tf.square(target)), 1e-12)
    factor = CONTENT_SCALES[check_choice("scale", scale, CONTENT_SCALES)]
    return factor(height * width, channels, energy) * tf.reduce_sum(tf.square(current - target))


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
    _, height, width, channels = features.shape
    flat = tf.reshape(features, (-1, height * width, channels))  # (1, M, N)
    gram = tf.matmul(flat, flat, transpose_a=True)  # (1, N, N)
    return gram / (height * width) if per_position else gram


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


# Each form takes the differences to the pixel below, (1, H-1, W, 3), and right, (1, H, W-1, 3).
TV_FORMS = {
    "squared": lambda down, right: _sum(tf.square(down)) + _sum(tf.square(right)),
    "absolute": lambda down, right: _sum(tf.abs(down)) + _sum(tf.abs(right)),
    "mean": lambda down, right: _mean(tf.square(down)) + _mean(tf.square(right)),
    "power": lambda down, right: _sum(
        tf.pow(tf.square(down[:, :, :-1]) + tf.square(right[:, :-1]), 1.25)
    ),
}
_sum, _mean = tf.reduce_sum, tf.reduce_mean


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
    down = image[:, 1:] - image[:, :-1]  # (1, H-1, W, 3)
    right = image[:, :, 1:] - image[:, :, :-1]  # (1, H, W-1, 3)
    return TV_FORMS[check_choice("form", form, TV_FORMS)](down, right)


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
