"""Random pictures for the tests."""

import numpy as np
from PIL import Image


def make_picture(height, width, seed=0):
    """Return a smooth random picture of colors and shapes."""
    small = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
