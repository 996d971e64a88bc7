"""Helpers of the lessons in `notebooks/`: modes, figures with captions, grids of pictures."""

import base64
import itertools
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf

from nst_tf.console import hushed
from nst_tf.errors import check_choice
from nst_tf.experiments import Sheet
from nst_tf.image.io import read_picture
from nst_tf.notebook.live import in_notebook
from nst_tf.plots import as_jpeg
from nst_tf.report.inline import jpeg_bytes

MODE_VARIABLE = "NST_MODE"


@dataclass(frozen=True)
class Mode:
    """The size of a lesson's pictures and the length of its runs.

    Attributes
    ----------
    name : str
    size : (height, width)
    iterations : int
        Per run.
    """

    name: str
    size: tuple[int, int]
    iterations: int


MODES = {
    "quick": Mode("quick", (72, 96), 20),
    "default": Mode("default", (180, 240), 100),
    "full": Mode("full", (240, 320), 300),
}


def lesson_mode(name="default", *, minutes=None):
    """Return the mode of a lesson and print its settings.

    Parameters
    ----------
    name : {"quick", "default", "full"}
        The environment variable NST_MODE overrides it; the tests use this to run every lesson in
        "quick".
    minutes : dict of float, optional
        Duration of the lesson in each mode on two cores.

    Returns
    -------
    Mode

    Raises
    ------
    ConfigError
        There is no such mode.
    """
    with hushed():  # the first operation searches for devices and logs warnings about them
        tf.constant(0)
    mode = MODES[check_choice("mode", os.environ.get(MODE_VARIABLE) or name, MODES)]
    height, width = mode.size
    print(
        f"mode {mode.name}: {width}x{height} pixels, {mode.iterations} iterations per run, "
        "float32, seed 0, unless a caption says otherwise"
    )
    if mode.name == "quick":
        print(
            "captions describe the pictures of the default mode, which are larger and more finished"
        )
    if minutes:
        print(f"all cells take about {_duration(minutes[mode.name])} on two cores")
    return mode


def _duration(minutes):
    return f"{minutes:.0f} minutes" if minutes >= 2 else f"{round(6 * minutes) * 10} seconds"


def show(figure, caption):
    """Show a figure in a notebook with its caption, which is also the picture's alt text.

    `nbconvert` omits the alt text from its HTML; readers there rely on the caption below.

    Parameters
    ----------
    figure : Figure, or (H, W, 3) uint8
        As from `show_images`, `plot_losses` or `plt.figure`; it is closed, or Jupyter would show it
        a second time. Or a picture, as from `contact_sheet`.
    caption : str
        What the picture shows and what to look for; it replaces the picture for those who can't
        see it.
    """
    picture = jpeg_bytes(figure) if isinstance(figure, np.ndarray) else as_jpeg(figure)
    if in_notebook():
        from IPython.display import display

        # Not IPython's Image: before version 8, as in Colab, it has no alt text.
        data = {"image/jpeg": base64.b64encode(picture).decode(), "text/plain": caption}
        display(data, metadata={"image/jpeg": {"alt": caption}}, raw=True)
    print(caption)


# ---------------------------------------------------------------------------- grids


@dataclass(frozen=True)
class Grid:
    """Precomputed pictures, one for each combination of labels.

    Attributes
    ----------
    axes : dict of list of str
        The labels of each axis, by its name. The last two axes are the rows and columns of a
        sheet.
    pictures : dict of (H, W, 3) uint8
        Keyed by tuples of labels, one per axis.
    caption : str
        A description of the pictures.
    """

    axes: dict[str, list[str]]
    pictures: dict[tuple[str, ...], np.ndarray] = field(repr=False)
    caption: str = ""

    def picture(self, **choice):
        """Return the picture for one label per axis."""
        return self.pictures[tuple(choice[axis] for axis in self.axes)]

    def sheet(self, **fixed):
        """Return a `Sheet` of the last two axes, with the others fixed to the given labels."""
        *_, rows, columns = self.axes
        pictures = [
            [self.picture(**fixed, **{rows: row, columns: column}) for column in self.axes[columns]]
            for row in self.axes[rows]
        ]
        chosen = ", ".join(f"{axis}: {label}" for axis, label in fixed.items())
        return Sheet(chosen, tuple(self.axes[rows]), tuple(self.axes[columns]), pictures)


def read_grid(path):
    """Read a grid: a .json with `axes` and `caption`, and a .jpg of that name with all pictures.

    Parameters
    ----------
    path : path
        Of the .json. In the .jpg, columns are the last axis and rows all other combinations.

    Returns
    -------
    Grid
    """
    path = Path(path)
    header = json.loads(path.read_text(encoding="utf-8"))
    mosaic = read_picture(path.with_suffix(".jpg"), say=None)
    *others, last = header["axes"].values()
    rows = list(itertools.product(*others))
    strips = np.split(mosaic, len(rows))
    pictures = {
        (*row, label): picture
        for row, strip in zip(rows, strips)
        for label, picture in zip(last, np.split(strip, len(last), axis=1))
    }
    return Grid(header["axes"], pictures, header["caption"])


def panel(grid):
    """Show controls that select one of a grid's pictures; without ipywidgets, print a hint.

    All pictures are precomputed. A `Sheet` shows the same pictures without controls.

    Parameters
    ----------
    grid : Grid
    """
    try:
        import ipywidgets
    except ImportError:
        print("the panel needs ipywidgets; the sheet below has the same pictures")
        return
    from IPython.display import display

    controls = {
        axis: ipywidgets.SelectionSlider(
            options=labels,
            description=axis,
            continuous_update=False,
            style={"description_width": "9em"},
        )
        for axis, labels in grid.axes.items()
    }
    image, text = ipywidgets.Image(format="jpeg"), ipywidgets.HTML()

    def update(_=None):
        labels = {axis: control.value for axis, control in controls.items()}
        image.value = jpeg_bytes(grid.picture(**labels))
        text.value = ", ".join(f"{axis}: {label}" for axis, label in labels.items())

    for control in controls.values():
        control.observe(update, "value")
    update()
    display(ipywidgets.VBox([*controls.values(), image, text]))
