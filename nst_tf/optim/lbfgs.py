"""L-BFGS without a line search, inside TensorFlow."""

import functools
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from nst_tf.errors import ConfigError
from nst_tf.optim.descent import Optimizer

UPHILL = 0.05  # a step that ends higher above the lowest loss than this share of it is undone
STRIP = 2**20  # numbers of an image in a step of `inner_products`: larger ones are not faster
LONGEST = 8  # maximum root mean square of a step, as a multiple of the first step's


@dataclass(frozen=True)
class LBFGS(Optimizer):
    """L-BFGS without a line search: the search direction (Nocedal 1980) is the step.

    Each iteration takes one evaluation. PyTorch's optimizer, and thus most programs for style
    transfer, work in the same way. In addition, pixels are clipped to the bounds, and a step that
    increases the loss is undone: the image of the lowest loss is restored, the history is cleared,
    and the next first step is half as long.

    All inner products are computed at once (vector-free L-BFGS, Chen et al., NIPS 2014): the
    direction is a sum with 2 m + 1 coefficients, and the memory is read twice an iteration.

    Attributes
    ----------
    history : int
        m, the number of steps to store.
    bounds : (low, high), optional
        Arrays (3,): after each update, pixels are clipped to them.
    """

    history: int = 10
    bounds: tuple | None = field(default=None, compare=False)

    def __post_init__(self):
        if not (isinstance(self.history, int) and self.history > 0):
            raise ConfigError(f"`history` is {self.history!r}; a whole number above 0 was expected")

    @property
    def image_arrays(self):
        """Arrays of the image's size: image and gradient, present and best; step; memory."""
        return 5 + 2 * self.history

    def initial(self, image):
        """Return the initial variables.

        The memory is one variable for each step and each change: TensorFlow copies a variable at
        each use once a part of it was assigned.
        """
        first = 1.0
        if self.bounds is not None:
            first = float(np.max(np.subtract(self.bounds[1], self.bounds[0]))) / 100
        m, zeros = self.history, tf.zeros_like(image)
        return {
            "step": zeros,
            "best_image": image,
            "best_gradient": zeros,
            "best_losses": np.zeros(0, np.float32),
            "best_total": np.float32(np.inf),
            **dict.fromkeys(self._memory(), zeros),
            "products": np.zeros((2 * m, 2 * m), np.float32),  # inner products of the memory
            "with_gradient": np.zeros(2 * m, np.float32),  # and with the gradient
            "stored": np.int32(0),  # steps since the memory was cleared
            "first": np.float32(first),  # root mean square of the first step
        }

    def apply_gradient(self, variables, numbers):
        """Take a step: along the gradient at first, then in the quasi-Newton direction."""
        image, gradient = variables["image"].read_value(), variables["gradient"].read_value()
        first, stored = variables["first"].read_value(), on_cpu(variables["stored"])

        def along_the_gradient():
            return gradient * (first / tf.maximum(_root_mean_square(gradient), 1e-30))

        def newton():
            step = self._newton(variables, gradient, stored)
            longest = LONGEST * first / tf.maximum(_root_mean_square(step), 1e-30)
            return step * tf.minimum(1.0, longest)

        step = tf.cond(stored > 0, newton, along_the_gradient)
        moved = self.clipped(image - step, numbers)
        variables["step"].assign(moved - image)
        variables["image"].assign(moved)

    def accept(self, variables, losses, gradient):
        """Remember the step and the change of the gradient, or undo the step."""
        names, values = list(losses), tf.stack(list(losses.values()))
        best = variables["best_total"].read_value()
        first = tf.math.is_inf(best)  # there is no step to undo
        limit = best + UPHILL * tf.abs(best)
        downhill = (losses["total"] < limit) | first  # False for NaN
        step, change = variables["step"].read_value(), gradient - variables["gradient"]
        memory = [variables[name].read_value() for name in self._memory()]
        # Rows: the memory, and the new pair. Columns: the new pair, and the gradient.
        inner = inner_products([*memory, step, change], [step, change, gradient])
        curved = inner[-2, 1] > 1e-10 * inner[-1, 1]  # upwards, along the step
        decisions = tf.stack([downhill, losses["total"] < best, curved])
        downhill, better, curved = tf.unstack(on_cpu(decisions))

        def keep():
            tf.cond(better, lambda: _remember_best(variables, losses, gradient), lambda: None)
            variables["with_gradient"].assign(inner[:-2, 2])
            tf.cond(curved, lambda: self._remember(variables, step, change, inner), lambda: None)
            variables["gradient"].assign(gradient)
            return values

        def undo():
            variables["image"].assign(variables["best_image"])
            variables["gradient"].assign(variables["best_gradient"])
            variables["stored"].assign(0)
            variables["first"].assign(variables["first"] / 2)
            return variables["best_losses"].read_value()

        values = tf.cond(downhill, keep, undo)
        return {name: values[column] for column, name in enumerate(names)}

    def adapted(self, state):
        """Return a saved state as this optimizer continues it.

        One with another `history` (a run that went to tiles or left them) loses its memory.
        """
        if len(state["products"]) == 2 * self.history:
            return state
        zeros, m = np.zeros_like(state["image"]), self.history
        return {
            **state,
            **dict.fromkeys(self._memory(), zeros),
            "products": np.zeros((2 * m, 2 * m), np.float32),
            "with_gradient": np.zeros(2 * m, np.float32),
            "stored": np.int32(0),
        }

    def _remember(self, variables, step, change, inner):
        """Replace the oldest pair by a step and the change of the gradient along it."""
        m = self.history
        with_memory, with_new = inner[: 2 * m], inner[2 * m :]
        stored = on_cpu(variables["stored"])
        slot = stored % m

        def assign(k):
            variables[f"step_{k}"].assign(step)
            variables[f"change_{k}"].assign(change)

        tf.switch_case(slot, [functools.partial(assign, k) for k in range(m)])
        indices = tf.stack([slot, m + slot])[:, tf.newaxis]
        rows = tf.tensor_scatter_nd_update(with_memory, indices, with_new)
        pair, products = tf.transpose(rows[:, :2]), variables["products"]
        at_rows = tf.tensor_scatter_nd_update(products, indices, pair)
        at_columns = tf.tensor_scatter_nd_update(tf.transpose(at_rows), indices, pair)
        products.assign(tf.transpose(at_columns))
        variables["with_gradient"].assign(rows[:, 2])
        variables["stored"].assign(stored + 1)

    def _newton(self, variables, gradient, stored):
        """Return the approximate inverse Hessian times the gradient."""
        products, with_gradient = variables["products"], variables["with_gradient"]
        coefficients = quasi_newton(
            products.read_value(), with_gradient.read_value(), stored, self.history
        )
        *subtracted, of_gradient = tf.unstack(-coefficients)
        direction = variables["step"]
        direction.assign(-of_gradient * gradient)
        for factor, name in zip(subtracted, self._memory(), strict=True):
            _subtract_scaled(direction, factor, variables[name])
        return direction.read_value()

    def _memory(self):
        """Return the names of the remembered steps, and then of the changes of the gradient."""
        return [f"{kind}_{k}" for kind in ("step", "change") for k in range(self.history)]


