"""What visitors bring: checked as on the command line, and kept beside the runs."""

import hashlib
import re
from pathlib import Path

import numpy as np

from nst_tf.errors import ConfigError, ImageError
from nst_tf.files import atomic_file
from nst_tf.image.io import read_picture, save_image
from nst_tf.image.masks import load_mask

SHOWN = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".avif"}  # what a browser can show
NAME = re.compile(r"[^\w-]+")
MARK = re.compile(r"-[0-9a-f]{12}(?=_|$)")  # after a name, for what the picture holds
LONGEST = 40  # letters that are kept of a file's name


class Uploads:
    """A folder of pictures, each named for what was uploaded and for what it holds.

    Parameters
    ----------
    folder : path
        Made when the first picture comes.
    samples : path
        A folder whose pictures are taken as they lie there.
    """

    def __init__(self, folder, samples):
        self.folder = Path(folder)
        self.samples = {_content_of(path): path for path in Path(samples).rglob("*.jpg")}

    def keep(self, path):
        """Check an uploaded picture and return where it is kept.

        The same picture is kept once, and a sample not at all. What a browser can't show becomes
        a PNG.

        Raises
        ------
        ImageError
            It is no picture, or one that can't be used.
        """
        path = Path(path)
        try:
            picture = read_picture(path)
        except ImageError as error:
            raise ImageError(str(error).replace(str(path), path.name)) from None
        content = _content_of(path)
        kept = self._kept_already(path, content)
        if kept is not None:
            return kept
        ending = path.suffix.lower() if path.suffix.lower() in SHOWN else ".png"
        kept = self.folder / f"{_plain(path.stem)}-{content[:12]}{ending}"
        if ending == path.suffix.lower():
            with atomic_file(kept) as temporary:
                temporary.write_bytes(path.read_bytes())
        else:
            save_image(kept, picture)
        return kept

    def _kept_already(self, path, content):
        """Return the sample, or the picture kept before, that holds the same."""
        if content in self.samples:
            return self.samples[content]
        same_name = self.folder / path.name  # it may come back from the page, as we named it
        if same_name.is_file() and _content_of(same_name) == content:
            return same_name
        return next(self.folder.glob(f"*-{content[:12]}.*"), None)

    def keep_mask(self, mask, stem):
        """Save a mask (H, W) in [0, 1] as a grey picture, and return where."""
        picture = np.repeat(np.rint(255 * mask).astype(np.uint8)[..., np.newaxis], 3, axis=2)
        content = hashlib.sha256(picture.tobytes()).hexdigest()
        kept = self.folder / f"{_plain(stem)}-{content[:12]}.png"
        if not kept.exists():
            save_image(kept, picture)
        return kept


def painted_mask(layers):
    """Return where a visitor has painted, (H, W) in {0, 1}, from the layers of the editor.

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
    """Return the mask (H, W) of where no other style acts.

    Parameters
    ----------
    masks : sequence of path
        Of the other styles; "not:" before one is its negative.
    size : (height, width)
    """
    taken = np.zeros(size, np.float32)
    for named in map(str, masks):
        inverted = named.startswith("not:")
        taken = np.maximum(taken, load_mask(named.removeprefix("not:"), size, inverted=inverted))
    if taken.min() == 1:
        raise ConfigError("the other styles act on the whole picture: nothing is left for this one")
    return 1 - taken


def without_mark(name):
    """Return the name of a run without what tells uploaded pictures of one name apart."""
    return MARK.sub("", name)


def _content_of(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _plain(stem):
    """Return a name of a file that any system takes."""
    return NAME.sub("_", stem).strip("_")[:LONGEST] or "picture"
