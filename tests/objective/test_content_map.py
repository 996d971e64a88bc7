"""Content maps: where the content loss counts, whole, in tiles, at coarse levels and in jobs."""

import json

import numpy as np
import pytest
import tensorflow as tf
from pictures import make_picture
from PIL import Image

from nst_tf import ConfigError, ContentTerm, ImageError, JobConfig, Objective, style_transfer
from nst_tf.batch.lists import read_jobs
from nst_tf.image.contrast import contrast_map
from nst_tf.image.io import read_picture
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.models import receptive_fields
from nst_tf.objective.guides import with_content_map
from nst_tf.rundir.record import read_record
from nst_tf.scaling.levels import Level
from nst_tf.scaling.pyramid import at_level
from nst_tf.scaling.tiling import TiledObjective
from nst_tf.transfer import TransferConfig, make_task

HEIGHT, WIDTH = 97, 131
EDGE = 70  # of the map LEFT
CONTENT = VGG_PIXELS.to_image(make_picture(HEIGHT, WIDTH))
STYLE = VGG_PIXELS.to_image(make_picture(70, 66, seed=1))
NOISE = np.random.default_rng(0).normal(0, 20, CONTENT.shape).astype(np.float32)
LEFT = np.zeros((HEIGHT, WIDTH), np.float32)
LEFT[:, :EDGE] = 1
SOFT = np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
SHALLOW = {"content_layers": ("conv2_2",), "style_layers": ("conv1_1", "conv2_1")}


def loss_and_gradient(model, content_map=None, *, layers=("conv2_2",), area=0, **options):
    """Return the content loss and its gradient, tile by tile unless `area` is 0."""
    objective = Objective(model, [ContentTerm(1.0, layers, **options)])
    if area:
        objective = TiledObjective(model, objective.terms, (HEIGHT, WIDTH), area)
    targets = objective.targets(CONTENT)
    if content_map is not None:
        targets = with_content_map(targets, model, content_map)
    image = tf.constant(CONTENT + NOISE)
    with tf.GradientTape() as tape:
        tape.watch(image)
        loss = objective(image, targets)["content"]
    return float(loss), tape.gradient(loss, image).numpy()


@pytest.mark.parametrize("scale", ["half", "relative"])
def test_white_map_changes_nothing_and_gray_scales_the_loss(tiny_model, scale):
    loss, gradient = loss_and_gradient(tiny_model, scale=scale)
    for level in (1.0, 0.25):
        flat = np.full((HEIGHT, WIDTH), level, np.float32)
        found, of_map = loss_and_gradient(tiny_model, flat, scale=scale)
        assert found == pytest.approx(level * loss, rel=1e-5)
        np.testing.assert_allclose(of_map, level * gradient, atol=1e-5 * abs(gradient).max())


def test_gradient_is_that_without_map_where_white_and_zero_where_black(tiny_model):
    _, plain = loss_and_gradient(tiny_model)
    _, gradient = loss_and_gradient(tiny_model, LEFT)
    reach = receptive_fields(tiny_model)["conv2_2"].size
    black, white = EDGE + reach, EDGE - reach
    assert not gradient[:, :, black:].any()
    assert plain[:, :, black:].any()
    np.testing.assert_allclose(
        gradient[:, :, :white], plain[:, :, :white], atol=1e-6 * abs(plain).max()
    )


@pytest.mark.parametrize("content_map", [LEFT, SOFT], ids=["black and white", "soft"])
def test_tiles_match_the_whole_picture(tiny_model, content_map):
    layers = ("conv2_2", "conv3_1")
    loss, gradient = loss_and_gradient(tiny_model, content_map, layers=layers)
    tiled, of_tiles = loss_and_gradient(tiny_model, content_map, layers=layers, area=60 * 60)
    assert tiled == pytest.approx(loss, rel=2e-5)
    assert np.linalg.norm(of_tiles - gradient) < 2e-5 * np.linalg.norm(gradient)


def test_map_is_resized_for_coarse_levels(tiny_model):
    task = make_task(CONTENT, STYLE, tiny_model, None, TransferConfig(**SHALLOW), LEFT)
    _, targets = at_level(task, Level((48, 65), 1), finest=False)
    guide = targets["content"]["target"].guides["conv2_2"][0, ..., 0].numpy()
    assert guide.shape == (24, 33)
    assert guide[:, :16].min() > 0.99
    assert guide[:, 19:].max() < 0.01


