"""The levels of a run: sizes from coarse to fine, and the iterations of each."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from nst_tf.config import MATCHES
from nst_tf.errors import ConfigError, ImageError, check_choice
from nst_tf.image.sizes import MIN_SIDE, divisible_size, fit_size
from nst_tf.schedules import SCHEDULES

SQUARE = (480, 480)
COARSEST = 64  # longer side of the first level of methods in `MATCHES`: Kolkin et al. 2022
TO_BEGIN = 2  # updates' worth of time that a level takes for targets and its first losses
WORTH_A_LEVEL = 1.2  # growth of the sides: for less, a level takes longer to begin than it saves


@dataclass(frozen=True)
class Level:
    """One scale of a run: the picture's (height, width) there, and its number of updates."""

    size: tuple[int, int]
    iterations: int


def make_levels(
    schedule,
    size,
    iterations,
    shortest=None,
    unit="relative",
    *,
    levels=None,
    min_size=None,
    level_iterations=None,
    strides=(1, 1),
):
    """Return the levels of a run, the coarsest first; their iterations add up to `iterations`.

    Parameters
    ----------
    schedule : str
        A name in `SCHEDULES`.
    size : (height, width)
        Of the result, and so of the last level.
    iterations : int
    shortest : int, optional
        The shortest side of any picture of the run, which no level may make too small; default:
        the result's.
    unit : {"relative", "paper"}
        Of the losses; with the papers' the schedules have one level.
    levels : int, optional
        Their number; default: that of `level_iterations`, or by the growth of the schedule.
    min_size : int, optional
        The longer side of the coarsest level in pixels; default: each of `levels` is larger than
        the one before by the growth of the schedule.
    level_iterations : sequence of int, optional
        The iterations of each level, in place of `iterations` and the schedule's shares.
    strides : (int, int)
        What height and width of each level are divisible by, as those of the result are.

    Raises
    ------
    ConfigError
        `min_size` leaves no room for as many levels, or a level would be too small.
    """
    schedule = SCHEDULES[check_choice("schedule", schedule, SCHEDULES)]
    shortest = shortest or min(size)
    levels = levels or (level_iterations and len(level_iterations))
    if levels or min_size:
        growth, steps = _chosen_growth(schedule, size, levels, min_size)
        _check_large_enough(growth, steps, size, shortest)
    elif schedule.coarsest is not None and unit == "relative":
        growth, steps = _scheduled_growth(schedule, size, shortest)
    else:
        growth, steps = 1.0, 0
    if level_iterations:
        ends = np.cumsum(level_iterations)
    else:
        shares = schedule.fewer ** np.arange(steps + 1)
        ends = np.rint(iterations * np.cumsum(shares) / shares.sum()).astype(int)
        ends[:-1] = np.minimum(ends[:-1], max(iterations - 1, 0))  # one at least at full size
    made = []
    for level, (begin, end) in enumerate(zip([0, *ends], ends)):
        if level == steps:
            made.append(Level(tuple(size), int(end - begin)))
        elif end > begin:
            shrunk = _shrunk(size, growth ** (level / steps - 1), strides)
            made.append(Level(shrunk, int(end - begin)))
    return made


def _scheduled_growth(schedule, size, shortest):
    """Return by how much the sides grow from the first level to the last, and in how many steps."""
    growth = (size[0] * size[1] / schedule.coarsest) ** 0.5
    growth = min(growth, shortest / MIN_SIDE)
    growth = growth if growth > WORTH_A_LEVEL else 1.0
    return growth, _steps(schedule, growth)


def _chosen_growth(schedule, size, levels, min_size):
    """Return what `_scheduled_growth` does, for a number of levels, a coarsest size, or both."""
    if min_size is None:
        return schedule.growth ** (levels - 1), levels - 1
    growth = max(max(size) / min_size, 1.0)
    steps = _steps(schedule, growth) if levels is None else levels - 1
    if steps and growth == 1:
        raise ConfigError(
            f"`min_size` is {min_size}, and the longer side of the result is {max(size)}: that "
            f"leaves no room for {levels} levels; make `min_size` smaller"
        )
    return growth, steps


