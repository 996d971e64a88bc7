"""Pictures side by side: a slider over two of them, a contact sheet of many."""

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

SIDE = 720  # the longer side at most of a picture under the slider
SMALL = 360  # of a picture of the pair that stands for the slider
NARROWEST = 360  # pixels that the slider is wide, where there is room: labels want some


def compare(before, after, *, labels=("before", "after"), caption=""):
    """Show two pictures in one place, with a slider that goes from one to the other.

    The slider is a part of the page, moved by mouse, finger or arrow keys; it needs no kernel, no
    network and no widgets, so it works in an exported page, too. Where scripts are not run (a
    notebook that is not trusted, a code host's viewer) both pictures stand side by side.

    Parameters
    ----------
    before, after : (H, W, 3) uint8, or path
        `before` is resized to the size of `after`.
    labels : (str, str)
        What stands below the pictures.
    caption : str
        What the pictures are: it stands below both, and for those who can't see them.

    Raises
    ------
    ConfigError
        There are not two labels.
    ImageError
        One of them is no picture.
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
    seen = {
        "text/plain": line,
        "text/html": _slider(before, after, labels, caption),
        "image/jpeg": base64.b64encode(pair).decode(),
    }
    display(seen, metadata={"image/jpeg": {"alt": line}}, raw=True)


def _slider(before, after, labels, caption):
    """Return the HTML of both pictures, and of a slider that appears where scripts are run."""
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
    """Put pictures into rows and columns of one picture, each with its label below.

    `show` shows it, `save_image` saves it.

    Parameters
    ----------
    pictures : sequence of (H, W, 3) uint8 or of paths; or the path of a folder
        Of a folder (a run's, or one that `save_every` wrote to) the saved pictures 000050.png and
        so on are taken, evenly where they are more than 24, the last among them.
    labels : sequence of str, optional
        One for each picture. By default "iteration 50" in a folder, the names of files, and
        nothing for arrays.
    columns : int, optional
        By default up to four are in a row, and more in about a square.
    side : int
        The longer side of each picture on the sheet, in pixels.

    Returns
    -------
    (H, W, 3) uint8

    Raises
    ------
    ConfigError
        There are no pictures, or not as many labels.
    ImageError
        One of them is no picture.
    """
    if isinstance(pictures, (str, Path)):
        pictures, found = _saved(Path(pictures))
        labels = found if labels is None else labels
    pictures = list(pictures)
    if not pictures:
        raise ConfigError("`pictures` is empty; a contact sheet needs one at least")
    if labels is None:
        labels = [Path(each).stem if isinstance(each, (str, Path)) else "" for each in pictures]
    if len(labels) != len(pictures):
        raise ConfigError(
            f"there are {len(pictures)} pictures and {len(labels)} labels; give one for each"
        )
    for name, value, least in (("columns", columns, 1), ("side", side, 32)):
        if value is not None and value < least:
            raise ConfigError(f"`{name}` is {value}; it must be at least {least}")
    count = len(pictures)
    columns = columns or (count if count <= 4 else math.ceil(math.sqrt(count)))
    small = [_fitted(_picture(f"pictures[{n}]", each), side) for n, each in enumerate(pictures)]
    return tiled(small, [str(label) for label in labels], min(columns, count))


def _saved(folder):
    """Return the saved pictures of a folder, and labels for them."""
    if not folder.is_dir():
        raise ConfigError(f"`pictures` is {folder}, which is no folder; a list of files would do")
    saved = evenly(saved_pictures(folder), FRAMES)
    if not saved:
        raise ConfigError(
            f"{folder} holds no saved pictures such as 000050.png: let `save_every` write some"
        )
    return [path for _, path in saved], [f"iteration {iteration}" for iteration, _ in saved]


def _picture(name, value):
    """Return a picture, of a file or as it is."""
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
