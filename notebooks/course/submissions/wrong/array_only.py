"""Takes an array, not a tf.Variable.

Loses: q1
Told:
"""


# %% q1
def preprocess(picture):
    return (picture.astype(np.float32) - MEAN)[np.newaxis]


def deprocess(image):
    return np.rint(np.clip(image[0].copy() + MEAN, 0, 255)).astype(np.uint8)
