"""Noise for the initial image."""

import numpy as np

from nst_tf.errors import ImageError

NOISE = {"gaussian": 1.0, "uniform": 20.0}  # kind -> the tutorials' amplitude, in 0..255 units


def normal_noise_image(shape, mean, deviation, bounds, *, seed=0):
    """Return normally distributed noise, with a mean and deviation per channel, within bounds.

    Parameters
    ----------
    shape : (1, H, W, 3)
    mean, deviation : (3,)
    bounds : (3,), (3,)
        Minimum and maximum values, as in `PixelSpace.bounds`; the distribution is
        truncated there, which makes the deviation smaller (crowsonkb's `style_stats`).
    seed : int
        Random seed.

    Returns
    -------
    (1, H, W, 3) float32
    """
    from scipy.special import ndtr, ndtri  # not needed by other commands and slow to import

    mean, deviation = np.clip(mean, *bounds), np.maximum(deviation, 1e-6)
    least, greatest = (ndtr((bound - mean) / deviation) for bound in bounds)
    # Another stream than that of `generate_noise_image`, which may be added with the same seed.
    shares = np.random.default_rng([seed, 1]).uniform(least, greatest, shape)
    values = mean + deviation * ndtri(shares)
    return np.clip(values, *bounds).astype(np.float32)  # rounding can leave the bounds


def generate_noise_image(content_image, noise_ratio, *, noise="gaussian", amplitude=None, seed=0):
    """Mix noise into the content image: ``noise * r + content * (1 - r)`` (tutorial 0).

    Parameters
    ----------
    content_image : (1, H, W, 3) float32
        In the trunk's pixel space.
    noise_ratio : float in [0, 1]
        0 is the content image itself, 1 is only noise. Tutorial 0's noise of one gray level is
        invisible: with it, 0.5 only makes the picture fainter. "uniform" noise is visible.
    noise : {"gaussian", "uniform"}
        Standard normal as in tutorial 0, or uniform in -20..20 as in tutorial 3.
    amplitude : float, optional
        Standard deviation, or half the range, in 0..255 units. Default: the tutorial's value.
    seed : int
        Random seed.

    Returns
    -------
    (1, H, W, 3) float32

    Examples
    --------
    >>> import numpy as np
    >>> content_image = np.zeros((1, 32, 48, 3), np.float32)
    >>> noisy = generate_noise_image(content_image, 0.5, noise="uniform")
    >>> noisy.shape, bool(abs(noisy).max() <= 10)  # half of 20 gray levels
    ((1, 32, 48, 3), True)
    """
    if noise not in NOISE:
        raise ImageError(f"`noise` is {noise!r}; choose from {', '.join(NOISE)}")
    if not 0 <= noise_ratio <= 1:
        raise ImageError(f"`noise_ratio` is {noise_ratio}; it must be between 0 and 1")
    if noise_ratio == 0:
        return np.asarray(content_image, np.float32)
    amplitude = NOISE[noise] if amplitude is None else amplitude
    generator = np.random.default_rng(seed)
    shape = np.shape(content_image)
    if noise == "gaussian":
        values = generator.standard_normal(shape, np.float32) * np.float32(amplitude)
    else:
        values = generator.uniform(-amplitude, amplitude, shape).astype(np.float32)
    return values * np.float32(noise_ratio) + content_image * np.float32(1 - noise_ratio)
