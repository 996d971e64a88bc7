"""The equations, one function each. Numbers in brackets are those of Gatys et al. 2015.

Notation: a layer has N channels (filters) and M = H * W positions; F is the current picture's
feature map, P the content's, G and A the Gram matrices of the current picture and the style.
"""

import tensorflow as tf


def content_loss(current, target):
    """Content loss, eq. (1): half the squared distance of two feature maps.

    Parameters
    ----------
    current, target : (1, H, W, N)
        F and P, the features of one layer.

    Returns
    -------
    scalar
        ``1/2 sum (F - P)^2``, as in the paper and tutorials 0 and 4. It grows with the
        picture's area. Tutorial 1 leaves out the 1/2, tutorial 3 has 1/(4 H W N) instead.
    """
    return 0.5 * tf.reduce_sum(tf.square(current - target))


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


def layer_style_loss(current, target):
    """Style loss of one layer, eq. (4): ``1/(4 N^2) sum (G/M - A/M)^2``.

    Parameters
    ----------
    current, target : (1, N, N)
        G and A, Gram matrices *per position*, each divided by its own M.

    Returns
    -------
    scalar
        Equal to the paper's ``1/(4 N^2 M^2) sum (G - A)^2`` when both pictures have the same
        size, and still meaningful when they have not.
    """
    channels = current.shape[-1]
    return tf.reduce_sum(tf.square(current - target)) / (4.0 * channels**2)


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


def tv_loss(image):
    """Total variation: squared differences of neighbouring pixels, summed (tutorial 1).

    Parameters
    ----------
    image : (1, H, W, 3)

    Returns
    -------
    scalar
        More of it in the total loss: smoother picture, less grain.
    """
    image = tf.convert_to_tensor(image, tf.float32)  # differences of uint8 would wrap round
    down = image[:, 1:] - image[:, :-1]  # (1, H-1, W, 3)
    right = image[:, :, 1:] - image[:, :, :-1]  # (1, H, W-1, 3)
    return tf.reduce_sum(tf.square(down)) + tf.reduce_sum(tf.square(right))


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
