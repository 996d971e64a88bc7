"""SciPy's L-BFGS-B, which calls the objective and therefore runs in its own thread."""

import contextlib
import itertools
import math
import queue
import threading
from dataclasses import dataclass, field

import numpy as np
import scipy.optimize
import tensorflow as tf

from nst_tf.objective.objective import ANY_SIZE, of_any_size
from nst_tf.optim.descent import evaluation

NO_GAIN = 1e-6  # of the loss: less is the rounding of float32
SEARCH = 100  # iterations of SciPy's L-BFGS-B, at most, until it is restarted without memory


@dataclass(frozen=True)
class ScipyLBFGS:
    """L-BFGS-B (Byrd et al. 1995) of SciPy.

    TensorFlow computes losses and gradient (on the GPU, if there is one), and SciPy chooses the
    step, in float64. There is no learning rate. An iteration may try several steps, so it takes one
    or a few evaluations. SciPy's tolerances are off: if it finds no step that decreases the loss,
    its history is cleared and the search restarts from there. The descent ends early only if a
    restart gains less than a millionth.

    Attributes
    ----------
    iterations : int, optional
        Maximum; default: the run's, or unlimited.
    history : int
        Number of pairs of vectors to store, each pair twice the size of the picture.
    bounds : (low, high), optional
        Arrays (3,): bounds of the pixels at every step.
    """

    iterations: int | None = None
    history: int = 20
    bounds: tuple | None = field(default=None, compare=False)

    @property
    def image_arrays(self):
        """Arrays of the image's size, in float32."""
        return 20 + 4 * self.history

    def start(self, objective, targets, image):
        """Begin a descent and return it."""
        return ScipyDescent(self, objective, targets, image)


class ScipyDescent:
    """As `Descent`; SciPy's thread yields the pictures one at a time."""

    def __init__(self, optimizer, objective, targets, image):
        self.optimizer, self.objective = optimizer, objective
        self.updates = 0
        self._evaluate = evaluation(objective)
        self._shape = getattr(objective, "image_shape", ANY_SIZE)
        self._targets = targets
        self._pixels = np.asarray(image, np.float64)
        self._restart = self._pixels  # where SciPy remembers nothing; None elsewhere
        self._points, self._next, self._evaluated = None, None, None
        self.losses, _ = self._losses_and_gradient(self._pixels)

    @property
    def converged(self):
        """Whether there is nothing more to gain: this computes the next image."""
        if self._points is None:
            self._points = _pulled(self._search)
            self._next = next(self._points, None)
        return self._next is None

    def update(self, count=1):
        """Make up to `count` iterations; return the losses after each, a list of dicts."""
        rows = []
        while len(rows) < count and not self.converged:
            self.losses, self._pixels, restart = self._next
            self._restart = self._pixels if restart else None
            self._next = next(self._points, None)
            self.updates += 1
            rows.append(self.losses)
        return rows

    def image(self):
        """Return the current image, a tensor (1, H, W, 3)."""
        return tf.constant(self._pixels, tf.float32)

    def best_image(self):
        """Return the image of the lowest loss: the current one, as no step increases the loss."""
        return self.image()

    def tracked(self):
        """Return nothing: see `Descent.tracked`."""
        return {}

    def state(self):
        """Return what to continue from; None between restarts: SciPy hides its history."""
        if self._restart is None:
            return None
        return {"updates": np.asarray(self.updates), "image": self._restart}

    def restore(self, state):
        """Continue from what `state` returned."""
        self.updates = int(state["updates"])
        self._pixels = self._restart = np.asarray(state["image"], np.float64)

    def skip(self, updates):
        """Set the number of updates."""
        self.updates = updates

    def close(self):
        """End SciPy's thread."""
        if self._points is not None:
            self._points.close()

    def _losses_and_gradient(self, image):
        """Return losses and gradient; SciPy asks for those of one image several times in a row."""
        if self._evaluated is None or not np.array_equal(self._evaluated[0], image):
            self._evaluated = image.copy(), *self._computed(image)
        return self._evaluated[1:]

    def _computed(self, image):
        evaluate = self._evaluate.get_concrete_function(
            tf.TensorSpec(self._shape), of_any_size(self._targets)
        )
        losses, gradient = evaluate(tf.constant(image, tf.float32), self._targets)
        return {name: float(loss) for name, loss in losses.items()}, gradient.numpy()

    def _search(self, report, check):
        """Run SciPy's L-BFGS-B, and restart it when it stops, until there is no gain."""
        shape = self._pixels.shape
        box = None if self.optimizer.bounds is None else _box(self.optimizer.bounds, shape)

        def total_and_gradient(pixels):
            check()
            losses, gradient = self._losses_and_gradient(pixels.reshape(shape))
            return losses["total"], gradient.ravel().astype(np.float64)

        def report_point(pixels, restart):
            losses, _ = self._losses_and_gradient(pixels.reshape(shape))
            report((losses, pixels.reshape(shape).copy(), restart))

        pixels = self._pixels.ravel()
        pixels = pixels if box is None else np.clip(pixels, box.lb, box.ub)
        left = (self.optimizer.iterations or math.inf) - self.updates
        while left > 0:
            before, gradient = total_and_gradient(pixels)
            steepest = np.abs(gradient).max()
            if steepest == 0 or not np.isfinite(before + steepest):
                return
            # With bounds, the first step of L-BFGS-B is the gradient, which can be a millionth of a
            # gray level or a million. Scale the total to get a reasonable first step.
            scale = _first_step(box) / steepest
            most = min(left, SEARCH)
            options = {"maxiter": most, "maxfun": 10**9, "maxcor": self.optimizer.history}
            options.update(ftol=0.0, gtol=0.0)  # the defaults stop before a picture is finished
            steps = itertools.count(1)
            result = scipy.optimize.minimize(
                lambda x, scale=scale: tuple(scale * y for y in total_and_gradient(x)),
                pixels,
                jac=True,
                method="L-BFGS-B",
                bounds=box,
                callback=lambda x, steps=steps, most=most: report_point(x, next(steps) == most),
                options=options,
            )
            pixels, left = result.x, left - result.nit
            if not before - result.fun / scale > NO_GAIN * abs(before):  # NaN ends it too
                return


def _first_step(box):
    """Return how far the steepest pixel moves at first: a hundredth of its range, or 1."""
    return 1.0 if box is None else float(np.max(box.ub - box.lb)) / 100


def _box(bounds, shape):
    low, high = (np.broadcast_to(bound, shape).ravel().astype(np.float64) for bound in bounds)
    return scipy.optimize.Bounds(low, high)


class _Stopped(Exception):
    """The consumer has stopped."""


def _pulled(run):
    """Turn ``run(report, check)``, which pushes items, into a generator of them.

    SciPy's minimizer uses callbacks and can't run step by step. It therefore runs in its own
    thread, at most one item ahead. `check` ends it when the generator is closed.
    """
    items = queue.Queue(maxsize=1)
    stopped = threading.Event()

    def check():
        if stopped.is_set():
            raise _Stopped

    def report(item):
        check()
        items.put(("item", item))

    def work():
        try:
            run(report, check)
            items.put(("end", None))
        except _Stopped:
            pass
        except BaseException as error:  # raised again in the consumer's thread
            items.put(("error", error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        for kind, value in iter(items.get, ("end", None)):
            if kind == "error":
                raise value
            yield value
    finally:
        stopped.set()
        while thread.is_alive():  # it may be waiting to hand over an item
            with contextlib.suppress(queue.Empty):
                items.get(timeout=0.05)
