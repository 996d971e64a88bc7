"""What a trunk is made of, and the one way through it."""

import numpy as np
import tensorflow as tf

from nst_tf.errors import ConfigError

POOLING = ("average", "max")


class ConvRelu:
    """A convolution, its bias, and ReLU: VGG's with stride 1 and zero padding, unless told.

    Parameters
    ----------
    kernel : (h, w, in, out)
    bias : (out,)
    stride : int
    padding : {"SAME", "VALID", "EDGE"}
        "EDGE" repeats the outermost pixels where "SAME" puts zeros.
    dtype : dtype
        What it computes in, and what it takes and gives.
    """

    def __init__(self, kernel, bias, *, stride=1, padding="SAME", dtype=tf.float32):
        self.kernel = tf.cast(tf.constant(kernel), dtype)  # constant: no gradient
        self.bias = tf.cast(tf.constant(bias), dtype)
        self.stride = stride
        self.padding = padding

    def __call__(self, x):
        """Map (1, H, W, in) to (1, H, W, out), smaller by the stride and the padding."""
        padding = self.padding
        if padding == "EDGE":
            x, padding = self._edges_repeated(x), "VALID"
        x = tf.nn.conv2d(x, self.kernel, strides=self.stride, padding=padding)
        return tf.nn.relu(tf.nn.bias_add(x, self.bias))

    @property
    def channels(self):
        """How many filters it has."""
        return int(self.kernel.shape[3])

    @property
    def extent(self):
        """What one output position sees of the input: first, number, and step to the next."""
        size = int(self.kernel.shape[0])
        return 0 if self.padding == "VALID" else -(size // 2), size, self.stride

    def changed(self, *, padding=None, dtype=None):
        """Return the layer with another padding, or that computes in another dtype."""
        dtype = self.kernel.dtype if dtype is None else dtype
        padding = self.padding if padding is None else padding
        return ConvRelu(self.kernel, self.bias, stride=self.stride, padding=padding, dtype=dtype)

    def _edges_repeated(self, x):
        height, width = (size // 2 for size in self.kernel.shape[:2])
        return tf.pad(x, [[0, 0], [height, height], [width, width], [0, 0]], "SYMMETRIC")

    def reach(self, mask):
        """Map (1, H, W, 1) to the output's grid: the largest value that a position sees.

        For guidance channels (Gatys et al. 2017, spatial control): what a filter sees of a region.
        """
        size = self.kernel.shape[:2].as_list()
        padding = "SAME" if self.padding == "EDGE" else self.padding  # what is repeated is seen
        return tf.nn.max_pool2d(mask, size, strides=self.stride, padding=padding)

    def shrunk(self, mask):
        """Map (1, H, W, 1) to the output's grid: the sum over the input that a position replaces.

        Where each position of the input has one of the output, that is the mask itself.
        """
        if self.stride == 1 and self.padding != "VALID":
            return mask
        return _window_sums(mask, int(self.kernel.shape[0]), self.stride, self.padding)

    def rescaled(self, incoming, outgoing):
        """Return the layer that takes inputs divided by `incoming` and divides its outputs.

        Exact, as ReLU lets a positive factor through: W * incoming / outgoing, b / outgoing.

        Parameters
        ----------
        incoming : (in,)
            What the input channels were divided by.
        outgoing : (out,)
            What the output channels are to be divided by; positive.
        """
        kernel = self.kernel.numpy() * np.reshape(incoming, (-1, 1)) / outgoing
        bias = self.bias.numpy() / outgoing
        return ConvRelu(kernel, bias, stride=self.stride, padding=self.padding)


class Pool:
    """Average or max pooling: VGG's over 2x2, odd sizes rounded up as in Caffe, unless told.

    Parameters
    ----------
    kind : {"average", "max"}
    size, stride : int
        Of the window.
    padding : {"SAME", "VALID", "CEIL"}
        "CEIL" rounds up as Caffe and torchvision do. For 2x2 it is "SAME"; for 3x3 with stride 2,
        "SAME" would add a window at odd sizes and shift them all.

    Notes
    -----
    Nothing is ever averaged with the padding: what lies outside the map is left out.
    """

    channels = None  # as many as come in

    def __init__(self, kind, *, size=2, stride=2, padding="SAME"):
        self.kind = kind
        self.size = size
        self.stride = stride
        self.padding = padding

    def __call__(self, x):
        """Map (1, H, W, N) to (1, ceil(H/2), ceil(W/2), N), or as size and padding say."""
        if self.kind == "max":
            return self.reach(x)
        if self.padding != "CEIL":
            return tf.nn.avg_pool2d(x, self.size, self.stride, self.padding)
        there = tf.ones_like(x[:, :, :, :1])
        return self._average_with(x, 0.0) / self._average_with(there, 0.0)

    def reach(self, mask):
        """Map (1, H, W, 1) to the output's grid: the largest value that a position sees."""
        if self.padding != "CEIL":
            return tf.nn.max_pool2d(mask, self.size, self.stride, self.padding)
        mask = self._widened(mask, float("-inf"))
        return tf.nn.max_pool2d(mask, self.size, self.stride, "VALID")

    def shrunk(self, mask):
        """Map (1, H, W, 1) to the output's grid: the sum over the window of a position."""
        if self.padding == "CEIL":
            return _window_sums(self._widened(mask, 0.0), self.size, self.stride, "VALID")
        return _window_sums(mask, self.size, self.stride, self.padding)

    def rescaled(self, incoming, outgoing):
        """Return itself: a pool lets any scale of its channels through."""
        return self

    @property
    def extent(self):
        """What one output position sees of the input: first, number, and step to the next."""
        return 0, self.size, self.stride

    def changed(self, *, dtype=None):
        """Return itself: a pool computes in the dtype that comes in."""
        return self

    def _average_with(self, x, value):
        return tf.nn.avg_pool2d(self._widened(x, value), self.size, self.stride, "VALID")

    def _widened(self, x, value):
        """Pad at the bottom and the right so that rounding down becomes rounding up."""
        more = [0, self.stride - 1]  # ceil((n - k) / s) = floor((n + s - 1 - k) / s)
        return tf.pad(x, [[0, 0], more, more, [0, 0]], constant_values=value)


def _window_sums(mask, size, stride, padding):
    """Return the sums of a mask (1, H, W, 1) over windows; outside of it there is nothing."""
    ones = tf.ones((size, size, 1, 1))
    return tf.nn.conv2d(mask, ones, strides=stride, padding=padding)


class Fire:
    """SqueezeNet's module: few 1x1 filters, then 1x1 and 3x3 filters side by side.

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
        """How many filters both expansions have together."""
        return self.expand1x1.channels + self.expand3x3.channels

    @property
    def extent(self):
        """What one output position sees of the input: first, number, and step to the next."""
        return self.expand3x3.extent

    def changed(self, *, dtype=None):
        """Return the module computing in another dtype."""
        parts = (self.squeeze, self.expand1x1, self.expand3x3)
        return Fire(*(part.changed(dtype=dtype) for part in parts))

    def reach(self, mask):
        """Map (1, H, W, 1) to the output's grid: the largest value that a position sees."""
        return self.expand3x3.reach(self.squeeze.reach(mask))

    def shrunk(self, mask):
        """Map (1, H, W, 1) to the output's grid, which is the input's."""
        return mask

    def rescaled(self, incoming, outgoing):
        """Return the layer that takes inputs divided by `incoming` and divides its outputs."""
        between = np.ones(self.squeeze.channels)
        first, second = np.split(np.asarray(outgoing), [self.expand1x1.channels])
        return Fire(
            self.squeeze.rescaled(incoming, between),
            self.expand1x1.rescaled(between, first),
            self.expand3x3.rescaled(between, second),
        )


def check_pooling(pooling):
    """Return `pooling`, or say which kinds there are."""
    if pooling not in POOLING:
        raise ConfigError(f"`pooling` is {pooling!r}; choose from {', '.join(POOLING)}")
    return pooling
