"""Reshapes to (N, M) without transposing.

Loses: q3
Told: Are channels and positions separate
"""


# %% q3
def gram_matrix(maps):
    B, H, W, N = maps.shape
    F = tf.reshape(maps, (B, N, H * W))
    return tf.matmul(F, F, transpose_b=True)
