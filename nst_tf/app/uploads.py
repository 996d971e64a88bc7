"""Uploaded pictures and films: checked as on the command line and stored with the runs."""

import hashlib
import io
import itertools
import re
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from nst_tf.app.films import check_film
from nst_tf.errors import ConfigError, ImageError
from nst_tf.files import atomic_file, cut, in_use
from nst_tf.image.io import read_layers
from nst_tf.image.masks import load_mask
from nst_tf.video.config import VideoConfig

BROWSER_FORMATS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".avif"}
FILM_FORMATS = (".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".gif")
UNSAFE = re.compile(r"[^\w-]+")
HASH_SUFFIX = re.compile(r"-[0-9a-f]{12}(?=_|$)")
MAX_STEM = 40  # bytes of a file name
MAX_STORED = 4 * 2**30  # bytes of all uploads, also those before a restart


class Uploads:
    """A directory of pictures, each named after the uploaded file and a hash of its content.

    A name has 12 digits of the hash; two files are the same only if their whole hashes are equal.

    Parameters
    ----------
    folder : path
        Created when the first picture is stored; its parent directory must exist.
    samples : path
        A directory of pictures that are used in place, without copying them.
    """

    def __init__(self, folder, samples):
        self.folder = Path(folder)
        self.samples = {_hash_of(path): path for path in Path(samples).rglob("*.jpg")}

    def keep(self, path):
        """Check and store an uploaded picture; return the path of the stored file.

        A picture that is already stored, or a sample, is not copied again. Formats that a browser
        can't display are converted to PNG.

        Raises
        ------
        ImageError
            The file is not a picture, or the picture can't be used.
        ConfigError
            The directory of the uploads was removed or renamed, or the limit of uploads is reached.
        """
        path = Path(path)
        try:
            picture, alpha, _ = read_layers(path)
        except ImageError as error:
            raise ImageError(str(error).replace(str(path), path.name)) from None
        suffix = path.suffix.lower()
        if suffix in BROWSER_FORMATS:
            return self._store(path.read_bytes(), path.stem, suffix)
        return self._store(_png(picture, alpha), path.stem, ".png")

    def keep_film(self, path):
        """Check and store an uploaded film; return the paths of its file and of its first frame.

        Raises
        ------
        ImageError
            The file is not a film, or can't be read within the limits of `check_film`.
        ConfigError
            As for `keep`.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix not in FILM_FORMATS:
            raise ImageError(f"{path.name} is not a film; use {', '.join(FILM_FORMATS)}")
        with tempfile.TemporaryDirectory() as temporary:
            first = Path(temporary) / "first.png"
            check_film(VideoConfig(content=str(path)), first)
            frame = self._store(first.read_bytes(), f"{path.stem}_first", ".png")
        return self._store(path.read_bytes(), path.stem, suffix), frame

    def _store(self, data, stem, suffix):
        """Store data unless there is a file with the same content; return the path of the file."""
        digest = hashlib.sha256(data).hexdigest()
        if digest in self.samples:
            return self.samples[digest]
        mark = f"-{digest[:12]}"
        for stored in self.folder.glob(f"[!.]*{mark}.*"):
            if _hash_of(stored) == digest:
                return stored
        self._check_room(len(data))
        stem = _safe_stem(stem)
        stems = itertools.chain([stem], (f"{stem}_{number}" for number in itertools.count(2)))
        paths = (self.folder / f"{name}{mark}{suffix}" for name in stems)
        target = next(path for path in paths if not path.exists())
        try:
            with in_use(self.folder.parent), atomic_file(target) as temporary:
                temporary.write_bytes(data)
        except FileNotFoundError as error:
            raise ConfigError(f"{error.filename}: {error.strerror}") from None
        return target

    def _check_room(self, size):
        stored = sum(path.stat().st_size for path in self.folder.glob("[!.]*"))
        if stored + size > MAX_STORED:
            raise ConfigError(
                f"the uploads take {stored / 2**30:.2g} GiB, the limit of this page; its operator "
                f"must remove some from {self.folder.name}/"
            )

    def keep_mask(self, mask, stem):
        """Save a mask (H, W) in [0, 1] as a gray picture and return its path."""
        levels = np.rint(255 * mask).astype(np.uint8)
        return self._store(_png(Image.fromarray(levels)), stem, ".png")


def painted_mask(layers):
    """Return the painted area, (H, W) in {0, 1}, from the layers of the editor.

    Parameters
    ----------
    layers : list of (H, W, 4) uint8
        Transparent where nothing was painted.

    Raises
    ------
    ConfigError
        Nothing was painted.
    """
    alphas = [layer[..., 3] for layer in layers or () if layer is not None]
    if not alphas or not any(alpha.any() for alpha in alphas):
        raise ConfigError("nothing is painted yet: paint on the photograph, or choose everywhere")
    return (np.max(alphas, axis=0) > 0).astype(np.float32)


def everywhere_else(masks, size):
    """Return the mask (H, W) of the area where no other style acts.

    Parameters
    ----------
    masks : sequence of path
        Masks of the other styles; the prefix "not:" inverts a mask.
    size : (height, width)
    """
    covered = np.zeros(size, np.float32)
    for mask in map(str, masks):
        inverted = mask.startswith("not:")
        area = load_mask(mask.removeprefix("not:"), size, inverted=inverted, say=None)
        covered = np.maximum(covered, area)
    if covered.min() == 1:
        raise ConfigError("the other styles act on the whole picture: nothing is left for this one")
    return 1 - covered


def without_mark(name):
    """Return the name of a run without the hashes of uploaded pictures."""
    return HASH_SUFFIX.sub("", name)


def _png(picture, alpha=None):
    file = io.BytesIO()
    if alpha is not None:
        picture.putalpha(alpha)
    picture.save(file, "PNG")
    return file.getvalue()


def _hash_of(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _safe_stem(stem):
    """Return a file name stem that is valid on any operating system."""
    return cut(UNSAFE.sub("_", stem).strip("_"), MAX_STEM) or "picture"
