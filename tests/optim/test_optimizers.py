"""The optimisers: minima, schedules, bounds, how they end."""

import contextlib
import threading
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from pictures import make_picture

from nst_tf import ConfigError, Diverged, Interrupted, Objective, style_transfer
from nst_tf.config import DECAYS as KNOB
from nst_tf.config import OPTIMIZERS
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.optim import LBFGS, SGD, Adam, KerasOptimizer, ScipyLBFGS
from nst_tf.optim.decay import DECAYS, learning_rate_at
from nst_tf.optim.lbfgs import two_loops

CONTENT = VGG_PIXELS.to_image(make_picture(37, 45))
STYLE = VGG_PIXELS.to_image(make_picture(50, 41, seed=1))
CENTRE = np.random.default_rng(0).uniform(-3, 3, (1, 4, 5, 3)).astype(np.float32)
STRETCH = np.random.default_rng(1).uniform(0.5, 3, (1, 4, 5, 3)).astype(np.float32)
OPTIMIZER = {  # and the iterations that it needs for the bowl
    "adam": (Adam(0.05), 600),
    "lbfgs": (ScipyLBFGS(60), 60),
    "lbfgs-fixed": (LBFGS(), 60),
    "sgd": (SGD(0.1), 200),
    "keras": (KerasOptimizer(keras.optimizers.RMSprop(0.002, rho=0.9)), 2000),
}


def bowl(image, targets):
    """A convex problem that is steeper in some directions than in others."""
    return {"total": tf.reduce_sum(STRETCH * tf.square(image - CENTRE))}


def descended(name, start, iterations=None, **changes):
    """Yield the image and the losses after 0, 1, 2, ... updates, one call each."""
    optimizer, usual = OPTIMIZER[name]
    iterations = usual if iterations is None else iterations
    with contextlib.closing(replace(optimizer, **changes).start(bowl, (), start)) as descent:
        yield descent.image(), descent.losses
        while descent.updates < iterations and not descent.converged:
            (losses,) = descent.update()
            yield descent.image(), losses


@pytest.mark.parametrize("name", OPTIMIZER)
def test_every_optimizer_reaches_the_same_minimum(name):
    optimizer, iterations = OPTIMIZER[name]
    with contextlib.closing(optimizer.start(bowl, (), np.zeros_like(CENTRE))) as descent:
        rows = descent.update(iterations)
        np.testing.assert_allclose(descent.image(), CENTRE, atol=2e-3)
        assert rows[-1]["total"] < 1e-3
        assert len(rows) == descent.updates == iterations or descent.converged


@pytest.mark.parametrize("name", OPTIMIZER)
def test_every_optimizer_stays_within_its_bounds_at_every_step(name):
    low, high = np.full(3, -1, np.float32), np.array([0.5, 1, 2], np.float32)
    for image, _ in descended(name, np.zeros_like(CENTRE), bounds=(low, high)):
        assert (image.numpy() >= low - 1e-6).all()
        assert (image.numpy() <= high + 1e-6).all()
    np.testing.assert_allclose(image, np.clip(CENTRE, low, high), atol=2e-3)


@pytest.mark.parametrize("name", OPTIMIZER)
def test_every_optimizer_reports_the_start_and_the_losses_of_each_image(name):
    steps = list(descended(name, np.ones_like(CENTRE)))
    np.testing.assert_array_equal(steps[0][0], np.ones_like(CENTRE))
    for image, losses in steps[:3] + steps[-1:]:
        np.testing.assert_allclose(losses["total"], bowl(image, ())["total"], rtol=1e-5)


@pytest.mark.parametrize("name", OPTIMIZER)
def test_several_updates_in_one_call_are_those_of_several_calls(name):
    single = [losses["total"] for _, losses in descended(name, np.ones_like(CENTRE), 12)]
    optimizer, _ = OPTIMIZER[name]
    with contextlib.closing(optimizer.start(bowl, (), np.ones_like(CENTRE))) as descent:
        rows = [descent.losses, *descent.update(5), *descent.update(7)]
    np.testing.assert_allclose([row["total"] for row in rows], single, rtol=1e-4, atol=1e-6)


def test_a_keras_optimizer_takes_its_own_steps_and_is_not_changed(tiny_model):
    adam = keras.optimizers.Adam(2.0, epsilon=1e-8)
    how = {"iterations": 5, "learning_rate": 2.0}
    ours = style_transfer(CONTENT, STYLE, tiny_model, **how)
    keras_own = style_transfer(CONTENT, STYLE, tiny_model, optimizer=adam, **how)
    np.testing.assert_allclose(keras_own.image, ours.image, atol=1e-3)
    assert not adam.built


