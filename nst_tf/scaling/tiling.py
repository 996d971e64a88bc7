"""Large pictures in bounded memory: the losses are added up tile by tile.

A tile has a core and, around it, a halo as wide as the field of view of the deepest filter, so
that a position of the core sees all that it sees in the whole picture. Every position is
in the core of exactly one tile, so that sums over cores add up to the sum over the picture. Every
loss is a function of such sums; so tiles give the losses of the whole picture, and their gradient.
"""

import math
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from nst_tf.models import extract_features, receptive_fields
from nst_tf.objective.losses import (
    content_distance,
    content_factor,
    differences,
    style_distance,
    sum_of_squares,
    tv_of_sums,
    tv_sums,
)
from nst_tf.objective.objective import ContentTerm, Objective, StyleTerm, TVTerm, weighted_total
from nst_tf.objective.patches import PatchTerm, with_border
from nst_tf.objective.statistics import STATISTICS
from nst_tf.objective.temporal import Followed, TemporalTerm, temporal_of_sums, temporal_sums
from nst_tf.objective.value_range import ValueRangeTerm, value_range_sums

PIXELS = "pixels"  # the grid of pixels, among those of the layers


@dataclass(frozen=True)
class TiledObjective(Objective):
    """An `Objective` for images of one size, computed tile by tile.

    It needs the memory of one tile, and some time for halos and a second pass: the first pass adds
    up the terms' sums; in the second, each tile's features are computed again and get the gradient
    of the sums.

    Parameters
    ----------
    model, terms
        As for `Objective`.
    size : (height, width)
        Of the images.
    area : int
        Pixels of a tile, halo included; at least one step of the deepest layer is used.

    XLA is not used.
    """

    size: tuple[int, int]
    area: int
    tiled = True

    @property
    def image_shape(self):
        """The shape of the images, which is known when the objective is traced."""
        return (1, *self.size, 3)

    @property
    def tiled_terms(self):
        """The terms as sums over tiles."""
        return [TILED_TERMS[type(term)](term) for term in self.terms]

    def __call__(self, image, targets):
        """Return the losses of an image, as `Objective` does."""
        tiled_terms = self.tiled_terms
        margin = max(term.margin for term in tiled_terms)
        tiling = Tiling.of(self.model, self.layers, self.size, self.area, margin)
        targets_of = {term.name: targets[term.name]["target"] for term in self.terms}

        def of_tile(piece, tile):
            features = extract_features(self.model, piece, self.layers)
            return {
                term.name: term.sums(features, piece, targets_of[term.name], tile)
                for term in tiled_terms
            }

        sums = added_up(tiling, of_tile, image)
        losses = {
            term.name: term.loss(sums[term.name], targets_of[term.name]) for term in tiled_terms
        }
        return {**losses, "total": weighted_total(losses, targets)}

    def measure(self, term, image, guides=None, model=None):
        """As `Objective.measure`; images larger than a tile are measured tile by tile."""
        height, width = image.shape[1:3]
        if height * width <= self.area:
            return Objective(self.model, self.terms).measure(term, image, guides, model)
        model = model or self.model.plain
        tiled_term = TILED_TERMS[type(term)](term)
        tiling = Tiling.of(model, term.layers, (height, width), self.area, tiled_term.margin)
        return tiled_term.measure(model, tiling, tf.constant(image, tf.float32), guides or {})


def added_up(tiling, of_tile, image):
    """Return the sums over all tiles of what ``of_tile(piece, tile)`` returns; differentiable."""

    def numbered(piece, number):
        return of_tile(piece, tiling.tile(number))

    spec = tf.function(numbered, autograph=False).get_concrete_function(
        tf.TensorSpec((1, *tiling.size, 3)), tf.TensorSpec((), tf.int32)
    )
    zeros = [tf.zeros(x.shape, x.dtype) for x in tf.nest.flatten(spec.structured_outputs)]

    @tf.custom_gradient
    def added(image):
        def add(number, sums):
            parts = tf.nest.flatten(numbered(tiling.cut(image, number), number))
            return number + 1, [total + part for total, part in zip(sums, parts)]

        def gradient(*upstream):
            def add_gradient(number, gradients):
                piece = tiling.cut(image, number)
                with tf.GradientTape() as tape:
                    tape.watch(piece)
                    parts = tf.nest.flatten(numbered(piece, number))
                gradient = tape.gradient(parts, piece, output_gradients=list(upstream))
                return number + 1, tiling.add(gradients, gradient, number)

            return _for_each(tiling.count, add_gradient, tf.zeros_like(image))

        return _for_each(tiling.count, add, zeros), gradient

    return tf.nest.pack_sequence_as(spec.structured_outputs, added(image))


