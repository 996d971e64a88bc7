"""Masks: where a style acts, in the picture and at each layer.

A mask is (H, W) float32 in [0, 1]; 1 (white in a file) means that the style acts here, as in
tutorial 2. A guide is the same at a layer: (1, H_l, W_l, 1).
"""

import numpy as np
import tensorflow as tf

from nst_tf.errors import ImageError, check_choice
from nst_tf.images import fit_size, read_picture, resize_picture
from nst_tf.trunks import check_layers

PROPAGATION = ("simple", "inside", "all")
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


def layer_guides(model, mask, layers, propagation="simple"):
    """Bring a mask to the layers: Gatys et al. 2017, section 4.1, "guidance channels".

    Parameters
    ----------
    model : Trunk
    mask : (H, W) float32
    layers : iterable of str
    propagation : {"simple", "inside", "all"}
        "simple" averages the mask over the pixels that a position stands for: at a stride of 16,
        cells of 16x16, cut off at the picture's border, as the pools cut it. "inside" keeps only positions whose whole
        receptive field lies under the mask, so that nothing from outside is measured. "all"
        keeps every position that sees any of it. A receptive field is 3 pixels wide at conv1_1
        and 156 at VGG-19's conv5_1: "simple" lets a style reach half of that past a mask's edge.

    Returns
    -------
    dict of (1, H_l, W_l, 1)

    Raises
    ------
    ImageError
        "inside" leaves nothing at a layer: the region is smaller than the receptive field.
    """
    check_choice("propagation", propagation, PROPAGATION)
    layers = check_layers(model, layers)
    mask = tf.constant(mask, tf.float32)[tf.newaxis, ..., tf.newaxis]  # (1, H, W, 1)
    guides = {}
    seen, unseen = mask, 1 - mask  # the most white, and the most black, that a position sees
    white, pixels = mask, tf.ones_like(mask)  # how much white, and how many pixels, in its cell
    for name, layer in model.items():
        seen, unseen = layer.reach(seen), layer.reach(unseen)
        white, pixels = layer.shrunk(white), layer.shrunk(pixels)
        if name in layers:
            kinds = {"simple": white / pixels, "inside": 1 - unseen, "all": seen}
            guides[name] = kinds[propagation]
    for name, guide in guides.items():
        if not tf.reduce_any(guide > 0):
            raise ImageError(
                f"no receptive field of {name} lies inside a mask: the region is too small for "
                "this layer; take shallower layers or the propagation simple"
            )
    return guides


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
