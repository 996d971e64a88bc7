"""The sample pictures, and their lookup by name."""

import difflib
import os
from dataclasses import replace
from pathlib import Path

from nst_tf.errors import ImageError
from nst_tf.image.folders import Folders

_HERE = Path(__file__).resolve().parent
# An installed package contains two samples in this directory; a checkout has all in images/.
SAMPLES = _HERE if (_HERE / "content").is_dir() else _HERE.parents[1] / "images"
SAMPLE_PAIR = {
    "content": str(SAMPLES / "content" / "chelsea.jpg"),
    "style": (str(SAMPLES / "style" / "night_strokes.jpg"),),
}
BY_NAME = {
    path.stem: path
    for kind in ("content", "style")
    for path in sorted((SAMPLES / kind).glob("*.jpg"))
}
EXPECTED = f"a file or the name of a sample ({', '.join(BY_NAME)}) was expected"
if SAMPLES == _HERE:
    EXPECTED += "; a clone of the repository has more samples"


def expected(name, others=""):
    """Return what was expected in place of an unknown picture, with the nearest sample's name."""
    near = difflib.get_close_matches(name[:60].lower(), BY_NAME, n=1)
    return (f"did you mean {near[0]}? " if near else "") + others + EXPECTED


def resolve_picture(name, folder=""):
    """Return the path of a picture file or sample.

    Parameters
    ----------
    name : str
        The path of a file, or the name of a sample, such as "chelsea". An existing file takes
        precedence.
    folder : path
        The base of a relative path; default: the working directory.

    Returns
    -------
    str
        `folder` / `name`, or the full path of the sample. The file need not exist.
    """
    path, sample = Path(folder, name), BY_NAME.get(name)
    return str(path if sample is None or path.is_file() else sample)


def resolve_pictures(config, say=None):
    """Return the config with the paths of samples, and of the pictures in directories of styles.

    Parameters
    ----------
    config : JobConfig
        With `content`, and `style` or `fine` and `coarse`.
    say : callable or None
        Receives a line about each directory in which files were skipped.

    Raises
    ------
    ImageError
        A name without directory and extension is neither a file nor a sample.
    ConfigError
        There is no picture in a directory, or not one weight or mask for each.
    """
    content = _existing(config.content)
    if not config.style:
        fine, coarse = map(_existing, config.paintings)
        return replace(config, content=content, fine=fine, coarse=coarse)
    if config.analogy:
        analogy = tuple(map(_existing, config.analogy))
        return replace(config, content=content, style=analogy[1:], analogy=analogy)
    style = tuple(map(_existing, config.style))
    if any(map(os.path.isdir, style)):
        folders = Folders(say)
        style = tuple(path for folder in style for path in folders.pictures(folder))
    return replace(config, content=content, style=style)


def _existing(name):
    path = Path(resolve_picture(name))
    if path.name == str(path) and not path.suffix and not os.path.lexists(path):
        raise ImageError(f"there is no picture {path}; {expected(name)}")
    return str(path)
