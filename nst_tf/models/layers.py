"""Layers of a trunk: convolutions with ReLU, pools, and fire modules."""

import numpy as np
import tensorflow as tf

from nst_tf.errors import ConfigError

POOLING = {  # kind -> reduction of a window, and factor of the result
    "average": ("average", 1.0),
    "max": ("max", 1.0),
    "l2": ("l2", 1.0),
    # About the scale of "max", as in training (crowsonkb's style-transfer-pytorch).
    "average-rescaled": ("average", 2.0),
    "l2-rescaled": ("l2", 0.78),
}
TINY = 1e-12  # least mean square: at 0 the square root has no derivative


class ConvRelu:
    """Convolution with bias and ReLU; by default with stride 1 and zero padding, as in VGG.

    Parameters
    ----------
    kernel : (h, w, in, out)
    bias : (out,)
    stride : int
    padding : {"SAME", "VALID", "EDGE"}
        "EDGE" pads by repeating the outermost pixels, "SAME" with zeros.
    wrap : {"", "x", "xy"}
        Axes in which the map is circular; these are padded by `wrapped`.
    dilation : int
        Distance between the positions that a filter multiplies.
    dtype : dtype
        Type of the computation, the input and the output.
    """

    def __init__(
        self, kernel, bias, *, stride=1, padding="SAME", wrap="", dilation=1, dtype=tf.float32
    ):
        self.kernel = tf.cast(tf.constant(kernel), dtype)  # constant: no gradient
        self.bias = tf.cast(tf.constant(bias), dtype)
        self.stride = stride
        self.padding = padding
        self.wrap = wrap
        self.dilation = dilation

    def __call__(self, x):
        """Map (1, H, W, in) to (1, H, W, out), smaller by the stride and the padding."""
        padding = self.padding
        if self.wrap or padding == "EDGE":
            x, padding = self._padded(x, padding), "VALID"
        if self.dilation > 1 and self.stride == 1:
            # `conv2d` has no gradient of dilated filters on processors without AVX-512.
            x = tf.nn.convolution(x, self.kernel, padding=padding, dilations=self.dilation)
        else:
            x = tf.nn.conv2d(x, self.kernel, self.stride, padding, dilations=self.dilation)
        return tf.nn.relu(tf.nn.bias_add(x, self.bias))

    @property
    def channels(self):
        """Number of filters."""
        return int(self.kernel.shape[3])

    @property
    def extent(self):
        """Window of an output position in the input: offset, size and stride."""
        size = self.dilation * (int(self.kernel.shape[0]) - 1) + 1
        return 0 if self.padding == "VALID" else -(size // 2), size, self.stride

    def changed(self, **changes):
        """Return a copy with another padding, wrap, dilation or dtype."""
        return self._with(self.kernel, self.bias, **{"dtype": self.kernel.dtype, **changes})

    def _with(self, kernel, bias, **changes):
        own = {name: getattr(self, name) for name in ("stride", "padding", "wrap", "dilation")}
        return ConvRelu(kernel, bias, **{**own, **changes})

    def _padded(self, x, padding):
        """Return a map (1, H, W, N) with the positions that the filters see around it."""
        x = wrapped(x, self.extent, self.wrap)
        sides = zip("yx", self.kernel.shape[:2])
        height, width = (0 if y in self.wrap else self.dilation * (n // 2) for y, n in sides)
        if padding == "EDGE":
            return repeat_edges(x, height, width)
        around = [[0, 0], [height, height], [width, width], [0, 0]]
        return tf.pad(x, around) if padding == "SAME" else x

    def reach(self, mask):
        """Map (1, H, W, 1) to the output's grid: the maximum over each position's window.

        For guidance channels (Gatys et al. 2017, spatial control): where filters see a region.
        """
        size = [self.dilation * (length - 1) + 1 for length in self.kernel.shape[:2]]
        padding = "SAME" if self.padding == "EDGE" else self.padding  # repeats are in the window
        if self.wrap:  # zeros don't change the maximum of a mask
            mask, padding = self._padded(mask, padding), "VALID"
        return tf.nn.max_pool2d(mask, size, strides=self.stride, padding=padding)

    def shrunk(self, mask):
        """Map (1, H, W, 1) to the output's grid: the sum over each position's window.

        Returns the mask itself if the output has the size of the input.
        """
        if self.stride == 1 and self.padding != "VALID":
            return mask
        if self.wrap:
            mask = wrapped(mask, self.extent, self.wrap)
        return _window_sums(mask, int(self.kernel.shape[0]), self.stride, self.padding)

    def rescaled(self, incoming, outgoing):
        """Return the layer for inputs divided by `incoming`, with outputs divided by `outgoing`.

        Exact, since ReLU commutes with positive factors: W * incoming / outgoing, b / outgoing.

        Parameters
        ----------
        incoming : (in,)
            Divisors of the input channels.
        outgoing : (out,)
            Divisors of the output channels; positive.
        """
        kernel = self.kernel.numpy() * np.reshape(incoming, (-1, 1)) / outgoing
        bias = self.bias.numpy() / outgoing
        return self._with(kernel, bias)


def repeat_edges(x, height, width):
    """Pad a map (1, H, W, N) by repeating its outermost positions, as symmetric `tf.pad` does.

    This copies whole strips, in 0.6 to 1.0 of the time of `tf.pad` on a CPU, which computes the
    position of every single number. As with `tf.pad`, a map needs at least `height` rows and
    `width` columns.
    """

    @tf.custom_gradient
    def padded(x):
        if height:
            x = tf.concat([x[:, height - 1 :: -1], x, x[:, : -height - 1 : -1]], 1)
        if width:
            x = tf.concat([x[:, :, width - 1 :: -1], x, x[:, :, : -width - 1 : -1]], 2)
        return x, gradient

    def gradient(upstream):
        paddings = [[0, 0], [height, height], [width, width], [0, 0]]
        return tf.raw_ops.MirrorPadGrad(input=upstream, paddings=paddings, mode="SYMMETRIC")

    return padded(x)


def wrapped(x, extent, wrap):
    """Pad a map (1, H, W, N) circularly: with the positions at its opposite edge.

    Parameters
    ----------
    x : (1, H, W, N)
    extent : offset, size and stride
        Of the windows.
    wrap : {"", "x", "xy"}
        The axes. If a side of the map is divisible by the stride, there is one window per stride,
        and rolling the map by a stride rolls the output by a position.
    """
    offset, window, stride = extent
    before, after = -offset, window - stride + offset
    for axis, name in ((1, "y"), (2, "x")):
        if name in wrap and before + after:
            length = tf.shape(x)[axis]
            x = tf.concat(
                [_strip(x, axis, length - before, before), x, _strip(x, axis, 0, after)], axis
            )
    return x


def _strip(x, axis, begin, count):
    """Return `count` rows or columns of a map; `tf.slice` has the fastest gradient."""
    places = [begin if n == axis else 0 for n in range(4)]
    return tf.slice(x, places, [count if n == axis else -1 for n in range(4)])


class Pool:
    """Pooling; by default VGG's, 2x2 with odd sizes rounded up as in Caffe.

    Parameters
    ----------
    kind : {"average", "max", "l2", "average-rescaled", "l2-rescaled"}
        "l2" is the root of the sum of squares (PyTorch's `LPPool2d`). "average-rescaled" is 2 times
        "average", "l2-rescaled" 0.78 times "l2": factors for windows of 2x2.
    size, stride : int
        Of the window.
    padding : {"SAME", "VALID", "CEIL"}
        "CEIL" rounds up as Caffe and torchvision do. For 2x2 it equals "SAME"; for 3x3 with
        stride 2, "SAME" would add a window at odd sizes and shift all windows.
    wrap : {"", "x", "xy"}
        Axes in which the map is circular; its sides there must be divisible by the stride.

    Notes
    -----
    Averages exclude the padding; sums of squares are averages times the size of a window.
    """

    channels = None  # the same as the input

    def __init__(self, kind, *, size=2, stride=2, padding="SAME", wrap=""):
        self.kind = check_pooling(kind)
        self.size = size
        self.stride = stride
        self.padding = padding
        self.wrap = wrap

    def __call__(self, x):
        """Map (1, H, W, N) to (1, ceil(H/2), ceil(W/2), N) with the default sizes."""
        norm, factor = POOLING[self.kind]
        if norm == "max":
            return self.reach(x)
        if norm == "l2":
            mean = self._average(tf.square(x))
            return factor * self.size * mean / tf.sqrt(tf.maximum(mean, tf.cast(TINY, x.dtype)))
        return factor * self._average(x)

    def _average(self, x):
        """Return the averages over windows, without the padding."""
        if self.wrap:
            x = wrapped(x, self.extent, self.wrap)
        if self.padding != "CEIL":
            return tf.nn.avg_pool2d(x, self.size, self.stride, self.padding)
        inside = tf.ones_like(x[:, :, :, :1])
        return self._average_padded(x) / self._average_padded(inside)

    def reach(self, mask):
        """Map (1, H, W, 1) to the output's grid: the maximum over each position's window."""
        if self.wrap:
            mask = wrapped(mask, self.extent, self.wrap)
        if self.padding != "CEIL":
            return tf.nn.max_pool2d(mask, self.size, self.stride, self.padding)
        mask = self._pad_to_round_up(mask, float("-inf"))
        return tf.nn.max_pool2d(mask, self.size, self.stride, "VALID")

    def shrunk(self, mask):
        """Map (1, H, W, 1) to the output's grid: the sum over each position's window."""
        if self.wrap:
            mask = wrapped(mask, self.extent, self.wrap)
        if self.padding == "CEIL":
            mask = self._pad_to_round_up(mask, 0.0)
            return _window_sums(mask, self.size, self.stride, "VALID")
        return _window_sums(mask, self.size, self.stride, self.padding)

    def rescaled(self, incoming, outgoing):
        """Return the layer itself: pooling commutes with positive factors."""
        return self

    @property
    def extent(self):
        """Window of an output position in the input: offset, size and stride."""
        return 0, self.size, self.stride

    def changed(self, *, dtype=None, wrap=None):
        """Return a copy with another wrap; pooling keeps the dtype of its input."""
        if wrap is None:
            return self
        windows = {name: getattr(self, name) for name in ("size", "stride", "padding")}
        return Pool(self.kind, **windows, wrap=wrap)

    def _average_padded(self, x):
        """Return averages over windows; the padding counts as zeros."""
        return tf.nn.avg_pool2d(self._pad_to_round_up(x, 0.0), self.size, self.stride, "VALID")

    def _pad_to_round_up(self, x, value):
        """Pad at the bottom and the right so that rounding down becomes rounding up."""
        padding = [0, self.stride - 1]  # ceil((n - k) / s) = floor((n + s - 1 - k) / s)
        return tf.pad(x, [[0, 0], padding, padding, [0, 0]], constant_values=value)


def _window_sums(mask, size, stride, padding):
    """Return the sums of a mask (1, H, W, 1) over windows; the padding counts as zeros."""
    ones = tf.ones((size, size, 1, 1))
    return tf.nn.conv2d(mask, ones, strides=stride, padding=padding)


class Fire:
    """SqueezeNet's module: few 1x1 filters, then 1x1 and 3x3 filters in parallel.

    Iandola et al. 2016, section 3.2. Each of the three is a `ConvRelu`.
    """

    def __init__(self, squeeze, expand1x1, expand3x3):
        self.squeeze = squeeze
        self.expand1x1 = expand1x1
        self.expand3x3 = expand3x3

    def __call__(self, x):
        """Map (1, H, W, in) to (1, H, W, out): the channels of the 1x1 filters come first."""
        x = self.squeeze(x)
        return tf.concat([self.expand1x1(x), self.expand3x3(x)], axis=3)

    @property
    def channels(self):
        """Number of filters of both expansions together."""
        return self.expand1x1.channels + self.expand3x3.channels

    @property
    def extent(self):
        """Window of an output position in the input: offset, size and stride."""
        return self.expand3x3.extent

    def changed(self, **changes):
        """Return a copy with another wrap or dtype."""
        parts = (self.squeeze, self.expand1x1, self.expand3x3)
        return Fire(*(part.changed(**changes) for part in parts))

    def reach(self, mask):
        """Map (1, H, W, 1) to the output's grid: the maximum over each position's window."""
        return self.expand3x3.reach(self.squeeze.reach(mask))

    def shrunk(self, mask):
        """Return the mask itself: input and output have the same size."""
        return mask

    def rescaled(self, incoming, outgoing):
        """Return the layer for inputs divided by `incoming`, with outputs divided by `outgoing`."""
        between = np.ones(self.squeeze.channels)
        first, second = np.split(np.asarray(outgoing), [self.expand1x1.channels])
        return Fire(
            self.squeeze.rescaled(incoming, between),
            self.expand1x1.rescaled(between, first),
            self.expand3x3.rescaled(between, second),
        )


class Branch:
    """An additional layer with the input of the next layer, which does not read its output.

    See `branches.py`.
    """

    def __init__(self, layer):
        self.layer = layer

    def __call__(self, x):
        """Apply the layer."""
        return self.layer(x)

    def __getattr__(self, name):
        return getattr(self.layer, name)  # channels, extent, reach and shrunk

    def changed(self, **changes):
        """Return a copy with another wrap or dtype."""
        return Branch(self.layer.changed(**changes))

    def rescaled(self, incoming, outgoing):
        """Return the layer for inputs divided by `incoming`, with outputs divided by `outgoing`."""
        return Branch(self.layer.rescaled(incoming, outgoing))


def check_pooling(pooling):
    """Return `pooling`; raise ConfigError unless it is in `POOLING`."""
    if pooling not in POOLING:
        raise ConfigError(f"`pooling` is {pooling!r}; choose from {', '.join(POOLING)}")
    return pooling
