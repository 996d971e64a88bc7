"""The levels of a run: sizes from coarse to fine, and the iterations of each."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from nst_tf.errors import ImageError, check_choice
from nst_tf.image.sizes import MIN_SIDE, fit_size
from nst_tf.schedules import SCHEDULES

SQUARE = (480, 480)
TO_BEGIN = 2  # updates' worth of time that a level takes for targets and its first losses
WORTH_A_LEVEL = 1.2  # growth of the sides: for less, a level takes longer to begin than it saves


@dataclass(frozen=True)
class Level:
    """One scale of a run: the picture's (height, width) there, and its number of updates."""

    size: tuple[int, int]
    iterations: int


def make_levels(schedule, size, iterations, shortest=None, unit="relative"):
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
        Of the losses; with the papers' there is one level.
    """
    schedule = SCHEDULES[check_choice("schedule", schedule, SCHEDULES)]
    growth = 1.0
    if schedule.coarsest is not None and unit == "relative":
        growth = (size[0] * size[1] / schedule.coarsest) ** 0.5
        growth = min(growth, (shortest or min(size)) / MIN_SIDE)
        growth = growth if growth > WORTH_A_LEVEL else 1.0
    steps = int(np.ceil(np.log(growth) / np.log(schedule.growth) - 1e-9))
    shares = schedule.fewer ** np.arange(steps + 1)
    ends = np.rint(iterations * np.cumsum(shares) / shares.sum()).astype(int)
    ends[:-1] = np.minimum(ends[:-1], max(iterations - 1, 0))  # one at least at full size
    levels = []
    for level, (begin, end) in enumerate(zip([0, *ends], ends)):
        factor = growth ** (level / steps - 1) if steps else 1.0
        if end > begin or level == steps:
            shrunk = tuple(max(round(length * factor), 1) for length in size)
            levels.append(Level(shrunk, int(end - begin)))
    return levels


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
def nominal_levels(size, schedule, iterations, unit):
    """Return the levels of a job with these settings for a square picture: none is read."""
    try:
        size = fit_size(size, SQUARE)
    except ImageError:  # the job's own picture may have another shape
        size = SQUARE
    return make_levels(schedule, size, iterations, unit=unit)


def task_levels(task):
    """Return the levels of a `Task`."""
    config = task.config
    sides = [*task.size, *(side for style in task.styles for side in style.image.shape[1:3])]
    return make_levels(config.schedule, task.size, config.iterations, min(sides), config.unit)
