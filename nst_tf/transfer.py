"""Style transfer: targets, loop, result. Everything else is somebody else's affair."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from nst_tf.config import TransferConfig
from nst_tf.errors import ConfigError, Diverged, ImageError, Interrupted
from nst_tf.images import check_image, check_mask
from nst_tf.objective import make_objective
from nst_tf.optimizers import learning_rates, minimize_adam, minimize_lbfgs, minimize_sgd
from nst_tf.style import Style, one_weight_each, style_layer_weights
from nst_tf.terms import content_term, relative_tv_term, style_term, tv_term
from nst_tf.trunks import check_layers, resolve_layers


@dataclass(frozen=True)
class Step:
    """What a callback is told: one picture of the run and its losses.

    Attributes
    ----------
    iteration, iterations : int
        Updates made so far, and in all.
    losses : dict of float
        "content", "style" and "tv" unweighted, "total" weighted; without those of weight 0.
    image : (1, H, W, 3) tensor
        Stays on the device until `picture` is asked for.
    seconds : float
        Since the loop began.
    last : bool
        Whether this is the end of the run; L-BFGS may converge before `iterations`.
    """

    iteration: int
    iterations: int
    losses: dict[str, float]
    image: tf.Tensor = field(repr=False)
    show: Callable = field(repr=False)
    seconds: float
    last: bool

    def picture(self):
        """Return what one would see now: (H, W, 3) uint8."""
        return self.show(self.image)


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

    converged : bool
        Whether the optimiser found no way further down before its iterations were used up.

    `iterations` is how many updates were made.
    """

    picture: np.ndarray = field(repr=False)
    image: np.ndarray = field(repr=False)
    history: list[dict[str, float]] = field(repr=False)
    config: TransferConfig
    seconds: float
    converged: bool = False

    @property
    def iterations(self):
        """Updates that were made."""
        return max(len(self.history) - 1, 0)


def style_transfer(
    content_image,
    style_image,
    model,
    *,
    init_image=None,
    config=None,
    callbacks=(),
    finish=None,
    **knobs,
):
    """Paint the content in the style (Gatys, Ecker & Bethge 2015, eq. 7).

    Parameters
    ----------
    content_image : (1, H, W, 3) float32 or None
        As from `load_image`. None: there is no content to keep, which is texture synthesis.
    style_image : (1, H, W, 3) float32, Style, a sequence of Style, or None
        The painting, of any size; with a weight and masks it is a `Style`. None: there is no
        style to match, which leaves the content and total variation.
    model : Trunk
        As from `load_vgg_model`.
    init_image : (1, H, W, 3) float32, optional
        Where to start, the content's size; default: the content image.
    config : TransferConfig, optional
        All knobs together.
    callbacks : sequence of callable
        Each is called with a `Step` for iteration 0, 1, 2, ...
    finish : callable, optional
        ``picture -> picture``, both (H, W, 3) uint8: what is done to each picture before it is
        shown or saved, such as giving it the content's colours.
    **knobs
        Single knobs of `TransferConfig`, such as ``alpha=0.0025, iterations=500``.

    Returns
    -------
    Result

    Raises
    ------
    ConfigError, ImageError
        A knob, layer, image or mask that can't be used.
    Diverged
        The loss became NaN or infinite; its `result` is the last good picture.
    Interrupted
        Ctrl-C; its `result` is the picture reached.
    """
    config = (config or TransferConfig()).changed(**knobs)
    start = content_image if init_image is None else init_image
    terms = checked_terms(content_image, style_image, model, start, config)
    return minimize(terms, start, model, config, callbacks=callbacks, finish=finish)


class StyleTransfer:
    """The class that tutorial 4 begins and leaves open: all arguments first, `apply` later.

    Takes the arguments of `style_transfer`; `apply` runs it and returns the picture.
    """

    def __init__(self, content_image, style_image, model, **knobs):
        self.arguments = (content_image, style_image, model)
        self.knobs = knobs

    def apply(self):
        """Return the picture (H, W, 3) uint8; the whole `Result` stays in `result`."""
        self.result = style_transfer(*self.arguments, **self.knobs)
        return self.result.picture


def checked_terms(content_image, style_image, model, start, config):
    """Return `loss_terms`, after a look at all that could be wrong with the arguments."""
    check_layers(model, ())
    _check_images(content_image, as_styles(style_image), start)
    return loss_terms(content_image, style_image, model, config)


def minimize(terms, start, model, config, *, callbacks=(), finish=None):
    """Change the pixels of `start` until the terms are small: the second half of a transfer.

    Parameters
    ----------
    terms : sequence of Term
        As from `loss_terms`, or one's own.
    start : (1, H, W, 3) float32
        Put between black and white first, if the config clips.
    model : Trunk
    config : TransferConfig
        Its optimiser and what belongs to it.
    callbacks, finish
        As for `style_transfer`.

    Returns
    -------
    Result
    """
    if config.clip:
        start = np.clip(start, *_bounds(model.space, config))
    steps = _steps(make_objective(model, terms), start, model.space, config)
    return _run(steps, start, _shown(model.space, finish), config, callbacks)


