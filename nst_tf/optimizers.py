"""The loops: each walks an image downhill and yields every picture on its way."""

import collections
import contextlib
import itertools
import math
import queue
import threading
import time
from functools import partial

import keras
import numpy as np
import scipy.optimize
import tensorflow as tf

from nst_tf.errors import check_choice

TICK = 0.5  # seconds: Python gets a word in so often at least, for progress and Ctrl-C
UPHILL = 1.05  # of the best loss: a step that ends higher is undone
LONGEST = 8  # first steps: no later one is longer, in the root mean square
NO_GAIN = 1e-6  # of the loss: less is the rounding of float32
SEARCH = 100  # iterations of SciPy's L-BFGS-B, at most, until it begins again from a clean slate
PAIR = ("moved", "bent", "weight")  # what L-BFGS remembers of a step

# Decay of the learning rate: (rate, iterations, decay_rate, decay_every) -> iteration -> rate.
DECAYS = {
    "constant": lambda rate, total, decay, every: lambda i: rate,
    "cosine": lambda rate, total, decay, every: (
        lambda i: rate * 0.5 * (1 + tf.cos(np.pi * i / max(total, 1)))
    ),
    "step": lambda rate, total, decay, every: lambda i: rate * decay ** tf.floor(i / every),
    "exponential": lambda rate, total, decay, every: lambda i: rate * decay ** (i / every),
}


class LoopState:
    """What a loop knows between two updates: taken out to be saved, put in to go on from there.

    Attributes
    ----------
    kept : dict of arrays, or None
        What `take` gave in an earlier run of the same loop, which goes on with it: "image", and
        what else there is by name. It yields the iteration that was taken again, or the next one.
    take : callable
        Set by the loop. It returns such a dict for the iteration that was yielded last, or None
        where that one can't be gone on from.
    """

    def __init__(self, kept=None):
        self.kept = kept
        self.take = lambda: None


def learning_rates(decay, rate, iterations, *, decay_rate=0.96, decay_every=100):
    """Return a function from the iteration (a float tensor) to the learning rate.

    Parameters
    ----------
    decay : {"constant", "cosine", "step", "exponential"}
        "cosine" falls to 0 at the end (Loshchilov & Hutter 2017, without restarts). "step"
        multiplies by `decay_rate` at every `decay_every`-th iteration, "exponential" does so
        gradually. In CS231n's notebook the step never comes: the schedule is called once, before
        the loop, and Adam keeps the number.
    rate : float
    iterations : int
    """
    make = DECAYS[check_choice("decay", decay, DECAYS)]
    return make(rate, iterations, decay_rate, decay_every)


def minimize_adam(
    objective,
    start,
    iterations,
    *,
    learning_rate=2.0,
    schedule=None,
    beta_1=0.9,
    beta_2=0.999,
    epsilon=1e-8,
    bounds=None,
    compile_xla=False,
    wanted=lambda iteration: True,
    state=None,
    program=None,
):
    """Minimise an objective over the pixels of an image with Adam (Kingma & Ba 2015).

    Parameters
    ----------
    objective : callable
        ``image -> {name: scalar, ..., "total": scalar}``, as from `make_objective`.
    start : (1, H, W, 3) float32
    iterations : int
        Number of updates.
    learning_rate : float
        The step of most pixels, in grey levels for VGG; the tutorials take 2.
    schedule : callable, optional
        From `learning_rates`; takes the place of `learning_rate`.
    beta_1, beta_2 : float
        How long Adam remembers the gradient and its square.
    epsilon : float
        1e-8 is the paper's and TensorFlow 1's, so tutorial 0's; Keras has 1e-7.
    bounds : (low, high), optional
        Arrays (3,): after each update, pixels are put back between them.
    compile_xla : bool
        Compile the update with XLA; worth it on a GPU.
    wanted : callable
        Tells of an iteration whether its image is wanted; the first and last one always are. In
        between, several updates may go by before Python hears of them: see `TICK`.
    state : LoopState, optional
        To go on with an earlier run, or to let this one be gone on with.
    program : callable, optional
        ``make -> what make() gives``, now or earlier: what was traced for an objective of the
        same form, with the same settings.

    Yields
    ------
    (iteration, image, losses, last)
        For 0, 1, ... `iterations`: the image after that many updates, *its* losses, and whether
        it is the end. The image is None where nobody looks and it was left behind.
    """
    optimizer = keras.optimizers.Adam(learning_rate, beta_1, beta_2, epsilon)
    how = {"bounds": bounds, "compile_xla": compile_xla, "wanted": wanted, "state": state}
    how["program"] = program
    return _descend(objective, start, iterations, optimizer, schedule, **how)


