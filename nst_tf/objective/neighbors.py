"""Nearest neighbors in place of statistics: NNST-Opt (Kolkin et al. 2022, arXiv 2203.13215).

The features of all layers at one position of a picture are its *hypercolumn*. At each level, every
hypercolumn is replaced once by the nearest one of the style, and the picture is optimized to match
them. In a final pass at full size, each layer has its own neighbors, which are matched again in
each update.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nst_tf.errors import ConfigError
from nst_tf.models import receptive_fields
from nst_tf.objective.guides import layer_guides
from nst_tf.objective.objective import Region, TermOfLayers
from nst_tf.objective.patches import Bank, nearest

STRIDE = 4  # pixels from a hypercolumn to the next: a quarter of the picture's sides
SAMPLED = 64  # positions along the longer side of a map that the final pass compares
COLUMN = "hypercolumn"

# ------------------------------------------------------------------ equations


def hypercolumns(features, weights, size):
    """Return the features of several layers at the same positions, concatenated.

    Parameters
    ----------
    features : dict of (1, H_l, W_l, N_l)
    weights : dict of float
        By layer. Each layer is also divided by its number of channels.
    size : (height, width)
        Size of the result; maps are resized by linear interpolation.

    Returns
    -------
    (1, height, width, sum of N_l) float32
    """
    return tf.concat(
        [
            tf.image.resize(features[layer], size) * (weight / features[layer].shape[3])
            for layer, weight in weights.items()
        ],
        3,
    )


def cosine_distance(features, others):
    """Return ``1 - cos`` of the vectors along the last axis, which is removed."""
    return 1 - tf.reduce_sum(unit(features) * unit(others), -1)


def unit(features):
    """Return vectors along the last axis, each divided by its norm."""
    features = tf.cast(features, tf.float32)
    return features * tf.math.rsqrt(tf.reduce_sum(tf.square(features), -1, keepdims=True) + 1e-12)


def centered(features, counts=None):
    """Return a map (1, H, W, N), or rows (M, N), minus the mean of its positions.

    `counts`, (1, H, W, 1) or (M, 1), is the weight of each position in the mean.
    """
    axes = list(range(features.shape.rank - 1))
    if counts is None:
        return features - tf.reduce_mean(features, axes, keepdims=True)
    total = tf.reduce_sum(counts * features, axes, keepdims=True)
    return features - tf.math.divide_no_nan(total, tf.reduce_sum(counts))


def nearest_distances(rows, others, counts=None, allowed=None):
    """Return the smallest centered cosine distance from each row to any of the others.

    Parameters
    ----------
    rows : (M, N)
    others : (K, N)
    counts : (M, 1) float32, optional
        Weight of each row in the mean of the rows.
    allowed : (K, 1) float32, optional
        1 where one of the others may be chosen, otherwise 0.

    Returns
    -------
    (M,) float32
        Its gradient is that of the distance to the one that was chosen.
    """
    rows, others = unit(centered(rows, counts)), unit(centered(others, allowed))
    cosines = tf.matmul(tf.stop_gradient(rows), others, transpose_b=True)
    if allowed is not None:
        cosines = tf.where(allowed[:, 0] > 0, cosines, -2.0)
    chosen = tf.gather(others, tf.argmax(cosines, 1))
    return 1 - tf.reduce_sum(rows * chosen, 1)


# ------------------------------------------------------------------ the terms


@dataclass(frozen=True)
class NeighborTerm(TermOfLayers):
    """Match each hypercolumn to one of the style, which is chosen before the first update.

    Attributes
    ----------
    weight : float
        beta.
    layer_weights : dict of float
        By layer name, shallow layers first.
    grid : str
        The layer whose positions are those of the hypercolumns.
    propagation : str
        How masks are scaled to the layers; as for `layer_guides`.
    turned : bool
        Whether to include the style rotated by 90, 180 and 270 degrees.
    gray : bool
        Whether hypercolumns are chosen by those of gray copies of both pictures. The ones that are
        chosen have the style's colors.
    """

    weight: float = field(compare=False)
    layer_weights: tuple[tuple[str, float], ...]
    grid: str
    propagation: str = "simple"
    turned: bool = False
    gray: bool = False
    name = "style"

    def targets(self, objective, content_image, styles):
        """Return a list of `Region`, whose target is the wanted hypercolumn of each place.

        `content_image` is the picture whose hypercolumns are replaced.
        """
        found = self._compared(objective, content_image)
        regions = []
        for group in equal_groups_of(styles):
            measured = [views for style in group for views in self._measured(objective, style)]
            compared, maps, guides = zip(*measured)
            others = [centered(x, choosable(x, guide)) for x, guide in zip(compared, guides)]
            bank = Bank.of(others, guides, maps, side=1)
            guide = self._guide(objective.model, group[0].mask)
            chosen = tf.gather(bank.patches[0, 0, :, 0], nearest(centered(found, guide), bank))
            wanted = tf.gather(bank.values[0, 0], chosen)[tf.newaxis]
            guides = {} if guide is None else {COLUMN: guide}
            regions.append(Region({COLUMN: wanted}, guides, strength_of(group)))
        return regions

    def target(self, features, guides=None):
        """Return the hypercolumns of an image: ``{"hypercolumn": (1, h, w, N)}``."""
        size = tf.shape(features[self.grid])[1:3]
        return {COLUMN: hypercolumns(features, dict(self.layer_weights), size)}

    def loss(self, features, image, target):
        """Return the mean of ``1 - cos`` over the places: a scalar."""
        columns = self.target(features)[COLUMN]
        losses = [
            region.strength
            * guided_mean(
                cosine_distance(columns, region.target[COLUMN]), region.guides.get(COLUMN)
            )
            for region in target
        ]
        return tf.add_n(losses)

    def _compared(self, objective, image):
        """Return the hypercolumns of an image by which they are chosen."""
        image = objective.model.space.to_gray(image) if self.gray else image
        return objective.measure(self, image)[COLUMN]

    def _measured(self, objective, style):
        """Return a style, and the style turned: hypercolumns to compare and to copy, guide."""
        views = []
        for quarters in range(4 if self.turned else 1):
            image = np.rot90(style.image, quarters, (1, 2))
            mask = style.style_mask
            mask = mask if mask is None else np.rot90(mask, quarters)
            compared = self._compared(objective, image)
            columns = objective.measure(self, image)[COLUMN] if self.gray else compared
            views.append((compared, columns, self._guide(objective.model, mask)))
        return views

    def _guide(self, model, mask):
        if mask is None:
            return None
        return layer_guides(model, mask, [self.grid], self.propagation)[self.grid]


class Sampled(NamedTuple):
    """The targets of the final pass.

    Attributes
    ----------
    regions : list of Region
        Their target: by layer, the maps of each style and which positions may be chosen.
    update : scalar int32
        The number of updates so far, by which positions are drawn.
    """

    regions: list
    update: tf.Tensor


class SampledTerm(TermOfLayers):
    """A term that compares features at positions that are drawn again for each update.

    Its targets are a named tuple with the field `update`, by which they are drawn.
    """

    sampled = True

    def target(self, features, guides=None):
        """Return the features of its layers."""
        return {layer: features[layer] for layer in self.layers}

    def drawn(self, target, update):
        """Return the target for the positions of an update."""
        return target._replace(update=update)


@dataclass(frozen=True)
class LayerNeighborTerm(SampledTerm):
    """Match each feature to the nearest one of the style at the same layer.

    Neighbors are found again in each update, among positions that are drawn: every n-th of a map,
    starting from a random one. The attributes are those of `NeighborTerm`, and:

    Attributes
    ----------
    seed : int
        Random seed of the positions that are drawn.
    """

    weight: float = field(compare=False)
    layer_weights: tuple[tuple[str, float], ...]
    grid: str
    propagation: str = "simple"
    turned: bool = False
    gray: bool = False
    seed: int = 0
    name = "style"

    def at_coarse_levels(self):
        """Return the term of the levels before the final pass."""
        options = {"propagation": self.propagation, "turned": self.turned, "gray": self.gray}
        return NeighborTerm(self.weight, self.layer_weights, self.grid, **options)

    def targets(self, objective, content_image, styles):
        """Return `Sampled`: the features of the styles."""
        regions = []
        for group in equal_groups_of(styles):
            maps = [objective.measure(self, style.image) for style in group]
            guides = [self._guides(objective.model, style.style_mask) for style in group]
            target = {
                layer: [(x[layer], choosable(x[layer], g.get(layer))) for x, g in zip(maps, guides)]
                for layer in self.layers
            }
            mask = self._guides(objective.model, group[0].mask)
            regions.append(Region(target, mask, strength_of(group)))
        return Sampled(regions, tf.constant(0))

    def loss(self, features, image, target):
        """Return the mean over layers and positions of the least distance: a scalar."""
        weights = dict(self.layer_weights)
        losses = []
        for number, layer in enumerate(self.layers):
            draws = tf.random.stateless_uniform(
                (4,), (self.seed, target.update * len(self.layers) + number)
            )
            rows = in_rows([every_nth(features[layer], draws[:2])])
            for region in target.regions:
                guide = region.guides.get(layer)
                counts = None if guide is None else in_rows([every_nth(guide, draws[:2])])
                others = in_rows([every_nth(x, draws[2:]) for x, _ in region.target[layer]])
                allowed = in_rows([every_nth(x, draws[2:]) for _, x in region.target[layer]])
                distances = nearest_distances(rows, others, counts, allowed)
                losses.append(region.strength * weights[layer] * guided_mean(distances, counts))
        return tf.add_n(losses) / sum(weights.values())

    def _guides(self, model, mask):
        if mask is None:
            return {}
        return layer_guides(model, mask, self.layers, self.propagation)


def groups_of(styles):
    """Return the styles in groups; those without a mask form one group of features to choose from.

    Raises
    ------
    ConfigError
        There are none.
    """
    if not styles:
        raise ConfigError("the objective has a style term; pass one or more styles")
    everywhere = [style for style in styles if style.mask is None]
    return [everywhere] * bool(everywhere) + [[x] for x in styles if x.mask is not None]


def equal_groups_of(styles):
    """Return `groups_of` styles.

    Raises
    ------
    ConfigError
        There are none, or those of one group have different weights.
    """
    groups = groups_of(styles)
    if len({style.weight for style in groups[0]}) > 1:
        raise ConfigError(
            "the styles have different weights, but the method neighbors chooses among the "
            "features of all styles without a mask; leave out the weights, or give masks"
        )
    return groups


def strength_of(group):
    """Return the weight of a group's loss, as in `style_regions`."""
    mask = group[0].mask
    strength = 1.0 if mask is None else group[0].weight * float(np.mean(mask))
    return tf.constant(strength, tf.float32)


