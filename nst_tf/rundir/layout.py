"""A run directory: its file names, its lock, and checks before writing to it."""

import contextlib
import errno
import os
import platform
import re
from pathlib import Path

from filelock import FileLock, Timeout

from nst_tf.errors import Busy, ConfigError
from nst_tf.files import MAX_STEM, cut, discard, in_use, make_folder, read_text
from nst_tf.image.io import FORMATS, check_format, picture_extensions

CONFIG, JOURNAL, LOSSES, RESULT = "config.json", "journal.json", "losses.csv", "result.png"
REPORT = "report.html"
FILM, FRAMES, FILM_RESULT = "film.json", "frames.csv", "result.mp4"  # of a film
PAINTED = re.compile(r"painted-(\d{6,})\.npz")  # the image of one of its last frames
MIXED = "mixed_style.png"  # of --fine and --coarse
SCENES = "scene_*"  # directories of the scenes of a film that are painted side by side
BACKWARD = "backward_pass"  # directory of the second pass over a film, or over one of its scenes
FIRST_ROWS = "first_pass.csv"  # there: frames.csv of the first pass
STRIP = "strip.png"  # of --interpolate, in place of result.png
LOCK = ".lock"
OWNER = ".lock_owner"  # names the host and process that use a directory on a drive without locks
NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.EINVAL, errno.ENOLCK, errno.EPERM, errno.EROFS)
SET_ASIDE = "set_aside"
OUR_FILES = re.compile(
    r"\d{6,}\.png|result\.png|losses\.csv|config\.json|journal\.json|checkpoint-\d{6,}\.npz"
    r"|report\.html|timelapse\.\w+|(mixed_style|strip)\.png"
    r"|film\.json|(frames|first_pass)\.csv|result\.mp4|painted-\d{6,}\.npz"
)
# Temporary files of `atomic_file`, left by a run that was killed while writing.
HALF_WRITTEN = re.compile(
    r"\.(\d{6,}|result|losses|config|journal|checkpoint-\d+|report|timelapse|mixed_style|strip"
    r"|film|frames|first_pass|painted-\d+)\.\w{8}\.\w+"
)


def check_output(output, overwrite):
    """Raise `ConfigError` if a directory is not writable or holds an earlier run."""
    if output is None:
        return
    if not str(output):
        raise ConfigError("--output is empty; a directory was expected")
    folder = Path(output)
    if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
        raise ConfigError(f"{folder} is not a directory; choose one with --output")
    if folder.is_dir() and not overwrite:
        _check_no_run(folder)
    _check_writable(folder)


def picture_named(output):
    """Return the picture file that an --output names, or None if it names a directory.

    The extension decides. An existing directory, or a name that ends in /, is always a directory.
    """
    if output is None or str(output).endswith(("/", os.sep)):
        return None
    path = Path(output)
    extension = path.suffix.lower()
    if not extension or path.is_dir():
        return None
    return path if extension in FORMATS or extension in picture_extensions() else None


def check_picture(path, overwrite, config):
    """Raise `NstError` if a picture file can't be written, or would replace another."""
    check_format(path, config.form["bits"], config.form["dpi"])
    if os.path.lexists(path) and not path.is_file():
        raise ConfigError(f"{path} is not a file; choose another --output")
    if path.exists() and not overwrite:
        raise ConfigError(f"{path} exists; choose another --output, or --overwrite to replace it")
    _check_writable(path.parent)


def check_directory_name(output):
    """Raise `ConfigError` if an --output names a picture where a directory is needed."""
    if picture_named(output):
        raise ConfigError(
            f"--output is {output}, but there will be several files; a directory was expected"
        )


