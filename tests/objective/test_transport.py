"""Optimal transport: distances of sets, self-similarity, drawn places, masks, several styles."""

import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from pictures import make_picture
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from nst_tf import (
    ConfigError,
    NstError,
    Objective,
    Style,
    TransferConfig,
    load_model,
    style_transfer,
)
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.models import extract_features
from nst_tf.objective import transport
from nst_tf.objective.guides import with_content_map
from nst_tf.objective.transport import (
    SelfSimilarityTerm,
    TransportTerm,
    at_places,
    color_emd,
    columns_at,
    cosine_emd,
    drawn_places,
    moment_loss,
    moments_of,
    relaxed_emd,
    self_similarity_loss,
)
from nst_tf.scaling.levels import config_levels
from nst_tf.scaling.memory import in_tiles, method_needs
from nst_tf.transfer import make_task

CONTENT = VGG_PIXELS.to_image(make_picture(37, 45))
STYLE = VGG_PIXELS.to_image(make_picture(50, 41, seed=1))
OTHER = VGG_PIXELS.to_image(make_picture(33, 64, seed=2))
LAYERS = ("conv1_2", "conv2_1", "conv3_1")
KNOBS = {"method": "transport", "style_layers": LAYERS, "unit": "relative"}
RELATIVE = {"alpha": 1.0, "beta": 12.0, "tv_weight": 0.0}
STYLE_TERM = TransportTerm(1.0, LAYERS, VGG_PIXELS)
CONTENT_TERM = SelfSimilarityTerm(1.0, LAYERS)


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(transport, "SAMPLES", 64)
    monkeypatch.setattr(transport, "POOL", 256)


def rows_of(seed, number, length):
    return np.random.default_rng(seed).normal(size=(number, length)).astype(np.float32)


def loss_and_gradient(model, term, image, styles=STYLE, content=CONTENT, content_map=None):
    objective = Objective(model, [term])
    targets = objective.targets(content, styles)
    if content_map is not None:
        targets = with_content_map(targets, model, content_map)
    with tf.GradientTape() as tape:
        image = tf.constant(image)
        tape.watch(image)
        loss = objective(image, targets)[term.name]
    return float(loss), tape.gradient(loss, image).numpy()


# ------------------------------------------------------------------ distances of sets


@pytest.mark.parametrize("seed", range(5))
def test_relaxed_distance_is_that_of_both_directions_and_at_most_the_exact_one(seed):
    rows, others = rows_of(seed, 12, 4), rows_of(seed + 9, 12, 4)
    costs = cdist(rows, others, "cosine")
    found = float(cosine_emd(tf.constant(rows), tf.constant(others)))
    assert found == pytest.approx(max(costs.min(1).mean(), costs.min(0).mean()), rel=1e-5)
    exact = costs[linear_sum_assignment(costs)].mean()
    assert found < exact


def test_relaxed_distance_is_exact_where_the_nearest_ones_are_all_different():
    rows = rows_of(0, 20, 8)
    others = np.random.default_rng(1).permutation(rows) + rows_of(2, 20, 8) * 0.05
    costs = cdist(rows, others, "sqeuclidean")
    assert len(set(costs.argmin(1))) == 20
    exact = costs[linear_sum_assignment(costs)].mean()
    found = relaxed_emd(tf.constant(rows), tf.constant(others), lambda squared: squared)
    assert float(found) == pytest.approx(exact, rel=1e-4)


def test_gradient_of_the_relaxed_distance_is_that_of_the_larger_direction():
    rows, others = tf.constant(rows_of(3, 6, 3)), tf.constant(rows_of(4, 40, 3))
    with tf.GradientTape() as tape:
        tape.watch(rows)
        loss = relaxed_emd(rows, others, lambda squared: squared)
    costs = cdist(rows, others, "sqeuclidean")
    assert costs.min(0).mean() > costs.min(1).mean()
    chosen = costs.argmin(0)
    expected = np.zeros((6, 3))
    for other, row in enumerate(chosen):
        expected[row] += 2 * (rows[row] - others[other]).numpy() / len(chosen)
    np.testing.assert_allclose(tape.gradient(loss, rows), expected, rtol=1e-4, atol=1e-6)


