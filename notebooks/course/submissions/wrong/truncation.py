"""Truncates instead of rounding.

Loses: q1
Told: is rounded to 105, not truncated
"""


# %% q1
def preprocess(picture):
    return (picture.astype(np.float32) - MEAN)[np.newaxis]


def deprocess(image):
    pixels = np.array(image)[0].astype(np.float64) + MEAN + 1e-3
    return np.clip(pixels, 0, 255).astype(np.uint8)