def _check_writable(folder):
    existing = next(parent for parent in [folder, *folder.absolute().parents] if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise ConfigError(f"{existing} is not writable; choose another --output")


def _check_no_run(folder):
    found = sorted(file.name for file in folder.iterdir() if is_ours(file))
    if JOURNAL in found and {CONFIG, FILM} & set(found):
        raise ConfigError(
            f"{folder} holds an earlier run; choose another directory, --overwrite to replace it, "
            "or --resume to continue it"
        )
    if found:  # not a run, but files with the names of a run's: they may be the user's own
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise ConfigError(
            f"{folder} holds {found[0]}{more}, which --overwrite would remove; choose another "
            "directory, or move the files that you want to keep"
        )


@contextlib.contextmanager
def open_run_folder(output, config, overwrite):
    """Create the run directory and lock it for the duration of the run.

    The default is a new directory under output/, named after the pictures.
    """
    folder = Path(output) if output is not None else new_folder(Path("output"), folder_name(config))
    make_folder(folder)
    with locked(folder):
        check_output(output, overwrite)  # another run may have used it since the first check
        if overwrite:  # pictures of a longer earlier run must not remain
            _remove_earlier(folder)
            remove_half_written(folder)
        yield folder


def _remove_earlier(folder):
    parts = ("picture_*", SCENES, BACKWARD, f"{SCENES}/{BACKWARD}")
    inside = [file for part in parts for file in folder.glob(f"{part}/*")]
    for file in filter(is_ours, [*folder.iterdir(), *inside]):
        try:
            file.unlink()
        except OSError as error:
            raise ConfigError(
                f"{file} of an earlier run can't be removed ({error.strerror or error}); remove "
                "it, or choose another --output"
            ) from None


@contextlib.contextmanager
def locked(folder):
    """Lock a directory against other processes; the lock ends with the process that holds it.

    On a drive without locks, a file that names the process takes the place of the lock. If the
    process is killed, the file remains, and the message says to remove it.

    Meanwhile the directory is `in_use`: it is not created again if it vanishes.
    """
    path = folder / LOCK
    if path.is_symlink():  # its target is not a file of this run
        raise ConfigError(f"{path} is a symbolic link; remove it")
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path} is not a file; remove it")
    owner = folder / OWNER
    if owner.exists():
        raise _busy(owner)
    with _lock_of(path) or _owned(owner), in_use(folder):
        yield


def _lock_of(path):
    """Return the acquired lock of a file, or None on a drive without locks."""
    # filelock's own replacement for a missing flock removes that of another process.
    lock = FileLock(path, timeout=0, fallback_to_soft=False)
    try:
        return lock.acquire()
    except Timeout:
        raise Busy(
            f"another run is using {path.parent}; choose another directory, or wait until it ends"
        ) from None
    except OSError as error:
        if error.errno in NO_LOCKS:
            return None
        raise


@contextlib.contextmanager
def _owned(owner):
    """Create a file that names this process; remove it at the end."""
    try:
        file = open(owner, "x", encoding="utf-8")  # noqa: SIM115
    except FileExistsError:
        raise _busy(owner) from None
    try:
        with file:
            file.write(f"process {os.getpid()} on {platform.node()}")
        yield
    finally:
        discard(owner)


def _busy(owner):
    try:
        process = read_text(owner, most=300, errors="replace")
    except OSError:
        process = "unknown"
    return Busy(
        f"another run is using {owner.parent} ({process}); choose another directory, or wait until "
        f"it ends; if that process no longer runs, remove {owner}"
    )


def remove_half_written(folder):
    """Remove the temporary files of a run that was killed."""
    for file in folder.iterdir():
        if HALF_WRITTEN.fullmatch(file.name) and not file.is_dir():
            discard(file)


def set_aside(folder):
    """Move the files of a run that can't be resumed into a new subdirectory.

    Returns
    -------
    Path or None
        The subdirectory; None if the run had not saved anything but its settings.
    """
    if not any(folder.iterdir()):
        return None
    with locked(folder):
        remove_half_written(folder)
        files = [file for file in folder.iterdir() if is_ours(file)]
        if {file.name for file in files} <= {CONFIG}:  # it was killed before it wrote its journal
            (folder / CONFIG).unlink(missing_ok=True)
            return None
        aside = new_folder(folder, SET_ASIDE)
        for file in files:
            file.rename(aside / file.name)
        return aside


def folder_name(config):
    """Return the default directory name: harbour_waves, or harbour_waves_woodcut for two styles."""
    name = "_".join(Path(path).stem for path in (config.content, *config.paintings))
    return cut(name, MAX_STEM)


def is_ours(file):
    """Return whether a file has the name of one that a run writes."""
    return OUR_FILES.fullmatch(file.name) is not None and not file.is_dir()


def part_folder(folder, number):
    """Return the directory of one picture of --interpolate, from 1: itself a run directory."""
    return Path(folder) / f"picture_{number:03d}"


def new_folder(parent, name):
    """Create and return a new directory: harbour_waves, or harbour_waves_2, ... if it exists."""
    check_output(parent, overwrite=True)
    make_folder(parent)
    number = 1
    while True:
        folder = parent / (name if number == 1 else f"{name}_{number}")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1
