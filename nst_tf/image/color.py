"""Color control: give the result the colors of the style or of the content.

"Preserving Color in Neural Artistic Style Transfer" (Gatys, Bethge, Hertzmann & Shechtman 2016,
arXiv 1606.05897), and histogram matching. Nothing here uses the network: pictures are changed
before or after the run. `COLOR_MODES` lists the modes, `color_spaces.py` has Lab, Luv and YCbCr.

A picture is (H, W, 3) uint8 RGB. A mask is (H, W) in 0..1: the weight of each pixel in the
statistics, or how strongly it is changed; None means 1 everywhere.

Luma is Y of YIQ, chroma its I and Q. I and Q are differences of channels, so adding the same
number to R, G and B changes only luma; `preserve_color` relies on that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from nst_tf.errors import ImageError, check_choice
from nst_tf.image.color_spaces import SPACES, swap_colors
from nst_tf.image.pixels import LUMA, check_mask, like

# Added to variances, in squared 0..1 units: a standard deviation of 0.8 gray levels. Avoids a
# division by 0 for pictures without colors. From Gatys (NeuralImageSynthesis, `match_color`).
EPSILON = 1e-5


# ---------------------------------------------------------------------------- luminance


def to_luminance(picture):
    """Convert a picture to gray: its luma, rounded, in three equal channels.

    Parameters
    ----------
    picture : (H, W, 3) uint8

    Returns
    -------
    (H, W, 3) uint8
        0.299 R + 0.587 G + 0.114 B (Rec. 601). The mean of the three would make blue as bright
        as green.

    Raises
    ------
    ImageError
        `picture` is not an (H, W, 3) uint8 array.
    """
    _check_picture("picture", picture)
    return _gray(_luma(picture))


def match_luminance(style_picture, content_picture, *, style_mask=None, content_mask=None):
    """Convert the style to gray, with the mean and contrast of the content's luma.

    Parameters
    ----------
    style_picture, content_picture : (H, W, 3) uint8
        Their sizes may differ.
    style_mask, content_mask : (H, W), optional
        Weights of the pixels in the statistics. The whole style is changed.

    Returns
    -------
    (H, W, 3) uint8
        ``L_S' = sigma_C / sigma_S (L_S - mu_S) + mu_C``, eq. (10) of arXiv 1606.05897, clipped;
        `EPSILON` is added to both variances.

    Raises
    ------
    ImageError
        An argument is not a picture, or a mask does not fit its picture or is empty.
    """
    luma = _matched_luma(style_picture, content_picture, style_mask, content_mask)
    return _gray(luma)


def _matched_luma(style_picture, content_picture, style_mask, content_mask):
    """Return L_S' (H, W) in 0..1 units, without rounding or clipping."""
    style_weights = _weights("style", style_picture, style_mask)
    content_weights = _weights("content", content_picture, content_mask)
    luma = _luma(style_picture)
    style_mean, style_variance = _moments(luma.reshape(-1, 1), style_weights)
    content_mean, content_variance = _moments(
        _luma(content_picture).reshape(-1, 1), content_weights
    )
    scale = np.sqrt((content_variance + EPSILON) / (style_variance + EPSILON)).item()
    return scale * (luma - style_mean) + content_mean


def _luma(picture):
    return picture @ LUMA / 255


def _gray(luma):
    return np.repeat(_to_bytes(luma)[:, :, np.newaxis], 3, axis=2)


# ---------------------------------------------------------------------------- linear maps


def match_color(
    style_picture, content_picture, method="cholesky", *, style_mask=None, content_mask=None
):
    """Recolor the style with a linear map that gives it the content's mean and covariance.

    Parameters
    ----------
    style_picture, content_picture : (H, W, 3) uint8
        Their sizes may differ.
    method : {"cholesky", "pca", "symmetric"}
        The linear map. The three differ by a rotation of the colors: "cholesky" depends on the
        order of the channels, "pca" scales along the principal axes of both, "symmetric"
        moves the colors least.
    style_mask, content_mask : (H, W), optional
        Weights of the pixels in the statistics. The whole style is changed.

    Returns
    -------
    (H, W, 3) uint8
        ``A (x - mu_S) + mu_C`` with ``A Sigma_S A^T = Sigma_C`` (arXiv 1606.05897), clipped.
        `EPSILON` is added to the diagonals of both covariances. The map can't create chroma: a
        gray style becomes shades of one tint, and in a nearly gray one the noise is amplified
        into colors (use "luminance" of `COLOR_MODES` for those).

    Raises
    ------
    ImageError
        An argument is not a picture, or a mask does not fit its picture or is empty.
    ConfigError
        The method is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> generator = np.random.default_rng(0)
    >>> style = generator.integers(0, 256, (32, 32, 3), np.uint8)
    >>> content = generator.integers(100, 140, (32, 32, 3), np.uint8)
    >>> recolored = match_color(style, content)
    >>> bool(abs(recolored.mean((0, 1)) - content.mean((0, 1))).max() < 1)
    True
    """
    return _to_bytes(
        _matched_color(style_picture, content_picture, method, style_mask, content_mask)
    )


