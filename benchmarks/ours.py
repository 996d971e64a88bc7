"""The one place that knows nst_tf: how a trunk is loaded, a picture painted, a loss read."""

import time

import numpy as np

import nst_tf as nst
from nst_tf.jobs.inputs import chosen_weights, load_images
from nst_tf.jobs.load import load_task
from nst_tf.jobs.settings import SCHEDULES_OWN
from nst_tf.presets import PRESETS
from nst_tf.scaling.memory import estimate_of, memory_used
from nst_tf.transfer import minimize

FOREVER = 10**8  # iterations: the benchmark says when it is enough
# Tutorial 3 starts from as much noise, uniform by 20 grey levels.
STARTS = {"content": {}, "noise": {"noise_ratio": 0.6, "noise": "uniform"}}
COPIED = {"conv3_3": "conv3_4", "conv4_3": "conv4_4", "conv5_3": "conv5_4"}


def trunk(shape="16"):
    """Return the embedded trunk, or ("19") that with three layers copied."""
    model = nst.load_vgg_model("embedded")
    return model if shape == "16" else as_19_layers(model)


def as_19_layers(model):
    """Return a network with VGG-19's shape: right for timing, wrong for painting."""
    layers = {}
    for name, layer in model.items():
        layers[name] = layer
        if name in COPIED:
            layers[COPIED[name]] = layer
    name = f"{model.name}, its conv*_3 copied as conv*_4: VGG-19's shape, for timing only"
    return nst.Trunk(layers, name=name, source=model.source, space=model.space)


def weights(model):
    """Return the trunk's numbers, (3, 3, in, out) for RGB and (out,), by ``layer/kernel``."""
    arrays = {}
    for name in model.convolutions:
        arrays[f"{name}/kernel"] = np.asarray(model[name].kernel, np.float32)
        arrays[f"{name}/bias"] = np.asarray(model[name].bias, np.float32)
    return arrays


def configured(
    content,
    style,
    size,
    *,
    schedule="tutorial",
    precision="float32",
    start="content",
    iterations=FOREVER,
    memory_limit=None,
):
    """Return the `JobConfig` of tutorial 0's objective at `size` (WxH), done in one of our ways.

    Parameters
    ----------
    schedule : {"tutorial", "fast", "fine"}
        "tutorial" is its preset to the letter: Adam by 2 grey levels, unclipped.
    precision : {"auto", "float32", "mixed"}
    start : {"content", "noise"}
    memory_limit : float, optional
        In GiB.
    """
    knobs = PRESETS["devos"].knobs
    if schedule != "tutorial":
        knobs = {**knobs, **SCHEDULES_OWN}
    how = {"schedule": schedule, "precision": precision, "memory_limit": memory_limit}
    pictures = {"content": content, "style": (style,), "size": size}
    return nst.JobConfig(**{**knobs, **pictures, **STARTS[start], **how, "iterations": iterations})


def images_of(config, model):
    """Return the pictures as keyword arguments of `paint`."""
    return load_images(config, model.space)


def paint(model, images, config, callbacks=()):
    """Run a transfer; everything in here counts: targets, tracing, iterations, the picture."""
    return nst.style_transfer(
        **images, model=model, config=config.transfer(), callbacks=list(callbacks)
    )


def saved_loss(model, images, config, picture):
    """Return what a saved picture (H, W, 3) uint8 costs under the tutorial's objective, float32."""
    images = {**images, "init_image": model.space.to_image(picture)}
    exact = {"precision": "float32", "schedule": "tutorial", "iterations": 0}
    result = paint(model, images, config.changed(**exact))
    return result.history[0]["total"]


def estimated_and_taken(preset=None, **knobs):
    """Run a job, that of a preset or the default one; return what was told and what it took.

    Returns
    -------
    dict
        The line with the estimate as "told", the seconds "usual", "fastest" and "slowest" in it,
        and those that the run "took" after it.
    """
    config = nst.JobConfig(**{**(PRESETS[preset].knobs if preset else {}), **knobs})
    config = config.changed(weights=chosen_weights(config.weights))
    used = memory_used()
    task, finish, _ = load_task(config)
    began = time.perf_counter()
    told = estimate_of(task, used)
    minimize(task, finish=finish)
    took = time.perf_counter() - began
    ends = {"usual": told.seconds, "fastest": told.fastest, "slowest": told.slowest}
    return {"told": str(told), **ends, "took": took}
