"""The loop: walks an image downhill, one compiled update at a time."""

import keras
import tensorflow as tf


def minimize_adam(
    objective, start, iterations, *, learning_rate=2.0, epsilon=1e-8, bounds=None, compile_xla=False
):
    """Minimise an objective over the pixels of an image with Adam (Kingma & Ba 2015).

    Parameters
    ----------
    objective : callable
        ``image -> {name: scalar, ..., "total": scalar}``, as from `make_objective`.
    start : (1, H, W, 3) float32
    iterations : int
        Number of updates.
    learning_rate : float
        The step of most pixels, in grey levels; the tutorials take 2.
    epsilon : float
        1e-8 is the paper's and TensorFlow 1's, so tutorial 0's; Keras has 1e-7.
    bounds : (low, high), optional
        Arrays (3,): after each update, pixels are put back between them.
    compile_xla : bool
        Compile the update with XLA; worth it on a GPU.

    Yields
    ------
    (iteration, image, losses)
        For 0, 1, ... `iterations`: the image after that many updates, and *its* losses.
    """
    image = tf.Variable(start, dtype=tf.float32)
    optimizer = keras.optimizers.Adam(learning_rate, epsilon=epsilon)
    optimizer.build([image])  # a tf.function can't create the optimiser's variables itself

    @tf.function(jit_compile=compile_xla)
    def update():
        with tf.GradientTape() as tape:
            losses = objective(image)
        gradient = tape.gradient(losses["total"], image)
        optimizer.apply_gradients([(gradient, image)])
        if bounds is not None:
            image.assign(tf.clip_by_value(image, *bounds))
        return losses

    @tf.function(jit_compile=compile_xla)
    def evaluate():
        return objective(image)

    for iteration in range(iterations + 1):
        # A copy, because `update` gives the losses from before it changes the image.
        current = tf.identity(image)
        losses = update() if iteration < iterations else evaluate()
        yield iteration, current, losses
