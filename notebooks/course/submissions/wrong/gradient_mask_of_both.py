"""The gradient stops where the target is 0 as well.

Loses: q2
Told: differs from the tape's gradient
"""


# %% q2
def content_loss(F, P):
    return 0.5 * tf.reduce_sum((F - P) ** 2)


def content_gradient(F, P):
    return tf.where((F > 0) & (P > 0), F - P, tf.zeros_like(F))
