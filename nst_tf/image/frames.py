"""Detect and crop the frame of a painting.

Frames and the borders of scans enter the style statistics and reappear as bars.
"""

import numpy as np

from nst_tf.image.sizes import resize_picture

SHORT_SIDE = 256  # pixels of the reduced picture in which edges are detected
MAX_LONG_SIDE = 1024
MAX_FRAME = 0.1  # fraction of width or height
STRIP_WIDTH = 2  # pixels: an edge is the difference of two strips of this width
# 1 for an edge that is the same along the whole side; painted contours have 0.5 at most.
MIN_STRAIGHTNESS = 0.6
MIN_STEP = 8.0  # gray levels
EDGE_MARGIN = 0.01  # fraction of width or height to cut inside the edge, which is not sharp


def without_frame(picture, margin=None):
    """Crop the frame of a picture, or a margin of a given width.

    Parameters
    ----------
    picture : (H, W, 3) uint8
    margin : float, optional
        The fraction of width and height to crop at each side. Default: the widths that
        `frame_widths` detects.
    """
    height, width = picture.shape[:2]
    left, right, top, bottom = frame_widths(picture) if margin is None else [margin] * 4
    rows = slice(round(height * top), height - round(height * bottom))
    return picture[rows, round(width * left) : width - round(width * right)]


def frame_widths(picture):
    """Return the widths of a picture's frame at its left, right, top and bottom.

    A frame ends at a straight edge along a whole side: there, the step from one strip of pixels
    to the next is nearly the same in every row. Its straightness is ``|mean step| / RMS step``.
    The straightest edge is used: for a frame within the border of a scan, that is the border.

    Parameters
    ----------
    picture : (H, W, 3) uint8

    Returns
    -------
    list of four floats
        Fractions of width and height, from 0 (no frame) to ``MAX_FRAME + EDGE_MARGIN``.
    """
    height, width = picture.shape[:2]
    factor = SHORT_SIDE / min(height, width)
    size = tuple(min(max(round(length * factor), 1), MAX_LONG_SIDE) for length in (height, width))
    small = resize_picture(picture, size).astype(np.float32)
    turned = small.swapaxes(0, 1)
    return [_frame_width(side) for side in (small, small[:, ::-1], turned, turned[:, ::-1])]


def _frame_width(picture):
    """Return the width of the frame at the left of a picture, as a fraction of the width."""
    stop = max(round(picture.shape[1] * MAX_FRAME), STRIP_WIDTH + 1)
    columns = np.arange(STRIP_WIDTH, stop)
    strips = np.stack([picture[:, left : left + STRIP_WIDTH].mean(1) for left in range(stop)], 1)
    steps = strips[:, columns] - strips[:, columns - STRIP_WIDTH]  # (H, columns, 3)
    mean = np.linalg.norm(steps.mean(0), axis=-1)
    rms = np.sqrt(np.square(steps).sum(-1).mean(0))
    straightness = np.where(mean > MIN_STEP, mean / np.maximum(rms, MIN_STEP), 0)
    straightest = np.argmax(straightness)
    if straightness[straightest] < MIN_STRAIGHTNESS:
        return 0.0
    return float(columns[straightest] / picture.shape[1] + EDGE_MARGIN)
