"""The optimization of one image: its variables, and a traced function that makes several updates.

All values that change are `tf.Variable` objects with height and width None, and all others are
arguments. One trace therefore serves all sizes, pictures and learning rates.
"""

import functools
from dataclasses import fields

import numpy as np
import tensorflow as tf

from nst_tf.objective.objective import ANY_SIZE, of_any_size

TRACED = 8  # traced loops that are kept; each holds its network


class Optimizer:
    """Base class of the optimizers that run inside TensorFlow.

    A subclass is a dataclass. Fields that are compared are constants of the traced function; the
    others (learning rates, bounds) are its arguments, which `numbers` returns.

    Attributes
    ----------
    bounds : (low, high) or None
        Arrays (3,) in the pixel space: after each update, pixels are clipped to them.
    """

    bounds = None
    image_arrays = 2  # of the image's size: image and gradient

    def start(self, objective, targets, image):
        """Start a descent and return it: see `Descent`."""
        return Descent(self, objective, targets, image)

    def built(self, image):
        """Return the optimizer with its own variables for an image, if it has any."""
        return self

    def numbers(self):
        """Return the fields that are not compared, by name: arguments of the traced function."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if not f.compare}
        bounds = own.pop("bounds")
        own = {name: number for name, number in own.items() if number is not None}
        if bounds is None:
            return own
        low, high = (np.broadcast_to(bound, 3) for bound in bounds)
        return {**own, "low": low, "high": high}

    def initial(self, image):
        """Return the initial values of the optimizer's variables, by name.

        A tensor of four dimensions has the image's size. Variables share the memory of a tensor
        until one of them is assigned. A variable is used as it is.
        """
        return {}

    def apply_gradient(self, variables, numbers):
        """Assign the next image to ``variables["image"]``; its gradient is in "gradient"."""
        raise NotImplementedError

    def accept(self, variables, losses, gradient):
        """Process the losses and the gradient of an image, the initial one too; return its losses.

        An optimizer may also restore an earlier image and return the losses of that one.
        """
        variables["gradient"].assign(gradient)
        return losses

    def adapted(self, state):
        """Return a saved state as this optimizer continues it."""
        return state

    @staticmethod
    def clipped(image, numbers):
        """Return an image with its pixels between the bounds, if there are any."""
        if "low" not in numbers:
            return image
        # Row by row: broadcasting three numbers over all pixels takes six times as long.
        width = tf.shape(image)[2]
        low, high = tf.tile(numbers["low"], [width]), tf.tile(numbers["high"], [width])
        rows = tf.reshape(image, [-1, 3 * width])
        return tf.reshape(tf.clip_by_value(rows, low, high), tf.shape(image))


class Descent:
    """The state of an optimization: the image and the variables of the optimizer.

    Attributes
    ----------
    objective : Objective
    updates : int
        Number of updates so far.
    losses : dict of float
        Of the current image.
    converged : bool
        Whether no further update reduces the loss.
    """

    converged = False

    def __init__(self, optimizer, objective, targets, image):
        self.optimizer, self.objective = optimizer, objective
        shape = getattr(objective, "image_shape", ANY_SIZE)
        image = tf.convert_to_tensor(image, tf.float32)
        initial = {"gradient": tf.zeros_like(image), **optimizer.initial(image)}
        variables = {"image": tf.Variable(image, shape=shape), "updates": tf.Variable(0)}
        for name, value in initial.items():
            if isinstance(value, tf.Variable):  # the optimizer's own
                variables[name] = value
                continue
            open_shape = shape if np.shape(value) == image.shape else [None] * np.ndim(value)
            variables[name] = tf.Variable(value, shape=open_shape)
        self._variables = variables
        self._update = _traced(optimizer, objective)
        self._arguments = (
            variables,
            targets,
            {name: tf.constant(x, tf.float32) for name, x in optimizer.numbers().items()},
        )
        self.updates = 0
        (self.losses,) = _rows(self._call(0))

    def update(self, count=1):
        """Make several updates; return the losses of the image after each, a list of dicts."""
        rows = _rows(self._call(count))
        self.updates += count
        self.losses = rows[-1]
        return rows

    def image(self):
        """Return a copy of the current image, a tensor (1, H, W, 3)."""
        return tf.identity(self._variables["image"])

    def state(self):
        """Return all variables as arrays by name; None if the optimizer can't save its state."""
        return {name: np.asarray(x.read_value()) for name, x in self._variables.items()}

    def restore(self, state):
        """Continue from what `state` returned for a descent of the same kind and size."""
        state = self.optimizer.adapted(state)
        for name, variable in self._variables.items():
            variable.assign(state[name])
        self.updates = int(state["updates"])

    def assign(self, values):
        """Set some of the variables, by name."""
        for name, value in values.items():
            self._variables[name].assign(value)

    def tracked(self):
        """Return the arrays that a descent in smaller tiles takes over, by name."""
        return {}

    def skip(self, updates):
        """Set the number of updates, so that schedules continue from there."""
        self.updates = updates
        self._variables["updates"].assign(updates)

    def close(self):
        """End the descent, and free its memory."""
        self._variables, self._arguments = {}, ()

    def _call(self, count):
        arguments = *self._arguments, tf.constant(count)
        variables, *tensors = arguments
        traced = self._update.get_concrete_function(variables, *of_any_size(tensors))
        return traced(*arguments)


