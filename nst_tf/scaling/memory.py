"""How much memory and time a run takes, and whether its picture must be cut into tiles."""

import math
import sys
import time
from dataclasses import dataclass
from functools import cache

import numpy as np
import psutil
import tensorflow as tf

from nst_tf.config import LARGER, OWN_LAYERS
from nst_tf.errors import NstError
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.image.sizes import fit_size
from nst_tf.models import receptive_fields, resolve_layers
from nst_tf.optim.from_config import make_optimizer, optimizer_name
from nst_tf.optim.tracked import tracked
from nst_tf.scaling.device import WORKSPACE_MIB, gpu_memory
from nst_tf.scaling.levels import TO_BEGIN, config_levels, task_levels
from nst_tf.scaling.limits import tightest_limit
from nst_tf.scaling.precision import choose_precision
from nst_tf.scaling.tiling import TiledObjective
from nst_tf.scaling.times import rounded

GIB = 2**30
SPARE = 0.9  # fraction of the free memory to use: the rest is for other programs
ARRAY = 3 * 4  # bytes a pixel of an image
ARRAYS = 8  # of the picture's size, counted at 8K: image, gradient, copies; not the optimizer's
FRAGMENTS = 1.65  # what is held for a byte of a map, by 500 iterations' end: measured 1.5 to 1.9
FRAGMENTS_OF_TILES = 1.85  # the same where two passes take turns: measured 1.7 to 1.85
MACHINERY = 0.13 * GIB  # traced functions, what levels before left: 0.07 seen at 64x64, one level
SMALLEST_TILE = 256 * 256
TRACING = 2.0  # seconds that a run takes to begin: 1.4 to 1.6 on two cores, 3 if others use them
UPDATE = 0.02  # seconds of an update besides its convolutions, at any size: measured 0.01 to 0.05
EIGENVALUES = 0.9e-9  # seconds for the cube of a layer's channels, with Wasserstein's distance
SEARCH = 1.3  # evaluations of an update where SciPy searches along a line
TWO_PASSES = 1.75  # what tiles take for their second pass forward, and for halos
TIMED = (1, 48, 48, 128)  # shape of a map of VGG: 5 ms for its convolution, 1 s if emulated
SHARE_OF_TIMED = 0.9  # of its speed that an update reaches: 0.8 to 1.0, AVX-512 and AMX
STEADY = 1.25  # ratio of timings up to which one number is printed; above it, a range


@dataclass(frozen=True)
class Estimate:
    """What a run is expected to take.

    Attributes
    ----------
    gibibytes : float
    seconds : float
    tiled : bool
    fastest, slowest : float or None
        Bounds of the seconds, from how much the timings differed; None: they did not.
    """

    gibibytes: float
    seconds: float
    tiled: bool
    fastest: float | None = None
    slowest: float | None = None

    def __str__(self):
        """Return it in words; a range of time where other programs made the timings differ."""
        ends = [self.seconds]
        if self.fastest and self.slowest > STEADY * self.fastest:
            ends = [rounded(self.fastest), rounded(self.slowest)]
        pairs = [divmod(round(seconds), 60) for seconds in ends]
        times = [f"{m}" if m >= 10 else f"{m}:{s:02d}" for m, s in pairs]
        time = " to ".join(dict.fromkeys(times))
        tiles = ", tile by tile" if self.tiled else ""
        return f"about {time} min and {self.gibibytes:.2g} GiB{tiles}"


def within_memory(objective, config, start, content_image, styles):
    """Return an objective and its targets that fit into memory: tile by tile if they must.

    Parameters
    ----------
    objective : Objective
    config : TransferConfig
        With its `memory_limit` in GiB for the whole process; default: what is free, less a tenth.
    start, content_image, styles
        As for `make_task`.

    Raises
    ------
    NstError
        Not even a small tile fits.
    """
    size = tuple(start.shape[1:3])
    style_area = measured_area(objective, config, styles)
    area = tile_area(objective.model, objective.layers, size, config)
    if area:
        objective = in_tiles(objective, size, area)
    measuring = objective
    if style_area and (not area or style_area < area):
        measuring = TiledObjective(objective.model, objective.terms, size, style_area)
    while True:
        try:
            return objective, measuring.targets(content_image, styles)
        except tf.errors.ResourceExhaustedError:
            objective = measuring = in_smaller_tiles(measuring, size)


