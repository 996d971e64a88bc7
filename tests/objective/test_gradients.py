"""Gradients and weights that do not depend on the scales of the losses."""

import numpy as np
import pytest
import tensorflow as tf
from pictures import make_picture

from nst_tf import (
    ConfigError,
    ContentTerm,
    NstError,
    Objective,
    StyleTerm,
    TransferConfig,
    content_loss,
    style_loss,
)
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.objective.gradients import normalized, with_normalized_gradient
from nst_tf.objective.objective import Kept, TVTerm
from nst_tf.scaling.levels import Level
from nst_tf.scaling.memory import in_tiles
from nst_tf.scaling.pyramid import at_level
from nst_tf.transfer import make_task

CONTENT = VGG_PIXELS.to_image(make_picture(41, 53))
STYLE = VGG_PIXELS.to_image(make_picture(50, 39, seed=1))
SHALLOW = {"content_layers": "conv2_1", "style_layers": ("conv1_1", "conv2_1")}
RNG = np.random.default_rng(0)


def random_map(height, width, channels):
    return tf.constant(RNG.normal(size=(1, height, width, channels)), tf.float32)


def test_gradients_of_two_terms_are_divided_by_their_own_norms():
    x, a = (RNG.normal(size=(2, 3)).astype(np.float32) for _ in range(2))
    image = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(image)
        first = tf.reduce_sum(tf.square(with_normalized_gradient(image, tf.constant(5.0)) - a))
        second = tf.reduce_sum(with_normalized_gradient(image, tf.constant(0.5)) ** 3)
        loss = 5.0 * first + 0.5 * second
    np.testing.assert_allclose(first, np.square(x - a).sum(), rtol=1e-5)
    g, h = 2 * (x - a), 3 * x**2
    expected = 5 * g / (np.abs(g).sum() + 1e-8) + 0.5 * h / (np.abs(h).sum() + 1e-8)
    np.testing.assert_allclose(tape.gradient(loss, image), expected, rtol=1e-5)


def test_gradient_of_next_to_nothing_is_not_enlarged():
    """jcjohnson's 1e-8 is added to the norm of the gradient without the weight."""
    image = tf.constant([1.0, -1.0])
    for weight, expected in [(3.0, 3 / 3), (0.0, 0.0)]:
        with tf.GradientTape() as tape:
            tape.watch(image)
            read = with_normalized_gradient(image, tf.constant(weight))
            loss = weight * 1e-8 * tf.reduce_sum(read)
        np.testing.assert_allclose(tape.gradient(loss, image), [expected] * 2, rtol=1e-5)


def test_gradient_of_bfloat16_maps_is_summed_in_float32():
    features = tf.cast(tf.fill((1, 40, 50, 3), 1.0), tf.bfloat16)
    with tf.GradientTape() as tape:
        tape.watch(features)
        read = with_normalized_gradient(features, tf.constant(2.0))
        loss = 2 * tf.reduce_sum(tf.cast(read, tf.float32))
    gradient = tape.gradient(loss, features)
    assert gradient.dtype == tf.bfloat16
    np.testing.assert_allclose(np.float32(gradient), 2 / 6000, rtol=0.01)


TERMS = {
    "content": ContentTerm(0.25, {"a": 1.0, "b": 3.0}, "mean"),
    "moments": StyleTerm(8.0, {"a": 0.75, "b": 0.125}, "moments", relative=True),
    "shifted": StyleTerm(8.0, {"a": 0.75, "b": 0.125}, shift=-1.0),
    "tv": TVTerm(5.0, "absolute"),
}


@pytest.mark.parametrize("name", TERMS)
def test_gradient_at_each_layer_has_the_norm_of_its_weight(name):
    term = TERMS[name]
    features = {"a": random_map(7, 5, 3), "b": random_map(4, 3, 2)}
    target = {layer: x + random_map(*x.shape[1:]) for layer, x in features.items()}
    if isinstance(term, StyleTerm):
        target = [term.region(term.target(target))]
    if isinstance(term, ContentTerm):
        target = Kept(term.target(target), {})
    image = random_map(7, 5, 3)
    read = features | {"image": image}

    def gradients(change):
        with tf.GradientTape() as tape:
            tape.watch(read)
            loss = term.weight * term.loss(*change(features, image), target)
        found = tape.gradient(loss, read)
        return {layer: x.numpy() for layer, x in found.items() if x is not None}

    plain = gradients(lambda *arrays: arrays)
    weight = tf.constant(term.weight)
    for layer, gradient in gradients(lambda *arrays: normalized(term, weight, *arrays)).items():
        expected = term.weight * dict(getattr(term, "layer_weights", ())).get(layer, 1.0)
        np.testing.assert_allclose(np.abs(gradient).sum(), expected, rtol=1e-3)
        scale = np.abs(plain[layer]).sum() / expected
        np.testing.assert_allclose(gradient * scale, plain[layer], rtol=1e-3, atol=1e-6)


