"""The mean is added twice on the way back.

Loses: q1
Told: there and back must give the same picture
"""


# %% q1
def preprocess(picture):
    return (picture.astype(np.float32) - MEAN)[np.newaxis]


def deprocess(image):
    return np.rint(np.clip(np.array(image)[0] + 2 * MEAN, 0, 255)).astype(np.uint8)