def minimize_sgd(
    objective,
    start,
    iterations,
    *,
    learning_rate=100.0,
    schedule=None,
    bounds=None,
    compile_xla=False,
    wanted=lambda iteration: True,
    state=None,
    program=None,
):
    """Minimise an objective by plain gradient descent, as keras.io's example does.

    Arguments and what is yielded are those of `minimize_adam`; but the learning rate is what the
    gradient is multiplied by, so it depends on the weights of the losses.
    """
    optimizer = keras.optimizers.SGD(learning_rate)
    how = {"bounds": bounds, "compile_xla": compile_xla, "wanted": wanted, "state": state}
    how["program"] = program
    return _descend(objective, start, iterations, optimizer, schedule, **how)


def _descend(
    objective,
    start,
    iterations,
    optimizer,
    schedule,
    *,
    bounds,
    compile_xla,
    wanted,
    state,
    program,
):
    how = optimizer, schedule, bounds, compile_xla
    variables, several = _prepared(objective, start, *how, program or _made)
    del start  # a generator keeps what it can still name
    image, aims = variables["image"], _aims(objective)
    state = state or LoopState()
    pace = _Pace(wanted, iterations)
    updates = _gone_on_with(variables, state.kept)  # that the variables have seen

    def take():
        return {"updates": updates, **{name: each.numpy() for name, each in variables.items()}}

    while updates <= iterations:
        with pace.measured(pace.next(updates)) as count:
            rows = several(count - 1, aims) if count > 1 else []
            # A copy, because an update gives the losses from before it changes the image. For
            # the losses of the last image one update too many is made, and forgotten.
            current = tf.identity(image)
            rows += several(1, aims)
        iteration, updates = updates, updates + count
        for number, losses in enumerate(rows, 1):
            at_end = number == count
            state.take = take if at_end else lambda: None
            yield iteration, current if at_end else None, losses, iteration == iterations
            iteration += 1


def _prepared(objective, start, optimizer, schedule, bounds, compile_xla, program):
    """Return all variables of a descent by name, set to its start, and its traced updates."""
    shape = np.shape(start)

    def make():
        image = tf.Variable(tf.zeros(shape))
        optimizer.build([image])  # a tf.function can't create the optimiser's variables itself
        update = _make_update(objective, image, optimizer, schedule, bounds, compile_xla)
        return image, optimizer, _repeated(update, _aims(objective))

    image, optimizer, several = program(make)  # the optimiser may be one that was kept
    image.assign(start)
    _forget(optimizer)
    learned = {f"optimizer_{n}": each for n, each in enumerate(optimizer.variables)}
    return {"image": image, **learned}, several


def _gone_on_with(variables, kept):
    """Set variables to what was kept of an earlier descent; return how many updates that had."""
    if not kept:
        return 0
    for name, variable in variables.items():
        variable.assign(kept[name])
    return int(kept["updates"])


