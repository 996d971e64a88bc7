"""Style transfer: a loop that changes the pixels of an image to minimize the losses."""

import contextlib
import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import tensorflow as tf

from nst_tf.config import MATCHES, OWN_LAYERS, STATISTICS, WINDOW, TransferConfig
from nst_tf.errors import (
    ConfigError,
    Diverged,
    ImageError,
    Interrupted,
    NstError,
    OutOfMemory,
)
from nst_tf.image.pixels import check_image, check_mask
from nst_tf.image.sizes import resize_picture
from nst_tf.models import check_layers, resolve_layers
from nst_tf.objective.objective import (
    ContentTerm,
    Objective,
    Style,
    StyleTerm,
    TVTerm,
    as_styles,
    one_weight_each,
    style_layer_weights,
)
from nst_tf.optim.from_config import (
    given_optimizer,
    make_optimizer,
    optimizer_name,
    pixel_bounds,
)
from nst_tf.schedules import SCHEDULES

TICK = 0.5  # target duration in seconds of one TensorFlow call; one update may take longer
SMALL = 256 * 256  # pixels: up to this size, the memory check is skipped


def style_transfer(
    content_image,
    style_image,
    model,
    *,
    init_image=None,
    content_map=None,
    config=None,
    optimizer=None,
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
        The initial image, of the content's size; default: the content image.
    content_map : (H, W) float in [0, 1], optional
        Weight of the content loss at each pixel, of the content's size, as from `load_mask`; see
        `with_content_map`. Default: 1 everywhere.
    config : TransferConfig, optional
        All parameters in one object.
    optimizer : optional
        A name as in the config, `Adam`, `SGD`, `LBFGS` or `ScipyLBFGS` of `nst_tf.optim`, or an
        optimizer of Keras; default: the config's.
    callbacks : sequence of callable
        Each is called with a `Step` for iteration 0, 1, 2, ... A callback that needs the picture
        only at every n-th iteration, or never (0), sets its attribute `look_every`; several
        iterations then run in one call of TensorFlow. The method `close` of a callback is called
        at the end of the run, even if the run is interrupted. `save_every` (callbacks.py) saves
        pictures; `style_transfer` writes no files.
    finish : callable, optional
        ``picture -> picture``, both (H, W, 3) uint8: applied to each picture before it is shown
        or saved, for example to restore the content's colors.
    **knobs
        Fields of `TransferConfig`, such as ``alpha=0.0025, iterations=500``.

    Returns
    -------
    Result

    Raises
    ------
    ConfigError, ImageError
        A parameter, layer, image or mask is invalid.
    Diverged
        The loss is NaN or infinite; `result` is that of the last finite loss.
    OutOfMemory
        Memory ran out, and tiles can't be smaller; `result` is the result so far.
    Interrupted
        Ctrl-C was pressed; `result` is the result so far.
    """
    if not isinstance(config, TransferConfig | None):
        raise ConfigError(f"`config` is {config!r:.60}; a TransferConfig was expected")
    callbacks = [callbacks] if callable(callbacks) else list(callbacks or ())
    for function in [*callbacks, *([] if finish is None else [finish])]:
        if not callable(function):
            raise ConfigError(f"{function!r:.60} is not a function: see `callbacks` and `finish`")
    config = (config or TransferConfig()).changed(**knobs)
    if isinstance(optimizer, str):
        config, optimizer = config.changed(optimizer=optimizer), None
    elif optimizer is not None:
        given_optimizer(optimizer)  # reject others before anything is computed
    task = make_task(content_image, style_image, model, init_image, config, content_map)
    return minimize(task, optimizer=optimizer, callbacks=callbacks, finish=finish)


class StyleTransfer:
    """The class that tutorial 4 leaves unfinished: pass all arguments first, then call `apply`.

    Takes the arguments of `style_transfer`; `apply` runs it and returns the picture.
    """

    def __init__(self, content_image, style_image, model, **knobs):
        self.arguments = (content_image, style_image, model)
        self.knobs = knobs

    def apply(self):
        """Return the picture (H, W, 3) uint8; the attribute `result` has the whole `Result`."""
        self.result = style_transfer(*self.arguments, **self.knobs)
        return self.result.picture


# ------------------------------------------------------------------ set up


@dataclass(frozen=True)
class Task:
    """The checked arguments of `style_transfer`: the objective of a run and its start.

    Attributes
    ----------
    objective : Objective
    targets : dict
        As from `Objective.targets`.
    start : (1, H, W, 3) float32
    config : TransferConfig
        Its `precision` is "float32" or "mixed": "auto" is resolved here.
    content_image, styles, content_map
        What the targets were computed from.
    """

    objective: Objective
    targets: dict = field(repr=False)
    start: np.ndarray = field(repr=False)
    config: TransferConfig
    content_image: np.ndarray | None = field(repr=False)
    styles: list[Style] = field(repr=False)
    content_map: np.ndarray | None = field(default=None, repr=False)

    @property
    def size(self):
        """Height and width of the result."""
        return tuple(self.start.shape[1:3])


def make_task(content_image, style_image, model, init_image=None, config=None, content_map=None):
    """Check the arguments of `style_transfer` and compute the targets."""
    config = config or TransferConfig()
    check_layers(model, ())
    styles = as_styles(style_image)
    start = content_image if init_image is None else init_image
    _check_images(content_image, styles, start, config)
    terms = loss_terms(model, config, content=content_image is not None, style=bool(styles))
    if config.precision != "float32":
        from nst_tf.scaling.precision import choose_precision

        fixed = config.precision == "auto" and model.float32_only
        precision = choose_precision("float32" if fixed else config.precision)
        config = config.changed(precision=precision.name)
        model = model.computing_in(precision.dtype)
    if config.wrap:
        from nst_tf.scaling.wrap import wrapped_model

        model = wrapped_model(model, terms, config.wrap, start.shape[1:3])
    normalized = config.normalize_gradients
    objective = Objective(model, terms, xla=config.xla, normalize_gradients=normalized)
    images = [start, *(style.image for style in styles)]
    if max(image.shape[1] * image.shape[2] for image in images) > SMALL:
        from nst_tf.scaling.memory import within_memory  # large pictures alone need it

        objective, targets = within_memory(objective, config, start, content_image, styles)
    else:
        targets = objective.targets(content_image, styles)
    if content_map is not None:
        from nst_tf.objective.guides import with_content_map

        check_mask("content_map", content_map, start.shape[1:3])
        targets = with_content_map(targets, objective.model, content_map)
    return Task(objective, targets, start, config, content_image, styles, content_map)


def loss_terms(model, config, *, content=True, style=True):
    """Return the terms of the total loss, eq. (7), of a config.

    A term of weight 0, or without its picture, is left out. Total variation, which costs next to
    nothing, is always reported.
    """
    relative, wrap = config.unit == "relative", config.wrap or ""
    content, style = content and config.alpha, style and config.beta
    terms = []
    if content and config.method != "transport":
        layers = resolve_layers(model, config.content_layers)
        weights = one_weight_each("content", layers, config.content_layer_weights or 1.0)
        scale = "relative" if relative else config.content_scale
        terms.append(ContentTerm(config.alpha, weights, scale, config.normalize_weights))
    if style or config.method == "transport":
        layers = resolve_layers(model, config.style_layers or OWN_LAYERS[config.method])
        weights = style_layer_weights(
            model, layers, config.style_layer_weights, config.style_weighting, config.method
        )
        weights = {layer: weights[layer] for layer in model if layer in weights}
        if config.method not in STATISTICS:
            from nst_tf.objective.methods import method_terms

            terms += method_terms(model, config, weights, content=content, style=style)
        else:
            options = {
                "statistic": config.method,
                "shift": config.activation_shift,
                "relative": relative,
                "propagation": config.propagation,
                "by_size": config.normalize_weights,
                "blend": config.blend,
                "wrap": wrap,
            }
            terms.append(StyleTerm(config.beta, weights, **options))
    if not terms:
        raise ConfigError(
            "there is nothing to keep and nothing to match: give a content with alpha above 0, "
            "or a style with beta above 0"
        )
    if config.range_weight:
        from nst_tf.objective.value_range import ValueRangeTerm  # unclipped runs alone need it

        terms.append(ValueRangeTerm(config.range_weight, model.space))
    if relative:
        return [*terms, TVTerm.relative(config.tv_weight, model.space, config.tv_form, wrap)]
    return [*terms, TVTerm(config.tv_weight, config.tv_form, wrap=wrap)]


def _check_images(content_image, styles, start, config):
    if start is None:
        raise ImageError("without a content image an `init_image` is needed: it gives the size")
    images = {"content_image": content_image, "init_image": start}
    for number, style in enumerate(styles, 1):
        images["style_image" if len(styles) == 1 else f"style image {number}"] = style.image
    for name, image in images.items():
        if image is not None:
            check_image(name, image)
            if not np.isfinite(image).all():  # a ReLU turns NaN into 0 silently
                raise ImageError(f"`{name}` holds NaN or infinite numbers")
    if content_image is not None and tuple(start.shape) != tuple(content_image.shape):
        raise ImageError(
            f"`init_image` has shape {tuple(start.shape)}, the content image "
            f"{tuple(content_image.shape)}; they must be alike"
        )
    for style in styles:
        if style.mask is not None:
            check_mask("mask", style.mask, start.shape[1:3])
        if style.style_mask is not None:
            check_mask("style_mask", style.style_mask, style.image.shape[1:3])
        if style.unfiltered is not None:
            _check_analogy(style, config)


def _check_analogy(style, config):
    check_image("unfiltered", style.unfiltered)
    if style.unfiltered.shape != style.image.shape:
        raise ImageError(
            f"`unfiltered` has shape {tuple(style.unfiltered.shape)}, the image of its style "
            f"{tuple(style.image.shape)}; they must be alike"
        )
    if config.method != "patches":
        raise ConfigError(
            f"a style with an `unfiltered` picture needs the method patches, not {config.method}"
        )
    if config.wrap:
        raise ConfigError(
            f"a style with an `unfiltered` picture does not work with `wrap` {config.wrap}; leave "
            "one of them out"
        )


# ------------------------------------------------------------------ steps and results


@dataclass(frozen=True)
class Position:
    """Where a run is between two updates: all that `minimize` needs to continue from there.

    Attributes
    ----------
    level : int
        Index of the current level of the schedule.
    done : int
        Iterations of the completed levels.
    loop : dict of arrays
        As from `Descent.state`.
    history : list of dict
        The losses of picture 0, 1, 2, ... so far.
    seconds : float
        Since the loop began.
    """

    level: int
    done: int
    loop: dict[str, np.ndarray] = field(repr=False)
    history: list[dict[str, float]] = field(default_factory=list, repr=False)
    seconds: float = 0.0


@dataclass(frozen=True)
class Step:
    """The argument of a callback: one iteration of the run, with its losses.

    Attributes
    ----------
    iteration, iterations : int
        Updates made so far, and in all.
    losses : dict of float
        "content", "style", "range" and "tv" unweighted, "total" weighted. The first three are
        absent if their weight is 0.
    image : (1, H, W, 3) tensor or None
        It stays on the device until `picture` is called. At a coarse level, it is smaller than
        the result. None if no callback needs it: see `look_every` in `style_transfer`.
    seconds : float
        Time since the loop started. Iterations of one TensorFlow call share its time equally.
    last : bool
        Whether this is the last iteration; L-BFGS may converge before `iterations`.
    position : callable
        Returns the `Position` to continue the run from, or None if it can't be continued.
    levels : sequence of Level
        Sizes of the run and their iterations, the coarsest first; empty for a single size.
    """

    iteration: int
    iterations: int
    losses: dict[str, float]
    image: tf.Tensor = field(repr=False)
    show: Callable = field(repr=False)
    seconds: float
    last: bool
    position: Callable[[], Position | None] = field(default=lambda: None, repr=False)
    levels: Sequence = field(default=(), repr=False)

    @property
    def share(self):
        """Completed fraction of the run's work; iterations at coarse levels count less."""
        if not self.levels:
            return self.iteration / max(self.iterations, 1)
        from nst_tf.scaling.levels import work_left

        return 1 - work_left(self.levels, self.iteration) / max(work_left(self.levels, 0), 1)

    def picture(self):
        """Return the current picture: (H, W, 3) uint8."""
        if self.image is None:
            raise ConfigError(
                f"there is no picture of iteration {self.iteration}: the callbacks' `look_every` "
                "does not include it"
            )
        return self.show(self.image)


@dataclass(frozen=True)
class Result:
    """What a run returns.

    Attributes
    ----------
    picture : (H, W, 3) uint8
    image : (1, H, W, 3) float32
        The same before rounding, in the model's pixel space: a start for another run.
    history : list of dict
        The losses of picture 0, 1, 2, ...
    config : TransferConfig
    seconds : float
    converged : bool
        Whether the run ended before its iterations were used up: the optimizer converged, or
        `min_improvement` ended a level.
    best : int or None
        With ``keep="best"``: the iteration of the picture.

    `iterations` is the number of updates.
    """

    picture: np.ndarray = field(repr=False)
    image: np.ndarray = field(repr=False)
    history: list[dict[str, float]] = field(repr=False)
    config: TransferConfig
    seconds: float
    converged: bool = False
    best: int | None = None

    @property
    def iterations(self):
        """The number of updates."""
        return max(len(self.history) - 1, 0)


# ------------------------------------------------------------------ the loop


def minimize(task, *, optimizer=None, callbacks=(), finish=None, position=None, say=warnings.warn):
    """Run the loop: update the pixels of the start to minimize the losses.

    Parameters
    ----------
    task : Task
    optimizer, callbacks, finish
        As for `style_transfer`.
    position : Position, optional
        The position of an interrupted run of the same task, to continue from. If sums are computed
        in the same order, the result is the same picture, bit for bit.
    say : callable
        Called with a message if memory runs out and the run continues in smaller tiles.

    Returns
    -------
    Result
    """
    with Run(task, optimizer, callbacks, finish, position, say) as run:
        if has_levels(task.config):
            from nst_tf.scaling.pyramid import descend_levels  # from coarse to fine

            descend_levels(run, task, position)
        else:
            run.descend(task.objective, task.targets, task.start, task.config.iterations)
    return run.result()


def has_levels(config):
    """Return whether a run of a config uses levels from coarse to fine, for large enough pictures.

    Schedules do so only in the unit "relative"; explicit levels work in any unit.
    """
    scheduled = SCHEDULES[config.schedule].coarsest is not None and config.unit == "relative"
    chosen = config.levels or config.min_size or config.level_iterations
    return bool(scheduled or chosen or config.method in MATCHES)


class Run(contextlib.AbstractContextManager):
    """The loop, its history and its callbacks.

    Attributes
    ----------
    history : list of dict of float
        The losses of picture 0, 1, 2, ...
    image : (1, H, W, 3)
        The last image of a `Step`, of iteration `reached`; at the end with ``keep="best"``, that of
        iteration `best`.
    state : dict of arrays or None
        With `carry_moments`: the state of the optimizer at the end of the previous level.
    level_start : (1, H, W, 3) or None
        The start of the current level, if its targets depend on it.
    """

    def __init__(self, task, optimizer, callbacks, finish, position, say):
        self.config, self.space = task.config, task.objective.model.space
        self.size = task.start.shape[1:3]
        self.optimizer = optimizer
        self.callbacks = callbacks
        self.finish = finish
        self.say = say
        self.position = position
        self.recorded = position.seconds if position else 0.0
        self.began = time.perf_counter() - self.recorded
        self.history = list(position.history) if position else []
        self.reached = max(len(self.history) - 1, 0)
        self.image = position.loop["image"].astype(np.float32) if position else task.start
        self.ended = False
        self.levels = ()
        self.best, self.state, self.level_start = None, None, None
        self.pace = Pace(callbacks, WINDOW if self.config.min_improvement else 0)

    def descend(self, objective, targets, image, iterations, *, level=0, last_level=True):
        """Minimize the losses of an image in `iterations` updates; return the final image."""
        position = self.position if self.position and self.position.level == level else None
        done = position.done if position else len(self.history)
        descent = self._started(objective, targets, image, iterations)
        try:
            if position:
                _restore(descent, position.loop)
                self.image = descent.image()
            elif self.state:
                descent.assign(descent.optimizer.carried(self.state, image.shape[1:3]))
            rows = [] if position else [descent.losses]
            while True:
                try:
                    ended = descent.updates >= iterations or descent.converged
                except tf.errors.ResourceExhaustedError:  # SciPy computes the next image for that
                    descent = self._in_smaller_tiles(descent, targets, iterations, descent.updates)
                    continue
                ended = ended or (self.config.min_improvement and self._stalled(rows, done))
                image = descent.image()
                if ended and not last_level:  # the end of a level is the start of the next
                    self._record(rows[:-1])
                    self.state = descent.state() if self.config.carry_moments else None
                else:
                    place = partial(self._position, descent, level, done)
                    self._record(rows, image, place, last=ended)
                if ended and last_level and self.config.keep == "best":
                    self._choose_best(descent, done)
                if ended:
                    return image
                made = descent.updates
                count = self.pace.updates(done + made, iterations - made)
                try:
                    with self.pace.timed(count):
                        rows = descent.update(count)
                except tf.errors.ResourceExhaustedError:
                    rows, descent = [], self._in_smaller_tiles(descent, targets, iterations, made)
        finally:
            descent.close()

    def result(self):
        """Return the `Result` for the last image."""
        seconds = time.perf_counter() - self.began
        history = self.history[: self.reached + 1]
        converged = len(self.history) <= self.config.iterations and self.ended
        picture, image = self.show(self.image), np.asarray(self.image)
        return Result(picture, image, history, self.config, seconds, converged, self.best)

    def show(self, image):
        """Return the picture of an image; one of a coarse level is enlarged."""
        picture = self.space.to_picture(image)
        if picture.shape[:2] != self.size:
            picture = resize_picture(picture, self.size, wrap=self.config.wrap)
        return picture if self.finish is None else self.finish(picture)

    def __exit__(self, kind, error, traceback):
        for callback in self.callbacks:
            getattr(callback, "close", lambda: None)()
        if kind is KeyboardInterrupt:
            raise Interrupted(self.result()) from None

    def _started(self, objective, targets, image, iterations):
        """Start the optimizer; if memory is too small, use tiles."""
        bounds = pixel_bounds(self.config, self.space)
        image = image if bounds is None else np.clip(image, *bounds)
        while True:
            if self.optimizer is not None:
                optimizer = given_optimizer(self.optimizer, iterations, bounds)
            else:
                tiled = objective.tiled
                optimizer = make_optimizer(self.config, self.space, iterations, tiled=tiled)
            if self.config.average or self.config.keep == "best":
                from nst_tf.optim.tracked import tracked

                optimizer = tracked(optimizer, self.config)
            try:
                return optimizer.start(objective, targets, image)
            except tf.errors.ResourceExhaustedError:
                objective = self._smaller(objective, image.shape[1:3])

    def _in_smaller_tiles(self, descent, targets, iterations, made):
        """Return a descent that continues one that ran out of memory, after `made` updates.

        The state of its optimizer is lost, except for the images that it tracks.
        """
        image, kept = descent.image(), descent.tracked()
        try:
            objective = self._smaller(descent.objective, image.shape[1:3])
        except NstError as error:
            raise OutOfMemory(str(error), self.result()) from None
        descent.close()
        tiled = self._started(objective, targets, image, iterations)
        tiled.skip(made)
        if kept:
            tiled.assign(kept)
        return tiled

    def _smaller(self, objective, size):
        from nst_tf.scaling.memory import in_smaller_tiles

        objective = in_smaller_tiles(objective, size)
        self.say(f"out of memory: continuing in tiles of at most {objective.area} pixels")
        return objective

    def _stalled(self, rows, done):
        """Return whether the loss fell by too little in the last `WINDOW` iterations of a level.

        Checked only at multiples of `WINDOW`, where calls of TensorFlow end. The number of
        iterations per call depends on their time, and the result must not depend on time.
        """
        newest = len(self.history) + len(rows) - 1
        if newest % WINDOW or newest - WINDOW < done:
            return False
        before, now = ([*self.history, *rows][n]["total"] for n in (-1 - WINDOW, -1))
        return before - now < self.config.min_improvement / 100 * abs(before)

    def _choose_best(self, descent, done):
        """Take the image of the lowest total loss since iteration `done` as the result."""
        totals = [losses["total"] for losses in self.history[done:]]
        self.best = done + totals.index(min(totals))
        self.image = descent.best_image()

    def _record(self, rows, image=None, position=lambda: None, *, last=False):
        """Record the losses of several iterations and call the callbacks; the last has the image.

        The iterations ran in one call and share its time equally.
        """
        before, self.recorded = self.recorded, time.perf_counter() - self.began
        for number, losses in enumerate(rows, 1):
            newest, iteration = number == len(rows), len(self.history)
            if not all(map(math.isfinite, losses.values())):
                reason = _why_diverged(iteration, losses, self.config, self.optimizer)
                raise Diverged(reason, self.result())
            self.history.append(losses)
            if newest and image is not None:
                self.image, self.reached = image, iteration
            self.ended = newest and last
            step = Step(
                iteration,
                self.config.iterations,
                losses,
                image if newest else None,
                self.show,
                before + (self.recorded - before) * number / len(rows),
                self.ended,
                position if newest else lambda: None,
                self.levels,
            )
            for callback in self.callbacks:
                callback(step)

    def _position(self, descent, level, done):
        loop = descent.state()
        if loop and self.level_start is not None:
            loop["level_start"] = np.asarray(self.level_start)
        seconds = time.perf_counter() - self.began
        return loop and Position(level, done, loop, list(self.history), seconds)


class Pace:
    """Choose the number of updates per call: about `TICK` seconds, up to the next needed picture.

    Calls also end at multiples of `every`.
    """

    def __init__(self, callbacks, every=0):
        looks = (getattr(callback, "look_every", 1) for callback in callbacks)
        self.look_every = math.gcd(every, *looks)
        self.affordable = 1

    def updates(self, iteration, left):
        """Return how many updates the next call makes after `iteration` iterations."""
        count = 1
        while count < min(self.affordable, left) and not self._looked_at(iteration + count):
            count += 1
        return count

    def _looked_at(self, iteration):
        return self.look_every and iteration % self.look_every == 0

    @contextlib.contextmanager
    def timed(self, count):
        """Time a call of `count` updates to choose the count of the next call."""
        began = time.perf_counter()
        yield
        seconds = (time.perf_counter() - began) / count
        self.affordable = min(max(int(TICK / seconds), 1), 2 * self.affordable)


def _restore(descent, state):
    try:
        descent.restore(state)
    except (KeyError, TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
        raise ConfigError(
            f"the checkpoint is not what this optimizer saves ({type(error).__name__}); remove "
            "it, and --resume continues from the one before it"
        ) from error


def _why_diverged(iteration, losses, config, optimizer):
    bad = ", ".join(name for name, loss in losses.items() if not math.isfinite(loss)) + " loss"
    bad = "total loss or its gradient" if bad == "total loss" else bad
    if iteration == 0:
        return (
            f"the {bad} is not finite before the first iteration: the weights of the losses "
            f"are too large (alpha {config.alpha:g}, beta {config.beta:g}, tv_weight "
            f"{config.tv_weight:g}); make them smaller"
        )
    if optimizer is not None:
        return (
            f"the {bad} is not finite after {iteration} iterations of {optimizer!r:.60}: make "
            "its learning rate or the weights of the losses smaller"
        )
    if optimizer_name(config).startswith("lbfgs"):
        return (
            f"the {bad} is not finite after {iteration} iterations: make the weights of the "
            "losses smaller, or use --optimizer adam"
        )
    rate = config.learning_rate or SCHEDULES[config.schedule].learning_rate
    return (
        f"the {bad} is not finite after {iteration} iterations: the steps are too large; "
        f"make learning_rate smaller (it is {rate:g})"
        f"{'' if config.clip else ' or turn clip on'}"
    )
