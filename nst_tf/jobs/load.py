"""Load the model, pictures and task of a config."""

import contextlib
import functools
from dataclasses import replace
from pathlib import Path

import tensorflow as tf

from nst_tf.config import OWN_LAYERS
from nst_tf.console import print_line
from nst_tf.errors import ConfigError, ImageError, NstError
from nst_tf.image.io import read_picture
from nst_tf.image.pixels import UNIT_PIXELS
from nst_tf.image.print_size import print_size
from nst_tf.image.sizes import divisible_size, fit_size, parse_size
from nst_tf.jobs.inputs import input_files, load_images
from nst_tf.models import Trunk, load_model, normalize_trunk, resolve_layers
from nst_tf.optim.from_config import optimizer_name
from nst_tf.scaling.device import choose_device, gpu_details
from nst_tf.scaling.levels import task_levels
from nst_tf.scaling.memory import expected, largest_size
from nst_tf.scaling.precision import choose_precision
from nst_tf.scaling.wrap import seam
from nst_tf.transfer import loss_terms, make_task

SMALL_STEP = 0.1  # gray levels per iteration of Adam; ours are 5, the tutorials' 2 or more
SEAM = 3  # times as far apart as neighbors are opposite edges of a picture that do not meet
CACHED_TRUNKS = 4  # kept in memory for later jobs
XLA_ON = {
    "GPU": "XLA compiles the network for each size (tiles are not compiled): on an NVIDIA H100 the "
    "first iteration of 640x480 came about 6 s later, and each took 0.6 ms less; it pays from some "
    "10,000 iterations on",
    "CPU": "XLA compiles the network for each size; on a CPU, iterations then take about 1.5 times "
    "as long",
}


def with_precision(config, say=print_line):
    """Return the config with its precision resolved; report the device and precision."""
    device = choose_device(config.device, deterministic=config.deterministic)
    precision = choose_precision(config.precision)
    say(f"computing {device} in {precision.why}")
    if config.xla:
        say(XLA_ON["CPU" if gpu_details() is None else "GPU"])
    return replace(config, precision=precision.name)


def with_size(config, say=print_line):
    """Return the config of a size such as "512+" with it resolved; report the chosen size."""
    _, least = parse_size(config.size)
    photograph = read_picture(config.content, say=None).shape[:2]
    pictures = 1 + len(config.paintings)
    (height, width), why = largest_size(load_trunk(config), photograph, least, config, pictures)
    say(f"--size {config.size}: {width}x{height} pixels, {why}")
    return replace(config, size=f"{width}x{height}")


def with_wrapped_size(config, model, say=None):
    """Return the config with the nearest size at which opposite edges can meet; report it."""
    photograph = read_picture(config.content, say=None).shape[:2]
    try:
        size = fit_size(parse_size(config.size), photograph)
    except ImageError as error:
        raise ImageError(f"{config.content}: {error}") from None
    layers = {layer for term in loss_terms(model, config) for layer in term.layers}
    strides = model.wrapped(config.wrap).side_strides(layers)
    (height, width), (new_height, new_width) = size, divisible_size(size, strides)
    if say and (new_height, new_width) != size:
        sides = {"x": "the width", "xy": "both sides"}[config.wrap]
        say(
            f"--wrap {config.wrap}: {new_width}x{new_height} pixels in place of {width}x{height}, "
            f"{sides} divisible by {max(strides)}"
        )
    return replace(config, size=f"{new_width}x{new_height}")


def report_print(config, say=print_line):
    """Report the size of a print and what the run is expected to take, before it is loaded."""
    form, shape = config.form, read_picture(config.content, say=None).shape[:2]
    height, width = print_size(config.print, form["dpi"], shape)
    size = (height, width) if config.size is None else fit_size(parse_size(config.size), shape)
    paper = f"{2.54 * width / form['dpi']:.3g}x{2.54 * height / form['dpi']:.3g} cm"
    painted = "" if config.size is None else f", painted at {size[1]}x{size[0]} and enlarged"
    say(
        f"--print {config.print}: {width}x{height} pixels, {paper} at {form['dpi']} dpi, "
        f"{form['bits']} bits, profile {form['profile']}{painted}"
    )
    say(f"expected: {expected(load_trunk(config), size, config)}")


