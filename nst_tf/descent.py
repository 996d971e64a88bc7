"""Which loop goes downhill, and how far it remembers: the config's word, or the schedule's."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from nst_tf.optimizers import (
    in_numpy,
    learning_rates,
    minimize_adam,
    minimize_lbfgs,
    minimize_lbfgs_fixed,
    minimize_sgd,
)
from nst_tf.scales import SCHEDULES

TILED_HISTORY = 1
WORTH_KEEPING = 2**20  # pixels
WEIGHTS = ("alpha", "beta", "tv_weight")


@dataclass(frozen=True)
class Loop:
    """An optimiser's loop, and how many arrays of the picture's size it keeps, in float32.

    Attributes
    ----------
    minimize : callable
    beside : int
        Arrays beside the history: Adam's two means; the best image and its gradient.
    history : int
        Pairs of images that are remembered by default: 0 where there is no such thing.
    pair : int
        Arrays in a pair: two, and twice as much for SciPy's, which are float64.
    """

    minimize: Callable
    beside: int
    history: int = 0
    pair: int = 2


LOOPS = {
    "adam": Loop(minimize_adam, beside=2),
    "sgd": Loop(minimize_sgd, beside=0),
    "lbfgs": Loop(minimize_lbfgs, beside=20, history=20, pair=4),  # the least forgetful
    "lbfgs-fixed": Loop(minimize_lbfgs_fixed, beside=2, history=10),
}


def optimizer_of(config):
    """Return the optimiser's name: the one given, or the schedule's; Adam if a rate is given."""
    if config.optimizer is None and (config.learning_rate or config.decay):
        return "adam"
    return config.optimizer or SCHEDULES[config.schedule].optimizer


def remembered(config, tiled):
    """Return how many arrays of the picture's size the optimiser remembers."""
    loop = LOOPS[optimizer_of(config)]
    return loop.pair * _history(loop, config, tiled) + loop.beside


def make_steps(objective, start, space, config, done, look_every, tiled, state, kept=None):
    """Return the steps of the optimiser that the config names, after `done` of levels before.

    Whatever else may differ, what is traced for one objective serves all of its form whose trunk
    and settings are the same: it is looked for in `kept`.
    """
    bounds = _bounds(space, config)
    start = start if bounds is None else np.clip(start, *bounds)
    how = {"bounds": bounds, "state": state, "program": _program(kept, objective, start, config)}
    # XLA wants to know sizes, and those of tiles' cores differ.
    how["compile_xla"] = bool(tf.config.get_visible_devices("GPU")) and not tiled
    loop = LOOPS[optimizer_of(config)]
    if loop.history:
        how["history"] = _history(loop, config, tiled)
        if tiled and loop.minimize is minimize_lbfgs_fixed:
            how["keep"] = in_numpy
        return loop.minimize(objective, start, config.iterations, **how)
    usual = SCHEDULES[config.schedule]
    how["wanted"] = lambda iteration: look_every and (done + iteration) % look_every == 0
    how["schedule"] = learning_rates(
        config.decay or usual.decay,
        (config.learning_rate or usual.learning_rate) / space.scale,
        config.iterations,
        decay_rate=config.decay_rate,
        decay_every=config.decay_every,
    )
    if loop.minimize is minimize_adam:
        how |= {"beta_1": config.beta_1, "beta_2": config.beta_2, "epsilon": config.epsilon}
    return loop.minimize(objective, start, config.iterations, **how)


def _program(kept, objective, start, config):
    """Return the loops' `program`, which looks into `kept` first; None for a large picture.

    For such a one tracing takes no time to speak of, and what is kept much memory.
    """
    if kept is None or start.shape[1] * start.shape[2] > WORTH_KEEPING:
        return None
    settings = replace(config, **dict.fromkeys(WEIGHTS, 1.0))  # those are among the aims
    through = objective.through
    key = (id(through.model), getattr(through, "area", None), start.shape, objective.form, settings)
    # With the model, so that no other one gets its number.
    return lambda make: kept.get(key, lambda: (through.model, make()))[1]


def _history(loop, config, tiled):
    """Return how many pairs L-BFGS remembers: few where the picture is too large as it is."""
    if not loop.history:
        return 0
    return config.history or (TILED_HISTORY if tiled else loop.history)


def _bounds(space, config):
    if not config.clip:
        return None
    if config.clip_at is None:
        return space.bounds
    limit = np.full(3, config.clip_at / space.scale, np.float32)
    return -limit, limit
