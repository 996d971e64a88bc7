"""Presets: each is complete, names its source, and runs."""

import math

import numpy as np
import pytest
from squeezenet_files import tiny_squeezenet, write_npz

from nst_tf import PRESETS, JobConfig, load_model, normalize_trunk, style_transfer
from nst_tf.jobs.inputs import load_images
from nst_tf.jobs.settings import make_config, preset_knobs
from nst_tf.models import resolve_layers
from nst_tf.presets import INETWORK_LAYERS, INETWORK_WEIGHTS
from nst_tf.run import main

NAMES = [
    "devos",
    *(f"cs231n-{name}" for name in ("composition", "scream", "starry", "inversion", "texture")),
    "coursera-tf1",
    "coursera-tf2",
    "novak-nikulin",
    "titu-network",
    "titu-inetwork",
    "titu-doodle",
    "gatys2015",
    "gatys2016",
    "gatys-pytorch",
    "pytorch-tutorial",
    "tf-docs",
    "keras-io",
    "johnson",
    "nnst",
    "strotss",
]
SQUEEZENETS = [name for name in NAMES if name.startswith("cs231n")]


@pytest.fixture(scope="module")
def tiny_squeezenet_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "squeezenet_v1_1.npz"
    write_npz(path, tiny_squeezenet(), channel_order="bgr")
    return path


def test_names_of_presets():
    assert list(PRESETS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_preset_has_source_and_expected_result(name):
    preset = PRESETS[name]
    assert preset.source
    assert preset.expect
    assert not preset.source.endswith(".")  # the listing ends the sentences
    JobConfig(**preset.knobs)
    JobConfig(**{**preset.knobs, **preset.on_vgg})


@pytest.mark.parametrize("name", NAMES)
def test_preset_runs_3_iterations(name, pictures, tiny_mat, tiny_squeezenet_file):
    content, style = map(str, pictures)
    config = JobConfig(**PRESETS[name].knobs).changed(
        content=content, style=(style,), size="64x48", style_size="48x64", iterations=3
    )
    squeezenet = config.weights == "squeezenet"
    model = load_model(tiny_squeezenet_file if squeezenet else tiny_mat, pooling=config.pooling)
    images = load_images(config, model.space)
    result = style_transfer(**images, model=model, config=config.transfer())
    assert result.iterations == 3
    assert all(math.isfinite(losses["total"]) for losses in result.history)
    # L-BFGS reduces the loss from the first step; Adam may not.
    if config.optimizer == "lbfgs":
        assert result.history[-1]["total"] < result.history[0]["total"]


@pytest.mark.parametrize("name", SQUEEZENETS)
def test_cs231n_uses_vgg_if_squeezenet_is_missing(name, tiny_model, monkeypatch):
    monkeypatch.setenv("NST_TF_MODEL_PATH", "")
    messages = []
    knobs = preset_knobs(name, "embedded", messages.append)
    assert "made for SqueezeNet" in messages[0]
    config = JobConfig(**knobs)
    assert config.normalize
    for layers in (config.content_layers, config.style_layers):
        assert resolve_layers(tiny_model, layers)


def test_cs231n_is_normalized_on_squeezenet_1_0_only(tmp_path, tiny_squeezenet_file):
    messages = []
    preset = PRESETS["cs231n-starry"]
    assert preset_knobs("cs231n-starry", str(tiny_squeezenet_file), messages.append) is preset.knobs
    assert not messages
    path = tmp_path / "squeezenet_v1_0.npz"
    write_npz(path, tiny_squeezenet(side=7))
    knobs = preset_knobs("cs231n-starry", str(path), messages.append)
    assert knobs["normalize"]
    assert knobs["style_layers"] == ("conv1", "fire3", "fire4", "fire5")
    assert "normalized 1.0" in messages[0]


def test_cs231n_values_are_those_of_the_notebook(tiny_squeezenet_file):
    knobs = PRESETS["cs231n-scream"].knobs
    scale = load_model(tiny_squeezenet_file).space.scale
    np.testing.assert_allclose(knobs["learning_rate"] / scale, 3.0, rtol=1e-3)
    np.testing.assert_allclose(knobs["learning_rate"] * knobs["decay_rate"] / scale, 0.1, rtol=1e-3)
    np.testing.assert_allclose(knobs["clip_at"] / scale, 1.5, rtol=1e-3)
    np.testing.assert_allclose(np.divide(knobs["style_layer_weights"], 4), [200000, 800, 12, 1])


def test_inetwork_weights_equal_its_loop():
    """Run the loop of INetwork.py with a loss of 1 at one layer and 0 elsewhere."""
    layers = [*INETWORK_LAYERS, "conv5_3"]
    m = len(layers) - 1
    for index, weight in enumerate(INETWORK_WEIGHTS):
        loss = 0.0
        for i in range(m):
            difference = (i == index) - (i + 1 == index)
            loss += difference / 2 ** (m - (i + 1))
        block = int(layers[index][4]) - 1
        n = (64, 128, 256, 512, 512)[block]
        np.testing.assert_allclose(weight, loss * n**2 / 9 / 16**block)


def test_normalized_preset_from_the_command_line(pictures, tiny_mat, tmp_path):
    content, style = map(str, pictures)
    arguments = [content, style, "--preset", "gatys2016", "--weights", str(tiny_mat)]
    arguments += ["--size", "48", "--iterations", "2", "--output", str(tmp_path / "out")]
    assert main([*arguments, "--quiet"]) == 0
    assert (tmp_path / "out" / "result.png").is_file()


def test_presets_use_float32_by_default():
    for name in NAMES:
        options = {"preset": name, "weights": "embedded"}
        assert make_config(dict(options), list).precision == "float32", name
        for precision in ("mixed", "auto"):
            assert make_config({**options, "precision": precision}, list).precision == precision
    assert make_config({}).precision == "auto"


def test_list_of_presets_names_their_sources(capsys):
    assert main(["--list-presets"]) == 0
    out = capsys.readouterr().out
    for name, preset in PRESETS.items():
        assert f"{name}\n  {preset.source.split()[0]}" in out
    assert out.count("Known errors: ") == sum(bool(preset.errs) for preset in PRESETS.values())
    assert max(map(len, out.splitlines())) <= 96


def test_normalized_trunk_is_independent_of_its_scale(tiny_model):
    image = np.random.default_rng(0).uniform(-90, 90, (1, 40, 40, 3)).astype(np.float32)
    expected = normalize_trunk(tiny_model, [image])
    scaled = type(tiny_model)(tiny_model, name="louder", source="", space=tiny_model.space)
    channels = scaled["conv1_1"].kernel.shape[3]
    scaled["conv1_1"] = scaled["conv1_1"].rescaled(np.ones(3), np.full(channels, 1 / 50))
    scaled["conv1_2"] = scaled["conv1_2"].rescaled(
        np.full(channels, 1 / 50), np.ones(scaled["conv1_2"].kernel.shape[3])
    )
    actual = normalize_trunk(scaled, [image])
    np.testing.assert_allclose(expected["conv1_1"].kernel, actual["conv1_1"].kernel, rtol=1e-4)
