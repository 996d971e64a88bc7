"""SqueezeNet weights in three file formats, the trunk, pixels, file search and invalid files."""

import os
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from pictures import make_picture
from squeezenet_files import npz_arrays, tiny_squeezenet, write_npz, write_tf1, write_tf2

from nst_tf import ConfigError, PixelSpace, WeightsError, extract_features, read_picture
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.image.sizes import resize_picture
from nst_tf.models import (
    CS231N_LAYERS,
    Pool,
    find_squeezenet_weights,
    load_model,
    load_squeezenet_model,
    weights_family,
)
from nst_tf.models.readers.squeezenet_weights import CAFFE_PIXELS, IMAGENET_PIXELS
from nst_tf.models.search import model_folders

ROOT = Path(__file__).resolve().parents[2]
V1_0 = "conv1 pool1 fire2 fire3 fire4 pool4 fire5 fire6 fire7 fire8 pool8 fire9"
V1_1 = "conv1 pool1 fire2 fire3 pool3 fire4 fire5 pool5 fire6 fire7 fire8 fire9"
IMAGE = IMAGENET_PIXELS.to_image(make_picture(61, 45))


@pytest.fixture
def empty_directory(tmp_path, monkeypatch):
    """Return an empty working directory, with no weights on the search path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nst_tf.models.search.CHECKOUT", tmp_path / "checkout")
    monkeypatch.delenv("NST_TF_MODEL_PATH", raising=False)
    return tmp_path


@pytest.fixture
def npz(tmp_path):
    path = tmp_path / "squeezenet_v1_1.npz"
    write_npz(path, tiny_squeezenet())
    return path


def assert_same_weights(model, convolutions):
    for name, (kernel, bias) in convolutions.items():
        layer, _, part = name.partition("/")
        found = getattr(model[layer], part) if part else model[layer]
        np.testing.assert_array_equal(found.kernel, kernel, err_msg=name)
        np.testing.assert_array_equal(found.bias, bias, err_msg=name)


# ------------------------------------------------------------------ reading weights


@pytest.mark.parametrize("write", [write_tf1, write_tf2])
@pytest.mark.parametrize("name", ["squeezenet.ckpt", "squeezenet.ckpt.index", ""])
def test_checkpoint_by_prefix_index_or_directory(tmp_path, write, name):
    write(tmp_path / "squeezenet.ckpt", tiny_squeezenet())
    model = load_squeezenet_model(tmp_path / name)
    assert_same_weights(model, tiny_squeezenet())
    assert model.name == "SqueezeNet v1.1 from squeezenet.ckpt"
    assert model.source == str(tmp_path / "squeezenet.ckpt.index")


@pytest.mark.parametrize("order", ["bgr", "rgb"])
def test_npz_channel_order_is_converted_to_rgb(tmp_path, order):
    metadata = {} if order == "bgr" else {"channel_order": "rgb"}
    write_npz(tmp_path / "net.npz", tiny_squeezenet(), order, **metadata)
    assert_same_weights(load_squeezenet_model(tmp_path / "net.npz"), tiny_squeezenet())


def test_features_do_not_depend_on_the_file_format(tmp_path, npz):
    write_tf1(tmp_path / "one", tiny_squeezenet())
    write_tf2(tmp_path / "two", tiny_squeezenet())
    expected = extract_features(load_squeezenet_model(npz), IMAGE, V1_1.split())
    for name in ("one", "two"):
        found = extract_features(load_squeezenet_model(tmp_path / name), IMAGE, V1_1.split())
        for layer, features in expected.items():
            np.testing.assert_array_equal(found[layer], features, err_msg=f"{name} {layer}")


def test_7x7_kernel_is_loaded_as_v1_0(tmp_path):
    write_npz(tmp_path / "net.npz", tiny_squeezenet(7))
    model = load_squeezenet_model(tmp_path / "net.npz")
    assert " ".join(model) == V1_0
    assert model.name == "SqueezeNet v1.0 from net.npz"
    assert model.space == IMAGENET_PIXELS


@pytest.mark.parametrize(("side", "metadata"), [(7, {}), (3, {"pixels": "caffe"})])
def test_caffe_pixels_are_folded_into_conv1(tmp_path, side, metadata):
    write_npz(tmp_path / "net.npz", tiny_squeezenet(side), **metadata)
    picture = make_picture(43, 58)
    kernel, bias = tiny_squeezenet(side)["conv1"]
    bgr = picture[np.newaxis, :, :, ::-1] - np.float32([104, 117, 123])
    expected = tf.nn.relu(tf.nn.conv2d(bgr, kernel[:, :, ::-1], 2, "VALID") + bias)
    model = load_squeezenet_model(tmp_path / "net.npz")
    found = extract_features(model, model.space.to_image(picture), ["conv1"])["conv1"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_npz_with_imagenet_pixels_is_not_converted(tmp_path):
    write_npz(tmp_path / "net.npz", tiny_squeezenet(7), pixels="imagenet")
    assert_same_weights(load_squeezenet_model(tmp_path / "net.npz"), tiny_squeezenet(7))


# ------------------------------------------------------------------ the trunk


def test_tutorial_layer_numbers_are_layers_of_v1_1(npz):
    assert list(load_squeezenet_model(npz)) == V1_1.split() == list(CS231N_LAYERS.values())
    assert " ".join(CS231N_LAYERS[n] for n in (0, 3, 5, 6)) == "conv1 fire3 fire4 fire5"
    assert CS231N_LAYERS[2] == "fire2"


def test_convolutions_are_all_layers_except_pools(npz):
    model = load_squeezenet_model(npz)
    assert model.convolutions == tuple(name for name in V1_1.split() if "pool" not in name)
    features = extract_features(model, IMAGE, model.convolutions)
    for name, feature in features.items():
        assert feature.shape[3] == model[name].channels


def caffe_ceil(side):
    return -(-(side - 3) // 2) + 1


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("size", [(32, 32), (61, 45), (40, 67), (47, 54)])
@pytest.mark.parametrize("side", [3, 7])
def test_features_are_nonnegative_with_published_sizes(tmp_path, side, size, pooling):
    write_npz(tmp_path / "net.npz", tiny_squeezenet(side))
    model = load_squeezenet_model(tmp_path / "net.npz", pooling=pooling)
    image = model.space.to_image(make_picture(*size))
    expected = size
    for name, features in extract_features(model, image, list(model)).items():
        if name == "conv1":
            expected = [(n - side) // 2 + 1 for n in expected]
        elif name.startswith("pool"):
            expected = [caffe_ceil(n) if side == 7 else (n - 3) // 2 + 1 for n in expected]
        assert features.shape[1:3] == tuple(expected), name
        assert np.isfinite(features).all(), name
        assert features.numpy().min() >= 0, name
        assert features.numpy().max() > 0, name


@pytest.mark.parametrize("kind", ["max", "average"])
@pytest.mark.parametrize("size", [(6, 6), (7, 7), (8, 5), (3, 4)])
def test_ceil_pool_uses_only_valid_positions(kind, size):
    x = np.random.default_rng(0).standard_normal((1, *size, 2)).astype(np.float32)
    pool = np.max if kind == "max" else np.mean
    height, width = map(caffe_ceil, size)
    expected = [
        [pool(x[0, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3], axis=(0, 1)) for j in range(width)]
        for i in range(height)
    ]
    found = Pool(kind, size=3, stride=2, padding="CEIL")(tf.constant(x))
    np.testing.assert_allclose(found[0], expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("side", [3, 7])
def test_gradient_reaches_the_image(tmp_path, side, pooling):
    write_npz(tmp_path / "net.npz", tiny_squeezenet(side))
    model = load_squeezenet_model(tmp_path / "net.npz", pooling=pooling)
    image = tf.Variable(IMAGE)

    @tf.function
    def gradient():
        with tf.GradientTape() as tape:
            features = extract_features(model, image, ["fire9"])["fire9"]
            loss = tf.reduce_sum(features**2)
        return tape.gradient(loss, image)

    assert np.isfinite(gradient()).all()
    assert np.abs(gradient()).max() > 0


def test_unknown_pooling_raises(npz):
    with pytest.raises(ConfigError, match="'median'; choose from average, max"):
        load_squeezenet_model(npz, pooling="median")


# ------------------------------------------------------------------ pixels


def test_imagenet_pixels_are_standardized():
    picture = make_picture(33, 41)
    expected = (picture / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(IMAGENET_PIXELS.to_image(picture)[0], expected, atol=1e-5)
    black, white = IMAGENET_PIXELS.bounds
    np.testing.assert_allclose(black, [-2.1179, -2.0357, -1.8044], atol=1e-4)
    np.testing.assert_allclose(white, [2.2489, 2.4286, 2.64], atol=1e-4)


@pytest.mark.parametrize("space", [VGG_PIXELS, IMAGENET_PIXELS, PixelSpace((0, 0, 0), (255,) * 3)])
def test_pixel_space_round_trip(space):
    picture = make_picture(33, 41)
    np.testing.assert_array_equal(space.to_picture(space.to_image(picture)), picture)
    black, white = space.bounds
    assert (space.to_picture(np.broadcast_to(black, (1, 2, 2, 3))) == 0).all()
    assert (space.to_picture(np.broadcast_to(white, (1, 2, 2, 3))) == 255).all()


def test_space_without_deviation_only_subtracts_mean():
    picture = make_picture(33, 41)
    mean = np.float32(VGG_PIXELS.mean)
    np.testing.assert_array_equal(VGG_PIXELS.to_image(picture)[0], np.float32(picture) - mean)
    np.testing.assert_array_equal(VGG_PIXELS.bounds, [-mean, 255 - mean])


def test_pixel_space_scales():
    assert VGG_PIXELS.scale == CAFFE_PIXELS.scale == 1
    assert IMAGENET_PIXELS.scale == pytest.approx(57.63)


# ------------------------------------------------------------------ file search


def test_search_order_of_directories(empty_directory, monkeypatch):
    far, further = empty_directory / "far", empty_directory / "further"
    monkeypatch.setenv("NST_TF_MODEL_PATH", os.pathsep.join([str(far), "", str(further)]))
    places = [
        further / "squeezenet_v1_0.npz",
        further / "squeezenet_v1_1.npz",
        far / "squeezenet_v1_0.npz",
        empty_directory / "checkout" / "model" / "squeezenet_v1_0.npz",
        Path("model", "squeezenet_v1_1.npz"),
        Path("model", "squeezenet_tf2", "squeezenet.ckpt.index"),
        Path("model", "squeezenet.ckpt.index"),
    ]
    for place in places:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        assert find_squeezenet_weights() == place


def test_missing_weights_error_lists_directories(empty_directory, monkeypatch):
    monkeypatch.setenv("NST_TF_MODEL_PATH", str(empty_directory / "elsewhere"))
    with pytest.raises(
        WeightsError, match=r"no SqueezeNet in model, .*checkout.*, .*elsewhere: put"
    ):
        load_squeezenet_model()


def test_vgg_is_searched_in_model_path(empty_directory, monkeypatch, tiny_mat):
    monkeypatch.setenv("NST_TF_MODEL_PATH", str(empty_directory / "elsewhere"))
    (empty_directory / "elsewhere").mkdir()
    (empty_directory / "elsewhere" / "imagenet-vgg-verydeep-19.mat").symlink_to(tiny_mat)
    assert load_model().name == "VGG-19 from imagenet-vgg-verydeep-19.mat"


@pytest.mark.parametrize(
    ("weights", "family"),
    [
        ("auto", "vgg"),
        ("embedded", "vgg"),
        ("squeezenet.mat", "vgg"),
        (Path("model/notop.h5"), "vgg"),
        ("no_such_file", "vgg"),
        ("squeezenet", "squeezenet"),
        (Path("net.npz"), "squeezenet"),
        ("some.ckpt.index", "squeezenet"),
        ("model/squeezenet1_1-b8a52dc0.pth", "squeezenet"),
        ("prefix", "squeezenet"),
        ("folder", "squeezenet"),
    ],
)
def test_weights_family(empty_directory, weights, family):
    (empty_directory / "prefix.index").touch()
    (empty_directory / "folder").mkdir()
    assert weights_family(weights) == family


def test_default_pooling_of_each_family(npz, tiny_mat):
    assert load_model(npz)["pool1"].kind == "max"
    assert load_model(npz, pooling="average")["pool1"].kind == "average"
    assert load_model(tiny_mat)["avgpool1"].kind == "average"
    assert load_model(tiny_mat, pooling="max")["maxpool1"].kind == "max"


# ------------------------------------------------------------------ invalid files


def refused(path, message):
    with pytest.raises(WeightsError, match=message) as raised:
        load_squeezenet_model(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["squeezenet1_1-b8a52dc0.pth", "net.PT"])
def test_pth_file_raises(tmp_path, name):
    refused(tmp_path / name, "can run code; save its arrays as an .npz")


def test_pickle_with_npz_extension_raises(tmp_path):
    (tmp_path / "net.npz").write_bytes(pickle.dumps({"features.0.weight": 1}))
    refused(tmp_path / "net.npz", "can run code")
    with zipfile.ZipFile(tmp_path / "zip.npz", "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps({"features.0.weight": 1}))
    refused(tmp_path / "zip.npz", "can run code")


def test_pickled_arrays_are_not_loaded(tmp_path):
    np.savez(tmp_path / "net.npz", **{"conv1/weights": np.array([{}], object)})
    refused(tmp_path / "net.npz", "not an .npz of arrays: Object arrays cannot be loaded")


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_damaged_npz_raises(npz, share):
    whole = npz.read_bytes()
    npz.write_bytes(whole[: int(share * len(whole))])
    refused(npz, "damaged or not an .npz")
    damaged = bytearray(whole)
    damaged[int(share * len(whole))] ^= 0xFF
    npz.write_bytes(damaged)
    refused(npz, "damaged or not an .npz")


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>404", b"PK or so" * 100])
def test_other_file_type_raises(tmp_path, content):
    path = tmp_path / "squeezenet.ckpt.index"
    path.write_bytes(content)
    refused(path, "neither an .npz nor a valid checkpoint")


def test_checkpoint_without_its_data_raises(tmp_path):
    write_tf2(tmp_path / "net", tiny_squeezenet())
    data = tmp_path / "net.data-00000-of-00001"
    damaged = bytearray(data.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    data.write_bytes(damaged)
    refused(tmp_path / "net", "nor a valid checkpoint with its .data file next to it")
    data.unlink()
    refused(tmp_path / "net", "nor a valid checkpoint with its .data file next to it")


@pytest.mark.parametrize("write", [write_npz, write_tf1, write_tf2])
def test_missing_layers_are_listed(tmp_path, write):
    convolutions = tiny_squeezenet()
    del convolutions["fire4/squeeze"], convolutions["fire9/expand3x3"]
    write(tmp_path / "net.npz", convolutions)
    refused(tmp_path / "net.npz", "layers fire4/squeeze fire9/expand3x3 are missing")


def test_npz_or_checkpoint_without_layers_raises(tmp_path):
    np.savez(tmp_path / "net.npz", x=1)
    refused(tmp_path / "net.npz", "contains no convolution layers")
    tf.train.Checkpoint(x=tf.Variable(1.0)).write(str(tmp_path / "net"))
    refused(tmp_path / "net", "contains no convolution layers")


def with_changed(name, kind, change):
    """Return the arrays of a tiny .npz, one of them changed."""
    arrays = npz_arrays(tiny_squeezenet())
    arrays[f"{name}/{kind}"] = change(arrays[f"{name}/{kind}"].copy())
    return arrays


@pytest.mark.parametrize(
    ("name", "kind", "change", "message"),
    [
        ("conv1", "weights", lambda a: a[:2], r"conv1 has shape \(2, 3, 3, 6\); \(3, 3, 3, ch"),
        ("conv1", "weights", lambda a: a[:, :2], r"\(3, 2, 3, 6\); \(3, 3, 3, channels\) was"),
        ("fire2/squeeze1x1", "weights", lambda a: a.T, r"fire2/squeeze has shape \(3, 6, 1, 1\)"),
        ("fire3/expand3x3", "weights", lambda a: a[0], r"\(3, 3, 6\); \(3, 3, 3, channels\)"),
        ("fire4/expand1x1", "biases", lambda a: a[1:], "fire4/expand1x1 has 4 channels but 3"),
        ("fire5/expand3x3", "weights", lambda a: a * np.nan, "fire5/expand3x3 holds NaN or inf"),
        ("fire5/expand3x3", "biases", lambda a: a + np.inf, "fire5/expand3x3 holds NaN or inf"),
        ("fire6/expand3x3", "biases", lambda a: a.astype(str), "fire6/expand3x3 holds <U32 inst"),
    ],
)
def test_invalid_weights_raise(tmp_path, name, kind, change, message):
    np.savez(tmp_path / "net.npz", **with_changed(name, kind, change))
    refused(tmp_path / "net.npz", message)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"channel_order": "brg"}, "channel_order is 'brg'; bgr or rgb was expected"),
        ({"pixels": "vgg"}, "pixels is 'vgg'; imagenet or caffe was expected"),
    ],
)
def test_unknown_metadata_raises(tmp_path, metadata, message):
    write_npz(tmp_path / "net.npz", tiny_squeezenet(), **metadata)
    refused(tmp_path / "net.npz", message)


def test_missing_file_error_lists_accepted_files(tmp_path):
    refused(tmp_path / "none.ckpt", re.escape("nor none.ckpt.index; give SqueezeNet's .npz, or"))


def test_directory_with_no_or_several_checkpoints_raises(tmp_path):
    refused(
        tmp_path,
        "is a directory without a SqueezeNet: squeezenet.ckpt.index, .* or squeezenet_v1_0",
    )
    for name in ("one", "two"):
        write_tf2(tmp_path / name, tiny_squeezenet())
    refused(tmp_path, "several checkpoints: one.index, two.index; name one")


# ------------------------------------------------------------------ published weights


@pytest.fixture(scope="module")
def real_npz():
    folders = [*model_folders(), ROOT.parent / "shared" / "weights"]
    files = (folder / "squeezenet_v1_0.npz" for folder in folders)
    found = next((file for file in files if file.is_file()), None)
    return found or pytest.skip("no squeezenet_v1_0.npz in model/ or $NST_TF_MODEL_PATH")


def classify(path, picture):
    """Return the ImageNet class; its classifier, conv10, is not part of the trunk."""
    model = load_squeezenet_model(path)
    cropped = resize_picture(picture, (256, 256))[14:241, 14:241]  # Caffe's center crop of 227
    features = extract_features(model, model.space.to_image(cropped), ["fire9"])["fire9"]
    with np.load(path) as file:
        kernel, bias = file["conv10/weights"], file["conv10/biases"]
    padded = tf.pad(features, [[0, 0], [1, 1], [1, 1], [0, 0]])  # conv10 has pad 1
    scores = tf.nn.relu(tf.nn.conv2d(padded, kernel, 1, "VALID") + bias)
    return int(np.argmax(np.mean(scores, axis=(0, 1, 2))))


@pytest.mark.parametrize(
    ("name", "expected"), [("chelsea", 285), ("coffee", 967), ("rocket", 733)]
)  # Egyptian cat, espresso, pole
def test_published_weights_classify_photographs(real_npz, name, expected):
    assert classify(real_npz, read_picture(ROOT / f"images/content/{name}.jpg")) == expected
