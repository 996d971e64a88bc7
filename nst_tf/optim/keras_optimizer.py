"""Any optimizer of Keras."""

from dataclasses import dataclass, field

import keras
import numpy as np

from nst_tf.optim.descent import Descent, Optimizer


@dataclass(frozen=True)
class KerasOptimizer(Optimizer):
    """An optimizer of Keras, such as ``keras.optimizers.Adam(2.0)``.

    Its own variables are created for the image's size, so each size is traced separately.

    Attributes
    ----------
    optimizer : keras.optimizers.Optimizer
        Its settings are used; it is not changed.
    bounds : (low, high), optional
        Arrays (3,): after each update, pixels are clipped to them.
    """

    optimizer: keras.optimizers.Optimizer
    bounds: tuple | None = field(default=None, compare=False)

    image_arrays = 4  # image, gradient and two more, as Adam has

    def start(self, objective, targets, image):
        """Begin a descent with an optimizer of these settings."""
        return Descent(self.built(image), objective, targets, image)

    def built(self, image):
        """Return an optimizer of these settings with variables for an image."""
        fresh = type(self.optimizer).from_config(self.optimizer.get_config())
        pixels = keras.Variable(np.asarray(image, np.float32))
        fresh.build([pixels])
        return _Built(fresh, pixels, self.bounds)


@dataclass(frozen=True, eq=False)
class _Built(Optimizer):
    """An optimizer of Keras with its variables: it changes `pixels`, a copy of the image."""

    optimizer: keras.optimizers.Optimizer
    pixels: keras.Variable
    bounds: tuple | None = field(compare=False)

    def initial(self, image):
        """Return the variables of the optimizer themselves."""
        return {f"keras_{n}": variable.value for n, variable in enumerate(self.optimizer.variables)}

    def apply_gradient(self, variables, numbers):
        """Take a step."""
        self.pixels.assign(variables["image"])
        self.optimizer.apply([variables["gradient"].read_value()], [self.pixels])
        variables["image"].assign(self.clipped(self.pixels.value, numbers))
