"""From coarse to fine: the levels of a run, and pictures, masks and weights at each of them.

A small picture shows a filter more of the world: what is painted there are the large shapes. Each
level begins with the one before it, enlarged, and adds the strokes of its own size.

That needs losses which mean the same at every size, the unit "relative". Of the papers' sums a
coarse level makes another balance, which the next one must undo: there L-BFGS at one size is sooner
at the end (docs/performance.md).
"""

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from nst_tf.errors import check_choice
from nst_tf.images import MIN_SIDE

WORTH_A_LEVEL = 1.2  # growth of the sides: for less, a level takes longer to begin than it saves


@dataclass(frozen=True)
class Schedule:
    """How a run goes downhill.

    Attributes
    ----------
    optimizer : str
    learning_rate : float
        Adam's, in grey levels.
    decay : str
        As in `learning_rates`; it begins anew at each level.
    coarsest : int or None
        Pixels of the first level, about; None: there is one level only.
    growth : float
        Of the sides, from a level to the next, at most.
    fewer : float
        Iterations of a level as a share of those of the level before it.
    """

    optimizer: str
    learning_rate: float
    decay: str
    coarsest: int | None = None
    growth: float = 2.0
    fewer: float = 1.0


SCHEDULES = {
    "tutorial": Schedule("adam", 5.0, "constant"),
    "fast": Schedule("lbfgs-fixed", 10.0, "cosine", coarsest=224 * 168, growth=2.0, fewer=0.7),
    "fine": Schedule("lbfgs-fixed", 10.0, "cosine", coarsest=224 * 168, growth=2.0, fewer=1.0),
}


@dataclass(frozen=True)
class Level:
    """One scale of a run: the picture's (height, width) there, and how many updates it gets."""

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


def resized_image(image, size):
    """Return an image (1, H, W, 3), or a mask (H, W), at another (height, width)."""
    if tuple(image.shape[-3:-1] if image.ndim == 4 else image.shape) == tuple(size):
        return image
    how = {"method": "bicubic", "antialias": True}
    if image.ndim == 2:
        resized = tf.image.resize(image[..., np.newaxis], size, **how)[..., 0]
        return np.clip(resized, 0, 1)
    return tf.image.resize(image, size, **how).numpy()


def resized_style(style, factor, size):
    """Return a `Style` for a level: its picture `factor` times as wide, its masks to match.

    `size` is the level's, for the mask on the picture.
    """
    height, width = (max(round(length * factor), 1) for length in style.image.shape[1:3])
    changes = {"image": resized_image(style.image, (height, width))}
    if style.mask is not None:
        changes["mask"] = resized_image(style.mask, size)
    if style.style_mask is not None:
        changes["style_mask"] = resized_image(style.style_mask, (height, width))
    return replace(style, **changes)
