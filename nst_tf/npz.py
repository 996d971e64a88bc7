"""Read untrusted .npz files."""

import zipfile
from pathlib import Path

import numpy as np


def read_npz(path, *, most=None, wanted=lambda name: True):
    """Read the arrays of an .npz without unpickling.

    Parameters
    ----------
    path : path
    most : int, optional
        Maximum total size of the arrays in bytes, uncompressed: a zip of a few kB can expand to
        any size. Default: compressed files are rejected, so the size of the file is the maximum.
    wanted : callable
        Returns whether to read the array of a name; others are ignored.

    Returns
    -------
    dict of arrays

    Raises
    ------
    Exception
        ValueError, or one of a dozen kinds that zipfile and NumPy raise for a damaged file.
    """
    if not Path(path).is_file():
        raise ValueError("it is not a file")  # a pipe would block
    with zipfile.ZipFile(path) as file:
        entries = [entry for entry in file.infolist() if wanted(array_name(entry))]
    if most is None:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("it is compressed; an uncompressed .npz was expected")
        most = Path(path).stat().st_size
    declared = sum(entry.file_size for entry in entries)
    if declared > most:
        raise ValueError(
            f"it declares {declared:,} bytes of arrays; at most {most:,} were expected"
        )
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files if wanted(name)}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):  # NumPy returns the bytes of other entries
            raise ValueError(f"{name[:60]!r} is not an array")
    return arrays


def array_name(entry):
    """Return the name of the array in an entry of the zip."""
    return entry.filename.removesuffix(".npy")
