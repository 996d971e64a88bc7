"""VGG weights in every file format, the trunk, its layers, invalid files and the cache."""

import os
import re
import zipfile

import h5py
import numpy as np
import pytest
import scipy.io
import tensorflow as tf
from mat_files import (
    LAYOUTS,
    as_vgg19,
    layer_names,
    save_by_keras,
    tiny_vgg,
    write_frossard,
    write_keras,
    write_matconvnet,
    write_vgg_npz,
)
from pictures import make_picture

from nst_tf import ConfigError, ImageError, WeightsError, extract_features, load_vgg_model
from nst_tf.config import POOLING as POOLING_CHOICES
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.models import ConvRelu, Fire, Pool, load_model, resolve_layers, weights_family
from nst_tf.models.layers import POOLING
from nst_tf.models.readers.cache import cache_path
from nst_tf.models.readers.hdf5 import ARCHIVED, read_hdf5, read_keras_archive
from nst_tf.models.readers.matconvnet import read_matconvnet
from nst_tf.models.readers.vgg_npz import read_vgg_npz
from nst_tf.models.vgg import EMBEDDED_FILE, find_vgg_weights, vgg_reader

IMAGE = VGG_PIXELS.to_image(make_picture(47, 35))


def assert_same_weights(found, expected):
    assert list(found) == list(expected)
    for name, (kernel, bias) in expected.items():
        np.testing.assert_array_equal(found[name][0], kernel, err_msg=name)
        np.testing.assert_array_equal(found[name][1], bias, err_msg=name)


# ------------------------------------------------------------------ reading weights


@pytest.mark.parametrize("depth", [16, 19])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_mat_layout_is_read(tmp_path, layout, depth):
    path = tmp_path / "vgg.mat"
    mean = np.array([120.5, 110.25, 100.125])
    write_matconvnet(path, tiny_vgg(depth), layout, mean)
    weights = read_matconvnet(path)
    assert_same_weights(weights.convolutions, tiny_vgg(depth))
    assert weights.mean == tuple(mean)


@pytest.mark.parametrize("depth", [16, 19])
def test_keras_file_is_converted_from_bgr(tmp_path, depth):
    path = tmp_path / "notop.h5"
    write_keras(path, tiny_vgg(depth))
    assert_same_weights(read_hdf5(path).convolutions, tiny_vgg(depth))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("x.h5", {}),
        ("x.weights.h5", {"top": True}),
        ("x.keras", {"top": True}),
        ("x.weights.h5", {"named": False}),
        ("x.h5", {"named": False}),
    ],
)
def test_files_that_keras_saves_are_read(tmp_path, name, options):
    path = tmp_path / name
    save_by_keras(path, tiny_vgg(16), **options)
    assert_same_weights(vgg_reader(path)(path).convolutions, tiny_vgg(16))


def test_numbered_layers_are_in_order_of_their_numbers(tmp_path):
    path = tmp_path / "x.weights.h5"
    expected = tiny_vgg(19)
    with h5py.File(path, "w") as file:
        for number, (kernel, bias) in enumerate(expected.values()):
            group = file.create_group(f"layers/conv2d{f'_{number}' if number else ''}/vars")
            group["0"], group["1"] = kernel[:, :, ::-1] if number == 0 else kernel, bias
    assert_same_weights(read_hdf5(path).convolutions, expected)
    with h5py.File(path, "a") as file:
        file.move("layers/conv2d_3", "layers/conv2d_16")
    with pytest.raises(WeightsError, match="16 convolutions, which are not those of VGG-19 or"):
        read_hdf5(path)
    with h5py.File(path, "a") as file:
        del file["layers/conv2d_16"]
    with pytest.raises(WeightsError, match="15 convolutions, which are not those of VGG-19 or"):
        read_hdf5(path)


@pytest.mark.parametrize("place", ["layers", "layers/conv2d_3", "layers/conv2d_3/vars"])
def test_links_in_files_of_keras_are_refused(tmp_path, place):
    path = tmp_path / "x.weights.h5"
    save_by_keras(path, tiny_vgg(16))
    (tmp_path / "other.h5").write_bytes(path.read_bytes())
    with h5py.File(path, "a") as file:
        del file[place]
        file[place] = h5py.ExternalLink(tmp_path / "other.h5", place)
    with pytest.raises(WeightsError, match="missing or a link"):
        read_hdf5(path)


