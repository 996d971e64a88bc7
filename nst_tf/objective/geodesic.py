"""Between two styles: the geodesic of their moments, in the Wasserstein-2 metric."""

import numpy as np
import tensorflow as tf

from nst_tf.errors import ConfigError

NOISE = float(np.finfo(np.float32).eps)  # relative: covariances are measured in float32


def geodesic(targets, shares):
    """Return the moments of each layer between those of two styles; one style is returned as is.

    Parameters
    ----------
    targets : list of dict of (mean (1, N), covariance (1, N, N))
        Of each style, by layer name: what "moments" and "wasserstein" measure.
    shares : sequence of float
        Of sum 1; that of the second style is t.

    Returns
    -------
    dict of (mean (1, N), covariance (1, N, N))

    Raises
    ------
    ConfigError
        There are more than two styles.
    """
    if len(targets) > 2:
        raise ConfigError(
            f"a geodesic goes from one style to another, but there are {len(targets)} styles "
            'without a mask; give two, or the blend "targets"'
        )
    if len(targets) == 1:
        return targets[0]
    start, end = targets
    return {layer: moments_between(start[layer], end[layer], shares[1]) for layer in start}


def moments_between(start, end, t):
    """Return mean and covariance at a point of the geodesic between two normal distributions.

    This is the displacement interpolation of McCann 1997, which for normal distributions is
    (Takatsu 2011, Wasserstein geometry of Gaussian measures)::

        m_t = (1 - t) m_0 + t m_1
        C_t = ((1 - t) I + t T) C_0 ((1 - t) I + t T)
        T = C_1^(1/2) (C_1^(1/2) C_0 C_1^(1/2))^(-1/2) C_1^(1/2)

    where T maps the first distribution to the second at the least cost. The distance to the first
    is proportional to t. Along common principal directions, standard deviations are averaged; the
    blend "targets" averages variances.

    The covariances of layers with more channels than positions are singular, so T does not exist.
    Therefore, `C_0 T` is computed without an inverse: with ``C_0^(1/2) C_1^(1/2) = U S V^T``, it is
    ``C_0^(1/2) U V^T C_1^(1/2)``, without the directions with S = 0.

    Parameters
    ----------
    start, end : (mean (1, N), covariance (1, N, N))
    t : float
        From 0 (start) to 1 (end); at 0 and 1, the input is returned unchanged.

    Returns
    -------
    (mean (1, N), covariance (1, N, N)) float32
        Computed in float64.
    """
    if t in (0, 1):
        return end if t else start
    mean, covariance = (np.asarray(part, np.float64)[0] for part in start)
    other_mean, other_covariance = (np.asarray(part, np.float64)[0] for part in end)
    root, other_root = square_root(covariance), square_root(other_covariance)
    left, overlap, right = np.linalg.svd(root @ other_root)
    rank = np.count_nonzero(overlap > NOISE * overlap[0])
    cross = root @ left[:, :rank] @ right[:rank] @ other_root
    between = (1 - t) ** 2 * covariance + t**2 * other_covariance + (1 - t) * t * (cross + cross.T)
    moments = (1 - t) * mean + t * other_mean, between
    return tuple(tf.constant(part[np.newaxis], tf.float32) for part in moments)


def square_root(matrix):
    """Return the symmetric square root (N, N) of a covariance; negative eigenvalues become 0."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
