"""What a config names, loaded: model, pictures and task."""

import contextlib
import functools
from dataclasses import replace
from pathlib import Path

import tensorflow as tf

from nst_tf.errors import (
    NstError,
)
from nst_tf.image.pixels import UNIT_PIXELS
from nst_tf.jobs.inputs import input_files, load_images
from nst_tf.models import (
    Trunk,
    load_model,
    normalize_trunk,
    resolve_layers,
)
from nst_tf.scaling.device import choose_device
from nst_tf.scaling.precision import choose_precision
from nst_tf.transfer import make_task

TRUNKS = 4  # that stay in memory for later jobs


def with_precision(config, say=print):
    """Return the config with its precision resolved, and say where and in what the run computes."""
    device = choose_device(config.device)
    precision = choose_precision(config.precision)
    say(f"computing {device} in {precision.why}")
    return replace(config, precision=precision.name)


def load_task(config):
    """Load all that the config names: the task, what is done to its pictures, and the trunk."""
    model, images = load_trunk_and_images(config)
    finish = images.pop("finish")
    task = make_task(**images, model=model, config=config.transfer())
    return task, finish, model


def words_for(task):
    """Return the size and the iterations of a task in words."""
    height, width = task.start.shape[1:3]
    return f"{width}x{height} pixels, {task.config.iterations} iterations"


def journal_files(config, model):
    """Return the files that the picture depends on, by what they are."""
    files = {
        kind if len(paths) == 1 else f"{kind} {number}": path
        for kind, paths in input_files(config).items()
        for number, path in enumerate(paths, 1)
    }
    return {**files, "weights": model.source}


@contextlib.contextmanager
def memory_told(config):
    """Say what to do when TensorFlow runs out of memory."""
    try:
        yield
    except tf.errors.ResourceExhaustedError:
        raise NstError(
            f"{config.size or 'the default size'} does not fit into memory: "
            "make the picture smaller, as in --size 512"
        ) from None


def load_trunk_and_images(config):
    """Load the trunk that the config names, and what it works on.

    Returns
    -------
    Trunk, dict
        The dict as from `load_images`.
    """
    model = load_trunk(config)
    for layers in (config.content_layers, config.style_layers):
        resolve_layers(model, layers)  # a wrong name is told before any picture is read
    images = load_images(config, model.space)
    if config.normalize:
        styles = [style.image for style in images["style_image"]]
        model = normalize_trunk(model, [images["content_image"], *styles])
    return model, images


def load_trunk(config):
    """Load the trunk as the config has it, but for `normalize`, which needs the pictures.

    Jobs with the same trunk share it, and so what was traced for it.
    """
    file = Path(config.weights)
    changed = file.stat().st_mtime_ns if file.is_file() else None
    return _load_trunk(config.weights, config.pooling, config.pixels, config.padding, changed)


@functools.lru_cache(maxsize=TRUNKS)
def _load_trunk(weights, pooling, pixels, padding, changed):
    model = load_model(weights, pooling=pooling)
    if pixels == "unit":
        model = Trunk(model, name=model.name, source=model.source, space=UNIT_PIXELS)
    return model.with_edges() if padding == "edge" else model
