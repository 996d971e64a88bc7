"""What the trunk computes in: float32, or bfloat16 where the processor is quicker at it.

bfloat16 has the range of float32 and 8 bits of mantissa. Pixels, losses, sums over positions and
the optimiser stay float32 ("mixed"). Where a processor has no bfloat16, TensorFlow emulates it,
tens of times slower than float32: so it is not assumed, but found out.
"""

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import tensorflow as tf

CPU_INFO = Path("/proc/cpuinfo")
CPU_FEATURES = {"avx512_bf16", "amx_bf16", "bf16"}  # Intel and AMD; Intel; ARM
GPU_GENERATION = 8  # compute capability from which an NVIDIA GPU has bfloat16: Ampere
WORTH_IT = 1.3  # less gain than this is not worth the digits
PROBE = (1, 48, 48, 128)  # a small map of VGG: a millisecond a convolution, a second if emulated


@dataclass(frozen=True)
class Precision:
    """What was chosen, and why in a few words."""

    dtype: tf.DType
    why: str


def choose_precision(wish="auto"):
    """Return the `Precision` to compute in.

    Parameters
    ----------
    wish : {"auto", "float32", "mixed"}
        "auto" takes bfloat16 where the processor names it among its features and a probe of a
        fraction of a second finds its convolutions quicker.
    """
    if wish == "float32":
        return Precision(tf.float32, "float32")
    if wish == "mixed":
        return Precision(tf.bfloat16, "bfloat16")
    if not has_bfloat16():
        return Precision(tf.float32, "float32 (no bfloat16 in this processor)")
    gain = probe()[tf.bfloat16] / probe()[tf.float32]
    if gain < WORTH_IT:
        return Precision(tf.float32, f"float32 (bfloat16 runs at {gain:.2g} of its speed here)")
    return Precision(tf.bfloat16, f"bfloat16 ({gain:.2g} times float32's speed here)")


def has_bfloat16(cpu_info=CPU_INFO):
    """Tell whether the processor may have bfloat16; where nothing can be read, it may."""
    if tf.config.get_visible_devices("GPU"):
        gpu = tf.config.list_physical_devices("GPU")[0]
        capability = tf.config.experimental.get_device_details(gpu).get("compute_capability")
        return capability is None or capability[0] >= GPU_GENERATION
    try:
        words = cpu_info.read_text(encoding="utf-8", errors="replace").split()
    except OSError:  # not Linux: the probe will tell
        return True
    return not CPU_FEATURES.isdisjoint(words)


@cache
def probe():
    """Return how many operations a second a convolution does, there and back, by dtype."""
    return {dtype: _speed(dtype) for dtype in (tf.float32, tf.bfloat16)}


def _speed(dtype, seconds=0.2):
    channels = PROBE[3]
    x = tf.cast(tf.random.stateless_uniform(PROBE, (0, 0)), dtype)
    kernel = tf.cast(tf.random.stateless_uniform((3, 3, channels, channels), (0, 1)), dtype)

    @tf.function
    def there_and_back(x):
        y = tf.nn.conv2d(x, kernel, 1, "SAME")
        return tf.reduce_sum(tf.nn.conv2d_transpose(y, kernel, PROBE, 1, "SAME")[:, 0, 0])

    convolve = there_and_back.get_concrete_function(x)
    float(convolve(x))  # set-up is not counted
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        float(convolve(x))
        best = min(best, time.perf_counter() - began)
    operations = 2 * 2 * 9 * PROBE[1] * PROBE[2] * channels**2
    return operations / best
