"""Arrays out of an .npz, of which nothing is believed before it was looked at."""

import zipfile
from pathlib import Path

import numpy as np


def read_npz(path, *, most=None):
    """Read the arrays of an .npz; nothing in it is unpickled.

    Parameters
    ----------
    path : path
    most : int, optional
        Bytes that the arrays may have together, unpacked: a zip of a few kB may claim any number.
        Default: it may not be packed, so that they have no more than the file.

    Returns
    -------
    dict of arrays

    Raises
    ------
    Exception
        ValueError and whatever zipfile and NumPy raise on a damaged file: a dozen kinds.
    """
    if not Path(path).is_file():
        raise ValueError("it is no file")  # a pipe would be waited for
    with zipfile.ZipFile(path) as file:
        parts = file.infolist()
    if most is None:
        if any(part.compress_type != zipfile.ZIP_STORED for part in parts):
            raise ValueError("it is compressed, which none of ours is")
        most = Path(path).stat().st_size
    claimed = sum(part.file_size for part in parts)
    if claimed > most:
        raise ValueError(f"it claims {claimed:,} bytes of arrays; {most:,} at most were expected")
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):  # NumPy gives the bytes of what it does not know
            raise ValueError(f"{name[:60]!r} is no array")
    return arrays