@pytest.mark.parametrize("knobs", [{}, {"precision": "mixed"}, {"levels": 2}])
def test_picture_stays_nearer_to_the_photograph_where_the_map_is_white(tiny_model, knobs):
    knobs = {**SHALLOW, "alpha": 1e-2, "iterations": 6, **knobs}
    changes = {}
    for name, content_map in {"left": LEFT, "right": 1 - LEFT}.items():
        result = style_transfer(CONTENT, STYLE, tiny_model, content_map=content_map, **knobs)
        changes[name] = np.abs(result.image - CONTENT).mean(axis=(0, 1, 3))
    assert changes["left"][:55].mean() < changes["right"][:55].mean()
    assert changes["left"][85:].mean() > changes["right"][85:].mean()


def test_maps_that_can_not_be_used_are_refused(tiny_model):
    def transfer(content_map, content=CONTENT, **knobs):
        style_transfer(content, STYLE, tiny_model, init_image=CONTENT, content_map=content_map)

    with pytest.raises(ImageError, match=r"`content_map` has shape \(97, 130\), its picture"):
        transfer(LEFT[:, 1:])
    with pytest.raises(ImageError, match="`content_map` is 0 everywhere"):
        transfer(0 * LEFT)
    with pytest.raises(ImageError, match="`content_map` has values from 0 to 255"):
        transfer(255 * LEFT)
    with pytest.raises(ConfigError, match="`content_map` weighs the content loss, and there is no"):
        transfer(LEFT, content=None)
    with pytest.raises(
        ConfigError, match="`content_map` weighs the content loss, but `alpha` is 0"
    ):
        JobConfig(content_map="contrast", alpha=0)


# ------------------------------------------------------------------ jobs


def saved_map(path, size=(45, 61)):
    levels = np.zeros(size, np.uint8)
    levels[:, : size[1] // 2] = 255
    Image.fromarray(levels).save(path)
    return path


def test_job_reads_maps_and_records_them(job, tmp_path, capsys):
    saved_map(tmp_path / "map.png")
    shallow = ["--content-layers", "conv2_1", "--style-layers", "conv1_1", "conv2_1"]
    options = [*shallow, "--output", "run", "--overwrite", "--alpha", 50]
    pictures = {}
    for name in ("map.png", "not:map.png", "contrast", "-"):
        assert job("--content-map", name, *options) == 0
        pictures[name] = read_picture("run/result.png").tobytes()
        if name == "not:map.png":
            journal = json.loads((tmp_path / "run/journal.json").read_text())
            assert journal["files"]["content_map"]["path"] == "map.png"
            assert read_record(tmp_path / "run").config.content_map == f"not:{tmp_path}/map.png"
            assert "negative of map.png" in (tmp_path / "run/report.html").read_text()
    assert job(*options) == 0
    assert read_picture("run/result.png").tobytes() == pictures["-"]
    assert len(set(pictures.values())) == 4
    assert job("--config", tmp_path / "run/config.json", "--content-map", "map.png", pair=()) == 0


def test_job_refuses_maps_of_another_shape_and_black_ones(job, tmp_path, capsys):
    saved_map(tmp_path / "wide.png", (45, 90))
    Image.new("L", (61, 45)).save(tmp_path / "black.png")
    for name, message in {
        "wide.png": "has 90x45 pixels, its picture 61x45: draw it on the picture",
        "black.png": "is all black, so it would act nowhere",
        "no.png": "no.png",
    }.items():
        assert job("--content-map", name) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "output").exists()


def test_list_of_jobs_takes_maps_from_its_folder(tmp_path):
    jobs = [
        {"content": "chelsea", "style": "woodcut", "content_map": name}
        for name in ("map.png", "not:map.png", "contrast", "-")
    ]
    (tmp_path / "jobs.json").write_text(json.dumps({"jobs": jobs}))
    read = [job.config.content_map for job in read_jobs(tmp_path / "jobs.json")]
    path = str(tmp_path / "map.png")
    assert read == [path, f"not:{path}", "contrast", "-"]


# ------------------------------------------------------------------ a map of contrast


@pytest.mark.parametrize("size", [(60, 90), (700, 901)])
def test_contrast_map_is_white_where_there_is_detail(size):
    picture = np.full((*size, 3), 120, np.uint8)
    detail = size[0] // 3, size[1] // 3
    noise = np.random.default_rng(0).integers(0, 255, (*detail, 3))
    picture[: detail[0], : detail[1]] = noise
    found = contrast_map(picture)
    assert found.shape == size
    assert found.dtype == np.float32
    assert 0 <= found.min() < 0.01
    assert found.max() == 1
    assert found[: detail[0] // 2, : detail[1] // 2].mean() > 0.9
    assert found[size[0] // 2 :].max() < 0.05


def test_contrast_of_a_picture_of_one_color_is_refused():
    with pytest.raises(ImageError, match="no contrast to make a content map of"):
        contrast_map(np.full((40, 60, 3), 99, np.uint8))
