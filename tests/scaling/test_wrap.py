"""Pictures whose opposite edges meet: losses, sizes, levels, tiles and resizing."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from pictures import make_picture
from squeezenet_files import tiny_squeezenet, write_npz

from nst_tf import ConfigError, ImageError, Style, TransferConfig, load_model, style_transfer
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.image.sizes import resize_picture
from nst_tf.models import extract_features, with_dilation
from nst_tf.scaling.levels import Level, task_levels
from nst_tf.scaling.pyramid import at_level, enlarged, resized_image
from nst_tf.scaling.tiling import TiledObjective
from nst_tf.scaling.wrap import seam
from nst_tf.transfer import Run, make_task

RNG = np.random.default_rng(0)
CONTENT = VGG_PIXELS.to_image(make_picture(64, 96))
STYLE = VGG_PIXELS.to_image(make_picture(50, 75, seed=1))
START = CONTENT + RNG.normal(0, 30, CONTENT.shape).astype(np.float32)
MASK = make_picture(64, 96, seed=2)[..., 0].astype(np.float32) / 255
BY = {"x": (0, 32), "xy": (16, 32)}  # strides of conv5_1: 16; of patches, every second position
KNOBS = {"alpha": 1.0, "unit": "relative", "tv_weight": 1.0}


def rolled(image, shift):
    """Return an image (1, H, W, 3) or a mask (H, W) rolled by rows and columns."""
    return np.roll(image, shift, (-2, -1) if image.ndim == 2 else (1, 2))


def losses_and_gradient(task, image):
    """Return the losses and the gradient of an image."""
    image = tf.constant(image)
    with tf.GradientTape() as tape:
        tape.watch(image)
        losses = task.objective(image, task.targets)
    return losses, tape.gradient(losses["total"], image).numpy()


def change_by_rolling(model, shift, mask=None, **knobs):
    """Return by how much losses, and the gradient rolled back, change if everything is rolled."""
    config = TransferConfig(**{**KNOBS, **knobs})
    found = []
    for by in ((0, 0), shift):
        style = STYLE if mask is None else Style(STYLE, mask=rolled(mask, by))
        start = rolled(START, by)
        task = make_task(rolled(CONTENT, by), style, model, start, config)
        found.append(losses_and_gradient(task, start))
    (losses, gradient), (other_losses, other_gradient) = found
    of_losses = max(abs(other_losses[name] / losses[name] - 1) for name in losses)
    change = np.abs(other_gradient - rolled(gradient, shift)).max() / np.abs(gradient).max()
    return float(of_losses), float(change)


@pytest.mark.parametrize("edges", [False, True])
@pytest.mark.parametrize("wrap", ["x", "xy"])
def test_rolling_a_wrapped_picture_changes_no_loss_and_rolls_the_gradient(tiny_model, wrap, edges):
    model = tiny_model.with_edges() if edges else tiny_model
    assert max(change_by_rolling(model, BY[wrap], wrap=wrap)) < 1e-5
    assert min(change_by_rolling(model, BY[wrap])) > 1e-3


@pytest.mark.parametrize(
    "knobs",
    [
        {"method": "blurred"},
        {"method": "shifted"},
        {"method": "chain"},
        {"method": "patches"},
        {"tv_form": "nine-point"},
        {"tv_form": "power", "unit": "paper", "beta": 1e-3, "alpha": 1e-3},
        {"mask": MASK},
        {"mask": MASK, "method": "patches"},
        {"mask": MASK, "propagation": "all", "style_layers": ("conv1_1", "conv2_1")},
    ],
)
def test_every_loss_wraps(tiny_model, knobs):
    assert max(change_by_rolling(tiny_model, BY["xy"], **knobs, wrap="xy")) < 3e-5
    assert max(change_by_rolling(tiny_model, BY["xy"], **knobs)) > 1e-3


def test_picture_that_wraps_in_x_has_a_top_and_a_bottom(tiny_model):
    assert max(change_by_rolling(tiny_model, BY["xy"], wrap="x")) > 1e-3


@pytest.mark.parametrize("side", [3, 7])  # of conv1's filters: v1.1 and v1.0
def test_squeezenet_wraps(tmp_path, side):
    write_npz(tmp_path / "net.npz", tiny_squeezenet(side))
    model = load_model(tmp_path / "net.npz", pooling="average")
    knobs = {"content_layers": ("fire4",), "style_layers": ("conv1", "fire2", "fire6")}
    assert max(change_by_rolling(model, BY["xy"], **knobs, wrap="xy")) < 1e-5
    assert max(change_by_rolling(model, BY["xy"], **knobs)) > 1e-3


def test_dilated_filters_wrap(tiny_model):
    dilated, name = with_dilation(tiny_model, "conv4_1", 2), "conv4_1_dilated_2"
    for model, least, most in ((dilated.wrapped("xy"), 0, 1e-5), (dilated, 1e-3, np.inf)):
        features = extract_features(model, START, [name])[name]
        there = extract_features(model, rolled(START, (16, 32)), [name])[name]
        change = np.abs(there - rolled(features, (2, 4))).max() / np.abs(features).max()
        assert least <= change < most


def test_styles_are_measured_without_wrap(tiny_model):
    def targets(wrap):
        config = TransferConfig(**KNOBS, wrap=wrap)
        return make_task(CONTENT, STYLE, tiny_model, config=config).targets

    plain, wrapped = targets(None), targets("xy")
    for one, other in zip(*(tf.nest.flatten(x["style"]) for x in (plain, wrapped)), strict=True):
        np.testing.assert_array_equal(one, other)
    content = [x["content"]["target"].features["conv4_2"] for x in (plain, wrapped)]
    assert not np.allclose(*content)


def test_wrapped_run_in_bfloat16(tiny_model):
    knobs = {**KNOBS, "iterations": 2, "wrap": "xy"}
    mixed, exact = (
        style_transfer(CONTENT, STYLE, tiny_model, precision=precision, **knobs).history[-1]
        for precision in ("mixed", "float32")
    )
    assert mixed["total"] == pytest.approx(exact["total"], rel=0.05)


# ------------------------------------------------------------------ sizes


@pytest.mark.parametrize(
    ("wrap", "layers", "message"),
    [
        ("xy", ("conv5_1",), "93x60 pixels; with `wrap` xy, each .* by 16, .*: .* to 96x64"),
        ("x", ("conv5_1",), "93x60 pixels; with `wrap` x, its width .* by 16, .*: .* to 96x60"),
        ("xy", ("conv3_1",), "divisible by 4, the stride of the deepest layer: .* to 92x60"),
    ],
)
def test_sides_must_be_divisible_by_the_deepest_stride(tiny_model, wrap, layers, message):
    image, knobs = START[:, :60, :93], {"alpha": 0, "style_layers": layers, "wrap": wrap}
    with pytest.raises(ImageError, match=message):
        style_transfer(None, STYLE, tiny_model, init_image=image, **knobs)


def test_levels_have_divisible_sides(tiny_model):
    start = np.ones((1, 304, 400, 3), np.float32)
    for wrap, strides in (("xy", (16, 16)), ("x", (1, 16))):
        config = TransferConfig(wrap=wrap, levels=3, alpha=0)
        task = make_task(None, start, tiny_model, start, config)
        sizes = [level.size for level in task_levels(task)]
        assert sizes[-1] == (304, 400)
        assert all(side % n == 0 for size in sizes for side, n in zip(size, strides)), sizes
    assert sizes == [(76, 96), (152, 192), (304, 400)]  # not 100 and 200 pixels wide


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"wrap": "y"}, "`wrap` is 'y'; choose from x, xy"),
        ({"wrap": "x", "carry_moments": True}, "`carry_moments` does not work with `wrap` x"),
    ],
)
def test_unusable_knobs_are_rejected(knobs, message):
    with pytest.raises(ConfigError, match=message):
        TransferConfig(**knobs)


def test_analogy_does_not_wrap(tiny_model):
    style = Style(STYLE, unfiltered=STYLE)
    with pytest.raises(ConfigError, match="an `unfiltered` picture does not work with `wrap` x"):
        style_transfer(CONTENT, style, tiny_model, method="patches", wrap="x")


# ------------------------------------------------------------------ resizing, and a run


@pytest.mark.parametrize("size", [(48, 36), (160, 120), (80, 30)])
@pytest.mark.parametrize("resample", ["lanczos", "bicubic", "bilinear"])
def test_resized_picture_wraps(size, resample):
    picture = RNG.integers(0, 256, (80, 60, 3), np.uint8)
    half = np.array(size) // 2
    expected = np.roll(resize_picture(picture, size, resample, wrap="xy"), half, (0, 1))
    there = np.roll(picture, (40, 30), (0, 1))
    assert np.abs(resize_picture(there, size, resample, wrap="xy") - expected.astype(int)).max() < 2
    assert np.abs(resize_picture(there, size, resample) - expected.astype(int)).max() > 9
    inside = (slice(30, 50), slice(25, 35))  # as without wrap, far from the edges
    if size == (160, 120):
        plain, wrapped = (resize_picture(picture, size, resample, wrap=w) for w in (None, "xy"))
        np.testing.assert_array_equal(plain[inside], wrapped[inside])


@pytest.mark.parametrize("size", [(32, 48), (96, 144)])
def test_resized_image_wraps(size):
    half = size[0] // 2, size[1] // 2
    expected = rolled(resized_image(START, size, "xy"), half)
    np.testing.assert_allclose(
        resized_image(rolled(START, (32, 48)), size, "xy"), expected, atol=5e-3
    )
    plain = resized_image(START, size)
    assert np.abs(resized_image(START, size, "xy") - plain).max() > 1
    inside = (0, slice(12, -12), slice(12, -12))
    np.testing.assert_allclose(resized_image(START, size, "xy")[inside], plain[inside], atol=1e-3)
    mask = resized_image(MASK, size, "xy")
    np.testing.assert_allclose(
        resized_image(rolled(MASK, (32, 48)), size, "xy"), rolled(mask, half), atol=1e-5
    )


def test_coarse_levels_wrap(tiny_model):
    layers = {"content_layers": ("conv2_2",), "style_layers": ("conv1_1", "conv2_1")}
    config, level = TransferConfig(**KNOBS, **layers, wrap="xy"), Level((32, 48), 1)
    other_start = CONTENT[:, ::-1]
    found = []
    for by, half in (((0, 0), (0, 0)), ((32, 48), (16, 24))):
        content, style = rolled(CONTENT, by), Style(STYLE, mask=rolled(MASK, by))
        task = make_task(content, style, tiny_model, config=config)
        objective, targets = at_level(task, level, False)
        losses = objective(rolled(resized_image(START, (32, 48), "xy"), half), targets)
        larger = enlarged(task, rolled(START[:, ::2, ::2], half), Level((64, 96), 1))
        from_noise = replace(task, start=rolled(other_start, by))
        smaller = enlarged(from_noise, rolled(START, by), level)
        with Run(task, None, [], None, None, None) as run:
            shown = run.show(rolled(START[:, ::2, ::2], half))[np.newaxis].astype(float)
        back = [rolled(x, np.negative(n)) for x, n in ((larger, by), (smaller, half), (shown, by))]
        found.append((losses, *back))
    (losses, *images), (other_losses, *other_images) = found
    for name, loss in losses.items():
        np.testing.assert_allclose(other_losses[name], loss, rtol=1e-5, err_msg=name)
    for image, other, tolerance in zip(images, other_images, (5e-3, 5e-3, 1)):
        np.testing.assert_allclose(other, image, atol=tolerance)


@pytest.mark.parametrize(
    ("wrap", "knobs"),
    [
        ("xy", {}),
        ("x", {"method": "blurred", "tv_form": "nine-point"}),
        ("xy", {"method": "patches"}),
    ],
)
def test_tiles_match_the_whole_picture_that_wraps(tiny_model, wrap, knobs):
    layers = {"content_layers": ("conv2_2",), "style_layers": ("conv1_1", "conv2_1")}
    config = TransferConfig(**{**KNOBS, **layers, **knobs}, wrap=wrap)
    styles = [Style(STYLE, mask=MASK)]
    task = make_task(CONTENT, styles, tiny_model, START, config)
    tiled = TiledObjective(task.objective.model, task.objective.terms, (64, 96), 56 * 56)
    targets = tiled.targets(CONTENT, styles)
    losses, gradient = losses_and_gradient(task, START)
    tiled_losses, tiled_gradient = tf.function(
        lambda: losses_and_gradient_of(tiled, targets), autograph=False
    )()
    for name, loss in losses.items():
        np.testing.assert_allclose(tiled_losses[name], loss, rtol=3e-5, err_msg=name)
    assert np.abs(tiled_gradient - gradient).max() / np.abs(gradient).max() < 1e-4


def losses_and_gradient_of(objective, targets):
    image = tf.constant(START)
    with tf.GradientTape() as tape:
        tape.watch(image)
        losses = objective(image, targets)
    return losses, tape.gradient(losses["total"], image)


def test_seam_is_measured_in_gray_levels():
    picture = np.full((4, 6, 3), 7, np.uint8)
    picture[-1] = 27  # 20 darker at the top; inside, one of three pairs of rows differs by 20
    assert seam(picture, 0) == pytest.approx((20, 20 / 3))
    assert seam(picture, 1) == (0, 0)


def seams(picture):
    """Return how much more the pixels at opposite edges differ than neighbors, by axis."""
    return [np.divide(*seam(picture, axis)) for axis in (0, 1)]


def test_texture_has_no_seam():
    embedded = load_model("embedded", pooling="max").with_edges()

    def painted(wrap):
        start = np.random.default_rng(1).uniform(-20, 20, (1, 64, 64, 3)).astype(np.float32)
        knobs = {"alpha": 0, "unit": "relative", "method": "moments", "schedule": "fast"}
        layers = {"style_layers": ("conv1_1", "conv2_1", "conv3_1")}
        options = {**knobs, **layers, "beta": 12.0, "tv_weight": 8.0, "iterations": 25}
        style = STYLE[:, :40, :40]
        result = style_transfer(None, style, embedded, init_image=start, wrap=wrap, **options)
        return result.picture

    assert max(seams(painted("xy"))) < 1.5
    assert min(seams(painted(None))) > 2