def test_normalized_gradient_does_not_depend_on_the_scale_of_a_loss(tiny_model):
    def losses_and_gradient(**knobs):
        config = TransferConfig(**SHALLOW, beta=3.0, alpha=2.0, tv_weight=0.5, **knobs)
        task = make_task(CONTENT, STYLE, tiny_model, 0.5 * CONTENT, config)
        image = tf.constant(task.start)
        with tf.GradientTape() as tape:
            tape.watch(image)
            losses = task.objective(image, task.targets)
        return losses, tape.gradient(losses["total"], image).numpy()

    def difference(a, b):
        return np.abs(a - b).sum() / np.abs(b).sum()

    plain, gradient = losses_and_gradient()
    losses, normal = losses_and_gradient(normalize_gradients=True)
    for name, loss in plain.items():
        np.testing.assert_allclose(losses[name], loss, rtol=1e-5)
    _, other = losses_and_gradient(normalize_gradients=True, content_scale="mean", tv_form="mean")
    assert difference(other, normal) < 1e-3
    _, other = losses_and_gradient(content_scale="mean", tv_form="mean")
    assert difference(other, gradient) > 1e-2


def test_levels_have_normalized_gradients_too(tiny_model):
    for normalize in (False, True):
        config = TransferConfig(**SHALLOW, normalize_gradients=normalize, levels=1)
        task = make_task(CONTENT, STYLE, tiny_model, config=config)
        objective, _ = at_level(task, Level((32, 41), 1), finest=False)
        assert objective.normalize_gradients == normalize


def test_normalized_gradients_that_cannot_be_right_are_rejected(tiny_model):
    with pytest.raises(ConfigError, match="does not work with the method chain, whose losses"):
        TransferConfig(normalize_gradients=True, method="chain")
    objective = Objective(tiny_model, [TVTerm(1.0)], normalize_gradients=True)
    with pytest.raises(NstError, match=r"900x700 pixels do not fit .* as in --size 450, or leave"):
        in_tiles(objective, (700, 900), 10**5)


# ------------------------------------------------------------------ weights by size


def test_weights_are_divided_by_the_longest_side_of_the_target():
    current, target = random_map(4, 9, 5), random_map(4, 9, 5)
    plain = content_loss(current, target)
    np.testing.assert_allclose(content_loss(current, target, by_size=True), plain / 9, rtol=1e-6)
    features = {"a": random_map(4, 9, 5), "b": random_map(3, 2, 7)}
    weights, grams = {"a": 0.5, "b": 2.0}, {"a": tf.ones((1, 5, 5)), "b": tf.ones((1, 7, 7))}
    each = {layer: style_loss(features, {layer: gram}, weights) for layer, gram in grams.items()}
    both = style_loss(features, grams, weights, by_size=True)
    np.testing.assert_allclose(both, each["a"] / 5 + each["b"] / 7, rtol=1e-5)


@pytest.mark.parametrize("statistic", ["moments", "chain"])
def test_size_of_other_statistics_is_that_of_their_channels(tiny_model, statistic):
    def losses(**knobs):
        layers = {"content_layers": "conv1_1", "style_layers": ("conv1_1", "conv1_2")}
        config = TransferConfig(method=statistic, style_weighting="equal", **layers, **knobs)
        task = make_task(CONTENT, STYLE, tiny_model, 0.5 * CONTENT, config)
        return task.objective(tf.constant(task.start), task.targets)

    plain, by_size = losses(), losses(normalize_weights=True)
    channels = tiny_model["conv1_1"].channels
    assert tiny_model["conv1_2"].channels == channels
    np.testing.assert_allclose(by_size["style"], plain["style"] / channels, rtol=1e-5)
    np.testing.assert_allclose(by_size["content"], plain["content"] / 53, rtol=1e-5)
