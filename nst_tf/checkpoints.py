"""Checkpoints and journal: where a run stands and what it was begun with, to go on with it later.

A run's folder holds, beside its pictures, `journal.json` with the checksums of what went in, and
while it runs the last two `checkpoint-000120.npz`. A file is whole under its name or not there.
"""

import contextlib
import hashlib
import importlib.metadata
import json
import math
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from nst_tf.config import JobConfig
from nst_tf.console import to_type
from nst_tf.errors import ConfigError, NstError
from nst_tf.files import atomic_file, read_text
from nst_tf.npz import read_npz
from nst_tf.scaling.memory import GIB, most_memory
from nst_tf.transfer import Position

JOURNAL, CONFIG, RESULT = "journal.json", "config.json", "result.png"
CHECKPOINT = re.compile(r"checkpoint-(\d{6,})\.npz")
FORMAT = 1
KEPT = 2
SHARE = 0.05  # of the time, at most, goes into checkpoints
VERSIONS = ("tensorflow", "keras", "numpy", "scipy", "Pillow")  # what numbers depend on


# ---------------------------------------------------------------------------- where it stands


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


# ---------------------------------------------------------------------------- what went in


def write_journal(folder, config_file, files, model, precision):
    """Write the checksums of what a run is begun with, and the versions that compute it.

    Parameters
    ----------
    folder : path
    config_file : path
    files : dict of str
        Path of each input by what it is: "content", "style 1", "weights".
    model : str
        The trunk's name.
    precision : {"float32", "mixed"}
        What the run computes in.
    """
    journal = {
        "format": FORMAT,
        "model": model,
        "precision": precision,
        "config": _checksum(config_file),
        "files": {what: {"path": str(p), "sha256": _checksum(p)} for what, p in files.items()},
        "versions": versions(),
    }
    _write(folder, journal)


def finish_journal(folder, result):
    """Note that a run has come to its end, and remove its checkpoints."""
    journal = read_journal(folder)
    journal["finished"] = {
        "iterations": result.iterations,
        "seconds": round(result.seconds, 3),
        "gibibytes": round(most_memory() / GIB, 2),
    }
    _write(folder, journal)
    for path in checkpoints(folder):
        path.unlink()


def read_journal(folder):
    """Return what `write_journal` wrote."""
    path = Path(folder) / JOURNAL
    try:
        journal = json.loads(read_text(path))
        if journal["format"] == FORMAT and isinstance(journal["files"], dict):
            return journal
    except FileNotFoundError:
        raise ConfigError(
            f"{folder} holds no {JOURNAL}: no run has begun there; begin one with "
            f"`{begin_anew(folder)}`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ConfigError(f"{path} is damaged; begin anew with `{begin_anew(folder)}`")


def begin_anew(folder):
    """Return what to type to make a run anew in its folder, from what its files still tell."""
    what = ["CONTENT", "STYLE"]
    for name in (RESULT, CONFIG):
        with contextlib.suppress(NstError):
            config = JobConfig.load(Path(folder) / name)
            if config.content and config.style:
                what = ["--config", Path(folder) / name]
    return to_type(*what, "--output", folder, "--overwrite")


def load_settings(folder):
    """Return the config of a run that is to be gone on with."""
    try:
        return JobConfig.load(Path(folder) / CONFIG)
    except ConfigError as error:
        raise ConfigError(
            f"{error}; put it back, or begin anew with `{begin_anew(folder)}`"
        ) from None


def check_unchanged(folder, config_file, files, say=print):
    """Refuse to go on with a run whose inputs are not those that it was begun with."""
    journal = read_journal(folder)
    changed = [] if journal.get("config") == _checksum(config_file) else [str(config_file)]
    for what, path in files.items():
        then = journal["files"].get(what)
        if not isinstance(then, dict) or then.get("sha256") != _checksum(path):
            changed.append(f"{path} ({what})")
    if changed:
        raise ConfigError(
            f"changed since the run in {folder} was begun: {', '.join(changed)}; put it back, then "
            f"`{to_type('--resume', folder)}`; or begin anew with "
            f"`{to_type('--config', config_file, '--output', 'ANOTHER')}`"
        )
    then, now = journal.get("versions"), versions()
    if then != now and isinstance(then, dict):
        other = [
            f"{name} {then.get(name)} -> {now[name]}" for name in now if then.get(name) != now[name]
        ]
        say(f"begun with other versions ({', '.join(other)}): the last digits may differ")


def settings_to_resume(folder):
    """Return the config of a run that is to be resumed.

    A config.json without the knob `style_margin` was saved by an earlier version: paintings were
    used whole, ``padding="edge"`` applied to the first convolution only, and the schedules "fast"
    and "fine" had other levels. A run with the latter can't be continued.
    """
    config = load_settings(folder)
    if "style_margin" in json.loads(read_text(Path(folder) / CONFIG)):
        return config
    if config.padding == "zero" and config.schedule == "tutorial":
        return replace(config, style_margin=0.0)
    raise ConfigError(
        f"the run in {folder} was begun by an earlier version of nst_tf, with another padding or "
        f"other levels; begin anew with `{begin_anew(folder)}`"
    )


def recorded_precision(config, journal):
    """Return the precision that a run was begun in; "auto" if it is not recorded.

    Runs of earlier versions with ``--precision auto`` did not record what that was.
    """
    if config.precision != "auto":
        return config.precision
    recorded = journal.get("precision")
    return recorded if recorded in ("float32", "mixed") else "auto"


def record_precision(folder, precision, say=print):
    """Add the precision that a run continues in to its journal, which lacks it, and say so."""
    say(f"this run did not record its precision; continuing in {precision}, last digits may differ")
    _write(folder, {**read_journal(folder), "precision": precision})


def versions():
    """Return the versions that a picture's last digits depend on, by package."""
    return {name: importlib.metadata.version(name) for name in VERSIONS}


def _checksum(path):
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror or error}") from None


def _write(folder, journal):
    with atomic_file(Path(folder) / JOURNAL) as temporary:
        temporary.write_text(json.dumps(journal, indent=2) + "\n", encoding="utf-8")
