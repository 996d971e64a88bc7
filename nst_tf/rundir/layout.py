"""A run's folder: its files, its lock, and whether it may be written."""

import contextlib
import os
import re
from pathlib import Path

from filelock import FileLock, Timeout

from nst_tf.errors import Busy, ConfigError

CONFIG, JOURNAL, LOSSES, RESULT = "config.json", "journal.json", "losses.csv", "result.png"
REPORT = "report.html"
LOCK = ".lock"
OUR_FILES = re.compile(
    r"\d{6,}\.png|result\.png|losses\.csv|config\.json|journal\.json|checkpoint-\d{6,}\.npz"
    r"|report\.html|timelapse\.\w+"
)


# What a run that was killed was writing: `atomic_file` had not given it its name yet.
HALF_WRITTEN = re.compile(
    r"\.(\d{6,}|result|losses|config|journal|checkpoint-\d+|report|timelapse)\.\w{8}\.\w+"
)


def check_output(output, overwrite):
    """Refuse a folder that can't be written or that holds an earlier run."""
    if output is None:
        return
    if not str(output):
        raise ConfigError("--output is empty; a folder was expected")
    folder = Path(output)
    if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
        raise ConfigError(f"{folder} is no folder; name one with --output")
    if folder.is_dir() and not overwrite:
        _check_no_run(folder)
    nearest = next(parent for parent in [folder, *folder.absolute().parents] if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise ConfigError(f"{nearest} may not be written: choose another --output")


def _check_no_run(folder):
    found = sorted(file.name for file in folder.iterdir() if is_ours(file))
    if {CONFIG, JOURNAL} <= set(found):
        raise ConfigError(
            f"{folder} holds an earlier run; choose another folder, --overwrite to replace it, or "
            "--resume to go on with it"
        )
    if found:  # no run, but named as a run's files are: they may be somebody's own
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise ConfigError(
            f"{folder} holds {found[0]}{more}, which --overwrite would remove; choose another "
            "folder, or move what you want to keep"
        )


@contextlib.contextmanager
def made_folder(output, config, overwrite):
    """Make the run's folder and keep others out of it while the run lasts.

    Without a name it is a new one under output/, named for the pictures.
    """
    folder = Path(output) if output is not None else new_folder(Path("output"), folder_name(config))
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        check_output(output, overwrite)  # another run may have begun and ended since
        if overwrite:  # an earlier, longer run must not leave its pictures among ours
            for file in filter(is_ours, folder.iterdir()):
                file.unlink()
            remove_half_written(folder)
        yield folder


@contextlib.contextmanager
def locked(folder):
    """Keep every other process out of a folder; the lock falls with the process that holds it."""
    place = folder / LOCK
    if place.is_symlink():
        raise ConfigError(f"{place} is a link, and what it leads to is not ours; remove it")
    if place.exists() and not place.is_file():
        raise ConfigError(f"{place} is no file; remove it")
    lock = FileLock(place, timeout=0)
    try:
        with lock:
            yield
    except Timeout:
        raise Busy(
            f"another run is at work in {folder}; choose another folder, or wait for its end"
        ) from None


def remove_half_written(folder):
    """Remove what a run that was killed was about to write."""
    for file in folder.iterdir():
        if HALF_WRITTEN.fullmatch(file.name) and not file.is_dir():
            file.unlink()


def folder_name(config):
    """Return harbour_waves, or harbour_waves_woodcut for two styles."""
    return "_".join(Path(path).stem for path in (config.content, *config.style))[:200]


def is_ours(file):
    """Return whether a file has a name that a run gives to its files."""
    return OUR_FILES.fullmatch(file.name) is not None and not file.is_dir()


def new_folder(parent, name):
    """Make harbour_waves, or harbour_waves_2, ...; never one that is there."""
    check_output(parent, overwrite=True)
    parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = parent / (name if number == 1 else f"{name}_{number}")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1
