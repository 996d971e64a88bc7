"""Nearest neighbors: hypercolumns, matches, the last pass, masks, several styles, levels."""

import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from pictures import make_picture

from nst_tf import ConfigError, NstError, Objective, Style, TransferConfig, style_transfer
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.models import extract_features
from nst_tf.objective import neighbors
from nst_tf.objective.neighbors import (
    COLUMN,
    LayerNeighborTerm,
    NeighborTerm,
    every_nth,
    hypercolumns,
    nearest_distances,
)
from nst_tf.scaling.levels import config_levels
from nst_tf.scaling.memory import in_tiles, measured_area
from nst_tf.transfer import make_task

CONTENT = VGG_PIXELS.to_image(make_picture(37, 45))
STYLE = VGG_PIXELS.to_image(make_picture(50, 41, seed=1))
OTHER = VGG_PIXELS.to_image(make_picture(33, 64, seed=2))
LAYERS = ("conv1_2", "conv2_1", "conv3_1")
TERM = NeighborTerm(1.0, LAYERS, "conv3_1")
LAST = LayerNeighborTerm(1.0, LAYERS, "conv3_1")


def columns(model, *images):
    """Return the hypercolumns of images as rows (M, N), by plain arithmetic."""
    rows = []
    for image in images:
        features = extract_features(model, tf.constant(image), LAYERS)
        size = features["conv3_1"].shape[1:3]
        maps = [tf.image.resize(x, size).numpy() / x.shape[3] for x in features.values()]
        x = np.concatenate(maps, 3)
        rows.append(x.reshape(-1, x.shape[3]))
    return rows


def cosines(rows, others):
    norms = [np.linalg.norm(x, axis=1) for x in (rows, others)]
    return rows @ others.T / np.outer(*norms)


def loss_and_gradient(model, term, image, styles):
    objective = Objective(model, [term])
    targets = objective.targets(CONTENT, styles)
    with tf.GradientTape() as tape:
        image = tf.constant(image)
        tape.watch(image)
        loss = objective(image, targets)["style"]
    return float(loss), tape.gradient(loss, image).numpy()


# ------------------------------------------------------------------ equations


def test_hypercolumns_divide_each_layer_by_its_channels():
    maps = {"a": tf.ones((1, 8, 12, 4)), "b": tf.fill((1, 4, 6, 2), 3.0)}
    found = hypercolumns(maps, {"a": 1.0, "b": 0.5}, (2, 3))
    np.testing.assert_allclose(found, np.tile([0.25] * 4 + [0.75] * 2, (1, 2, 3, 1)))


@pytest.mark.parametrize("limited", [False, True])
def test_nearest_distances_are_those_of_a_search_by_loops(limited):
    random = np.random.default_rng(0)
    rows, others = random.normal(size=(7, 5)), random.normal(size=(9, 5)) + 1
    allowed = np.arange(9) < (4 if limited else 9)
    a, b = rows - rows.mean(0), others - others[allowed].mean(0)
    expected = 1 - cosines(a, b)[:, allowed].max(1)
    rows, others = (tf.constant(x, tf.float32) for x in (rows, others))
    allowed = tf.constant(allowed[:, np.newaxis], tf.float32) if limited else None
    found = nearest_distances(rows, others, allowed=allowed)
    np.testing.assert_allclose(found, expected, atol=1e-5)


# ------------------------------------------------------------------ what is wanted


@pytest.mark.parametrize("styles", [(STYLE,), (STYLE, OTHER)])
def test_each_place_wants_the_hypercolumn_of_least_centered_cosine_distance(tiny_model, styles):
    objective = Objective(tiny_model, [TERM])
    (region,) = TERM.targets(objective, CONTENT, [Style(x) for x in styles])
    (picture,), parts = columns(tiny_model, CONTENT), columns(tiny_model, *styles)
    others, centered = np.concatenate(parts), np.concatenate([x - x.mean(0) for x in parts])
    best = cosines(picture - picture.mean(0), centered).argmax(1)
    found = region.target[COLUMN].numpy().reshape(len(picture), -1)
    np.testing.assert_allclose(found, others[best], rtol=1e-4, atol=1e-5)


def test_gray_copies_are_compared_and_colors_copied(tiny_model):
    objective, gray = Objective(tiny_model, [TERM]), VGG_PIXELS.to_gray
    (region,) = replace(TERM, gray=True).targets(objective, CONTENT, [Style(STYLE)])
    picture, compared = columns(tiny_model, gray(CONTENT), gray(STYLE))
    best = cosines(picture - picture.mean(0), compared - compared.mean(0)).argmax(1)
    found = region.target[COLUMN].numpy().reshape(len(picture), -1)
    (others,) = columns(tiny_model, STYLE)
    np.testing.assert_allclose(found, others[best], rtol=1e-4, atol=1e-5)
    (plain,) = TERM.targets(objective, CONTENT, [Style(STYLE)])
    assert not np.allclose(plain.target[COLUMN].numpy().reshape(found.shape), found)


def test_turned_styles_are_chosen_from(tiny_model):
    turned = np.rot90(CONTENT, 1, (1, 2))
    plain, found = (
        loss_and_gradient(
            tiny_model, NeighborTerm(1.0, LAYERS, "conv3_1", turned=x), CONTENT, turned
        )
        for x in (False, True)
    )
    assert found[0] < 0.01 * plain[0]


