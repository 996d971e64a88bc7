"""Checkpoints: where a run is, to continue it later."""

import json
import math
import re
import time
from pathlib import Path

import numpy as np

from nst_tf.errors import ConfigError
from nst_tf.files import atomic_file
from nst_tf.npz import read_npz
from nst_tf.transfer import Position

CHECKPOINT = re.compile(r"checkpoint-(\d{6,})\.npz")
FORMAT = 2
KEPT = 2
SHARE = 0.05  # of the time, at most, goes into checkpoints


def save_checkpoint(folder, position):
    """Save a `Position` and remove all checkpoints but the last `KEPT`; return where."""
    folder = Path(folder)
    iteration = len(position.history) - 1
    names = list(position.history[0])
    about = {
        "format": FORMAT,
        "level": position.level,
        "done": position.done,
        "seconds": position.seconds,
        "losses": names,
    }
    losses = [[each[name] for name in names] for each in position.history]
    arrays = {f"loop_{name}": array for name, array in position.loop.items()}
    arrays |= {"losses": np.array(losses), "about": np.frombuffer(json.dumps(about).encode(), "u1")}
    path = folder / f"checkpoint-{iteration:06d}.npz"
    if path.is_dir():  # somebody's: the next one has another name
        return path
    with atomic_file(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)
    for older in checkpoints(folder)[:-KEPT]:
        older.unlink()
    return path


def checkpoints(folder):
    """Return the checkpoints in a folder, by iteration."""
    found = {path: CHECKPOINT.fullmatch(path.name) for path in Path(folder).iterdir()}
    files = (path for path in found if found[path] and not path.is_dir())
    return sorted(files, key=lambda path: int(found[path][1]))


def load_checkpoint(path):
    """Read what `save_checkpoint` wrote.

    Nothing in it is executed: it holds arrays of numbers and a text of JSON.

    Raises
    ------
    ConfigError
        It is damaged, or of another format.
    """
    try:
        arrays = read_npz(path)
        about = json.loads(arrays.pop("about").tobytes())
        if about["format"] != FORMAT:
            raise ConfigError(f"{path} is of format {about['format']}, {FORMAT} was expected")
        losses = _finite(arrays.pop("losses"))
        history = [dict(zip(about["losses"], row, strict=True)) for row in losses.tolist()]
        loop = {name.removeprefix("loop_"): array for name, array in arrays.items()}
        where = int(about["level"]), int(about["done"])
        if _finite(loop["image"]).ndim != 4 or not history:
            raise ValueError("no image, or no losses")
        if not 0 <= min(where) <= max(where) < 2**31 or not 0 <= about["seconds"] < math.inf:
            raise ValueError("no place in a run")
        return Position(*where, loop, history, float(about["seconds"]))
    except MemoryError:
        raise ConfigError(f"{path} does not fit into memory") from None
    except ConfigError:
        raise
    except Exception as error:  # zipfile and NumPy raise what comes: a dozen kinds for a dozen bits
        raise ConfigError(f"{path} is damaged ({error!s:.300})") from None


def _finite(array):
    if array.dtype.kind != "f" or not np.isfinite(array).all():
        raise ValueError("what should be numbers is none")
    return array


def latest_position(folder, say=print):
    """Return the `Position` of the last checkpoint that is whole; None if there is none."""
    first, *_ = paths = checkpoints(folder) or [None]
    for path in filter(None, reversed(paths)):
        try:
            return load_checkpoint(path)
        except ConfigError as error:
            before = "beginning at 0" if path == first else "going back to the one before it"
            say(f"{error}; {before}")
    return None


class Checkpoints:
    """A callback that saves a checkpoint every so many seconds.

    Parameters
    ----------
    folder : path
    every : float
        Seconds; more where saving takes long, so that it costs a `SHARE` of the time at most.
    """

    look_every = 0  # it needs no picture

    def __init__(self, folder, every):
        self.folder = folder
        self.every = every
        self.due = time.perf_counter() + every

    def __call__(self, step):
        """Save where the run stands, if it is time and the loop can be gone on with from here."""
        began = time.perf_counter()
        if step.last or began < self.due:
            return
        position = step.position()
        if position is not None:
            save_checkpoint(self.folder, position)
            now = time.perf_counter()
            self.due = now + max(self.every, (now - began) / SHARE)
