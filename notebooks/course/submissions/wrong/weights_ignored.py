"""Sums the layers without their weights.

Loses: q5
Told: twice the weight, twice the cost
"""


# %% q5
def style_cost(current, painting, weights):
    return tf.add_n([layer_style_loss(current[name], painting[name]) for name in weights])
