"""Helpers for objectives and the caches of their traced functions."""

from nst_tf import Objective
from nst_tf.objective import objective
from nst_tf.objective.objective import as_styles
from nst_tf.optim import descent
from nst_tf.transfer import loss_terms


def losses_for(content_image, style_image, model, config):
    """Return a function from an image to the losses of a config."""
    styles = as_styles(style_image)
    terms = loss_terms(model, config, content=content_image is not None, style=bool(styles))
    losses = Objective(model, terms)
    targets = losses.targets(content_image, styles)
    return lambda image: losses(image, targets)


def forget_traces():
    """Clear the caches of traced functions, for tests that change traced code."""
    for traced in (descent._traced, descent.evaluation, objective._traced_target):
        traced.cache_clear()
