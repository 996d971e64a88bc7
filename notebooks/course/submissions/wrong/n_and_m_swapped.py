"""Divides each Gram matrix by N and the sum by M squared.

Loses: q4
Told: not N and M swapped
"""


# %% q4
def layer_style_loss(current, painting):
    M = current.shape[1] * current.shape[2]
    G, A = (gram_matrix(x) / x.shape[3] for x in (current, painting))
    return tf.reduce_sum((G - A) ** 2) / (4 * M**2)
