"""The content loss without its 1/2.

Loses: q2
Told: is the 1/2 there?
"""


# %% q2
def content_loss(F, P):
    return tf.reduce_sum((F - P) ** 2)


def content_gradient(F, P):
    return tf.where(F > 0, F - P, 0.0)
