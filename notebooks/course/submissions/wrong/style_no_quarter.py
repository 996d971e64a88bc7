"""The layer loss without 1/4.

Loses: q4
Told: Is the 1/4 there
"""


# %% q4
def layer_style_loss(current, painting):
    G, A = (gram_matrix(x) / (x.shape[1] * x.shape[2]) for x in (current, painting))
    return tf.reduce_sum((G - A) ** 2) / current.shape[3] ** 2
