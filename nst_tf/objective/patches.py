"""Patches instead of statistics: each patch of the picture should match a patch of the style.

Li & Wand 2016 choose the nearest patch by normalized cross-correlation; an image analogy
(Hertzmann et al. 2001) chooses it once, by a second picture. A patch is `SIDE` x `SIDE` positions
of a feature map.

Patches overlap, and their targets are averaged at each position: with targets t_1 ... t_n of
weights g_i and their mean t, ``sum g_i |f - t_i|^2 = w |f - t|^2 + s``, where ``w = sum g_i`` and
the spread s does not depend on f. So no array has to store all patches of a picture.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import tensorflow as tf

from nst_tf.errors import ConfigError
from nst_tf.models.layers import wrapped
from nst_tf.objective.guides import layer_guides
from nst_tf.objective.objective import Region, TermOfLayers

SIDE = 3  # Li & Wand, section 4; pystiche
SCORES = 2**24  # numbers of a comparison that are in memory at once: 64 MiB in float32
KERNELS = 2**23  # numbers of the patches that are compared at once
# Of an analogy: the penalty on the correlation of a patch at the opposite corner. In flat areas,
# all patches are equally near, and using the first one everywhere would make a regular pattern.
DISTANCE = 0.3

# ------------------------------------------------------------------ the nearest patch


class Bank(NamedTuple):
    """Patches to choose from, of one layer of one or more pictures.

    Arrays are (1, 1, count, n): the counts are None in traced functions, like sizes of maps.

    Attributes
    ----------
    rows : (1, 1, M, N)
        The features of all M positions: what a patch is compared with.
    values : (1, 1, M, N)
        What it is to become: the same, or in an analogy the features of the filtered picture.
    patches : (1, 1, K, P) int32
        The rows of each of K patches of P positions, from left to right and from top to bottom.
    scales : (1, 1, K, 1) float32
        1/norm of each patch.
    centers : (1, 1, K, 2) float32
        Where each patch is in its picture: row and column, in 0..1.
    energy : scalar
        Mean squared norm of a position's values, over the positions of the patches.
    """

    rows: tf.Tensor
    values: tf.Tensor
    patches: tf.Tensor
    scales: tf.Tensor
    centers: tf.Tensor
    energy: tf.Tensor

    @classmethod
    def of(cls, maps, guides=None, values=None, *, side=SIDE, stride=1):
        """Return the patches of maps of one layer.

        Parameters
        ----------
        maps : sequence of (1, H, W, N)
        guides : sequence of (1, H, W, 1) or None, optional
            Only patches whose center has at least half of the largest weight can be chosen.
        values : sequence of (1, H, W, N), optional
            Default: `maps`.
        side : int
            Positions along a side of a patch.
        stride : int
            Positions from a patch to the next.
        """
        values = maps if values is None else values
        guides = guides or [None] * len(maps)
        first, patches, centers, norms, energies = 0, [], [], [], []
        for features, wanted, guide in zip(maps, values, guides, strict=True):
            height, width = features.shape[1:3]
            corners = tf.range(0, height - side + 1, stride)[:, tf.newaxis] * width
            corners = corners + tf.range(0, width - side + 1, stride)
            allowed = _allowed(corners, guide, width, side)
            patches.append(
                first + tf.boolean_mask(corners, allowed)[:, tf.newaxis] + _offsets(side, width)
            )
            places = _centers(tf.shape(corners), (height, width), side, stride)
            centers.append(tf.boolean_mask(places, allowed))
            norms.append(tf.boolean_mask(_mean_squares(features, side, stride), allowed))
            energies.append(tf.boolean_mask(_mean_squares(wanted, side, stride), allowed))
            first += height * width
        scales = tf.math.rsqrt(tf.maximum(side**2 * tf.concat(norms, 0), 1e-12))
        return cls(
            _rows(maps),
            _rows(values),
            tf.concat(patches, 0)[tf.newaxis, tf.newaxis],
            scales[tf.newaxis, tf.newaxis, :, tf.newaxis],
            tf.concat(centers, 0)[tf.newaxis, tf.newaxis],
            tf.reduce_mean(tf.concat(energies, 0)),
        )

    def wanted(self, view, layer, features, guide, stride, distance=0.0):
        """Return the targets that the nearest patches give for a view of the picture.

        Parameters
        ----------
        view : Whole or Tile
        layer : str
        features : (1, H, W, N)
            Of that layer.
        guide : (1, H, W, 1) or None
            Weight of each patch of the whole picture, at its center.
        stride : int
            Positions from a patch to the next.
        distance : float
            As for `nearest`.

        Returns
        -------
        Wanted, (1, H, W, N)
            The latter are the features that it is compared with.
        """
        window, inside = view.around(features, layer)
        first = [-start % stride for start in tf.unstack(view.first(layer))]
        window_from = _from(tf.stop_gradient(window), first)
        found = nearest(window_from, self, stride=stride, distance=distance, border=1)
        counts = tf.ones(tf.shape(found))
        if guide is not None:
            counts = _from(view.part(guide, layer), first)[0, ::stride, ::stride, 0]
        return vote(found, self, counts, inside, first, stride), window


def _rows(maps):
    return tf.concat([tf.reshape(x, (1, 1, -1, x.shape[3])) for x in maps], 2)


def _mean_squares(features, side, stride):
    """Return the mean squared norm of the positions of each patch: (h, w)."""
    squares = tf.reduce_sum(tf.square(tf.cast(features, tf.float32)), 3, keepdims=True)
    return tf.nn.avg_pool2d(squares, side, stride, "VALID")[0, ..., 0]


def _centers(shape, size, side, stride, border=0):
    """Return row and column of the centers of (h, w) patches of a map, in 0..1: (h, w, 2).

    The first patch starts `border` positions outside of the map; `size` does not include them.
    """
    axes = [
        (stride * tf.range(count) - border + side / 2) / length
        for count, length in zip(tf.unstack(tf.cast(shape, tf.float32)), size)
    ]
    return tf.stack(tf.meshgrid(*axes, indexing="ij"), -1)


def _allowed(corners, guide, width, side):
    """Return which patches may be chosen, by the guide at their centers."""
    if guide is None:
        return tf.ones_like(corners, tf.bool)
    counts = tf.gather(tf.reshape(guide, [-1]), corners + (width + 1) * (side // 2))
    return counts >= tf.reduce_max(counts) / 2


def _offsets(side, width):
    """Return the rows of a patch, counted from its first: (side^2,)."""
    return tf.reshape(tf.range(side)[:, tf.newaxis] * width + tf.range(side), [-1])


def _from(x, first):
    """Return a map (1, H, W, N) from row and column `first` on."""
    return x[:, first[0] :, first[1] :]


def nearest(features, bank, *, stride=1, distance=0.0, border=0):
    """Return the nearest patch of a bank for each patch of a map: Li & Wand 2016, eq. (3).

    ``argmax_k <p, s_k> / (|p| |s_k|)``, the normalized cross-correlation. |p| does not change the
    order. The bank's patches are the kernels of a convolution, some at a time. Patches of a single
    position (P = 1) are compared by the cosine of their features.

    Parameters
    ----------
    features : (1, H, W, N)
    bank : Bank
    stride : int
        Positions of the map from a patch to the next.
    distance : float
        What is subtracted from the cross-correlation for each squared distance of the patches'
        places in their pictures, whose sides are 1.
    border : int
        How many positions were added to the map on each side.

    Returns
    -------
    (h, w) int32
        Indices of patches of the bank, for the patches of the map.
    """
    rows, patches, scales = (x[0, 0] for x in (bank.rows, bank.patches, bank.scales))
    side, channels = math.isqrt(patches.shape[1]), rows.shape[1]
    sides = (tf.shape(features)[1:3] - side) // stride + 1
    count = tf.shape(patches)[0]
    at_once = tf.minimum(SCORES // tf.reduce_prod(sides), KERNELS // (side**2 * channels))
    at_once = tf.clip_by_value(at_once, 1, count)

    if distance:
        size = tf.unstack(tf.cast(tf.shape(features)[1:3] - 2 * border, tf.float32))
        places = _centers(sides, size, side, stride, border)
        norms = side * tf.sqrt(_mean_squares(features, side, stride))[..., tf.newaxis]

    def farther(centers):
        """Return what patches of the bank lose, but for what all of them lose, times |p|."""
        squares = tf.reduce_sum(tf.square(centers), 1)
        return distance * norms * (squares - 2 * tf.matmul(places, centers, transpose_b=True))

    def compare(number, highest, found):
        begin = tf.minimum(number * at_once, count - at_once)  # the last ones overlap
        chosen, scale = (tf.slice(x, (begin, 0), (at_once, -1)) for x in (patches, scales))
        kernels = tf.gather(rows, chosen) * tf.cast(scale, rows.dtype)[..., tf.newaxis]
        kernels = tf.transpose(tf.reshape(kernels, (-1, side, side, channels)), (1, 2, 3, 0))
        scores = tf.cast(tf.nn.conv2d(features, kernels, stride, "VALID")[0], tf.float32)
        if distance:
            scores -= farther(tf.slice(bank.centers[0, 0], (begin, 0), (at_once, -1)))
        best = tf.reduce_max(scores, -1)
        place = begin + tf.argmax(scores, -1, output_type=tf.int32)
        return number + 1, tf.maximum(best, highest), tf.where(best > highest, place, found)

    _, _, found = tf.while_loop(
        lambda number, *_: number * at_once < count,
        compare,
        (0, tf.fill(sides, -math.inf), tf.zeros(sides, tf.int32)),
        shape_invariants=(tf.TensorShape(()), *2 * (tf.TensorShape((None, None)),)),
        parallel_iterations=1,
    )
    return found


# ------------------------------------------------------------------ targets of a position


class Wanted(NamedTuple):
    """The targets that overlapping patches give for each position of a map.

    Attributes
    ----------
    mean : (1, H, W, N) float32
    weight : (1, H, W, 1)
        Sum of the weights of these patches; a mask gives the weight at their centers.
    spread : (1, H, W, 1)
        Sum of their squared differences from the mean.
    energy : scalar
        Mean squared norm of a position of the style.
    """

    mean: tf.Tensor
    weight: tf.Tensor
    spread: tf.Tensor
    energy: tf.Tensor = 1.0

    def wanted(self, view, layer, features, guide, stride):
        """As `Bank.wanted`; the patches of an analogy were chosen before the loop."""
        parts = (view.part(x, layer) for x in self[:3])
        return Wanted(*parts, self.energy), view.core(features, layer)


def vote(found, bank, counts, inside, first=(0, 0), stride=1):
    """Average the targets of the chosen patches at each position.

    Parameters
    ----------
    found : (h, w) int32
        As from `nearest`.
    bank : Bank
    counts : (h, w) float32
        Weight of each patch.
    inside : (1, H, W, 1)
        1 where the picture is, 0 beyond its border.
    first : (row, column)
        Start of the first patch.
    stride : int

    Returns
    -------
    Wanted
        Of the (H, W) of `inside`.
    """
    values, channels = bank.values[0, 0], bank.values.shape[3]
    side = math.isqrt(bank.patches.shape[3])
    height, width = tf.shape(inside)[1], tf.shape(inside)[2]
    rows, columns = (
        start + stride * tf.range(n) for start, n in zip(first, tf.unstack(tf.shape(found)))
    )
    corners = tf.reshape(rows[:, tf.newaxis] * width + columns, (-1, 1))
    chosen = tf.gather(bank.patches[0, 0], tf.reshape(found, [-1]))  # (h w, P)
    counts = tf.reshape(counts, (-1, 1))
    sums = tf.zeros((height * width, channels + 2))
    for number, offset in enumerate(tf.unstack(_offsets(side, width))):
        wanted = tf.cast(tf.gather(values, chosen[:, number]), tf.float32)
        squares = tf.reduce_sum(tf.square(wanted), 1, keepdims=True)
        votes = counts * tf.concat([wanted, squares, tf.ones_like(squares)], 1)
        sums = tf.tensor_scatter_nd_add(sums, corners + offset, votes)
    sums = tf.reshape(sums, (1, height, width, channels + 2)) * inside
    total, squares, weight = tf.split(sums, (channels, 1, 1), 3)
    mean = tf.math.divide_no_nan(total, weight)
    spread = squares - weight * tf.reduce_sum(tf.square(mean), 3, keepdims=True)
    return Wanted(mean, weight, tf.maximum(spread, 0.0), bank.energy)


# ------------------------------------------------------------------ the loss


@dataclass(frozen=True)
class Whole:
    """A picture in one piece; a `Tile` is the view of a part of it, with the same methods.

    Attributes
    ----------
    wrap : {"", "x", "xy"}
        Axes in which it is circular: patches reach over its edges there.
    """

    wrap: str = ""

    def first(self, layer):
        """Return row and column of its first position."""
        return tf.zeros(2, tf.int32)

    def core(self, x, layer):
        """Return the part of its map (1, H, W, N) that the loss includes."""
        return x

    part = core

    def around(self, x, layer):
        """Return what `with_border` returns: the map with a position around."""
        x = wrapped(x, (-1, SIDE, 1), self.wrap)
        return with_border(x, [[int(axis not in self.wrap)] * 2 for axis in "yx"])


WHOLE = Whole()


def with_border(x, sides):
    """Repeat the outermost positions of a map (1, H, W, N) at its `sides`: 0 or 1 at each.

    Zeros instead caused dark lines along the border of the picture.

    Returns
    -------
    (1, H', W', N), (1, H', W', 1)
        The latter is 1 inside and 0 at the positions that were added.
    """
    paddings = tf.concat([[[0, 0]], sides, [[0, 0]]], 0)
    inside = tf.pad(tf.ones_like(x[..., :1], tf.float32), paddings)
    return tf.pad(x, paddings, "SYMMETRIC"), inside


@dataclass(frozen=True)
class PatchTerm(TermOfLayers):
    """Match each patch to the nearest patch of the styles: E_s of Li & Wand 2016, eq. (2).

    For a `Style` with an unfiltered picture, match it to the patch that the analogy chooses. The
    attributes are those of `StyleTerm`, and:

    Attributes
    ----------
    relative : bool
        Divide each layer's mean squared difference of a position by the mean square of the style's
        positions, so that features of 0 have a loss of about 1. Otherwise, sum the squares over the
        positions; each position is included once, regardless of the number of its patches.
    stride : int
        Positions from a patch to the next, in the picture and in the style.
    wrap : {"", "x", "xy"}
        As for `StyleTerm`.
    """

    weight: float = field(compare=False)
    layer_weights: tuple[tuple[str, float], ...]
    shift: float = 0.0
    relative: bool = False
    propagation: str = "simple"
    stride: int = 2
    wrap: str = ""
    name = "style"
    statistic = "patches"

    def targets(self, objective, content_image, styles):
        """Return a list of `Region`. Styles without a mask share one, with all their patches.

        Raises
        ------
        ConfigError
            Those have different weights, or there is no content for an analogy.
        """
        if not styles:
            raise ConfigError("the objective has a style term; pass one or more styles")
        analogies = [style for style in styles if style.unfiltered is not None]
        plain = [style for style in styles if style.unfiltered is None]
        everywhere = [style for style in plain if style.mask is None]
        if len({style.weight for style in everywhere}) > 1:
            raise ConfigError(
                "the styles have different weights, but the method patches chooses among the "
                "patches of all styles without a mask; leave out the weights, or give masks"
            )
        if analogies and content_image is None:
            raise ConfigError("an analogy needs a content image, to which it is applied")
        groups = [everywhere] if everywhere else []
        groups += [[style] for style in plain if style.mask is not None]
        regions = [
            self._region(objective, group, self._banks(objective, group)) for group in groups
        ]
        for style in analogies:
            banks = self._banks(objective, [style])
            content = objective.measure(self, content_image)
            regions.append(self._analogy(self._region(objective, [style], banks), content))
        return regions

    def target(self, features, guides=None):
        """Return the features of its layers, from which a `Bank` is built."""
        return self.shifted(features)

    def shifted(self, features):
        """Return the features of this term's layers, with the shift added."""
        return {layer: features[layer] + self.shift for layer in self.layers}

    def loss(self, features, image, target):
        """Return the unweighted loss, a scalar; `target` is what `targets` returned."""
        return self.of_sums(self.sums(features, target, Whole(self.wrap)), target)

    def sums(self, features, target, view):
        """Return for each region and layer the sums over the positions of a view of the picture.

        They are the squared differences, the weights, and the number of positions: (3,).
        """
        features = self.shifted(features)
        return [
            {
                layer: patch_sums(
                    *wanted.wanted(
                        view, layer, features[layer], region.guides.get(layer), self.stride
                    ),
                    tf.size(view.core(features[layer], layer)[..., 0]),
                )
                for layer, wanted in region.target.items()
            }
            for region in target
        ]

    def of_sums(self, sums, target):
        """Return the loss from what `sums` returned, of all views together."""
        weights = dict(self.layer_weights)
        losses = []
        for region, of_region in zip(target, sums):
            for layer, wanted in region.target.items():
                distance, weight, positions = tf.unstack(of_region[layer])
                factor = 1 / tf.maximum(wanted.energy, 1e-12) if self.relative else positions
                mean = tf.math.divide_no_nan(distance, weight)
                losses.append(region.strength * weights[layer] * factor * mean)
        return tf.add_n(losses)

    def _banks(self, objective, styles):
        """Return the `Bank` of the styles by layer."""
        guides = [self._guides(objective.model.plain, style.style_mask) for style in styles]
        values = [objective.measure(self, style.image) for style in styles]
        maps = [
            wanted if style.unfiltered is None else objective.measure(self, style.unfiltered)
            for style, wanted in zip(styles, values)
        ]
        return {
            layer: Bank.of(
                [x[layer] for x in maps],
                [x.get(layer) for x in guides],
                [x[layer] for x in values],
                stride=self.stride,
            )
            for layer in self.layers
        }

    def _region(self, objective, styles, banks):
        mask, strength = styles[0].mask, 1.0
        if mask is not None:  # as in `style_regions`
            strength = styles[0].weight * float(tf.reduce_mean(mask))
        return Region(banks, self._guides(objective.model, mask), tf.constant(strength, tf.float32))

    def _analogy(self, region, content):
        """Return a region whose patches are chosen by the content's features, once."""
        inner = {}
        for layer, bank in region.target.items():
            guide = region.guides.get(layer)
            options = {"stride": self.stride, "distance": DISTANCE}
            *maps, energy = bank.wanted(WHOLE, layer, content[layer], guide, **options)[0]
            inner[layer] = Wanted(*(x[:, 1:-1, 1:-1] for x in maps), energy)
        return region._replace(target=inner)

    def _guides(self, model, mask):
        if mask is None:
            return {}
        return layer_guides(model, mask, self.layers, self.propagation)


def patch_sums(wanted, features, positions):
    """Return ``sum w |f - t|^2 + s``, ``sum w`` and the number of positions: (3,)."""
    squares = tf.square(tf.cast(features, tf.float32) - wanted.mean)
    distances = wanted.weight * tf.reduce_sum(squares, 3, keepdims=True) + wanted.spread
    sums = tf.reduce_sum(distances), tf.reduce_sum(wanted.weight), tf.cast(positions, tf.float32)
    return tf.stack(sums)
