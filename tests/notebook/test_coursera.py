"""The names of deeplearning.ai's course, against its published numbers and its formulas."""

import numpy as np
import pytest
import tensorflow as tf

import nst_tf as nst
from nst_tf.notebook import coursera


def drawn(shape):
    """Return the two random tensors of the course's tests (TensorFlow, seed 1)."""
    tf.random.set_seed(1)
    return [tf.random.normal(shape, mean=1, stddev=4) for _ in range(2)]


def features(shape=(1, 3, 5, 4)):
    rng = np.random.default_rng(0)
    return [rng.random(shape, np.float32) for _ in range(2)]


def test_published_numbers():
    a_C, a_G = drawn([1, 1, 4, 4, 3])
    np.testing.assert_allclose(coursera.compute_content_cost(a_C[0], a_G[0]), 7.0568767, rtol=1e-6)
    np.testing.assert_allclose(
        coursera.compute_layer_style_cost(*drawn([1, 4, 4, 3])), 14.017805, rtol=1e-5
    )
    assert coursera.total_cost(0.2, 0.8) == 34
    assert coursera.total_cost(0.3, 0.5, 3, 8) == pytest.approx(4.9)


def test_formulas():
    a_S, a_G = features()
    content = ((a_S - a_G) ** 2).sum() / (4 * 3 * 5 * 4)
    np.testing.assert_allclose(coursera.compute_content_cost(a_S, a_G), content, rtol=1e-5)
    unrolled = [a.reshape(15, 4).T for a in (a_S, a_G)]
    grams = [A @ A.T for A in unrolled]
    np.testing.assert_allclose(coursera.gram_matrix(unrolled[0]), grams[0], rtol=1e-5)
    style = ((grams[0] - grams[1]) ** 2).sum() / (4 * 4**2 * 15**2)
    np.testing.assert_allclose(coursera.compute_layer_style_cost(a_S, a_G), style, rtol=1e-4)


def test_style_cost_compares_each_layer_with_itself():
    first, second = features(), features((1, 2, 3, 6))
    layers = [("conv1_1", 0.3), ("conv2_1", 0.7)]
    costs = [float(coursera.compute_layer_style_cost(*pair)) for pair in (first, second)]
    content = [np.zeros((1, 1, 1, 1), np.float32)]  # further features are ignored
    outputs = [[one, two, *content] for one, two in zip(first, second)]
    cost = coursera.compute_style_cost(*outputs, layers)
    assert float(cost) == pytest.approx(0.3 * costs[0] + 0.7 * costs[1], rel=1e-5)


def test_layers_by_name_in_the_given_order(tiny_model):
    image = tiny_model.space.to_image(np.full((32, 48, 3), 90, np.uint8))
    outputs = coursera.get_layer_outputs(tiny_model, [("conv3_1", 1), ("conv1_1", 1)])(image)
    expected = nst.extract_features(tiny_model, image, ["conv1_1", "conv3_1"])
    np.testing.assert_array_equal(outputs[0], expected["conv3_1"])
    np.testing.assert_array_equal(outputs[1], expected["conv1_1"])
    with pytest.raises(nst.ConfigError, match="conv9_1"):
        coursera.get_layer_outputs(tiny_model, [("conv9_1", 1)])(image)


def test_step_and_loop_lower_the_cost(tiny_model):
    rng = np.random.default_rng(0)
    content, style = (
        tiny_model.space.to_image(rng.integers(0, 256, (32, 48, 3), dtype=np.uint8))
        for _ in range(2)
    )
    outputs = coursera.get_layer_outputs(
        tiny_model, [*coursera.STYLE_LAYERS, (coursera.CONTENT_LAYER, 1)]
    )
    a_C, a_S = outputs(content), outputs(style)

    def cost(image):
        a_G = outputs(image)
        J_content = coursera.compute_content_cost(a_C[-1], a_G[-1])
        return coursera.total_cost(J_content, coursera.compute_style_cost(a_S, a_G))

    image = tf.Variable(content)
    before = float(cost(image))
    optimizer = tf.keras.optimizers.Adam(2.0)
    assert float(coursera.train_step(image, cost, optimizer)) == pytest.approx(before)
    assert float(cost(image)) < before
    totals = []
    record = lambda step: totals.append(step.losses["total"])  # noqa: E731
    result = coursera.model_nn(tiny_model, content, content, style, 3, [record])
    assert len(totals) == 4
    assert totals[0] == pytest.approx(before, rel=1e-4)
    assert totals[-1] == pytest.approx(float(cost(result)), rel=1e-4)
    assert totals[-1] < totals[0]
