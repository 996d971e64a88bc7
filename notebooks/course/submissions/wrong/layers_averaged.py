"""Divides by the number of layers as well.

Loses: q5
Told: given its own weight
"""


# %% q5
def style_cost(current, painting, weights):
    losses = [w * layer_style_loss(current[name], painting[name]) for name, w in weights.items()]
    return tf.reduce_mean(losses)