def _rows(losses):
    """Turn a dict of arrays into a list of dicts of floats."""
    losses = {name: loss.numpy().ravel().tolist() for name, loss in losses.items()}
    return [dict(zip(losses, row)) for row in zip(*losses.values())]


def losses_and_gradient(objective, image, targets):
    """Return the losses of a tensor (1, H, W, 3), and the gradient of the total.

    If the gradient is not finite, the total is NaN. Otherwise, L-BFGS would make a step with a loss
    of NaN and undo it, again and again.
    """
    with tf.GradientTape() as tape:
        tape.watch(image)
        losses = objective(image, targets)
    gradient = tape.gradient(losses["total"], image)
    finite = tf.reduce_all(tf.math.is_finite(gradient))
    return {**losses, "total": tf.where(finite, losses["total"], np.nan)}, gradient


@functools.lru_cache(maxsize=TRACED)
def evaluation(objective):
    """Return `losses_and_gradient` of an objective as one traced function of image and targets.

    All optimizers and sizes share it.
    """

    @tf.function(autograph=False, jit_compile=getattr(objective, "xla", False))
    def evaluate(image, targets):  # autograph only makes tracing slower
        return losses_and_gradient(objective, image, targets)

    return evaluate


@functools.lru_cache(maxsize=TRACED)
def _traced(optimizer, objective):
    """Return a function that makes `count` updates and returns the losses after each.

    With a count of 0, it returns those of the current image, so one trace does both.
    """
    evaluate = evaluation(objective)
    sampled = getattr(objective, "sampled", False)

    @tf.function(autograph=False)
    def update(variables, targets, numbers, count):
        names = []

        def once(number, rows):  # an update, and the losses of its image
            # With a count of 0 the image stays as it is.
            tf.cond(count > 0, lambda: optimizer.apply_gradient(variables, numbers), lambda: None)
            # The value of a variable of open shape. Where TensorFlow's graph optimizer knows a
            # large shape, it may add gradients in any order, and runs would differ in the last
            # digit.
            image = variables["image"].read_value()
            drawn = objective.drawn(targets, variables["updates"]) if sampled else targets
            losses, gradient = evaluate(image, drawn)
            losses = optimizer.accept(variables, losses, gradient)
            variables["updates"].assign_add(tf.minimum(count, 1))
            names[:] = losses
            return number + 1, rows.write(number, tf.stack(list(losses.values())))

        evaluations = tf.maximum(count, 1)
        rows = tf.TensorArray(tf.float32, size=evaluations, element_shape=(None,))
        _, rows = tf.while_loop(
            lambda number, _: number < evaluations,
            once,
            (0, rows),
            parallel_iterations=1,
            maximum_iterations=evaluations,
        )
        rows = rows.stack()
        return {name: rows[:, column] for column, name in enumerate(names)}

    return update
