"""Normalization of a trunk: the same features, with a mean activation of one per filter."""

import numpy as np
import pytest
from pictures import make_picture
from squeezenet_files import tiny_squeezenet, write_npz

from nst_tf import ConfigError, ImageError, Trunk, extract_features
from nst_tf.models import ConvRelu, load_model, normalize_trunk
from nst_tf.models.normalize import channel_means

SIZES = [(45, 61), (52, 39), (40, 40)]


@pytest.fixture(params=["vgg", "v1.0", "v1.1"])
def weights(request, tmp_path, tiny_mat):
    if request.param == "vgg":
        return tiny_mat
    path = tmp_path / "net.npz"
    write_npz(path, tiny_squeezenet({"v1.0": 7, "v1.1": 3}[request.param]))
    return path


def images_for(model):
    return [model.space.to_image(make_picture(*size, seed)) for seed, size in enumerate(SIZES)]


def scales(mean):
    return np.maximum(mean, 0.05 * mean.mean()) if mean.any() else np.ones_like(mean)


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_features_are_divided_by_mean_activations(weights, pooling):
    model = load_model(weights, pooling=pooling)
    means = channel_means(model, images_for(model))
    normalized = normalize_trunk(model, images_for(model))
    assert list(normalized) == list(model)
    image = model.space.to_image(make_picture(47, 58, seed=9))  # not among the measured images
    before, after = (extract_features(trunk, image, list(model)) for trunk in (model, normalized))
    scale = None
    for name in model:
        scale = scales(means[name]) if name in means else scale  # a pool has its input's scale
        expected = before[name] / scale
        np.testing.assert_allclose(after[name], expected, rtol=1e-4, atol=1e-4, err_msg=name)


def test_mean_activation_of_each_filter_is_one(weights):
    model = load_model(weights)
    before = channel_means(model, images_for(model))
    after = channel_means(normalize_trunk(model, images_for(model)), images_for(model))
    for name, mean in after.items():
        active = before[name] >= 0.05 * before[name].mean()
        assert active.any(), name
        np.testing.assert_allclose(mean[active], 1, rtol=1e-4, err_msg=name)
        assert (mean[~active] < 1).all(), name


def test_channel_means_average_over_positions():
    model = Trunk(
        {"conv1": ConvRelu(np.eye(3).reshape(1, 1, 3, 3), np.zeros(3))}, name="", source=""
    )
    small, large = np.ones((1, 2, 3, 3), np.float32), np.zeros((1, 6, 7, 3), np.float32)
    np.testing.assert_allclose(channel_means(model, [small, large])["conv1"], 6 / (6 + 42))


def trunk_with_biases(*biases):
    """Return a trunk of 1x1 layers that output their biases."""
    layers, incoming = {}, 3
    for number, bias in enumerate(biases, 1):
        layers[f"conv{number}"] = ConvRelu(np.zeros((1, 1, incoming, len(bias))), bias)
        incoming = len(bias)
    return Trunk(layers, name="biases", source="nowhere")


def test_dead_filters_are_not_amplified():
    model = trunk_with_biases([4.0, 2.0, 0.0, -1.0, 0.01])  # mean 1.202: the last three are dead
    normalized = normalize_trunk(model, [np.zeros((1, 4, 5, 3), np.float32)])
    floor = 0.05 * 1.202
    expected = np.divide([4.0, 2.0, 0.0, -1.0, 0.01], [4, 2, floor, floor, floor])
    np.testing.assert_allclose(normalized["conv1"].bias, expected, rtol=1e-5)


def test_dead_layer_is_unchanged():
    model = trunk_with_biases([2.0, 4.0], [-1.0, -3.0], [1.0])
    normalized = normalize_trunk(model, [np.zeros((1, 4, 5, 3), np.float32)])
    np.testing.assert_array_equal(normalized["conv2"].bias, [-1, -3])
    np.testing.assert_array_equal(normalized["conv3"].bias, [1])


def test_normalized_name_and_unmodified_model(tiny_model):
    before = tiny_model["conv3_1"].kernel.numpy()
    normalized = normalize_trunk(tiny_model, images_for(tiny_model)[:1])
    assert normalized.name == f"{tiny_model.name}, normalized"
    assert normalized.source == tiny_model.source
    assert normalized.space == tiny_model.space
    np.testing.assert_array_equal(tiny_model["conv3_1"].kernel, before)


def test_invalid_images_or_model_raise(tiny_model):
    with pytest.raises(ConfigError, match="`images` is empty; pass at least one"):
        normalize_trunk(tiny_model, [])
    with pytest.raises(ConfigError, match="pass a model from load_vgg_model or KerasTrunk"):
        normalize_trunk("vgg.mat", images_for(tiny_model))
    with pytest.raises(ImageError, match="pass the second value of load_image"):
        normalize_trunk(tiny_model, images_for(tiny_model)[0])  # an image, not a list of them
