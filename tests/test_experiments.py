"""Reconstructions and figures of the paper, on a tiny network."""

import csv

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

import nst_tf as nst
from nst_tf import (
    ConfigError,
    ImageError,
    StyleTransfer,
    extract_features,
    gram_matrix,
    layer_grid,
    mix_scales,
    reconstruct_content,
    reconstruct_style,
    weight_grid,
)
from nst_tf.experiments import nested
from nst_tf.grid import main
from nst_tf.image.pixels import VGG_PIXELS

CONTENT = VGG_PIXELS.to_image(make_picture(37, 45))
STYLE = VGG_PIXELS.to_image(make_picture(50, 41, seed=1))
FEW = {"iterations": 3}


def test_shallow_layer_reconstructs_the_picture(tiny_model):
    result = reconstruct_content(tiny_model, CONTENT, "conv1_1", iterations=80)
    assert result.history[-1]["content"] < result.history[0]["content"] / 50
    assert "style" not in result.history[0]
    at_start = VGG_PIXELS.to_picture(
        reconstruct_content(tiny_model, CONTENT, "conv1_1", iterations=0).image
    )
    picture = VGG_PIXELS.to_picture(CONTENT).astype(float)
    errors = [np.abs(image - picture).mean() for image in (result.picture, at_start)]
    assert errors[0] < errors[1] / 2


@pytest.mark.slow
def test_every_layer_can_be_reconstructed(tiny_model):
    for layer in tiny_model:
        result = reconstruct_content(tiny_model, CONTENT, layer, **FEW)
        assert result.history[-1]["content"] <= result.history[0]["content"], layer


def test_texture_has_gram_matrices_of_style_at_any_size(tiny_model):
    layers = ("conv1_1", "conv2_1")
    result = reconstruct_style(tiny_model, STYLE, layers, size=(40, 64), iterations=60)
    assert result.picture.shape == (40, 64, 3)
    for layer in layers:
        actual, expected = (
            gram_matrix(extract_features(tiny_model, image, [layer])[layer], per_position=True)
            for image in (result.image, STYLE)
        )
        assert np.linalg.norm(actual - expected) < 0.1 * np.linalg.norm(expected)


def test_mixed_style_has_fine_statistics_of_one_and_coarse_features_of_the_other(tiny_model):
    fine = VGG_PIXELS.to_image(make_picture(40, 52, seed=2))
    result = mix_scales(tiny_model, fine, STYLE, iterations=30)
    assert result.image.shape == STYLE.shape
    assert "content" not in result.history[0]
    for layer in ("conv1_1", "conv2_1"):
        actual, expected, start = (
            gram_matrix(extract_features(tiny_model, image, [layer])[layer], per_position=True)
            for image in (result.image, fine, STYLE)
        )
        error = np.linalg.norm(actual - expected)
        assert error < 0.1 * np.linalg.norm(start - expected), layer
    structure, of_coarse, of_noise = (
        extract_features(tiny_model, image, ["conv4_2"])["conv4_2"]
        for image in (result.image, STYLE, STYLE[:, ::-1, ::-1])
    )
    distance = np.linalg.norm(structure - of_coarse)
    assert distance < np.linalg.norm(structure - of_noise), "the coarse picture keeps its places"


