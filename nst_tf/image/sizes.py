"""Parse picture sizes, and resize pictures."""

import math

import numpy as np
from PIL import Image, ImageOps

from nst_tf.errors import ImageError

MIN_SIDE = 32  # conv5_1 has 1/16 of a side: below 32 pixels there is no style to measure
MAX_PIXELS = 178_956_970  # twice Pillow's warning limit, a quarter of a GiB as RGB bytes
DEFAULT_AREA = 640 * 480  # of the tutorials' pictures
MAX = "max"  # before a longer side: a smaller picture is not enlarged
LARGEST = "largest"  # of what fits into memory, with a longer side of at least so many pixels
RESAMPLING = {
    "lanczos": Image.Resampling.LANCZOS,
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,  # as scipy.misc.imresize in tutorial 0
}
WRAP = ("x", "xy")  # axes in which opposite edges of a picture meet
TAPS = 3  # pixels of the coarser grid that the widest kernel, Lanczos', sees on each side
SIDES = {  # name -> the side that a number sets, from (height, width)
    "short": lambda height, width: min(height, width),  # CS231n
    "long": lambda height, width: max(height, width),
    "height": lambda height, width: height,  # keras.io, tutorial 2's code
    "width": lambda height, width: width,
    "area": lambda height, width: math.sqrt(height * width),  # the side of a square; Gatys
}


def parse_size(text):
    """Parse a size from the command line.

    "640x480" is WxH, "512" the longer side; "short:192", "height:400" and "width:512" set the
    named side and keep the aspect ratio; "area:512" has as many pixels as a square of that side;
    "max:512" is the longer side of larger pictures, smaller ones keep their size; "512+" is the
    largest size that fits into memory, which only a job can choose; None returns None.

    Returns
    -------
    None, int, (height, width) or (name, int)

    Examples
    --------
    >>> parse_size("640x480"), parse_size("512"), parse_size("short:192")
    ((480, 640), 512, ('short', 192))
    """
    if text is None:
        return None
    name, colon, number = str(text).lower().rpartition(":")
    if not colon and number.endswith("+"):
        name, colon, number = LARGEST, ":", number.removesuffix("+")
    numbers = number.replace("×", "x").split("x")
    are_numbers = all(number.strip().isdecimal() and len(number) < 19 for number in numbers)
    known = not colon or (name in (*SIDES, MAX, LARGEST) and len(numbers) == 1)
    if not are_numbers or len(numbers) > 2 or not known:
        raise ImageError(
            f"`size` is {text!r}; write WxH as in 640x480, the longer side as 512, or a named "
            f"side ({', '.join(SIDES)}) as in short:192; max:512 never enlarges, and 512+ is the "
            "largest that fits into memory"
        )
    numbers = [int(number) for number in numbers]
    if colon:
        return name, numbers[0]
    return numbers[0] if len(numbers) == 1 else (numbers[1], numbers[0])


def fit_size(size, shape):
    """Return the (height, width) to resize a picture of `shape` to, for a requested `size`.

    Parameters
    ----------
    size : None, int, (height, width), (name, int) or str
        As for `load_image`.
    shape : (height, width)
        Current size of the picture.

    Examples
    --------
    >>> fit_size("512", (1080, 1920))
    (288, 512)
    >>> fit_size((300, 400), (1080, 1920))
    (300, 400)
    """
    height, width = shape
    size = parse_size(size) if isinstance(size, str) else size
    if size is None:
        return scaled_size(shape, math.sqrt(DEFAULT_AREA / (height * width)))
    if isinstance(size, tuple) and size and size[0] in (*SIDES, MAX, LARGEST):
        name, number = size
        if name == LARGEST:
            raise ImageError(
                f"a size of {number}+, the largest that fits into memory, is for the --size of a "
                f"run or a batch; give a number, as in {number}"
            )
        if name == MAX:
            return scaled_size(shape, min(number / max(height, width), 1.0))
        return scaled_size(shape, number / SIDES[name](height, width))
    sides = np.ravel(size).tolist()
    if len(sides) not in (1, 2) or not all(isinstance(side, int) for side in sides):
        raise ImageError(f"`size` is {size!r}; the longer side or (height, width) was expected")
    if len(sides) == 1:
        return scaled_size(shape, sides[0] / max(height, width))
    return _check_size(tuple(sides))


def same_area_size(shape, area_of):
    """Return `shape` scaled to as many pixels as `area_of`, with its aspect ratio."""
    return scaled_size(shape, math.sqrt(area_of[0] * area_of[1] / (shape[0] * shape[1])))


def scaled_size(shape, factor):
    """Return (height, width) times a factor, rounded, after checking the size limits."""
    return _check_size(tuple(round(side * factor) for side in shape))


def _check_size(size):
    height, width = size
    if min(height, width) < MIN_SIDE:
        raise ImageError(
            f"a size of {width}x{height} is too small: each side needs at least {MIN_SIDE} pixels"
        )
    if height * width > MAX_PIXELS:
        side = math.isqrt(MAX_PIXELS)
        raise ImageError(
            f"a size of {width}x{height} is over the limit of {MAX_PIXELS} pixels ({side}x{side}, "
            "for instance)"
        )
    return size


def divisible_size(size, strides):
    """Return the (height, width) nearest to `size` whose sides are divisible by `strides`."""
    return tuple(max(round(side / stride), 1) * stride for side, stride in zip(size, strides))


def resize_picture(picture, size, resample="lanczos", *, crop=False, wrap=None):
    """Resize a picture (H, W, 3) or a mask (H, W), antialiased; stretch or crop it.

    Both are uint8, or float32 that is not rounded: gray levels in 0..255, or a mask in 0..1.
    `wrap` ("x" or "xy") are the axes in which pixels at opposite edges are neighbors.
    """
    if resample not in RESAMPLING:
        raise ImageError(f"`resample` is {resample!r}; choose from {', '.join(RESAMPLING)}")
    if tuple(size) == picture.shape[:2]:
        return picture
    height, width = size
    if picture.dtype == np.float32 and picture.ndim == 3:  # Pillow has floats in gray only
        channels = [picture[..., n] for n in range(picture.shape[2])]
        options = {"crop": crop, "wrap": wrap}
        return np.dstack([resize_picture(c, size, resample, **options) for c in channels])
    if wrap:
        picture, (top, left) = with_opposite_edges(picture, size, wrap)
        box = (left, top, picture.shape[1] - left, picture.shape[0] - top)
        picture = Image.fromarray(picture)
        return np.asarray(picture.resize((width, height), RESAMPLING[resample], box))
    picture = Image.fromarray(picture)
    if crop:
        return np.asarray(ImageOps.fit(picture, (width, height), RESAMPLING[resample]))
    return np.asarray(picture.resize((width, height), RESAMPLING[resample]))


def with_opposite_edges(picture, size, wrap):
    """Return a picture or a mask with what a kernel sees beyond its wrapped edges.

    Parameters
    ----------
    picture : (H, W) or (H, W, N)
    size : (height, width)
        That it is to be resized to.
    wrap : {"x", "xy"}

    Returns
    -------
    array, (rows, columns)
        The latter were added on each side.
    """
    margins = [
        TAPS * math.ceil(max(length / new, 1)) if axis in wrap else 0
        for axis, length, new in zip("yx", picture.shape, size)
    ]
    around = [(margin, margin) for margin in margins] + [(0, 0)] * (picture.ndim - 2)
    return np.pad(picture, around, "wrap"), margins
