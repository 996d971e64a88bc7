"""VGG-13 and VGG-11, with and without batch normalization, from Keras' files and models."""

import h5py
import keras
import numpy as np
import pytest
from mat_files import tiny_vgg, write_vgg_npz
from pictures import make_picture

from nst_tf import ConfigError, WeightsError, extract_features, load_vgg_model, vgg_from_keras
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.models import resolve_layers
from nst_tf.models.readers.vgg_weights import folded

IMAGE = VGG_PIXELS.to_image(make_picture(37, 51))


def normalized_vgg(depth, *, epsilon=1e-3, use_bias=True):
    """Return a tiny VGG with batch normalization as a Keras model with RGB input."""
    generator, convolutions = np.random.default_rng(depth), tiny_vgg(depth)
    x = inputs = keras.Input((None, None, 3))
    for name, (kernel, bias) in convolutions.items():
        if name.endswith("_1") and name != "conv1_1":
            x = keras.layers.MaxPooling2D(2, padding="same")(x)
        layer = keras.layers.Conv2D(kernel.shape[3], 3, padding="same", use_bias=use_bias)
        x = layer(x)
        layer.set_weights([kernel, bias] if use_bias else [kernel])
        normalization = keras.layers.BatchNormalization(epsilon=epsilon)
        x = normalization(x)
        gamma, variance = generator.uniform(0.5, 2, (2, bias.size))
        beta, mean = generator.normal(0, 0.5, (2, bias.size))
        normalization.set_weights([gamma, beta, mean, 1e-3 * variance])
        x = keras.layers.ReLU(name=name.replace("conv", "relu"))(x)
    return keras.Model(inputs, x, name="tiny")


@pytest.mark.parametrize(("depth", "use_bias"), [(11, True), (13, False)])
def test_folded_batch_normalization_matches_the_layers_of_keras(depth, use_bias):
    model = normalized_vgg(depth, epsilon=1e-4, use_bias=use_bias)
    trunk = vgg_from_keras(model, bgr=False, pooling="max")
    assert trunk.name == f"VGG-{depth} from tiny"
    assert trunk.convolutions == tuple(tiny_vgg(depth))
    names = [name.replace("conv", "relu") for name in trunk.convolutions]
    outputs = [model.get_layer(name).output for name in names]
    unfolded = dict(zip(trunk.convolutions, keras.Model(model.inputs, outputs)(IMAGE)))
    for name, features in extract_features(trunk, IMAGE, trunk.convolutions).items():
        scale = np.abs(unfolded[name]).max()
        np.testing.assert_allclose(features, unfolded[name], atol=1e-5 * scale, err_msg=name)


def test_folded_known_values():
    kernel, bias = np.full((1, 1, 1, 2), 3.0), np.array([1.0, 2.0])
    normalization = [2.0, 1.0], [0.5, 0.0], [1.0, 4.0], [3.0, 0.0]
    kernel, bias = folded(kernel, bias, normalization, 1.0)
    np.testing.assert_allclose(kernel.ravel(), [3.0, 3.0])  # times 2 / sqrt(4), 1 / sqrt(1)
    np.testing.assert_allclose(bias, [0.5, -2.0])


@pytest.mark.parametrize("name", ["x.keras", "x.h5", "x.weights.h5"])
def test_files_of_normalized_vggs_are_those_of_their_model(tmp_path, name):
    epsilon = 1e-3 if name == "x.weights.h5" else 1e-5  # weights alone have no epsilon
    model = normalized_vgg(11, epsilon=epsilon, use_bias=name != "x.h5")
    model.save_weights(tmp_path / name) if "weights" in name else model.save(tmp_path / name)
    found, expected = load_vgg_model(tmp_path / name), vgg_from_keras(model)
    assert found.name == f"VGG-11 from {name}"
    for layer in expected.convolutions:
        np.testing.assert_allclose(found[layer].kernel, expected[layer].kernel, rtol=1e-5)
        np.testing.assert_allclose(found[layer].bias, expected[layer].bias, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("depth", [11, 13])
def test_small_vgg_of_an_npz_has_the_default_layers(tmp_path, depth):
    write_vgg_npz(tmp_path / "small.npz", tiny_vgg(depth))
    model = load_vgg_model(tmp_path / "small.npz")
    assert model.name == f"VGG-{depth} from small.npz"
    assert resolve_layers(model, ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1", "conv4_2"))
    with pytest.raises(ConfigError, match=f"no layer 'conv4_4' in VGG-{depth} from .* conv5_2"):
        resolve_layers(model, ["conv4_4"])


def test_normalizations_that_do_not_fit_are_refused(tmp_path):
    normalized_vgg(11).save_weights(tmp_path / "x.weights.h5")
    with h5py.File(tmp_path / "x.weights.h5", "a") as file:
        del file["layers/batch_normalization_3"]
    with pytest.raises(WeightsError, match="7 batch normalizations for 8 convolutions; one after"):
        load_vgg_model(tmp_path / "x.weights.h5")
    x = inputs = keras.Input((None, None, 3))
    for kernel, _ in tiny_vgg(11).values():
        x = keras.layers.Conv2D(kernel.shape[3], 3, padding="same", activation="relu")(x)
        x = keras.layers.BatchNormalization()(x)
    with pytest.raises(ConfigError, match="one between each convolution and its ReLU was expected"):
        vgg_from_keras(keras.Model(inputs, x))


def test_model_that_is_no_vgg_is_refused():
    x = keras.Input((None, None, 3))
    model = keras.Model(x, keras.layers.Conv2D(4, 3)(x), name="small")
    with pytest.raises(ConfigError, match=r"small has 1 convolutions, .*; pass it to KerasTrunk"):
        vgg_from_keras(model)
    with pytest.raises(ConfigError, match="'vgg19' is not a Keras model"):
        vgg_from_keras("vgg19")
