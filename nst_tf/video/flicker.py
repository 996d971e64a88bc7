"""Flicker: how much painted frames change where the scene does not change."""

import numpy as np

from nst_tf.video.flow import warp


def warping_error(before, frame, motion):
    """Return how much a painted frame differs from the previous one, moved along the motion.

    Parameters
    ----------
    before, frame : (H, W, 3)
        Two consecutive painted frames, in gray levels.
    motion : Motion
        The motion between them. Pixels that `before` does not show are ignored.

    Returns
    -------
    float
        The root mean square difference in gray levels: the square root of the warping error of
        Lai et al. 2018 (arXiv 1808.00449) between two frames. NaN if all pixels are ignored.
    """
    seen = ~motion.hidden
    if not seen.any():
        return float("nan")
    difference = np.asarray(frame, np.float32) - warp(before, motion.backward)
    return float(np.sqrt(np.mean(np.square(difference[seen]))))


def flicker(frames, motions):
    """Return the warping error of each pair of consecutive frames, as an array.

    `motions` has one `Motion` for each frame except the first.
    """
    pairs = zip(frames, frames[1:], motions)
    return np.array([warping_error(before, frame, motion) for before, frame, motion in pairs])
