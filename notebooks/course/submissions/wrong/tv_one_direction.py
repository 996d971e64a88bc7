"""Only differences between horizontal neighbors.

Loses: q6
Told: both directions
"""


# %% q6
def tv_loss(image):
    return tf.reduce_sum((image[:, :, 1:] - image[:, :, :-1]) ** 2)