@pytest.mark.parametrize("term", [TERM, LAST])
def test_loss_of_the_style_itself_is_0(tiny_model, term, monkeypatch):
    monkeypatch.setattr(neighbors, "SAMPLED", 10**6)
    assert loss_and_gradient(tiny_model, term, CONTENT, CONTENT)[0] == pytest.approx(0, abs=1e-5)
    assert loss_and_gradient(tiny_model, term, CONTENT, STYLE)[0] > 0.01


@pytest.mark.parametrize("term", [TERM, LAST])
def test_mask_limits_where_a_style_acts(tiny_model, term):
    mask = np.zeros(CONTENT.shape[1:3], np.float32)
    mask[:, :12] = 1
    _, gradient = loss_and_gradient(tiny_model, term, CONTENT, Style(STYLE, mask=mask))
    assert np.abs(gradient[:, :, :10]).max() > 0
    assert np.abs(gradient[:, :, 36:]).max() == 0


@pytest.mark.parametrize("term", [TERM, LAST])
def test_only_the_masked_part_of_a_style_is_chosen_from(tiny_model, term, monkeypatch):
    monkeypatch.setattr(neighbors, "SAMPLED", 10**6)
    above = VGG_PIXELS.to_image(make_picture(48, CONTENT.shape[2], seed=1))
    both = np.concatenate([above, CONTENT], 1)
    mask = np.zeros(both.shape[1:3], np.float32)
    loss = partial(loss_and_gradient, tiny_model, term, CONTENT)
    mask[48:] = 1
    allowed = loss(Style(both, style_mask=mask))[0]
    forbidden = loss(Style(both, style_mask=1 - mask))[0]
    assert allowed < 0.5 * forbidden


def test_styles_of_different_weights_are_refused(tiny_model):
    with pytest.raises(ConfigError, match="different weights, but the method neighbors"):
        style_transfer(
            CONTENT,
            [Style(STYLE), Style(OTHER, 2.0)],
            tiny_model,
            method="neighbors",
            unit="relative",
        )


# ------------------------------------------------------------------ samples


def test_every_nth_position_is_drawn(monkeypatch):
    monkeypatch.setattr(neighbors, "SAMPLED", 4)
    x = tf.reshape(tf.range(12.0 * 8), (1, 12, 8, 1))
    for draws in itertools.product((0.0, 0.5, 0.99), repeat=2):
        row, column = (int(3 * draw) for draw in draws)
        found = every_nth(x, tf.constant(draws))
        np.testing.assert_array_equal(found, x[:, row::3, column::3])


def test_each_update_draws_positions_of_its_own(tiny_model, monkeypatch):
    monkeypatch.setattr(neighbors, "SAMPLED", 8)

    def losses(seed):
        term = LayerNeighborTerm(1.0, LAYERS, "conv3_1", seed=seed)
        objective = Objective(tiny_model, [term])
        targets = objective.targets(CONTENT, STYLE)
        drawn = (objective.drawn(targets, tf.Variable(update)) for update in range(5))
        return [float(objective(tf.constant(CONTENT), x)["style"]) for x in drawn]

    assert len(set(losses(0))) > 2
    assert losses(0) == losses(0) != losses(1)


# ------------------------------------------------------------------ levels


def levels(size=(96, 128), **knobs):
    made = config_levels(TransferConfig(method="neighbors", unit="relative", **knobs), size)
    return [(*level.size, level.iterations) for level in made]


def test_levels_double_and_a_last_pass_follows():
    assert levels(iterations=90) == [(48, 64, 30), (96, 128, 30), (96, 128, 30)]
    assert levels((384, 512), iterations=1000)[::4] == [(48, 64, 200), (384, 512, 200)]
    assert levels(levels=2, iterations=9) == [(96, 128, 4), (96, 128, 5)]
    assert levels(levels=1, iterations=9) == [(96, 128, 9)]
    assert levels(level_iterations=(3, 2, 1)) == [(48, 64, 3), (96, 128, 2), (96, 128, 1)]


def test_run_is_repeated_by_its_seed_and_nears_the_style(tiny_model, monkeypatch):
    knobs = {"method": "neighbors", "style_layers": LAYERS, "unit": "relative", "alpha": 0.0}
    knobs |= {"tv_weight": 0.0, "iterations": 24}
    monkeypatch.setattr(neighbors, "SAMPLED", 16)
    first, again, other = (
        style_transfer(CONTENT, STYLE, tiny_model, **knobs, seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.picture, again.picture)
    assert (first.picture != other.picture).any()
    totals = [losses["style"] for losses in first.history]
    assert totals[12] < 0.9 * totals[0]


def test_wrap_is_refused():
    with pytest.raises(ConfigError, match="`wrap` does not work with the method neighbors"):
        TransferConfig(method="neighbors", unit="relative", wrap="x")


def test_tiles_are_refused(tiny_model):
    config = TransferConfig(method="neighbors", unit="relative")
    objective = make_task(CONTENT, STYLE, tiny_model, None, config).objective
    with pytest.raises(NstError, match="this method does not work tile by tile"):
        in_tiles(objective, (700, 900), 10**5)
    style = Style(VGG_PIXELS.to_image(make_picture(700, 900)))
    with pytest.raises(NstError, match="900x700 pixels does not fit into memory at once"):
        measured_area(objective, replace(config, memory_limit=0.1), [style])
