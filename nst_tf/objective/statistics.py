"""Statistics of a style, and the distances between them.

Gram matrices are those of Gatys et al.; tutorial 2 names the alternatives of Novak & Nikulin 2016.
Notation: a layer has N channels and M = H W positions; F is a feature map, G and A are the Gram
matrices of the current picture and of the style.
"""

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf

ROW_BY_ROW = 128  # channels: up to this number, bfloat16 products are made row by row
SHIFTS = (2, 4, 8, 16)  # positions: up to 16 pixels at conv1_1, and 256 at conv5_1

# ------------------------------------------------------------------ Gram matrices


def gram_matrix(features, *, per_position=False):
    """Gram matrix, eq. (3): the inner products of all pairs of channels.

    Parameters
    ----------
    features : (1, H, W, N)
        The feature map of one layer.
    per_position : bool
        Divide by M = H W, so that pictures of different size can be compared. This is the Gram
        matrix that `layer_style_loss` takes.

    Returns
    -------
    (1, N, N)
        ``G_ij = sum_k F_ki F_kj``, summed over the positions k.

    Examples
    --------
    >>> import tensorflow as tf
    >>> features = tf.constant([[[[1.0, 2.0]], [[3.0, 0.0]]]])  # two positions, two channels
    >>> gram_matrix(features).numpy()
    array([[[10.,  2.],
            [ 2.,  4.]]], dtype=float32)
    """
    gram = _gram_matrix(tf.convert_to_tensor(features))
    return gram / positions(features) if per_position else gram


def _gram_matrix_and_gradient(features):
    """Return F^T F and, as its gradient, F (U + U^T): one product instead of the tape's two."""
    flat = _by_position(features)  # (1, M, N)

    def gradient(upstream):
        both = upstream + tf.linalg.matrix_transpose(upstream)
        return tf.reshape(tf.matmul(flat, tf.cast(both, flat.dtype)), tf.shape(features))

    return products(features, features), gradient


_gram_matrix = tf.custom_gradient(_gram_matrix_and_gradient)


def products(features, others):
    """Return ``sum_k F_ki F'_kj``, (1, N, N'), in float32.

    bfloat16 maps are multiplied in bfloat16 where that keeps the sums exact to about 1/1000: row
    by row, as each matrix product is rounded, and the rows are added in float32. Deep layers have
    few positions and many channels; there float32 is faster. On processors without bfloat16, which
    round within a row, too, it is more exact.

    Parameters
    ----------
    features : (1, H, W, N)
    others : (1, H, W, N')
    """
    in_rows = features.dtype != tf.float32 and features.shape[3] <= ROW_BY_ROW
    if in_rows and _adds_in_float32(features.dtype):
        rows = tf.matmul(features[0], others[0], transpose_a=True)  # (H, N, N')
        return tf.reduce_sum(tf.cast(rows, tf.float32), axis=0, keepdims=True)
    flat, flat_others = (tf.cast(_by_position(x), tf.float32) for x in (features, others))
    return tf.matmul(flat, flat_others, transpose_a=True)


@functools.cache
def _adds_in_float32(dtype):
    """Return whether a matrix product of a dtype rounds its sums at their end only."""
    with tf.init_scope():
        rows = tf.cast(tf.nn.relu(tf.random.stateless_normal((40, 60, 16), (0, 1))), dtype)
        wide = tf.cast(rows, tf.float32)
        found, exact = (
            tf.reduce_sum(tf.cast(tf.matmul(x, x, transpose_a=True), tf.float32), 0)
            for x in (rows, wide)
        )
        return float(tf.reduce_max(tf.abs(found - exact)) / tf.reduce_max(exact)) < 1.5e-3


def positions(features):
    """Return the number of positions of a map (1, H, W, N): M, as a float."""
    return tf.cast(tf.shape(features)[1] * tf.shape(features)[2], tf.float32)


def _by_position(features):
    return tf.reshape(features, (1, -1, features.shape[3]))  # (1, M, N)


def layer_style_loss(current, target, *, relative=False):
    """Style loss of one layer, eq. (4): ``1/(4 N^2) sum (G/M - A/M)^2``.

    Parameters
    ----------
    current, target : (1, N, N), or (1, N, N') from two layers
        G and A, Gram matrices *per position*, each divided by its own M.
    relative : bool
        Divide by ``sum (A/M)^2``, the energy of the target, instead of ``4 N^2``, so that layers
        with larger features do not dominate.

    Returns
    -------
    scalar
        Equal to the paper's ``1/(4 N^2 M^2) sum (G - A)^2`` when both pictures have the same
        size, and also valid for different sizes. Tutorial 1 divides G by H W N and sums
        without the 1/4, which is 4 times this; titu1994 and keras.io use 3 and the picture's size
        for N and M.
    """
    half = tf.nn.l2_loss(current - target)  # half the sum of squares
    if relative:
        return half / tf.maximum(tf.nn.l2_loss(target), 1e-12)
    return half / (2.0 * current.shape[-2] * current.shape[-1])


