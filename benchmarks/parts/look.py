"""Figures of how results look, which a loss does not tell."""

import numpy as np
from PIL import Image

from benchmarks import looks
from benchmarks.place import folder
from benchmarks.report import Part
from nst_tf.scaling.levels import make_levels

OF_PICTURE = (looks.clipped_share, looks.border_ratio)
BESIDE_STYLE = (looks.speckle, looks.colour_grain)


def measure(options):
    """Look at the pictures named, or at all that the schedules left."""
    part = Part("look", "figures of result pictures")
    style = options.painting and _read(options.painting)
    for path in options.pictures or _schedules_pictures():
        picture = _read(path)
        for measured in OF_PICTURE:
            part.add(f"{path.stem}: {measured.__name__}", measured(picture))
        coarsest = make_levels("fast", picture.shape[:2], 500)[0].size
        part.add(f"{path.stem}: seam_ratio", looks.seam_ratio(picture, coarsest))
        for measured in BESIDE_STYLE if options.painting else ():
            part.add(f"{path.stem}: {measured.__name__}", measured(picture, style))
    if not part.figures:
        part.skipped["all"] = "no pictures: name some with --pictures, or run schedule first"
    return part


def _read(path):
    with Image.open(path) as file:
        return np.asarray(file.convert("RGB"))


def _schedules_pictures():
    """Return them without the sheets of two."""
    paths = sorted(folder("schedule").glob("*.png"))
    return [path for path in paths if not path.stem.endswith("_both")]
