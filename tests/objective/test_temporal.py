"""The temporal loss: its formula, its place in an objective, and tiles."""

import numpy as np
import tensorflow as tf
from pictures import make_picture

from nst_tf.objective.objective import ContentTerm, Objective, TVTerm
from nst_tf.objective.temporal import Followed, TemporalTerm, temporal_loss
from nst_tf.scaling.tiling import TiledObjective


def image(model, seed, size=(48, 61)):
    return tf.constant(model.space.to_image(make_picture(*size, seed=seed)))


def test_loss_is_the_mean_over_the_pixels_that_count():
    now, before = np.random.default_rng(0).normal(size=(2, 1, 5, 7, 3)).astype(np.float32)
    weight = np.zeros((1, 5, 7, 1), np.float32)
    weight[0, 2, 3], weight[0, 4, 1] = 1.0, 0.5
    squares = ((now - before) ** 2).sum(-1)[0]
    expected = (squares[2, 3] + 0.5 * squares[4, 1]) / (3 * 1.5)
    loss = temporal_loss(now, Followed(before, weight), 2.0)
    np.testing.assert_allclose(loss, 2 * expected, rtol=1e-6)
    assert temporal_loss(now, Followed(before, 0 * weight)) == 0


def test_unit_is_100_gray_levels_in_any_pixel_space(tiny_model):
    term = TemporalTerm.of_gray_levels(5.0, tiny_model.space)
    before = image(tiny_model, 1)
    target = Followed(before, tf.ones_like(before[..., :1]))
    apart = before + 100 / tiny_model.space.scale
    np.testing.assert_allclose(term.loss({}, apart, target), 1, rtol=1e-5)


def test_frames_with_and_without_predecessors_are_equal_objectives(tiny_model):
    content, before = image(tiny_model, 0), image(tiny_model, 1)
    terms = [ContentTerm(1.0, ["conv2_1"]), TVTerm(0.0)]
    term = TemporalTerm(3.0)
    objective = Objective(tiny_model, [*terms, term])
    assert objective == Objective(tiny_model, [*terms, TemporalTerm(9.0)])
    targets = objective.targets(content)
    losses = objective(before, targets)
    assert losses["temporal"] == 0
    weight = tf.ones_like(content[..., :1])
    targets["temporal"]["target"] = Followed(content, weight)
    held = objective(before, targets)
    expected = losses["total"] + 3 * tf.reduce_mean(tf.square(before - content))
    np.testing.assert_allclose(held["total"], expected, rtol=1e-5)


def test_tiles_give_the_loss_of_the_whole(tiny_model):
    content, before = image(tiny_model, 0), image(tiny_model, 1)
    weight = tf.cast(tf.random.stateless_uniform((1, 48, 61, 1), (0, 0)) > 0.5, tf.float32)
    terms = [ContentTerm(1.0, ["conv1_1"]), TemporalTerm(3.0, 0.1)]
    whole = Objective(tiny_model, terms)
    tiled = TiledObjective(tiny_model, terms, (48, 61), 900)
    targets = whole.targets(content)
    targets["temporal"]["target"] = Followed(before, weight)
    picture = image(tiny_model, 2)
    for name, loss in whole(picture, targets).items():
        np.testing.assert_allclose(tiled(picture, targets)[name], loss, rtol=1e-4)