def test_keras_archive_is_bounded(tmp_path, monkeypatch):
    path = tmp_path / "x.keras"
    save_by_keras(path, tiny_vgg(16))
    with zipfile.ZipFile(path) as archive:
        data = archive.read(ARCHIVED)
    with zipfile.ZipFile(tmp_path / "packed.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(ARCHIVED, data)
    with pytest.raises(WeightsError, match=r"packed\.keras is damaged .*h5 is compressed"):
        load_model(tmp_path / "packed.keras")
    path.write_bytes(path.read_bytes().replace(data[2000:9000], b"\0" * 7000))
    with pytest.raises(WeightsError, match=r"x\.keras is damaged"):
        read_keras_archive(path)
    monkeypatch.setattr("nst_tf.models.readers.hdf5.MOST_BYTES", 1000)
    with pytest.raises(WeightsError, match=r"at most 1,000 were expected: save a model without"):
        load_model(path)


def test_frossards_npz_is_read_without_its_top(tmp_path, monkeypatch):
    path = tmp_path / "vgg16_weights.npz"
    write_frossard(path, tiny_vgg(16))
    assert weights_family(path) == "vgg"
    with monkeypatch.context() as patch:  # its top alone has more numbers
        patch.setattr("nst_tf.models.readers.vgg_npz.MOST_NUMBERS", 20_000)
        assert_same_weights(read_vgg_npz(path).convolutions, tiny_vgg(16))
    assert load_model(path).name == "VGG-16 from vgg16_weights.npz"
    assert load_model(EMBEDDED_FILE).name == "VGG-16 (ImageNet)"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_npz_of_any_float_dtype_is_read_as_float32(tmp_path, dtype):
    path = tmp_path / "vgg.npz"
    write_vgg_npz(path, tiny_vgg(16), dtype)
    found = read_vgg_npz(path).convolutions
    for name, (kernel, bias) in tiny_vgg(16).items():
        assert found[name][0].dtype == found[name][1].dtype == np.float32
        np.testing.assert_array_equal(found[name][0], kernel.astype(dtype).astype(np.float32))
        np.testing.assert_array_equal(found[name][1], bias)


def test_half_precision_weights_are_read_as_float32(tmp_path):
    half = {
        name: (kernel.astype(np.float16), bias.astype(np.float16))
        for name, (kernel, bias) in tiny_vgg(16).items()
    }
    single = {name: tuple(np.float32(array) for array in pair) for name, pair in half.items()}
    write_keras(tmp_path / "half.h5", half)
    write_vgg_npz(tmp_path / "half.npz", half)
    readers = {"half.h5": read_hdf5, "half.npz": read_vgg_npz}
    for name, read in readers.items():  # MATLAB has no float16
        found = read(tmp_path / name).convolutions
        assert_same_weights(found, single)
        assert {array.dtype for pair in found.values() for array in pair} == {np.dtype("f4")}


def test_missing_mean_defaults_to_the_published_mean(tmp_path):
    path = tmp_path / "vgg.mat"
    write_matconvnet(path, tiny_vgg(), "current")
    contents = scipy.io.loadmat(path)
    scipy.io.savemat(path, {"layers": contents["layers"]})
    assert read_matconvnet(path).mean == (123.68, 116.779, 103.939)


@pytest.mark.slow
def test_features_do_not_depend_on_the_file_format(tmp_path, real_vgg16):
    """VGG-19 with identities as its three extra layers has the features of VGG-16."""
    embedded = load_vgg_model("embedded")
    layers = [*layer_names(16), "avgpool4"]
    expected = extract_features(embedded, IMAGE, layers)
    write_matconvnet(tmp_path / "16.mat", real_vgg16, "beta22")
    found = extract_features(load_vgg_model(tmp_path / "16.mat"), IMAGE, layers)
    for name in layers:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=f"16.mat {name}")
    for layout in ["beta16", "current", "keras"]:
        path = tmp_path / f"{layout}-19.weights"
        write = write_keras if layout == "keras" else write_matconvnet
        write(path, as_vgg19(real_vgg16), *([] if layout == "keras" else [layout]))
        found = extract_features(load_vgg_model(path), IMAGE, [*layers, "conv5_4"])
        for name in layers:
            np.testing.assert_array_equal(found[name], expected[name], err_msg=f"{layout} {name}")
        np.testing.assert_array_equal(found["conv5_4"], found["conv5_3"])


