"""From coarse to fine: each level starts with the image of the one before, enlarged.

In a small picture a filter sees more of the world: large shapes are painted there, and each level
adds strokes of its own size.

That needs losses which mean the same at every size, the unit "relative". With the papers' sums a
coarse level has another balance, which the next one must undo: there L-BFGS at one size reaches the
same loss sooner (docs/performance.md). The schedules have one level then; --levels makes several.
"""

from dataclasses import replace

import numpy as np
import tensorflow as tf

from nst_tf.config import MATCHES
from nst_tf.errors import ConfigError
from nst_tf.image.sizes import with_opposite_edges
from nst_tf.objective.objective import Objective
from nst_tf.optim import Adam
from nst_tf.scaling.levels import task_levels


def descend_levels(run, task, position=None):
    """Minimize a task level by level.

    Parameters
    ----------
    run : Run
        Its `descend` is called once a level.
    task : Task
    position : Position, optional
        When resuming, completed levels are skipped and the current one is continued.
    """
    levels = task_levels(task)
    if task.config.carry_moments and not isinstance(run.optimizer, Adam | None):
        raise ConfigError(
            f"`carry_moments` does not work with {run.optimizer!r:.60}; use Adam of nst_tf.optim"
        )
    run.levels = levels
    first = position.level if position else 0
    image, due = task.start, sum(level.iterations for level in levels[:first])
    done = position.done if position else 0
    for number, level in list(enumerate(levels))[first:]:
        due += level.iterations
        if position and number == first:
            image = position.loop["image"].astype(np.float32)
            start = position.loop.get("level_start", image)
        else:
            image, done = enlarged(task, np.asarray(image), level), len(run.history)
            start = image
        objective, targets = at_level(task, level, level is levels[-1], start, number == 0)
        if task.config.method in MATCHES:
            run.level_start = start
        where = {"level": number, "last_level": level is levels[-1]}
        # What a level that converged early leaves, the next one gets; what `min_improvement` saves
        # is not spent.
        iterations = level.iterations if task.config.min_improvement else due - done
        image = run.descend(objective, targets, image, iterations, **where)


def at_level(task, level, finest, start=None, first=True):
    """Return objective and targets for a level: pictures, masks and styles of its size.

    `start` is the image that the level begins with, `first` whether it is the first one.
    """
    if finest:
        return task.objective, task.targets
    factor, wrap = level.size[0] / task.size[0], task.objective.model.wrap
    content = task.content_image
    content = content if content is None else resized_image(content, level.size, wrap)
    styles = [resized_style(style, factor, level.size, wrap) for style in task.styles]
    terms = [at_coarse_level(term) for term in task.objective.terms]
    options = {name: getattr(task.objective, name) for name in ("xla", "normalize_gradients")}
    objective = Objective(task.objective.model, terms, **options)
    matched = _matched(task, content, start, first)
    targets = objective.targets(content, styles, matched=matched)
    if task.content_map is not None:
        from nst_tf.objective.guides import with_content_map

        content_map = resized_image(task.content_map, level.size, wrap)
        targets = with_content_map(targets, objective.model, content_map)
    return objective, targets


def at_coarse_level(term):
    """Return a term as it is before the last level."""
    if hasattr(term, "at_coarse_levels"):
        term = term.at_coarse_levels()
    # A small region may hold no whole receptive field at a coarse level.
    return replace(term, propagation="simple") if hasattr(term, "propagation") else term


def _matched(task, content, start, first):
    """Return the picture whose features are replaced by those of the style: Kolkin et al. 2022.

    At the first level it is the content alone.
    """
    if content is None or first:
        return start if content is None else content
    share = task.config.content_match
    return share * content + (1 - share) * start


def enlarged(task, image, level):
    """Return an image for a level: the start, or the result of the level before it.

    Where the start is the content, only the change is enlarged and added to the content as it is
    at this size: its fine lines are there from the beginning and need not be found again.
    """
    wrap = task.objective.model.wrap
    if not np.array_equal(task.start, task.content_image):
        return resized_image(image, level.size, wrap)
    change = image - resized_image(task.start, image.shape[1:3], wrap)
    start = resized_image(task.start, level.size, wrap)
    return start + resized_image(change, level.size, wrap)


def resized_image(image, size, wrap=""):
    """Return an image (1, H, W, 3), or a mask (H, W), at another (height, width).

    `wrap` ("", "x" or "xy") are the axes in which pixels at opposite edges are neighbors.
    """
    if tuple(image.shape[-3:-1] if image.ndim == 4 else image.shape) == tuple(size):
        return image
    options = {"method": "bicubic", "antialias": True}
    if image.ndim == 2:
        if wrap:
            return np.clip(_resized_around(image[..., np.newaxis], size, wrap)[..., 0], 0, 1)
        resized = tf.image.resize(image[..., np.newaxis], size, **options)[..., 0]
        return np.clip(resized, 0, 1)
    if wrap:
        return _resized_around(image[0], size, wrap)[np.newaxis]
    return tf.image.resize(image, size, **options).numpy()


def _resized_around(image, size, wrap):
    """Return an image (H, W, N) resized as `tf.image.resize` does, but where it wraps."""
    wide, margins = with_opposite_edges(image, size, wrap)
    scale = np.divide(size, image.shape[:2]).astype(np.float32)
    resized = tf.raw_ops.ScaleAndTranslate(
        images=wide[np.newaxis],
        size=size,
        scale=scale,
        translation=(-scale * margins).astype(np.float32),
        kernel_type="keyscubic",
        antialias=True,
    )
    return resized[0].numpy()


def resized_style(style, factor, size, wrap=""):
    """Return a `Style` for a level: its picture `factor` times as wide, its masks to match.

    `size` and `wrap` are the picture's, for the mask on it; the style itself does not wrap.
    """
    height, width = (max(round(length * factor), 1) for length in style.image.shape[1:3])
    changes = {"image": resized_image(style.image, (height, width))}
    if style.mask is not None:
        changes["mask"] = resized_image(style.mask, size, wrap)
    if style.unfiltered is not None:
        changes["unfiltered"] = resized_image(style.unfiltered, (height, width))
    if style.style_mask is not None:
        changes["style_mask"] = resized_image(style.style_mask, (height, width))
    return replace(style, **changes)
