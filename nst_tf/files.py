"""Files that are whole or not there."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path

MOST_TEXT = 10 * 2**20  # bytes of a text that is read whole: a config has 3 kB
NO_FSYNC = (errno.EINVAL, errno.ENOTSUP)  # some network drives have none


def read_text(path, *, most=MOST_TEXT, errors="strict"):
    """Return the text of a file: no pipe, which would be waited for, and not over `most` bytes.

    Raises
    ------
    OSError, UnicodeDecodeError
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no file", str(path))
    with open(path, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return data.decode(errors=errors)


@contextlib.contextmanager
def atomic_file(path):
    """Give a temporary name beside `path` to write to; it takes the place of `path` at the end.

    When the writing fails, the temporary file is removed and `path` is as it was. What is under
    `path` afterwards outlives a power cut: it is on the disk before it gets its name.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The same ending, because writers go by it.
    try:
        handle, name = tempfile.mkstemp(path.suffix, f".{path.stem}.", path.parent)
    except OSError as error:
        error.filename = str(path)  # not the temporary one, which nobody knows
        raise
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes private files
        _put_on_disk(temporary, os.O_RDWR)
        temporary.replace(path)
        if os.name == "posix":  # the name too: elsewhere a folder can't be opened
            _put_on_disk(path.parent, os.O_RDONLY)
    except OSError as error:
        error.filename = str(path)  # "no space left" alone does not say where
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _put_on_disk(path, how):
    handle = os.open(path, how)
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