def test_conv1_1_is_a_correlation_with_zero_padding():
    model = load_vgg_model("embedded")
    kernel, bias = model["conv1_1"].kernel.numpy(), model["conv1_1"].bias.numpy()
    padded = np.pad(IMAGE[0], ((1, 1), (1, 1), (0, 0)))
    row, column = 20, 11
    window = padded[row : row + 3, column : column + 3]  # (3, 3, RGB): height, width, in
    expected = np.maximum(np.tensordot(window, kernel, 3) + bias, 0)
    found = extract_features(model, IMAGE, ["conv1_1"])["conv1_1"][0, row, column]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


# The first kernel entry and the first bias of each layer of MatConvNet's
# imagenet-vgg-verydeep-16.mat, as printed by a public program.
FIRST_WEIGHTS = {
    "conv1_1": (0.4800154, 0.73429835),
    "conv1_2": (0.16621928, -0.30912212),
    "conv2_1": (-0.008902963, -0.04577766),
    "conv2_2": (-0.0023012366, -0.06418542),
    "conv3_1": (0.002486315, -0.074358866),
    "conv3_2": (-0.0103266295, 0.019675018),
    "conv3_3": (0.0024918285, 0.035415243),
    "conv4_1": (-0.012453815, 0.013485669),
    "conv4_2": (0.007116542, 0.023680462),
    "conv4_3": (-0.0041355654, 0.03757768),
    "conv5_1": (-0.0006068934, 0.09722325),
    "conv5_2": (-0.0011261065, 0.21327873),
    "conv5_3": (0.00040788297, 0.18837857),
}


@pytest.mark.parametrize(
    "source", ["embedded", "vgg16.mat", pytest.param("vgg19.mat", marks=pytest.mark.slow)]
)
def test_weights_match_published_vgg16(tmp_path, real_vgg16, source):
    if source == "embedded":
        convolutions = read_vgg_npz(EMBEDDED_FILE).convolutions
    else:
        path = tmp_path / source
        write_matconvnet(path, as_vgg19(real_vgg16) if "19" in source else real_vgg16)
        convolutions = read_matconvnet(path).convolutions
    for name, (entry, bias) in FIRST_WEIGHTS.items():
        kernel, biases = convolutions[name]
        np.testing.assert_allclose(kernel[0, 0, 0, 0], entry, rtol=5e-4, err_msg=name)
        np.testing.assert_allclose(biases[0], bias, rtol=5e-4, err_msg=name)
    # Printed by three other public programs: the blue channel of conv1_1 row by row, some biases.
    kernel, bias = convolutions["conv1_1"]
    blue = [0.42947057, 0.373467, -0.061360113, 0.27476987, 0.038680777]
    np.testing.assert_allclose(kernel[:, :, 2, 0].reshape(-1)[:5], blue, rtol=5e-4)
    biases = [0.093403675, 0.06775674, 0.8862966, 0.7446502]
    np.testing.assert_allclose(bias[[1, 2, 3, 25]], biases, rtol=5e-4)
    np.testing.assert_allclose(convolutions["conv1_2"][0][2, 2, 63, 63], 0.016082443, rtol=5e-4)
    np.testing.assert_allclose(convolutions["conv2_1"][1][1], 0.06440781, rtol=5e-4)


def test_embedded_model_name():
    assert load_vgg_model("embedded").name == "VGG-16 (ImageNet)"


# ------------------------------------------------------------------ the trunk


def test_layer_order_of_vgg19(tiny_model):
    expected = " ".join(layer_names(19))
    for block in "1234":
        expected = expected.replace(
            f" conv{int(block) + 1}_1", f" avgpool{block} conv{int(block) + 1}_1"
        )
    assert " ".join(tiny_model) == expected + " avgpool5"


