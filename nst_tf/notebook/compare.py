"""Comparison of pictures: a slider over two of them, a contact sheet of many."""

import base64
import math
from pathlib import Path

import numpy as np

from nst_tf.callbacks import saved_pictures
from nst_tf.errors import ConfigError, ImageError
from nst_tf.image.io import read_picture
from nst_tf.image.sizes import resize_picture
from nst_tf.notebook.live import in_notebook
from nst_tf.plots import tiled
from nst_tf.report.inline import jpeg_address, jpeg_bytes
from nst_tf.report.render import FRAMES, TEMPLATES, evenly

SIDE = 720  # maximum longer side of a picture under the slider, in pixels
SMALL = 360  # the same for the pair of pictures that replaces the slider without HTML
NARROWEST = 360  # minimum width of the slider in pixels if there is room, for the labels


def compare(before, after, *, labels=("before", "after"), caption=""):
    """Show two pictures in the same place, with a slider that reveals one or the other.

    The slider is moved by mouse, finger or arrow keys. It needs no kernel, no network and no
    widgets, so it also works in an exported page. Where scripts are disabled (an untrusted
    notebook, the viewer of a code host), both pictures are shown side by side.

    Parameters
    ----------
    before, after : (H, W, 3) uint8, or path
        `before` is resized to the size of `after`.
    labels : (str, str)
        Shown below the pictures.
    caption : str
        A description of the pictures, shown below both and used in their alt text.

    Raises
    ------
    ConfigError
        There are not two labels.
    ImageError
        One of them is not a picture.
    """
    if isinstance(labels, str) or len(labels) != 2:
        raise ConfigError(f"`labels` is {labels!r:.60}; two were expected, as (left, right)")
    after = _picture("after", after)
    before = resize_picture(_picture("before", before), after.shape[:2])
    height, width = after.shape[:2]
    line = f"{labels[0]} | {labels[1]} ({width}x{height} pixels){caption and ': '}{caption}"
    if not in_notebook():
        print(line)
        return
    from IPython.display import display

    pair = jpeg_bytes(contact_sheet([before, after], labels, side=SMALL))
    data = {
        "text/plain": line,
        "text/html": _slider(before, after, labels, caption),
        "image/jpeg": base64.b64encode(pair).decode(),
    }
    display(data, metadata={"image/jpeg": {"alt": line}}, raw=True)


def _slider(before, after, labels, caption):
    """Return the HTML of both pictures and of a slider, which appears if scripts are enabled."""
    height, width = after.shape[:2]
    scale = min(1, SIDE / max(height, width))
    return TEMPLATES.get_template("compare.html").render(
        pictures=[
            (label, f"{label}: {caption}" if caption else label, jpeg_address(picture, SIDE))
            for label, picture in zip(labels, (before, after))
        ],
        labels=labels,
        caption=caption,
        width=max(round(scale * width), NARROWEST),
    )


def contact_sheet(pictures, labels=None, *, columns=None, side=240):
    """Arrange pictures in rows and columns of one picture, each with its label below.

    Display the result with `show`, save it with `save_image`.

    Parameters
    ----------
    pictures : sequence of (H, W, 3) uint8 or of paths; or the path of a folder
        From a folder (of a run, or written by `save_every`), the saved pictures 000050.png, ...
        are used; of more than 24, evenly spaced ones including the last.
    labels : sequence of str, optional
        One per picture. Default: "iteration 50", ... for a folder, the file names for paths, and
        none for arrays.
    columns : int, optional
        Default: up to four pictures in one row, more in roughly a square.
    side : int
        The longer side of each picture on the sheet, in pixels.

    Returns
    -------
    (H, W, 3) uint8

    Raises
    ------
    ConfigError
        There are no pictures, or their number differs from that of the labels.
    ImageError
        One of them is not a picture.
    """
    if isinstance(pictures, (str, Path)):
        pictures, found = _saved(Path(pictures))
        labels = found if labels is None else labels
    pictures = list(pictures)
    if not pictures:
        raise ConfigError("`pictures` is empty; a contact sheet needs at least one")
    if labels is None:
        labels = [
            Path(picture).stem if isinstance(picture, (str, Path)) else "" for picture in pictures
        ]
    if len(labels) != len(pictures):
        raise ConfigError(
            f"there are {len(pictures)} pictures and {len(labels)} labels; give one for each"
        )
    for name, value, minimum in (("columns", columns, 1), ("side", side, 32)):
        if value is not None and value < minimum:
            raise ConfigError(f"`{name}` is {value}; it must be at least {minimum}")
    count = len(pictures)
    columns = columns or (count if count <= 4 else math.ceil(math.sqrt(count)))
    fitted = [_fitted(_picture(f"pictures[{n}]", value), side) for n, value in enumerate(pictures)]
    return tiled(fitted, [str(label) for label in labels], min(columns, count))


def _saved(folder):
    """Return the paths of the saved pictures of a folder and their labels."""
    if not folder.is_dir():
        raise ConfigError(
            f"`pictures` is {folder}, which is not a directory; a directory or a list of files was "
            "expected"
        )
    saved = evenly(saved_pictures(folder), FRAMES)
    if not saved:
        raise ConfigError(
            f"{folder} contains no saved pictures such as 000050.png; write some with `save_every`"
        )
    return [path for _, path in saved], [f"iteration {iteration}" for iteration, _ in saved]


def _picture(name, value):
    """Return a picture: read from a path, or the array itself."""
    if isinstance(value, (str, Path)):
        return read_picture(value)
    picture = np.asarray(value)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ImageError(
            f"`{name}` has shape {picture.shape} of {picture.dtype}; a picture (height, width, 3) "
            "of uint8 was expected, such as `result.picture`, or the path of one"
        )
    return picture


def _fitted(picture, side):
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    return resize_picture(picture, (max(round(scale * height), 1), max(round(scale * width), 1)))
