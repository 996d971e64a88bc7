"""The geodesic between the moments of two styles, and targets on it."""

import numpy as np
import pytest
from pictures import make_picture
from scipy.linalg import sqrtm

from nst_tf import (
    ConfigError,
    Objective,
    Style,
    StyleTerm,
    TransferConfig,
    interpolate_styles,
    moments_between,
    style_transfer,
)
from nst_tf.image.pixels import VGG_PIXELS

CONTENT = VGG_PIXELS.to_image(make_picture(37, 45))
FIRST = VGG_PIXELS.to_image(make_picture(50, 41, seed=1))
SECOND = VGG_PIXELS.to_image(make_picture(33, 64, seed=2))
LAYERS = ("conv1_1", "conv2_1")


def moments(seed, channels=5, samples=40):
    """Return the mean and covariance of random samples; few of them make it singular."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(samples, channels)) @ rng.normal(size=(channels, channels))
    mean, covariance = mixed.mean(0), np.cov(mixed.T, bias=True)
    return mean[np.newaxis].astype(np.float32), covariance[np.newaxis].astype(np.float32)


def distance(one, two):
    """Return the squared Wasserstein-2 distance of two normal distributions."""
    (mean, covariance), (other_mean, other_covariance) = (
        [np.asarray(part, np.float64)[0] for part in each] for each in (one, two)
    )
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    overlap = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other_covariance @ root), 0)).sum()
    trace = np.trace(covariance) + np.trace(other_covariance)
    return np.sum((mean - other_mean) ** 2) + trace - 2 * overlap


def test_equals_the_displacement_interpolation_of_regular_covariances():
    start, end, t = moments(0), moments(1), 0.3
    root = sqrtm(end[1][0].astype(np.float64)).real
    inner = sqrtm(root @ start[1][0] @ root).real
    way = 0.7 * np.eye(5) + t * root @ np.linalg.inv(inner) @ root
    mean, covariance = moments_between(start, end, t)
    np.testing.assert_allclose(mean, 0.7 * start[0] + t * end[0], rtol=1e-6)
    np.testing.assert_allclose(covariance[0], way @ start[1][0] @ way, rtol=1e-4, atol=1e-4)


def test_deviations_of_independent_channels_are_interpolated():
    zero = np.zeros((1, 3), np.float32)
    start, end = (zero, np.diag([1.0, 4, 0])[None]), (zero, np.diag([9.0, 0, 0])[None])
    _, covariance = moments_between(start, end, 0.25)
    np.testing.assert_allclose(covariance[0], np.diag([1.5**2, 1.5**2, 0]), atol=1e-12)


@pytest.mark.parametrize("samples", [40, 6, 3])  # of 5 channels: 3 samples have rank 2
def test_distance_grows_in_proportion_to_t(samples):
    start, end = moments(2, samples=samples), moments(3, samples=samples)
    whole = distance(start, end)
    for t in (0.25, 0.5, 0.9):
        between = moments_between(start, end, t)
        np.testing.assert_allclose(distance(start, between), t**2 * whole, rtol=2e-3)
        np.testing.assert_allclose(distance(between, end), (1 - t) ** 2 * whole, rtol=2e-3)
        assert np.linalg.eigvalsh(between[1][0]).min() > -1e-5 * np.trace(between[1][0])


def test_ends_are_the_moments_of_the_styles_themselves():
    start, end = moments(4), moments(5)
    assert moments_between(start, end, 0) is start
    assert moments_between(start, end, 1.0) is end


@pytest.mark.parametrize("method", ["moments", "wasserstein"])
def test_style_between_two_has_their_interpolated_moments(tiny_model, method):
    term = StyleTerm(1.0, LAYERS, statistic=method, blend="geodesic")
    objective = Objective(tiny_model, [term])
    styles = Style(FIRST, 3), Style(SECOND, 1)  # t = 1/4
    start, end, between = (
        objective.targets(None, each)["style"]["target"][0]
        for each in ([styles[0]], [styles[1]], list(styles))
    )
    for layer in LAYERS:
        expected = moments_between(start.target[layer][:2], end.target[layer][:2], 0.25)
        for found, part in zip(between.target[layer], expected):
            np.testing.assert_allclose(found, part, rtol=1e-6)


def test_first_and_last_picture_are_those_of_single_styles(tiny_model):
    seen, knobs = [], {"iterations": 3, "unit": "relative"}
    results = interpolate_styles(
        CONTENT, FIRST, SECOND, tiny_model, 3, each=lambda number, _: seen.append(number), **knobs
    )
    assert seen == [1, 2, 3]
    for result, style in ((results[0], FIRST), (results[2], SECOND)):
        single = style_transfer(CONTENT, style, tiny_model, method="moments", **knobs)
        np.testing.assert_array_equal(result.image, single.image)
    assert not np.array_equal(results[1].picture, results[0].picture)
    assert not np.array_equal(results[1].picture, results[2].picture)


def test_geodesic_needs_two_styles_and_a_method_of_moments(tiny_model):
    three = [Style(FIRST), Style(SECOND), Style(CONTENT)]
    with pytest.raises(ConfigError, match="but there are 3 styles without a mask; give two"):
        style_transfer(CONTENT, three, tiny_model, method="moments", blend="geodesic")
    with pytest.raises(ConfigError, match="the method is gram; use moments or wasserstein"):
        TransferConfig(blend="geodesic")
    with pytest.raises(ConfigError, match="`count` is 1; it must be at least 2"):
        interpolate_styles(CONTENT, FIRST, SECOND, tiny_model, 1)
