"""Convert between pictures and the pixel space of a network."""

from dataclasses import dataclass

import numpy as np

from nst_tf.errors import ImageError

LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, the Y of YIQ
STRIP = 64  # rows converted at a time


@dataclass(frozen=True)
class PixelSpace:
    """Pixel normalization of a trunk: RGB in 0..255 minus `mean`, divided by `std`.

    The default is the mean of VGG's training pictures, without scaling (Simonyan & Zisserman 2015;
    `MEAN_VALUES` in tutorial 0). Without mean subtraction, the input is far brighter than any
    training picture.
    """

    mean: tuple[float, float, float] = (123.68, 116.779, 103.939)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def to_image(self, picture):
        """Convert a picture (H, W, 3) in 0..255 to an image (1, H, W, 3) float32."""
        pixels = np.asarray(picture, np.float32) - np.float32(self.mean)
        return (pixels / np.float32(self.std))[np.newaxis]

    def to_picture(self, image, dtype=np.uint8):
        """Convert an image (1, H, W, 3) to a picture (H, W, 3) uint8.

        Rounds; tutorial 0 truncates, which darkens every pixel by half a step on average. With
        the dtype float32 the gray levels are not rounded.
        """
        pixels = np.asarray(image, np.float32)[0]
        picture = np.empty(pixels.shape, dtype)
        for top in range(0, len(pixels), STRIP):  # temporary copies dominate memory use
            strip = slice(top, top + STRIP)
            levels = pixels[strip] * np.float32(self.std) + np.float32(self.mean)
            levels = np.clip(levels, 0, 255)
            picture[strip] = np.rint(levels) if dtype == np.uint8 else levels
        return picture

    def to_gray(self, image):
        """Return an image (1, H, W, 3) in gray: red, green and blue are its luma."""
        mean, std = np.float32(self.mean), np.float32(self.std)
        luma = (np.asarray(image, np.float32) * std + mean) @ np.float32(LUMA)
        return (luma[..., np.newaxis] - mean) / std

    @property
    def bounds(self):
        """The values of black and white in this space: two float32 arrays (3,)."""
        mean, std = np.float32(self.mean), np.float32(self.std)
        return -mean / std, (255 - mean) / std

    @property
    def scale(self):
        """Gray levels per unit, averaged over the channels: 1.0 for VGG."""
        return float(np.mean(self.std))


VGG_PIXELS = PixelSpace()
UNIT_PIXELS = PixelSpace(mean=(0.0, 0.0, 0.0), std=(255.0, 255.0, 255.0))  # tutorial 3 of 2021


def recover_image(image, space=VGG_PIXELS, *, bits=8):
    """Add the mean back, clip to 0..255 and round (tutorial 0).

    Parameters
    ----------
    image : (1, H, W, 3) float32
        In the pixel space `space`.
    space : PixelSpace
        Usually `model.space`.
    bits : {8, 16}
        Of each channel.

    Returns
    -------
    (H, W, 3) uint8, or uint16 for 16 bits

    Raises
    ------
    ImageError
        `image` is not an image, for instance already a picture.

    Examples
    --------
    >>> import numpy as np
    >>> recover_image(np.zeros((1, 32, 32, 3), np.float32))[0, 0]  # the mean of ImageNet, RGB
    array([124, 117, 104], dtype=uint8)
    """
    check_image("image", image)
    if bits == 8:
        return space.to_picture(image)
    return quantized(space.to_picture(image, np.float32), bits)


def quantized(levels, bits):
    """Round gray levels (H, W, 3) in 0..255 to a picture of 8 or 16 bits per channel."""
    picture = np.empty(levels.shape, np.uint8 if bits == 8 else np.uint16)
    for top in range(0, len(levels), STRIP):
        strip = levels[top : top + STRIP].astype(np.float64)
        picture[top : top + STRIP] = np.rint(strip * (np.iinfo(picture.dtype).max / 255))
    return picture


def with_bits(picture, bits):
    """Return a picture (H, W, 3) uint8 or uint16 with 8 or 16 bits per channel."""
    if 8 * picture.dtype.itemsize == bits:
        return picture
    return quantized(picture if bits == 16 else picture / np.float32(257), bits)


def like(picture, levels):
    """Return gray levels in the dtype of a picture: rounded if it is uint8."""
    return np.rint(levels).astype(np.uint8) if picture.dtype == np.uint8 else np.float32(levels)


def check_image(name, image):
    """Raise `ImageError` unless `image` is (1, H, W, 3) of floats."""
    shape = tuple(image.shape) if hasattr(image, "shape") else np.shape(image)
    if len(shape) != 4 or shape[0] != 1 or shape[3] != 3 or 0 in shape:
        raise ImageError(
            f"`{name}` has shape {shape}; (1, height, width, 3) was expected: "
            "pass the second value of load_image"
        )
    dtype = getattr(image, "dtype", None) or np.asarray(image).dtype
    dtype_name = getattr(dtype, "name", str(dtype))
    if "float" not in dtype_name:
        raise ImageError(
            f"`{name}` has type {dtype_name}; floats in the trunk's pixel space were "
            "expected: pass the second value of load_image"
        )


def check_mask(name, mask, shape):
    """Raise `ImageError` unless `mask` is None or has `shape` and values in 0..1, not all 0."""
    if mask is None:
        return
    mask = np.asarray(mask)
    if mask.shape != tuple(shape):
        raise ImageError(
            f"`{name}` has shape {mask.shape}, its picture {tuple(shape)} pixels; "
            "resize it with load_mask(path, size)"
        )
    if not (mask.min() >= 0 and mask.max() <= 1):  # `not`: rejects NaN too
        raise ImageError(
            f"`{name}` has values from {mask.min():g} to {mask.max():g}; 0 to 1 was expected"
        )
    if not mask.any():
        raise ImageError(f"`{name}` is 0 everywhere; mark at least one pixel, or pass no mask")
