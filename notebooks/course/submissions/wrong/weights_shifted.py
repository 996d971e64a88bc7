"""Lists by position: the weights go to the first layers.

Loses: q5
Told: is each layer compared with itself
"""


# %% q5
def style_cost(current, painting, weights):
    pairs = zip(weights.values(), current, painting)
    return sum(w * layer_style_loss(current[one], painting[other]) for w, one, other in pairs)
