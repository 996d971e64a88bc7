"""The frame of a painting: where it ends, and the painting without it.

Frames and the borders of scans are part of a style's statistics: they come back as bars.
"""

import numpy as np

from nst_tf.image.sizes import resize_picture

SHORT_SIDE = 256  # pixels of the picture in which edges are looked for
LONG_SIDE = 1024  # at most
DEEPEST = 0.1  # of width or height: no frame is wider
REACH = 2  # pixels: an edge is the difference of two strips of this width
# Of an edge that is the same along the whole side, this is 1; painted contours have 0.5 at most.
STRAIGHT = 0.6
STRONG = 8.0  # grey levels of a step at least
BLURRED = 0.01  # of width or height: cut inside the edge, which is not sharp


def without_frame(picture, margin=None):
    """Return a picture without its frame, or without a margin of a given width.

    Parameters
    ----------
    picture : (H, W, 3) uint8
    margin : float, optional
        The share of width and height that is left out at each side; default: what
        `frame_widths` finds.
    """
    height, width = picture.shape[:2]
    left, right, top, bottom = frame_widths(picture) if margin is None else [margin] * 4
    rows = slice(round(height * top), height - round(height * bottom))
    return picture[rows, round(width * left) : width - round(width * right)]


def frame_widths(picture):
    """Return how wide a picture's frame is at its left, right, top and bottom.

    A frame ends at a straight edge along a whole side: there, the step from one strip of pixels
    to the next is much the same in every row. Its straightness is ``|mean step| / RMS step``.
    The straightest edge counts: of a frame within the border of a scan, the border is found.

    Parameters
    ----------
    picture : (H, W, 3) uint8

    Returns
    -------
    list of four floats
        Shares of width and height, from 0 (no frame) to `DEEPEST` and `BLURRED` together.
    """
    height, width = picture.shape[:2]
    factor = SHORT_SIDE / min(height, width)
    size = tuple(min(max(round(length * factor), 1), LONG_SIDE) for length in (height, width))
    small = resize_picture(picture, size).astype(np.float32)
    upright = small.swapaxes(0, 1)
    return [_frame_width(side) for side in (small, small[:, ::-1], upright, upright[:, ::-1])]


def _frame_width(picture):
    """Return how wide the frame is at the left of a picture, as a share of the width."""
    deepest = max(round(picture.shape[1] * DEEPEST), REACH + 1)
    depths = np.arange(REACH, deepest)
    strips = np.stack([picture[:, depth : depth + REACH].mean(1) for depth in range(deepest)], 1)
    steps = strips[:, depths] - strips[:, depths - REACH]  # (H, depths, 3)
    mean = np.linalg.norm(steps.mean(0), axis=-1)
    typical = np.sqrt(np.square(steps).sum(-1).mean(0))
    straightness = np.where(mean > STRONG, mean / np.maximum(typical, STRONG), 0)
    straightest = np.argmax(straightness)
    if straightness[straightest] < STRAIGHT:
        return 0.0
    return float(depths[straightest] / picture.shape[1] + BLURRED)
