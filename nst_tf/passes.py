"""One pass of a picture through the trunk: in one piece, or tile by tile in bounded memory.

Every loss here is a function of sums over positions, so both give the same numbers, gradients too.
"""

import math
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from nst_tf.trunks import extract_features, receptive_fields
from nst_tf.windows import PIXELS, WHOLE, Tile


class WholePass:
    """The picture in one piece: the tutorials' way.

    Parameters
    ----------
    model : Trunk

    Attributes
    ----------
    any_size : bool
        Whether height and width of an image may be unknown when a function is traced.
    """

    any_size = True

    def __init__(self, model):
        self.model = model

    def features(self, image, layers):
        """Return the features (1, H_l, W_l, N_l) of an image, by layer name.

        Compiled like the loop, so that the start's content loss is exactly 0.
        """
        extract = tf.function(lambda x: extract_features(self.model, x, layers), autograph=False)
        return _once(extract, image)

    def sums(self, image, layers, measure, margin=0):
        """Return what `measure` gives for a fixed image, such as a target."""
        return _once(
            tf.function(lambda x: self.measured(x, layers, measure, margin), autograph=False), image
        )

    def measured(self, image, layers, measure, margin=0):
        """Return what ``measure(features, image, window)`` gives for the image; differentiable.

        Parameters
        ----------
        image : (1, H, W, 3)
        layers : iterable of str
            Whose features it reads.
        measure : callable
            What it returns, in whatever structure, adds up over windows.
        margin : int
            How many positions of each layer it reads beyond the window's core.
        """
        return measure(extract_features(self.model, image, layers), image, WHOLE)


class TiledPass:
    """The picture tile by tile: memory for one tile, and some time for halos and a second pass.

    The first pass adds up what is measured. Its gradient is a second one: each tile's own
    features, computed again, get the gradient of the sums.

    Parameters
    ----------
    model : Trunk
    area : int
        Of a tile, in pixels, its halo included; at least one step of the deepest layer is taken.
    """

    any_size = False  # where tiles lie is settled by the size

    def __init__(self, model, area):
        self.model = model
        self.area = area
        self.whole = WholePass(model)  # for pictures no larger than a tile

    def fits(self, image):
        """Tell whether an image is no larger than a tile."""
        return image.shape[1] * image.shape[2] <= self.area

    def features(self, image, layers):
        """As `WholePass.features`, each tile's core put into its place."""
        if self.fits(image):
            return self.whole.features(image, layers)
        tiling = Tiling.of(self.model, layers, image.shape[1:3], self.area, 0)
        extract = tf.function(
            lambda x, number: {
                layer: tiling.tile(number).core(feature, layer)
                for layer, feature in extract_features(
                    self.model, tiling.cut(x, number), layers
                ).items()
            }
        )
        image, maps = tf.constant(image, tf.float32), {}
        for number in range(tiling.count):
            for layer, core in extract(image, tf.constant(number)).items():
                if layer not in maps:
                    shape = (1, *tiling.sizes[layer], core.shape[-1])
                    maps[layer] = np.empty(shape, core.dtype.as_numpy_dtype)
                (top, left), (bottom, right) = tiling.core(number, layer)
                maps[layer][:, top:bottom, left:right] = core
        return {layer: tf.constant(whole) for layer, whole in maps.items()}

    def sums(self, image, layers, measure, margin=0):
        """As `WholePass.sums`."""
        return _once(
            tf.function(lambda x: self.measured(x, layers, measure, margin), autograph=False), image
        )

    def measured(self, image, layers, measure, margin=0):
        """As `WholePass.measured`: what the tiles give, added up."""
        if self.fits(image):
            return self.whole.measured(image, layers, measure)
        tiling = Tiling.of(self.model, layers, image.shape[1:3], self.area, margin)

        def of_tile(piece, number):
            features = extract_features(self.model, piece, layers)
            return measure(features, piece, tiling.tile(number))

        spec = tf.function(of_tile).get_concrete_function(
            tf.TensorSpec((1, *tiling.size, 3)), tf.TensorSpec((), tf.int32)
        )
        zeros = [
            tf.zeros(each.shape, each.dtype) for each in tf.nest.flatten(spec.structured_outputs)
        ]

        @tf.custom_gradient
        def added(image):
            def add(number, sums):
                parts = tf.nest.flatten(of_tile(tiling.cut(image, number), number))
                return number + 1, [total + part for total, part in zip(sums, parts)]

            def gradient(*upstream):
                def add_slope(number, slopes):
                    piece = tiling.cut(image, number)
                    with tf.GradientTape() as tape:
                        tape.watch(piece)
                        parts = tf.nest.flatten(of_tile(piece, number))
                    slope = tape.gradient(parts, piece, output_gradients=list(upstream))
                    return number + 1, tiling.add(slopes, slope, number)

                return _for_each(tiling.count, add_slope, tf.zeros_like(image))

            return _for_each(tiling.count, add, zeros), gradient

        return tf.nest.pack_sequence_as(spec.structured_outputs, added(image))


