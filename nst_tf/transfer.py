"""Style transfer: level by level through the loop to the result."""

import contextlib
import gc
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import tensorflow as tf

from nst_tf.config import TransferConfig
from nst_tf.descent import LOOPS, make_steps, optimizer_of
from nst_tf.errors import ConfigError, Diverged, Interrupted
from nst_tf.images import resize_picture
from nst_tf.objective import make_objective
from nst_tf.optimizers import LoopState
from nst_tf.passes import TiledPass
from nst_tf.scales import SCHEDULES, share_done
from nst_tf.tasks import make_task


@dataclass(frozen=True)
class Position:
    """Where a run stands between two updates: all that `paint` needs to go on from there.

    Attributes
    ----------
    level : int
        Of the task's levels.
    done : int
        Iterations of the levels before it.
    loop : dict of arrays
        As from `LoopState.take`.
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
    position : callable
        Returns the `Position`, from which `paint` can go on later; None where it can't.
    share : float
        Of the run's work that is done, 0 to 1: an iteration at a coarse level is less of it.
        0 where that is not known.
    """

    iteration: int
    iterations: int
    losses: dict[str, float]
    image: tf.Tensor = field(repr=False)
    show: Callable = field(repr=False)
    seconds: float
    last: bool
    position: Callable[[], Position | None] = field(default=lambda: None, repr=False)
    share: float = 0.0

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
        several iterations go by in one call of TensorFlow. One that has a `close` is told the
        end of the run, also of one that was cut off.
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


def paint(task, *, callbacks=(), finish=None, position=None, kept=None):
    """Change the pixels of the start until the terms are small: the second half of a transfer.

    Parameters
    ----------
    task : Task
    callbacks, finish
        As for `style_transfer`.
    position : Position, optional
        Of a run of the same task that was cut off; this one goes on from there, and where numbers
        are computed in the same order it ends with the same picture, bit for bit.
    kept : Kept, optional
        Of an earlier run: where sizes and settings are the same, nothing is traced anew.

    Returns
    -------
    Result
    """
    space = task.through.model.space
    show = _shown(space, finish, task.levels[-1].size)
    steps = _all_steps(task, callbacks, position, kept)
    return _run(steps, task, show, callbacks, position)


def _all_steps(task, callbacks, position, kept):
    """Go through the levels, each beginning where the one before it ended.

    With a `Position`, the levels before it are left out, and its own is gone on with.
    """
    image, done, due = task.start, 0, 0
    look_every = math.gcd(*(getattr(callback, "look_every", 1) for callback in callbacks))
    for number, level in enumerate(task.levels):
        due += level.iterations  # what a level that converged early has left, the next one gets
        if position and number < position.level:
            continue
        state = LoopState()
        if position and number == position.level:
            done, state.kept = position.done, position.loop
            image = state.kept["image"].astype(np.float32)
        else:
            image = task.enlarged(np.asarray(image), level)
        task, steps = _begun(task, level, due - done, image, done, look_every, state, kept)
        state.kept = None
        with contextlib.closing(steps):
            for iteration, current, losses, last in steps:
                image = image if current is None else current
                at_end = last and level is task.levels[-1]
                if at_end or not last:  # the end of a level is the beginning of the next
                    stands = partial(_position, number, done, state)
                    yield done + iteration, current, losses, at_end, stands
        done += iteration
        steps, state.take = None, lambda: None  # whoever has a step has the state, too
        gc.collect()  # a traced function is a ring of objects: the level's memory waits for this


def _position(level, done, state):
    loop = state.take()
    return loop and Position(level, done, loop)


def _begun(task, level, iterations, image, done, look_every, state, kept):
    """Return a level's steps, the first one made: by a task of smaller tiles if it must be."""

    def chained(first, rest):
        yield first.pop()  # not kept: its image may be large
        yield from rest

    while True:
        terms, config = task.at(level)
        objective = make_objective(task.through.model, terms, task.through)
        space = task.through.model.space
        config = config.changed(iterations=iterations)
        tiled = isinstance(task.through, TiledPass)
        steps = make_steps(objective, image, space, config, done, look_every, tiled, state, kept)
        try:
            return task, chained([next(steps)], steps)
        except tf.errors.ResourceExhaustedError:
            task = task.in_smaller_tiles()
        except (KeyError, TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
            if state.kept is None:
                raise
            raise ConfigError(
                f"the checkpoint is not what {config.optimizer or 'this loop'} remembers "
                f"({type(error).__name__}); remove it, and --resume goes on from the one before it"
            ) from error


def _shown(space, finish, size):
    """Return what makes a picture of an image; one of a coarse level is enlarged to `size`."""

    def show(image):
        picture = resize_picture(space.to_picture(image), size)
        return picture if finish is None else finish(picture)

    return show


def _run(steps, task, show, callbacks, position):
    """Go through the steps, tell the callbacks, stop at the first loss that is no number."""
    began = time.perf_counter()
    config, image, history = task.config, task.start, []
    if position:
        began -= position.seconds
        image, history = position.loop["image"].astype(np.float32), list(position.history)
    reached = max(len(history) - 1, 0)  # the iteration of `image`: later ones may not be looked at

    def result(converged=False):
        seconds = time.perf_counter() - began
        known = history[: reached + 1]
        return Result(show(image), np.array(image), known, config, seconds, converged)

    try:
        for iteration, current, losses, last, stands in steps:
            if iteration < len(history):  # a loop may begin with the one that it was taken at
                continue
            losses = {name: float(loss) for name, loss in losses.items()}
            if not all(math.isfinite(loss) for loss in losses.values()):
                raise Diverged(_why_diverged(iteration, losses, config), result())
            if current is not None:
                image, reached = current, iteration
            history.append(losses)
            seconds = time.perf_counter() - began
            told, share = (
                partial(_told, stands, history, seconds),
                share_done(task.levels, iteration),
            )
            numbers = iteration, config.iterations, losses
            step = Step(*numbers, current, show, seconds, last, told, share)
            for callback in callbacks:
                callback(step)
    except KeyboardInterrupt:
        raise Interrupted(result()) from None
    finally:
        steps.close()  # an optimiser may have a thread to end
        for callback in callbacks:
            getattr(callback, "close", lambda: None)()
    return result(converged=len(history) <= config.iterations)


def _told(stands, history, seconds):
    position = stands()
    return position and replace(position, history=list(history), seconds=seconds)


def _why_diverged(iteration, losses, config):
    bad = ", ".join(name for name, loss in losses.items() if not math.isfinite(loss))
    if iteration == 0:
        return (
            f"the {bad} loss is not finite before the first iteration: the weights of the losses "
            f"are too large (alpha {config.alpha:g}, beta {config.beta:g}, tv_weight "
            f"{config.tv_weight:g}); make them smaller"
        )
    if LOOPS[optimizer_of(config)].history:
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