# ------------------------------------------------------------------ sums over positions
#
# Every statistic is a function of sums over positions. That makes it independent of the size of a
# picture, and lets a mask weight the positions: `guide` (1, H, W, 1) has their weights.


def gram_sums(maps, guide=None):
    """Return the Gram matrix (1, N, N) of a map, and the sum of the weights of its positions."""
    (features,) = maps
    if guide is None:
        return gram_matrix(features), positions(features)
    # (F g^1/2)^T (F g^1/2)
    return gram_matrix(features * tf.cast(tf.sqrt(guide), features.dtype)), tf.reduce_sum(guide)


def correlation_sums(maps, guide=None):
    """Return ``sum_k F_ki F'_kj`` (1, N, N') of two maps on one grid, and the number of positions.

    See `neighboring_layers`.
    """
    features, others = maps
    if guide is None:
        return products(features, others), positions(features)
    return products(features * tf.cast(guide, features.dtype), others), tf.reduce_sum(guide)


def shifted_sums(maps, guide=None):
    """Return the sums that `gram_sums` returns, also of a map and the same map moved.

    See `shifted_layers`: (K, N, N) for K - 1 shifts, and the sum of the weights of each, (K,).
    """
    features, moved, inside = maps[0], maps[1::2], maps[2::2]
    weighted, counts = features, [positions(features)]
    if guide is not None:
        weighted, counts = features * tf.cast(guide, features.dtype), [tf.reduce_sum(guide)]
        inside = [guide * tf.cast(x, tf.float32) for x in inside]
    grams = [products(weighted, others) for others in (features, *moved)]
    counts += [tf.reduce_sum(tf.cast(x, tf.float32)) for x in inside]
    return tf.concat(grams, 0), tf.stack(counts)


def moment_sums(maps, guide=None):
    """Return the sum (1, N) of a map over its positions, and what `gram_sums` returns."""
    (features,) = maps
    if guide is None:
        return *_sum_and_gram_matrix(features), positions(features)
    return sum_over_positions(features * tf.cast(guide, features.dtype)), *gram_sums(maps, guide)


@tf.custom_gradient
def _sum_and_gram_matrix(features):
    """Return the sums of a map and of its products; their gradients are added in one pass."""
    gram, gram_gradient = _gram_matrix_and_gradient(features)

    def gradient(of_sum, of_gram):
        return tf.nn.bias_add(gram_gradient(of_gram), tf.cast(of_sum[0], features.dtype))

    return (sum_over_positions(features), gram), gradient


def sum_over_positions(features):
    """Return the sum (1, N) of a map (1, H, W, N) over its positions, in float32."""
    if features.dtype != tf.float32:  # rounded once a row, as in `products`
        features = tf.cast(tf.reduce_sum(features, axis=2, keepdims=True), tf.float32)
    return tf.reduce_sum(features, axis=(1, 2))


def per_position(sums):
    """Divide a sum by the number of positions."""
    total, count = sums
    return total / count


def side_by_side(sums):
    """Divide several sums by their numbers of positions: (1, N, K N)."""
    totals, counts = sums
    means = tf.math.divide_no_nan(totals, counts[:, tf.newaxis, tf.newaxis])
    return tf.concat(tf.unstack(means), 1)[tf.newaxis]


def mean_and_covariance(sums):
    """Return mean (1, N) and covariance (1, N, N) of the channels over the positions."""
    first, second, count = sums
    mean = first / count
    return mean, second / count - tf.matmul(mean, mean, transpose_a=True)


# ------------------------------------------------------------------ what is summed


def single_layers(features):
    """Measure each layer separately."""
    return {layer: (feature,) for layer, feature in features.items()}


def blurred_layers(features):
    """Average each map over 3x3 positions: how often channels fire *near* the same place.

    Named in Novak & Nikulin 2016, who found it slow to converge for little gain.
    """
    return {
        layer: (tf.nn.avg_pool2d(feature, 3, 1, "SAME"),) for layer, feature in features.items()
    }


