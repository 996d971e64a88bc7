"""Optimizers: each updates the pixels of an image to decrease the loss of an objective.

An optimizer object has only settings, such as ``Adam(learning_rate=2.0)``. ``start(objective,
targets, image)`` starts a descent, which has the image and the state of the optimizer. `update`
makes one or more steps; `state` and `restore` save and restore the state.
"""

from nst_tf.optim.adam import Adam
from nst_tf.optim.keras_optimizer import KerasOptimizer
from nst_tf.optim.laplacian import LaplacianAdam
from nst_tf.optim.lbfgs import LBFGS
from nst_tf.optim.scipy_lbfgs import ScipyLBFGS
from nst_tf.optim.sgd import SGD

__all__ = ["LBFGS", "SGD", "Adam", "KerasOptimizer", "LaplacianAdam", "ScipyLBFGS"]
