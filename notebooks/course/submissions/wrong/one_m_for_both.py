"""Divides both Gram matrices by the M of the current picture.

Loses: q4
Told: divided by its own M
"""


# %% q4
def layer_style_loss(current, painting):
    _, H, W, N = current.shape
    difference = gram_matrix(current) - gram_matrix(painting)
    return tf.reduce_sum(difference**2) / (4 * N**2 * (H * W) ** 2)
