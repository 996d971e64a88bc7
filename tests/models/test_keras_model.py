"""A Keras model as the trunk: features, losses and unsupported options."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from pictures import make_picture

from nst_tf import (
    ConfigError,
    KerasTrunk,
    Style,
    extract_features,
    load_vgg_model,
    style_transfer,
)
from nst_tf.image.pixels import VGG_PIXELS

LAYERS = ["conv1_1", "conv2_1"]
CONTENT, STYLE = make_picture(37, 45), make_picture(50, 41, seed=1)


@pytest.fixture(scope="module")
def network(tiny_mat):
    """Return the first layers of the tiny VGG as a Keras model that takes RGB minus the mean."""
    vgg = load_vgg_model(tiny_mat, pooling="max")
    x = inputs = keras.Input((None, None, 3))
    for name, layer in list(vgg.items())[:5]:
        if layer.channels:
            x = keras.layers.Conv2D(
                layer.channels, 3, padding="same", activation="relu", name=name
            )(x)
        else:
            x = keras.layers.MaxPooling2D(2, padding="same", name=name)(x)
    model = keras.Model(inputs, x)
    for layer in model.layers:
        if layer.name.startswith("conv"):
            layer.set_weights([vgg[layer.name].kernel.numpy(), vgg[layer.name].bias.numpy()])
    return model


@pytest.fixture(scope="module")
def trunk(network):
    return KerasTrunk(network, lambda x: x - tf.constant(VGG_PIXELS.mean))


def test_features_match_the_vgg_trunk(trunk, tiny_mat):
    vgg = load_vgg_model(tiny_mat, pooling="max")
    expected = extract_features(vgg, vgg.space.to_image(CONTENT), LAYERS)
    found = extract_features(trunk, trunk.space.to_image(CONTENT), LAYERS)
    assert list(found) == LAYERS
    for layer in LAYERS:
        np.testing.assert_allclose(found[layer], expected[layer], rtol=1e-4, atol=1e-3)
    assert trunk.convolutions == ("conv1_1", "conv1_2", "conv2_1", "conv2_2")


def test_style_transfer_matches_the_vgg_trunk(trunk, tiny_mat):
    vgg = load_vgg_model(tiny_mat, pooling="max")
    options = {"style_layers": LAYERS, "content_layers": ["conv2_2"], "iterations": 5}
    one, two = (
        style_transfer(model.space.to_image(CONTENT), model.space.to_image(STYLE), model, **options)
        for model in (vgg, trunk)
    )
    for expected, found in zip(one.history, two.history, strict=True):
        np.testing.assert_allclose(found["total"], expected["total"], rtol=1e-2)


def test_unsupported_options_raise(trunk, network):
    content, style = (trunk.space.to_image(picture) for picture in (CONTENT, STYLE))
    options = {"style_layers": LAYERS, "content_layers": ["conv2_2"], "iterations": 1}
    masked = Style(style, mask=np.ones(CONTENT.shape[:2], np.float32))
    with pytest.raises(ConfigError, match="masks need to know what a layer sees"):
        style_transfer(content, masked, trunk, **options)
    with pytest.raises(
        ConfigError, match="whose padding can't be changed, so `wrap` does not work"
    ):
        style_transfer(content, style, trunk, wrap="x", **options)
    with pytest.raises(ConfigError, match="a Keras model computes in float32"):
        style_transfer(content, style, trunk, precision="mixed", **options)
    with pytest.raises(ConfigError, match="there is no layer 'conv4_2'"):
        style_transfer(content, style, trunk)
    with pytest.raises(ConfigError, match="is not a Keras model"):
        KerasTrunk("vgg19")
    with pytest.raises(ConfigError, match="KerasTrunk"):
        style_transfer(content, style, network)


def test_auto_precision_is_float32(trunk):
    images = [trunk.space.to_image(picture) for picture in (CONTENT, STYLE)]
    layers = {"content_layers": ["conv2_1"], "style_layers": LAYERS}
    result = style_transfer(*images, trunk, iterations=1, precision="auto", **layers)
    assert result.config.precision == "float32"


def test_preprocess_that_is_no_function_raises(network):
    with pytest.raises(ConfigError, match="`preprocess` is 'caffe'; a function was expected"):
        KerasTrunk(network, "caffe")