def shifted_layers(features):
    """Pair each map with itself, moved right and down by `SHIFTS`: Berger & Memisevic 2017.

    Correlations at a distance capture long-range order, such as bricks, tiles or a weave, which a
    Gram matrix does not. Positions that are shifted in at the border are excluded.
    """
    return {
        layer: (
            feature,
            *(
                moved(x, shift, axis)
                for shift in SHIFTS
                for axis in (1, 2)
                for x in (feature, tf.ones_like(feature[..., :1]))
            ),
        )
        for layer, feature in features.items()
    }


def moved(x, shift, axis):
    """Return a map (1, H, W, N) whose position p is that of `x` at p + shift, 0 at the border."""
    begin = [shift if number == axis else 0 for number in range(4)]
    padded = tf.pad(x, [(0, length) for length in begin])
    return tf.ensure_shape(tf.slice(padded, begin, tf.shape(x)), x.shape)


def neighboring_layers(features):
    """Pair each layer with the next shallower style layer: Novak & Nikulin 2016, section 3.5.

    ``G^(l,l-1) = up(F^l)^T F^(l-1)``: the deeper map, which a pool has made smaller, is upsampled.
    The shallowest layer has no partner, so n layers give n - 1 matrices (1, N_l, N_(l-1)).

    Differs from tutorial 2's code, which subtracts the ordinary losses of neighbors: there the
    last layer has weight -1, so a larger mismatch decreases the loss.
    """
    pairs = {}
    for below, layer in itertools.pairwise(features):
        size = tf.unstack(tf.shape(features[below])[1:3])  # depth only shrinks a map
        pairs[layer] = upsample(features[layer], size), features[below]
    return pairs


