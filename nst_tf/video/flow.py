"""Optical flow between frames, and the pixels where it is unknown.

A flow, (H, W, 2) float32, is the displacement of each pixel of one frame to its position in
another: to the right and down, in pixels.
"""

from dataclasses import dataclass, field
from importlib.util import find_spec

import numpy as np
from scipy.ndimage import map_coordinates

from nst_tf.errors import ConfigError
from nst_tf.image.pixels import LUMA

# Ruder, Dosovitskiy & Brox 2016, "Temporal consistency loss"; from Sundaram, Brox & Keutzer 2010.
HIDDEN_SHARE, HIDDEN_LEAST = 0.01, 0.5
BOUNDARY_SHARE, BOUNDARY_LEAST = 0.01, 0.002


@dataclass(frozen=True)
class Motion:
    """The motion between an earlier frame and a frame.

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
        """Pixels that can be compared with the earlier frame: (H, W) bool."""
        return ~(self.hidden | self.boundary)


def find_motion(earlier, frame, flow):
    """Return the `Motion` between an earlier frame and a frame, both (H, W, 3) uint8.

    `flow` is as from `find_flow`: ``flow(first, second)`` returns the flow from `first` to
    `second`.
    """
    return check_motion(flow(earlier, frame), flow(frame, earlier))


def check_motion(forward, backward):
    """Return the `Motion` of two flows: a pixel is hidden where they are not inverse.

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
        "Temporal consistency loss". Pixels outside of the earlier frame are hidden, too.
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
    """Return the pixels whose flow leads out of the picture: (H, W) bool.

    The border is half a pixel beyond the centers of the outermost pixels. Otherwise, an error of a
    hundredth of a pixel would hide a whole row.
    """
    height, width = flow.shape[:2]
    rows, columns = _places(flow) + 0.5
    return (rows < 0) | (rows > height) | (columns < 0) | (columns > width)


def warp(values, flow):
    """Return ``values(p + flow(p))`` at each pixel p, with bilinear interpolation.

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
    """Return the rows and columns that a flow points to: (2, H, W)."""
    rows, columns = np.indices(flow.shape[:2], np.float32)
    return np.stack([rows + flow[..., 1], columns + flow[..., 0]])


# ---------------------------------------------------------------------------- estimation


def _dis(first, second):
    """Return the flow by dense inverse search (Kroeger et al. 2016), from OpenCV."""
    import cv2

    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)  # full size, twice the preset's: sharper motion boundaries
    return search.calc(_gray(first), _gray(second), None)


def _tvl1(first, second):
    """Return the flow by TV-L1 (Zach et al. 2007), from scikit-image."""
    from skimage.registration import optical_flow_tvl1

    down, right = optical_flow_tvl1(_gray(first), _gray(second))
    return np.stack([right, down], -1).astype(np.float32)


def _gray(picture):
    return np.rint(picture @ LUMA).astype(np.uint8)


FLOWS = {"dis": (_dis, "cv2"), "tvl1": (_tvl1, "skimage")}  # name -> function, its module


def find_flow(name):
    """Return the function that estimates flow; for "auto", the first installed one of `FLOWS`.

    Returns
    -------
    callable or None
        ``(first, second) -> flow`` for pictures (H, W, 3) uint8; None if `name` is "none".

    Raises
    ------
    ConfigError
        The package is not installed.
    """
    if name == "none":
        return None
    for function, module in FLOWS.values() if name == "auto" else [FLOWS[name]]:
        if find_spec(module) is not None:
            return function
    raise ConfigError(
        f"the optical flow {name} needs {'scikit-image' if name == 'tvl1' else 'OpenCV'}: `python "
        "-m pip install -r requirements-film.txt`; --flow none paints each frame separately, but "
        "the film flickers"
    )