def _for_each(count, body, start):
    """Run ``body(number, state)`` for each tile, one after the other; return the last state."""
    _, state = tf.while_loop(
        lambda number, _: number < count,
        body,
        (tf.constant(0), start),
        parallel_iterations=1,
        maximum_iterations=count,
    )
    return state


# ------------------------------------------------------------------ the terms, as sums over tiles


class TiledContent:
    """`ContentTerm`: squared distances, and the target's energy."""

    margin = 0

    def __init__(self, term):
        self.term, self.name = term, term.name

    def sums(self, features, piece, target, tile):
        """Return for each layer the sum of squared differences, and of the target's squares."""
        sums = {}
        for layer in self.term.layers:
            current = tile.core(features[layer], layer)
            wanted = tile.part(target.features[layer], layer)
            guide = target.guides.get(layer)
            guide = None if guide is None else tile.part(guide, layer)
            distance = content_distance(current, wanted, guide)
            sums[layer] = distance, sum_of_squares(wanted)
        return sums

    def loss(self, sums, target):
        """Return the loss of the whole picture."""
        options = {"scale": self.term.scale, "by_size": self.term.by_size}
        return tf.add_n(
            [
                weight
                * content_factor(tf.shape(target.features[layer]), energy=sums[layer][1], **options)
                * sums[layer][0]
                for layer, weight in self.term.layer_weights
            ]
        )

    def measure(self, model, tiling, image, guides):
        """Return the features of an image, put together from those of its tiles."""

        @tf.function(autograph=False)
        def extract(image, number):
            features = extract_features(model, tiling.cut(image, number), self.term.layers)
            return {
                layer: tiling.tile(number).core(feature, layer)
                for layer, feature in self.term.target(features).items()
            }

        maps = {}
        for number in range(tiling.count):
            for layer, core in extract(image, tf.constant(number)).items():
                if layer not in maps:
                    shape = (1, *tiling.sizes[layer], core.shape[-1])
                    maps[layer] = np.empty(shape, core.dtype.as_numpy_dtype)
                (top, left), (bottom, right) = tiling.core(number, layer)
                maps[layer][:, top:bottom, left:right] = core
        return {layer: tf.constant(whole) for layer, whole in maps.items()}


class TiledStyle:
    """`StyleTerm`: the sums of its statistic."""

    def __init__(self, term):
        self.term, self.name = term, term.name
        self.statistic = STATISTICS[term.statistic]
        self.margin = self.statistic.margin

    def sums(self, features, piece, target, tile):
        """Return the sums of each region, by layer."""
        return [self._sums(features, region.guides, tile) for region in target]

    def loss(self, sums, target):
        """Return the loss of the whole picture."""
        weights = dict(self.term.layer_weights)
        return tf.add_n(
            [
                region.strength
                * style_distance(
                    self._finished(of_region), region.target, weights, **self.term.options
                )
                for region, of_region in zip(target, sums)
            ]
        )

    def measure(self, model, tiling, image, guides):
        """Return the statistic of an image."""

        def of_tile(piece, tile):
            features = extract_features(model, piece, self.term.layers)
            return self._sums(features, guides, tile)

        @tf.function(autograph=False)
        def measured(image):
            return self._finished(added_up(tiling, of_tile, image))

        return measured(image)

    def _sums(self, features, guides, tile):
        grids = self.statistic.grids(self.term.layers)
        sums = {}
        for layer, maps in self.statistic.maps(self.term.shifted(features)).items():
            grid = grids[layer]
            guide = tile.part(guides[grid], grid) if grid in guides else None
            first, *others = (tile.core(x, grid) for x in maps)
            sums[layer] = self.statistic.sums((first, *others), guide)
        return sums

    def _finished(self, sums):
        return {layer: self.statistic.finish(x) for layer, x in sums.items()}


class TiledTV:
    """`TVTerm`: the differences of a core's pixels, the last ones to pixels beyond it."""

    margin = 0

    def __init__(self, term):
        self.term, self.name = term, term.name

    def sums(self, features, piece, target, tile):
        """Return what `tv_sums` returns."""
        wide, size = tile.core(piece, margin=1), tf.shape(tile.core(piece))[1:3]
        return tv_sums(*differences(wide, size), self.term.form)

    def loss(self, sums, target):
        """Return the loss of the whole picture."""
        return self.term.scale * tv_of_sums(sums, self.term.form)


class TiledValueRange:
    """`ValueRangeTerm`: the values of a core's pixels."""

    margin = 0

    def __init__(self, term):
        self.term, self.name = term, term.name

    def sums(self, features, piece, target, tile):
        """Return what `value_range_sums` returns."""
        return value_range_sums(tile.core(piece), self.term.space)

    def loss(self, sums, target):
        """Return the loss of the whole picture."""
        total, number = tf.unstack(sums)
        return total / number


