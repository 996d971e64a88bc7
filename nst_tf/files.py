"""Bounded reads and atomic writes of files."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path

MAX_TEXT_BYTES = 10 * 2**20  # a config has 3 kB
NO_FSYNC = (errno.EINVAL, errno.ENOTSUP)  # some network drives do not support fsync


def read_text(path, *, most=MAX_TEXT_BYTES, errors="strict"):
    """Return the text of a regular file of at most `most` bytes.

    Raises
    ------
    OSError, UnicodeDecodeError
        The path is not a regular file (a pipe would block), or the file is too large.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a file", str(path))
    with open(path, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return data.decode(errors=errors)


@contextlib.contextmanager
def atomic_file(path):
    """Yield a temporary path in the same directory, which replaces `path` on success.

    On failure, the temporary file is removed and `path` is unchanged. The new file survives a
    power cut: it is flushed to disk before it is renamed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The same extension, because writers choose the format by it.
    try:
        handle, name = tempfile.mkstemp(path.suffix, f".{path.stem}.", path.parent)
    except OSError as error:
        error.filename = str(path)  # not the temporary name, which the user does not know
        raise
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp creates private files
        _fsync(temporary, os.O_RDWR)
        temporary.replace(path)
        if os.name == "posix":  # flush the new name; Windows can't open a directory
            _fsync(path.parent, os.O_RDONLY)
    except OSError as error:
        error.filename = str(path)  # add the path to messages such as "no space left"
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _fsync(path, flags):
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in NO_FSYNC:
            raise
    finally:
        os.close(handle)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
