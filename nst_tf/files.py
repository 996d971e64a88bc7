"""Bounded reads, atomic writes, and directories that must not be created a second time."""

import contextlib
import errno
import os
import re
import shutil
import tempfile
from contextvars import ContextVar
from pathlib import Path
from urllib.parse import unquote, urlsplit

MAX_TEXT_BYTES = 10 * 2**20  # a config has 3 kB
LOST = (errno.EIO, errno.ENOSPC, errno.EDQUOT)  # errors of fsync: the data is not on the disk
MAX_STEM = 200  # bytes of a file name, which leaves room for a suffix and a number
ADDRESS = re.compile(r"(https?|ftp|s3|gs|file):/", re.IGNORECASE)
_in_use = ContextVar("directories that a run or the page writes to", default=frozenset())


def read_text(path, *, most=MAX_TEXT_BYTES, errors="strict"):
    """Return the text of a regular file of at most `most` bytes, which is UTF-8.

    Raises
    ------
    OSError, UnicodeDecodeError
        As for `read_bytes`, or the file is not UTF-8.
    """
    return read_bytes(path, most=most).decode(errors=errors)


def read_bytes(path, *, most):
    """Return the content of a regular file of at most `most` bytes.

    Raises
    ------
    OSError
        The path is not a regular file (a pipe would block), or the file is too large.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a file", str(path))
    with open(path, "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return data


def address_advice(path):
    """Return what to do with the address of a file in place of its path; "" for a path.

    ``Path`` makes https:/example.com of https://example.com, so one slash is an address, too.
    """
    if not (match := ADDRESS.match(path)):
        return ""
    if match[1].lower() == "file":
        return f"{path} is an address: give the path, {unquote(urlsplit(path).path)}"
    return f"{path} is an address: download it first, then give the file"


def cut(text, most):
    """Return the beginning of a text, in at most `most` bytes of UTF-8.

    File names are limited to 255 bytes, not characters.
    """
    return text.encode(errors="ignore")[:most].decode(errors="ignore")


@contextlib.contextmanager
def in_use(folder):
    """Let no write create `folder` again: if it vanishes in the meantime, that is an error."""
    token = _in_use.set(_in_use.get() | {Path(folder).absolute()})
    try:
        yield
    finally:
        _in_use.reset(token)


def make_folder(folder):
    """Create a directory with its parents, but none that is `in_use` and vanished.

    Raises
    ------
    FileNotFoundError
        A directory that is in use was removed or renamed.
    """
    path = Path(folder).absolute()
    in_use_above = _in_use.get() & {path, *path.parents}
    for used in in_use_above:
        if not used.is_dir():
            raise FileNotFoundError(
                errno.ENOENT,
                "the directory was removed or renamed while it was in use; move it back, or resume "
                "under its new name",
                str(used),
            )
    if path not in in_use_above:
        path.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def atomic_file(path):
    """Yield a temporary path in the same directory, which replaces `path` on success.

    On failure, the temporary file is removed and `path` is unchanged. The new file survives a
    power cut: it is flushed to disk before it is renamed, where the drive supports that.
    """
    path = Path(path)
    make_folder(path.parent)
    # The same extension, because writers choose the format by it.
    try:
        prefix = f".{cut(path.stem, MAX_STEM)}."
        handle, name = tempfile.mkstemp(path.suffix, prefix, path.parent)
    except OSError as error:
        error.filename = str(path)  # not the temporary name, which the user does not know
        raise
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with contextlib.suppress(OSError):  # some drives have no permissions
            temporary.chmod(0o666 & ~_umask())  # mkstemp creates private files
        _fsync(temporary, os.O_RDWR)
        temporary.replace(path)
        if os.name == "posix":  # flush the new name; Windows can't open a directory
            _fsync(path.parent, os.O_RDONLY)
    except OSError as error:
        error.filename = str(path)  # add the path to messages such as "no space left"
        raise
    finally:
        discard(temporary)


def copy_file(source, target):
    """Copy the content of a file; the copy gets its name when it is complete."""
    with atomic_file(target) as temporary:
        shutil.copyfile(source, temporary)


def discard(path):
    """Remove a file that is no longer needed; do nothing if that is not possible."""
    with contextlib.suppress(OSError):
        path.unlink()


def _fsync(path, flags):
    """Flush a file or directory to disk, where the drive supports that."""
    handle = None
    try:
        handle = os.open(path, flags)
        os.fsync(handle)
    except OSError as error:
        if error.errno in LOST:
            raise
    finally:
        if handle is not None:
            os.close(handle)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
