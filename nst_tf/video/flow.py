"""Optical flow: how one frame is found in another, and where it can't be.

A flow (H, W, 2) float32 leads from each pixel of one frame to where it is in another: to the right
and down, in pixels.
"""

from dataclasses import dataclass, field
from importlib.util import find_spec

import numpy as np
from scipy.ndimage import map_coordinates

from nst_tf.errors import ConfigError
from nst_tf.image.color import LUMA

# Ruder, Dosovitskiy & Brox 2016, "Temporal consistency loss"; from Sundaram, Brox & Keutzer 2010.
HIDDEN_SHARE, HIDDEN_LEAST = 0.01, 0.5
BOUNDARY_SHARE, BOUNDARY_LEAST = 0.01, 0.002


@dataclass(frozen=True)
class Motion:
    """How a frame is found in an earlier one.

    Attributes
    ----------
    backward : (H, W, 2) float32
        Flow from the frame to the earlier one.
    hidden : (H, W) bool
        Pixels that the earlier frame does not show.
    boundary : (H, W) bool
        Pixels near the edge of a moving object, where the flow is uncertain.
    """

    backward: np.ndarray = field(repr=False)
    hidden: np.ndarray = field(repr=False)
    boundary: np.ndarray = field(repr=False)

    @property
    def counts(self):
        """Where the earlier frame says how this one should look: (H, W) bool."""
        return ~(self.hidden | self.boundary)


def find_motion(earlier, frame, flow):
    """Return the `Motion` from an earlier frame to a frame, pictures (H, W, 3) uint8.

    `flow` is one of `FLOWS`: ``flow(first, second)`` leads from `first` to `second`.
    """
    return check_motion(flow(earlier, frame), flow(frame, earlier))


def check_motion(forward, backward):
    """Return the `Motion` of two flows that should undo each other.

    Parameters
    ----------
    forward, backward : (H, W, 2) float32
        w, from the earlier frame to this one, and w^, from this frame to the earlier one.

    Returns
    -------
    Motion
        With w~ = w(p + w^(p)), a pixel p is hidden in the earlier frame if
        ``|w~ + w^|^2 > 0.01 (|w~|^2 + |w^|^2) + 0.5``, and on a motion boundary if
        ``|grad u^|^2 + |grad v^|^2 > 0.01 |w^|^2 + 0.002`` for w^ = (u^, v^): Ruder et al. 2016,
        "Temporal consistency loss". What lies beyond the earlier frame's border is hidden, too.
    """
    there = warp(forward, backward)
    energy = np.square(there).sum(-1) + np.square(backward).sum(-1)
    gap = np.square(there + backward).sum(-1)
    hidden = gap > HIDDEN_SHARE * energy + HIDDEN_LEAST
    slopes = sum(np.square(slope).sum(-1) for slope in np.gradient(backward, axis=(0, 1)))
    size = np.square(backward).sum(-1)
    boundary = slopes > BOUNDARY_SHARE * size + BOUNDARY_LEAST
    return Motion(backward, hidden | beyond_border(backward), boundary)


def beyond_border(flow):
    """Return where a flow leads out of the picture: (H, W) bool.

    The outermost pixels reach half a pixel beyond their centers; without this, an error of a
    hundredth of a pixel would hide a whole row.
    """
    height, width = flow.shape[:2]
    rows, columns = _places(flow) + 0.5
    return (rows < 0) | (rows > height) | (columns < 0) | (columns > width)


def warp(values, flow):
    """Return what a flow leads to: ``values(p + flow(p))``, between pixels by bilinear weights.

    Parameters
    ----------
    values : (H, W, N)
    flow : (H, W, 2)

    Returns
    -------
    (H, W, N) float32
        Beyond the border, the outermost pixels are repeated.
    """
    values, places = np.asarray(values, np.float32), _places(flow)
    channels = [
        map_coordinates(values[..., n], places, order=1, mode="nearest")
        for n in range(values.shape[2])
    ]
    return np.stack(channels, -1)


def _places(flow):
    """Return the rows and columns that a flow leads to: (2, H, W)."""
    rows, columns = np.indices(flow.shape[:2], np.float32)
    return np.stack([rows + flow[..., 1], columns + flow[..., 0]])


# ---------------------------------------------------------------------------- estimation


def _dis(first, second):
    """Dense inverse search (Kroeger et al. 2016), of OpenCV."""
    import cv2

    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)  # at the frame's own size: twice the preset's, for sharp boundaries
    return search.calc(_gray(first), _gray(second), None)


def _tvl1(first, second):
    """Total variation with an L1 data term (Zach et al. 2007), of scikit-image."""
    from skimage.registration import optical_flow_tvl1

    down, right = optical_flow_tvl1(_gray(first), _gray(second))
    return np.stack([right, down], -1).astype(np.float32)


def _gray(picture):
    return np.rint(picture @ LUMA).astype(np.uint8)


FLOWS = {"dis": (_dis, "cv2"), "tvl1": (_tvl1, "skimage")}  # name -> function, its module


def find_flow(name):
    """Return the function that estimates flow; of "auto", the first of `FLOWS` that is installed.

    Returns
    -------
    callable or None
        ``(first, second) -> flow`` for pictures (H, W, 3) uint8; None for the name "none".

    Raises
    ------
    ConfigError
        Its package is not installed.
    """
    if name == "none":
        return None
    for function, module in FLOWS.values() if name == "auto" else [FLOWS[name]]:
        if find_spec(module) is not None:
            return function
    raise ConfigError(
        f"the optical flow {name} needs {'scikit-image' if name == 'tvl1' else 'OpenCV'}: `python "
        "-m pip install -r requirements-film.txt`; --flow none paints each frame by itself, and "
        "the film flickers"
    )