def test_max_and_average_pooling_of_odd_sizes(tiny_mat):
    maximum = load_vgg_model(tiny_mat, pooling="max")
    x = tf.constant(np.arange(15, dtype=np.float32).reshape(1, 3, 5, 1))
    np.testing.assert_array_equal(maximum["maxpool1"](x)[0, :, :, 0], [[6, 8, 9], [11, 13, 14]])
    average = load_vgg_model(tiny_mat)["avgpool1"](x)
    np.testing.assert_array_equal(average[0, :, :, 0], [[3, 5, 6.5], [10.5, 12.5, 14]])


def test_l2_and_rescaled_pooling_match_crowsonkb(tiny_mat):
    x = np.maximum(np.random.default_rng(0).standard_normal((1, 4, 6, 2)), 0).astype(np.float32)
    windows = x.reshape(1, 2, 2, 3, 2, 2)
    norm = np.sqrt(np.sum(windows**2, axis=(2, 4)))  # LPPool2d(2, 2)
    expected = {
        "l2pool1": {"l2": norm, "l2-rescaled": 0.78 * norm},
        "avgpool1": {"average-rescaled": 2 * windows.mean(axis=(2, 4))},
    }
    for name, kinds in expected.items():
        for kind, theirs in kinds.items():
            pool = load_vgg_model(tiny_mat, pooling=kind)[name]
            np.testing.assert_allclose(pool(tf.constant(x)), theirs, rtol=1e-5, atol=3e-6)


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16])
def test_gradient_of_l2_pooling_is_0_where_nothing_fires(dtype):
    x = tf.constant(np.diag([1.0, 0, 0, 0]).reshape(1, 4, 4, 1), dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        pooled = Pool("l2")(x)
    assert pooled.dtype == dtype
    np.testing.assert_array_equal(tape.gradient(pooled, x), x)


def test_config_choices_match_the_pooling_table():
    assert tuple(POOLING) == POOLING_CHOICES


def test_extract_features_stops_at_the_last_requested_layer(tiny_model):
    from nst_tf import Trunk

    ran = []
    layers = {
        name: lambda x, name=name, layer=layer: (ran.append(name), layer(x))[1]
        for name, layer in tiny_model.items()
    }
    spy = Trunk(layers, name="spy", source="")
    assert list(extract_features(spy, IMAGE, ["conv2_1", "conv1_1"])) == ["conv1_1", "conv2_1"]
    assert ran == ["conv1_1", "conv1_2", "avgpool1", "conv2_1"]


def test_unknown_layer_raises(tiny_model):
    with pytest.raises(ConfigError, match=r"no layer 'relu9_9' in VGG-19 .* conv1_1 .* avgpool5"):
        extract_features(tiny_model, IMAGE, ["relu9_9"])


def test_extract_features_of_invalid_image_raises(tiny_model):
    for wrong in (make_picture(40, 40), IMAGE[0], tf.constant(IMAGE)[:, :, :, :2]):
        with pytest.raises(ImageError, match="pass the second value of load_image"):
            extract_features(tiny_model, wrong, ["conv1_1"])


def test_path_instead_of_model_raises():
    message = r"`model` is 'vgg\.mat'; pass a model from load_vgg_model"
    with pytest.raises(ConfigError, match=message):
        extract_features("vgg.mat", IMAGE, ["conv1_1"])


def test_unknown_pooling_raises(tiny_mat):
    with pytest.raises(ConfigError, match="'median'; choose from average, max"):
        load_vgg_model(tiny_mat, pooling="median")


def test_auto_uses_vgg19_if_its_file_exists(tmp_path, monkeypatch, tiny_mat):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nst_tf.models.search.CHECKOUT", tmp_path / "elsewhere")
    monkeypatch.delenv("NST_TF_MODEL_PATH", raising=False)
    assert find_vgg_weights() == EMBEDDED_FILE
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "imagenet-vgg-verydeep-19.mat").symlink_to(tiny_mat)
    assert load_vgg_model().name == "VGG-19 from imagenet-vgg-verydeep-19.mat"


