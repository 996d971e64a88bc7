"""Patches: the nearest ones of the style, their sum, masks, several styles, analogies."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from pictures import make_picture

from nst_tf import ConfigError, ImageError, Objective, Style, TransferConfig, style_transfer
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.objective import patches
from nst_tf.objective.patches import WHOLE, Bank, PatchTerm, nearest
from nst_tf.scaling.tiling import TiledObjective
from nst_tf.transfer import loss_terms

CONTENT = VGG_PIXELS.to_image(make_picture(37, 45))
STYLE = VGG_PIXELS.to_image(make_picture(50, 41, seed=1))
OTHER = VGG_PIXELS.to_image(make_picture(33, 64, seed=2))
LAYERS = ("conv1_2", "conv2_1")


def feature_map(height, width, channels=4, seed=0):
    values = np.random.default_rng(seed).normal(size=(1, height, width, channels))
    return tf.constant(values, tf.float32)


def patches_of(features, side=3, stride=1):
    """Return all patches of a map as rows: (K, side^2 N)."""
    x = np.asarray(features[0])
    corners = itertools.product(
        range(0, x.shape[0] - side + 1, stride), range(0, x.shape[1] - side + 1, stride)
    )
    return np.array([x[i : i + side, j : j + side].ravel() for i, j in corners])


def nearest_by_loops(picture, style):
    """Return the number of the style patch of the largest normalized cross-correlation."""
    norms = np.linalg.norm(style, axis=1)
    return np.argmax(picture @ style.T / norms, axis=1)


def style_loss(model, image, *styles, **knobs):
    """Return the style loss of an image, relative, of one layer."""
    term = PatchTerm(1.0, LAYERS[:1], relative=True, **knobs)
    objective = Objective(model, [term])
    return float(objective(tf.constant(image), objective.targets(CONTENT, styles))["style"])


def loss_and_gradient(model, image, styles, content=CONTENT, tiles=0, **knobs):
    """Return style loss and gradient of an image; `tiles`: pixels of a tile."""
    knobs = {"method": "patches", "style_layers": LAYERS, "unit": "paper", **knobs}
    terms = [t for t in loss_terms(model, TransferConfig(**knobs)) if t.name == "style"]
    size = image.shape[1:3]
    objective = TiledObjective(model, terms, size, tiles) if tiles else Objective(model, terms)
    targets = objective.targets(content, styles)

    @tf.function
    def compute(image):
        with tf.GradientTape() as tape:
            tape.watch(image)
            loss = objective(image, targets)["style"]
        return loss, tape.gradient(loss, image)

    loss, gradient = compute(tf.constant(image))
    return float(loss), gradient.numpy()


# ------------------------------------------------------------------ the nearest patch


@pytest.mark.parametrize(("side", "stride", "scores"), [(3, 1, 2**24), (3, 2, 200), (1, 1, 150)])
def test_nearest_patch_has_the_largest_normalized_cross_correlation(
    side, stride, scores, monkeypatch
):
    monkeypatch.setattr(patches, "SCORES", scores)  # few at once: a chunk and a shorter last one
    picture, style = feature_map(8, 11), feature_map(9, 7, seed=1) * 3
    found = nearest(picture, Bank.of([style], side=side), stride=stride)
    expected = nearest_by_loops(patches_of(picture, side, stride), patches_of(style, side))
    np.testing.assert_array_equal(np.ravel(found), expected)


def test_bank_of_several_maps_holds_the_patches_of_each():
    maps = [feature_map(6, 5), feature_map(4, 9, seed=1)]
    bank = Bank.of(maps, stride=2)
    values = tf.gather(bank.rows[0, 0], bank.patches[0, 0]).numpy()
    expected = np.concatenate([patches_of(x, stride=2) for x in maps])
    np.testing.assert_array_equal(values.reshape(len(values), -1), expected)
    np.testing.assert_allclose(bank.energy, np.square(expected).sum(1).mean() / 9, rtol=1e-5)


def test_a_guide_leaves_the_patches_whose_center_counts():
    guide = np.zeros((1, 6, 7, 1), np.float32)
    guide[0, 2, 3:5, 0] = 1, 0.4  # less than half as much
    bank = Bank.of([feature_map(6, 7)], [tf.constant(guide)])
    np.testing.assert_array_equal(bank.patches[0, 0, :, 4], [2 * 7 + 3])


def test_patches_that_are_equally_near_are_chosen_by_their_place():
    flat = tf.ones((1, 9, 11, 4))
    bank = Bank.of([tf.ones((1, 17, 21, 4))])
    assert set(nearest(flat, bank).numpy().flat) == {0}
    found = nearest(flat, bank, distance=0.1).numpy()
    rows, columns = np.divmod(found, 21 - 2)
    np.testing.assert_allclose(rows[:, 0] / 14, np.arange(7) / 6, atol=1 / 14)
    np.testing.assert_allclose(columns[0] / 18, np.arange(9) / 8, atol=1 / 18)


def test_distance_yields_to_the_correlation():
    picture, style = feature_map(7, 8), feature_map(9, 7, seed=1)
    found = nearest(picture, Bank.of([style]), distance=1e-6)
    np.testing.assert_array_equal(found, nearest(picture, Bank.of([style])))


# ------------------------------------------------------------------ the loss


@pytest.mark.parametrize("stride", [1, 2])
def test_loss_sums_the_squared_differences_of_all_patches(stride):
    """Li & Wand 2016, eq. (2), with patches that extend beyond the border cut off there."""
    picture, style = feature_map(7, 8), feature_map(9, 7, seed=1)
    bank = Bank.of([style], stride=stride)
    padded = np.pad(picture, ((0, 0), (1, 1), (1, 1), (0, 0)), "edge")
    inside = np.pad(np.ones_like(picture), ((0, 0), (1, 1), (1, 1), (0, 0)))
    of_picture, where = patches_of(padded, stride=stride), patches_of(inside, stride=stride)
    of_style = patches_of(style, stride=stride)
    chosen = of_style[nearest_by_loops(of_picture, of_style)]
    wanted, features = bank.wanted(WHOLE, "", picture, None, stride)
    distance, weight, _ = patches.patch_sums(wanted, features, 0)
    np.testing.assert_allclose(
        distance, np.sum(where * (of_picture - chosen) ** 2), rtol=1e-5, err_msg="distance"
    )
    np.testing.assert_allclose(weight, where.sum() / 4)


def test_gradient_holds_the_choice_fixed():
    picture, style = feature_map(7, 8), feature_map(9, 7, seed=1)
    bank = Bank.of([style])
    with tf.GradientTape() as tape:
        tape.watch(picture)
        wanted, features = bank.wanted(WHOLE, "", picture, None, 1)
        distance = patches.patch_sums(wanted, features, 0)[0]
    expected = 2 * (wanted.weight * (features - wanted.mean))[:, 1:-1, 1:-1]
    np.testing.assert_allclose(tape.gradient(distance, picture), expected, rtol=1e-4, atol=1e-5)


def test_a_picture_of_the_style_has_loss_0(tiny_model):
    loss = style_loss(tiny_model, STYLE, Style(STYLE), stride=1)
    far = style_loss(tiny_model, STYLE, Style(OTHER), stride=1)
    assert loss < 0.15 * far, "only patches beyond the border differ"


def test_relative_loss_does_not_depend_on_the_scale_of_features():
    term = PatchTerm(1.0, ("a",), relative=True)
    for scale in (1.0, 10.0):
        picture, style = scale * feature_map(7, 8), scale * feature_map(9, 7, seed=1)
        region = patches.Region({"a": Bank.of([style], stride=2)}, {}, tf.constant(1.0))
        loss = term.loss({"a": picture}, None, [region])
        if scale == 1:
            first = loss
    np.testing.assert_allclose(loss, first, rtol=1e-5)


# ------------------------------------------------------------------ masks, styles, tiles


def test_several_styles_offer_their_patches_together(tiny_model):
    both = style_loss(tiny_model, OTHER, Style(STYLE), Style(OTHER), stride=1)
    own = style_loss(tiny_model, OTHER, Style(OTHER), stride=1)
    one = style_loss(tiny_model, OTHER, Style(STYLE), stride=1)
    assert own / 3 < both < one / 3


def test_weights_of_styles_that_offer_patches_together_are_refused(tiny_model):
    with pytest.raises(ConfigError, match="different weights, but the method patches"):
        style_loss(tiny_model, OTHER, Style(STYLE), Style(OTHER, 2.0))


def test_a_style_acts_under_its_mask_only(tiny_model):
    mask = np.zeros(CONTENT.shape[1:3], np.float32)
    mask[:, :20] = 1
    styles = [Style(STYLE, mask=mask)]
    _, gradient = loss_and_gradient(tiny_model, CONTENT, styles, style_layers=("conv2_1",))
    assert np.abs(gradient[:, :, :18]).max() > 0
    assert np.abs(gradient[:, :, 36:]).max() == 0


def masked_styles(size):
    mask = np.zeros(size, np.float32)
    mask[5:40, 20:60] = 1
    style_mask = np.zeros(STYLE.shape[1:3], np.float32)
    style_mask[:, 15:] = 1
    return [Style(STYLE, 1.0, mask, style_mask), Style(OTHER, 2.0, 1 - mask)]


def test_tiles_match_under_masks(tiny_model):
    check_tiles(tiny_model, masked_styles((53, 71))[:1], style_layers=("conv2_1",))


@pytest.mark.slow
@pytest.mark.parametrize(("styles", "stride"), [("masks", 2), ("plain", 3), ("analogy", 1)])
def test_tiles_match_the_whole_picture(tiny_model, styles, stride):
    styles = {
        "plain": [Style(STYLE), Style(OTHER)],
        "masks": masked_styles((53, 71)),
        "analogy": [Style(STYLE, unfiltered=STYLE[:, ::-1])],
    }[styles]
    check_tiles(tiny_model, styles, patch_stride=stride)


def check_tiles(model, styles, **knobs):
    content = VGG_PIXELS.to_image(make_picture(53, 71, seed=3))
    image = content + np.random.default_rng(0).normal(0, 20, content.shape).astype(np.float32)
    loss, gradient = loss_and_gradient(model, image, styles, content, **knobs)
    tiled, tiled_gradient = loss_and_gradient(model, image, styles, content, tiles=900, **knobs)
    np.testing.assert_allclose(tiled, loss, rtol=2e-5)
    difference = np.linalg.norm(tiled_gradient - gradient) / np.linalg.norm(gradient)
    assert difference < 1e-4


# ------------------------------------------------------------------ analogies


def test_an_analogy_takes_the_patches_at_the_same_place_of_the_filtered_picture(tiny_model):
    """Where B is A, the result is to be A'."""
    style = Style(STYLE, unfiltered=OTHER[:, :, :41].repeat(2, 1)[:, :50])
    objective = Objective(tiny_model, [PatchTerm(1.0, LAYERS, stride=1, relative=True)])
    target = objective.targets(style.unfiltered, [style])["style"]["target"]
    for layer, features in objective.measure(objective.terms[0], STYLE).items():
        mean = target[0].target[layer].mean
        np.testing.assert_allclose(mean[:, 3:-3, 3:-3], features[:, 3:-3, 3:-3], atol=1e-3)