def measured_area(objective, config, styles):
    """Return how many pixels of a style are measured at once; 0 if all of each of them fit.

    Raises
    ------
    NstError
        Not even a small tile fits.
    """
    sizes = [style.image.shape[1:3] for style in styles]
    height, width = max(sizes, key=math.prod, default=(0, 0))
    if not objective.model.knows_fields or height * width <= SMALLEST_TILE:
        return 0
    budget, used = memory_budget(config)
    a_pixel = bytes_a_pixel(objective.model, objective.layers)
    if MACHINERY + FRAGMENTS * height * width * a_pixel <= budget:
        return 0
    if objective.sampled:
        raise NstError(
            f"a style of {width}x{height} pixels does not fit into memory at once, and --method "
            f"{config.method} does not work tile by tile: make it smaller with --style-size, or "
            f"{how_to_get_more(config)}"
        )
    area = (budget - MACHINERY) / (FRAGMENTS_OF_TILES * a_pixel)
    if area < SMALLEST_TILE:
        needed = used + MACHINERY + FRAGMENTS_OF_TILES * SMALLEST_TILE * a_pixel
        raise NstError(
            f"a style of {width}x{height} pixels needs {needed / GIB:.2g} GiB of memory tile by "
            f"tile, and there are {(used + budget) / GIB:.2g}: make it smaller with --style-size "
            f"or --style-scale, or {how_to_get_more(config)}"
        )
    return int(area)


def in_smaller_tiles(objective, size):
    """Return an objective that needs half the memory.

    Raises
    ------
    NstError
        Tiles can't be smaller.
    """
    area = size[0] * size[1]
    area = min(getattr(objective, "area", area), area) // 2
    if area < SMALLEST_TILE or not objective.model.knows_fields:
        raise NstError(
            f"{size[1]}x{size[0]} pixels do not fit into memory, tile by tile either: make the "
            f"picture smaller, as in --size {max(size) // 2}, or end other programs that use the "
            "memory"
        )
    return in_tiles(objective, size, area)


def in_tiles(objective, size, area):
    """Return an objective that is computed in tiles of `area` pixels.

    Raises
    ------
    NstError
        Its gradients are normalized, or it samples the picture: both need the whole at once.
    """
    if objective.normalize_gradients:
        raise NstError(
            f"{size[1]}x{size[0]} pixels do not fit into memory at once, and --normalize-gradients "
            "does not work tile by tile: make the picture smaller, as in --size "
            f"{max(size) // 2}, or leave it out"
        )
    if objective.sampled:
        raise NstError(
            f"{size[1]}x{size[0]} pixels do not fit into memory at once, and this method does "
            "not work tile by tile: make the picture smaller, as in --size "
            f"{max(size) // 2}, or use another method"
        )
    return TiledObjective(objective.model, objective.terms, size, area)


def tile_area(model, layers, size, config):
    """Return how many pixels a tile may have; 0 if the picture fits in one piece.

    Parameters
    ----------
    model : Trunk
    layers : sequence of str
        That are read, shallow ones first.
    size : (height, width)
    config : TransferConfig

    Raises
    ------
    NstError
        Not even a small tile fits.
    """
    if not model.knows_fields:
        return 0
    area = size[0] * size[1]
    budget, used = memory_budget(config)
    whole, tiled = (optimizer_images(config, tiled) for tiled in (False, True))
    if needed_bytes(model, layers, config, area, area, whole) <= budget:
        return 0
    tile = min(area, SMALLEST_TILE)
    smallest = needed_bytes(model, layers, config, area, tile, tiled)
    if smallest > budget:
        raise NstError(
            f"{size[1]}x{size[0]} pixels need {(used + smallest) / GIB:.2g} GiB of "
            f"memory tile by tile, {used / GIB:.2g} of them for the program itself, and there are "
            f"{(used + budget) / GIB:.2g}: make the picture smaller with --size, or "
            f"{how_to_get_more(config)}"
        )
    more = (budget - smallest) / (FRAGMENTS_OF_TILES * bytes_a_pixel(model, layers))
    return int(tile + more)


def optimizer_images(config, tiled):
    """Return how many images the optimizer stores besides the current one and its gradient."""
    optimizer = make_optimizer(config, VGG_PIXELS, config.iterations, tiled=tiled)
    if config.average or config.keep == "best":
        optimizer = tracked(optimizer, config)
    return optimizer.image_arrays - 2