def test_all_selects_every_convolution(tiny_model):
    everything = tuple(layer_names(19))
    assert resolve_layers(tiny_model, ["all"]) == resolve_layers(tiny_model, "all") == everything
    assert tiny_model.convolutions == everything


def test_resolve_layers_by_name(tiny_model):
    assert resolve_layers(tiny_model, ["conv2_1", "avgpool1"]) == ("conv2_1", "avgpool1")
    assert resolve_layers(tiny_model, "conv2_1") == ("conv2_1",)
    with pytest.raises(ConfigError, match="no layer 'relu1' in VGG-19"):
        resolve_layers(tiny_model, ["relu1"])


def test_all_with_other_layers_raises(tiny_model):
    with pytest.raises(ConfigError, match="layers are all conv2_1; 'all' means every layer"):
        resolve_layers(tiny_model, ["all", "conv2_1"])


# ------------------------------------------------------------------ single layers


def ones(side, incoming, channels, **options):
    return ConvRelu(np.ones((side, side, incoming, channels)), np.zeros(channels), **options)


LAYERS = {
    "vgg": ones(3, 1, 2),
    "1x1": ones(1, 1, 2),
    "7x7/2": ones(7, 1, 2, stride=2, padding="VALID"),
    "fire": Fire(ones(1, 1, 2), ones(1, 2, 2), ones(3, 2, 3)),
    "fire 1x1": Fire(ones(1, 1, 2), ones(1, 2, 1), ones(3, 2, 1)),
    **{
        f"pool {size} {padding} {kind}": Pool(kind, size=size, padding=padding)
        for size in (2, 3)
        for padding in ("SAME", "VALID", "CEIL")
        for kind in ("average", "max", "l2")
    },
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("size", [(11, 14), (12, 9)])
def test_reach_is_what_a_single_pixel_can_change(name, size):
    """With kernels of ones, an output is positive where its window contains the pixel."""
    layer = LAYERS[name]
    for row, column in [(0, 0), (4, 5), (size[0] - 1, size[1] - 1)]:
        mask = np.zeros((1, *size, 1), np.float32)
        mask[0, row, column] = 0.5
        nonzero = np.max(layer(tf.constant(mask)), axis=3, keepdims=True) > 0
        np.testing.assert_array_equal(layer.reach(tf.constant(mask)), 0.5 * nonzero)


@pytest.mark.parametrize(
    "layer",
    [
        ConvRelu(np.ones((3, 3, 2, 5)), -np.arange(5.0), stride=2, padding="VALID"),
        Fire(ones(1, 2, 4), ones(1, 4, 2), ones(3, 4, 3)),
        Pool("average"),
        Pool("l2-rescaled", size=3, padding="CEIL"),
    ],
)
def test_rescaled_layer_matches_scaled_features(layer):
    generator = np.random.default_rng(0)
    x = generator.uniform(0, 1, (1, 9, 12, 2)).astype(np.float32)
    incoming = generator.uniform(0.5, 2, 2)
    outgoing = incoming if layer.channels is None else generator.uniform(0.5, 2, layer.channels)
    found = layer.rescaled(incoming, outgoing)(tf.constant(x / incoming, tf.float32))
    np.testing.assert_allclose(found, layer(tf.constant(x)) / outgoing, rtol=1e-5, atol=1e-5)


# ------------------------------------------------------------------ invalid files


def refused(path, message):
    with pytest.raises(WeightsError, match=message) as raised:
        load_vgg_model(path)
    assert str(path) in str(raised.value)
    assert not cache_path(path).exists()


def test_missing_file_error_suggests_fetch(tmp_path):
    refused(tmp_path / "none.mat", "no weights file .* fetch vgg19")


def test_directory_raises(tmp_path):
    refused(tmp_path, "is a directory")


def test_truncated_file_error_states_both_sizes(tmp_path, tiny_mat):
    path = tmp_path / "cut.mat"
    path.write_bytes(tiny_mat.read_bytes()[:-5000])
    refused(path, rf"cut off .*{path.stat().st_size:,} bytes; the released VGG-19 has 534,904,783")


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (b"MATLAB 7.3 MAT-file, Platform: GLNXA64", r"v7.3 file.*save it with -v7"),
        (b"", "it is empty"),
        (b"PK\x03\x04 a pth file", "can run code"),
        (b"hello", "neither MATLAB's nor HDF5's signature"),
    ],
)
def test_other_file_type_error_names_the_type(tmp_path, start, message):
    path = tmp_path / "vgg.mat"
    path.write_bytes(start)
    refused(path, message)


