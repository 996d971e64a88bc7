"""Cache the convolutions of a .mat, which is slow to read, in an .npz of 80 MB next to it.

The .npz has no pickled objects. It stores the state of the .mat and a SHA-256 of its own contents;
if either differs, the cache is rebuilt.
"""

import hashlib
import json

import numpy as np

from nst_tf.files import atomic_file
from nst_tf.models.readers.vgg_weights import checked_vgg
from nst_tf.npz import read_npz

FORMAT = 1  # increment when the stored contents change


def cache_path(path):
    """Return the path of the cache of a weights file."""
    return path.with_name(path.name + ".convolutions.npz")


def read_cached(path, read):
    """Return ``read(path)``, from the cache if it is valid and matches the file."""
    state = _file_state(path)
    weights = _read_cache(path, state)
    if weights is None:
        weights = read(path)
        _write_cache(path, state, weights)
    return weights


def _file_state(path):
    """Return size and times of the file. Copying can't reset the change time (ctime)."""
    stat = path.stat()
    return json.dumps([FORMAT, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns])


def _read_cache(path, state):
    try:
        arrays = read_npz(cache_path(path))
        digest, stored_state = arrays.pop("digest"), arrays.pop("state")
        if str(stored_state) != state or str(digest) != _digest(state, arrays):
            return None
        mean = arrays.pop("mean")
        names = [name.removesuffix("/kernel") for name in arrays if name.endswith("/kernel")]
        pairs = {name: (arrays[f"{name}/kernel"], arrays[f"{name}/bias"]) for name in names}
        return checked_vgg(path, pairs, mean)
    except Exception:  # missing, or damaged in any way: rebuild it
        return None


def _write_cache(path, state, weights):
    arrays = {"mean": np.asarray(weights.mean, np.float64)}
    for name, (kernel, bias) in weights.convolutions.items():
        arrays[f"{name}/kernel"], arrays[f"{name}/bias"] = kernel, bias
    try:
        with atomic_file(cache_path(path)) as temporary, open(temporary, "wb") as file:
            np.savez(file, state=state, digest=_digest(state, arrays), **arrays)
    except OSError:
        pass  # read-only directory or full disk: continue without a cache


def _digest(state, arrays):
    digest = hashlib.sha256(state.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
        digest.update(array)
    return digest.hexdigest()