def test_seed_determines_the_texture(tiny_model):
    one, two, other = (
        reconstruct_style(tiny_model, STYLE, ["conv1_1"], seed=seed, **FEW).picture
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


def test_nested_layers():
    assert nested("abc") == [("a",), ("a", "b"), ("a", "b", "c")]


def test_layer_grid_has_a_style_row_and_a_content_row(tiny_model):
    calls = []
    sheet = layer_grid(
        CONTENT,
        STYLE,
        tiny_model,
        content_layers=("conv1_2", "conv4_2"),
        style_layers=("conv1_1", "conv2_1"),
        each=lambda row, column, picture: calls.append((row, column, picture.shape)),
        **FEW,
    )
    assert sheet.rows == ("style", "content")
    assert sheet.columns == (
        "style to conv1_1\ncontent conv1_2",
        "style to conv2_1\ncontent conv4_2",
    )
    style, content = STYLE.shape[1:], CONTENT.shape[1:]
    assert calls == [(1, 1, style), (1, 2, style), (2, 1, content), (2, 2, content)]
    with pytest.raises(ConfigError, match="5 content layers and 1 style layers; give the same"):
        layer_grid(CONTENT, STYLE, tiny_model, style_layers=("conv1_1",))


def test_weight_grid_has_layers_by_ratios(tiny_model):
    sheet = weight_grid(
        CONTENT, STYLE, tiny_model, ratios=(1e-4, 1), style_layers=("conv1_1", "conv2_1"), **FEW
    )
    assert sheet.rows == ("A: to conv1_1", "B: to conv2_1")
    assert sheet.columns == ("alpha/beta 0.0001", "alpha/beta 1")
    pictures = [picture for row in sheet.pictures for picture in row]
    assert len({picture.tobytes() for picture in pictures}) == 4


def test_invalid_knob_of_sheet_raises_before_first_picture(tiny_model):
    calls = []
    with pytest.raises(ConfigError, match=r"`alpha` is -1\.0; it must be at least 0"):
        weight_grid(
            CONTENT, STYLE, tiny_model, ratios=(1, -1), each=lambda *args: calls.append(args)
        )
    for name in ("alpha", "beta"):
        with pytest.raises(ConfigError, match=f"the sheet sets `{name}`; omit it"):
            weight_grid(CONTENT, STYLE, tiny_model, **{name: 5.0})
    assert not calls


def test_texture_size_as_in_load_image(tiny_model):
    result = reconstruct_style(tiny_model, STYLE, "conv1_1", size=100, iterations=0)
    assert result.picture.shape == (100, 82, 3)
    with pytest.raises(ImageError, match="too small"):
        reconstruct_style(tiny_model, STYLE, "conv1_1", size=(4, 4))


def test_show_sheet_with_labels(tiny_model):
    picture = make_picture(30, 40)
    sheet = nst.Sheet("title", ("one", "two"), ("a", "b", "c"), [[picture] * 3] * 2)
    figure = nst.show_sheet(sheet)
    assert len(figure.axes) == 6
    assert [axis.get_title() for axis in figure.axes[:3]] == ["a", "b", "c"]
    assert [axis.get_ylabel() for axis in figure.axes[::3]] == ["one", "two"]


def test_feature_maps_are_shown_strongest_first(tiny_model):
    figure = nst.show_feature_maps(tiny_model, CONTENT, "conv1_2", count=3)
    features = extract_features(tiny_model, CONTENT, ["conv1_2"])["conv1_2"].numpy()[0]
    strongest = features.mean(axis=(0, 1)).argmax()
    assert figure.axes[0].get_title() == f"conv1_2 [{strongest}]"
    assert len(figure.axes) == 3


def test_style_transfer_class_of_tutorial_4(tiny_model):
    transfer = StyleTransfer(CONTENT, STYLE, tiny_model, iterations=2)
    picture = transfer.apply()
    np.testing.assert_array_equal(picture, transfer.result.picture)
    assert picture.shape == (37, 45, 3)


# ------------------------------------------------------------------ the command line


@pytest.fixture
def grid(pictures, tiny_mat, tmp_path, monkeypatch):
    """Return a function that runs the command line on small pictures."""
    monkeypatch.chdir(tmp_path)

    def run(sheet, *options):
        content, style = map(str, pictures)
        fixed = ["--weights", str(tiny_mat), "--size", "48", "--iterations", "1"]
        return main([sheet, content, style, *fixed, *map(str, options)])

    return run


@pytest.mark.slow
def test_command_line_saves_sheet_and_pictures(grid, tmp_path):
    assert grid("weights", "--ratios", 1e-4, 1e-2, "--style-layers", "conv1_1,conv2_1") == 0
    folder = tmp_path / "output" / "grid_weights"
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["1_1.png", "1_2.png", "2_1.png", "2_2.png", "scores.csv", "sheet.png"]
    with Image.open(folder / "sheet.png") as sheet:
        assert sheet.width > 600
    with open(folder / "scores.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["picture"] for row in rows) == names[:4]
    distances = [float(row["style_distance"]) for row in rows]
    assert distances == sorted(distances)
    assert len(set(distances)) > 1
    options = ["--style-layers", "conv1_1", "--ratios", "1", "--overwrite"]
    assert grid("weights", *options, "--sort", "high_pass_content") == 0
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["1_1.png", "scores.csv", "sheet.png"]
    assert grid("layers", "--output", tmp_path / "here") == 0
    assert (tmp_path / "here" / "2_5.png").is_file()


def test_interrupted_grid_prints_path_of_pictures(grid, tmp_path, monkeypatch, capsys):
    from nst_tf import experiments, read_picture
    from nst_tf.errors import Interrupted

    def interrupted(*args, each, **knobs):
        each(1, 1, make_picture(35, 48))
        raise Interrupted(None, "stopped")

    monkeypatch.setattr(experiments, "layer_grid", interrupted)
    assert grid("layers") == 130
    assert "the finished pictures are in output/grid_layers" in capsys.readouterr().err
    assert read_picture(tmp_path / "output" / "grid_layers" / "1_1.png").shape == (35, 48, 3)


def test_bad_grid_input_is_rejected_with_status_2(grid, tmp_path, capsys):
    def error():
        return capsys.readouterr().err.strip()

    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "photo.png").touch()
    assert grid("layers", "--output", "full") == 2
    assert "full is not empty; choose another --output or add --overwrite" in error()
    assert grid("layers", "--ratios", "1") == 2
    assert "--ratios applies only to the sheet weights" in error()
    assert grid("weights", "--style-layers", "conv9_9") == 2
    assert "there is no layer 'conv9_9'" in error()
    assert main(["layers", "one.png"]) == 2
    assert "a sheet needs one CONTENT and one STYLE" in error()
    with pytest.raises(SystemExit) as stop:
        main(["figures"])
    assert stop.value.code == 2
    assert "choose from" in error()
