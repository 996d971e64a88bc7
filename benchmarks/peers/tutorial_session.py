"""Worker: tutorial 0's own way, a TensorFlow 1 session, written anew after its code.

Everything that its code fixes stays: the targets' feature maps lie in the graph as constants,
Gram matrices multiply a transposed copy, Adam steps by 2. (ArnoutDevos/StyleTransferTensorFlow)
"""

import numpy as np
import tensorflow as tf

from benchmarks.channel import Pace, arguments

tf1 = tf.compat.v1
CONTENT = "conv4_2"
STYLE = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
ALPHA, STYLE_WEIGHT, LEARNING_RATE = 0.0025, 0.5, 2.0


def main():
    """Build the graph, then run its step at the benchmark's pace."""
    pace = Pace()
    data = np.load(arguments()["data"])
    with tf.Graph().as_default(), tf1.Session() as session:
        blank = np.zeros_like(data["content"])
        image = tf1.get_variable("image", initializer=blank, use_resource=False)
        net = build_network(image, data)
        total = total_loss(session, image, net, data["content"], data["style"])
        step = tf1.train.AdamOptimizer(LEARNING_RATE).minimize(total, var_list=[image])
        session.run(tf1.global_variables_initializer())
        session.run(image.assign(data["content"]))
        pace.restart()
        while True:
            pace()
            session.run(step)


def build_network(image, data):
    """Return all layers by name; the whole network, as there, though no more than needed runs."""
    names = [key.removesuffix("/kernel") for key in data.files if key.endswith("/kernel")]
    x, net = image, {}
    for before, name in zip([names[0], *names], names):
        if before[:5] != name[:5]:
            x = tf.nn.avg_pool2d(x, 2, 2, "SAME")
        kernel, bias = (tf.constant(data[f"{name}/{kind}"]) for kind in ("kernel", "bias"))
        x = net[name] = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME") + bias)
    return net


def total_loss(session, image, net, content, style):
    """Return the loss; the targets are fetched from the session and put back as constants."""
    session.run(image.assign(content))
    kept = tf.constant(session.run(net[CONTENT]))
    content_loss = 0.5 * tf.reduce_sum(tf.square(kept - net[CONTENT]))
    session.run(image.assign(style))
    style_loss = tf.add_n([_layer_loss(session.run(net[name]), net[name]) for name in STYLE])
    return ALPHA * content_loss + STYLE_WEIGHT * style_loss


def _layer_loss(target, current):
    _, height, width, channels = target.shape
    squared = tf.square(_gram(tf.constant(target)) - _gram(current))
    return tf.reduce_sum(squared) / (4.0 * channels**2 * (height * width) ** 2)


def _gram(features):
    flat = tf.reshape(features, (-1, features.shape[3]))
    return tf.matmul(tf.transpose(flat), flat)


if __name__ == "__main__":
    main()
