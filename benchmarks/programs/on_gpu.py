"""Worker: updates on a GPU, as many as one call makes, and the convolutions in them.

Unlike `iterate`, it never waits between two updates: a GPU would wait, too.
"""

import time

import tensorflow as tf

from benchmarks import ours
from benchmarks.channel import arguments, serve
from benchmarks.programs.floor import DEEPEST
from nst_tf.scaling.device import choose_device

SECONDS = 1.0  # of convolutions, at least


def main():
    """Load, then answer requests: ``updates`` and ``convolutions``."""
    given = arguments()
    choose_device(given.pop("device"), deterministic=given.pop("deterministic"))
    model = ours.trunk(given.pop("trunk"))
    serve(lambda task, **request: TASKS[task](model, **given, **request))


def updates(model, size, content, style, precision, xla, optimizer, iterations):
    """Return seconds to the first update, milliseconds of one, and the memory of the GPU."""
    config = ours.configured(content, style, size, precision=precision, iterations=iterations)
    config = config.changed(optimizer=optimizer, xla=xla)
    images = ours.images_of(config, model)
    began, times = time.perf_counter(), []

    def note(step):
        times.append(time.perf_counter() - began)

    note.look_every = 0
    ours.paint(model, images, config, [note])
    half = len(times) // 2
    each = (times[-1] - times[half]) / max(len(times) - 1 - half, 1)
    return {"first": times[1], "ms": 1e3 * each, "gib": gib_of_gpu()}


def convolutions(model, size, content, style, precision, iterations):
    """Return the milliseconds of all convolutions, forward and backward, in one graph."""
    width, height = map(int, size.split("x"))
    dtype = tf.bfloat16 if precision == "mixed" else tf.float32
    image = tf.random.stateless_uniform((1, height, width, 3), (0, 0))
    chain = convolution_chain(model, image, dtype)
    chain(tf.constant(2))
    count, seconds = iterations, 0.0
    while seconds < SECONDS:
        began = time.perf_counter()
        float(chain(tf.constant(count)))
        seconds = time.perf_counter() - began
        ms, count = 1e3 * seconds / count, 2 * count
    return {"ms": ms}


def convolution_chain(model, image, dtype):
    """Return a function that goes so many times through all convolutions, there and back."""
    layers = list(model.values())[: list(model).index(DEEPEST) + 1]

    def forward(x):
        for layer in layers:
            if layer.channels is None:
                x = layer(x)
            else:
                x = tf.nn.conv2d(x, tf.cast(layer.kernel, dtype), 1, "SAME")
        return x

    def there_and_back(number, last):
        x = tf.cast(image + 0.0 * last, dtype)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = forward(x)
        gradient = tape.gradient(y, x)
        return number + 1, tf.cast(gradient[0, 0, 0, 0], tf.float32)

    @tf.function(autograph=False)
    def chain(count):
        _, last = tf.while_loop(
            lambda number, last: number < count, there_and_back, (0, 0.0), parallel_iterations=1
        )
        return last

    return chain


def gib_of_gpu():
    """Return the most memory of the GPU that TensorFlow has used at a time, in GiB."""
    if not tf.config.get_visible_devices("GPU"):
        return 0.0
    return tf.config.experimental.get_memory_info("GPU:0")["peak"] / 2**30


TASKS = {"updates": updates, "convolutions": convolutions}

if __name__ == "__main__":
    main()
