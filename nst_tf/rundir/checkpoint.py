"""Checkpoints: the saved state of a run, from which it can be resumed."""

import json
import math
import re
import time
from pathlib import Path

import numpy as np

from nst_tf.console import print_line
from nst_tf.errors import ConfigError
from nst_tf.files import atomic_file, discard
from nst_tf.npz import read_npz
from nst_tf.transfer import Position

CHECKPOINT = re.compile(r"checkpoint-(\d{6,})\.npz")
FORMAT = 2
MAX_CHECKPOINTS = 2
SHARE = 0.05  # maximum fraction of the time spent on checkpoints


def save_checkpoint(folder, position):
    """Save a `Position`, keep only the last `MAX_CHECKPOINTS`, and return the path."""
    folder = Path(folder)
    iteration = len(position.history) - 1
    names = list(position.history[0])
    metadata = {
        "format": FORMAT,
        "level": position.level,
        "done": position.done,
        "seconds": position.seconds,
        "losses": names,
    }
    losses = [[terms[name] for name in names] for terms in position.history]
    arrays = {f"loop_{name}": array for name, array in position.loop.items()}
    arrays["losses"] = np.array(losses)
    arrays["about"] = np.frombuffer(json.dumps(metadata).encode(), "u1")
    path = folder / f"checkpoint-{iteration:06d}.npz"
    if path.is_dir():  # a user's directory; the next checkpoint has another name
        return path
    with atomic_file(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)
    for old_path in checkpoints(folder)[:-MAX_CHECKPOINTS]:
        discard(old_path)
    return path


def checkpoints(folder):
    """Return the checkpoint files in a directory, sorted by iteration."""
    matches = {path: CHECKPOINT.fullmatch(path.name) for path in Path(folder).iterdir()}
    files = (path for path in matches if matches[path] and not path.is_dir())
    return sorted(files, key=lambda path: int(matches[path][1]))


def checkpoint_iteration(folder):
    """Return the iteration of the last checkpoint, by its name; 0 if there is none."""
    paths = checkpoints(folder)
    return int(CHECKPOINT.fullmatch(paths[-1].name)[1]) if paths else 0


def load_checkpoint(path):
    """Read a checkpoint written by `save_checkpoint`.

    Nothing is executed: the file contains only numeric arrays and JSON text.

    Raises
    ------
    ConfigError
        The file is damaged or has another format.
    """
    try:
        arrays = read_npz(path)
        metadata = json.loads(arrays.pop("about").tobytes())
        if metadata["format"] != FORMAT:
            raise ConfigError(
                f"{path} has format {metadata['format']}; format {FORMAT} was expected"
            )
        losses = _check_finite(arrays.pop("losses"))
        names = metadata["losses"]
        history = [dict(zip(names, row, strict=True)) for row in losses.tolist()]
        loop = {name.removeprefix("loop_"): array for name, array in arrays.items()}
        level, done = int(metadata["level"]), int(metadata["done"])
        seconds = metadata["seconds"]
        if _check_finite(loop["image"]).ndim != 4 or not history:
            raise ValueError("no image or no losses")
        if not (0 <= level < 2**31 and 0 <= done < 2**31 and 0 <= seconds < math.inf):
            raise ValueError("invalid level, iteration or time")
        return Position(level, done, loop, history, float(seconds))
    except MemoryError:
        raise ConfigError(f"{path} does not fit into memory") from None
    except ConfigError:
        raise
    except Exception as error:  # damage makes zipfile and NumPy raise many types
        raise ConfigError(f"{path} is damaged ({error!s:.300})") from None


def _check_finite(array):
    if array.dtype.kind != "f" or not np.isfinite(array).all():
        raise ValueError("not an array of finite floating-point numbers")
    return array


def latest_position(folder, say=print_line):
    """Return the `Position` of the last undamaged checkpoint; None if there is none."""
    paths = checkpoints(folder)
    for path in reversed(paths):
        try:
            return load_checkpoint(path)
        except ConfigError as error:
            fallback = "starting at iteration 0" if path == paths[0] else "using the previous one"
            say(f"{error}; {fallback}")
    return None


class Checkpoints:
    """A callback that saves checkpoints at a time interval.

    Parameters
    ----------
    folder : path
    every : float
        Seconds between checkpoints; longer if saving would take more than `SHARE` of the time.
    """

    look_every = 0  # does not need the picture

    def __init__(self, folder, every):
        self.folder = folder
        self.every = every
        self.due = time.perf_counter() + every

    def __call__(self, step):
        """Save a checkpoint if one is due and the run can be resumed from this step."""
        start = time.perf_counter()
        if step.last or start < self.due:
            return
        position = step.position()
        if position is not None:
            save_checkpoint(self.folder, position)
            now = time.perf_counter()
            self.due = now + max(self.every, (now - start) / SHARE)
