"""The optimizers: each changes the pixels of an image so that an objective's loss falls.

An optimizer is a description, such as ``Adam(learning_rate=2.0)``. ``start(objective, targets,
image)`` begins a descent, which holds the image and all that the optimizer remembers; `update`
makes one step or several, `state` and `restore` save it and bring it back.
"""

from nst_tf.optim.adam import Adam
from nst_tf.optim.keras_optimizer import KerasOptimizer
from nst_tf.optim.laplacian import LaplacianAdam
from nst_tf.optim.lbfgs import LBFGS
from nst_tf.optim.scipy_lbfgs import ScipyLBFGS
from nst_tf.optim.sgd import SGD

__all__ = ["LBFGS", "SGD", "Adam", "KerasOptimizer", "LaplacianAdam", "ScipyLBFGS"]
