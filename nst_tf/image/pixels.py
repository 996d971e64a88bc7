"""The numbers that a network takes for pixels, and back to a picture."""

from dataclasses import dataclass

import numpy as np

from nst_tf.errors import ImageError

STRIP = 64  # rows that are converted together


@dataclass(frozen=True)
class PixelSpace:
    """The numbers that a trunk takes for pixels: RGB in 0..255 minus `mean`, divided by `std`.

    The default is the mean of the pictures that VGG was trained on, not scaled (Simonyan &
    Zisserman 2015; `MEAN_VALUES` in tutorial 0). A network fed without it sees a picture far
    brighter than any that it knows.
    """

    mean: tuple[float, float, float] = (123.68, 116.779, 103.939)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def to_image(self, picture):
        """Turn a picture (H, W, 3) in 0..255 into an image (1, H, W, 3) float32."""
        pixels = np.asarray(picture, np.float32) - np.float32(self.mean)
        return (pixels / np.float32(self.std))[np.newaxis]

    def to_picture(self, image):
        """Turn an image (1, H, W, 3) into a picture (H, W, 3) uint8.

        Rounds; tutorial 0 truncates, which darkens every pixel by half a step on average.
        """
        pixels = np.asarray(image, np.float32)[0]
        picture = np.empty(pixels.shape, np.uint8)
        for top in range(0, len(pixels), STRIP):  # a large picture's copies are what fills memory
            strip = slice(top, top + STRIP)
            levels = pixels[strip] * np.float32(self.std) + np.float32(self.mean)
            picture[strip] = np.rint(np.clip(levels, 0, 255))
        return picture

    @property
    def bounds(self):
        """The images of black and of white: two float32 arrays (3,)."""
        mean, std = np.float32(self.mean), np.float32(self.std)
        return -mean / std, (255 - mean) / std

    @property
    def scale(self):
        """Grey levels a unit, averaged over the channels: 1.0 for VGG."""
        return float(np.mean(self.std))


VGG_PIXELS = PixelSpace()
UNIT_PIXELS = PixelSpace(mean=(0.0, 0.0, 0.0), std=(255.0, 255.0, 255.0))  # tutorial 3 of 2021


def recover_image(image, space=VGG_PIXELS):
    """Add the mean back, clip to 0..255 and round (tutorial 0).

    Parameters
    ----------
    image : (1, H, W, 3) float32
        In the pixel space `space`.
    space : PixelSpace
        Usually `model.space`.

    Returns
    -------
    (H, W, 3) uint8

    Raises
    ------
    ImageError
        It is a picture already.
    """
    check_image("image", image)
    return space.to_picture(image)


def check_image(name, image):
    """Refuse what is no image (1, H, W, 3) of floats, before the network does in its own words."""
    shape = tuple(image.shape) if hasattr(image, "shape") else np.shape(image)
    if len(shape) != 4 or shape[0] != 1 or shape[3] != 3:
        raise ImageError(
            f"`{name}` has shape {shape}; (1, height, width, 3) was expected: "
            "pass the second value of load_image"
        )
    kind = getattr(image, "dtype", None) or np.asarray(image).dtype
    if "float" not in getattr(kind, "name", str(kind)):
        raise ImageError(
            f"`{name}` holds {getattr(kind, 'name', kind)}; floats in the trunk's pixel space were "
            "expected: pass the second value of load_image"
        )


def check_mask(name, mask, shape):
    """Refuse what is no mask (height, width) in 0..1 for a picture of `shape`; None is fine."""
    if mask is None:
        return
    mask = np.asarray(mask)
    if mask.shape != tuple(shape):
        raise ImageError(
            f"`{name}` has shape {mask.shape}, its picture {tuple(shape)} pixels; "
            "load_mask(path, size) makes it fit"
        )
    if not (mask.min() >= 0 and mask.max() <= 1):  # said so that NaN is refused too
        raise ImageError(
            f"`{name}` has values from {mask.min():g} to {mask.max():g}; 0 to 1 was expected"
        )
    if not mask.any():
        raise ImageError(f"`{name}` is 0 everywhere; mark at least one pixel, or pass no mask")
