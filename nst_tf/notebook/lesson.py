"""What the lessons in `notebooks/` share: modes, figures with their words, grids to choose from."""

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
    """How large the pictures of a lesson are, and how long a run is.

    Attributes
    ----------
    name : str
    size : (height, width)
    iterations : int
        Of a run.
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
    """Return the mode of a lesson and print what it means.

    Parameters
    ----------
    name : {"quick", "default", "full"}
        The environment variable NST_MODE, where it is set, goes before it: that is how the tests
        run every lesson in "quick".
    minutes : dict of float, optional
        How long the lesson takes in each mode on two cores.

    Returns
    -------
    Mode

    Raises
    ------
    ConfigError
        There is no such mode.
    """
    with hushed():  # devices are looked for, and complained of, at the first operation
        tf.constant(0)
    mode = MODES[check_choice("mode", os.environ.get(MODE_VARIABLE) or name, MODES)]
    height, width = mode.size
    print(
        f"mode {mode.name}: {width}x{height} pixels, {mode.iterations} iterations a run, float32, "
        "seed 0, where a caption says nothing else"
    )
    if minutes:
        print(f"all cells take about {_spoken(minutes[mode.name])} on two cores")
    return mode


def _spoken(minutes):
    return f"{minutes:.0f} minutes" if minutes >= 2 else f"{round(6 * minutes) * 10} seconds"


def show(figure, caption):
    """Show a figure in a notebook with its caption, which is also the picture's alt text.

    The HTML that `nbconvert` makes leaves the alt text out; there the caption below must do.

    Parameters
    ----------
    figure : Figure, or (H, W, 3) uint8
        As from `show_images`, `plot_losses` or `plt.figure`. It is closed: Jupyter would show it
        a second time. Or a picture, as from `contact_sheet`.
    caption : str
        What is to be seen, and what to look at: it stands for the picture where that can't be seen.
    """
    picture = jpeg_bytes(figure) if isinstance(figure, np.ndarray) else as_jpeg(figure)
    if in_notebook():
        from IPython.display import display

        # Not IPython's Image: before version 8, as in Colab, it takes no alt text.
        seen = {"image/jpeg": base64.b64encode(picture).decode(), "text/plain": caption}
        display(seen, metadata={"image/jpeg": {"alt": caption}}, raw=True)
    print(caption)


# ---------------------------------------------------------------------------- grids to choose from


@dataclass(frozen=True)
class Grid:
    """Pictures made beforehand, one for each combination of choices.

    Attributes
    ----------
    axes : dict of list of str
        What can be chosen, by name: the labels of each. The last two are the rows and columns of
        a sheet.
    pictures : dict of (H, W, 3) uint8
        By a tuple of labels, one for each axis.
    caption : str
        What the pictures are.
    """

    axes: dict[str, list[str]]
    pictures: dict[tuple[str, ...], np.ndarray] = field(repr=False)
    caption: str = ""

    def picture(self, **choice):
        """Return the picture of one label for each axis."""
        return self.pictures[tuple(choice[axis] for axis in self.axes)]

    def sheet(self, **fixed):
        """Return a `Sheet` of the last two axes; the others are fixed by their labels."""
        *_, rows, columns = self.axes
        pictures = [
            [self.picture(**fixed, **{rows: row, columns: column}) for column in self.axes[columns]]
            for row in self.axes[rows]
        ]
        chosen = ", ".join(f"{axis}: {label}" for axis, label in fixed.items())
        return Sheet(chosen, tuple(self.axes[rows]), tuple(self.axes[columns]), pictures)


def read_grid(path):
    """Read a grid: a .json with `axes` and `caption`, and beside it a .jpg with all pictures.

    Parameters
    ----------
    path : path
        Of the .json. The .jpg's columns are the last axis, its rows all other combinations.

    Returns
    -------
    Grid
    """
    path = Path(path)
    about = json.loads(path.read_text(encoding="utf-8"))
    together = read_picture(path.with_suffix(".jpg"))
    *others, last = about["axes"].values()
    rows = list(itertools.product(*others))
    strips = np.split(together, len(rows))
    pictures = {
        (*row, label): picture
        for row, strip in zip(rows, strips)
        for label, picture in zip(last, np.split(strip, len(last), axis=1))
    }
    return Grid(about["axes"], pictures, about["caption"])


def panel(grid):
    """Show controls that choose one of a grid's pictures; without ipywidgets, say so.

    Nothing is computed: all pictures are there. A `Sheet` of them shows the same without controls.

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
    shown, words = ipywidgets.Image(format="jpeg"), ipywidgets.HTML()

    def choose(_=None):
        choice = {axis: control.value for axis, control in controls.items()}
        shown.value = jpeg_bytes(grid.picture(**choice))
        words.value = ", ".join(f"{axis}: {label}" for axis, label in choice.items())

    for control in controls.values():
        control.observe(choose, "value")
    choose()
    display(ipywidgets.VBox([*controls.values(), shown, words]))