def _matched_color(style_picture, content_picture, method, style_mask, content_mask):
    """Return the recolored style (H, W, 3) in 0..1 units, without rounding or clipping."""
    check_choice("method", method, METHODS)
    style_weights = _weights("style", style_picture, style_mask)
    content_weights = _weights("content", content_picture, content_mask)
    pixels = style_picture.reshape(-1, 3) / 255
    style_mean, style_covariance = _moments(pixels, style_weights)
    content_mean, content_covariance = _moments(
        content_picture.reshape(-1, 3) / 255, content_weights
    )
    ridge = EPSILON * np.eye(3)
    color_map = METHODS[method](style_covariance + ridge, content_covariance + ridge)
    return ((pixels - style_mean) @ color_map.T + content_mean).reshape(style_picture.shape)


def _cholesky_map(style, content):
    """Return ``L_C L_S^-1``, where ``L L^T`` is the covariance (arXiv 1606.05897)."""
    return np.linalg.cholesky(content) @ np.linalg.inv(np.linalg.cholesky(style))


def _pca_map(style, content):
    """Return ``Sigma_C^1/2 Sigma_S^-1/2``, as in Image Analogies (arXiv 1606.05897)."""
    return _square_root(content) @ np.linalg.inv(_square_root(style))


def _symmetric_map(style, content):
    """Return ``Sigma_S^-1/2 (Sigma_S^1/2 Sigma_C Sigma_S^1/2)^1/2 Sigma_S^-1/2``.

    The only symmetric map. It moves the colors least in the mean square (Monge-Kantorovich;
    "sym" in Gatys' NeuralImageSynthesis).
    """
    root = _square_root(style)
    inverse = np.linalg.inv(root)
    return inverse @ _square_root(root @ content @ root) @ inverse


def _square_root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values)) @ vectors.T


METHODS = {  # name -> (3, 3) map from the covariances (3, 3) of style and content
    "cholesky": _cholesky_map,
    "pca": _pca_map,
    "symmetric": _symmetric_map,
}


def _moments(pixels, weights):
    """Return mean (N,) and covariance (N, N) of pixels (M, N), with weights (M,) of sum 1."""
    mean = weights @ pixels
    centered = pixels - mean
    return mean, (centered * weights[:, np.newaxis]).T @ centered


# ---------------------------------------------------------------------------- histograms


def match_histogram(style_picture, content_picture, *, style_mask=None, content_mask=None):
    """Recolor the style so that each channel has the content's distribution.

    Parameters
    ----------
    style_picture, content_picture : (H, W, 3) uint8
        Their sizes may differ.
    style_mask, content_mask : (H, W), optional
        Weights of the pixels in the histograms. The whole style is changed.

    Returns
    -------
    (H, W, 3) uint8
        Each value of R, G and B is replaced by the content's value at the same quantile,
        interpolated. Unlike `match_color` this is not linear: it matches every peak of a channel,
        ignores correlations between channels, and never leaves the content's range.

    Raises
    ------
    ImageError
        An argument is not a picture, or a mask does not fit its picture or is empty.
    """
    style_weights = _weights("style", style_picture, style_mask)
    content_weights = _weights("content", content_picture, content_mask)
    channels = [
        _quantile_table(
            np.bincount(style_picture[:, :, channel].ravel(), style_weights, 256),
            np.bincount(content_picture[:, :, channel].ravel(), content_weights, 256),
        )[style_picture[:, :, channel]]
        for channel in range(3)
    ]
    return np.stack(channels, axis=2)


def _quantile_table(style_counts, content_counts):
    """Return the new values (256,) of a channel, from the histograms (256,) of both channels."""
    present = np.flatnonzero(content_counts)
    quantiles = _quantiles(content_counts)[present]
    return np.rint(np.interp(_quantiles(style_counts), quantiles, present)).astype(np.uint8)


def _quantiles(counts):
    # The middle of a bin, not its end: a flat style gets the content's median, not its maximum.
    return np.cumsum(counts) - counts / 2


# ---------------------------------------------------------------------------- after the run