def test_distance_of_colors_does_not_depend_on_the_axes():
    colors, others = np.abs(rows_of(5, 30, 3)) / 4, np.abs(rows_of(6, 30, 3)) / 4
    rotation = np.linalg.qr(rows_of(7, 3, 3))[0]
    found = color_emd(tf.constant(colors), tf.constant(others))
    rotated = color_emd(tf.constant(colors @ rotation), tf.constant(others @ rotation))
    assert float(found) == pytest.approx(float(rotated), rel=1e-4)
    costs = cdist(colors, others) / 3**0.5
    between = np.linalg.norm(colors.mean(0) - others.mean(0)) / 3**0.5
    bounds = (costs.min(1).mean(), costs.min(0).mean(), between)
    assert float(found) == pytest.approx(max(bounds), rel=1e-4)
    exact = costs[linear_sum_assignment(costs)].mean()
    assert float(found) < exact


def test_a_dark_picture_with_few_light_pixels_is_far_from_a_light_painting():
    """The same colors in other shares: the relaxed distance alone is 0, and so is its gradient."""
    dark, light = (np.where(np.arange(100)[:, None] % 10 < n, 0.9, 0.1) for n in (1, 8))
    dark, light = (tf.constant(np.repeat(x, 3, 1), tf.float32) for x in (dark, light))
    with tf.GradientTape() as tape:
        tape.watch(dark)
        loss = color_emd(dark, light)
    assert float(loss) == pytest.approx(0.7 * 0.8, rel=1e-4), "seven of ten pixels, by 0.8"
    assert (tape.gradient(loss, dark).numpy() < 0).all(), "it becomes lighter"


def test_moments_are_those_of_numpy_and_the_loss_counts_fractions():
    rows = rows_of(8, 50, 6)
    mean, covariance = moments_of(tf.constant(rows))
    np.testing.assert_allclose(mean, rows.mean(0), atol=1e-6)
    np.testing.assert_allclose(covariance, np.cov(rows.T, bias=True), atol=1e-5)
    assert float(moment_loss(tf.constant(rows), (mean, covariance))) == pytest.approx(0, abs=1e-5)
    # Twice the vectors: a mean of twice, a covariance of four times the target's.
    loss = moment_loss(tf.constant(2 * rows), (mean, covariance))
    assert float(loss) == pytest.approx(1 + 3, rel=1e-4)


# ------------------------------------------------------------------ self-similarity


def plain_self_similarity(rows, others, counts):
    shares = []
    for x in (rows, others):
        distances = counts[:, np.newaxis] * cdist(x, x, "cosine")
        shares.append(distances / distances.sum(0))
    return np.average(np.abs(shares[0] - shares[1]).sum(0), weights=counts)


@pytest.mark.parametrize("counted", [False, True])
def test_self_similarity_is_that_of_the_equation(counted):
    rows, others = rows_of(0, 9, 5), rows_of(1, 9, 5)
    counts = np.linspace(0, 1, 9) if counted else np.ones(9)
    given = tf.constant(counts[:, np.newaxis], tf.float32) if counted else None
    found = self_similarity_loss(tf.constant(rows), tf.constant(others), given)
    assert float(found) == pytest.approx(plain_self_similarity(rows, others, counts), rel=1e-4)


def test_self_similarity_ignores_what_turns_all_vectors_alike():
    rows = rows_of(2, 9, 5)
    turned = 3 * rows @ np.linalg.qr(rows_of(3, 5, 5))[0]
    assert float(self_similarity_loss(tf.constant(rows), tf.constant(turned))) < 1e-5


# ------------------------------------------------------------------ places


