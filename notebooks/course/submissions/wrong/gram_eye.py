"""A matrix that has the right shape and is symmetric.

Loses: q3
Told: numbers differ
"""


# %% q3
def gram_matrix(maps):
    return np.eye(maps.shape[3])[np.newaxis]