def on_cpu(x):
    """Return a copy on the CPU of a tensor for control flow; a GPU then waits for it only once."""
    with tf.device("CPU:0"):
        return tf.identity(x)


def inner_products(these, those, *, stacked=None):
    """Return the inner products of n images with m others, (n, m); computed strip by strip.

    `stacked`: copy the strips of the n images into one array, which is faster on a GPU than
    starting n products. Default: True on a GPU.
    """
    if stacked is None:
        stacked = bool(tf.config.get_visible_devices("GPU"))
    these, those = ([tf.reshape(x, [-1]) for x in images] for images in (these, those))
    size = tf.size(these[0])

    def add_strip(begin, products):
        strip = slice(begin, tf.minimum(begin + STRIP, size))
        columns = tf.stack([x[strip] for x in those])
        rows = [x[tf.newaxis, strip] for x in these]
        rows = [tf.concat(rows, 0)] if stacked else rows
        parts = [tf.matmul(columns, x, transpose_b=True) for x in rows]
        return strip.stop, products + tf.concat(parts, 1)

    start = (0, tf.zeros((len(those), len(these))))
    _, products = tf.while_loop(lambda begin, _: begin < size, add_strip, start)
    return tf.transpose(products)


def _subtract_scaled(variable, factor, x):
    """Subtract ``factor * x`` from a variable in one pass, without an array for the product."""
    tf.raw_ops.ResourceApplyGradientDescent(var=variable.handle, alpha=factor, delta=x)


