"""Style transfer: targets, loop, result. Everything else is somebody else's affair."""

import math
import time
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from nst_tf.config import TransferConfig
from nst_tf.errors import Diverged, ImageError, Interrupted
from nst_tf.images import PixelSpace, check_image
from nst_tf.objective import make_objective
from nst_tf.optimizers import minimize_adam
from nst_tf.terms import content_term, style_term, tv_term
from nst_tf.trunks import check_layers


@dataclass(frozen=True)
class Step:
    """What a callback is told: one picture of the run and its losses.

    Attributes
    ----------
    iteration, iterations : int
        Updates made so far, and in all.
    losses : dict of float
        "content", "style" and "tv" unweighted, "total" weighted.
    image : (1, H, W, 3) tensor
        Stays on the device until `picture` is asked for.
    seconds : float
        Since the loop began.
    """

    iteration: int
    iterations: int
    losses: dict[str, float]
    image: tf.Tensor = field(repr=False)
    space: PixelSpace = field(repr=False)
    seconds: float

    @property
    def last(self):
        """Whether this is the end of the run."""
        return self.iteration == self.iterations

    def picture(self):
        """Return what one would see now: (H, W, 3) uint8."""
        return self.space.to_picture(self.image)


@dataclass(frozen=True)
class Result:
    """What a run leaves.

    Attributes
    ----------
    picture : (H, W, 3) uint8
    image : (1, H, W, 3) float32
        The same before rounding, in the trunk's pixel space: a start for another run.
    history : list of dict
        The losses of picture 0, 1, 2, ...
    config : TransferConfig
    seconds : float
    """

    picture: np.ndarray = field(repr=False)
    image: np.ndarray = field(repr=False)
    history: list[dict[str, float]] = field(repr=False)
    config: TransferConfig
    seconds: float

    @property
    def iterations(self):
        """Updates that were made."""
        return max(len(self.history) - 1, 0)


def style_transfer(
    content_image, style_image, model, *, init_image=None, config=None, callbacks=(), **knobs
):
    """Paint the content in the style (Gatys, Ecker & Bethge 2015, eq. 7).

    Parameters
    ----------
    content_image, style_image : (1, H, W, 3) float32
        As from `load_image`; they may differ in size.
    model : Trunk
        As from `load_vgg_model`.
    init_image : (1, H, W, 3) float32, optional
        Where to start, the content's size; default: the content image.
    config : TransferConfig, optional
        All knobs together.
    callbacks : sequence of callable
        Each is called with a `Step` for iteration 0, 1, 2, ...
    **knobs
        Single knobs of `TransferConfig`, such as ``alpha=0.0025, iterations=500``.

    Returns
    -------
    Result

    Raises
    ------
    ConfigError, ImageError
        A knob, layer or image that can't be used.
    Diverged
        The loss became NaN or infinite; its `result` is the last good picture.
    Interrupted
        Ctrl-C; its `result` is the picture reached.
    """
    config = (config or TransferConfig()).changed(**knobs)
    check_layers(model, config.content_layers + config.style_layers)
    start = content_image if init_image is None else init_image
    _check_images(content_image, style_image, start)

    objective = make_objective(model, loss_terms(content_image, style_image, model, config))
    steps = minimize_adam(
        objective,
        start,
        config.iterations,
        learning_rate=config.learning_rate,
        epsilon=config.epsilon,
        bounds=model.space.bounds if config.clip else None,
        compile_xla=bool(tf.config.get_visible_devices("GPU")),
    )
    return _run(steps, start, model.space, config, callbacks)


def loss_terms(content_image, style_image, model, config):
    """Return the terms of the total loss, eq. (7), with their targets."""
    return [
        content_term(model, content_image, config.content_layers, config.alpha),
        style_term(model, style_image, config.weight_of_style_layers(), config.beta),
        tv_term(config.tv_weight),
    ]


def _run(steps, start, space, config, callbacks):
    """Go through the steps, tell the callbacks, stop at the first loss that is no number."""
    began = time.perf_counter()
    image, history = start, []

    def result():
        seconds = time.perf_counter() - began
        return Result(space.to_picture(image), np.array(image), history, config, seconds)

    try:
        for iteration, current, losses in steps:
            losses = {name: float(loss) for name, loss in losses.items()}
            if not all(math.isfinite(loss) for loss in losses.values()):
                raise Diverged(_why_diverged(iteration, losses, config), result())
            image = current
            history.append(losses)
            seconds = time.perf_counter() - began
            step = Step(iteration, config.iterations, losses, image, space, seconds)
            for callback in callbacks:
                callback(step)
    except KeyboardInterrupt:
        raise Interrupted(result()) from None
    return result()


def _why_diverged(iteration, losses, config):
    bad = ", ".join(name for name, loss in losses.items() if not math.isfinite(loss))
    if iteration == 0:
        return (
            f"the {bad} loss is not finite before the first iteration: the weights of the losses "
            f"are too large (alpha {config.alpha:g}, beta {config.beta:g}, tv_weight "
            f"{config.tv_weight:g}); make them smaller"
        )
    return (
        f"the {bad} loss is not finite after {iteration} iterations: the steps are too large; "
        f"make learning_rate smaller (it is {config.learning_rate:g})"
        f"{'' if config.clip else ' or turn clip on'}"
    )


def _check_images(content_image, style_image, start):
    images = {"content_image": content_image, "style_image": style_image, "init_image": start}
    for name, image in images.items():
        check_image(name, image)
        if not np.isfinite(image).all():  # a ReLU would turn NaN into 0, and nobody would know
            raise ImageError(f"`{name}` holds NaN or infinite numbers")
    if tuple(start.shape) != tuple(content_image.shape):
        raise ImageError(
            f"`init_image` has shape {tuple(start.shape)}, the content image "
            f"{tuple(content_image.shape)}; they must be alike"
        )