def preserve_color(picture, content_picture, mask=None):
    """Give a result the content's chroma and keep its own luma ("preserve color", tutorial 2).

    Parameters
    ----------
    picture, content_picture : (H, W, 3) uint8
        The result and the content, of the same size. The result may also be float32, gray levels
        in 0..255 that are not rounded.
    mask : (H, W), optional
        Where to replace chroma; elsewhere the result does not change.

    Returns
    -------
    (H, W, 3) of the dtype of `picture`
        I and Q of YIQ equal the content's exactly; the luma equals the result's within half a
        gray level. Where a channel would leave 0..255, the luma moves to the nearest value that
        keeps it inside; the common clipping of each channel would change the hue instead. The
        more saturated the content, the less of the brush strokes remains.

    Raises
    ------
    ImageError
        An argument is not a picture, the sizes differ, or the mask does not fit or is empty.
    """
    _check_same_size(picture, content_picture)
    check_mask("mask", mask, picture.shape[:2])
    # The same for R, G and B, and whole gray levels in a uint8 picture: chroma stays exact.
    levels = 255 * (_luma(picture) - _luma(content_picture))
    levels = np.rint(levels) if picture.dtype == np.uint8 else levels
    darkest, brightest = content_picture.min(axis=2), content_picture.max(axis=2)
    levels = np.clip(levels, -darkest.astype(float), 255.0 - brightest)
    changed = (content_picture + levels[:, :, np.newaxis]).astype(picture.dtype)
    return _blend(picture, changed, mask)


def _blend(picture, changed, mask):
    """Return `changed` where the mask is 1, `picture` where it is 0, and a mixture in between."""
    if mask is None:
        return changed
    share = np.asarray(mask, np.float64)[:, :, np.newaxis]
    return like(picture, picture * (1 - share) + changed * share)


# ---------------------------------------------------------------------------- modes


def color_before(mode, content_picture, style_picture, *, content_mask=None, style_mask=None):
    """Return the content and style pictures to pass to the network.

    Parameters
    ----------
    mode : str
        A key of `COLOR_MODES`.
    content_picture, style_picture : (H, W, 3) uint8
        Their sizes may differ.
    content_mask, style_mask : (H, W), optional
        Weights of the pixels in the statistics. "luminance" makes the content gray only where
        its mask is white.

    Returns
    -------
    content_picture, style_picture : (H, W, 3) uint8

    Raises
    ------
    ConfigError, ImageError
        The mode is unknown; an argument is not a picture, or a mask does not fit its picture or
        is empty.
    """
    check_choice("color", mode, COLOR_MODES)
    for name, picture, mask in [
        ("content", content_picture, content_mask),
        ("style", style_picture, style_mask),
    ]:
        _check_picture(f"{name}_picture", picture)
        check_mask(f"{name}_mask", mask, picture.shape[:2])
    return COLOR_MODES[mode].before(content_picture, style_picture, content_mask, style_mask)


def color_after(mode, picture, content_picture, mask=None, *, style_picture=None, style_mask=None):
    """Return the result with its final colors, to show and save.

    Parameters
    ----------
    mode : str
        A key of `COLOR_MODES`.
    picture, content_picture : (H, W, 3) uint8
        The result, and the content in its original colors: not what `color_before` returned. The
        result may also be float32, gray levels in 0..255 that are not rounded.
    mask : (H, W), optional
        Where to restore the content's chroma; elsewhere the result does not change.
    style_picture : (H', W', 3) uint8, optional
        "match-oklab" needs it.
    style_mask : (H', W'), optional
        Weights of its pixels in the statistics.

    Returns
    -------
    (H, W, 3) of the dtype of `picture`

    Raises
    ------
    ConfigError, ImageError
        The mode is unknown; an argument is not a picture, the sizes differ, or the mask does not
        fit or is empty.
    """
    check_choice("color", mode, COLOR_MODES)
    _check_same_size(picture, content_picture)
    check_mask("mask", mask, picture.shape[:2])
    of_style = (style_picture, style_mask) if COLOR_MODES[mode].each else ()
    return COLOR_MODES[mode].after(picture, content_picture, mask, *of_style)


def _both_unchanged(content_picture, style_picture, content_mask, style_mask):
    return content_picture, style_picture


def _both_gray(content_picture, style_picture, content_mask, style_mask):
    gray_style = match_luminance(
        style_picture, content_picture, style_mask=style_mask, content_mask=content_mask
    )
    return _blend(content_picture, to_luminance(content_picture), content_mask), gray_style


def _recoloring(match):
    """Return a `before` function that recolors the style with `match` and keeps the content."""

    def before(content_picture, style_picture, content_mask, style_mask):
        masks = {"style_mask": style_mask, "content_mask": content_mask}
        return content_picture, match(style_picture, content_picture, **masks)

    return before