def _make_update(objective, image, optimizer, schedule, bounds, compile_xla):
    """Return one compiled update of a variable image: it gives the losses from before it."""
    read = _reader(objective, image, compile_xla)

    @tf.function(jit_compile=compile_xla, autograph=False)  # it only makes tracing slower
    def update(*aims):
        with tf.GradientTape() as tape:
            losses = objective(read(), *aims)
        gradient = tape.gradient(losses["total"], image)
        if schedule is not None:  # in here, so that it is asked anew at every update
            optimizer.learning_rate.assign(schedule(tf.cast(optimizer.iterations, tf.float32)))
        optimizer.apply_gradients([(gradient, image)])
        if bounds is not None:
            image.assign(tf.clip_by_value(image, *bounds))
        return losses

    return update


def _forget(optimizer):
    """Put an optimiser back to before its first update: all that it learns begins at 0."""
    for variable in optimizer.variables:
        if variable is not optimizer.learning_rate:
            variable.assign(tf.zeros_like(variable))


def _made(make):
    return make()


def _aims(objective):
    """Return what an objective takes beside the image: nothing, if it is any function."""
    return getattr(objective, "aims", [])


def _open(aims):
    """Return what aims look like; height and width of maps are open, as in `_reader`."""
    shapes = [(1, None, None, each.shape[3]) if each.ndim == 4 else each.shape for each in aims]
    return [tf.TensorSpec(shape, each.dtype) for shape, each in zip(shapes, aims)]


def _repeated(update, aims):
    """Return a function that does so many updates in one call, and returns losses for each."""
    # Traced once and called as it is: TensorFlow warns when functions of one name are traced
    # again and again, and many runs in a notebook are no cause for alarm.
    traced = update.get_concrete_function(*_open(aims))
    names = sorted(traced.structured_outputs)

    @tf.function(autograph=False)
    def several(count, *aims):
        def once(number, rows):
            losses = traced(*aims)
            return number + 1, rows.write(number, tf.stack([losses[name] for name in names]))

        rows = tf.TensorArray(tf.float32, size=count, element_shape=(len(names),))
        how = {"parallel_iterations": 1, "maximum_iterations": count}
        return tf.while_loop(lambda number, _: number < count, once, (0, rows), **how)[1].stack()

    repeated = several.get_concrete_function(tf.TensorSpec((), tf.int32), *_open(aims))

    def rows(count, aims):
        return [dict(zip(names, row)) for row in repeated(tf.constant(count), *aims).numpy()]

    return rows


class _Pace:
    """How many updates one call does: a `TICK`'s worth, and never past a wanted image."""

    def __init__(self, wanted, iterations):
        self.wanted = wanted
        self.iterations = iterations
        self.affordable = 1

    def next(self, iteration):
        """Return how many updates the next call does."""
        count = 1
        left = self.iterations - iteration
        while count <= min(self.affordable - 1, left) and not self.wanted(iteration + count - 1):
            count += 1
        return count

    @contextlib.contextmanager
    def measured(self, count):
        """Learn from a call that does `count` updates how many the next one can afford."""
        began = time.perf_counter()
        yield count
        seconds = (time.perf_counter() - began) / count
        self.affordable = min(max(int(TICK / seconds), 1), 2 * self.affordable)


