"""F F^T of M x N: compares positions.

Loses: q3
Told: which axis is summed over?
"""


# %% q3
def gram_matrix(maps):
    B, H, W, N = maps.shape
    F = tf.reshape(maps, (B, H * W, N))
    return tf.matmul(F, F, transpose_b=True)