class TiledTemporal:
    """`TemporalTerm`: the pixels of a core, and of what they are compared with."""

    margin = 0

    def __init__(self, term):
        self.term, self.name = term, term.name

    def sums(self, features, piece, target, tile):
        """Return what `temporal_sums` returns."""
        return temporal_sums(tile.core(piece), Followed(*map(tile.part, target)))

    def loss(self, sums, target):
        """Return the loss of the whole picture."""
        return temporal_of_sums(sums, self.term.scale)


class TiledPatches(TiledContent):
    """`PatchTerm`: the patches whose center is in the core."""

    margin = 1

    def sums(self, features, piece, target, tile):
        """Return the sums of each region, by layer."""
        return self.term.sums(features, target, tile)

    def loss(self, sums, target):
        """Return the loss of the whole picture."""
        return self.term.of_sums(sums, target)


TILED_TERMS = {
    ContentTerm: TiledContent,
    StyleTerm: TiledStyle,
    PatchTerm: TiledPatches,
    TVTerm: TiledTV,
    ValueRangeTerm: TiledValueRange,
    TemporalTerm: TiledTemporal,
}


# ------------------------------------------------------------------ positions of tiles


@dataclass(frozen=True)
class Tile:
    """A piece of the picture; positions are (2,) int32 tensors, row and column, in pixels.

    Attributes
    ----------
    origin : (2,)
        Of the tile, in the picture.
    begin, end : (2,)
        Of its core, in the picture.
    strides : dict of int
        Pixels from one position of a layer to the next.
    sizes : dict of (height, width)
        Of the whole picture's map at each layer.
    wraps : (int, int)
        1 if the picture is circular in this axis, y or x; there a tile has a halo at both ends.
    """

    origin: tf.Tensor
    begin: tf.Tensor
    end: tf.Tensor
    strides: dict
    sizes: dict
    wraps: tuple = (0, 0)

    def core(self, x, layer=PIXELS, margin=0):
        """Return what counts of the tile's map (1, h, w, N), and `margin` positions after it."""
        begin, end = self._bounds(layer, margin)
        return _cut(x, begin - self.origin // self.strides[layer], end - begin)

    def part(self, x, layer=PIXELS):
        """Return the same positions, without a margin, of the whole picture's map."""
        begin, end = self._bounds(layer, 0)
        return _cut(x, begin, end - begin)

    def first(self, layer):
        """Return row and column of the core's first position in the whole picture's map: (2,)."""
        return self.begin // self.strides[layer]

    def around(self, x, layer):
        """Return what `with_border` returns: the core of the tile's map, and a position around."""
        begin, end = self._bounds(layer, 0)
        least, most = -tf.constant(self.wraps), tf.constant(self.sizes[layer]) + self.wraps
        outer = tf.maximum(begin - 1, least), tf.minimum(end + 1, most)
        core = _cut(x, outer[0] - self.origin // self.strides[layer], outer[1] - outer[0])
        beyond = tf.stack([outer[0] - (begin - 1), (end + 1) - outer[1]], 1)
        return with_border(core, beyond)

    def _bounds(self, layer, margin):
        """Return begin and end in the whole picture's map of a layer."""
        stride, size = self.strides[layer], tf.constant(self.sizes[layer])
        at_end = self.end >= tf.constant(self.sizes[PIXELS])  # where sizes may be rounded up
        most = size + margin * tf.constant(self.wraps)
        end = tf.where(at_end, most, tf.minimum(self.end // stride + margin, most))
        return self.begin // stride, end


def _cut(x, begin, size):
    begin = tf.concat([[0], begin, [0]], 0)
    size = tf.concat([[1], size, [-1]], 0)
    return tf.ensure_shape(tf.slice(x, begin, size), (1, None, None, x.shape[-1]))


@dataclass(frozen=True)
class Tiling:
    """Positions of the tiles of a picture. All have one size, so one compiled pass serves them.

    Attributes
    ----------
    size : (height, width)
        Of every tile, halo included.
    origins, begins, ends : (count, 2) int32
        Of the tiles and their cores: rows and columns in the picture.
    strides, sizes, wraps
        As in `Tile`.
    """

    size: tuple[int, int]
    origins: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    strides: dict
    sizes: dict
    wraps: tuple = (0, 0)

    @classmethod
    def of(cls, model, layers, shape, area, margin):
        """Return the tiling with the fewest pixels in all whose tiles have at most `area`."""
        fields = receptive_fields(model)
        stride, halo = _halo([fields[layer] for layer in layers], margin)
        wraps = tuple(int(axis in model.wrap) for axis in "yx")
        rows, columns = _fewest_pixels(shape, stride, halo, area, wraps)
        places = [(*row, *column) for row in rows[1] for column in columns[1]]
        top, row_begin, row_end, left, column_begin, column_end = np.array(places, np.int32).T
        return cls(
            (rows[0], columns[0]),
            np.stack([top, left], 1),
            np.stack([row_begin, column_begin], 1),
            np.stack([row_end, column_end], 1),
            {PIXELS: 1, **{layer: fields[layer].stride for layer in layers}},
            {PIXELS: tuple(shape), **_map_sizes(model, layers, shape)},
            wraps,
        )

    @property
    def count(self):
        """How many tiles there are."""
        return len(self.origins)

    def tile(self, number):
        """Return the tile of a number, which may be a tensor."""
        places = (tf.gather(tf.constant(all_), number) for all_ in self._places())
        return Tile(*places, self.strides, self.sizes, self.wraps)

    def core(self, number, layer):
        """Return begin and end of a tile's core in a layer's map: two (2,) arrays."""
        begin, end = self.begins[number], self.ends[number]
        stride, size = self.strides[layer], np.array(self.sizes[layer])
        at_end = end >= np.array(self.sizes[PIXELS])
        return begin // stride, np.where(at_end, size, end // stride)

    def cut(self, image, number):
        """Return the tile (1, h, w, 3) of a number, with its halo."""
        if any(self.wraps):
            rows, columns = self._pixels(number)
            return tf.gather(tf.gather(image, rows, axis=1), columns, axis=2)
        top, left = tf.unstack(tf.gather(tf.constant(self.origins), number))
        return tf.slice(image, [0, top, left, 0], [1, *self.size, 3])

    def add(self, image, piece, number):
        """Return the image with a tile's numbers added at the position of the tile.

        By a scatter: padding the tile to the picture's size took six times as long at 8K.
        """
        places = tf.stack(tf.meshgrid(*self._pixels(number), indexing="ij"), -1)
        return tf.tensor_scatter_nd_add(image[0], places, piece[0])[tf.newaxis]

    def _pixels(self, number):
        """Return the rows and the columns of the picture that a tile covers."""
        origin = tf.unstack(tf.gather(tf.constant(self.origins), number))
        return [
            (first + tf.range(length)) % side
            for first, length, side in zip(origin, self.size, self.sizes[PIXELS])
        ]

    def _places(self):
        return self.origins, self.begins, self.ends


def _halo(fields, margin):
    """Return the stride that all layers share, and how far a core's positions see beyond it.

    `margin` is how many positions beyond the core are read at each layer.
    """
    stride = max((field.stride for field in fields), default=1)
    reach = max(
        (
            max(-field.first, field.first + field.size - field.stride) + margin * field.stride
            for field in fields
        ),
        default=0,
    )
    return stride, stride * math.ceil(max(reach, 1) / stride)


def _fewest_pixels(shape, stride, halo, area, wraps):
    """Return rows and columns, as `_along` gives them, of the best tiling that fits."""
    ways = [_ways(length, stride, halo, wrap) for length, wrap in zip(shape, wraps)]
    fitting = [
        (rows[0] * len(rows[1]) * columns[0] * len(columns[1]), rows, columns)
        for rows in ways[0]
        for columns in ways[1]
        if rows[0] * columns[0] <= area
    ]
    if not fitting:
        return ways[0][-1], ways[1][-1]  # the smallest tiles there are
    return min(fitting, key=lambda way: way[0])[1:]


def _ways(length, stride, halo, wrap):
    """Return all ways to cut a side, from one piece to cores of a single step."""
    steps = math.ceil(length / stride)
    cores = sorted({math.ceil(steps / pieces) * stride for pieces in range(1, steps + 1)})
    return [_along(length, core, stride, halo, wrap) for core in reversed(cores)]


def _along(length, core, stride, halo, wrap=0):
    """Cut one side of a picture.

    Pieces begin at multiples of the deepest layer's stride, where poolings of the piece and of
    the picture fall together, and the last one ends where the picture ends: so their common size
    leaves the same remainder as the picture's. Where the picture wraps, each piece has both halos,
    and its pixels are counted beyond the edges.

    Returns
    -------
    size, list of (origin, begin, end)
    """
    size = core + 2 * halo
    size += (length - size) % stride
    begins = range(0, length, core)
    if wrap:
        return size, [(begin - halo, begin, min(begin + core, length)) for begin in begins]
    if size >= length:
        return length, [(0, 0, length)]
    return size, [
        (min(max(begin - halo, 0), length - size), begin, min(begin + core, length))
        for begin in begins
    ]


def _map_sizes(model, layers, shape):
    """Return (height, width) of each layer's map for a picture of `shape`; nothing is computed."""

    def reached(layer, spec):
        reach = tf.function(layer.reach).get_concrete_function(tf.TensorSpec(spec.shape))
        return reach.structured_outputs

    wanted, sizes = set(layers), {}
    for name, spec in model.walk(tf.TensorSpec((1, *shape, 1)), reached):
        if name in wanted:
            sizes[name] = tuple(spec.shape[1:3])
        if wanted == set(sizes):
            break
    return sizes