def expected(model, size, config):
    """Return the `Estimate` of a run of a size (height, width), before any picture is read."""
    model, layers = _model_and_layers(model, config)
    levels = config_levels(config, size)
    return estimate(model, layers, levels, config, tile_area(model, layers, size, config))


def largest_size(model, shape, least, config, pictures):
    """Return the largest (height, width) that is computed in one piece, before any is loaded.

    Parameters
    ----------
    model : Trunk
    shape : (height, width)
        Of the photograph: its aspect ratio is kept, and it is not enlarged beyond its own size.
    least : int
        Longer side that the size has at least, even if tiles or an enlarged photograph are needed.
    config : TransferConfig
    pictures : int
        Content and styles, which will be loaded.

    Returns
    -------
    size : (height, width)
    why : str
        What limits it.

    Raises
    ------
    NstError
        The network's memory is not known.
    """
    if not model.knows_fields:
        raise NstError(
            f"a size of {least}+ needs a network whose memory can be estimated, and {model.name} "
            f"is none; give a number, as in --size {least}"
        )
    model, layers = _model_and_layers(model, config)
    budget, _ = memory_budget(config)
    images = optimizer_images(config, tiled=False)
    a_pixel = needed_bytes(model, layers, config, 1, 1, images) - MACHINERY
    a_pixel += (pictures + 1) * ARRAY + pictures * 3  # images and the start; pictures of bytes
    area = max(budget - MACHINERY, 0) / a_pixel
    height, width = shape
    own, fitting = max(shape), int(max(shape) * math.sqrt(area / (height * width)))
    if least >= min(own, fitting):
        return fit_size(least, shape), "the smallest size allowed"
    if own <= fitting:
        return shape, "the photograph's own size"
    return fit_size(fitting, shape), "the most that fits into memory in one piece"


def _model_and_layers(model, config):
    """Return the trunk in the precision of a config, and the layers that are read, in order."""
    model = model.computing_in(choose_precision(config.precision).dtype)
    read = {
        layer
        for names in (config.content_layers, config.style_layers or OWN_LAYERS[config.method])
        for layer in resolve_layers(model, names)
    }
    return model, [layer for layer in model if layer in read]


def estimate_of(task, used):
    """Return the `Estimate` of a task; `used` is what the process held before it was made."""
    objective, config = task.objective, task.config
    images = [task.start, *(style.image for style in task.styles)]
    if task.content_image is not None:
        images.append(task.content_image)
    used += sum(image.nbytes for image in images)
    levels = task_levels(task)
    return estimate(
        objective.model, objective.layers, levels, config, getattr(objective, "area", 0), used
    )


def estimate(model, layers, levels, config, tile=0, used=None):
    """Return the `Estimate` of a run, from its levels and the speeds of a timed convolution.

    `tile` is the area of a tile, or 0. `used` is what the process held before the run; default:
    what it holds now.
    """
    used = memory_used() if used is None else used
    area = levels[-1].size[0] * levels[-1].size[1]
    piece = min(tile, area) if tile else area
    images = optimizer_images(config, bool(tile))
    needed = needed_bytes(model, layers, config, area, piece, images)
    seconds = [
        expected_seconds(model, layers, levels, config, speed, bool(tile))
        for speed in convolution_speeds(model.dtype)
    ]
    slowest, usual, fastest = seconds
    return Estimate((used + needed) / GIB, usual, bool(tile), fastest, slowest)


def expected_seconds(model, layers, levels, config, speed, tiled):
    """Return the seconds of a run whose convolutions make `speed` operations per second."""
    an_update, seconds = UPDATE, TRACING
    if config.method == "wasserstein":
        an_update += EIGENVALUES * sum(
            channels**3 for name, channels, _ in _used(model, layers) if name in layers
        )
    a_pixel = operations_a_pixel(model, layers) / (SHARE_OF_TIMED * speed)
    a_pixel *= TWO_PASSES if tiled else 1
    for level in levels:
        updates = level.iterations * (SEARCH if optimizer_name(config) == "lbfgs" else 1)
        height, width = level.size
        compared = 0.0
        if config.method in LARGER:
            needs = method_needs(model, config, height * width, height * width)
            compared = needs.an_update / (SHARE_OF_TIMED * speed)
            compared += needs.share * height * width * a_pixel
            seconds += needs.a_level / (SHARE_OF_TIMED * speed)
        seconds += (updates + TO_BEGIN) * (an_update + height * width * a_pixel + compared)
    return seconds