@pytest.mark.parametrize(
    ("name", "start", "message"),
    [
        ("vgg.pth", b"\x80\x02pickle", "pickle .*can run code; `.* fetch vgg19` downloads"),
        ("vgg.t7", b"\4\0\0\0", "files of Torch are not read; `.* fetch vgg19` downloads"),
        ("vgg.caffemodel", b"\n\x0fVGG", "files of Caffe are not read"),
        ("vgg.onnx", b"\x08\x07", "files of ONNX are not read"),
        ("vgg.safetensors", b"\x10\0", "files of safetensors are not read"),
    ],
)
def test_weights_of_other_programs_are_refused_with_a_remedy(tmp_path, name, start, message):
    (tmp_path / name).write_bytes(start)
    refused(tmp_path / name, message)


def test_zip_of_pytorch_is_refused_with_a_remedy(tmp_path):
    path = tmp_path / "vgg.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vgg/data.pkl", b"\x80\x02")
    refused(path, "PyTorch file, which is not loaded because it can run code; `.* fetch vgg19`")


def test_mat_file_without_layers_raises(tmp_path):
    path = tmp_path / "vgg.mat"
    scipy.io.savemat(path, {"other": np.eye(2)})
    refused(path, "no variable `layers`, only other: not a MatConvNet file")


def test_mat_file_with_invalid_layers_raises(tmp_path):
    path = tmp_path / "vgg.mat"
    scipy.io.savemat(path, {"layers": np.eye(2)})
    refused(path, "contains no convolution layers")


def test_missing_layer_error_names_the_layer(tmp_path):
    path = tmp_path / "vgg.mat"
    convolutions = tiny_vgg()
    del convolutions["conv3_2"]
    write_matconvnet(path, convolutions)
    refused(path, "conv3_2 are missing or unexpected")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_transposed_kernel_error_states_both_shapes(tmp_path, layout):
    path = tmp_path / "vgg.mat"
    convolutions = tiny_vgg()
    kernel, bias = convolutions["conv2_1"]
    convolutions["conv2_1"] = kernel.transpose(3, 2, 0, 1), bias
    write_matconvnet(path, convolutions, layout)
    refused(path, re.escape("conv2_1 has shape (6, 4, 3, 3); (3, 3, 4, channels) was expected"))


def test_wrong_bias_length_raises(tmp_path):
    path = tmp_path / "vgg.mat"
    convolutions = tiny_vgg()
    convolutions["conv2_1"] = convolutions["conv2_1"][0], np.zeros(7, np.float32)
    write_matconvnet(path, convolutions)
    refused(path, "conv2_1 has 6 channels but 7 biases")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", ["mat", "h5"])
def test_nan_or_infinite_weights_raise(tmp_path, bad, kind):
    path = tmp_path / "vgg.weights"
    convolutions = tiny_vgg()
    convolutions["conv4_2"][0][1, 1, 2, 3] = bad
    (write_matconvnet if kind == "mat" else write_keras)(path, convolutions)
    refused(path, "conv4_2 holds NaN or infinite")


def test_hdf5_file_without_layers_raises(tmp_path):
    path = tmp_path / "vgg.h5"
    with h5py.File(path, "w") as file:
        file["x"] = 1
    refused(path, "contains no convolution layers")


def test_truncated_hdf5_file_raises(tmp_path):
    path = tmp_path / "vgg.h5"
    write_keras(path, tiny_vgg())
    path.write_bytes(path.read_bytes()[:-3000])
    refused(path, "damaged or not a VGG file")


