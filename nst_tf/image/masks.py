"""Masks: where a style acts, in the picture and at each layer.

A mask is (H, W) float32 in [0, 1]; 1 (white in a file) means that the style acts here, as in
tutorial 2. A guide is the same at a layer: (1, H_l, W_l, 1).
"""

import numpy as np

from nst_tf.errors import ImageError
from nst_tf.image.io import read_picture
from nst_tf.image.sizes import fit_size, resize_picture

ASPECT_TOLERANCE = 0.02  # a mask drawn at another resolution may be off by a rounded pixel


def load_mask(path, size=None, *, picture_size=None, binary=False, inverted=False, crop=False):
    """Read a mask file: white where the style acts, black where it does not, grey in between.

    Parameters
    ----------
    path : path
        Any picture file; colours are brought to grey, what is transparent is black.
    size : (height, width), int or str, optional
        Of the image that the mask is for, as for `load_image`; the mask is resized to it.
        Default: its own.
    picture_size : (height, width), optional
        Of the picture file that the mask was drawn for, to notice a mask that was drawn for
        another one. Default: `size`.
    binary : bool
        Turn grey into black and white, below and from half on, as tutorial 2's code does.
        Without it grey is a soft mask.
    inverted : bool
        Take black for white: the rest of the picture.
    crop : bool
        As for `load_image`, where the mask's picture was cropped.

    Returns
    -------
    (H, W) float32 in [0, 1]

    Raises
    ------
    ImageError
        The file is no picture, all black, or of another shape than the picture.
    """
    picture = read_picture(path, background="black")
    if size is not None:
        size = fit_size(size, picture_size or picture.shape[:2])
    _check_aspect(path, picture.shape[:2], picture_size or (None if crop else size))
    if size is not None:  # antialiased, and never beyond 0..1
        picture = resize_picture(picture, size, "bilinear", crop=crop)
    mask = picture.astype(np.float32).mean(axis=2) / 255
    mask = (mask >= 0.5).astype(np.float32) if binary else mask
    mask = 1 - mask if inverted else mask
    if not mask.any():
        color = "white and inverted" if inverted else "black"
        raise ImageError(f"the mask {path} is all {color}, so the style would act nowhere")
    return mask


def _check_aspect(path, shape, expected):
    if expected is None:
        return
    (height, width), (wanted_height, wanted_width) = shape, expected
    stretch = (width / height) / (wanted_width / wanted_height)
    if abs(stretch - 1) > ASPECT_TOLERANCE:
        raise ImageError(
            f"the mask {path} has {width}x{height} pixels, its picture "
            f"{wanted_width}x{wanted_height}: draw it on the picture, in the same shape"
        )


def keep_content(picture, content_picture, mask):
    """Paste the photograph back where the mask is black (tutorial 2: black keeps the content).

    The style's own pull ends some pixels beyond a mask's edge, and content and total variation
    act everywhere; this keeps the photograph to the letter.

    Parameters
    ----------
    picture, content_picture : (H, W, 3) uint8
    mask : (H, W) float in [0, 1]
        Grey mixes the two.

    Returns
    -------
    (H, W, 3) uint8
    """
    if not picture.shape[:2] == content_picture.shape[:2] == np.shape(mask):
        raise ImageError(
            f"the picture has shape {picture.shape[:2]}, the content {content_picture.shape[:2]} "
            f"and the mask {np.shape(mask)}; they must be alike"
        )
    share = np.asarray(mask, np.float32)[..., np.newaxis]
    mixed = share * picture + (1 - share) * content_picture
    return np.rint(mixed).astype(np.uint8)
