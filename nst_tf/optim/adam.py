"""Adam (Kingma & Ba 2015)."""

from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from nst_tf.optim.decay import learning_rate_at
from nst_tf.optim.descent import Optimizer


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam: steps of about the learning rate, regardless of the magnitude of the gradient.

    With ``m`` and ``v`` the running means of the gradient and its square,
    ``x -= rate sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)``: the paper's
    algorithm in the form at the end of its section 2, as in TensorFlow and Keras.

    Attributes
    ----------
    learning_rate : float
        Step size of most pixels, in gray levels for VGG; the tutorials use 2.
    beta_1, beta_2 : float
        Exponential decay rates of the running means of the gradient and of its square.
    epsilon : float
        1e-8 as in the paper and TensorFlow 1 (tutorial 0); Keras uses 1e-7.
    decay, iterations, decay_rate, decay_every
        As for `learning_rate_at`; `iterations` defaults to those of the run.
    bounds : (low, high), optional
        Arrays (3,), to which pixels are clipped after each update.
    """

    learning_rate: float = field(default=2.0, compare=False)
    beta_1: float = field(default=0.9, compare=False)
    beta_2: float = field(default=0.999, compare=False)
    epsilon: float = field(default=1e-8, compare=False)
    decay: str = "constant"
    iterations: int | None = field(default=None, compare=False)
    decay_rate: float = field(default=0.96, compare=False)
    decay_every: int = field(default=100, compare=False)
    bounds: tuple | None = field(default=None, compare=False)

    image_arrays = 4  # image, gradient and two running means

    def initial(self, image):
        """Return the two running means, and the number of updates that they include."""
        zeros = tf.zeros_like(image)
        return {"mean": zeros, "square": zeros, "carried": np.float32(0)}

    def apply_gradient(self, variables, numbers):
        """Take a step."""
        gradient, iteration = variables["gradient"], tf.cast(variables["updates"], tf.float32)
        beta_1, beta_2 = numbers["beta_1"], numbers["beta_2"]
        t = iteration + 1 + variables["carried"]
        names = ("learning_rate", "iterations", "decay_rate", "decay_every")
        schedule = {name: numbers[name] for name in names if name in numbers}
        rate = learning_rate_at(iteration, decay=self.decay, **schedule)
        rate *= tf.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        mean, square = variables["mean"], variables["square"]
        mean.assign_add((gradient - mean) * (1 - beta_1))
        square.assign_add((tf.square(gradient) - square) * (1 - beta_2))
        image = variables["image"] - rate * mean / (tf.sqrt(square) + numbers["epsilon"])
        variables["image"].assign(self.clipped(image, numbers))

    def adapted(self, state):
        """Return a saved state in the current form; states of earlier versions lack `carried`."""
        return {"carried": np.float32(0), **state}

    def carried(self, state, size):
        """Return the moments at the start of a level, from the end of the previous level.

        As in crowsonkb's style-transfer-pytorch: the mean is resized by cubic interpolation. The
        square must not become negative: it is resized by linear interpolation.
        """
        return {
            "mean": tf.image.resize(state["mean"], size, "bicubic"),
            "square": tf.image.resize(state["square"], size, "bilinear"),
            "carried": state["carried"] + state["updates"].astype(np.float32),
        }
