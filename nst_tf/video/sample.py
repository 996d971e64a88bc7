"""A clip with known motion: a pan over a sample photograph, with an object in front of it.

``python -m nst_tf.video.sample DIR`` writes its frames as pictures.
"""

import itertools
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nst_tf.cli import reported
from nst_tf.console import OneLineParser, interrupt_once, print_line
from nst_tf.errors import ConfigError
from nst_tf.files import make_folder
from nst_tf.image.io import read_picture, save_image
from nst_tf.image.sizes import parse_size, resize_picture
from nst_tf.samples import SAMPLE_PAIR
from nst_tf.video.flow import Motion, beyond_border, find_motion

PAN = np.array([2, 1])  # motion of the view in pixels per frame, to the right and down
OBJECT = np.array([5, 0])  # motion of the object over the photograph in pixels per frame
MAX_FRAMES = 500  # of a clip on the command line, which is held in memory


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


# ---------------------------------------------------------------------------- command line


def main(arguments=None):
    """Run the command line; return 0, 2 for bad input, 130 for Ctrl-C."""
    options = make_parser().parse_args(arguments)
    return reported(lambda: _run(options))


def make_parser():
    """Return the parser."""
    parser = OneLineParser(
        prog="python -m nst_tf.video.sample",
        description="Write the frames of a clip with known motion: a pan over the sample "
        "photograph, with an object that passes in front.",
    )
    parser.add_argument("folder", metavar="DIR", help="a new directory for the frames")
    parser.add_argument(
        "--frames", type=int, default=48, metavar="N", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--size", default="320x180", metavar="WxH", help="in pixels (default: %(default)s)"
    )
    return parser


def _run(options):
    folder, size = Path(options.folder), parse_size(options.size)
    if not isinstance(size, tuple) or isinstance(size[0], str):
        raise ConfigError(f"--size is {options.size}; a size such as 320x180 was expected")
    if not 1 <= options.frames <= MAX_FRAMES:
        raise ConfigError(f"--frames is {options.frames}; 1 to {MAX_FRAMES} was expected")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} exists; a new directory was expected")
    make_folder(folder)
    for number, frame in enumerate(sample_clip(options.frames, size).frames, 1):
        save_image(folder / f"{number:04d}.png", frame)
    print_line(f"the frames are in {folder}")
    return 0


if __name__ == "__main__":
    interrupt_once()
    sys.exit(main())
