"""Absolute differences, as TensorFlow has them.

Loses: q6
Told: squared differences
"""


# %% q6
def tv_loss(image):
    return tf.reduce_sum(tf.image.total_variation(image))
