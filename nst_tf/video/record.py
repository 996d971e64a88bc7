"""frames.csv, with a row for each painted frame, and the images that later frames need."""

import csv
import io
import os
from dataclasses import astuple, dataclass, fields
from fractions import Fraction
from pathlib import Path

import numpy as np

from nst_tf.errors import ConfigError
from nst_tf.files import atomic_file, discard, read_bytes
from nst_tf.npz import read_npz
from nst_tf.rundir.layout import FRAMES, PAINTED

MAX_BYTES = 2**28  # of frames.csv; a row has 110 bytes


@dataclass(frozen=True)
class Row:
    """A painted frame.

    Attributes
    ----------
    frame : int
        1, 2, ...
    time : Fraction
        In seconds, on the clock of the film.
    scene : int
        1, 2, ...
    iterations : int
    followed : float
        Share of the pixels that were compared with earlier frames.
    flicker : float
        The `warping_error` from the previous frame in gray levels, both as saved, by the estimated
        motion; NaN for the first frame of a scene. After two passes, the motion is that from the
        previous frame to this one.
    total, content, style, temporal, tv : float
        The final losses; NaN for a loss that was not computed.
    seconds : float
        The time to paint the frame.
    """

    frame: int
    time: Fraction
    scene: int
    iterations: int
    followed: float
    flicker: float
    total: float
    content: float
    style: float
    temporal: float
    tv: float
    seconds: float


class Record:
    """The rows of frames.csv in a run directory.

    Opening it retains the rows up to the first frame whose picture is missing. If an image that the
    next frame may need is missing, the rows of the last scene are removed, so that the scene is
    painted again.

    Parameters
    ----------
    folder : path
    reach : int
        The number of previous frames that a frame may be compared with.
    """

    def __init__(self, folder, reach):
        self.folder = Path(folder)
        self.rows = read_rows(self.folder)
        scene = [row for row in self.rows if row.scene == self.rows[-1].scene]
        if not all(_painted_path(folder, row.frame).exists() for row in scene[-reach:]):
            del self.rows[-len(scene) :]
        write_rows(self.folder, self.rows)

    def add(self, row):
        """Append the row of the next frame; its picture is saved afterwards."""
        with open(self.folder / FRAMES, "a", newline="", encoding="utf-8") as file:
            file.write(_text([astuple(row)]))
            file.flush()
            os.fsync(file.fileno())  # no picture may outlast its row in a power cut
        self.rows.append(row)


def picture_path(folder, number):
    """Return the file of a painted frame."""
    return Path(folder) / f"{number:06d}.png"


def _text(rows):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def write_rows(folder, rows):
    """Write frames.csv with these rows only."""
    with atomic_file(Path(folder) / FRAMES) as temporary:
        temporary.write_text(_text([[f.name for f in fields(Row)], *map(astuple, rows)]))


def read_rows(folder, file=FRAMES):
    """Return the rows of the complete frames, up to the first that is not.

    Parameters
    ----------
    folder : Path
        The directory of the pictures.
    file : str
        The table, relative to that directory.
    """
    try:
        text = read_bytes(folder / file, most=MAX_BYTES).decode(errors="replace")
    except FileNotFoundError:
        return []
    rows = []
    for values in csv.DictReader(io.StringIO(text)):
        try:
            row = Row(**{f.name: f.type(values[f.name]) for f in fields(Row)})
        except (KeyError, TypeError, ValueError, ZeroDivisionError):
            break  # a power cut may have left half a row
        rising = not rows or row.time > rows[-1].time
        if row.frame != len(rows) + 1 or not rising or not picture_path(folder, row.frame).exists():
            break
        rows.append(row)
    return rows


def seconds_left(rows, expected, done=0):
    """Return about how many seconds the rest of a film takes; None if it is unknown.

    Parameters
    ----------
    rows : sequence of Row
        The rows of all painted frames.
    expected : int or None
        The approximate number of frames in the film.
    done : int
        The number of rows from an earlier run, which may have used another machine.
    """
    new = rows[done:]
    if not new or not expected or expected <= len(rows):
        return None
    later = new[1:] or new  # the first one traces functions, and has more iterations
    return (expected - len(rows)) * sum(row.seconds for row in later) / len(later)


# ---------------------------------------------------------------------------- images


def save_painted(folder, number, image):
    """Save the image of a frame before rounding and recoloring."""
    with atomic_file(_painted_path(folder, number)) as temporary, open(temporary, "wb") as file:
        np.savez(file, image=image)


def load_painted(folder, number):
    """Return the image (1, H, W, 3) that `save_painted` saved.

    Raises
    ------
    ConfigError
        The file is missing or damaged.
    """
    path = _painted_path(folder, number)
    try:
        image = read_npz(path)["image"]
        if image.dtype == np.float32 and image.ndim == 4 and np.isfinite(image).all():
            return image
    except Exception:  # zipfile and NumPy raise many kinds
        image = None
    raise ConfigError(
        f"{path} is missing or damaged, and the next frame needs it; remove the file, and --resume "
        "paints its scene again"
    )


def forget_painted(folder, before):
    """Remove the saved images of the frames before a number."""
    for path in Path(folder).iterdir():
        match = PAINTED.fullmatch(path.name)
        if match and int(match[1]) < before:
            discard(path)


def _painted_path(folder, number):
    return Path(folder) / f"painted-{number:06d}.npz"