def _for_each(count, body, start):
    """Run ``body(number, state)`` for each tile, one after the other; return the last state."""
    how = {"parallel_iterations": 1, "maximum_iterations": count}
    return tf.while_loop(lambda number, _: number < count, body, (tf.constant(0), start), **how)[1]


def _once(function, image):
    """Trace a function for one image and call it."""
    image = tf.constant(image, tf.float32)
    return function.get_concrete_function(image)(image)


# --------------------------------------------------------------------------- where tiles lie


@dataclass(frozen=True)
class Tiling:
    """Where the tiles of a picture lie. They are all of one size, so one compiled pass does them.

    Attributes
    ----------
    size : (height, width)
        Of every tile, halo included.
    origins, begins, ends : (count, 2) int32
        Of the tiles and their cores: rows and columns in the picture.
    strides, sizes : dict
        As in `Tile`.
    """

    size: tuple[int, int]
    origins: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    strides: dict
    sizes: dict

    @classmethod
    def of(cls, model, layers, shape, area, margin):
        """Return the tiling with the fewest pixels in all whose tiles have at most `area`."""
        fields = receptive_fields(model)
        stride, halo = _halo([fields[layer] for layer in layers], margin)
        rows, columns = _fewest_pixels(shape, stride, halo, area)
        places = [(*row, *column) for row in rows[1] for column in columns[1]]
        top, row_begin, row_end, left, column_begin, column_end = np.array(places, np.int32).T
        return cls(
            (rows[0], columns[0]),
            np.stack([top, left], 1),
            np.stack([row_begin, column_begin], 1),
            np.stack([row_end, column_end], 1),
            {PIXELS: 1, **{layer: fields[layer].stride for layer in layers}},
            {PIXELS: tuple(shape), **_map_sizes(model, layers, shape)},
        )

    @property
    def count(self):
        """How many tiles there are."""
        return len(self.origins)

    def tile(self, number):
        """Return the tile of a number, which may be a tensor."""
        places = (tf.gather(tf.constant(all_), number) for all_ in self._places())
        return Tile(*places, self.strides, self.sizes)

    def core(self, number, layer):
        """Return begin and end of a tile's core in a layer's map: two (2,) arrays."""
        begin, end = self.begins[number], self.ends[number]
        stride, size = self.strides[layer], np.array(self.sizes[layer])
        at_end = end >= np.array(self.sizes[PIXELS])
        return begin // stride, np.where(at_end, size, end // stride)

    def cut(self, image, number):
        """Return the tile (1, h, w, 3) of a number, with its halo."""
        top, left = tf.unstack(tf.gather(tf.constant(self.origins), number))
        return tf.slice(image, [0, top, left, 0], [1, *self.size, 3])

    def add(self, image, piece, number):
        """Return the image with a tile's numbers added where the tile lies.

        By a scatter: padding the tile to the picture's size took six times as long at 8K.
        """
        top, left = tf.unstack(tf.gather(tf.constant(self.origins), number))
        rows, columns = top + tf.range(self.size[0]), left + tf.range(self.size[1])
        places = tf.stack(tf.meshgrid(rows, columns, indexing="ij"), -1)
        return tf.tensor_scatter_nd_add(image[0], places, piece[0])[tf.newaxis]

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


def _fewest_pixels(shape, stride, halo, area):
    """Return rows and columns, as `_along` gives them, of the best tiling that fits."""
    ways = [_ways(length, stride, halo) for length in shape]
    fitting = [
        (rows[0] * len(rows[1]) * columns[0] * len(columns[1]), rows, columns)
        for rows in ways[0]
        for columns in ways[1]
        if rows[0] * columns[0] <= area
    ]
    if not fitting:
        return ways[0][-1], ways[1][-1]  # the smallest tiles there are
    return min(fitting, key=lambda way: way[0])[1:]


def _ways(length, stride, halo):
    """Return all ways to cut a side, from one piece to cores of a single step."""
    steps = math.ceil(length / stride)
    cores = sorted({math.ceil(steps / pieces) * stride for pieces in range(1, steps + 1)})
    return [_along(length, core, stride, halo) for core in reversed(cores)]


def _along(length, core, stride, halo):
    """Cut one side of a picture.

    Pieces begin at multiples of the deepest layer's stride, where poolings of the piece and of
    the picture fall together, and the last one ends where the picture ends: so their common size
    leaves the same remainder as the picture's.

    Returns
    -------
    size, list of (origin, begin, end)
    """
    size = core + 2 * halo
    size += (length - size) % stride
    if size >= length:
        return length, [(0, 0, length)]
    begins = range(0, length, core)
    return size, [
        (min(max(begin - halo, 0), length - size), begin, min(begin + core, length))
        for begin in begins
    ]


def _map_sizes(model, layers, shape):
    """Return (height, width) of each layer's map for a picture of `shape`; nothing is computed."""
    wanted, sizes = set(layers), {}
    reached = tf.TensorSpec((1, *shape, 1))
    for name, layer in model.items():
        if wanted == set(sizes):
            break
        reach = tf.function(layer.reach).get_concrete_function(tf.TensorSpec(reached.shape))
        reached = reach.structured_outputs
        if name in wanted:
            sizes[name] = tuple(reached.shape[1:3])
    return sizes
