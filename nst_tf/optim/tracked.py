"""Additional images that a descent stores: the average of its images, and the best."""

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from nst_tf.errors import ConfigError
from nst_tf.optim.descent import Descent, Optimizer
from nst_tf.optim.scipy_lbfgs import ScipyLBFGS


def tracked(optimizer, config):
    """Return an optimizer that also does what `average` and `keep` of a config specify."""
    if not isinstance(optimizer, ScipyLBFGS):
        return Tracked(optimizer, config.average, config.keep == "best")
    if config.average:
        raise ConfigError("`average` does not work with ScipyLBFGS; use Adam, LBFGS or SGD")
    return optimizer  # its last image is its best


@dataclass(frozen=True)
class Tracked(Optimizer):
    """An optimizer that also averages its images, or keeps the best of them.

    With ``mean`` the running mean of the images ``x_0 ... x_t``, which starts at 0,
    ``average = mean / (1 - decay^(t + 1))``: the bias correction of Adam (Kingma & Ba 2015, section
    3), as in crowsonkb's style-transfer-pytorch.

    Attributes
    ----------
    optimizer : Optimizer
        Updates the image.
    decay : float
        Exponential decay rate of the average; 0: the average is the image itself.
    best : bool
        Whether to store the average at the lowest total loss.
    """

    optimizer: Optimizer
    decay: float = 0.0
    best: bool = False

    @property
    def image_arrays(self):
        """Arrays of the image's size: those of the optimizer, and the stored images."""
        return self.optimizer.image_arrays + bool(self.decay) + self.best

    def start(self, objective, targets, image):
        """Begin a descent and return it."""
        optimizer = replace(self, optimizer=self.optimizer.built(image))
        return TrackedDescent(optimizer, objective, targets, image)

    def numbers(self):
        """Return the numbers of the optimizer."""
        return self.optimizer.numbers()

    def initial(self, image):
        """Return the variables of the optimizer and the stored images."""
        initial = dict(self.optimizer.initial(image))
        if self.decay:
            initial |= {"running_mean": tf.zeros_like(image), "unseen": np.float32(1)}
        if self.best:
            initial |= {"kept_image": image, "kept_total": np.float32(np.inf)}
        return initial

    def apply_gradient(self, variables, numbers):
        """Take a step."""
        self.optimizer.apply_gradient(variables, numbers)

    def accept(self, variables, losses, gradient):
        """Let the optimizer process an image, then update the stored images."""
        losses = self.optimizer.accept(variables, losses, gradient)
        if self.decay:
            mean, unseen = variables["running_mean"], variables["unseen"]
            mean.assign(self.decay * mean + (1 - self.decay) * variables["image"])
            unseen.assign(self.decay * unseen)
        if self.best:
            better = losses["total"] < variables["kept_total"]
            tf.cond(better, lambda: self._keep(variables, losses), lambda: None)
        return losses

    def adapted(self, state):
        """Return a saved state as the optimizer continues it."""
        return self.optimizer.adapted(state)

    def carried(self, state, size):
        """Return the optimizer's state for the next level; the average restarts."""
        return self.optimizer.carried(state, size)

    def average(self, variables):
        """Return the average of the images so far."""
        if not self.decay:
            return variables["image"].read_value()
        return variables["running_mean"] / (1 - variables["unseen"])

    def _keep(self, variables, losses):
        variables["kept_image"].assign(self.average(variables))
        variables["kept_total"].assign(losses["total"])


class TrackedDescent(Descent):
    """A descent whose image is the average, where there is one."""

    def image(self):
        """Return the average of the images so far, a tensor (1, H, W, 3)."""
        return tf.identity(self.optimizer.average(self._variables))

    def best_image(self):
        """Return the image, or the average, at the lowest total loss."""
        return tf.identity(self._variables["kept_image"])

    def tracked(self):
        """Return the average and the best, by name."""
        names = {"running_mean", "unseen", "kept_image", "kept_total"}
        return {name: x.numpy() for name, x in self._variables.items() if name in names}