def loss_terms(content_image, style_image, model, config, through=None):
    """Return the terms of the total loss, eq. (7), with their targets.

    `style_image` is whatever `style_transfer` takes.
    A term of weight 0, or without its picture, is left out: it costs nothing. Total variation,
    which costs next to nothing, is always reported.
    """
    styles = as_styles(style_image)
    relative = config.unit == "relative"
    terms = []
    if content_image is not None and config.alpha:
        layers = resolve_layers(model, config.content_layers)
        weights = one_weight_each("content", layers, config.content_layer_weights or 1.0)
        scale = "relative" if relative else config.content_scale
        how = {"scale": scale, "through": through}
        terms.append(content_term(model, content_image, weights, config.alpha, **how))
    if styles and config.beta:
        layers = resolve_layers(model, config.style_layers)
        weights = style_layer_weights(
            model,
            layers,
            config.style_layer_weights,
            config.style_weighting,
            config.statistic,
        )
        how = {"statistic": config.statistic, "shift": config.activation_shift}
        how |= {"relative": relative, "propagation": config.propagation, "through": through}
        terms.append(style_term(model, styles, weights, config.beta, **how))
    if not terms:
        raise ConfigError(
            "there is nothing to keep and nothing to match: give a content with alpha above 0, "
            "or a style with beta above 0"
        )
    if relative:
        return [*terms, relative_tv_term(config.tv_weight, model.space)]
    return [*terms, tv_term(config.tv_weight, form=config.tv_form)]


def _steps(objective, start, space, config):
    """Return the steps of the optimiser that the config names."""
    how = {"bounds": _bounds(space, config)}
    how["compile_xla"] = bool(tf.config.get_visible_devices("GPU"))
    if config.optimizer == "lbfgs":
        return minimize_lbfgs(objective, start, config.iterations, history=config.history, **how)
    schedule = learning_rates(
        config.schedule,
        config.learning_rate / space.scale,
        config.iterations,
        decay_rate=config.decay_rate,
        decay_every=config.decay_every,
    )
    if config.optimizer == "sgd":
        return minimize_sgd(objective, start, config.iterations, schedule=schedule, **how)
    moments = {"beta_1": config.beta_1, "beta_2": config.beta_2, "epsilon": config.epsilon}
    return minimize_adam(objective, start, config.iterations, schedule=schedule, **moments, **how)


def _bounds(space, config):
    if not config.clip:
        return None
    if config.clip_at is None:
        return space.bounds
    limit = np.full(3, config.clip_at / space.scale, np.float32)
    return -limit, limit


def _shown(space, finish):
    if finish is None:
        return space.to_picture
    return lambda image: finish(space.to_picture(image))


def _run(steps, start, show, config, callbacks):
    """Go through the steps, tell the callbacks, stop at the first loss that is no number."""
    began = time.perf_counter()
    image, history = start, []

    def result(converged=False):
        seconds = time.perf_counter() - began
        return Result(show(image), np.array(image), history, config, seconds, converged)

    try:
        for iteration, current, losses, last in steps:
            losses = {name: float(loss) for name, loss in losses.items()}
            if not all(math.isfinite(loss) for loss in losses.values()):
                raise Diverged(_why_diverged(iteration, losses, config), result())
            image = current
            history.append(losses)
            seconds = time.perf_counter() - began
            step = Step(iteration, config.iterations, losses, image, show, seconds, last)
            for callback in callbacks:
                callback(step)
    except KeyboardInterrupt:
        raise Interrupted(result()) from None
    finally:
        steps.close()  # an optimiser may have a thread to end
    return result(converged=len(history) <= config.iterations)


def _why_diverged(iteration, losses, config):
    bad = ", ".join(name for name, loss in losses.items() if not math.isfinite(loss))
    if iteration == 0:
        return (
            f"the {bad} loss is not finite before the first iteration: the weights of the losses "
            f"are too large (alpha {config.alpha:g}, beta {config.beta:g}, tv_weight "
            f"{config.tv_weight:g}); make them smaller"
        )
    if config.optimizer == "lbfgs":
        return (
            f"the {bad} loss is not finite after {iteration} iterations: make the weights of the "
            "losses smaller, or use --optimizer adam"
        )
    return (
        f"the {bad} loss is not finite after {iteration} iterations: the steps are too large; "
        f"make learning_rate smaller (it is {config.learning_rate:g})"
        f"{'' if config.clip else ' or turn clip on'}"
    )


def as_styles(style_image):
    """Return a list of Style: from none, one, several, or a bare image."""
    if style_image is None:
        return []
    if isinstance(style_image, Style):
        return [style_image]
    if not isinstance(style_image, (list, tuple)):
        return [Style(style_image)]
    if not style_image or not all(isinstance(style, Style) for style in style_image):
        raise ConfigError(
            "`style_image` is a list without styles; several styles are a list of "
            "Style(image, weight, mask), one style is its image, none is None"
        )
    return list(style_image)


def _check_images(content_image, styles, start):
    if start is None:
        raise ImageError("without a content image an `init_image` is needed: it gives the size")
    images = {"content_image": content_image, "init_image": start}
    for number, style in enumerate(styles, 1):
        images["style_image" if len(styles) == 1 else f"style image {number}"] = style.image
    for name, image in images.items():
        if image is not None:
            check_image(name, image)
            if not np.isfinite(image).all():  # a ReLU would turn NaN into 0, nobody would know
                raise ImageError(f"`{name}` holds NaN or infinite numbers")
    if content_image is not None and tuple(start.shape) != tuple(content_image.shape):
        raise ImageError(
            f"`init_image` has shape {tuple(start.shape)}, the content image "
            f"{tuple(content_image.shape)}; they must be alike"
        )
    for style in styles:
        check_mask("mask", style.mask, start.shape[1:3])
        check_mask("style_mask", style.style_mask, style.image.shape[1:3])
