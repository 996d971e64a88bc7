"""No clipping: 300 becomes 44.

Loses: q1
Told: must be clipped, not wrap around
"""


# %% q1
def preprocess(picture):
    return (picture.astype(np.float32) - MEAN)[np.newaxis]


def deprocess(image):
    return np.rint(np.array(image)[0] + MEAN).astype(np.int64).astype(np.uint8)