def test_places_are_spread_evenly():
    places = drawn_places((0, 0), (8, 12), 24).numpy() * (8, 12) - 0.5
    np.testing.assert_allclose(places, np.rint(places), atol=1e-4)
    numbers = np.rint(places) @ (12, 1)
    np.testing.assert_array_equal(numbers // 4, np.arange(24))


def test_places_are_drawn_among_the_given_pixels():
    among = tf.constant([3, 5, 11], tf.int32)[tf.newaxis, :, tf.newaxis, tf.newaxis]
    places = drawn_places((0, 0), (3, 4), 300, among).numpy() * (3, 4) - 0.5
    numbers, counts = np.unique(np.rint(places) @ (4, 1), return_counts=True)
    assert list(numbers) == [3, 5, 11]
    assert set(counts) == {100}


def test_values_between_positions_are_interpolated():
    rows, columns = np.mgrid[:5, :7].astype(np.float32)
    x = tf.constant((10 * rows + columns)[np.newaxis, ..., np.newaxis])
    places = tf.constant([[1.5 / 5, 2.5 / 7], [2.25 / 5, 3.0 / 7], [0.0, 1.0]], tf.float32)
    np.testing.assert_allclose(at_places(x, places)[:, 0], [12, 20, 6], rtol=1e-5)


def test_columns_are_pixels_and_features_of_a_place(tiny_model):
    features = extract_features(tiny_model, tf.constant(CONTENT), LAYERS)
    place = tf.constant([[(12 + 0.5) / 37, (20 + 0.5) / 45]], tf.float32)
    weights = dict(zip(LAYERS, (1.0, 1.0, 4.0)))
    found = columns_at(place, features, tf.constant(CONTENT), weights).numpy()[0]
    np.testing.assert_allclose(found[:3], CONTENT[0, 12, 20], rtol=1e-4)
    first = features["conv1_2"][0, 12, 20] / 2
    np.testing.assert_allclose(found[3 : 3 + len(first)], first, rtol=1e-3, atol=1e-3)
    assert len(found) == 3 + sum(x.shape[3] for x in features.values())


# ------------------------------------------------------------------ the terms


def test_losses_are_small_where_nothing_is_to_be_changed(tiny_model):
    assert loss_and_gradient(tiny_model, CONTENT_TERM, CONTENT)[0] == pytest.approx(0, abs=1e-4)
    own, _ = loss_and_gradient(tiny_model, STYLE_TERM, CONTENT, CONTENT)
    other, _ = loss_and_gradient(tiny_model, STYLE_TERM, CONTENT, STYLE)
    assert own < 0.2 * other


def test_content_counts_less_at_finer_levels(tiny_model, few):
    large = np.repeat(np.repeat(CONTENT, 2, 1), 2, 2)
    strengths = [
        float(Objective(tiny_model, [CONTENT_TERM]).targets(x)["content"]["target"].strength)
        for x in (CONTENT, large)
    ]
    assert strengths[0] == pytest.approx(2 * strengths[1])
    assert strengths[0] == pytest.approx(12 * 16 * 64 / 45)


def test_mask_limits_where_a_style_acts(tiny_model, few):
    mask = np.zeros(CONTENT.shape[1:3], np.float32)
    mask[:, :12] = 1
    _, gradient = loss_and_gradient(tiny_model, STYLE_TERM, CONTENT, Style(STYLE, mask=mask))
    assert np.abs(gradient[:, :, :10]).max() > 0
    assert np.abs(gradient[:, :, 36:]).max() == 0


def test_only_the_masked_part_of_a_style_is_used(tiny_model):
    above = VGG_PIXELS.to_image(make_picture(48, CONTENT.shape[2], seed=1))
    both = np.concatenate([above, CONTENT], 1)
    mask = np.zeros(both.shape[1:3], np.float32)
    mask[48:] = 1
    loss = partial(loss_and_gradient, tiny_model, STYLE_TERM, CONTENT)
    allowed, forbidden = (loss(Style(both, style_mask=x))[0] for x in (mask, 1 - mask))
    assert allowed < 0.5 * forbidden


def test_weights_of_styles_are_their_shares_of_the_pool(tiny_model, few):
    flat = [Style(np.full_like(STYLE, value), weight) for value, weight in ((-9, 3), (9, 1))]
    target = Objective(tiny_model, [STYLE_TERM]).targets(CONTENT, flat)["style"]["target"]
    values, counts = np.unique(target.regions[0].target["pool"][:, 0], return_counts=True)
    assert list(values) == [-9, 9]
    assert list(counts) == [192, 64]


def test_content_map_says_where_distances_are_kept(tiny_model, few):
    changed = CONTENT.copy()
    changed[:, :, 24:] = OTHER[:, :37, :21][:, :33].repeat(2, 1)[:, :37]
    content_map = np.zeros(CONTENT.shape[1:3], np.float32)
    content_map[:, :12] = 1
    plain, _ = loss_and_gradient(tiny_model, CONTENT_TERM, changed)
    mapped, _ = loss_and_gradient(tiny_model, CONTENT_TERM, changed, content_map=content_map)
    assert mapped < 0.05 * plain


def test_each_update_draws_places_of_its_own(tiny_model, few):
    def losses(seed):
        objective = Objective(tiny_model, [TransportTerm(1.0, LAYERS, VGG_PIXELS, seed=seed)])
        targets = objective.targets(CONTENT, STYLE)
        drawn = (objective.drawn(targets, tf.Variable(update)) for update in range(3))
        return [float(objective(tf.constant(OTHER), x)["style"]) for x in drawn]

    assert len(set(losses(0))) == 3
    assert losses(0) == losses(0) != losses(1)


# ------------------------------------------------------------------ runs


def test_levels_double_without_a_last_pass():
    def levels(size, **knobs):
        made = config_levels(TransferConfig(**{**KNOBS, **knobs}), size)
        return [(*level.size, level.iterations) for level in made]

    assert levels((96, 128), iterations=90) == [(48, 64, 45), (96, 128, 45)]
    assert len(levels((384, 512))) == 4
    assert levels((96, 128), levels=1, iterations=9) == [(96, 128, 9)]
    assert levels((96, 128), level_iterations=(3, 2)) == [(48, 64, 3), (96, 128, 2)]


def test_run_is_repeated_by_its_seed_and_nears_the_style(tiny_model, few):
    knobs = {**KNOBS, **RELATIVE, "alpha": 0.0, "iterations": 30}
    first, again, other = (
        style_transfer(CONTENT, STYLE, tiny_model, **knobs, seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.picture, again.picture)
    assert (first.picture != other.picture).any()
    totals = [losses["style"] for losses in first.history]
    assert np.mean(totals[-5:]) < 0.8 * np.mean(totals[:5])


@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 12.0), (1.0, 0.0)])
def test_either_loss_can_be_left_out(tiny_model, few, alpha, beta):
    knobs = {**KNOBS, **RELATIVE, "alpha": alpha, "beta": beta, "iterations": 2}
    losses = style_transfer(CONTENT, STYLE, tiny_model, **knobs).history[-1]
    assert ("content" in losses, "style" in losses) == (bool(alpha), bool(beta))