def report_seams(config, content, say):
    """Report edges of the photograph that don't meet, if the result shows the photograph there."""
    if not (config.alpha or config.keep_content or config.color.startswith(("luminance", "swap"))):
        return
    for axis, edges in (("y", "top and bottom"), ("x", "left and right edge")):
        across, inside = seam(content, "yx".index(axis))
        if axis in config.wrap and across > SEAM * inside:
            say(
                f"--wrap {config.wrap}: {edges} of the photograph don't meet: they differ by "
                f"{across:.0f} gray levels, neighboring pixels by {inside:.0f}; the result may "
                "show a seam there (a texture needs no photograph: --alpha 0 --init noise)"
            )


def report_small_steps(config, say=print_line):
    """Report a learning rate of Adam that was meant for pixels in 0..1, probably."""
    rate = config.learning_rate
    if rate is None or rate >= SMALL_STEP or optimizer_name(config) != "adam":
        return
    say(
        f"--learning-rate {rate:g} is in gray levels: in {config.iterations} iterations a pixel "
        f"moves by about {rate * config.iterations:.2g} of 255 at most; {rate:g} of programs "
        f"whose pixels are in 0..1 is {255 * rate:.2g} here"
    )


def load_task(config, say=None):
    """Return the task, the function that finishes its pictures, and the trunk."""
    model, images = load_trunk_and_images(config, say)
    finish = images.pop("finish")
    if config.xla:
        check_xla(config, model)
    task = make_task(**images, model=model, config=config.transfer())
    task_levels(task)  # rejects levels that are too small
    return task, finish, model


def check_xla(config, model):
    """Raise ConfigError if XLA can't compile the gradient of a trunk."""
    max_pooling = any(getattr(layer, "kind", None) == "max" for layer in model.values())
    if config.deterministic and max_pooling and gpu_details() is not None:
        raise ConfigError(
            "XLA has no deterministic gradient of max pooling on a GPU: use --pooling average, "
            "--no-deterministic or --no-xla"
        )


def describe_task(task):
    """Return the size and iterations of a task as text."""
    height, width = task.start.shape[1:3]
    return f"{width}x{height} pixels, {task.config.iterations} iterations"


def journal_files(config, model):
    """Return the files that the picture depends on, by role."""
    files = {
        role if len(paths) == 1 else f"{role} {number}": path
        for role, paths in input_files(config).items()
        for number, path in enumerate(paths, 1)
    }
    return {**files, "weights": model.source}


@contextlib.contextmanager
def explain_out_of_memory(config):
    """Raise `NstError` with advice when TensorFlow runs out of memory."""
    try:
        yield
    except tf.errors.ResourceExhaustedError:
        raise NstError(
            f"{config.size or config.print or 'the default size'} does not fit into memory: "
            "make the picture smaller, as in --size 512"
        ) from None


def load_trunk_and_images(config, say=None):
    """Load the trunk and the images of a config.

    Returns
    -------
    Trunk, dict
        The dict is that of `load_images`.
    """
    model = load_trunk(config)
    for layers in (config.content_layers, config.style_layers or OWN_LAYERS[config.method]):
        resolve_layers(model, layers)  # reject unknown names before reading pictures
    if config.wrap:
        config = with_wrapped_size(config, model, say)
    images = load_images(config, model.space, say)
    if config.wrap and say:
        report_seams(config, images["finish"].content, say)
    if config.normalize:
        styles = [style.image for style in images["style_image"]]
        model = normalize_trunk(model, [images["content_image"], *styles])
    return model, images


def load_trunk(config):
    """Load the trunk of a config, without `normalize`, which needs the pictures.

    Jobs with the same trunk share it and its traced functions.
    """
    file = Path(config.weights)
    modified = file.stat().st_mtime_ns if file.is_file() else None
    return _load_trunk(config.weights, config.pooling, config.pixels, config.padding, modified)


@functools.lru_cache(maxsize=CACHED_TRUNKS)
def _load_trunk(weights, pooling, pixels, padding, modified):
    model = load_model(weights, pooling=pooling)
    if pixels == "unit":
        model = Trunk(model, name=model.name, source=model.source, space=UNIT_PIXELS)
    return model.with_edges() if padding == "edge" else model
