"""The levels of a run: sizes from coarse to fine, and the iterations of each."""

from dataclasses import dataclass

import numpy as np

from nst_tf.errors import check_choice
from nst_tf.image.sizes import MIN_SIDE
from nst_tf.schedules import SCHEDULES

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


def share_done(levels, iteration):
    """Return how much of a run's work is done after so many updates, from 0 to 1.

    An update costs as much as its level has pixels: the first half of the iterations, at coarse
    levels, may be a tenth of the work.
    """
    works = [level.size[0] * level.size[1] * level.iterations for level in levels]
    done, left = 0, iteration
    for level, work in zip(levels, works):
        made = min(left, level.iterations)
        done, left = done + work * made / max(level.iterations, 1), left - made
    return done / max(sum(works), 1)


def task_levels(task):
    """Return the levels of a `Task`."""
    config = task.config
    sides = [*task.size, *(side for style in task.styles for side in style.image.shape[1:3])]
    return make_levels(config.schedule, task.size, config.iterations, min(sides), config.unit)
