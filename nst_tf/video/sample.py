"""A clip with known motion: a pan over a sample photograph, with an object in front of it."""

import itertools
from dataclasses import dataclass, field

import numpy as np

from nst_tf.image.io import read_picture
from nst_tf.image.sizes import resize_picture
from nst_tf.samples import SAMPLE_PAIR
from nst_tf.video.flow import Motion, beyond_border, find_motion

PAN = np.array([2, 1])  # motion of the view in pixels per frame, to the right and down
OBJECT = np.array([5, 0])  # motion of the object over the photograph in pixels per frame


@dataclass(frozen=True)
class SampleClip:
    """Frames and their true motion.

    Attributes
    ----------
    frames : list of (H, W, 3) uint8
    motions : list of Motion
        The motion of each frame except the first, relative to the previous frame.
    """

    frames: list[np.ndarray] = field(repr=False)
    motions: list[Motion] = field(repr=False)


def sample_clip(count=8, size=(144, 256)):
    """Return a clip with `count` frames of `size` (height, width).

    The view pans over the sample photograph by whole pixels. An ellipse with a mirrored negative of
    the photograph moves across it, and covers and uncovers the background.
    """
    height, width = size
    reach = PAN * (count - 1)
    scene = resize_picture(_photograph(), (height + reach[1], width + reach[0]), crop=True)
    frames, shapes = [], []
    for number in range(count):
        left, top = PAN * number
        frame = scene[top : top + height, left : left + width].copy()
        shape, thing = _object(scene, size, number)
        frame[shape] = thing[shape]
        frames.append(frame)
        shapes.append(shape)
    motions = [_motion(before, shape) for before, shape in itertools.pairwise(shapes)]
    return SampleClip(frames, motions)


def flow_figures(clip, flow):
    """Return how well a flow finds the motion of a clip.

    Parameters
    ----------
    clip : SampleClip
    flow : callable
        As from `find_flow`.

    Returns
    -------
    dict of float
        "mean", "median" and "95 %": the end-point error in pixels, where nothing is hidden.
        "precision": the share of the pixels not in `Motion.counts` that the previous frame does
        not show. "recall": the share of the pixels that the previous frame does not show that are
        not in `Motion.counts`. "precision, hidden" and "recall, hidden": the same for
        `Motion.hidden`.
    """
    errors, marked, hidden, truth = [], [], [], []
    for pair, true in zip(itertools.pairwise(clip.frames), clip.motions):
        found = find_motion(*pair, flow)
        error = np.linalg.norm(found.backward - true.backward, axis=-1)
        errors.append(error[~true.hidden])
        marked.append(~found.counts)
        hidden.append(found.hidden)
        truth.append(true.hidden)
    errors, marked, hidden, truth = np.concatenate(errors), *map(np.array, (marked, hidden, truth))
    return {
        "mean": float(errors.mean()),
        "median": float(np.median(errors)),
        "95 %": float(np.percentile(errors, 95)),
        "precision": float(truth[marked].mean()),
        "recall": float(marked[truth].mean()),
        "precision, hidden": float(truth[hidden].mean()),
        "recall, hidden": float(hidden[truth].mean()),
    }


def _photograph():
    return read_picture(SAMPLE_PAIR["content"], say=None)


def _object(scene, size, number):
    """Return the mask of the object in a frame, (H, W) bool, and its pixels, (H, W, 3)."""
    height, width = size
    rows, columns = np.indices(size)
    right, down = (OBJECT - PAN) * number
    centered = (
        (columns - width // 4 - right) / (width / 8),
        (rows - height // 2 - down) / (height / 4),
    )
    shape = np.square(centered[0]) + np.square(centered[1]) <= 1
    texture = 255 - scene[:height, :width][::-1, ::-1]  # mirrored, and a negative
    return shape, np.roll(texture, (down, right), (0, 1))


def _motion(before, shape):
    """Return the true `Motion` from the masks of the object in the previous and this frame."""
    backward = np.where(shape[..., np.newaxis], PAN - OBJECT, PAN).astype(np.float32)
    rows, columns = np.indices(shape.shape)
    height, width = shape.shape
    there = (
        np.clip(rows + backward[..., 1].astype(int), 0, height - 1),
        np.clip(columns + backward[..., 0].astype(int), 0, width - 1),
    )
    covered = before[there] & ~shape
    hidden = covered | beyond_border(backward)
    return Motion(backward, hidden, np.zeros_like(hidden))