def minimize_lbfgs(
    objective,
    start,
    iterations,
    *,
    history=20,
    bounds=None,
    compile_xla=False,
    state=None,
    program=None,
):
    """Minimise an objective over the pixels of an image with L-BFGS-B (Byrd et al. 1995).

    Losses and gradient are computed where TensorFlow computes (on the GPU, if there is one);
    SciPy chooses the step, in float64. It has no learning rate. An iteration may try several
    steps, so it costs one evaluation or a few.

    Parameters
    ----------
    objective, start, bounds, compile_xla, program
        As for `minimize_adam`; the bounds hold at every step.
    iterations : int
        At most so many. SciPy's tolerances are off; when it finds no step further downhill, the
        memory is cleared and the search begun again from there. Only when that gains less than
        a millionth does the run end early, with `last` true.
    state : LoopState, optional
        As for `minimize_adam`. SciPy does not tell what it remembers, so the search is also begun
        again after every `SEARCH` iterations, and can be gone on with from there only.
    history : int
        Pairs of vectors that are remembered, each twice the size of the picture.

    Yields
    ------
    (iteration, image, losses, last)
        As `minimize_adam`.
    """
    state = state or LoopState()
    begun, start = _kept_pixels(state.kept) if state.kept else (0, start)
    shape = np.shape(start)
    box = None if bounds is None else _box(bounds, shape)
    latest = {}  # the losses at the point that was last evaluated
    image, compute = (program or _made)(lambda: _losses_and_gradient(objective, shape, compile_xla))
    aims = _aims(objective)

    def total_and_gradient(pixels):
        image.assign(pixels.reshape(shape))
        losses, gradient = compute(*aims)
        latest.update(pixels=pixels.copy(), losses=losses)
        return float(losses["total"]), gradient.numpy().ravel().astype(np.float64)

    def run(report, check):
        def checked(pixels):
            check()
            return total_and_gradient(pixels)

        def told(pixels, forgets):
            if not np.array_equal(latest.get("pixels"), pixels):
                total_and_gradient(pixels)
            kept = pixels.reshape(shape).copy() if forgets else None
            report((latest["losses"], tf.identity(image), kept))

        pixels = np.asarray(start, np.float64).ravel()
        pixels = pixels if box is None else np.clip(pixels, box.lb, box.ub)
        told(pixels, True)
        _search(checked, pixels, iterations - begun, history, box, told)

    for iteration, ((losses, current, kept), last) in enumerate(_pulled(run), begun):
        state.take = partial(_packed_pixels, iteration, kept)
        yield iteration, current, losses, last


def _packed_pixels(iteration, pixels):
    return None if pixels is None else {"iteration": np.asarray(iteration), "image": pixels}


def _kept_pixels(kept):
    return int(kept["iteration"]), kept["image"]


def _reader(objective, image, compile_xla):
    """Return a function that reads a variable image, with its size unknown where possible.

    Where TensorFlow's graph optimizer knows every shape and expects more than 0.8 x 256 MiB in
    use (the memory that it assumes for a CPU), it replaces a sum of three or more tensors
    (AddN, as a gradient has them) by a variable to which each is added as soon as it is there.
    That order varies, so repeated runs would differ in the last digit, and later in the picture.
    The optimizer cannot see the value of a variable, so a shape read from one stays unknown to
    it. (XLA needs the size, and keeps the order.)
    """
    through = getattr(objective, "through", None)
    if compile_xla or through is None or not through.any_size:
        return image.read_value
    size, known = tf.Variable(image.shape, trainable=False), (1, None, None, image.shape[3])
    return lambda: tf.ensure_shape(tf.reshape(image, size), known)


def _losses_and_gradient(objective, shape, compile_xla):
    """Return a variable image, and a compiled function: its losses for aims, and their slope."""
    image = tf.Variable(tf.zeros(shape))
    read = _reader(objective, image, compile_xla)

    @tf.function(jit_compile=compile_xla, autograph=False)
    def losses_and_gradient(*aims):
        with tf.GradientTape() as tape:
            losses = objective(read(), *aims)
        return losses, tape.gradient(losses["total"], image)

    return image, losses_and_gradient.get_concrete_function(*_open(_aims(objective)))


def _search(total_and_gradient, pixels, iterations, history, box, told):
    """Run SciPy's L-BFGS-B, and begin again where it gives up, until nothing is gained.

    `told` gets the pixels of each iteration, and whether all else is forgotten there.
    """
    done = 0
    while done < iterations:
        before, gradient = total_and_gradient(pixels)
        steepest = np.abs(gradient).max()
        if steepest == 0 or not np.isfinite(before + steepest):
            return
        # Within bounds L-BFGS-B begins with the gradient itself as its step, be it a millionth
        # of a grey level or a million: so the total is scaled until that is a fair first step.
        scale = _first_step(box) / steepest
        most = min(iterations - done, SEARCH)
        options = {"maxiter": most, "maxfun": 10**9, "maxcor": history}
        options.update(ftol=0.0, gtol=0.0)  # the defaults stop where a picture still improves
        steps = itertools.count(1)
        result = scipy.optimize.minimize(
            lambda x, scale=scale: tuple(scale * y for y in total_and_gradient(x)),
            pixels,
            jac=True,
            method="L-BFGS-B",
            bounds=box,
            callback=lambda x, steps=steps, most=most: told(x, next(steps) == most),
            options=options,
        )
        pixels, done = result.x, done + result.nit
        if not before - result.fun / scale > NO_GAIN * abs(before):  # NaN ends it too
            return


