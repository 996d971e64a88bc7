"""Which part of a picture is looked at, and which positions of it count.

A picture too large for memory is looked at tile by tile. A tile is wider than what it stands for:
about its core lies a halo, as wide as what the deepest filter sees, so that a position of the core
sees all that it sees in the whole picture. Every position is in the core of exactly one tile, so
that sums over cores add up to the sum over the picture.
"""

from dataclasses import dataclass

import tensorflow as tf

PIXELS = "pixels"  # what stands for a layer's name where the picture itself is meant


class Whole:
    """The picture in one piece: all of it counts."""

    def core(self, x, layer=PIXELS, margin=0):
        """Return what counts of a map (1, H, W, N) that was computed here: all of it."""
        return x

    def part(self, x, layer=PIXELS):
        """Return the same positions of a map (1, H, W, N) of the whole picture: all of them."""
        return x


WHOLE = Whole()


@dataclass(frozen=True)
class Tile:
    """A piece of the picture; numbers are (2,) int32 tensors, rows and columns, in pixels.

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
    """

    origin: tf.Tensor
    begin: tf.Tensor
    end: tf.Tensor
    strides: dict
    sizes: dict

    def core(self, x, layer=PIXELS, margin=0):
        """Return what counts of the tile's map (1, h, w, N), and `margin` positions after it."""
        begin, end = self._bounds(layer, margin)
        return _cut(x, begin - self.origin // self.strides[layer], end - begin)

    def part(self, x, layer=PIXELS):
        """Return the same positions, without a margin, of the whole picture's map."""
        begin, end = self._bounds(layer, 0)
        return _cut(x, begin, end - begin)

    def _bounds(self, layer, margin):
        """Return begin and end in the whole picture's map of a layer."""
        stride, size = self.strides[layer], tf.constant(self.sizes[layer])
        at_end = self.end >= tf.constant(self.sizes[PIXELS])  # where sizes may be rounded up
        end = tf.where(at_end, size, tf.minimum(self.end // stride + margin, size))
        return self.begin // stride, end


def _cut(x, begin, size):
    begin = tf.concat([[0], begin, [0]], 0)
    size = tf.concat([[1], size, [-1]], 0)
    return tf.ensure_shape(tf.slice(x, begin, size), (1, None, None, x.shape[-1]))