def guided_mean(distances, counts):
    """Return the mean of distances, weighted by `counts` (their shape and 1)."""
    if counts is None:
        return tf.reduce_mean(distances)
    return tf.math.divide_no_nan(tf.reduce_sum(counts[..., 0] * distances), tf.reduce_sum(counts))


def in_rows(maps):
    """Return the positions of maps (1, H, W, N), one map after the other: (M, N)."""
    return tf.concat([tf.reshape(x, (-1, x.shape[3])) for x in maps], 0)


def every_nth(x, draws):
    """Return every n-th row and column of a map (1, H, W, N), in float32.

    n is such that at most `SAMPLED` remain along the longer side; `draws` are two numbers in 0..1,
    which determine the first row and column.
    """
    shape = tf.shape(x)[1:3]
    n = tf.maximum(tf.reduce_max(shape) // SAMPLED, 1)
    row, column = tf.unstack(tf.cast(draws * tf.cast(tf.minimum(n, shape), tf.float32), tf.int32))
    drawn = tf.ensure_shape(x[:, row::n, column::n], (1, None, None, x.shape[3]))
    return tf.cast(drawn, tf.float32)


def choosable(features, guide):
    """Return 1 where a position may be chosen, otherwise 0: (1, H, W, 1), of the features' type."""
    if guide is None:
        return tf.ones_like(features[..., :1])
    return tf.cast(guide >= tf.reduce_max(guide) / 2, features.dtype)


def neighbor_term(model, config, layer_weights):
    """Return the term of the final pass for a config; `at_coarse_levels` gives the earlier one."""
    fields, layers = receptive_fields(model), list(layer_weights)
    grid = next((layer for layer in layers if fields[layer].stride >= STRIDE), layers[-1])
    options = {"propagation": config.propagation, "turned": config.turned}
    options |= {"gray": config.match_gray, "seed": config.seed}
    return LayerNeighborTerm(config.beta, layer_weights, grid, **options)
