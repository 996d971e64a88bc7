"""Jobs with --wrap: the size, messages, colors and the photograph's own size."""

import re

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from nst_tf import read_picture
from nst_tf.config import JobConfig
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.jobs.inputs import Finish, load_content
from nst_tf.jobs.load import load_trunk_and_images
from nst_tf.jobs.output import Output
from nst_tf.run import main
from nst_tf.transfer import Result


def save_pair(folder, content):
    Image.fromarray(content).save(folder / "content.png")
    Image.fromarray(make_picture(50, 39, seed=1)).save(folder / "brush.png")
    return folder / "content.png", folder / "brush.png"


def loaded(pair, weights, **knobs):
    """Return size of the content and lines about --wrap of a job that is loaded, but not run."""
    content, style = map(str, pair)
    config = JobConfig(content=content, style=(style,), weights=str(weights), **knobs)
    lines = []
    _, images = load_trunk_and_images(config, lines.append)
    said = [line for line in lines if line.startswith("--wrap")]
    return images["content_image"].shape[1:3], said


@pytest.mark.parametrize(
    ("knobs", "size", "line"),
    [
        ({"wrap": "xy"}, (48, 80), "--wrap xy: 80x48 pixels in place of 75x50, both sides divis"),
        ({"wrap": "x"}, (50, 80), "--wrap x: 80x50 pixels in place of 75x50, the width divisible"),
        ({"wrap": "xy", "style_layers": ("conv3_1",)}, (48, 76), "76x48 pixels .* by 4$"),
    ],
)
def test_nearest_divisible_size_is_taken_and_said(tmp_path, tiny_mat, knobs, size, line):
    pair = save_pair(tmp_path, make_picture(100, 150))
    texture = {"alpha": 0, "size": "75"}
    found, [said] = loaded(pair, tiny_mat, **texture, **knobs)
    assert found == size
    assert re.search(line, said)
    exact = f"{size[1]}x{size[0]}"
    assert loaded(pair, tiny_mat, **{**texture, **knobs, "size": exact}) == (size, [])


def test_photograph_whose_edges_do_not_meet_is_reported(tmp_path, tiny_mat):
    half = make_picture(48, 40)
    panorama = np.concatenate([half, half[:, ::-1]], 1)  # left and right meet, top and bottom don't
    pair = save_pair(tmp_path, panorama)
    assert loaded(pair, tiny_mat, size="80", wrap="x")[1] == []
    _, [line] = loaded(pair, tiny_mat, size="80", wrap="xy")
    assert "--wrap xy: top and bottom of the photograph don't meet: they differ by" in line
    _, [line] = loaded(pair, tiny_mat, size="80", wrap="xy", alpha=0, color="swap-lab")
    assert "don't meet" in line
    assert loaded(pair, tiny_mat, size="80", wrap="xy", alpha=0)[1] == []


def test_photograph_is_resized_with_its_edges_together(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (60, 120, 3), np.uint8)
    contents = []
    for by in (0, 60):
        content, _ = save_pair(tmp_path, np.roll(picture, by, 1))
        config = JobConfig(content=str(content), size="80x48", wrap="x")
        contents.append(load_content(config)[0].astype(int))
    assert np.abs(np.roll(contents[0], 40, 1) - contents[1]).max() <= 1


def test_result_wraps_at_the_photographs_own_size_and_with_its_colors(tmp_path):
    generator = np.random.default_rng(0)
    image = generator.normal(0, 40, (1, 32, 48, 3)).astype(np.float32)
    photograph = generator.integers(0, 256, (44, 72, 3), np.uint8)

    def output(shift):  # in the computed picture and in the photograph: by a third
        shown = np.roll(photograph, 3 * shift, 1)
        finish = Finish("swap", resized(shown, (32, 48)), None, False, shown)
        config = JobConfig(wrap="x", rescale=True, color="swap")
        saved = Output(tmp_path, config, VGG_PIXELS, finish)
        rolled = np.roll(image, 2 * shift, 2)
        return saved.picture(Result(None, rolled, [], config, 0.0)).astype(float)

    assert output(0).shape == (44, 72, 3)
    difference = np.abs(np.roll(output(0), 24, 1) - output(8)).max()
    assert difference < 100  # of 65535


def resized(picture, size):
    return np.asarray(Image.fromarray(picture).resize(size[::-1]))


def test_wrapped_run_is_resumed_from_its_settings(job, tmp_path):
    pair = save_pair(tmp_path, make_picture(50, 75))
    options = ("--wrap", "xy", "--size", "75x50", "--schedule", "tutorial", "--save-every", "0")
    job(*options, "--output", "run", pair=pair)
    picture = read_picture(tmp_path / "run" / "result.png")
    assert JobConfig.load(tmp_path / "run" / "config.json").size == "75x50"
    (tmp_path / "run" / "result.png").unlink()
    assert main(["--resume", str(tmp_path / "run")]) == 0
    np.testing.assert_array_equal(read_picture(tmp_path / "run" / "result.png"), picture)
