"""Which loop goes downhill, and how far it remembers: the config's word, or the schedule's."""

import numpy as np
import tensorflow as tf

from nst_tf.optimizers import (
    learning_rates,
    minimize_adam,
    minimize_lbfgs,
    minimize_lbfgs_fixed,
    minimize_sgd,
)
from nst_tf.scales import SCHEDULES

HISTORY = {"lbfgs": 20, "lbfgs-fixed": 10}  # pairs of images; SciPy's loop is the less forgetful
TILED_HISTORY = 2
# Arrays of the picture's size, in float32, beside the history: SciPy's are float64, twice as large;
# L-BFGS without line search keeps the best image, the one before, their gradients and its direction
# (counted so after 3840x2160 took 0.9 GiB more than was foreseen).
BESIDE_HISTORY = {"lbfgs": 20, "lbfgs-fixed": 10}


def optimizer_of(config):
    """Return the optimiser's name: the one given, or the schedule's; Adam if a rate is given."""
    if config.optimizer is None and (config.learning_rate or config.decay):
        return "adam"
    return config.optimizer or SCHEDULES[config.schedule].optimizer


def remembered(config, tiled):
    """Return how many arrays of the picture's size the optimiser remembers."""
    optimizer = optimizer_of(config)
    if optimizer not in HISTORY:
        return {"adam": 2, "sgd": 0}[optimizer]
    pair = {"lbfgs": 4, "lbfgs-fixed": 2}[optimizer]
    return pair * _history(config, tiled) + BESIDE_HISTORY[optimizer]


def make_steps(objective, start, space, config, done, look_every, tiled):
    """Return the steps of the optimiser that the config names, after `done` of levels before."""
    bounds = _bounds(space, config)
    start = start if bounds is None else np.clip(start, *bounds)
    how = {"bounds": bounds}
    # XLA wants to know sizes, and those of tiles' cores differ.
    how["compile_xla"] = bool(tf.config.get_visible_devices("GPU")) and not tiled
    optimizer = optimizer_of(config)
    if optimizer in HISTORY:
        how["history"] = _history(config, tiled)
        minimize = {"lbfgs": minimize_lbfgs, "lbfgs-fixed": minimize_lbfgs_fixed}[optimizer]
        return minimize(objective, start, config.iterations, **how)
    usual = SCHEDULES[config.schedule]
    how["wanted"] = lambda iteration: look_every and (done + iteration) % look_every == 0
    how["schedule"] = learning_rates(
        config.decay or usual.decay,
        (config.learning_rate or usual.learning_rate) / space.scale,
        config.iterations,
        decay_rate=config.decay_rate,
        decay_every=config.decay_every,
    )
    if optimizer == "sgd":
        return minimize_sgd(objective, start, config.iterations, **how)
    moments = {"beta_1": config.beta_1, "beta_2": config.beta_2, "epsilon": config.epsilon}
    return minimize_adam(objective, start, config.iterations, **moments, **how)


def _history(config, tiled):
    """Return how many pairs L-BFGS remembers: few where the picture is too large as it is."""
    return config.history or (TILED_HISTORY if tiled else HISTORY[optimizer_of(config)])


def _bounds(space, config):
    if not config.clip:
        return None
    if config.clip_at is None:
        return space.bounds
    limit = np.full(3, config.clip_at / space.scale, np.float32)
    return -limit, limit
