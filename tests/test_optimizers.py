"""The optimisers: minima, schedules, bounds, how they end."""

import threading

import numpy as np
import pytest
import tensorflow as tf
from conftest import make_picture

from nst_tf import (
    ConfigError,
    Diverged,
    Interrupted,
    learning_rates,
    make_objective,
    minimize_adam,
    minimize_lbfgs,
    minimize_lbfgs_fixed,
    minimize_sgd,
    style_transfer,
)
from nst_tf.config import DECAYS as KNOB
from nst_tf.config import OPTIMIZERS
from nst_tf.images import VGG_PIXELS
from nst_tf.optimizers import DECAYS, in_numpy
from nst_tf.terms import Term

CONTENT = VGG_PIXELS.to_image(make_picture(37, 45))
STYLE = VGG_PIXELS.to_image(make_picture(50, 41, seed=1))
CENTRE = np.random.default_rng(0).uniform(-3, 3, (1, 4, 5, 3)).astype(np.float32)
STRETCH = np.random.default_rng(1).uniform(0.5, 3, (1, 4, 5, 3)).astype(np.float32)
MINIMIZERS = {
    "adam": lambda *args, **how: minimize_adam(*args, 600, learning_rate=0.05, **how),
    "lbfgs": lambda *args, **how: minimize_lbfgs(*args, 60, **how),
    "lbfgs-fixed": lambda *args, **how: minimize_lbfgs_fixed(*args, 60, **how),
    "sgd": lambda *args, **how: minimize_sgd(*args, 200, learning_rate=0.1, **how),
}


def bowl(image):
    """A convex problem that is steeper in some directions than in others."""
    return {"total": tf.reduce_sum(STRETCH * tf.square(image - CENTRE))}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_reaches_the_same_minimum(name):
    *_, (_, image, losses, last) = MINIMIZERS[name](bowl, np.zeros_like(CENTRE))
    np.testing.assert_allclose(image, CENTRE, atol=2e-3)
    assert float(losses["total"]) < 1e-3
    assert last


def test_lbfgs_goes_the_same_way_with_what_it_keeps_in_numpy():
    start, bounds = np.zeros_like(CENTRE), (np.full(3, -1.0), np.full(3, 2.0))
    ways = [
        list(minimize_lbfgs_fixed(bowl, start, 12, history=3, bounds=bounds, keep=keep))
        for keep in (tf.identity, in_numpy)
    ]
    for (_, one, *_), (_, other, *_) in zip(*ways):
        assert isinstance(other, np.ndarray)
        np.testing.assert_allclose(other, one, atol=1e-4)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_stays_within_its_bounds_at_every_step(name):
    low, high = np.full(3, -1, np.float32), np.array([0.5, 1, 2], np.float32)
    for _, image, _, _ in MINIMIZERS[name](bowl, np.zeros_like(CENTRE), bounds=(low, high)):
        assert (image.numpy() >= low - 1e-6).all()
        assert (image.numpy() <= high + 1e-6).all()
    np.testing.assert_allclose(image, np.clip(CENTRE, low, high), atol=2e-3)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_reports_the_start_and_the_losses_of_each_image(name):
    steps = list(MINIMIZERS[name](bowl, np.ones_like(CENTRE)))
    np.testing.assert_array_equal(steps[0][1], np.ones_like(CENTRE))
    assert [step[0] for step in steps] == list(range(len(steps)))
    assert [step[3] for step in steps] == [False] * (len(steps) - 1) + [True]
    for _, image, losses, _ in steps[:3] + steps[-1:]:
        np.testing.assert_allclose(losses["total"], bowl(image)["total"], rtol=1e-5)


@pytest.mark.parametrize("weight", [1e-8, 1e8])
@pytest.mark.parametrize("limit", [None, 2.0])
def test_lbfgs_does_not_depend_on_the_size_of_the_loss(weight, limit):
    bounds = None if limit is None else (np.full(3, -limit), np.full(3, limit))
    evaluations = []

    def weighted(image):
        tf.py_function(lambda: evaluations.append(1), [], [])
        return {"total": weight * bowl(image)["total"]}

    *_, (_, image, _, _) = minimize_lbfgs(weighted, np.zeros_like(CENTRE), 30, bounds=bounds)
    np.testing.assert_allclose(image, np.clip(CENTRE, *(bounds or (-9, 9))), atol=2e-2)
    assert len(evaluations) < 100


