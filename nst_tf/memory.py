"""How much memory and time a run takes, and whether its picture goes through in one piece."""

import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil
import tensorflow as tf

from nst_tf.errors import NstError
from nst_tf.passes import TiledPass, WholePass
from nst_tf.trunks import receptive_fields

GIB = 2**30
SPARE = 0.9  # of what is free: the rest is left to others
CONTAINER_LIMITS = (  # a container may have less than the machine: control groups 2 and 1
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
ARRAY = 3 * 4  # bytes a pixel of an image
ARRAYS = 8  # of the picture's size, counted at 8K: image, gradient, copies; no optimiser's
FRAGMENTS = 1.65  # what is held for a byte of a map, by 500 iterations' end: measured 1.5 to 1.9
FRAGMENTS_OF_TILES = 1.7  # the same where two passes take turns: measured 1.57 at 4K
MACHINERY = 0.13 * GIB  # traced functions, what levels before left: 0.07 seen at 64x64, one level
SMALLEST_TILE = 256 * 256
TRACING = 2.5  # seconds that each level takes to begin
TWO_PASSES = 1.75  # what tiles take for their second pass forward, and for halos
TIMED = (1, 48, 48, 128)  # shape of a map of VGG: 1 ms for its convolution, 1 s if emulated
SHARE_OF_TIMED = 0.6  # of its speed that an iteration reaches: 0.5 coarse, 0.8 at 640x480


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to take."""

    gibibytes: float
    seconds: float
    tiled: bool

    def __str__(self):
        """Return it in words."""
        minutes, seconds = divmod(round(self.seconds), 60)
        time = f"{minutes} min" if minutes >= 10 else f"{minutes}:{seconds:02d} min"
        tiles = ", tile by tile" if self.tiled else ""
        return f"about {time} and {self.gibibytes:.2g} GiB{tiles}"


def choose_pass(model, layers, shape, limit=None, remembered=(2, 2)):
    """Return how a picture goes through the trunk within a limit of memory.

    Parameters
    ----------
    model : Trunk
    layers : sequence of str
        That will be read.
    shape : (height, width)
    limit : float, optional
        GiB for the whole process; default: what is free, with a margin.
    remembered : (int, int)
        Arrays of the picture's size that the optimiser remembers: in one piece, and in tiles.

    Returns
    -------
    WholePass or TiledPass

    Raises
    ------
    NstError
        Not even a small tile fits.
    """
    area, used = shape[0] * shape[1], memory_used()
    budget = memory_left() if limit is None else limit * GIB - used
    if needed_bytes(model, layers, area, area, remembered[0]) <= budget:
        return WholePass(model)
    tile = min(area, SMALLEST_TILE)
    smallest = needed_bytes(model, layers, area, tile, remembered[1])
    if smallest > budget:
        raise NstError(
            f"{shape[1]}x{shape[0]} pixels need {(used + smallest) / GIB:.2g} GiB of "
            f"memory tile by tile, {used / GIB:.2g} of them for the program itself, and there are "
            f"{(used + budget) / GIB:.2g}: make the picture smaller with --size, or "
            "raise --memory-limit"
        )
    more = (budget - smallest) / (FRAGMENTS_OF_TILES * bytes_a_pixel(model, layers))
    return TiledPass(model, int(tile + more))


def smaller_pass(through, shape):
    """Return a pass that takes half the memory, or None when tiles can't be smaller."""
    area = shape[0] * shape[1]
    area = min(through.area, area) if isinstance(through, TiledPass) else area
    return TiledPass(through.model, area // 2) if area // 2 >= SMALLEST_TILE else None


def estimate(through, layers, levels, remembered=(2, 2), used=None):
    """Return the `Estimate` of a run, from its levels and the speed of a timed convolution.

    `used` is what the process held before the run; default: what it holds now.
    """
    used = memory_used() if used is None else used
    model, area = through.model, levels[-1].size[0] * levels[-1].size[1]
    tiled = isinstance(through, TiledPass)
    piece = min(through.area, area) if tiled else area
    needed = needed_bytes(model, layers, area, piece, remembered[tiled])
    pixels = sum(level.size[0] * level.size[1] * level.iterations for level in levels)
    speed = SHARE_OF_TIMED * convolution_speed(model.dtype)
    seconds = pixels * operations_a_pixel(model, layers) / speed
    seconds = len(levels) * TRACING + seconds * (TWO_PASSES if tiled else 1)
    return Estimate((used + needed) / GIB, seconds, tiled)


def needed_bytes(model, layers, area, piece, remembered):
    """Return what a picture of `area` pixels needs that goes through in pieces of `piece`."""
    maps = area * content_bytes_a_pixel(model, layers) + piece * bytes_a_pixel(model, layers)
    fragments = FRAGMENTS_OF_TILES if piece < area else FRAGMENTS
    return MACHINERY + area * (ARRAYS + remembered) * ARRAY + fragments * maps


def bytes_a_pixel(model, layers):
    """Return what the gradient of one pixel needs: all maps, and twice the largest for its own."""
    maps = [channels * model.dtype.size / stride**2 for _, channels, stride in _used(model, layers)]
    return sum(maps) + 2 * max(maps, default=0) + 9 * 4


def content_bytes_a_pixel(model, layers):
    """Return what the first layer's map takes, which is kept where it is the content's."""
    kept = [
        n * model.dtype.size / s**2 for name, n, s in _used(model, layers) if name in layers[:1]
    ]
    return sum(kept)


def operations_a_pixel(model, layers):
    """Return the multiplications and additions of convolutions, there and back."""
    total, incoming = 0, 3
    for name, channels, stride in _used(model, layers):
        if model[name].channels:
            window = model[name].extent[1]
            total += 2 * 2 * window**2 * incoming * channels / stride**2
        incoming = channels
    return total


@cache
def convolution_speed(dtype, seconds=0.2):
    """Return the operations per second of a convolution and its gradient, timed once per dtype.

    The estimate of time needs it; the choice of precision does not depend on it.
    """
    channels = TIMED[3]
    x = tf.cast(tf.random.stateless_uniform(TIMED, (0, 0)), dtype)
    kernel = tf.cast(tf.random.stateless_uniform((3, 3, channels, channels), (0, 1)), dtype)

    @tf.function
    def there_and_back(x):
        y = tf.nn.conv2d(x, kernel, 1, "SAME")
        return tf.reduce_sum(tf.nn.conv2d_transpose(y, kernel, TIMED, 1, "SAME")[:, 0, 0])

    convolve = there_and_back.get_concrete_function(x)
    float(convolve(x))  # set-up is not counted
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        began = time.perf_counter()
        float(convolve(x))
        best = min(best, time.perf_counter() - began)
    operations = 2 * 2 * 9 * TIMED[1] * TIMED[2] * channels**2
    return operations / best


def _used(model, layers):
    """Yield name, channels and stride of each layer down to the deepest that is read."""
    deepest = max((list(model).index(layer) for layer in layers), default=-1)
    fields, channels = receptive_fields(model), 3
    for name, layer in list(model.items())[: deepest + 1]:
        channels = layer.channels or channels
        yield name, channels, fields[name].stride


def memory_used():
    """Return the bytes that this process holds now."""
    return psutil.Process().memory_info().rss


def memory_left():
    """Return the bytes that this process may still take: free in the machine and its container."""
    left = psutil.virtual_memory().available
    for limit, used in CONTAINER_LIMITS:
        try:
            left = min(left, int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no such container, or "max": no limit
            continue
    return SPARE * max(left, 0)


def most_memory():
    """Return how many bytes this process has held at its highest so far."""
    try:
        import resource
    except ImportError:  # Windows, where psutil knows it
        return psutil.Process().memory_info().peak_wset
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