@pytest.mark.parametrize("weight", [1e-8, 1e8])
@pytest.mark.parametrize("limit", [None, 2.0])
def test_lbfgs_does_not_depend_on_the_size_of_the_loss(weight, limit):
    bounds = None if limit is None else (np.full(3, -limit), np.full(3, limit))
    evaluations = []

    def weighted(image, targets):
        tf.py_function(lambda: evaluations.append(1), [], [])
        return {"total": weight * bowl(image, ())["total"]}

    optimizer = ScipyLBFGS(30, bounds=bounds)
    with contextlib.closing(optimizer.start(weighted, (), np.zeros_like(CENTRE))) as descent:
        descent.update(30)
    np.testing.assert_allclose(descent.image(), np.clip(CENTRE, *(bounds or (-9, 9))), atol=2e-2)
    assert len(evaluations) < 100


# ------------------------------------------------------------------ schedules


def rate_at(decay, iteration, **how):
    return float(learning_rate_at(iteration, decay=decay, learning_rate=3.0, iterations=200, **how))


def test_decays_are_their_formulas():
    assert rate_at("constant", 150) == 3
    np.testing.assert_allclose(
        [rate_at("cosine", i) for i in (0, 100, 200)], [3, 1.5, 0], atol=1e-6
    )
    cs231n = {"decay_every": 180, "decay_rate": 0.1 / 3}
    np.testing.assert_allclose(
        [rate_at("step", i, **cs231n) for i in (0, 179, 180, 199)], [3, 3, 0.1, 0.1], rtol=1e-5
    )
    np.testing.assert_allclose(rate_at("exponential", 50), 3 * 0.96**0.5, rtol=1e-5)
    assert tuple(DECAYS) == KNOB


def test_the_decay_comes_while_it_runs():
    """CS231n's notebook asks for the rate once, before the loop, and so never decays."""

    def slope(image, targets):
        return {"total": tf.reduce_sum(image)}  # the gradient is 1: each step is the rate

    adam = Adam(1.0, decay="step", iterations=6, decay_rate=0.1, decay_every=3)
    descent = adam.start(slope, (), np.zeros((1, 1, 1, 3)))
    images = [descent.image().numpy()]
    for _ in range(6):
        descent.update()
        images.append(descent.image().numpy())
    steps = -np.diff([image[0, 0, 0, 0] for image in images])
    np.testing.assert_allclose(steps, [1, 1, 1, 0.1, 0.1, 0.1], rtol=1e-3)


def test_an_unknown_decay_lists_the_choices():
    with pytest.raises(ConfigError, match="`decay` is 'linear'; choose from constant, cosine"):
        rate_at("linear", 1)


# ------------------------------------------------------------------ several updates a call


@pytest.mark.parametrize("name", ["adam", "sgd", "lbfgs", "lbfgs-fixed"])
def test_several_updates_go_by_in_one_call_where_nobody_looks(name, tiny_model, monkeypatch):
    monkeypatch.setattr("nst_tf.transfer.TICK", 1e9)  # any machine is fast enough

    def steps(look_every):
        seen = []

        def look(step):
            seen.append((step.iteration, step.image, step.losses["total"], step.last))

        look.look_every = look_every
        how = {"optimizer": name, "learning_rate": 1e-7 if name == "sgd" else None}
        style_transfer(CONTENT, STYLE, tiny_model, iterations=40, callbacks=[look], **how)
        return seen

    looked, unseen = steps(1), steps(10)
    assert all(image is not None for _, image, _, _ in looked)
    images = [iteration for iteration, image, _, _ in unseen if image is not None]
    assert len(images) < len(unseen) / 2
    assert set(range(0, len(unseen), 10)) <= set(images)
    assert images[-1] == len(unseen) - 1
    for (i, one, loss, last), (j, two, same, end) in zip(looked, unseen, strict=True):
        assert (i, last) == (j, end)
        np.testing.assert_allclose(same, loss, rtol=1e-4)
        if two is not None:
            np.testing.assert_allclose(two, one, atol=0.1)


def test_a_callback_that_looks_seldom_finds_its_pictures(tiny_model):
    seen = {}

    def look(step):
        seen[step.iteration] = step.image is not None and step.picture().shape

    look.look_every = 7
    style_transfer(CONTENT, STYLE, tiny_model, iterations=30, callbacks=[look])
    assert sorted(seen) == list(range(31))
    assert all(seen[i] == (37, 45, 3) for i in (0, 7, 14, 21, 28, 30))


def test_a_picture_that_nobody_said_they_would_look_at_is_refused(tiny_model, monkeypatch):
    monkeypatch.setattr("nst_tf.transfer.TICK", 1e9)

    def look(step):
        if step.iteration == 25:
            step.picture()

    look.look_every = 30
    with pytest.raises(
        ConfigError, match="no picture of iteration 25: the callbacks' `look_every`"
    ):
        style_transfer(CONTENT, STYLE, tiny_model, iterations=30, callbacks=[look])


# ------------------------------------------------------------------ L-BFGS


