"""What a descent retains: the average of its images, and the best of them."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from objectives import bowl_task
from pictures import make_picture

from nst_tf import ConfigError, Interrupted, TransferConfig
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.optim import LBFGS, SGD, Adam, KerasOptimizer, ScipyLBFGS
from nst_tf.optim.descent import Descent
from nst_tf.optim.tracked import Tracked, tracked
from nst_tf.rundir.checkpoint import load_checkpoint, save_checkpoint
from nst_tf.transfer import Run, minimize

CONTENT = VGG_PIXELS.to_image(make_picture(66, 83))
START = VGG_PIXELS.to_image(make_picture(66, 83, seed=1))
CENTER = np.random.default_rng(0).uniform(-3, 3, (1, 4, 5, 3)).astype(np.float32)
OPTIMIZERS = {
    "adam": Adam(1.0),  # too large a step: the loss rises now and then
    "sgd": SGD(0.1),
    "lbfgs-fixed": LBFGS(1),
    "keras": KerasOptimizer(keras.optimizers.Adam(1.0)),
}


def bowl(image, targets):
    return {"total": tf.reduce_sum(tf.square(image - CENTER))}


def images_and_losses(optimizer, updates):
    """Return the images and the total losses after 0, 1, 2, ... updates."""
    with contextlib.closing(optimizer.start(bowl, (), np.ones_like(CENTER))) as descent:
        images, losses = [descent.image().numpy()], [descent.losses["total"]]
        for _ in range(updates):
            losses += [row["total"] for row in descent.update()]
            images.append(descent.image().numpy())
    return images, losses


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_average_is_the_bias_corrected_mean_of_the_images(name):
    images, losses = images_and_losses(OPTIMIZERS[name], 6)
    averages, same = images_and_losses(Tracked(OPTIMIZERS[name], 0.9), 6)
    np.testing.assert_allclose(same, losses, rtol=1e-5)
    mean, unseen = 0.0, 1.0
    for image, average in zip(images, averages, strict=True):
        mean, unseen = 0.9 * mean + 0.1 * image, 0.9 * unseen
        np.testing.assert_allclose(average, mean / (1 - unseen), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_best_is_the_image_of_the_lowest_loss(decay):
    images, losses = images_and_losses(Tracked(OPTIMIZERS["adam"], decay), 9)
    lowest = int(np.argmin(losses))
    assert 0 < lowest < 9
    descent = Tracked(OPTIMIZERS["adam"], decay, best=True).start(bowl, (), np.ones_like(CENTER))
    descent.update(4)
    descent.update(5)
    np.testing.assert_allclose(descent.best_image(), images[lowest], rtol=1e-5, atol=1e-6)
    descent.close()


def test_tracked_images_are_counted_as_memory():
    adam = Adam().image_arrays
    assert Tracked(Adam(), 0.9, best=True).image_arrays == adam + 2
    assert Tracked(Adam(), best=True).image_arrays == adam + 1


def test_scipy_has_no_average_and_its_last_image_is_the_best():
    with pytest.raises(ConfigError, match="`average` does not work with ScipyLBFGS; use Adam"):
        tracked(ScipyLBFGS(), TransferConfig(average=0.9))
    scipy = tracked(ScipyLBFGS(9), TransferConfig(keep="best"))
    with contextlib.closing(scipy.start(bowl, (), np.ones_like(CENTER))) as descent:
        descent.update(9)
        np.testing.assert_array_equal(descent.best_image(), descent.image())


# ------------------------------------------------------------------ whole runs


KNOBS = {"learning_rate": 40.0, "decay": "constant", "level_iterations": (12, 4)}
TRACKED = {**KNOBS, "average": 0.5, "keep": "best", "carry_moments": True}


def run(model, knobs, **options):
    return minimize(bowl_task(model, CONTENT, START, TransferConfig(**knobs)), **options)


def test_best_picture_of_the_last_level_is_the_result(tiny_model):
    result = run(tiny_model, {**KNOBS, "keep": "best"})
    totals = [losses["total"] for losses in result.history]
    assert result.iterations == 16
    assert result.best == 12 + int(np.argmin(totals[12:])) < 16
    assert np.argmin(totals) < 12, "a coarse picture has a lower sum"
    loss = float(tf.reduce_sum(tf.square(result.image - CONTENT)))
    assert loss == pytest.approx(totals[result.best], rel=1e-4)
    last = run(tiny_model, KNOBS)
    assert last.best is None
    assert float(tf.reduce_sum(tf.square(last.image - CONTENT))) == pytest.approx(
        last.history[-1]["total"], rel=1e-4
    )


def test_average_starts_again_at_each_level(tiny_model):
    seen = []
    run(tiny_model, {**KNOBS, "average": 0.9}, callbacks=[seen.append])
    first = seen[12]  # of the second level: the average of a single image is that image
    assert first.image.shape[1:3] == (66, 83)
    np.testing.assert_allclose(
        tf.reduce_sum(tf.square(first.image - CONTENT)), first.losses["total"], rtol=1e-3
    )


def test_moments_are_carried_to_the_next_level(tiny_model, monkeypatch):
    carried, original = [], Adam.carried

    def spy(self, state, size):
        carried.append((state, size, original(self, state, size)))
        return carried[-1][2]

    monkeypatch.setattr(Adam, "carried", spy)

    def begun(**knobs):
        positions = {}

        def look(step):
            positions[step.iteration] = step.position()

        run(tiny_model, {**KNOBS, **knobs}, callbacks=[look])
        return positions[12].loop

    assert not begun()["mean"].any()
    assert not carried
    loop = begun(carry_moments=True)
    [(state, size, moments)] = carried
    assert (state["updates"], size) == (12, (66, 83))
    assert np.abs(state["mean"]).max() > 0
    for name in ("mean", "square", "carried"):
        np.testing.assert_array_equal(loop[name], moments[name])


def test_moments_of_other_optimizers_cannot_be_carried(tiny_model):
    with pytest.raises(ConfigError, match="`carry_moments` does not work with SGD"):
        run(tiny_model, {**KNOBS, "carry_moments": True}, optimizer=SGD(0.1))


@pytest.mark.parametrize("iteration", [5, 12, 14])
def test_resumed_run_has_the_same_average_best_and_moments(tiny_model, tmp_path, iteration):
    paths = []

    def save(step):
        if step.iteration == iteration:
            paths.append(save_checkpoint(tmp_path, step.position()))

    whole = run(tiny_model, TRACKED, callbacks=[save])
    resumed = run(tiny_model, TRACKED, position=load_checkpoint(paths[0]))
    np.testing.assert_array_equal(resumed.image, whole.image)
    assert (resumed.best, resumed.history) == (whole.best, whole.history)


def test_run_interrupted_as_it_is_resumed_shows_the_average(tiny_model, monkeypatch):
    positions, averages = [], []

    def look(step):
        positions.append(step.position())
        averages.append(step.image.numpy())

    run(tiny_model, TRACKED, callbacks=[look])

    def stop(self, count):
        raise KeyboardInterrupt

    monkeypatch.setattr(Descent, "update", stop)
    with pytest.raises(Interrupted) as stopped:
        run(tiny_model, TRACKED, position=positions[13])
    np.testing.assert_array_equal(stopped.value.result.image, averages[13])


def test_best_outlasts_a_lack_of_memory(tiny_model, monkeypatch):
    """The run continues in smaller tiles, with a new optimizer."""
    update, tries = Descent.update, []

    def lacking(self, count):
        tries.append(count)
        if len(tries) == 3:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM")
        return update(self, count)

    monkeypatch.setattr(Descent, "update", lacking)
    monkeypatch.setattr(Run, "_smaller", lambda self, objective, size: objective)
    config = TransferConfig(iterations=6, learning_rate=40.0, keep="best", clip=False)
    result = minimize(bowl_task(tiny_model, CONTENT, CONTENT + 1, config))
    assert (result.iterations, result.best) == (6, 0)
    np.testing.assert_array_equal(result.image, CONTENT + 1)


# ------------------------------------------------------------------ the end by min_improvement


def stops_at(totals, window, percent, begin):
    """Return the first multiple of the window at which the loss fell by too little."""
    for i in range(begin + window, len(totals)):
        if i % window == 0 and totals[i - window] - totals[i] < percent / 100 * totals[i - window]:
            return i
    return None


@pytest.mark.parametrize("tick", [0, 1e9])
def test_level_ends_when_the_loss_hardly_falls(tiny_model, monkeypatch, tick):
    """At the same iteration however many are made in a call of TensorFlow."""
    monkeypatch.setattr("nst_tf.transfer.WINDOW", 4)
    monkeypatch.setattr("nst_tf.transfer.TICK", tick)
    knobs = {**KNOBS, "level_iterations": (13, 21)}
    whole = [losses["total"] for losses in run(tiny_model, knobs).history]

    def look(step):
        pass

    look.look_every = 0
    result = run(tiny_model, {**knobs, "min_improvement": 60.0}, callbacks=[look])
    totals = [losses["total"] for losses in result.history]
    first = stops_at(whole[:13], 4, 60, 0)
    assert first == 8
    np.testing.assert_allclose(totals[:first], whole[:first], rtol=1e-4)
    assert totals[first] > 1.2 * whole[first], "the next level starts there"
    assert result.iterations == stops_at(totals, 4, 60, first) < 8 + 21
    assert result.converged


def test_level_does_not_get_what_min_improvement_saved(tiny_model, monkeypatch):
    monkeypatch.setattr("nst_tf.transfer.WINDOW", 4)
    knobs = {**KNOBS, "level_iterations": (13, 3), "min_improvement": 10.0}
    assert run(tiny_model, knobs).iterations == 8 + 3
