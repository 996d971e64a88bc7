"""An infinite loop: its index is not incremented.

Loses: q6
Told:
"""


# %% q6
def tv_loss(image):
    total, row = 0.0, 0
    while row < image.shape[1] - 1:
        total += float(tf.reduce_sum((image[:, row + 1] - image[:, row]) ** 2))
    return total
