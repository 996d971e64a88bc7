"""Find the pictures in directories, and name the files left out."""

import os
from pathlib import Path

from nst_tf.errors import ConfigError
from nst_tf.image.io import picture_extensions

NAMED = 3  # files named in a line about more of them
EXTENSIONS = "files ending in .jpg, .png, .webp, .tif or similar were expected"
CONVERTIBLE = (  # extensions of pictures in other formats
    *(".jxl", ".svg", ".eps", ".pdf"),
    *(".arw", ".cr2", ".cr3", ".dng", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".srw"),
)


class Folders:
    """The pictures in folders. Each folder is read once, so its line is printed once.

    Parameters
    ----------
    say : callable or None
        Receives a line about each folder with files or subfolders that are left out.
    """

    def __init__(self, say):
        self._say = say or (lambda line: None)
        self._known = {}

    def pictures(self, path):
        """Return the sorted paths of the pictures in a folder; of any other path, that path.

        Raises
        ------
        ConfigError
            There is no picture in the folder, or it can't be read.
        """
        if path not in self._known:
            self._known[path] = self._read(path) if is_folder(path) else [path]
        return self._known[path]

    def _read(self, folder):
        pictures, others = split(in_folder(folder))
        if not pictures:
            raise ConfigError(f"{folder}: {no_picture(others)}")
        if others:
            self._say(f"{folder}: {left_out(others)}")
        return pictures


def is_folder(path):
    """Return whether a path is a directory; `Path.is_dir` raises for names that are too long."""
    return os.path.isdir(path)  # noqa: PTH112


def in_folder(folder):
    """Return the sorted paths of all files in a folder except hidden ones."""
    try:
        names = os.listdir(folder)  # noqa: PTH208
        return [str(Path(folder, name)) for name in sorted(names) if not name.startswith(".")]
    except OSError as error:
        raise ConfigError(f"{folder} can't be read: {error.strerror or error}") from None


def split(paths):
    """Return the pictures by name, and the other paths; those of folders end in a separator."""
    extensions, pictures, others = picture_extensions(), [], []
    for path in paths:
        if is_folder(path):
            others.append(os.path.join(path, ""))  # noqa: PTH118
        elif Path(path).suffix.lower() in extensions:
            pictures.append(path)
        else:
            others.append(path)
    return pictures, others


def no_picture(others):
    """Return the message for a folder or pattern with these files and folders, but no picture."""
    return f"there is no picture; {EXTENSIONS}" + (f"; {left_out(others)}" if others else "")


def left_out(others):
    """Return the line about files and folders that were left out."""
    folders = [path for path in others if path.endswith(os.sep)]
    files = [path for path in others if not path.endswith(os.sep)]
    unread = next((path for path in files if Path(path).suffix.lower() in CONVERTIBLE), None)
    parts = []
    if files:
        parts.append(f"left out by extension ({len(files)}): {_a_few(files)}")
    if unread:
        parts.append(f"convert pictures such as {Path(unread).name} to JPEG first")
    if folders:
        parts.append(f"folders that were not searched ({len(folders)}): {_a_few(folders)}")
    return "; ".join(parts)


def _a_few(paths):
    """Return the names of the first paths and the number of the others."""
    names = ", ".join(Path(path).name for path in paths[:NAMED])
    return f"{names} and {len(paths) - NAMED} more" if len(paths) > NAMED else names
