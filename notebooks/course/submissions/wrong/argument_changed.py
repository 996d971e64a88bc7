"""Adds the mean to the argument itself.

Loses: q1
Told: deprocess must not change its argument
"""


# %% q1
def preprocess(picture):
    return (picture.astype(np.float32) - MEAN)[np.newaxis]


def deprocess(image):
    image += MEAN
    picture = np.rint(np.clip(image[0], 0, 255)).astype(np.uint8)
    return picture