def needed_bytes(model, layers, config, area, piece, remembered):
    """Return what a picture of `area` pixels needs that is processed in pieces of `piece`."""
    content = resolve_layers(model, config.content_layers) if config.alpha else ()
    maps = area * target_bytes_a_pixel(model, content) + piece * bytes_a_pixel(model, layers)
    if config.method in LARGER:
        maps += method_needs(model, config, area, piece).memory
    fragments = FRAGMENTS_OF_TILES if piece < area else FRAGMENTS
    return MACHINERY + area * (ARRAYS + remembered) * ARRAY + fragments * maps


def method_needs(model, config, area, piece):
    """Return the `Needs` of a method that compares positions, for pictures of `area` pixels."""
    from nst_tf.scaling.methods import NEEDS  # some methods alone need it

    layers = resolve_layers(model, config.style_layers or OWN_LAYERS[config.method])
    maps = [(n, stride) for name, n, stride in _used(model, layers) if name in layers]
    return NEEDS[config.method](config, maps, area, piece, model.dtype.size)


def bytes_a_pixel(model, layers):
    """Return what the gradient of one pixel needs: all maps, and twice the largest for its own."""
    maps = [channels * model.dtype.size / stride**2 for _, channels, stride in _used(model, layers)]
    return sum(maps) + 2 * max(maps, default=0) + 9 * 4


def target_bytes_a_pixel(model, layers):
    """Return what the content's features at these layers take."""
    maps = [n * model.dtype.size / s**2 for name, n, s in _used(model, layers) if name in layers]
    return sum(maps)


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
def convolution_speeds(dtype, seconds=0.4):
    """Return operations per second of a convolution and its gradient: slow, usual and fast ones.

    They are timed once for each dtype: the tenth percentile, the median and the ninetieth. They
    differ where other programs compute, too. The estimate of time needs them; the choice of
    precision does not depend on them.
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
    times, until = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < until:
        began = time.perf_counter()
        float(convolve(x))
        times.append(time.perf_counter() - began)
    operations = 2 * 2 * 9 * TIMED[1] * TIMED[2] * channels**2
    return tuple(operations / np.quantile(times, (0.9, 0.5, 0.1)))


def _used(model, layers):
    """Yield name, channels and stride of each layer down to the deepest that is read."""
    deepest = max((list(model).index(layer) for layer in layers), default=-1)
    fields, channels = receptive_fields(model), 3
    for name, layer in list(model.items())[: deepest + 1]:
        channels = layer.channels or channels
        yield name, channels, fields[name].stride


def memory_budget(config):
    """Return how many more bytes a run may take, and how many the process uses now."""
    used = memory_used()
    return memory_left() if config.memory_limit is None else config.memory_limit * GIB - used, used


def how_to_get_more(config):
    """Return what raises the budget, as text: what limits it is named."""
    if config.memory_limit is not None:
        return "raise --memory-limit"
    name = "" if gpu_memory() else tightest_limit().name
    return f"raise {name}" if name else "end other programs that use the memory"


def memory_used():
    """Return the bytes that this process holds now: of the GPU, where one computes."""
    gpu = gpu_memory()
    return psutil.Process().memory_info().rss if gpu is None else gpu.used


def memory_left():
    """Return the bytes that this process may still take: of the GPU, where one computes."""
    gpu = gpu_memory()
    return ram_left() if gpu is None else SPARE * gpu.left - WORKSPACE_MIB * 2**20


def ram_left():
    """Return the bytes of the machine's memory that this process may still take."""
    return SPARE * tightest_limit().left


def most_gpu_memory():
    """Return the most bytes of the GPU that this process has held so far; None on the CPU."""
    if not tf.config.get_visible_devices("GPU"):
        return None
    return tf.config.experimental.get_memory_info("GPU:0")["peak"]


def most_memory():
    """Return how many bytes of RAM this process has held at its highest so far."""
    try:
        import resource
    except ImportError:  # Windows, where psutil knows it
        return psutil.Process().memory_info().peak_wset
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
