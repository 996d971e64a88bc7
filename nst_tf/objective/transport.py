"""Optimal transport in place of statistics: STROTSS (Kolkin, Salavon & Shakhnarovich 2019).

The features of all layers at one place of a picture, and its pixel, are its *hypercolumn*. The
hypercolumns of the picture, taken as a heap without order, are to be moved onto those of the style
at the least cost, while the distances among them remain those of the content
(arXiv 1904.12785; `STROTSS <https://github.com/nkolkin13/STROTSS>`_).

Each update compares a sample of places, which the graph draws from the run's seed.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nst_tf.errors import ConfigError
from nst_tf.image.pixels import PixelSpace
from nst_tf.objective.neighbors import SampledTerm, groups_of, strength_of, unit
from nst_tf.objective.objective import Region

SAMPLES = 1024  # places of picture and style that an update compares: the paper
POOL = 5000  # hypercolumns of a style to draw them from: their program
# The content counts 16 times `content_weight` where the longer side is 64, and half as much where
# sides are twice as long. The alpha and beta of a job's defaults are a `content_weight` of 1.
CONTENT_WEIGHT, COARSEST = 16.0, 64
BETA_OVER_ALPHA = 12.0
LEAST = 1e-5  # squared distance of colors, below which a root has no gradient: their program

# ------------------------------------------------------------------ equations


def relaxed_emd(rows, others, cost):
    """Return the relaxed earth mover's distance of two sets of vectors: eq. (6) of STROTSS.

    ``max(mean_i min_j C_ij, mean_j min_i C_ij)``: each vector of one set moves to the nearest of
    the other, however many go there. The larger of both directions is at most the distance itself,
    for which each must be a target as often as the other set has it.

    Parameters
    ----------
    rows : (M, N)
    others : (K, N)
    cost : callable
        The cost as a function of the squared Euclidean distance; it must not fall.

    Returns
    -------
    scalar
        Its gradient is that of the costs to the nearest ones.
    """
    squares = [tf.reduce_sum(tf.square(tf.stop_gradient(x)), 1) for x in (rows, others)]
    products = tf.matmul(tf.stop_gradient(rows), tf.stop_gradient(others), transpose_b=True)
    distances = squares[0][:, tf.newaxis] + squares[1] - 2 * products
    pairs = [
        (rows, tf.gather(others, tf.argmin(distances, 1))),
        (tf.gather(rows, tf.argmin(distances, 0)), others),
    ]
    means = [
        tf.reduce_mean(cost(tf.reduce_sum(tf.math.squared_difference(*pair), 1))) for pair in pairs
    ]
    return tf.maximum(*means)


def cosine_emd(rows, others):
    """Return `relaxed_emd` with the cost ``1 - cos``: a scalar."""
    return relaxed_emd(unit(rows), unit(others), lambda squared: squared / 2)


def color_emd(colors, others):
    """Return a bound of the earth mover's distance of colors (M, 3) and (K, 3) in 0..1: a scalar.

    The cost is their root mean square difference. It does not depend on the axes of the color
    space, so that the rotation of the paper (a decorrelated space) changes nothing.

    The larger of `relaxed_emd` and the distance of the means, which is at most the exact one, too.
    The relaxed one is small for any shares of the same colors: a picture of few light pixels among
    black ones is near to a light painting with black lines. Features hardly depend on brightness:
    without the means, nothing would hold it, and a picture could become nearly black.
    """
    root = lambda squared: tf.sqrt(tf.maximum(squared / 3, LEAST))  # noqa: E731
    between = tf.math.squared_difference(tf.reduce_mean(colors, 0), tf.reduce_mean(others, 0))
    return tf.maximum(relaxed_emd(colors, others, root), root(tf.reduce_sum(between)))


def moments_of(rows):
    """Return the mean (N,) and the covariance (N, N) of rows (M, N)."""
    mean = tf.reduce_mean(rows, 0)
    rows = rows - mean
    return mean, tf.matmul(rows, rows, transpose_a=True) / tf.cast(tf.shape(rows)[0], tf.float32)


def moment_loss(rows, target):
    """Return how far mean and covariance are from a target: eq. (7), as fractions of the target.

    ``mean |m - m_S| / mean |m_S| + mean |C - C_S| / mean |C_S|``. The paper does not divide: its
    numbers are those of a network whose pixels are within 0.5 of 0.
    """
    return tf.add_n(
        [
            tf.math.divide_no_nan(tf.reduce_mean(tf.abs(x - y)), tf.reduce_mean(tf.abs(y)))
            for x, y in zip(moments_of(rows), target)
        ]
    )


def self_similarity_loss(rows, others, counts=None):
    """Return how far the distances among rows are from those among others: eq. (5).

    With the cosine distances ``D_ij`` among the rows, and the ``D'_ij`` among the others, the loss
    is the mean over j of ``sum_i |D_ij / sum_i D_ij - D'_ij / sum_i D'_ij|``.

    Parameters
    ----------
    rows, others : (M, N)
        At the same places of two pictures.
    counts : (M, 1) float32, optional
        How much each row counts; default: 1 each.

    Returns
    -------
    scalar
        0 to 2.
    """
    counts = tf.ones((tf.shape(rows)[0], 1)) if counts is None else counts
    shares = []
    for x in (unit(rows), unit(others)):
        distances = counts * (1 - tf.matmul(x, x, transpose_b=True))
        shares.append(tf.math.divide_no_nan(distances, tf.reduce_sum(distances, 0, keepdims=True)))
    differences = tf.reduce_sum(tf.abs(shares[0] - shares[1]), 0)
    return tf.math.divide_no_nan(tf.reduce_sum(differences * counts[:, 0]), tf.reduce_sum(counts))


# ------------------------------------------------------------------ samples


def drawn(seed, number, count=None):
    """Return `count` of the numbers below `number`: one of each of as many equal parts.

    Parameters
    ----------
    seed : (int, int)
        The same one draws the same numbers.
    number : int
    count : int, optional
        Default: `SAMPLES`.

    Returns
    -------
    (count,) int32
    """
    count = SAMPLES if count is None else count
    shares = tf.random.stateless_uniform((count,), seed, dtype=tf.float64)
    shares = (tf.range(count, dtype=tf.float64) + shares) / count
    return tf.minimum(tf.cast(shares * tf.cast(number, tf.float64), tf.int32), number - 1)


def drawn_places(seed, size, count=None, among=None):
    """Return places of a picture, spread evenly over it.

    Its pixels are numbered from left to right and from top to bottom, and `drawn` draws of them.

    Parameters
    ----------
    seed, count
        As for `drawn`.
    size : (height, width)
    among : (1, K, 1, 1) int32, optional
        The numbers of the pixels to draw from; default: all.

    Returns
    -------
    (count, 2) float32
        Row and column of the middle of a pixel, as fractions of the sides.
    """
    height, width = tf.unstack(tf.cast(size, tf.int32))
    pixels = drawn(seed, height * width if among is None else tf.shape(among)[1], count)
    if among is not None:
        pixels = tf.gather(among[0, :, 0, 0], pixels)
    places = tf.stack([pixels // width, pixels % width], 1)
    return (tf.cast(places, tf.float32) + 0.5) / tf.cast(tf.stack([height, width]), tf.float32)


def at_places(x, places):
    """Return a map (1, H, W, N) at places (K, 2) in 0..1, by linear interpolation: (K, N)."""
    size = tf.shape(x)[1:3]
    positions = places * tf.cast(size, tf.float32) - 0.5
    positions = tf.clip_by_value(positions, 0.0, tf.cast(size - 1, tf.float32))
    first = tf.cast(positions, tf.int32)
    top, left = tf.unstack(first, axis=1)
    bottom, right = tf.unstack(tf.minimum(first + 1, size - 1), axis=1)
    down, across = tf.split(positions - tf.cast(first, tf.float32), 2, 1)
    flat = tf.reshape(x, (-1, x.shape[3]))

    def row(number):
        left_of, right_of = (
            tf.cast(tf.gather(flat, number * size[1] + column), tf.float32)
            for column in (left, right)
        )
        return left_of + across * (right_of - left_of)

    return row(top) + down * (row(bottom) - row(top))


def columns_at(places, features, image, weights):
    """Return hypercolumns: the pixels and the features of all layers at places.

    Parameters
    ----------
    places : (K, 2)
        As from `drawn_places`.
    features : dict of (1, H_l, W_l, N_l)
    image : (1, H, W, 3)
    weights : dict of float
        By layer; equal weights leave the features as they are.

    Returns
    -------
    (K, 3 + sum of N_l) float32
        The pixels first.
    """
    mean = sum(weights.values()) / len(weights)
    maps = [at_places(features[layer], places) * (w / mean) for layer, w in weights.items()]
    return tf.concat([at_places(image, places), *maps], 1)


# ------------------------------------------------------------------ the terms


class Similar(NamedTuple):
    """What `SelfSimilarityTerm` compares an image with.

    Attributes
    ----------
    features : dict of (1, H_l, W_l, N_l)
        The content's, by layer name.
    guides : dict of (1, H_l, W_l, 1)
        How much each position counts, by layer name. Empty: 1 each.
    image : (1, H, W, 3)
        The content.
    strength : scalar
    update : scalar int32
        The number of updates so far, by which places are drawn.
    """

    features: dict
    guides: dict
    image: tf.Tensor
    strength: tf.Tensor
    update: tf.Tensor


@dataclass(frozen=True)
class SelfSimilarityTerm(SampledTerm):
    """Keep the distances among the hypercolumns of the content: l_C of STROTSS.

    Attributes
    ----------
    weight : float
        alpha.
    layer_weights : dict of float
        By layer name.
    seed : int
        Of the places that are drawn.
    """

    weight: float = field(compare=False)
    layer_weights: tuple[tuple[str, float], ...]
    seed: int = 0
    name = "content"

    def targets(self, objective, content_image, styles):
        """Return `Similar`: the content and its features."""
        if content_image is None:
            raise ConfigError("the objective has a content term; pass a content image")
        features = objective.measure(self, content_image, model=objective.model)
        strength = tf.constant(BETA_OVER_ALPHA * content_strength(content_image), tf.float32)
        return Similar(features, {}, tf.constant(content_image), strength, tf.constant(0))

    def loss(self, features, image, target):
        """Return `self_similarity_loss` times the strength of the level: a scalar."""
        weights = dict(self.layer_weights)
        places = drawn_places((self.seed, target.update), tf.shape(image)[1:3])
        rows, others = (
            columns_at(places, *pair, weights)
            for pair in ((features, image), (target.features, target.image))
        )
        guide = next(iter(target.guides.values()), None)
        counts = None if guide is None else at_places(guide, places)
        return target.strength * self_similarity_loss(rows, others, counts)


class Transport(NamedTuple):
    """What `TransportTerm` compares an image with.

    Attributes
    ----------
    regions : list of Region
        Their target: "pool" (POOL, N), hypercolumns of the style, and their moments; their guides:
        "pixels" (1, K, 1, 1), those under a mask.
    palette : scalar
        How much the colors count by themselves.
    update : scalar int32
        The number of updates so far, by which places are drawn.
    """

    regions: list
    palette: tf.Tensor
    update: tf.Tensor


@dataclass(frozen=True)
class TransportTerm(SampledTerm):
    """Move the hypercolumns of the picture onto those of the style: l_R + l_M + l_P of STROTSS.

    Attributes
    ----------
    weight : float
        beta.
    layer_weights : dict of float
        By layer name.
    space : PixelSpace
        In which pixels are.
    content_weight : float
        That of the content loss; above 1, colors by themselves count the less.
    seed : int
        Of the places that are drawn.
    """

    weight: float = field(compare=False)
    layer_weights: tuple[tuple[str, float], ...]
    space: PixelSpace
    content_weight: float = field(default=1.0, compare=False)
    seed: int = 0
    name = "style"

    def targets(self, objective, content_image, styles):
        """Return `Transport`: a pool of hypercolumns for each region."""
        regions = []
        for group in groups_of(styles):
            pool = self._pool(objective, group)
            mean, covariance = moments_of(pool)
            pixels = pixels_under(group[0].mask)
            guides = {} if pixels is None else {"pixels": pixels}
            target = {"pool": pool, "mean": mean, "covariance": covariance}
            regions.append(Region(target, guides, strength_of(group)))
        content = 0.0
        if content_image is not None:
            content = self.content_weight * content_strength(content_image)
        return Transport(regions, tf.constant(1 / max(content, 1.0), tf.float32), tf.constant(0))

    def loss(self, features, image, target):
        """Return the unweighted loss, a scalar: 0 where picture and style have equal samples."""
        losses = []
        for number, region in enumerate(target.regions):
            seed = (self.seed, target.update * len(target.regions) + number)
            places = drawn_places(seed, tf.shape(image)[1:3], among=region.guides.get("pixels"))
            rows = columns_at(places, features, image, dict(self.layer_weights))
            others = tf.gather(region.target["pool"], drawn(seed, POOL))
            moments = [region.target[name] for name in ("mean", "covariance")]
            colors = color_emd(self._colors(rows), self._colors(others))
            loss = cosine_emd(rows, others) + moment_loss(rows, moments) + target.palette * colors
            losses.append(region.strength * loss)
        return tf.add_n(losses)

    def _colors(self, rows):
        return rows[:, :3] * (np.float32(self.space.std) / 255)

    def _pool(self, objective, group):
        """Return hypercolumns of styles, as many of each as its weight says: (POOL, N)."""
        weights = [style.weight for style in group]
        ends = np.rint(np.cumsum(weights) / sum(weights) * POOL).astype(int)
        rows = []
        for number, (style, count) in enumerate(zip(group, np.diff(ends, prepend=0))):
            size, pixels = style.image.shape[1:3], pixels_under(style.style_mask)
            places = drawn_places((self.seed, number), size, int(count), pixels)
            features = objective.measure(self, style.image)
            rows.append(columns_at(places, features, style.image, dict(self.layer_weights)))
        return tf.concat(rows, 0)


def content_strength(image):
    """Return how much the content counts at the size of an image: less at finer levels."""
    return CONTENT_WEIGHT * COARSEST / max(image.shape[1:3])


def pixels_under(mask):
    """Return the numbers of the pixels where a mask is at least half its largest value.

    As `drawn_places` takes them: (1, K, 1, 1) int32; None without a mask.
    """
    if mask is None:
        return None
    pixels = np.flatnonzero(mask >= np.max(mask) / 2).astype(np.int32)
    return tf.constant(pixels[np.newaxis, :, np.newaxis, np.newaxis])


def transport_terms(model, config, layer_weights, content, style):
    """Return the content term and the style term of a config; both read the style layers."""
    terms = []
    if content:
        terms.append(SelfSimilarityTerm(config.alpha, layer_weights, config.seed))
    if style:
        content_weight = BETA_OVER_ALPHA * config.alpha / config.beta if content else 0.0
        options = {"content_weight": content_weight, "seed": config.seed}
        terms.append(TransportTerm(config.beta, layer_weights, model.space, **options))
    return terms
