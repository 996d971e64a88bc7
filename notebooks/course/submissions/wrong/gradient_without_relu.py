"""Forgets that F comes out of a ReLU.

Loses: q2
Told: F - P where F > 0, else 0
"""


# %% q2
def content_loss(F, P):
    return 0.5 * tf.reduce_sum((F - P) ** 2)


def content_gradient(F, P):
    return F - P