# ------------------------------------------------------------------ schedules


def rate_at(schedule, iteration, **how):
    return float(learning_rates(schedule, 3.0, 200, **how)(tf.constant(float(iteration))))


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

    def slope(image):
        return {"total": tf.reduce_sum(image)}  # the gradient is 1: each step is the rate

    schedule = learning_rates("step", 1.0, 6, decay_rate=0.1, decay_every=3)
    images = [
        image.numpy()
        for _, image, _, _ in minimize_adam(slope, np.zeros((1, 1, 1, 3)), 6, schedule=schedule)
    ]
    steps = -np.diff([image[0, 0, 0, 0] for image in images])
    np.testing.assert_allclose(steps, [1, 1, 1, 0.1, 0.1, 0.1], rtol=1e-3)


def test_an_unknown_decay_lists_the_choices():
    with pytest.raises(ConfigError, match="`decay` is 'linear'; choose from constant, cosine"):
        learning_rates("linear", 1.0, 10)


# ------------------------------------------------------------------ several updates a call


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_several_updates_go_by_in_one_call_where_nobody_looks(name, monkeypatch):
    monkeypatch.setattr("nst_tf.optimizers.TICK", 1e9)  # any machine is quick enough
    looked = list(MINIMIZERS[name](bowl, np.ones_like(CENTRE)))
    wanted = lambda iteration: iteration % 50 == 0  # noqa: E731
    unseen = list(MINIMIZERS[name](bowl, np.ones_like(CENTRE), wanted=wanted))
    assert len(unseen) == len(looked)
    images = [iteration for iteration, image, _, _ in unseen if image is not None]
    assert len(images) < len(unseen) / 2
    assert set(range(0, len(unseen), 50)) <= set(images)
    assert images[-1] == len(unseen) - 1
    for (i, one, losses, last), (j, two, same, end) in zip(looked, unseen, strict=True):
        assert (i, last) == (j, end)
        np.testing.assert_allclose(same["total"], losses["total"], rtol=1e-4, atol=1e-6)
        if two is not None:
            np.testing.assert_allclose(two, one, atol=1e-5)


def test_a_callback_that_looks_seldom_finds_its_pictures(tiny_model):
    seen = {}

    def look(step):
        seen[step.iteration] = step.image is not None and step.picture().shape

    look.look_every = 7
    style_transfer(CONTENT, STYLE, tiny_model, iterations=30, callbacks=[look])
    assert sorted(seen) == list(range(31))
    assert all(seen[i] == (37, 45, 3) for i in (0, 7, 14, 21, 28, 30))


def test_a_picture_that_nobody_said_they_would_look_at_is_refused(tiny_model, monkeypatch):
    monkeypatch.setattr("nst_tf.optimizers.TICK", 1e9)

    def look(step):
        if step.iteration == 25:
            step.picture()

    look.look_every = 30
    with pytest.raises(
        ConfigError, match="no picture of iteration 25: the callbacks' `look_every`"
    ):
        style_transfer(CONTENT, STYLE, tiny_model, iterations=30, callbacks=[look])


# ------------------------------------------------------------------ L-BFGS


def test_lbfgs_says_that_it_converged_and_where(tiny_model):
    def term(features, image, window, aims):
        return tf.reduce_sum(tf.square(image - CONTENT))

    objective = make_objective(tiny_model, [Term("bowl", 1.0, (), term)])
    steps = list(minimize_lbfgs(objective, np.zeros_like(CONTENT), 500))
    iteration, image, _, last = steps[-1]
    assert last
    assert 0 < iteration < 100
    np.testing.assert_allclose(image, CONTENT, atol=1e-2)


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

    def falls_off(image):  # fine at first, no number a step further
        return {"total": tf.reduce_sum(tf.math.log(image - 0.999))}

    steps = list(minimize_lbfgs(falls_off, np.ones((1, 2, 2, 3)), 20))
    assert steps[-1][3]


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
    def broken(image):
        raise ValueError("a broken objective")

    with pytest.raises(ValueError, match="a broken objective"):
        list(minimize_lbfgs(broken, np.zeros((1, 2, 2, 3)), 5))
