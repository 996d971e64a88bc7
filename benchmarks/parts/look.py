"""Figures of how results look, which a loss does not tell."""

from importlib import import_module
from importlib.util import find_spec

import numpy as np
from PIL import Image

from benchmarks.place import folder
from benchmarks.report import Part

LOOKS = "benchmarks.looks"
# Each takes a picture, (H, W, 3) uint8, and gives a number.
MEASURES = ("clipped_share", "border_ratio", "speckle")


def measure(options):
    """Look at the pictures named, or at all that the schedules left."""
    part = Part("look", "figures of result pictures")
    if find_spec(LOOKS) is None:
        part.skipped["all"] = f"there is no {LOOKS}"
        return part
    looks = import_module(LOOKS)
    for path in options.pictures or _schedules_pictures():
        with Image.open(path) as file:
            picture = np.asarray(file.convert("RGB"))
        for name in MEASURES:
            part.add(f"{path.stem}: {name}", float(getattr(looks, name)(picture)))
    if not part.figures:
        part.skipped["all"] = "no pictures: name some with --pictures, or run schedule first"
    return part


def _schedules_pictures():
    """Return them without the sheets of two."""
    paths = sorted(folder("schedule").glob("*.png"))
    return [path for path in paths if not path.stem.endswith("_both")]
