"""Masks: the regions of the picture where a style acts.

A mask is (H, W) float32 in [0, 1]; the style acts where it is 1 (white in a file), as in
tutorial 2. A guide is the mask of a layer: (1, H_l, W_l, 1).
"""

import numpy as np

from nst_tf.console import print_line
from nst_tf.errors import ImageError
from nst_tf.image.mask_files import mask_levels
from nst_tf.image.pixels import like
from nst_tf.image.sizes import fit_size, resize_picture

ASPECT_TOLERANCE = 0.02  # a mask drawn at another resolution may differ by a rounded pixel


def load_mask(
    path,
    size=None,
    *,
    picture_size=None,
    binary=False,
    inverted=False,
    crop=False,
    say=print_line,
):
    """Read a mask file: white where the style acts, black where it does not, gray in between.

    Parameters
    ----------
    path : path
        Any picture file; see `nst_tf.image.mask_files.mask_levels` for what is understood.
    size : (height, width), int or str, optional
        Size of the image that the mask is for, as for `load_image`; the mask is resized to it.
        Default: the size of the file.
    picture_size : (height, width), optional
        Size of the picture file that the mask belongs to, to detect a mask of another aspect
        ratio. Default: `size`.
    binary : bool
        Threshold at one half, as tutorial 2's code does. Otherwise gray makes a soft mask.
    inverted : bool
        Invert the mask, to select the rest of the picture.
    crop : bool
        As for `load_image`, if the picture was cropped.
    say : callable or None
        Called with one line about what was assumed, if anything was, and about a mask that
        changes nothing.

    Returns
    -------
    (H, W) float32 in [0, 1]

    Raises
    ------
    ImageError
        The file is not a picture, is not clear, is all black, or differs from the picture in
        aspect ratio.
    """
    levels, remarks = mask_levels(path)
    if size is not None:
        size = fit_size(size, picture_size or levels.shape)
    check_aspect("mask", path, levels.shape, picture_size or (None if crop else size))
    mask = fit_mask(levels, size, binary=binary, crop=crop)
    mask = 1 - mask if inverted else mask
    if not mask.any():
        color = "white and inverted" if inverted else "black"
        raise ImageError(f"the mask {path} is all {color}, so it would act nowhere")
    if remarks and say:
        say(f"the mask {path}: {'; '.join(remarks)}")
    return mask


def fit_mask(levels, size, *, binary=False, crop=False):
    """Return gray levels (H, W) uint8 as a mask of a given (height, width), or of their size."""
    if size is not None:  # antialiased, without overshoot
        levels = resize_picture(levels, size, "bilinear", crop=crop)
    mask = levels.astype(np.float32) / 255
    return (mask >= 0.5).astype(np.float32) if binary else mask


def check_aspect(kind, path, shape, expected):
    """Raise `ImageError` if a "mask" or "map" of a picture has another aspect ratio."""
    if expected is None:
        return
    (height, width), (picture_height, picture_width) = shape, expected
    stretch = (width / height) / (picture_width / picture_height)
    if abs(stretch - 1) > ASPECT_TOLERANCE:
        raise ImageError(
            f"the {kind} {path} has {width}x{height} pixels, its picture "
            f"{picture_width}x{picture_height}: draw it on the picture, in the same shape"
        )


def keep_content(picture, content_picture, mask):
    """Paste the photograph back where the mask is black (tutorial 2: black keeps the content).

    The style still acts some pixels beyond the edge of its mask, and content and total variation
    act everywhere; this restores the exact pixels of the photograph.

    Parameters
    ----------
    picture, content_picture : (H, W, 3) uint8
        `picture` may also be float32, gray levels in 0..255 that are not rounded.
    mask : (H, W) float in [0, 1]
        Values in between mix the two.

    Returns
    -------
    (H, W, 3) of the dtype of `picture`
    """
    if not picture.shape[:2] == content_picture.shape[:2] == np.shape(mask):
        raise ImageError(
            f"the picture has shape {picture.shape[:2]}, the content {content_picture.shape[:2]} "
            f"and the mask {np.shape(mask)}; they must be the same"
        )
    share = np.asarray(mask, np.float32)[..., np.newaxis]
    return like(picture, share * picture + (1 - share) * content_picture)
