"""Style transfer: targets, loop, result. Everything else is somebody else's affair."""

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import tensorflow as tf

from nst_tf.config import TransferConfig
from nst_tf.errors import ConfigError, Diverged, ImageError, Interrupted, NstError
from nst_tf.images import check_image, check_mask, resize_picture
from nst_tf.memory import choose_pass, estimate, memory_used, smaller_pass
from nst_tf.objective import make_objective
from nst_tf.optimizers import (
    learning_rates,
    minimize_adam,
    minimize_lbfgs,
    minimize_lbfgs_fixed,
    minimize_sgd,
)
from nst_tf.passes import TiledPass, WholePass
from nst_tf.precision import choose_precision
from nst_tf.scales import (
    SCHEDULES,
    Level,
    balanced_weights,
    make_levels,
    resized_image,
    resized_style,
)
from nst_tf.style import Style, one_weight_each, style_layer_weights
from nst_tf.terms import Term, content_term, relative_tv_term, style_term, tv_term
from nst_tf.trunks import check_layers, resolve_layers

HISTORY = {"lbfgs": 20, "lbfgs-fixed": 10}  # pairs of images; SciPy's loop is the less forgetful
TILED_HISTORY = 2


@dataclass(frozen=True)
class Step:
    """What a callback is told: one picture of the run and its losses.

    Attributes
    ----------
    iteration, iterations : int
        Updates made so far, and in all.
    losses : dict of float
        "content", "style" and "tv" unweighted, "total" weighted; without those of weight 0.
    image : (1, H, W, 3) tensor or None
        Stays on the device until `picture` is asked for. At a coarse level it is smaller than
        the result. None where no callback looks: see `look_every` in `style_transfer`.
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
        if self.image is None:
            raise ConfigError(
                f"there is no picture of iteration {self.iteration}: the callbacks' `look_every` "
                "says that nobody looks"
            )
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
        Each is called with a `Step` for iteration 0, 1, 2, ... One that looks at the picture of
        every n-th iteration only, or never (0), may say so in an attribute `look_every`: then
        several iterations go by in one call of TensorFlow.
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
    task = make_task(content_image, style_image, model, start, config)
    return paint(task, callbacks=callbacks, finish=finish)


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


@dataclass(frozen=True)
class Task:
    """All that a run needs, checked: as from `make_task`.

    Attributes
    ----------
    content_image, start : as for `style_transfer`
    styles : list of Style
    through : WholePass or TiledPass
        Holds the trunk, computing in the precision that was chosen.
    config : TransferConfig
    levels : list of Level
    terms : list of Term
        Of the last level.
    words : str
        Precision, tiles and levels in a few words.
    """

    content_image: np.ndarray | None
    styles: list[Style]
    start: np.ndarray
    through: WholePass | TiledPass
    config: TransferConfig
    levels: list[Level]
    terms: list[Term]
    words: str

    def at(self, level):
        """Return terms and config for a level."""
        if level is self.levels[-1]:
            return self.terms, self.config
        height, width = self.levels[-1].size
        share = level.size[0] * level.size[1] / (height * width)
        content, styles = self.content_image, self.styles
        content = content if content is None else resized_image(content, level.size)
        styles = [resized_style(style, share**0.5, level.size) for style in styles]
        # A small region may hold no whole receptive field at a coarse level.
        config = balanced_weights(self.config, share).changed(propagation="simple")
        return loss_terms(content, styles or None, self.through.model, config, self.through), config

    def in_smaller_tiles(self):
        """Return the same task for half the memory; where none is smaller, raise the error anew."""
        size, make = self.levels[-1].size, self.terms_through
        through, terms = _until_it_fits(smaller_pass(self.through, size), size, make)
        return replace(self, through=through, terms=terms)

    def terms_through(self, through):
        """Return the terms of the last level, measured by another pass."""
        styles = self.styles or None
        return loss_terms(self.content_image, styles, through.model, self.config, through)


def make_task(content_image, style_image, model, start, config):
    """Look at all that could be wrong with the arguments, and return what `paint` takes."""
    check_layers(model, ())
    styles = as_styles(style_image)
    _check_images(content_image, styles, start)
    size = tuple(start.shape[1:3])
    precision = choose_precision(config.precision)
    layers = _layers_read(model, content_image, styles, config)
    model = model.computing_in(precision.dtype)
    remembered = tuple(_remembered(config, tiled) for tiled in (False, True))
    used = memory_used()
    through = choose_pass(model, layers, size, config.memory_limit, remembered)
    through, terms = _until_it_fits(
        through, size, lambda way: loss_terms(content_image, styles or None, way.model, config, way)
    )
    sides = [*size, *(side for style in styles for side in style.image.shape[1:3])]
    levels = make_levels(config.schedule, size, config.iterations, min(sides))
    words = f"{precision.why}: {estimate(through, layers, levels, remembered, used)}"
    return Task(content_image, styles, start, through, config, levels, terms, words)


def _layers_read(model, content_image, styles, config):
    """Return the layers that the run reads, the content's first."""
    content = config.alpha and content_image is not None
    return (
        *(resolve_layers(model, config.content_layers) if content else ()),
        *(resolve_layers(model, config.style_layers) if config.beta and styles else ()),
    )


def _until_it_fits(through, size, work):
    """Return a pass and what `work` makes of it: the given one, or one of smaller tiles."""
    while True:
        if through is None:
            raise NstError(
                f"{size[1]}x{size[0]} pixels do not fit into memory, tile by tile either: make the "
                "picture smaller, as in --size 512"
            )
        try:
            return through, work(through)
        except tf.errors.ResourceExhaustedError:
            through = smaller_pass(through, size)