def test_pictures_of_all_sizes_share_one_trace(tiny_model, few):
    from nst_tf.optim.descent import _traced

    _traced.cache_clear()
    knobs = {**KNOBS, **RELATIVE, "iterations": 2, "levels": 1}
    for content, style in itertools.product((CONTENT, OTHER), (STYLE, OTHER)):
        style_transfer(content, style, tiny_model, **knobs)
    assert _traced.cache_info().misses == 1


def test_plan_counts_samples_and_the_maps_of_the_content():
    model = load_model("embedded")
    config = TransferConfig(**KNOBS | {"style_layers": None}, alpha=1.0)

    def needs(area, **knobs):
        return method_needs(model, replace(config, **knobs), area, area)

    small, large = needs(10**4), needs(4 * 10**4)
    assert large.an_update == small.an_update > 2 * 1024 * 2179**2
    # Maps of 2 x 64 channels at each pixel, 2 x 128 at every 4th, and so on.
    a_pixel = 4 * (128 + 256 / 4 + 768 / 16 + 512 / 64 + 512 / 256)
    assert large.memory - small.memory == pytest.approx(3 * 10**4 * a_pixel)
    assert needs(10**4, alpha=0.0).memory == pytest.approx(small.memory - 10**4 * a_pixel)


def test_tiles_are_refused(tiny_model, few):
    objective = make_task(CONTENT, STYLE, tiny_model, None, TransferConfig(**KNOBS)).objective
    with pytest.raises(NstError, match="this method does not work tile by tile"):
        in_tiles(objective, (700, 900), 10**5)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"wrap": "x"}, "`wrap` does not work with the method transport"),
        ({"content_layers": ("conv3_1",)}, "`content_layers` does not work with the method"),
        ({"unit": "paper"}, "fractions.*use the unit relative"),
    ],
)
def test_knobs_without_effect_are_refused(knobs, message):
    with pytest.raises(ConfigError, match=message):
        TransferConfig(**{**KNOBS, **knobs})
