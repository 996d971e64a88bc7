"""The optimizers: minima, bounds, learning-rate decay, convergence and errors."""

import contextlib
import threading
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from objectives import Bowl, forget_traces
from pictures import make_picture

from nst_tf import (
    ConfigError,
    Diverged,
    Interrupted,
    Objective,
    TransferConfig,
    style_transfer,
)
from nst_tf.config import DECAYS as DECAY_CHOICES
from nst_tf.config import OPTIMIZERS
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.objective import objective
from nst_tf.objective.objective import TVTerm
from nst_tf.optim import LBFGS, SGD, Adam, KerasOptimizer, ScipyLBFGS
from nst_tf.optim import lbfgs as lbfgs_module
from nst_tf.optim.decay import DECAYS, learning_rate_at
from nst_tf.optim.from_config import optimizer_name
from nst_tf.optim.laplacian import LaplacianAdam, from_pyramid, laplacian_pyramid
from nst_tf.optim.lbfgs import inner_products, quasi_newton

CONTENT = VGG_PIXELS.to_image(make_picture(37, 45))
STYLE = VGG_PIXELS.to_image(make_picture(50, 41, seed=1))
CENTER = np.random.default_rng(0).uniform(-3, 3, (1, 4, 5, 3)).astype(np.float32)
STRETCH = np.random.default_rng(1).uniform(0.5, 3, (1, 4, 5, 3)).astype(np.float32)
CASES = {  # the optimizer, and the iterations it needs to minimize `bowl`
    "adam": (Adam(0.05), 600),
    "lbfgs": (ScipyLBFGS(60), 60),
    "lbfgs-fixed": (LBFGS(), 60),
    "sgd": (SGD(0.1), 200),
    "laplacian": (LaplacianAdam(0.05, levels=2), 600),
    "keras": (KerasOptimizer(keras.optimizers.RMSprop(0.002, rho=0.9)), 2000),
}


def bowl(image, targets):
    """Return the loss of a convex problem, steeper in some directions than in others."""
    return {"total": tf.reduce_sum(STRETCH * tf.square(image - CENTER))}


def descent_steps(name, start, iterations=None, **changes):
    """Yield the image and the losses after 0, 1, 2, ... updates, one call each."""
    optimizer, default = CASES[name]
    iterations = default if iterations is None else iterations
    with contextlib.closing(replace(optimizer, **changes).start(bowl, (), start)) as descent:
        yield descent.image(), descent.losses
        while descent.updates < iterations and not descent.converged:
            (losses,) = descent.update()
            yield descent.image(), losses


@pytest.mark.parametrize("name", CASES)
def test_every_optimizer_reaches_the_same_minimum(name):
    optimizer, iterations = CASES[name]
    with contextlib.closing(optimizer.start(bowl, (), np.zeros_like(CENTER))) as descent:
        rows = descent.update(iterations)
        np.testing.assert_allclose(descent.image(), CENTER, atol=2e-3)
        assert rows[-1]["total"] < 1e-3
        assert len(rows) == descent.updates == iterations or descent.converged


@pytest.mark.parametrize("name", [name for name in CASES if name != "laplacian"])
def test_every_step_stays_within_the_bounds(name):
    low, high = np.full(3, -1, np.float32), np.array([0.5, 1, 2], np.float32)
    for image, _ in descent_steps(name, np.zeros_like(CENTER), bounds=(low, high)):
        assert (image.numpy() >= low - 1e-6).all()
        assert (image.numpy() <= high + 1e-6).all()
    np.testing.assert_allclose(image, np.clip(CENTER, low, high), atol=2e-3)


