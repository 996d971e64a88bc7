"""Plain gradient descent."""

from dataclasses import dataclass, field

import tensorflow as tf

from nst_tf.optim.decay import learning_rate_at
from nst_tf.optim.descent import Optimizer


@dataclass(frozen=True)
class SGD(Optimizer):
    """Plain gradient descent, ``x -= rate * gradient``, as in keras.io's example.

    Attributes
    ----------
    learning_rate : float
        Factor of the gradient; a suitable value depends on the weights of the losses.
    decay, iterations, decay_rate, decay_every
        As for `learning_rate_at`; default of `iterations`: those of the run.
    bounds : (low, high), optional
        Arrays (3,): after each update, pixels are clipped to them.
    """

    learning_rate: float = field(default=100.0, compare=False)
    decay: str = "constant"
    iterations: int | None = field(default=None, compare=False)
    decay_rate: float = field(default=0.96, compare=False)
    decay_every: int = field(default=100, compare=False)
    bounds: tuple | None = field(default=None, compare=False)

    def apply_gradient(self, variables, numbers):
        """Take a step."""
        iteration = tf.cast(variables["updates"], tf.float32)
        schedule = {name: x for name, x in numbers.items() if name not in ("low", "high")}
        rate = learning_rate_at(iteration, decay=self.decay, **schedule)
        image = variables["image"] - rate * variables["gradient"]
        variables["image"].assign(self.clipped(image, numbers))