def test_a_run_by_analogy_reduces_its_loss(tiny_model):
    style = Style(STYLE, unfiltered=STYLE[:, ::-1])
    knobs = {"unit": "relative", "alpha": 0, "iterations": 5, "optimizer": "lbfgs-fixed"}
    result = style_transfer(
        CONTENT, style, tiny_model, method="patches", style_layers=LAYERS[:1], **knobs
    )
    assert result.history[-1]["style"] < 0.9 * result.history[0]["style"]


def test_analogies_that_make_no_sense_are_refused(tiny_model):
    style = Style(STYLE, unfiltered=OTHER)
    with pytest.raises(ImageError, match=r"`unfiltered` has shape .* they must be alike"):
        style_transfer(CONTENT, style, tiny_model, method="patches")
    style = Style(STYLE, unfiltered=STYLE)
    with pytest.raises(ConfigError, match="needs the method patches, not gram"):
        style_transfer(CONTENT, style, tiny_model)
    with pytest.raises(ConfigError, match="an analogy needs a content image"):
        style_transfer(None, style, tiny_model, init_image=CONTENT, method="patches")


def test_patches_refuse_weights_by_size():
    with pytest.raises(ConfigError, match="`normalize_weights` does not work with"):
        TransferConfig(method="patches", normalize_weights=True)
