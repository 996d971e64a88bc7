"""Worker: the way of the Keras documentation's example, written anew after it.

It does more than the others: all three images go through the network at every step, to the
deepest layer, and its pools take the maximum. Kept as it is, because many start from it.
"""

import keras
import numpy as np
import tensorflow as tf

from benchmarks.channel import Pace, arguments

CONTENT = "block5_conv2"
STYLE = tuple(f"block{block}_conv1" for block in range(1, 6))
CONTENT_WEIGHT, STYLE_WEIGHT, TV_WEIGHT = 2.5e-8, 1e-6, 1e-6


def main():
    """Load, then descend at the benchmark's pace."""
    pace = Pace()
    data = np.load(arguments()["data"])
    network = load_network(data)
    content, style = (tf.constant(data[name][..., ::-1].copy()) for name in ("content", "style"))
    pace.restart()
    descend(network, content, style, pace)


def load_network(data):
    """Return VGG-19 with every layer's output by name, fed blue, green, red."""
    model = keras.applications.VGG19(weights=None, include_top=False)
    for layer in model.layers:
        name = layer.name.replace("block", "conv").replace("_conv", "_")
        if f"{name}/kernel" in data.files:
            kernel = data[f"{name}/kernel"]
            kernel = kernel[:, :, ::-1] if name == "conv1_1" else kernel
            layer.set_weights([kernel, data[f"{name}/bias"]])
    return keras.Model(model.inputs, {layer.name: layer.output for layer in model.layers})


def descend(network, content, style, pace):
    """Change the pixels for ever, by gradient descent with a decaying rate."""
    image = tf.Variable(content)
    rate = keras.optimizers.schedules.ExponentialDecay(100.0, 100, 0.96)
    optimizer = keras.optimizers.SGD(rate)

    @tf.function
    def gradient():
        with tf.GradientTape() as tape:
            loss = total_loss(network, image, content, style)
        return loss, tape.gradient(loss, image)

    while True:
        pace()
        _, slope = gradient()
        optimizer.apply_gradients([(slope, image)])


def total_loss(network, image, content, style):
    """Return the example's loss: sums, with 3 and the picture's size for N and M."""
    features = network(tf.concat([content, style, image], 0))
    positions = content.shape[1] * content.shape[2]
    kept, _, current = tf.unstack(features[CONTENT])
    loss = CONTENT_WEIGHT * tf.reduce_sum(tf.square(current - kept))
    for name in STYLE:
        _, target, current = tf.unstack(features[name])
        squared = tf.reduce_sum(tf.square(_gram(target) - _gram(current)))
        loss += STYLE_WEIGHT / len(STYLE) * squared / (4.0 * 3**2 * positions**2)
    return loss + TV_WEIGHT * _total_variation(image)


def _gram(features):
    flat = tf.transpose(features, (2, 0, 1))
    flat = tf.reshape(flat, (tf.shape(flat)[0], -1))
    return tf.matmul(flat, tf.transpose(flat))


def _total_variation(x):
    down = tf.square(x[:, :-1, :-1] - x[:, 1:, :-1])
    right = tf.square(x[:, :-1, :-1] - x[:, :-1, 1:])
    return tf.reduce_sum(tf.pow(down + right, 1.25))


if __name__ == "__main__":
    main()