def paint(task, *, callbacks=(), finish=None):
    """Change the pixels of the start until the terms are small: the second half of a transfer.

    Parameters
    ----------
    task : Task
    callbacks, finish
        As for `style_transfer`.

    Returns
    -------
    Result
    """
    space = task.through.model.space
    show = _shown(space, finish, task.levels[-1].size)
    return _run(_all_steps(task, callbacks), task.start, show, task.config, callbacks)


def _all_steps(task, callbacks):
    """Go through the levels, each beginning where the one before it ended."""
    image, done = task.start, 0
    look_every = math.gcd(*(getattr(callback, "look_every", 1) for callback in callbacks))
    for level in task.levels:
        image = resized_image(np.asarray(image), level.size)
        task, steps = _begun(task, level, image, done, look_every)
        with contextlib.closing(steps):
            for iteration, current, losses, last in steps:
                image = image if current is None else current
                at_end = last and level is task.levels[-1]
                if at_end or not last:  # the end of a level is the beginning of the next
                    yield done + iteration, current, losses, at_end
        done += level.iterations


def _begun(task, level, image, done, look_every):
    """Return a level's steps, the first one made: by a task of smaller tiles if it must be."""

    def chained(first, rest):
        yield first
        yield from rest

    while True:
        terms, config = task.at(level)
        objective = make_objective(task.through.model, terms, task.through)
        space = task.through.model.space
        config = config.changed(iterations=level.iterations)
        begin = _within(space, config, image)
        tiled = isinstance(task.through, TiledPass)
        steps = _steps(objective, begin, space, config, done, look_every, tiled)
        try:
            return task, chained(next(steps), steps)
        except tf.errors.ResourceExhaustedError:
            task = task.in_smaller_tiles()


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


def _optimizer(config):
    """Return the optimiser's name: the one given, or the schedule's; Adam if a rate is given."""
    if config.optimizer is None and (config.learning_rate or config.decay):
        return "adam"
    return config.optimizer or SCHEDULES[config.schedule].optimizer


def _history(config, tiled):
    """Return how many pairs L-BFGS remembers: few where the picture is too large as it is."""
    return config.history or (TILED_HISTORY if tiled else HISTORY[_optimizer(config)])


def _remembered(config, tiled):
    """Return how many arrays of the picture's size the optimiser remembers."""
    optimizer = _optimizer(config)
    return 2 * _history(config, tiled) if optimizer in HISTORY else {"adam": 2, "sgd": 0}[optimizer]


def _steps(objective, start, space, config, done, look_every, tiled):
    """Return the steps of the optimiser that the config names, after `done` of levels before."""
    how = {"bounds": _bounds(space, config)}
    # XLA wants to know sizes, and those of tiles' cores differ.
    how["compile_xla"] = bool(tf.config.get_visible_devices("GPU")) and not tiled
    optimizer = _optimizer(config)
    if optimizer in HISTORY:
        how["history"] = _history(config, tiled)
        minimize = {"lbfgs": minimize_lbfgs, "lbfgs-fixed": minimize_lbfgs_fixed}[optimizer]
        return minimize(objective, start, config.iterations, **how)
    usual = SCHEDULES[config.schedule]
    how["wanted"] = lambda iteration: look_every and (done + iteration) % look_every == 0
    how["schedule"] = learning_rates(
        config.decay or usual.decay,
        (config.learning_rate or usual.learning_rate) / space.scale,
        config.iterations,
        decay_rate=config.decay_rate,
        decay_every=config.decay_every,
    )
    if optimizer == "sgd":
        return minimize_sgd(objective, start, config.iterations, **how)
    moments = {"beta_1": config.beta_1, "beta_2": config.beta_2, "epsilon": config.epsilon}
    return minimize_adam(objective, start, config.iterations, **moments, **how)


def _within(space, config, image):
    return np.clip(image, *_bounds(space, config)) if config.clip else image


def _bounds(space, config):
    if not config.clip:
        return None
    if config.clip_at is None:
        return space.bounds
    limit = np.full(3, config.clip_at / space.scale, np.float32)
    return -limit, limit


def _shown(space, finish, size):
    """Return what makes a picture of an image; one of a coarse level is enlarged to `size`."""

    def show(image):
        picture = resize_picture(space.to_picture(image), size)
        return picture if finish is None else finish(picture)

    return show


def _run(steps, start, show, config, callbacks):
    """Go through the steps, tell the callbacks, stop at the first loss that is no number."""
    began = time.perf_counter()
    image, history = start, []
    reached = 0  # the iteration of `image`: nobody may have looked at later ones

    def result(converged=False):
        seconds = time.perf_counter() - began
        known = history[: reached + 1]
        return Result(show(image), np.array(image), known, config, seconds, converged)

    try:
        for iteration, current, losses, last in steps:
            losses = {name: float(loss) for name, loss in losses.items()}
            if not all(math.isfinite(loss) for loss in losses.values()):
                raise Diverged(_why_diverged(iteration, losses, config), result())
            if current is not None:
                image, reached = current, iteration
            history.append(losses)
            seconds = time.perf_counter() - began
            step = Step(iteration, config.iterations, losses, current, show, seconds, last)
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
    if _optimizer(config) in HISTORY:
        return (
            f"the {bad} loss is not finite after {iteration} iterations: make the weights of the "
            "losses smaller, or use --optimizer adam"
        )
    rate = config.learning_rate or SCHEDULES[config.schedule].learning_rate
    return (
        f"the {bad} loss is not finite after {iteration} iterations: the steps are too large; "
        f"make learning_rate smaller (it is {rate:g})"
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
