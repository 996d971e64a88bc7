"""Decay of the learning rate."""

import math

import tensorflow as tf

from nst_tf.errors import ConfigError, check_choice

# (rate, iteration, iterations in all, decay_rate, decay_every) -> rate at this iteration
DECAYS = {
    "constant": lambda rate, i, total, decay, every: rate,
    "cosine": lambda rate, i, total, decay, every: (
        rate * 0.5 * (1 + tf.cos(math.pi * i / tf.maximum(total, 1.0)))
    ),
    "step": lambda rate, i, total, decay, every: rate * decay ** tf.floor(i / every),
    "exponential": lambda rate, i, total, decay, every: rate * decay ** (i / every),
}


def learning_rate_at(
    iteration, *, decay, learning_rate, iterations=None, decay_rate=0.96, decay_every=100
):
    """Return the learning rate of an iteration.

    Parameters
    ----------
    iteration : scalar
        0 for the first update.
    decay : {"constant", "cosine", "step", "exponential"}
        "cosine" falls to 0 at the end (Loshchilov & Hutter 2017, without restarts). "step"
        multiplies by `decay_rate` at every `decay_every`-th iteration, "exponential" does so
        gradually. In some of CS231n's notebooks, the rate never decays, because the schedule is
        called once, before the loop.
    learning_rate : scalar
        Of the first iteration.
    iterations : scalar, optional
        Total number; required by "cosine".
    decay_rate, decay_every : scalar

    Returns
    -------
    scalar
    """
    if decay == "cosine" and iterations is None:
        raise ConfigError("the decay cosine needs the number of `iterations`")
    numbers = (
        learning_rate,
        iteration,
        1 if iterations is None else iterations,
        decay_rate,
        decay_every,
    )
    numbers = (tf.cast(number, tf.float32) for number in numbers)
    return DECAYS[check_choice("decay", decay, DECAYS)](*numbers)