def _steps(schedule, growth):
    return int(np.ceil(np.log(growth) / np.log(schedule.growth) - 1e-9))


def _check_large_enough(growth, steps, size, shortest):
    if steps and shortest / growth < MIN_SIDE:
        height, width = _shrunk(size, 1 / growth)
        raise ConfigError(
            f"the coarsest of {steps + 1} levels would have {width}x{height} pixels, and the "
            f"shortest side of a picture there {shortest / growth:.3g}; {MIN_SIDE} are needed: use "
            "fewer `levels` or a larger `min_size`"
        )


def _shrunk(size, factor, strides=(1, 1)):
    return divisible_size([length * factor for length in size], strides)


def work_left(levels, iteration):
    """Return the work after so many updates, in pixels: those of a level times its updates.

    An update costs as much as its level has pixels: the first half of the iterations, at coarse
    levels, may be a tenth of the work. To begin a later level counts as `TO_BEGIN` updates; the one
    after this iteration has begun.
    """
    work, begin = 0, 0
    for level in levels:
        left = min(begin + level.iterations - iteration, level.iterations)
        if iteration < begin:
            left += TO_BEGIN
        work += level.size[0] * level.size[1] * max(left, 0)
        begin += level.iterations
    return work


@cache
def nominal_levels(size, schedule, iterations, unit, **chosen):
    """Return the levels of a job with these settings for a square picture: none is read.

    `chosen` are the settings of `make_levels` that replace those of the schedule.
    """
    try:
        size = fit_size(size, SQUARE)
    except ImageError:  # the job's own picture may have another shape
        size = SQUARE
    try:
        return make_levels(schedule, size, iterations, unit=unit, **chosen)
    except ConfigError:  # as above
        return make_levels(schedule, size, iterations, unit=unit)


def task_levels(task):
    """Return the levels of a `Task`."""
    sides = [*task.size, *(side for style in task.styles for side in style.image.shape[1:3])]
    strides = (1, 1)
    if task.config.wrap:
        strides = task.objective.model.side_strides(task.objective.layers)
    return config_levels(task.config, task.size, min(sides), strides)


def matching_levels(config, size, shortest):
    """Return the levels of a method that matches again at each level: as `config_levels`.

    Sides double from `COARSEST`, and each level has equally many iterations. The last pass of
    "neighbors" counts as one more level of the full size: Kolkin et al. 2022.
    """
    numbers = config.level_iterations
    passes = config.levels or (numbers and len(numbers))
    last_pass = int(config.method == "neighbors" and passes != 1)
    coarsest = max(COARSEST, -(-MIN_SIDE * max(size) // shortest))
    chosen = {"levels": passes and passes - last_pass, "min_size": config.min_size}
    if not passes and not config.min_size:
        chosen["min_size"] = min(coarsest, max(size))
    sizes = [level.size for level in make_levels("fine", size, 10**9, shortest, **chosen)]
    sizes = [*sizes, *[size] * last_pass]
    if numbers is None:
        ends = np.rint(np.linspace(0, config.iterations, len(sizes) + 1)).astype(int)
        numbers = np.diff(ends).tolist()
    return [Level(size, number) for size, number in zip(sizes, numbers)]


def config_levels(config, size, shortest=None, strides=(1, 1)):
    """Return the levels of a config for a size (height, width).

    `shortest` and `strides` are as for `make_levels`.
    """
    if config.method in MATCHES:
        return matching_levels(config, size, shortest or min(size))
    return make_levels(
        config.schedule,
        size,
        config.iterations,
        shortest,
        config.unit,
        levels=config.levels,
        min_size=config.min_size,
        level_iterations=config.level_iterations,
        strides=strides,
    )