def _first_step(box):
    """Return how far the steepest pixel goes at first: a hundredth of its range, or 1."""
    return 1.0 if box is None else float(np.max(box.ub - box.lb)) / 100


def _box(bounds, shape):
    low, high = (np.broadcast_to(bound, shape).ravel().astype(np.float64) for bound in bounds)
    return scipy.optimize.Bounds(low, high)


def minimize_lbfgs_fixed(
    objective,
    start,
    iterations,
    *,
    history=10,
    bounds=None,
    compile_xla=False,
    keep=tf.identity,
    state=None,
    program=None,
):
    """Minimise an objective over the pixels of an image with L-BFGS and no line search.

    The search direction of L-BFGS (Nocedal 1980) is taken as the step: one evaluation an
    iteration, and all on the device. It is what Torch's optimiser does, and so most of the
    field's programs; here pixels are put back between the bounds, and a step uphill is undone.

    Parameters
    ----------
    objective, start, iterations, bounds, compile_xla, state, program
        As for `minimize_adam`.
    history : int
        Pairs of images that are remembered.
    keep : callable
        Copies what is remembered: `in_numpy` puts it, and all the arithmetic, outside of
        TensorFlow's memory, which large arrays that stay would cut into pieces.

    Yields
    ------
    (iteration, image, losses, last)
        As `minimize_adam`. After a step uphill by more than `UPHILL`, the best image so far is
        yielded again, the memory is cleared, and the next first step is half as long.
    """
    shape = np.shape(start)
    image, compute = (program or _made)(lambda: _losses_and_gradient(objective, shape, compile_xla))
    image.assign(start)
    del start  # a generator keeps what it can still name
    aims = _aims(objective)
    pairs = collections.deque(maxlen=history)
    first = 1.0 if bounds is None else float(np.max(np.subtract(*bounds[::-1]))) / 100
    best, before, begun = None, None, 0
    state = state or LoopState()
    if state.kept:
        begun, first, best, before = _unpacked(state.kept, image, pairs, keep)

    for iteration in range(begun, iterations + 1):
        losses, gradient = compute(*aims)
        total, current, gradient = float(losses["total"]), keep(image), keep(gradient)
        if best and not total < UPHILL * best[0]:  # NaN is uphill too
            total, current, losses, gradient = best
            before, first = None, first / 2
            pairs.clear()
        if best is None or total < best[0]:
            best = total, current, losses, gradient
        # Gone on with, it computes the losses of this image again and finds them as they are.
        state.take = partial(_packed, iteration, current, first, best, before, pairs)
        yield iteration, current, losses, iteration == iterations
        if iteration == iterations:
            return  # no step that nobody looks at
        if before:
            _remember(pairs, current, gradient, *before)
        before, state.take = None, lambda: None  # of a large picture, each array less counts
        image.assign(_moved(current, gradient, pairs, first, bounds))
        before = current, gradient


def _packed(iteration, image, first, best, before, pairs):
    """Return all that `minimize_lbfgs_fixed` knows as arrays by name."""
    total, best_image, losses, best_gradient = best
    arrays = {"iteration": iteration, "image": image, "first": first, "best_total": total}
    arrays |= {f"best_loss_{name}": loss for name, loss in losses.items()}
    arrays |= {"best_image": best_image, "best_gradient": best_gradient}
    if before:
        arrays |= {"before_image": before[0], "before_gradient": before[1]}
    for number, pair in enumerate(pairs):
        arrays |= dict(zip((f"{name}_{number}" for name in PAIR), pair))
    return {name: np.asarray(array) for name, array in arrays.items()}


