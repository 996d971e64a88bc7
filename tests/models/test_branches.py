"""Dilated filters and linear maps of channels, in addition to a trunk's own layers."""

import numpy as np
import pytest
import tensorflow as tf
from pictures import make_picture

from nst_tf import (
    ConfigError,
    KerasTrunk,
    Objective,
    StyleTerm,
    extract_features,
    gram_matrix,
    normalize_trunk,
    receptive_fields,
    with_dilation,
    with_linear_map,
)
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.models import Trunk
from nst_tf.models.layers import ConvRelu
from nst_tf.objective.guides import layer_guides
from nst_tf.scaling.tiling import TiledObjective

IMAGE = VGG_PIXELS.to_image(make_picture(48, 64))
MATRIX = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def branched(tiny_model):
    return with_linear_map(with_dilation(tiny_model, "conv2_1", 2), "conv2_2", MATRIX)


@pytest.mark.parametrize("padding", ["SAME", "EDGE"])
def test_dilated_filters_match_numpy(padding):
    generator = np.random.default_rng(1)
    kernel, bias = generator.normal(size=(3, 3, 2, 4)), generator.normal(size=4)
    x = generator.normal(size=(1, 7, 6, 2)).astype(np.float32)
    model = Trunk({"conv1_1": ConvRelu(kernel, bias, padding=padding)}, name="one", source="")
    found = with_dilation(model, "conv1_1", 2)["conv1_1_dilated_2"](tf.constant(x))
    mode = {"SAME": "constant", "EDGE": "symmetric"}[padding]
    padded = np.pad(x[0], ((2, 2), (2, 2), (0, 0)), mode)
    expected = bias + sum(
        padded[2 * i : 2 * i + 7, 2 * j : 2 * j + 6] @ kernel[i, j]
        for i in range(3)
        for j in range(3)
    )
    np.testing.assert_allclose(found[0], np.maximum(expected, 0), rtol=1e-4, atol=1e-5)


def test_branches_read_beside_the_trunk_and_leave_it_unchanged(branched, tiny_model):
    features = extract_features(branched, IMAGE, list(branched))
    for name, own in extract_features(tiny_model, IMAGE, list(tiny_model)).items():
        np.testing.assert_array_equal(features[name], own, err_msg=name)
    incoming = features["avgpool1"]
    dilated = tiny_model["conv2_1"].changed(dilation=2)(incoming)
    np.testing.assert_array_equal(features["conv2_1_dilated_2"], dilated)
    mapped = features["conv2_2"].numpy() @ MATRIX.T  # NeuralImageSynthesis' LinTrans: no ReLU
    np.testing.assert_allclose(features["conv2_2_mapped"], mapped, rtol=1e-4, atol=1e-3)
    assert mapped.min() < 0


def test_loss_of_a_linear_map_is_that_of_its_gram_matrix(branched, tiny_model):
    style = VGG_PIXELS.to_image(make_picture(40, 56, seed=1))
    objective = Objective(branched, [StyleTerm(1.0, ["conv2_2_mapped"])])
    loss = objective(tf.constant(IMAGE), objective.targets(None, style))["style"]
    grams = []
    for image in (IMAGE, style):
        features = extract_features(tiny_model, image, ["conv2_2"])["conv2_2"]
        grams.append(MATRIX @ gram_matrix(features, per_position=True)[0] @ MATRIX.T)
    np.testing.assert_allclose(loss, np.sum((grams[0] - grams[1]) ** 2) / (4 * 9), rtol=1e-4)


def test_tiles_match_with_branches(branched):
    objective = Objective(branched, [StyleTerm(1.0, ["conv2_1_dilated_2", "conv2_2_mapped"])])
    targets = objective.targets(None, IMAGE[:, ::-1])
    tiled = TiledObjective(branched, objective.terms, IMAGE.shape[1:3], 36 * 36)
    image = tf.constant(IMAGE)
    np.testing.assert_allclose(
        tiled(image, targets)["style"], objective(image, targets)["style"], rtol=2e-5
    )


def test_fields_masks_and_precision_of_branches(branched, tiny_model):
    fields, own = receptive_fields(branched), receptive_fields(tiny_model)
    assert {name: fields[name] for name in own} == own
    first = own["conv2_1"]
    assert fields["conv2_1_dilated_2"] == (first.stride, first.first - 2, first.size + 4)
    assert fields["conv2_2_mapped"] == own["conv2_2"]
    mask = np.zeros((48, 64), np.float32)
    mask[:, :32] = 1
    guides = layer_guides(branched, mask, ["conv2_1", "conv2_1_dilated_2", "conv5_1"], "all")
    assert (
        guides["conv2_1_dilated_2"][0, 0, :, 0].numpy().sum() == 19
    )  # 34 pixels, and two positions
    assert guides["conv2_1"][0, 0, :, 0].numpy().sum() == 18
    expected = layer_guides(tiny_model, mask, ["conv5_1"], "all")["conv5_1"]
    np.testing.assert_array_equal(guides["conv5_1"], expected)
    layers = ["conv2_1_dilated_2", "conv2_2_mapped"]
    half = extract_features(branched.computing_in(tf.bfloat16), IMAGE, layers)
    assert {features.dtype for features in half.values()} == {tf.bfloat16}


def test_normalized_trunk_with_branches(branched, tiny_model):
    found = normalize_trunk(branched, [IMAGE])
    expected = extract_features(normalize_trunk(tiny_model, [IMAGE]), IMAGE, ["conv3_1"])
    np.testing.assert_allclose(
        extract_features(found, IMAGE, ["conv3_1"])["conv3_1"], expected["conv3_1"], rtol=1e-5
    )


def test_branches_that_do_not_fit_are_refused(branched, tiny_model):
    for change, message in [
        (lambda: with_dilation(tiny_model, "conv9_1", 2), "there is no layer 'conv9_1'"),
        (lambda: with_dilation(tiny_model, "avgpool1", 2), "avgpool1 of .* is not a convolution;"),
        (lambda: with_dilation(tiny_model, "conv1_1", 0), "`dilation` is 0; a whole number of at"),
        (lambda: with_dilation(branched, "conv2_1", 2), "has a layer conv2_1_dilated_2 already"),
        (
            lambda: with_linear_map(tiny_model, "avgpool2", np.eye(5)),
            r"`matrix` has shape \(5, 5\); \(any, 6\) was expected: avgpool2 has 6 channels",
        ),
        (
            lambda: with_linear_map(tiny_model, "avgpool2", np.full((2, 6), np.nan)),
            "`matrix` holds NaN or infinite numbers",
        ),
        (lambda: with_linear_map(tiny_model, "avgpool2", "x"), r"`matrix` is 'x'; numbers \(out"),
    ]:
        with pytest.raises(ConfigError, match=message):
            change()


def test_keras_trunk_has_no_branches():
    import keras

    x = keras.Input((None, None, 3))
    trunk = KerasTrunk(keras.Model(x, keras.layers.Conv2D(4, 3, name="conv1_1")(x)))
    with pytest.raises(ConfigError, match="is not a convolution"):
        with_dilation(trunk, "conv1_1", 2)


def test_dilated_filters_have_a_gradient_on_every_processor(tiny_model):
    layer = tiny_model["conv2_1"].changed(dilation=2)
    x = tf.constant(np.random.default_rng(0).normal(size=(1, 9, 8, layer.kernel.shape[2])))

    @tf.function
    def gradient(x):
        return tf.gradients(tf.reduce_sum(layer(x)), x)[0]

    found = gradient(tf.cast(x, tf.float32))
    assert found.shape == x.shape
    assert np.abs(found).max() > 0
