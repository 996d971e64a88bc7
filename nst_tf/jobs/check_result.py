"""Check the result of a run that ended without an error: what is wrong, and what to change."""

import numpy as np

from nst_tf.config import MATCHES
from nst_tf.optim.from_config import optimizer_name
from nst_tf.report.score import score
from nst_tf.schedules import SCHEDULES

HIGHER = 0.01  # share of the first loss; less is rounding, or Adam's last steps about a minimum
HUGE = 1e4  # relative loss; noise has about 1, and up to 1e9 was seen with a painting of one color
UNCHANGED = 0.5  # gray levels, root mean square; pictures are rounded to whole levels
CLIPPED = 0.5  # share of the color values; photographs and paintings in color have a few percent
STRIP = 64  # rows compared at a time: whole copies would need memory that a run does not need
USUAL_STEPS = "Adam's steps are about that many gray levels, and 1 to 10 is usual"


def judged(result, task):
    """Return the warnings about a result, and its score.

    A run is complete without a score, so no error of it is raised.
    """
    warnings = warnings_about(result, task)
    pictures = result.picture, task.content_image, task.styles
    try:
        return warnings, score(*pictures, task.objective.model, config=task.config)
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return [*warnings, f"the picture is saved, but it has no score ({reason:.200})"], {}


def warnings_about(result, task):
    """Return what is wrong with the result of a run, and what to change.

    Parameters
    ----------
    result : Result
    task : Task
        What the run minimized, and where it started.

    Returns
    -------
    list of str
        Empty for a run that worked, and for one without iterations.
    """
    if not task.config.iterations:
        return []
    change, clipped = _compared(result, task)
    # The papers' sums have no usual size.
    warnings = _flat_targets(result) if result.config.unit == "relative" else []
    warnings += [_too_large_steps(result, clipped), _too_small_steps(result, change)]
    return [warning for warning in warnings if warning]


def _flat_targets(result):
    """Return warnings about relative losses that are divided by next to nothing."""
    warnings = []
    for name, picture in (("content", "photograph"), ("style", "painting")):
        loss = max(result.history[n].get(name, 0) for n in (0, -1))
        if loss > HUGE:
            warnings.append(
                f"the {name} loss reached {loss:.2g}, where 1 is usual: the {picture} is nearly "
                f"one color, which leaves nothing to match; use another {picture}"
            )
    return warnings


def _too_large_steps(result, clipped):
    shown = -1 if result.best is None else result.best
    first, last = (result.history[n]["total"] for n in (0, shown))
    facts = []
    # The loss often jumps up when other patches become the nearest or matches are found again.
    jumps = result.config.method in ("patches", *MATCHES)
    if last > first + HIGHER * abs(first) and not jumps:
        facts.append(f"the loss is higher than at the start ({last:.4g}, was {first:.4g})")
    if clipped > CLIPPED:
        facts.append(f"{clipped:.0%} of the color values became black or white (0 or 255)")
    if not facts:
        return None
    name, rate = optimizer_name(result.config), _learning_rate(result.config)
    advice = {
        "adam": f"make --learning-rate smaller (it is {rate:g}; {USUAL_STEPS})",
        "sgd": f"make --learning-rate smaller (it is {rate:g}), or use --optimizer adam",
    }.get(name, "use more --iterations, or a larger --tv-weight or --alpha")
    return f"{' and '.join(facts)}: {advice}"


def _too_small_steps(result, change):
    if change >= UNCHANGED or not result.config.beta:  # without style, no change may be right
        return None
    name, rate = optimizer_name(result.config), _learning_rate(result.config)
    advice = "use more --iterations, a larger --beta or a smaller --alpha"
    if name == "sgd":
        advice = f"make --learning-rate larger (it is {rate:g}), or use --optimizer adam"
    elif name == "adam" and rate < 1:
        advice = f"make --learning-rate larger (it is {rate:g}; {USUAL_STEPS})"
    return f"the picture is nearly unchanged (by {change:.2g} of 255 gray levels): {advice}"


def _learning_rate(config):
    return config.learning_rate or SCHEDULES[config.schedule].learning_rate


def _compared(result, task):
    """Compare the image of a result with the start of its run.

    The picture would not do: pasted content and restored colors are not the optimizer's work.

    Returns
    -------
    change : float
        Root mean square, in gray levels: unlike the mean, it distinguishes a picture in which a
        small masked region is painted from one that has hardly changed.
    clipped : float
        Share of the values that became black or white; 0 if a painting has more of them itself.
    """
    space, squares, clipped = task.objective.model.space, 0.0, 0
    for top in range(0, task.size[0], STRIP):
        new, old = (
            space.to_picture(image[:, top : top + STRIP], np.float32)
            for image in (result.image, task.start)
        )
        squares += np.sum(np.square(new - old), dtype=np.float64)
        clipped += np.count_nonzero(_at_a_limit(new) & ~_at_a_limit(old))
    share = clipped / task.start.size
    if any(
        np.mean(_at_a_limit(space.to_picture(s.image, np.float32))) > CLIPPED for s in task.styles
    ):
        share = 0.0  # such as an ink drawing
    return (squares / task.start.size) ** 0.5, share


def _at_a_limit(levels):
    """Return which values are saved as black or white."""
    return (levels < 0.5) | (levels > 254.5)
