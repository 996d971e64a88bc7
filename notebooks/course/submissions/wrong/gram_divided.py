"""Divides by the number of entries.

Loses: q3
Told: is nothing divided
"""


# %% q3
def gram_matrix(maps):
    return tf.einsum("bhwi,bhwj->bij", maps, maps) / tf.cast(tf.size(maps), tf.float32)
