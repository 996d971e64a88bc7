"""The optimizer of a run: that of the config, or one that is passed."""

from dataclasses import fields, replace

import keras
import numpy as np

from nst_tf.config import MATCHES
from nst_tf.errors import ConfigError
from nst_tf.optim.adam import Adam
from nst_tf.optim.descent import Optimizer
from nst_tf.optim.keras_optimizer import KerasOptimizer
from nst_tf.optim.lbfgs import LBFGS
from nst_tf.optim.scipy_lbfgs import ScipyLBFGS
from nst_tf.optim.sgd import SGD
from nst_tf.schedules import SCHEDULES

HISTORY = {"lbfgs": 20, "lbfgs-fixed": 10}
TILED_HISTORY = 1
LAPLACIAN_RATE = 0.5  # gray levels: Kolkin et al. 2022 take 0.002 of the range


def make_optimizer(config, space, iterations, *, tiled=False):
    """Return the optimizer that a config names.

    Parameters
    ----------
    config : TransferConfig
    space : PixelSpace
        Learning rates and bounds are converted from gray levels to its units.
    iterations : int
        Of this descent.
    tiled : bool
        Whether the image is large: then L-BFGS remembers one step by default.
    """
    name = optimizer_name(config)
    bounds = pixel_bounds(config, space)
    if name in HISTORY:
        history = config.history or (TILED_HISTORY if tiled else HISTORY[name])
        if name == "lbfgs":
            return ScipyLBFGS(iterations, history, bounds)
        return LBFGS(history, bounds)
    usual = SCHEDULES[config.schedule]
    options = {
        "learning_rate": (config.learning_rate or usual.learning_rate) / space.scale,
        "decay": config.decay or usual.decay,
        "iterations": iterations,
        "decay_rate": config.decay_rate,
        "decay_every": config.decay_every,
        "bounds": bounds,
    }
    if name == "sgd":
        return SGD(**options)
    if name == "laplacian":
        from nst_tf.optim.laplacian import LaplacianAdam  # some methods alone need it

        options["learning_rate"] = (config.learning_rate or LAPLACIAN_RATE) / space.scale
        adam = LaplacianAdam
    else:
        adam = Adam
    return adam(beta_1=config.beta_1, beta_2=config.beta_2, epsilon=config.epsilon, **options)


def given_optimizer(optimizer, iterations=None, bounds=None):
    """Return an optimizer that was passed instead of the config's, for a run.

    Keras optimizers are wrapped. `iterations` and `bounds` are used if the optimizer has none.
    """
    if isinstance(optimizer, keras.optimizers.Optimizer):
        optimizer = KerasOptimizer(optimizer)
    if not isinstance(optimizer, (Optimizer, ScipyLBFGS)):
        raise ConfigError(
            f"`optimizer` is {optimizer!r:.60}; pass a name, an optimizer of nst_tf.optim such as "
            "Adam(2.0), or one of Keras"
        )
    usual = {"iterations": iterations, "bounds": bounds}
    missing = [f.name for f in fields(optimizer) if getattr(optimizer, f.name) is None]
    return replace(optimizer, **{name: usual[name] for name in missing if name in usual})


def pixel_bounds(config, space):
    """Return the lowest and the highest pixel, arrays (3,); None if pixels are not clipped."""
    if not config.clip:
        return None
    if config.clip_at is None:
        return space.bounds
    limit = np.full(3, config.clip_at / space.scale, np.float32)
    return -limit, limit


def optimizer_name(config):
    """Return the optimizer of the config, or that of its schedule; Adam if an option needs it.

    The loss of patches jumps, also upward, when another patch becomes the nearest. L-BFGS undoes
    such steps and remained near the content.
    """
    knobs = (
        *(config.learning_rate, config.decay),
        *(config.normalize_gradients, config.carry_moments),
        config.method == "patches",
    )
    if config.optimizer is None and config.method in MATCHES:
        return "laplacian"
    if config.optimizer is None and any(knobs):
        return "adam"
    return config.optimizer or SCHEDULES[config.schedule].optimizer