def upsample(features, size):
    """Repeat the positions of a map (1, H, W, N) until it has `size` (height, width).

    Position i of the larger map falls into i // 2 of one that was pooled once, at odd sizes too
    (tf.image.resize looks half a pixel further).
    """
    for axis, length in enumerate(size, 1):
        there = tf.shape(features)[axis]
        poolings = tf.experimental.numpy.log2(tf.cast(length / there, tf.float32))
        times = 2 ** tf.cast(tf.round(poolings), tf.int32)  # odd sizes: not quite a power of two
        features = tf.gather(features, tf.minimum(tf.range(length) // times, there - 1), axis=axis)
    return features


# ------------------------------------------------------------------ distances


def moments_loss(current, target, *, relative=False):
    """Compare mean and covariance of the channels separately.

    A Gram matrix is the covariance plus a matrix of the means, ``C + m m^T``, and the means
    contribute most of its energy. In a separate comparison, the covariance (the strokes) has the
    same weight as the means.

    Parameters
    ----------
    current, target : (mean (1, N), covariance (1, N, N))
    relative : bool
        Divide each by the target's own energy, and take their mean.

    Returns
    -------
    scalar
        ``1/(4 N) sum (m - m')^2 + 1/(4 N^2) sum (C - C')^2``; relative:
        ``1/2 sum (m - m')^2 / sum m'^2 + 1/2 sum (C - C')^2 / sum C'^2``. Mean and covariance in
        place of Gram matrices: crowsonkb's style-transfer-pytorch.
    """
    mean, covariance = current
    target_mean, target_covariance = target
    of_means = layer_style_loss(mean[:, tf.newaxis], target_mean[:, tf.newaxis], relative=relative)
    of_covariances = layer_style_loss(covariance, target_covariance, relative=relative)
    return (of_means + of_covariances) / (2 if relative else 1)


def with_square_root(moments):
    """Add the square root of the covariance to a target's mean and covariance, once.

    A little of the mean variance is added along the diagonal: a channel that never fires has
    variance 0, where the square root has no derivative.
    """
    mean, covariance = moments
    ridge = 1e-4 * tf.reduce_mean(tf.linalg.diag_part(covariance)) + 1e-12
    values, vectors = tf.linalg.eigh(_with_ridge(covariance, ridge))
    root = vectors * tf.sqrt(tf.maximum(values, 0.0))[:, tf.newaxis]
    return mean, covariance, tf.matmul(root, vectors, transpose_b=True), ridge


def wasserstein_loss(current, target, *, relative=False):
    """Squared Wasserstein-2 distance of two normal distributions, by channel.

    Parameters
    ----------
    current : (mean (1, N), covariance (1, N, N))
    target : the same, followed by what `with_square_root` adds
    relative : bool
        Divide by the target's own ``|mean|^2 + trace(covariance)``.

    Returns
    -------
    scalar
        ``(|m - m'|^2 + tr(C + C' - 2 (C'^1/2 C C'^1/2)^1/2)) / N`` (Olkin & Pukelsheim 1982);
        as a style loss: crowsonkb's style-transfer-pytorch. Activation shifts cancel in it,
        except in the divisor of the relative form.
    """
    mean, covariance = current
    target_mean, target_covariance, root, ridge = target
    covariance = _with_ridge(covariance, ridge)
    target_covariance = _with_ridge(target_covariance, ridge)
    product = tf.matmul(tf.matmul(root, covariance), root)
    product = (product + tf.linalg.matrix_transpose(product)) / 2  # symmetric to the last bit
    overlap = tf.sqrt(tf.maximum(tf.linalg.eigvalsh(product), tf.square(ridge) / 4))
    energy = tf.reduce_sum(tf.square(target_mean)) + tf.linalg.trace(target_covariance)[0]
    distance = (
        tf.reduce_sum(tf.square(mean - target_mean))
        + tf.linalg.trace(covariance + target_covariance)[0]
        - 2 * tf.reduce_sum(overlap)
    )
    return distance / (tf.maximum(energy, 1e-12) if relative else mean.shape[-1])


def _with_ridge(matrix, ridge):
    return matrix + ridge * tf.eye(matrix.shape[-1])


# ------------------------------------------------------------------ the table


@dataclass(frozen=True)
class Statistic:
    """A statistic of the style, and the distance of two such statistics.

    Attributes
    ----------
    distance : callable
        ``(current, target, relative=...) -> scalar``, the loss of one layer.
    maps : callable
        ``{layer: (1, H, W, N)} -> {layer: maps on one grid}``: what is summed for each layer.
    sums : callable
        ``(maps, guide) -> sums over positions``, of one layer.
    finish : callable
        ``sums -> statistic``, of one layer.
    prepare : callable
        Applied once to each target, before the loop.
    least_layers : int
        Minimum number of layers.
    margin : int
        Number of neighbors on each side of a position that `maps` uses.
    """

    distance: Callable = layer_style_loss
    maps: Callable = single_layers
    sums: Callable = gram_sums
    finish: Callable = per_position
    prepare: Callable = lambda target: target
    least_layers: int = 1
    margin: int = 0

    def measure(self, features, guides=None, wrap=""):
        """Return the statistic of each layer.

        Parameters
        ----------
        features : dict of (1, H_l, W_l, N_l)
            By layer name, shallow layers first.
        guides : dict of (1, H_l, W_l, 1), optional
            Weight of each position; layers without a guide have equal weights.
        wrap : {"", "x", "xy"}
            Axes in which the maps are circular.
        """
        grids = self.grids(tuple(features))
        maps_of = (
            self._wrapped_maps(features, wrap) if wrap and self.margin else self.maps(features)
        )
        return {
            layer: self.finish(self.sums(maps, (guides or {}).get(grids[layer])))
            for layer, maps in maps_of.items()
        }

    def _wrapped_maps(self, features, wrap):
        """Return what `maps` does, for maps whose outermost positions see the opposite edge."""
        around = {layer: _around(x, self.margin, wrap) for layer, x in features.items()}
        rows, columns = (
            slice(self.margin, -self.margin) if axis in wrap else slice(None) for axis in "yx"
        )
        return {
            layer: tuple(x[:, rows, columns] for x in maps)
            for layer, maps in self.maps(around).items()
        }

    def grids(self, layers):
        """Return for each layer the name of the layer whose grid its maps use."""
        if self.maps is neighboring_layers:
            return {layer: below for below, layer in itertools.pairwise(layers)}
        return {layer: layer for layer in layers}


def _around(x, margin, wrap):
    """Return a circular map with `margin` positions more at each side; it may be smaller."""
    for axis, name in ((1, "y"), (2, "x")):
        if name in wrap:
            length = tf.shape(x)[axis]
            x = tf.gather(x, tf.range(-margin, length + margin) % length, axis=axis)
    return x


STATISTICS = {
    "gram": Statistic(),
    "chain": Statistic(maps=neighboring_layers, sums=correlation_sums, least_layers=2),
    "blurred": Statistic(maps=blurred_layers, margin=1),
    "shifted": Statistic(
        maps=shifted_layers, sums=shifted_sums, finish=side_by_side, margin=max(SHIFTS)
    ),
    "moments": Statistic(moments_loss, sums=moment_sums, finish=mean_and_covariance),
    "wasserstein": Statistic(
        wasserstein_loss, sums=moment_sums, finish=mean_and_covariance, prepare=with_square_root
    ),
}