class Bowl:
    """A term without features: how far the pixels are from the content's."""

    name, weight, layers = "bowl", 1.0, ()

    def targets(self, objective, content_image, styles):
        return tf.constant(content_image)

    def loss(self, features, image, target):
        return tf.reduce_sum(tf.square(image - target))


def test_lbfgs_says_that_it_converged_and_where(tiny_model):
    objective = Objective(tiny_model, [Bowl()])
    descent = ScipyLBFGS(500).start(objective, objective.targets(CONTENT), np.zeros_like(CONTENT))
    while not descent.converged:
        descent.update()
    assert 0 < descent.updates < 100
    np.testing.assert_allclose(descent.image(), CONTENT, atol=1e-2)


def test_a_converged_run_tells_its_callbacks_the_end(tiny_model):
    seen = []
    result = style_transfer(
        CONTENT,
        None,
        tiny_model,
        optimizer="lbfgs",
        iterations=50,
        tv_weight=0,
        callbacks=[lambda step: seen.append((step.iteration, step.last))],
    )
    assert result.converged  # it starts at the content, so nothing is left to gain
    assert result.iterations == 0
    assert seen == [(0, True)]


def test_lbfgs_goes_lower_than_adam_in_as_many_iterations(tiny_model):
    def final(optimizer):
        result = style_transfer(
            CONTENT, STYLE, tiny_model, optimizer=optimizer, iterations=40, learning_rate=2.0
        )
        return result.history[-1]["total"]

    assert final("lbfgs") < final("adam")


def test_lbfgs_ends_its_thread_when_nobody_listens_any_more(tiny_model):
    before = threading.active_count()

    def stop(step):
        if step.iteration == 2:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stopped:
        style_transfer(
            CONTENT, STYLE, tiny_model, optimizer="lbfgs", iterations=100, callbacks=[stop]
        )
    assert stopped.value.result.iterations == 2
    assert threading.active_count() == before


def test_lbfgs_ends_at_a_loss_that_is_no_number(tiny_model):
    with pytest.raises(Diverged, match="not finite before the first iteration"):
        style_transfer(
            CONTENT, STYLE, tiny_model, init_image=0 * CONTENT, optimizer="lbfgs", alpha=1e38
        )

    def falls_off(image, targets):  # fine at first, no number a step further
        return {"total": tf.reduce_sum(tf.math.log(image - 0.999))}

    descent = ScipyLBFGS(20).start(falls_off, (), np.ones((1, 2, 2, 3)))
    descent.update(20)
    assert descent.converged


@pytest.mark.slow
def test_only_a_run_that_found_nothing_more_has_converged(tiny_model):
    def stop(step):
        if step.iteration == 1:
            raise KeyboardInterrupt

    for optimizer in OPTIMIZERS:
        how = {"optimizer": optimizer, "iterations": 5, "learning_rate": 1e-3}
        assert not style_transfer(CONTENT, STYLE, tiny_model, **how).converged
        with pytest.raises(Interrupted) as stopped:
            style_transfer(CONTENT, STYLE, tiny_model, callbacks=[stop], **how)
        assert not stopped.value.result.converged


def test_an_error_inside_lbfgs_reaches_the_caller():
    calls = []

    def broken(image, targets):
        def check():
            calls.append(1)
            if len(calls) > 1:
                raise ValueError("a broken objective")

        tf.py_function(check, [], [])
        return {"total": tf.reduce_sum(tf.square(image))}

    descent = ScipyLBFGS(5).start(broken, (), np.ones((1, 2, 2, 3)))
    with pytest.raises(tf.errors.OpError, match="a broken objective"):
        descent.update(5)


def test_the_two_loops_are_the_textbooks():
    """Nocedal 1980, on vectors; ours runs on coefficients. The memory is a ring."""
    random, m, stored = np.random.default_rng(0), 4, 6
    pairs = random.normal(size=(stored, 2, 30))
    pairs[:, 1] += 2 * pairs[:, 0]  # curved upwards
    gradient = random.normal(size=30)

    direction, shares = gradient.copy(), []
    for step, change in pairs[:-5:-1]:
        shares.append(step @ direction / (step @ change))
        direction -= shares[-1] * change
    step, change = pairs[-1]
    direction *= step @ change / (change @ change)
    for (step, change), share in zip(pairs[-4:], shares[::-1]):
        direction += step * (share - change @ direction / (step @ change))

    memory = np.zeros((2 * m, 30))
    for number, (step, change) in enumerate(pairs):
        memory[number % m], memory[m + number % m] = step, change
    coefficients = two_loops(
        tf.constant(memory @ memory.T, tf.float32),
        tf.constant(memory @ gradient, tf.float32),
        tf.constant(stored),
        m,
    )
    ours = coefficients.numpy() @ np.vstack([memory, gradient])
    np.testing.assert_allclose(ours, direction, rtol=1e-3, atol=1e-4)
