"""Adam on a Laplacian pyramid (Burt & Adelson 1983): large areas of color change at once."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from nst_tf.optim.adam import Adam

LEVELS = 8  # Kolkin et al. 2022, and the rest


def laplacian_pyramid(image, levels=LEVELS):
    """Return the details of an image at each scale, and the small image that is left.

    ``d_i = x_i - up(x_(i+1))`` with ``x_(i+1) = down(x_i)``, half as large, by linear interpolation
    without blur: the pyramid of Kolkin et al. 2022.

    Parameters
    ----------
    image : (1, H, W, 3)
    levels : int
        Number of times to halve the sides, which never become 0.

    Returns
    -------
    list of (1, H_i, W_i, 3)
        The finest first; their number is `levels` + 1.
    """
    details = []
    for _ in range(levels):
        smaller = tf.image.resize(image, tf.maximum(tf.shape(image)[1:3] // 2, 1))
        details.append(image - tf.image.resize(smaller, tf.shape(image)[1:3]))
        image = smaller
    return [*details, image]


def from_pyramid(pyramid):
    """Return the image (1, H, W, 3) that `laplacian_pyramid` decomposed."""
    *details, image = pyramid
    for detail in reversed(details):
        image = detail + tf.image.resize(image, tf.shape(detail)[1:3])
    return image


@dataclass(frozen=True)
class LaplacianAdam(Adam):
    """Adam on the coefficients of the image's Laplacian pyramid: Kolkin et al. 2022.

    A coefficient of a coarse level moves a large area, so colors of areas change in few updates.
    The attributes are those of `Adam`; the learning rate is the step of a coefficient.

    Pixels are not clipped to `bounds`, as in the authors' programs, which clip the finished picture
    only. A pixel that is clipped, but should go further, keeps its gradient, which pulls at the
    coarse levels in every update, and with them at all that is around: more pixels reach the bound
    and pull, until dark areas are black.
    """

    levels: int = LEVELS

    @property
    def image_arrays(self):
        """Image, gradient, and three pyramids of 4/3 of its size."""
        return 6

    def initial(self, image):
        """Return the coefficients and their two running means, by the number of their level."""
        pyramid = laplacian_pyramid(image, self.levels)
        variables = {"carried": np.float32(0)}
        for number, level in enumerate(pyramid):
            zeros = tf.zeros_like(level)
            variables |= {f"level_{number}": level}
            variables |= {f"mean_{number}": zeros, f"square_{number}": zeros}
        return variables

    def apply_gradient(self, variables, numbers):
        """Take a step of Adam at each level."""
        levels = [variables[f"level_{number}"] for number in range(self.levels + 1)]
        pyramid = [level.read_value() for level in levels]
        with tf.GradientTape() as tape:
            tape.watch(pyramid)
            image = from_pyramid(pyramid)
        gradients = tape.gradient(image, pyramid, output_gradients=variables["gradient"])
        numbers = {name: x for name, x in numbers.items() if name not in ("low", "high")}
        for number, gradient in enumerate(gradients):
            own = {name: variables[f"{name}_{number}"] for name in ("mean", "square")}
            own |= {"image": levels[number], "gradient": gradient}
            super().apply_gradient({**variables, **own}, numbers)
        variables["image"].assign(from_pyramid([level.read_value() for level in levels]))
