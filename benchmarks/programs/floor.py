"""Worker: the convolutions of an iteration and nothing else, which no exact program can beat.

Each convolution up to conv5_1 once forward and once backward to its input, the first layer's
too, with constant filters, as in a transfer. An iteration is their sum, one after the other.
"""

import numpy as np
import tensorflow as tf

from benchmarks import ours
from benchmarks.channel import Pace, arguments

DEEPEST = "conv5_1"


def main():
    """Prepare all convolutions, then run them at the benchmark's pace."""
    pace = Pace()
    given = arguments()
    width, height = map(int, given["size"].split("x"))
    model = ours.trunk(given["trunk"])
    calls = convolution_calls(model, height, width, tf.as_dtype(given["dtype"]))
    pace.restart()
    while True:
        pace()
        for call, argument in calls:
            call(argument)


def convolution_calls(model, height, width, dtype):
    """Return pairs of a compiled convolution and its input."""
    random = np.random.default_rng(0)
    calls, shape = [], [1, height, width, 3]
    for name, layer in model.items():
        if layer.channels is None:
            shape = [1, -(-shape[1] // 2), -(-shape[2] // 2), shape[3]]
            continue
        incoming, shape = shape, [*shape[:3], layer.channels]
        kernel = tf.cast(layer.kernel, dtype).numpy()  # so that it is a constant of the graph
        for call, taken in (_forward(kernel), incoming), (_backward(kernel, incoming), shape):
            argument = tf.constant(random.standard_normal(taken, np.float32), dtype)
            calls.append((_compiled(call, argument), argument))
        if name == DEEPEST:
            return calls
    raise ValueError(f"no {DEEPEST} in {model.name}")


def _forward(kernel):
    return lambda x: tf.nn.conv2d(x, kernel, 1, "SAME")


def _backward(kernel, shape):
    return lambda gradient: tf.raw_ops.Conv2DBackpropInput(
        input_sizes=shape,
        filter=kernel,
        out_backprop=gradient,
        strides=[1, 1, 1, 1],
        padding="SAME",
    )


def _compiled(call, argument):
    return tf.function(call).get_concrete_function(tf.TensorSpec(argument.shape, argument.dtype))


if __name__ == "__main__":
    main()