@pytest.mark.parametrize("name", CASES)
def test_every_optimizer_reports_the_losses_of_each_image(name):
    steps = list(descent_steps(name, np.ones_like(CENTER)))
    np.testing.assert_array_equal(steps[0][0], np.ones_like(CENTER))
    for image, losses in steps[:3] + steps[-1:]:
        np.testing.assert_allclose(losses["total"], bowl(image, ())["total"], rtol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_several_updates_in_one_call_match_single_updates(name):
    single = [losses["total"] for _, losses in descent_steps(name, np.ones_like(CENTER), 12)]
    optimizer, _ = CASES[name]
    with contextlib.closing(optimizer.start(bowl, (), np.ones_like(CENTER))) as descent:
        rows = [descent.losses, *descent.update(5), *descent.update(7)]
    np.testing.assert_allclose([row["total"] for row in rows], single, rtol=1e-4, atol=1e-6)


def test_keras_optimizer_matches_ours_and_is_not_modified(tiny_model):
    adam = keras.optimizers.Adam(2.0, epsilon=1e-8)
    options = {"iterations": 5, "learning_rate": 2.0}
    ours = style_transfer(CONTENT, STYLE, tiny_model, **options)
    keras_result = style_transfer(CONTENT, STYLE, tiny_model, optimizer=adam, **options)
    np.testing.assert_allclose(keras_result.image, ours.image, atol=1e-3)
    assert not adam.built


@pytest.mark.parametrize("weight", [1e-8, 1e8])
@pytest.mark.parametrize("limit", [None, 2.0])
def test_lbfgs_is_invariant_to_the_scale_of_the_loss(weight, limit):
    bounds = None if limit is None else (np.full(3, -limit), np.full(3, limit))
    evaluations = []

    def weighted(image, targets):
        tf.py_function(lambda: evaluations.append(1), [], [])
        return {"total": weight * bowl(image, ())["total"]}

    optimizer = ScipyLBFGS(30, bounds=bounds)
    with contextlib.closing(optimizer.start(weighted, (), np.zeros_like(CENTER))) as descent:
        descent.update(30)
    np.testing.assert_allclose(descent.image(), np.clip(CENTER, *(bounds or (-9, 9))), atol=2e-2)
    assert len(evaluations) < 100


# ------------------------------------------------------------------ schedules


def rate_at(decay, step, **options):
    return float(learning_rate_at(step, decay=decay, learning_rate=3.0, iterations=200, **options))


def test_decay_formulas():
    assert rate_at("constant", 150) == 3
    np.testing.assert_allclose(
        [rate_at("cosine", i) for i in (0, 100, 200)], [3, 1.5, 0], atol=1e-6
    )
    cs231n = {"decay_every": 180, "decay_rate": 0.1 / 3}
    np.testing.assert_allclose(
        [rate_at("step", i, **cs231n) for i in (0, 179, 180, 199)], [3, 3, 0.1, 0.1], rtol=1e-5
    )
    np.testing.assert_allclose(rate_at("exponential", 50), 3 * 0.96**0.5, rtol=1e-5)
    assert tuple(DECAYS) == DECAY_CHOICES


def test_learning_rate_decays_during_the_run():
    """Unlike in CS231n's notebook, which computes the rate once, before the loop."""

    def linear(image, targets):
        return {"total": tf.reduce_sum(image)}  # gradient 1: each step equals the rate

    adam = Adam(1.0, decay="step", iterations=6, decay_rate=0.1, decay_every=3)
    descent = adam.start(linear, (), np.zeros((1, 1, 1, 3)))
    images = [descent.image().numpy()]
    for _ in range(6):
        descent.update()
        images.append(descent.image().numpy())
    steps = -np.diff([image[0, 0, 0, 0] for image in images])
    np.testing.assert_allclose(steps, [1, 1, 1, 0.1, 0.1, 0.1], rtol=1e-3)


def test_unknown_decay_raises():
    with pytest.raises(ConfigError, match="`decay` is 'linear'; choose from constant, cosine"):
        rate_at("linear", 1)


# ------------------------------------------------------------------ several updates per call


@pytest.mark.parametrize("name", ["adam", "sgd", "lbfgs", "lbfgs-fixed"])
def test_look_every_skips_images_without_changing_results(name, tiny_model, monkeypatch):
    monkeypatch.setattr("nst_tf.transfer.TICK", 1e9)  # seconds: no call is split

    def record_steps(look_every):
        seen = []

        def look(step):
            seen.append((step.iteration, step.image, step.losses["total"], step.last))

        look.look_every = look_every
        options = {"optimizer": name, "learning_rate": 1e-7 if name == "sgd" else None}
        style_transfer(CONTENT, STYLE, tiny_model, iterations=40, callbacks=[look], **options)
        return seen

    dense, sparse = record_steps(1), record_steps(10)
    assert all(image is not None for _, image, _, _ in dense)
    with_image = [iteration for iteration, image, _, _ in sparse if image is not None]
    assert len(with_image) < len(sparse) / 2
    assert set(range(0, len(sparse), 10)) <= set(with_image)
    assert with_image[-1] == len(sparse) - 1
    for (i, image, loss, last), (j, image2, loss2, last2) in zip(dense, sparse, strict=True):
        assert (i, last) == (j, last2)
        np.testing.assert_allclose(loss2, loss, rtol=1e-4)
        if image2 is not None:
            np.testing.assert_allclose(image2, image, atol=0.1)


def test_callback_with_look_every_receives_its_images(tiny_model):
    seen = {}

    def look(step):
        seen[step.iteration] = step.image is not None and step.picture().shape

    look.look_every = 7
    style_transfer(CONTENT, STYLE, tiny_model, iterations=30, callbacks=[look])
    assert sorted(seen) == list(range(31))
    assert all(seen[i] == (37, 45, 3) for i in (0, 7, 14, 21, 28, 30))


def test_picture_of_a_skipped_iteration_raises(tiny_model, monkeypatch):
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


def test_lbfgs_converges_to_the_minimum(tiny_model):
    objective = Objective(tiny_model, [Bowl()])
    descent = ScipyLBFGS(500).start(objective, objective.targets(CONTENT), np.zeros_like(CONTENT))
    while not descent.converged:
        descent.update()
    assert 0 < descent.updates < 100
    np.testing.assert_allclose(descent.image(), CONTENT, atol=1e-2)


def test_converged_run_marks_its_last_step(tiny_model):
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
    assert result.converged  # it starts at the content, which is the minimum
    assert result.iterations == 0
    assert seen == [(0, True)]


def test_lbfgs_reaches_a_lower_loss_than_adam(tiny_model):
    def final_loss(optimizer):
        result = style_transfer(
            CONTENT, STYLE, tiny_model, optimizer=optimizer, iterations=40, learning_rate=2.0
        )
        return result.history[-1]["total"]

    assert final_loss("lbfgs") < final_loss("adam")


def test_interrupt_ends_the_lbfgs_thread(tiny_model):
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


def test_lbfgs_stops_at_a_loss_that_is_not_finite(tiny_model):
    with pytest.raises(Diverged, match="not finite before the first iteration"):
        style_transfer(
            CONTENT, STYLE, tiny_model, init_image=0 * CONTENT, optimizer="lbfgs", alpha=1e38
        )

    def becomes_nan(image, targets):  # finite at first, NaN one step later
        return {"total": tf.reduce_sum(tf.math.log(image - 0.999))}

    descent = ScipyLBFGS(20).start(becomes_nan, (), np.ones((1, 2, 2, 3)))
    descent.update(20)
    assert descent.converged


@pytest.mark.parametrize("name", CASES)
def test_total_is_nan_where_its_gradient_is_not_finite(name):
    def cornered(image, targets):  # 0 at the start, where a square root is infinitely steep
        return {"total": tf.reduce_sum(tf.sqrt(image))}

    with contextlib.closing(CASES[name][0].start(cornered, (), np.zeros_like(CENTER))) as descent:
        assert np.isnan(descent.losses["total"])


def test_gradient_that_is_not_finite_ends_the_run(monkeypatch, tiny_model):
    def cornered(image, form, wrap):
        return tf.reduce_sum(tf.sqrt(image - CONTENT))

    forget_traces()
    monkeypatch.setattr(objective, "tv_loss", cornered)
    with pytest.raises(Diverged, match="the total loss or its gradient is not finite") as stopped:
        style_transfer(CONTENT, None, tiny_model, optimizer="lbfgs-fixed", history=1, iterations=3)
    forget_traces()
    np.testing.assert_array_equal(stopped.value.result.image, CONTENT)


@pytest.mark.slow
def test_short_or_interrupted_run_has_not_converged(tiny_model):
    def stop(step):
        if step.iteration == 1:
            raise KeyboardInterrupt

    for optimizer in OPTIMIZERS:
        options = {"optimizer": optimizer, "iterations": 5, "learning_rate": 1e-3}
        assert not style_transfer(CONTENT, STYLE, tiny_model, **options).converged
        with pytest.raises(Interrupted) as stopped:
            style_transfer(CONTENT, STYLE, tiny_model, callbacks=[stop], **options)
        assert not stopped.value.result.converged


@pytest.mark.parametrize("size", [(37, 45), (64, 48), (1, 3)])
def test_laplacian_pyramid_gives_the_image_back(size):
    image = np.random.default_rng(0).normal(size=(1, *size, 3)).astype(np.float32)
    pyramid = laplacian_pyramid(tf.constant(image), 8)
    assert [level.shape[1] for level in pyramid[:3]] == [max(size[0] >> n, 1) for n in range(3)]
    assert len(pyramid) == 9
    np.testing.assert_allclose(from_pyramid(pyramid), image, atol=1e-6)


def test_a_coarse_coefficient_moves_an_area():
    """One step of plain Adam moves a pixel by the learning rate, this one by that of each level."""
    target = np.zeros((1, 16, 16, 3), np.float32)
    steps = {}
    for name, optimizer in {"pixels": Adam(0.1), "pyramid": LaplacianAdam(0.1, levels=3)}.items():
        descent = optimizer.start(lambda x, _: {"total": tf.reduce_sum(x)}, (), target)
        descent.update()
        steps[name] = descent.image().numpy()
    np.testing.assert_allclose(steps["pixels"], -0.1, rtol=1e-4)
    np.testing.assert_allclose(steps["pyramid"], -0.4, rtol=1e-4)


def test_lines_that_cannot_be_dark_enough_do_not_darken_what_is_around():
    """Every fourth row should be far darker than black, the others gray: that they become."""
    wanted = np.full((1, 32, 32, 3), 100, np.float32)
    wanted[:, ::4] = -60
    bounds = np.zeros(3, np.float32), np.full(3, 255, np.float32)
    optimizer = LaplacianAdam(1.0, beta_1=0.0, beta_2=0.99, bounds=bounds)
    loss = lambda x, _: {"total": tf.reduce_sum(tf.square(x - wanted))}  # noqa: E731
    with contextlib.closing(optimizer.start(loss, (), np.full_like(wanted, 60))) as descent:
        descent.update(200)
        image = np.clip(descent.image(), *bounds)
    assert image[:, ::4].mean() < 5
    for row in (1, 2, 3):
        assert image[:, row::4].mean() == pytest.approx(100, abs=6)


def test_error_in_the_lbfgs_objective_reaches_the_caller():
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


def test_knobs_that_an_optimizer_cannot_follow_are_rejected():
    for name, value, optimizer in [
        ("normalize_gradients", True, "lbfgs-fixed"),
        ("average", 0.9, "lbfgs"),
        ("carry_moments", True, "sgd"),
    ]:
        message = f"`{name}` does not work with the optimizer {optimizer}; use adam"
        with pytest.raises(ConfigError, match=message):
            TransferConfig(optimizer=optimizer, **{name: value})
    for knob in ({"normalize_gradients": True}, {"carry_moments": True}):
        assert optimizer_name(TransferConfig(schedule="fast", **knob)) == "adam"
    assert optimizer_name(TransferConfig(schedule="fast", average=0.9)) == "lbfgs-fixed"


def test_adam_continues_with_moments_carried_from_another_level():
    mean, square = (x.astype(np.float32) for x in (0.1 * CENTER, STRETCH**2))
    with contextlib.closing(Adam(0.05).start(bowl, (), np.ones_like(CENTER))) as descent:
        descent.assign({"mean": mean, "square": square, "carried": 7.0})
        descent.update()
        moved = descent.image().numpy()
    gradient = 2 * STRETCH * (1 - CENTER)
    m, v, t = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2, 8
    rate = 0.05 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    np.testing.assert_allclose(moved, 1 - rate * m / (np.sqrt(v) + 1e-8), rtol=1e-5)


def test_checkpoint_of_adam_without_carried_moments_is_continued():
    """Earlier versions saved none."""
    with contextlib.closing(Adam(0.05).start(bowl, (), np.ones_like(CENTER))) as descent:
        descent.update(3)
        state = descent.state()
        expected = descent.update(2)
        del state["carried"]
        descent.restore(state)
        assert descent.update(2) == expected


def test_moments_are_resized_for_the_next_level():
    ramp = np.broadcast_to(np.arange(5.0, dtype=np.float32)[:, None, None], (1, 5, 4, 3))
    spikes = np.zeros((1, 5, 4, 3), np.float32)
    spikes[0, 2, 1] = 9
    state = {"mean": ramp, "square": spikes, "carried": np.float32(10), "updates": np.int32(5)}
    carried = Adam().carried(state, (10, 8))
    assert carried["carried"] == 15
    places = np.arange(10) / 2 - 0.25  # centers of the new rows, in rows of before
    np.testing.assert_allclose(carried["mean"][0, 4:6, 0, 0], places[4:6], rtol=1e-5)
    rows = np.interp(places, np.arange(5), spikes[0, :, 1, 0])
    columns = np.interp(np.arange(8) / 2 - 0.25, np.arange(4), [0, 1, 0, 0])
    np.testing.assert_allclose(carried["square"][0, :, :, 0], np.outer(rows, columns), rtol=1e-5)
    assert (carried["square"].numpy() >= 0).all()


@pytest.mark.parametrize("stored", [1, 3, 4, 6, 9])
def test_quasi_newton_matches_the_textbook_recursion(stored):
    """Nocedal 1980, on vectors; ours works on coefficients, with a ring buffer as memory."""
    rng, m = np.random.default_rng(0), 4
    pairs = rng.normal(size=(stored, 2, 30))
    pairs[:, 1] += 2 * pairs[:, 0]  # curved upwards
    gradient = rng.normal(size=30)

    direction, alphas = gradient.copy(), []
    for step, change in pairs[: -m - 1 : -1]:
        alphas.append(step @ direction / (step @ change))
        direction -= alphas[-1] * change
    step, change = pairs[-1]
    direction *= step @ change / (change @ change)
    for (step, change), alpha in zip(pairs[-m:], alphas[::-1]):
        direction += step * (alpha - change @ direction / (step @ change))

    memory = rng.normal(size=(2 * m, 30))  # where nothing was stored since the memory was cleared
    for number, (step, change) in enumerate(pairs):
        memory[number % m], memory[m + number % m] = step, change
    coefficients = quasi_newton(
        tf.constant(memory @ memory.T, tf.float32),
        tf.constant(memory @ gradient, tf.float32),
        tf.constant(stored),
        m,
    )
    ours = coefficients.numpy() @ np.vstack([memory, gradient])
    np.testing.assert_allclose(ours, direction, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("stacked", [False, True])
def test_inner_products_of_several_strips(monkeypatch, stacked):
    monkeypatch.setattr(lbfgs_module, "STRIP", 7)
    images = np.random.default_rng(0).normal(size=(5, 1, 4, 5, 3)).astype(np.float32)
    flat = images.reshape(5, 60)
    products = inner_products(list(images[:2]), list(images[2:]), stacked=stacked)
    np.testing.assert_allclose(products, flat[:2] @ flat[2:].T, rtol=1e-5)


@pytest.mark.parametrize("updates", [1, 4, 9])
def test_lbfgs_products_are_those_of_its_memory(updates):
    with contextlib.closing(LBFGS(3).start(bowl, (), np.ones_like(CENTER))) as descent:
        descent.update(updates)
        state = descent.state()
    names = [f"{kind}_{k}" for kind in ("step", "change") for k in range(3)]
    memory = np.stack([state[name].ravel() for name in names])
    np.testing.assert_allclose(state["products"], memory @ memory.T, rtol=1e-4, atol=1e-6)
    gradient = state["gradient"].ravel()
    np.testing.assert_allclose(state["with_gradient"], memory @ gradient, rtol=1e-4, atol=1e-6)


def test_lbfgs_descends_below_zero():
    """A term of one's own may be negative."""

    def below(image, targets):
        return {"total": tf.reduce_sum(tf.square(image - CENTER)) - 50.0}

    with contextlib.closing(LBFGS(3).start(below, (), np.ones_like(CENTER))) as descent:
        losses = [row["total"] for row in descent.update(12)]
    assert losses[-1] == pytest.approx(-50, abs=1e-2)


@pytest.mark.parametrize(("before", "after"), [(10, 1), (1, 10), (4, 6)])
def test_lbfgs_continues_with_another_history(before, after):
    """A run that continues in tiles, or no longer needs them, remembers another number of steps."""
    with contextlib.closing(LBFGS(before).start(bowl, (), np.ones_like(CENTER))) as descent:
        reached = descent.update(3)[-1]["total"]
        image, state = np.array(descent.image()), descent.state()
    with contextlib.closing(LBFGS(after).start(bowl, (), np.zeros_like(CENTER))) as descent:
        descent.restore(state)
        np.testing.assert_array_equal(descent.image(), image)
        assert descent.updates == 3
        assert descent.update(5)[-1]["total"] < reached


@pytest.mark.parametrize("name", ["adam", "lbfgs-fixed", "sgd"])
def test_state_is_of_the_moment_and_restores_it(name):
    optimizer, _ = CASES[name]
    with contextlib.closing(optimizer.start(bowl, (), np.ones_like(CENTER))) as descent:
        descent.update(4)
        image, state = np.array(descent.image()), descent.state()
        descent.update(3)
        np.testing.assert_array_equal(state["image"], image)
        end = np.array(descent.image())
        descent.restore(state)
        descent.update(3)
        np.testing.assert_array_equal(descent.image(), end)


@pytest.mark.parametrize("optimizer", [object(), 3, 0, Adam, keras.optimizers.Adam, ["adam"]])
def test_other_objects_are_rejected_as_optimizer(tiny_model, optimizer):
    with pytest.raises(ConfigError, match=r"`optimizer` is .*; pass a name, an optimizer of"):
        style_transfer(CONTENT, STYLE, tiny_model, optimizer=optimizer)


def test_given_optimizer_gets_bounds_and_iterations_of_the_run(tiny_model):
    cosine = Adam(100.0, decay="cosine")
    given = style_transfer(CONTENT, STYLE, tiny_model, optimizer=cosine, iterations=5)
    knobs = {"learning_rate": 100.0, "decay": "cosine", "iterations": 5}
    named = style_transfer(CONTENT, STYLE, tiny_model, **knobs)
    np.testing.assert_array_equal(given.image, named.image)


def test_scipy_lbfgs_without_iterations_runs_to_the_end(tiny_model):
    result = style_transfer(CONTENT, STYLE, tiny_model, optimizer=ScipyLBFGS(), iterations=5)
    assert (result.iterations, result.converged) == (5, False)


def test_cosine_without_iterations_raises(tiny_model):
    objective = Objective(tiny_model, [TVTerm(1.0)])
    with pytest.raises(ConfigError, match="the decay cosine needs the number of `iterations`"):
        Adam(decay="cosine").start(objective, objective.targets(), CONTENT)


@pytest.mark.parametrize("history", [0, -1, 2.5])
def test_invalid_history_raises(history):
    with pytest.raises(ConfigError, match=r"`history` is .*; a whole number above 0"):
        LBFGS(history)


def test_divergence_message_names_the_given_optimizer(tiny_model):
    optimizer = keras.optimizers.SGD(1e30)
    with pytest.raises(Diverged, match=r"SGD.*make its learning rate"):
        style_transfer(CONTENT, STYLE, tiny_model, optimizer=optimizer, clip=False, iterations=3)
