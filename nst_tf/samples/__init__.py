"""The sample pictures, and their lookup by name."""

import os
from dataclasses import replace
from pathlib import Path

from nst_tf.errors import ImageError

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


def resolve_pictures(config):
    """Return the config with sample names replaced by their paths.

    Parameters
    ----------
    config : JobConfig
        With `content` and `style`.

    Raises
    ------
    ImageError
        A name without directory and extension is neither a file nor a sample.
    """
    content, *style = map(_existing, (config.content, *config.style))
    analogy = config.analogy and tuple(map(_existing, config.analogy))
    return replace(config, content=content, style=tuple(style), analogy=analogy)


def _existing(name):
    path = Path(resolve_picture(name))
    if path.name == str(path) and not path.suffix and not os.path.lexists(path):
        raise ImageError(f"there is no picture {path}; {EXPECTED}")
    return str(path)
