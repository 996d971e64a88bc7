"""The functions of tutorial 3 under its names: deeplearning.ai, course 4, week 4, "Art Generation".

They are thin: each calls the package's own function, with the course's factors and the order of
its arguments. The course has two releases, for TensorFlow 1 (2017) and 2 (2021); each docstring
says what differs from them. The features of all functions are tensors of the layers in
`STYLE_LAYERS`, which are named as in VGG: "conv4_2" is the course's "block4_conv2".

Examples
--------
>>> import tensorflow as tf
>>> from nst_tf.notebook.coursera import compute_content_cost, total_cost
>>> float(compute_content_cost(tf.ones((1, 2, 2, 3)), tf.zeros((1, 2, 2, 3))))  # 12 / (4 * 12)
0.25
>>> total_cost(2.0, 3.0)
140.0
"""

import tensorflow as tf

from nst_tf.config import JobConfig
from nst_tf.models import extract_features
from nst_tf.objective import losses, statistics
from nst_tf.presets import PRESETS
from nst_tf.transfer import style_transfer

CONTENT_LAYER = "conv4_2"
STYLE_LAYERS = [(f"conv{block}_1", 0.2) for block in range(1, 6)]  # of both releases


def compute_content_cost(a_C, a_G):
    """Content cost: ``1/(4 n_H n_W n_C) sum (a_C - a_G)^2``.

    Parameters
    ----------
    a_C, a_G : (1, n_H, n_W, n_C)
        Features of the content image and of the generated image at one layer.

    Returns
    -------
    scalar
        `content_loss` with the scale "quarter-mean". The release for TensorFlow 2 takes lists of
        features and uses the last one of each.
    """
    return losses.content_loss(a_G, a_C, scale="quarter-mean")


def gram_matrix(A):
    """Style matrix: ``A A^T``.

    Parameters
    ----------
    A : (n_C, n_H * n_W)
        Unrolled features: one row for each channel. `nst_tf.gram_matrix` takes (1, H, W, N).

    Returns
    -------
    (n_C, n_C)
    """
    return statistics.gram_matrix(tf.transpose(A)[tf.newaxis, tf.newaxis])[0]


def compute_layer_style_cost(a_S, a_G):
    """Style cost of a layer: ``1/(4 n_C^2 (n_H n_W)^2) sum (G_S - G_G)^2``.

    Parameters
    ----------
    a_S, a_G : (1, n_H, n_W, n_C)
        Features of the style image and of the generated image at one layer. Unlike in the course,
        their sizes may differ: each Gram matrix is divided by its own number of positions.

    Returns
    -------
    scalar
    """
    style, generated = (statistics.gram_matrix(a, per_position=True) for a in (a_S, a_G))
    return statistics.layer_style_loss(generated, style)


def compute_style_cost(style_image_output, generated_image_output, STYLE_LAYERS=STYLE_LAYERS):
    """Style cost: the costs of the layers, each multiplied by its weight, summed.

    Parameters
    ----------
    style_image_output, generated_image_output : sequence of (1, n_H, n_W, n_C)
        Features in the order of `STYLE_LAYERS`, as from `get_layer_outputs`. Further ones, such as
        those of the content layer, are ignored.
    STYLE_LAYERS : sequence of (str, float)
        Layers and weights.

    Returns
    -------
    scalar
        The release for TensorFlow 1 takes the model and runs its session instead. An early release
        for TensorFlow 2 compares each layer with its neighbor, by a slice of the wrong end.
    """
    pairs = zip(STYLE_LAYERS, style_image_output, generated_image_output)
    return tf.add_n(
        [weight * compute_layer_style_cost(a_S, a_G) for (_, weight), a_S, a_G in pairs]
    )


def total_cost(J_content, J_style, alpha=10, beta=40):
    """Total cost: ``alpha J_content + beta J_style``, a scalar, with the course's weights."""
    return losses.total_loss(J_content, J_style, alpha=alpha, beta=beta)


def get_layer_outputs(vgg, layer_names):
    """Return a function that computes features by the names of their layers.

    Parameters
    ----------
    vgg : Trunk
        As from `load_vgg_model`.
    layer_names : sequence of (str, float)
        Such as ``STYLE_LAYERS + [(CONTENT_LAYER, 1)]``; the weights are ignored.

    Returns
    -------
    callable
        From an image (1, H, W, 3) to the list of its features in that order. The course returns a
        Keras model. In the release for TensorFlow 1, ``sess.run(model["conv4_2"])`` does this.

    Raises
    ------
    ConfigError
        The network has no layer of that name.
    """
    names = [name for name, _ in layer_names]

    def outputs(image):
        features = extract_features(vgg, image, names)
        return [features[name] for name in names]

    return outputs


def train_step(generated_image, cost, optimizer):
    """Change the generated image once.

    Parameters
    ----------
    generated_image : tf.Variable (1, H, W, 3)
    cost : callable
        From an image to the total cost, a scalar. The course reads it from global variables.
    optimizer : keras.Optimizer
        The course's is Adam, with a learning rate of 2.0 (TensorFlow 1, gray levels) or 0.01
        (TensorFlow 2, pixels in 0..1).

    Returns
    -------
    scalar
        The cost before the step. The release for TensorFlow 2 then clips the pixels to 0..1.
    """
    with tf.GradientTape() as tape:
        J = cost(generated_image)
    optimizer.apply_gradients([(tape.gradient(J, generated_image), generated_image)])
    return J


def model_nn(vgg, input_image, content_image, style_image, num_iterations=200, callbacks=()):
    """Run the optimization with the settings of the release for TensorFlow 1.

    Parameters
    ----------
    vgg : Trunk
    input_image : (1, H, W, 3) float32
        The initial image, such as ``generate_noise_image(content_image, 0.6, noise="uniform")``.
    content_image, style_image : (1, H, W, 3) float32
        The course has them in global variables, and a session as the first argument.
    num_iterations : int
    callbacks : sequence of callable
        As for `style_transfer`. ``save_every(20, folder, start=True)`` saves the pictures that the
        course saves: 0, 20, ...; and the last one.

    Returns
    -------
    (1, H, W, 3) float32
        The generated image; `recover_image` makes a picture of it.
    """
    knobs = {**PRESETS["coursera-tf1"].knobs, "iterations": num_iterations}
    return style_transfer(
        content_image,
        style_image,
        vgg,
        init_image=input_image,
        config=JobConfig().changed(**knobs).transfer(),
        callbacks=callbacks,
    ).image
