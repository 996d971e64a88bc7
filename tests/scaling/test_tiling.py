"""Tiled computation gives the losses and gradient of the whole picture."""

import numpy as np
import pytest
import tensorflow as tf
from pictures import make_picture

from nst_tf import ContentTerm, Objective, Style, TransferConfig, load_vgg_model
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.models import receptive_fields
from nst_tf.objective.objective import as_styles
from nst_tf.objective.value_range import ValueRangeTerm
from nst_tf.scaling.tiling import TiledObjective, Tiling
from nst_tf.transfer import loss_terms

CONTENT = VGG_PIXELS.to_image(make_picture(213, 317))
STYLE = VGG_PIXELS.to_image(make_picture(190, 283, seed=1))
NOISE = np.random.default_rng(0).normal(0, 20, CONTENT.shape).astype(np.float32)
SHALLOW = {"content_layers": ("conv2_2",), "style_layers": ("conv1_1", "conv2_1", "conv3_1")}
SMALL = 40 * 40  # pixels per tile: far fewer than the halo of a deep layer


def losses_and_gradient(model, area, styles, **knobs):
    """Return the losses and gradient of a picture, tile by tile unless `area` is 0."""
    terms = loss_terms(model, TransferConfig(**{**SHALLOW, **knobs}))
    objective = Objective(model, terms)
    if area:
        objective = TiledObjective(model, terms, CONTENT.shape[1:3], area)
    targets = objective.targets(CONTENT, as_styles(styles))

    @tf.function
    def compute(image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            losses = objective(image, targets)
        return losses, tape.gradient(losses["total"], image)

    losses, gradient = compute(tf.constant(CONTENT + NOISE))
    return {name: float(loss) for name, loss in losses.items()}, gradient.numpy()


def check_same(model, area, styles=STYLE, *, tolerance=2e-5, **knobs):
    losses, gradient = losses_and_gradient(model, 0, styles, **knobs)
    tiled_losses, tiled_gradient = losses_and_gradient(model, area, styles, **knobs)
    for name, loss in losses.items():
        np.testing.assert_allclose(tiled_losses[name], loss, rtol=tolerance, err_msg=name)
    difference = np.linalg.norm(tiled_gradient - gradient) / np.linalg.norm(gradient)
    assert difference < tolerance
    worst = np.abs(tiled_gradient - gradient).max() / np.abs(gradient).max()
    assert worst < 10 * tolerance


@pytest.mark.parametrize("area", [SMALL, 100 * 120, 150 * 300, 10**6])
def test_tiles_match_the_whole_picture(tiny_model, area):
    check_same(tiny_model, area, tv_weight=1e-3)


def test_tiles_match_with_the_papers_layers(tiny_model):
    layers = {"content_layers": ("conv4_2",), "style_layers": TransferConfig().style_layers}
    check_same(tiny_model, 180 * 200, **layers)


@pytest.mark.parametrize("statistic", ["chain", "blurred", "shifted", "moments"])
def test_tiles_match_for_every_statistic(tiny_model, statistic):
    area = 200 * 180 if statistic == "shifted" else 90 * 80  # its halos are wide: fewer tiles
    check_same(tiny_model, area, method=statistic, unit="relative")


def test_tiles_match_with_weights_divided_by_size(tiny_model):
    content, image = CONTENT[:, :60, :80], tf.constant(NOISE[:, :60, :80])
    layers = {"content_layers": ("conv1_2",), "style_layers": ("conv1_1", "conv1_2")}
    terms = loss_terms(tiny_model, TransferConfig(normalize_weights=True, **layers))
    objective = Objective(tiny_model, terms)
    targets = objective.targets(content, as_styles(content[:, ::-1]))
    tiled = TiledObjective(tiny_model, terms, (60, 80), SMALL)(image, targets)
    for name, loss in objective(image, targets).items():
        np.testing.assert_allclose(tiled[name], loss, rtol=2e-5, err_msg=name)


def test_tiles_match_for_wasserstein(tiny_model):
    """Rounding errors of 1e-7 in eigenvalues of 0 become 3e-4 in their square roots."""
    check_same(tiny_model, 90 * 80, method="wasserstein", unit="relative", tolerance=5e-3)


def test_tiles_match_with_shifted_activations(tiny_model):
    check_same(tiny_model, 90 * 80, method="chain", activation_shift=-1.0)


@pytest.mark.parametrize("form", ["absolute", "mean", "power", "nine-point"])
def test_tiles_match_for_every_total_variation(tiny_model, form):
    check_same(tiny_model, SMALL, tv_form=form, tv_weight=10.0)


def test_tiles_match_for_the_value_range(tiny_model):
    terms = [ValueRangeTerm(1.0, tiny_model.space)]
    image = tf.constant(3 * CONTENT[:, :60, :80])
    expected = Objective(tiny_model, terms)(image, Objective(tiny_model, terms).targets())
    tiled = TiledObjective(tiny_model, terms, (60, 80), 20 * 20)
    np.testing.assert_allclose(tiled(image, tiled.targets())["range"], expected["range"], rtol=1e-5)
    assert expected["range"] > 0


@pytest.mark.parametrize("propagation", ["simple", "inside"])
def test_tiles_match_with_masks(tiny_model, propagation):
    mask = np.zeros(CONTENT.shape[1:3], np.float32)
    mask[30:150, 50:211] = 1
    style_mask = np.zeros(STYLE.shape[1:3], np.float32)
    style_mask[:, 100:] = 0.5
    styles = [Style(STYLE, 1.0, mask, style_mask), Style(STYLE[:, ::2], 2.0, 1 - mask)]
    check_same(tiny_model, 70 * 90, styles, propagation=propagation)


def test_tiles_match_with_edge_padding_and_max_pooling(tiny_mat):
    check_same(load_vgg_model(tiny_mat, pooling="max").with_edges(), SMALL)


@pytest.mark.parametrize("shape", [(213, 317), (64, 1000), (33, 40), (255, 256)])
def test_every_position_lies_in_the_core_of_one_tile(tiny_model, shape):
    layers = ("conv1_1", "conv3_1", "conv5_1")
    tiling = Tiling.of(tiny_model, layers, shape, SMALL, 0)
    fields = receptive_fields(tiny_model)
    for layer in layers:
        seen = np.zeros(tiling.sizes[layer], int)
        for number in range(tiling.count):
            (top, left), (bottom, right) = tiling.core(number, layer)
            seen[top:bottom, left:right] += 1
            reach = np.stack([[top, left], [bottom - 1, right - 1]]) * fields[layer].stride
            first = np.maximum(reach[0] + fields[layer].first, 0)
            last = np.minimum(reach[1] + fields[layer].first + fields[layer].size, shape)
            assert (tiling.origins[number] <= first).all()
            assert (tiling.origins[number] + tiling.size >= last).all()
        assert (seen == 1).all()


def test_tiles_do_not_exceed_their_area(tiny_model):
    for area in (300 * 300, 500 * 500):
        tiling = Tiling.of(tiny_model, ("conv5_1",), (1080, 1920), area, 0)
        assert tiling.size[0] * tiling.size[1] <= area
        assert tiling.count > 1
    assert Tiling.of(tiny_model, ("conv5_1",), (1080, 1920), 1080 * 1920, 0).count == 1


def test_receptive_fields_known_values(tiny_model):
    fields = receptive_fields(tiny_model)
    assert fields["conv1_1"] == (1, -1, 3)
    assert fields["conv5_1"] == (16, -70, 156)


def test_features_of_tiles_match_the_whole_picture(tiny_model):
    layers = ("conv2_2", "conv4_2")
    terms = [ContentTerm(1.0, layers)]
    whole = Objective(tiny_model, terms).measure(terms[0], CONTENT)
    tiled = TiledObjective(tiny_model, terms, CONTENT.shape[1:3], 130 * 150)
    tiled = tiled.measure(terms[0], CONTENT)
    for layer in layers:
        scale = np.abs(whole[layer]).max()
        np.testing.assert_allclose(tiled[layer], whole[layer], atol=1e-5 * scale)
