"""The equations against values worked by hand and the gradients in the paper."""

import numpy as np
import pytest
import tensorflow as tf

from nst_tf import (
    ConfigError,
    ContentTerm,
    Objective,
    StyleTerm,
    content_loss,
    gram_matrix,
    layer_style_loss,
    style_loss,
    total_loss,
    tv_loss,
)


def feature_map(height=3, width=5, channels=4, seed=0):
    values = np.random.default_rng(seed).standard_normal((1, height, width, channels))
    return tf.constant(values, tf.float32)


def test_content_loss_is_half_the_squared_distance():
    current = tf.constant([[[[1.0, 2.0], [3.0, 4.0]]]])  # (1, 1, 2, 2)
    target = tf.constant([[[[1.0, 0.0], [0.0, 0.0]]]])
    assert content_loss(current, target).numpy() == 14.5  # (0 + 4 + 9 + 16) / 2


def test_content_loss_of_a_map_with_itself_is_zero():
    assert content_loss(feature_map(), feature_map()).numpy() == 0


def test_gram_matrix_known_values():
    features = tf.constant([[[[1.0, 2.0], [3.0, 4.0]]]])  # two positions, two channels
    # channel 1 is (1, 3), channel 2 is (2, 4): 1+9, 2+12, 4+16
    np.testing.assert_array_equal(gram_matrix(features)[0], [[10, 14], [14, 20]])
    np.testing.assert_array_equal(gram_matrix(features, per_position=True)[0], [[5, 7], [7, 10]])


def test_gram_matrix_ignores_positions():
    features = feature_map()
    order = np.random.default_rng(1).permutation(15)
    shuffled = tf.reshape(tf.gather(tf.reshape(features, (15, 4)), order), (1, 5, 3, 4))
    np.testing.assert_allclose(gram_matrix(features), gram_matrix(shuffled), rtol=1e-5, atol=1e-5)


def test_layer_style_loss_known_value():
    current = tf.constant([[[1.0, 2.0], [2.0, 4.0]]])
    target = tf.constant([[[0.0, 0.0], [0.0, 0.0]]])
    assert layer_style_loss(current, target).numpy() == 25 / 16  # (1+4+4+16) / (4 * 2^2)


def test_layer_style_loss_equals_equation_4_for_equal_sizes():
    current, style = feature_map(seed=1), feature_map(seed=2)
    n, m = 4, 15
    squared = np.sum(np.square(gram_matrix(current).numpy() - gram_matrix(style).numpy()))
    loss = layer_style_loss(
        gram_matrix(current, per_position=True), gram_matrix(style, per_position=True)
    )
    np.testing.assert_allclose(loss, squared / (4 * n**2 * m**2), rtol=1e-5)


def test_style_loss_is_invariant_to_tiling():
    pattern = feature_map(2, 3)
    tiled = tf.tile(pattern, (1, 2, 2, 1))
    target = {"conv1_1": gram_matrix(pattern, per_position=True)}
    loss = style_loss({"conv1_1": tiled}, target, {"conv1_1": 1.0})
    np.testing.assert_allclose(loss, 0, atol=1e-10)


def test_style_loss_is_the_weighted_sum_of_its_layers():
    features = {"a": feature_map(seed=1), "b": feature_map(seed=2)}
    targets = {name: tf.zeros((1, 4, 4)) for name in features}
    layer_losses = {
        name: layer_style_loss(gram_matrix(f, per_position=True), targets[name]).numpy()
        for name, f in features.items()
    }
    loss = style_loss(features, targets, {"a": 0.25, "b": 3.0})
    np.testing.assert_allclose(loss, 0.25 * layer_losses["a"] + 3 * layer_losses["b"], rtol=1e-6)


def test_total_variation_known_values():
    image = np.zeros((1, 2, 3, 3), np.float32)
    image[0, 1, 2, 0] = 2.0  # a corner pixel: one neighbor above, one to the left
    assert tv_loss(tf.constant(image)).numpy() == 8
    image[:] = 7
    assert tv_loss(tf.constant(image)).numpy() == 0


def test_total_variation_of_uint8_does_not_overflow():
    picture = np.zeros((1, 1, 2, 3), np.uint8)
    picture[0, 0, 0] = 200  # the next pixel is 200 lower
    assert tv_loss(picture).numpy() == 3 * 200**2


@pytest.mark.parametrize("edge", [np.s_[0, -1, :, 0], np.s_[0, :, -1, 0]])
def test_total_variation_includes_the_last_row_and_column(edge):
    image = np.zeros((1, 4, 5, 3), np.float32)
    image[edge] = 1
    assert tv_loss(tf.constant(image)).numpy() > 0


def test_total_loss_is_equation_7():
    # The published check of deeplearning.ai's course: alpha 10, beta 40.
    np.testing.assert_allclose(total_loss(0.2, 0.8, alpha=10, beta=40), 34)
    assert total_loss(1.0, 2.0, 3.0, 4.0, tv=5.0, tv_weight=6.0) == 41


def test_gradient_of_content_loss_is_equation_2():
    before_relu, target = feature_map(seed=3), feature_map(seed=4)
    features = tf.nn.relu(before_relu)
    with tf.GradientTape() as tape:
        tape.watch(before_relu)
        loss = content_loss(tf.nn.relu(before_relu), target)
    expected = tf.where(features > 0, features - target, 0)  # (F - P) where F > 0, else 0
    np.testing.assert_allclose(tape.gradient(loss, before_relu), expected, rtol=1e-5, atol=1e-6)


def test_gradient_of_style_loss_is_equation_6():
    before_relu, style = feature_map(seed=5), feature_map(seed=6)
    target = gram_matrix(style, per_position=True)
    with tf.GradientTape() as tape:
        tape.watch(before_relu)
        gram = gram_matrix(tf.nn.relu(before_relu), per_position=True)
        loss = layer_style_loss(gram, target)
    n, m = 4, 15
    f = tf.nn.relu(before_relu).numpy().reshape(m, n)  # (M, N), the paper's F transposed
    difference = f.T @ f - gram_matrix(style).numpy()[0]  # G - A
    expected = np.where(f > 0, f @ difference / (n**2 * m**2), 0).reshape(before_relu.shape)
    np.testing.assert_allclose(tape.gradient(loss, before_relu), expected, rtol=1e-4, atol=1e-7)


def test_terms_of_the_same_name_raise(tiny_model):
    terms = [ContentTerm(1.0, "conv1_1"), ContentTerm(1.0, "conv2_1")]
    with pytest.raises(
        ConfigError, match="the terms are content, content; each needs its own name"
    ):
        Objective(tiny_model, terms)


def test_missing_pictures_of_terms_raise(tiny_model):
    objective = Objective(tiny_model, [ContentTerm(1.0, "conv1_1"), StyleTerm(1.0, "conv1_1")])
    image = np.zeros((1, 16, 16, 3), np.float32)
    with pytest.raises(ConfigError, match="pass a content image"):
        objective.targets(None, image)
    with pytest.raises(ConfigError, match="pass one or more styles"):
        objective.targets(image, [])
    assert set(objective.targets(image, image)) == {"content", "style"}