def test_unreadable_file_raises(tmp_path, tiny_mat, monkeypatch):
    path = tmp_path / "vgg.mat"
    path.write_bytes(tiny_mat.read_bytes())
    if os.access(path, os.R_OK) and os.geteuid() == 0:  # root reads everything: mock the error
        original = open

        def failing_open(file, *arguments, **options):
            if str(file) == str(path):
                raise PermissionError(13, "Permission denied")
            return original(file, *arguments, **options)

        monkeypatch.setattr("builtins.open", failing_open)
    else:
        path.chmod(0)
    refused(path, "is not readable: check its permissions")


def test_file_loads_without_the_embedded_model(tmp_path, tiny_mat, monkeypatch):
    monkeypatch.setattr("nst_tf.models.vgg.EMBEDDED_FILE", tmp_path / "missing.npz")
    write_keras(tmp_path / "notop.h5", tiny_vgg(16))
    assert load_vgg_model(tiny_mat).name == "VGG-19 from tiny-19.mat"
    assert load_vgg_model(tmp_path / "notop.h5").name == "VGG-16 from notop.h5"
    with pytest.raises(WeightsError, match=r"missing\.npz is missing: reinstall nst_tf"):
        load_vgg_model("embedded")


# ------------------------------------------------------------------ the cache


@pytest.fixture
def mat_reads(monkeypatch):
    """Return a list that records each read of a .mat file."""
    reads = []

    def count(path):
        reads.append(path)
        return read_matconvnet(path)

    monkeypatch.setattr("nst_tf.models.vgg.read_matconvnet", count)
    return reads


@pytest.fixture
def mat(tmp_path):
    path = tmp_path / "vgg.mat"
    write_matconvnet(path, tiny_vgg(seed=1))
    return path


def kernel_of(path):
    return load_vgg_model(path)["conv3_1"].kernel.numpy()


def test_second_load_uses_the_cache(mat, mat_reads):
    first = kernel_of(mat)
    np.testing.assert_array_equal(kernel_of(mat), first)
    assert len(mat_reads) == 1
    assert cache_path(mat).exists()


def test_changed_file_with_old_date_is_read_again(mat, mat_reads):
    kernel_of(mat)
    stat = mat.stat()
    write_matconvnet(mat, tiny_vgg(seed=2))
    os.utime(mat, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    np.testing.assert_array_equal(kernel_of(mat), tiny_vgg(seed=2)["conv3_1"][0])
    assert len(mat_reads) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only Unix has named pipes")
def test_named_pipes_do_not_block(mat, tmp_path):
    os.mkfifo(cache_path(mat))
    np.testing.assert_array_equal(kernel_of(mat), tiny_vgg(seed=1)["conv3_1"][0])
    os.mkfifo(tmp_path / "pipe.mat")
    with pytest.raises(WeightsError, match="is not a file"):
        load_vgg_model(tmp_path / "pipe.mat")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.99])
def test_damaged_cache_is_rebuilt(mat, mat_reads, share):
    expected = kernel_of(mat)
    whole = cache_path(mat).read_bytes()
    damaged = bytearray(whole)
    damaged[int(share * (len(damaged) - 1))] ^= 0xFF
    for content in (bytes(damaged), whole[: int(share * len(whole))]):
        cache_path(mat).write_bytes(content)
        np.testing.assert_array_equal(kernel_of(mat), expected)
    assert cache_path(mat).read_bytes() != bytes(damaged)


def test_cache_with_other_weights_is_not_used(mat, mat_reads):
    expected = kernel_of(mat)
    with np.load(cache_path(mat)) as file:
        arrays = dict(file)
    arrays["conv3_1/kernel"] = arrays["conv3_1/kernel"] + 1
    np.savez(cache_path(mat), **arrays)
    np.testing.assert_array_equal(kernel_of(mat), expected)
    assert len(mat_reads) == 2


def test_load_succeeds_if_cache_cannot_be_written(mat, monkeypatch):
    def disk_full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nst_tf.models.readers.cache.atomic_file", disk_full)
    np.testing.assert_array_equal(kernel_of(mat), tiny_vgg(seed=1)["conv3_1"][0])
    assert not cache_path(mat).exists()
