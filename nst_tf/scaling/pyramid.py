"""From coarse to fine: each level starts with the image of the one before, enlarged.

In a small picture a filter sees more of the world: large shapes are painted there, and each level
adds the strokes of its own size.

That needs losses which mean the same at every size, the unit "relative". With the papers' sums a
coarse level has another balance, which the next one must undo: there L-BFGS at one size reaches the
same loss sooner (docs/performance.md). The schedules have one level then; --levels makes several.
"""

from dataclasses import replace

import numpy as np
import tensorflow as tf

from nst_tf.errors import ConfigError
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
        objective, targets = at_level(task, level, level is levels[-1])
        if position and number == first:
            image = position.loop["image"].astype(np.float32)
        else:
            image, done = enlarged(task, np.asarray(image), level), len(run.history)
        where = {"level": number, "last_level": level is levels[-1]}
        # What a level that converged early leaves, the next one gets; what `min_improvement` saves
        # is not spent.
        iterations = level.iterations if task.config.min_improvement else due - done
        image = run.descend(objective, targets, image, iterations, **where)


def at_level(task, level, finest):
    """Return objective and targets for a level: pictures, masks and styles of its size."""
    if finest:
        return task.objective, task.targets
    factor = level.size[0] / task.size[0]
    content = task.content_image
    content = content if content is None else resized_image(content, level.size)
    styles = [resized_style(style, factor, level.size) for style in task.styles]
    # A small region may hold no whole receptive field at a coarse level.
    terms = [
        replace(term, propagation="simple") if term.name == "style" else term
        for term in task.objective.terms
    ]
    options = {name: getattr(task.objective, name) for name in ("xla", "normalize_gradients")}
    objective = Objective(task.objective.model, terms, **options)
    targets = objective.targets(content, styles)
    if task.content_map is not None:
        from nst_tf.objective.guides import with_content_map

        content_map = resized_image(task.content_map, level.size)
        targets = with_content_map(targets, objective.model, content_map)
    return objective, targets


def enlarged(task, image, level):
    """Return an image for a level: the start, or the result of the level before it.

    Where the start is the content, only the change is enlarged and added to the content as it is
    at this size: its fine lines are there from the beginning and need not be found again.
    """
    if not np.array_equal(task.start, task.content_image):
        return resized_image(image, level.size)
    change = image - resized_image(task.start, image.shape[1:3])
    return resized_image(task.start, level.size) + resized_image(change, level.size)


def resized_image(image, size):
    """Return an image (1, H, W, 3), or a mask (H, W), at another (height, width)."""
    if tuple(image.shape[-3:-1] if image.ndim == 4 else image.shape) == tuple(size):
        return image
    options = {"method": "bicubic", "antialias": True}
    if image.ndim == 2:
        resized = tf.image.resize(image[..., np.newaxis], size, **options)[..., 0]
        return np.clip(resized, 0, 1)
    return tf.image.resize(image, size, **options).numpy()


def resized_style(style, factor, size):
    """Return a `Style` for a level: its picture `factor` times as wide, its masks to match.

    `size` is the level's, for the mask on the picture.
    """
    height, width = (max(round(length * factor), 1) for length in style.image.shape[1:3])
    changes = {"image": resized_image(style.image, (height, width))}
    if style.mask is not None:
        changes["mask"] = resized_image(style.mask, size)
    if style.unfiltered is not None:
        changes["unfiltered"] = resized_image(style.unfiltered, (height, width))
    if style.style_mask is not None:
        changes["style_mask"] = resized_image(style.style_mask, (height, width))
    return replace(style, **changes)