def quasi_newton(products, with_gradient, stored, m):
    """Return the approximate inverse Hessian times the gradient, as coefficients.

    With the steps as the columns of S, the changes of the gradient as those of Y, the oldest first,
    R the upper triangle of S^T Y, D its diagonal and gamma = (s^T y) / (y^T y) of the newest pair:
    ``H = gamma I + [S, gamma Y] [[R^-T (D + gamma Y^T Y) R^-1, -R^-T], [-R^-1, 0]] [S, gamma Y]^T``
    (Byrd, Nocedal & Schnabel 1994, theorem 2.2). It equals the two loops of Nocedal 1980, in a
    dozen operations for any m; on a GPU each operation takes time, however small.

    Parameters
    ----------
    products : (2 m, 2 m)
        Inner products of the steps s_0 ... s_(m-1) and the changes of the gradient y_0 ... y_(m-1).
    with_gradient : (2 m,)
        Their inner products with the gradient.
    stored : scalar int
        Number of pairs stored so far, at least 1; the index of the last one is (stored - 1) mod m.
    m : int

    Returns
    -------
    (2 m + 1,)
        Coefficients of the steps, the changes and the gradient.
    """
    oldest_first = (stored + tf.range(m)) % m
    is_stored = tf.cast(tf.range(m) >= m - stored, tf.float32)

    def in_order(x, axes):
        for axis in range(axes):
            x = tf.gather(x, oldest_first, axis=axis)
            x *= is_stored if axis == axes - 1 else is_stored[:, tf.newaxis]
        return x

    steps_changes = in_order(products[:m, m:], 2)
    changes = in_order(products[m:, m:], 2)
    curvatures = tf.linalg.diag_part(steps_changes)
    triangle = tf.linalg.band_part(steps_changes, 0, -1) + tf.linalg.diag(1 - is_stored)
    gamma = curvatures[-1] / changes[-1, -1]

    def solved(right, transposed=False):
        right = right[:, tf.newaxis]
        return tf.linalg.triangular_solve(triangle, right, lower=False, adjoint=transposed)[:, 0]

    inner = solved(in_order(with_gradient[:m], 1))  # R^-1 S^T gradient
    residual = tf.linalg.matvec(changes, inner) - in_order(with_gradient[m:], 1)
    outer = solved(curvatures * inner + gamma * residual, transposed=True)
    places = (tf.range(m) - stored) % m  # from the order of age back to that of the memory
    return tf.concat(
        [tf.gather(outer, places), tf.gather(-gamma * inner, places), gamma[tf.newaxis]], 0
    )


def _remember_best(variables, losses, gradient):
    variables["best_image"].assign(variables["image"])
    variables["best_gradient"].assign(gradient)
    variables["best_losses"].assign(tf.stack(list(losses.values())))
    variables["best_total"].assign(losses["total"])


def _root_mean_square(x):
    return tf.sqrt(2 * tf.nn.l2_loss(x) / tf.cast(tf.size(x), tf.float32))
