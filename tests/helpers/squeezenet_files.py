"""Write SqueezeNet files in all supported layouts: CS231n's TF2 and TF1 checkpoints, and .npz."""

import numpy as np
import tensorflow as tf

FIRES = tuple(f"fire{number}" for number in range(2, 10))
TF1_LAYERS = dict(zip(("conv1", *FIRES), (0, 3, 4, 6, 7, 9, 10, 11, 12)))
TF1_PARTS = {"squeeze": "squeeze", "expand1x1": "e11", "expand3x3": "e33"}


def tiny_squeezenet(side=3, seed=0):
    """Return a seeded random network with SqueezeNet's layers and few channels, for RGB input."""
    generator = np.random.default_rng(seed)

    def convolution(size, incoming, channels):
        kernel = generator.standard_normal((size, size, incoming, channels))
        kernel *= np.sqrt(2 / size**2 / incoming)
        bias = generator.standard_normal(channels) * 0.1
        return kernel.astype(np.float32), bias.astype(np.float32)

    convolutions = {"conv1": convolution(side, 3, 6)}
    incoming = 6
    for number, fire in enumerate(FIRES):
        squeezed, ones, threes = 3 + number // 2, 4, 5 + number  # different, to detect mix-ups
        convolutions[f"{fire}/squeeze"] = convolution(1, incoming, squeezed)
        convolutions[f"{fire}/expand1x1"] = convolution(1, squeezed, ones)
        convolutions[f"{fire}/expand3x3"] = convolution(3, squeezed, threes)
        incoming = ones + threes
    return convolutions


def npz_arrays(convolutions, order="bgr"):
    """Return the arrays of an .npz with a classifier, by key."""
    arrays = {"conv10/weights": np.zeros((1, 1, 16, 7), np.float32), "conv10/biases": np.zeros(7)}
    for name, (kernel, bias) in convolutions.items():
        key = name.replace("squeeze", "squeeze1x1")
        flip = name == "conv1" and order == "bgr"
        arrays[f"{key}/weights"] = kernel[:, :, ::-1] if flip else kernel
        arrays[f"{key}/biases"] = bias
    return arrays


def write_npz(path, convolutions, order="bgr", **metadata):
    np.savez(path, **npz_arrays(convolutions, order), **metadata)


def write_tf2(prefix, convolutions):
    """Write the checkpoint of a Keras Sequential in a subclassed model, and a step counter."""
    net = tf.Module()
    for number, name in enumerate(("conv1", *FIRES)):
        layer = tf.Module()
        if name in convolutions:
            layer.kernel, layer.bias = map(tf.Variable, convolutions[name])
        for part in TF1_PARTS:
            if f"{name}/{part}" in convolutions:
                child = tf.Module()
                child.kernel, child.bias = map(tf.Variable, convolutions[f"{name}/{part}"])
                setattr(layer, part, child)
        setattr(net, f"layer_with_weights-{number}", layer)
    classifier = tf.Module()
    classifier.kernel, classifier.bias = tf.Variable(tf.zeros((1, 1, 16, 7))), tf.Variable([0.0])
    setattr(net, "layer_with_weights-9", classifier)
    tf.train.Checkpoint(net=net, step=tf.Variable(1)).write(str(prefix))


def write_tf1(prefix, convolutions):
    """Write the checkpoint of the 2017 and 2018 notebooks: layer numbers count the ReLUs."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        for name, pair in convolutions.items():
            layer, _, part = name.partition("/")
            scope = f"features/layer{TF1_LAYERS[layer]}" + (part and f"/fire/{TF1_PARTS[part]}")
            for kind, array in zip(("weights", "bias"), pair):
                tf.compat.v1.get_variable(f"{scope}/{kind}", initializer=array)
        tf.compat.v1.get_variable("classifier/layer1/weights", (1, 1, 16, 7))
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(prefix), write_meta_graph=False)