def _unpacked(kept, image, pairs, keep):
    """Put what `_packed` gave back to where it was."""

    def back(name):
        return keep(tf.constant(kept[name]))

    image.assign(kept["image"])
    losses = {name[10:]: tf.constant(kept[name]) for name in kept if name.startswith("best_loss_")}
    best = float(kept["best_total"]), back("best_image"), losses, back("best_gradient")
    before = (back("before_image"), back("before_gradient")) if "before_image" in kept else None
    for number in range(pairs.maxlen):
        if f"moved_{number}" in kept:
            moved, bent, weight = (f"{name}_{number}" for name in PAIR)
            pairs.append((back(moved), back(bent), float(kept[weight])))
    return int(kept["iteration"]), float(kept["first"]), best, before


def in_numpy(x):
    """Return a tensor's or variable's numbers as an array of NumPy: a copy."""
    return x.numpy()


def _moved(image, gradient, pairs, first, bounds):
    """Return the image after a step."""
    moved = image - _step(gradient, pairs, first)
    return moved if bounds is None else tf.clip_by_value(moved, *bounds)


def _step(gradient, pairs, first):
    """Return a step along the gradient, or Newton's if there are pairs to know it by."""
    if not pairs:
        return gradient * (first / max(_root_mean_square(gradient), 1e-30))
    step = _newton_step(gradient, pairs)
    return step * min(1.0, LONGEST * first / max(_root_mean_square(step), 1e-30))


def _remember(pairs, image, gradient, image_before, gradient_before):
    """Keep a step and the change of the gradient along it, if it curves upwards."""
    moved, bent = image - image_before, gradient - gradient_before
    curvature = _dot(moved, bent)
    if curvature > 1e-10 * _dot(bent, bent):
        pairs.append((moved, bent, 1 / curvature))


def _newton_step(gradient, pairs):
    """Return the inverse of the Hessian, as the pairs know it, times the gradient: two loops."""
    shares = []
    for moved, bent, weight in reversed(pairs):
        shares.append(weight * _dot(moved, gradient))
        gradient = gradient - shares[-1] * bent
    _, bent, weight = pairs[-1]
    gradient = gradient * (1 / (weight * _dot(bent, bent)))
    for (moved, bent, weight), share in zip(pairs, reversed(shares)):
        gradient = gradient + moved * (share - weight * _dot(bent, gradient))
    return gradient


def _root_mean_square(x):
    return math.sqrt(_dot(x, x) / math.prod(x.shape))


def _dot(one, other):
    """Return the sum of products of two arrays, of TensorFlow or NumPy, as a number."""
    if isinstance(one, np.ndarray):
        return float(np.einsum("bhwc,bhwc->h", one, other).sum())  # no array of products
    return float(tf.reduce_sum(one * other))


class _Stopped(Exception):
    """Nobody listens any more."""


def _pulled(run):
    """Turn ``run(report, check)``, which pushes, into a generator of (item, is it the last).

    SciPy's minimiser calls back and can't be asked for its next step; so it works in a thread
    of its own, at most two items ahead. `check` ends it there when nobody listens any more.
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
        except BaseException as error:  # it belongs to whoever pulls
            items.put(("error", error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield from _with_last(iter(items.get, ("end", None)))
    finally:
        stopped.set()
        while thread.is_alive():  # it may be waiting to hand over an item
            with contextlib.suppress(queue.Empty):
                items.get(timeout=0.05)


def _with_last(messages):
    """Hold each item back until it is known whether another follows."""
    held = []
    for kind, value in messages:
        if kind == "error":
            raise value
        if held:
            yield held.pop(), False
        held.append(value)
    yield held.pop(), True