def _content_recolored(content_picture, style_picture, content_mask, style_mask):
    masks = {"style_mask": content_mask, "content_mask": style_mask}
    recolored = match_color(content_picture, style_picture, "pca", **masks)
    return _blend(content_picture, recolored, content_mask), style_picture


def _unchanged(picture, content_picture, mask, *of_style):
    return picture


def _matched_in_oklab(picture, content_picture, mask, style_picture, style_mask):
    from nst_tf.image.oklab import match_oklab  # one mode alone needs it

    _check_picture("style_picture", style_picture)
    check_mask("style_mask", style_mask, style_picture.shape[:2])
    masks = {"mask": mask, "style_mask": style_mask}
    matched = like(picture, match_oklab(picture, content_picture, style_picture, **masks))
    return _blend(picture, matched, mask)


def _swapping(space):
    """Return an `after` function that keeps the result's lightness in a color space."""

    def after(picture, content_picture, mask):
        return _blend(picture, swap_colors(space, picture, content_picture), mask)

    return after


@dataclass(frozen=True)
class ColorMode:
    """What one color mode does before and after the run.

    Attributes
    ----------
    help : str
        One line that describes the result.
    before : callable
        ``(content_picture, style_picture, content_mask, style_mask) -> (content, style)``.
    after : callable
        ``(picture, content_picture, mask) -> picture``.
    each : bool
        Whether each style recolors the part of the photograph or the result where it acts, so that
        several need masks. `after` then takes ``style_picture, style_mask``, too.
    """

    help: str
    before: Callable = _both_unchanged
    after: Callable = _unchanged
    each: bool = False


COLOR_MODES = {
    "style": ColorMode("the style's colors"),
    "luminance": ColorMode(
        "transfer in gray, then restore the content's chroma", _both_gray, preserve_color
    ),
    **{
        method: ColorMode(
            f"recolor the style first: match mean and covariance ({method})",
            _recoloring(partial(match_color, method=method)),
        )
        for method in METHODS
    },
    "histogram": ColorMode(
        "recolor the style first: match histograms", _recoloring(match_histogram)
    ),
    "swap": ColorMode("transfer in color, then restore the content's chroma", after=preserve_color),
    "match-style": ColorMode(  # NeuralImageSynthesis' `match_style`
        "recolor the content first: match the style's mean and covariance (pca)",
        _content_recolored,
        each=True,
    ),
    "match-oklab": ColorMode(  # Kolkin et al. 2022
        "transfer in color, then move the content's colors to the style's mean and covariance, in "
        "Oklab",
        after=_matched_in_oklab,
        each=True,
    ),
    **{
        f"luminance-{space}": ColorMode(
            f"transfer in gray, then restore the content's colors in {space}",
            _both_gray,
            _swapping(space),
        )
        for space in SPACES
    },
    **{
        f"swap-{space}": ColorMode(
            f"transfer in color, then restore the content's colors in {space}",
            after=_swapping(space),
        )
        for space in SPACES
    },
}


# ---------------------------------------------------------------------------- checks


def _weights(name, picture, mask):
    """Check a picture and its mask, and return the weights (H * W,) of its pixels, of sum 1."""
    _check_picture(f"{name}_picture", picture)
    check_mask(f"{name}_mask", mask, picture.shape[:2])
    mask = np.ones(picture.shape[:2]) if mask is None else np.asarray(mask, np.float64)
    return mask.ravel() / mask.sum()


def _to_bytes(values):
    return np.rint(np.clip(255 * values, 0, 255)).astype(np.uint8)


def _check_picture(name, picture, dtypes=(np.uint8,)):
    is_array = isinstance(picture, np.ndarray)
    if not is_array or picture.dtype not in dtypes or picture.ndim != 3 or picture.shape[2] != 3:
        found = (
            f"shape {picture.shape} of {picture.dtype}"
            if is_array
            else f"type {type(picture).__name__}"
        )
        raise ImageError(
            f"`{name}` has {found}; (height, width, 3) of uint8 was expected: "
            "pass the first value of load_image"
        )


def _check_same_size(picture, content_picture):
    _check_picture("picture", picture, (np.uint8, np.float32))
    _check_picture("content_picture", content_picture)
    (height, width), (content_height, content_width) = picture.shape[:2], content_picture.shape[:2]
    if (height, width) != (content_height, content_width):
        raise ImageError(
            f"the picture has {width}x{height} pixels, the content {content_width}x"
            f"{content_height}; the same size was expected: resize one with resize_picture"
        )
