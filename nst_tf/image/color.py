"""Colour control: whose colours the result has, the style's or the content's.

"Preserving Color in Neural Artistic Style Transfer" (Gatys, Bethge, Hertzmann & Shechtman 2016,
arXiv 1606.05897), and histogram matching. Nothing here touches the network: pictures are changed
before the run or after it. `COLOR_MODES` lists what the knob can say.

A picture is (H, W, 3) uint8 RGB. A mask is (H, W) in 0..1: how much a pixel counts in the
statistics, or how much it is changed; None is 1 everywhere.

Luma is Y of YIQ, chroma its I and Q. Those two are differences of channels, so that one number
added to R, G and B changes luma alone: what is done after the run rests on that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from nst_tf.errors import ImageError, check_choice
from nst_tf.image.pixels import check_mask

LUMA = np.array([0.299, 0.587, 0.114])  # Rec. 601, the Y of YIQ
# Added to variances, in squared 0..1 units: a standard deviation of 0.8 grey levels, so that a
# picture without colours does not divide by 0. Gatys' own (NeuralImageSynthesis, `match_color`).
EPSILON = 1e-5


# ---------------------------------------------------------------------------- luminance


def to_luminance(picture):
    """Turn a picture into shades of grey: its luma, rounded, in three equal channels.

    Parameters
    ----------
    picture : (H, W, 3) uint8

    Returns
    -------
    (H, W, 3) uint8
        0.299 R + 0.587 G + 0.114 B (Rec. 601), where the mean of the three would make blue as
        bright as green.

    Raises
    ------
    ImageError
        It is no picture.
    """
    _check_picture("picture", picture)
    return _grey(_luma(picture))


def match_luminance(style_picture, content_picture, *, style_mask=None, content_mask=None):
    """Turn the style grey, with the mean and the contrast of the content's luma.

    Parameters
    ----------
    style_picture, content_picture : (H, W, 3) uint8
        Each of its own size.
    style_mask, content_mask : (H, W), optional
        Where the statistics are measured. The whole style is changed.

    Returns
    -------
    (H, W, 3) uint8
        ``L_S' = sigma_C / sigma_S (L_S - mu_S) + mu_C``, eq. (10) of arXiv 1606.05897, clipped;
        `EPSILON` is added to both variances.

    Raises
    ------
    ImageError
        No pictures, or masks that don't fit them or are empty.
    """
    luma = _matched_luma(style_picture, content_picture, style_mask, content_mask)
    return _grey(luma)


def _matched_luma(style_picture, content_picture, style_mask, content_mask):
    """Return L_S' (H, W) in 0..1 units, neither rounded nor clipped."""
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


def _grey(luma):
    return np.repeat(_to_bytes(luma)[:, :, np.newaxis], 3, axis=2)


# ---------------------------------------------------------------------------- linear maps


def match_color(
    style_picture, content_picture, method="cholesky", *, style_mask=None, content_mask=None
):
    """Recolour the style by a linear map, so that it has the content's mean and covariance.

    Parameters
    ----------
    style_picture, content_picture : (H, W, 3) uint8
        Each of its own size.
    method : {"cholesky", "pca", "symmetric"}
        Which of the maps that do so (see `METHODS`). They differ by a rotation of the colours:
        "cholesky" depends on the order of the channels, "pca" turns along the style's and the
        content's own axes, "symmetric" moves the colours least.
    style_mask, content_mask : (H, W), optional
        Where the statistics are measured. The whole style is changed.

    Returns
    -------
    (H, W, 3) uint8
        ``A (x - mu_S) + mu_C`` with ``A Sigma_S A^T = Sigma_C`` (arXiv 1606.05897), clipped.
        `EPSILON` is added to the diagonals of both covariances. Chroma that the style has not
        can't be made: a grey style becomes shades of one tint, and in a nearly grey one the
        noise is enlarged into colours ("luminance" of `COLOR_MODES` is for those).

    Raises
    ------
    ImageError
        No pictures, masks that don't fit them or are empty, an unknown method.
    """
    return _to_bytes(
        _matched_color(style_picture, content_picture, method, style_mask, content_mask)
    )


def _matched_color(style_picture, content_picture, method, style_mask, content_mask):
    """Return the recoloured style (H, W, 3) in 0..1 units, neither rounded nor clipped."""
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
    """``L_C L_S^-1``, where ``L L^T`` is the covariance (arXiv 1606.05897)."""
    return np.linalg.cholesky(content) @ np.linalg.inv(np.linalg.cholesky(style))


def _pca_map(style, content):
    """``Sigma_C^1/2 Sigma_S^-1/2``, as in Image Analogies (arXiv 1606.05897)."""
    return _square_root(content) @ np.linalg.inv(_square_root(style))


def _symmetric_map(style, content):
    """``Sigma_S^-1/2 (Sigma_S^1/2 Sigma_C Sigma_S^1/2)^1/2 Sigma_S^-1/2``.

    The one symmetric map, of all the one that moves the colours least in the mean square
    (Monge-Kantorovich; "sym" in Gatys' NeuralImageSynthesis).
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
    """Return the mean (N,) and the covariance (N, N) of pixels (M, N), weights (M,) of sum 1."""
    mean = weights @ pixels
    centred = pixels - mean
    return mean, (centred * weights[:, np.newaxis]).T @ centred


# ---------------------------------------------------------------------------- histograms


def match_histogram(style_picture, content_picture, *, style_mask=None, content_mask=None):
    """Recolour the style so that each channel has the content's distribution.

    Parameters
    ----------
    style_picture, content_picture : (H, W, 3) uint8
        Each of its own size.
    style_mask, content_mask : (H, W), optional
        Where values are counted. The whole style is changed.

    Returns
    -------
    (H, W, 3) uint8
        Each value of R, G and B became the content's value of the same quantile, interpolated.
        Unlike `match_color` it is not linear: it fits every peak of a channel, knows nothing of
        how channels go together, and never leaves the content's range.

    Raises
    ------
    ImageError
        No pictures, or masks that don't fit them or are empty.
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
    """Return what each of the 256 values becomes, from the shares (256,) of both channels."""
    present = np.flatnonzero(content_counts)
    quantiles = _quantiles(content_counts)[present]
    return np.rint(np.interp(_quantiles(style_counts), quantiles, present)).astype(np.uint8)


def _quantiles(counts):
    # A value's middle, not its end: a flat style gets the content's median, not its brightest.
    return np.cumsum(counts) - counts / 2


# ---------------------------------------------------------------------------- after the run


def preserve_color(picture, content_picture, mask=None):
    """Give a result the content's chroma, and keep its own luma ("preserve colour", tutorial 2).

    Parameters
    ----------
    picture, content_picture : (H, W, 3) uint8
        The result and the content, of one size.
    mask : (H, W), optional
        Where; elsewhere the result stays as it is.

    Returns
    -------
    (H, W, 3) uint8
        I and Q of YIQ are the content's exactly, the luma is the result's within half a grey
        level. Where both together would leave 0..255, the luma moves to the nearest that does
        not; clipping each channel, as is common, would change the hue instead. The more
        saturated the content, the less room there is for brush strokes.

    Raises
    ------
    ImageError
        No pictures, pictures of different sizes, or a mask that doesn't fit or is empty.
    """
    _check_same_size(picture, content_picture)
    check_mask("mask", mask, picture.shape[:2])
    # Whole grey levels, the same for R, G and B: chroma is not even rounded.
    levels = np.rint(255 * (_luma(picture) - _luma(content_picture)))
    darkest, brightest = content_picture.min(axis=2), content_picture.max(axis=2)
    levels = np.clip(levels, -darkest.astype(float), 255.0 - brightest)
    return _blend(picture, (content_picture + levels[:, :, np.newaxis]).astype(np.uint8), mask)


def _blend(picture, changed, mask):
    """Return `changed` where the mask is 1, `picture` where it is 0, a mixture between."""
    if mask is None:
        return changed
    share = np.asarray(mask, np.float64)[:, :, np.newaxis]
    return np.rint(picture * (1 - share) + changed * share).astype(np.uint8)


# ---------------------------------------------------------------------------- the knob


def color_before(mode, content_picture, style_picture, *, content_mask=None, style_mask=None):
    """Return the content and the style picture that the network is to see.

    Parameters
    ----------
    mode : str
        A key of `COLOR_MODES`.
    content_picture, style_picture : (H, W, 3) uint8
        Each of its own size.
    content_mask, style_mask : (H, W), optional
        Where the statistics are measured. "luminance" makes the content grey only there.

    Returns
    -------
    content_picture, style_picture : (H, W, 3) uint8

    Raises
    ------
    ConfigError, ImageError
        An unknown mode; no pictures, or masks that don't fit them or are empty.
    """
    check_choice("color", mode, COLOR_MODES)
    for name, picture, mask in [
        ("content", content_picture, content_mask),
        ("style", style_picture, style_mask),
    ]:
        _check_picture(f"{name}_picture", picture)
        check_mask(f"{name}_mask", mask, picture.shape[:2])
    return COLOR_MODES[mode].before(content_picture, style_picture, content_mask, style_mask)


def color_after(mode, picture, content_picture, mask=None):
    """Return the result as it is to be shown and saved.

    Parameters
    ----------
    mode : str
        A key of `COLOR_MODES`.
    picture, content_picture : (H, W, 3) uint8
        The result, and the content in its own colours: not what `color_before` returned.
    mask : (H, W), optional
        Where the content's chroma may return; elsewhere the result stays as it is.

    Returns
    -------
    (H, W, 3) uint8

    Raises
    ------
    ConfigError, ImageError
        An unknown mode; no pictures, pictures of different sizes, or a mask that doesn't fit
        or is empty.
    """
    check_choice("color", mode, COLOR_MODES)
    _check_same_size(picture, content_picture)
    check_mask("mask", mask, picture.shape[:2])
    return COLOR_MODES[mode].after(picture, content_picture, mask)


def _leave_both(content_picture, style_picture, content_mask, style_mask):
    return content_picture, style_picture


def _both_grey(content_picture, style_picture, content_mask, style_mask):
    grey_style = match_luminance(
        style_picture, content_picture, style_mask=style_mask, content_mask=content_mask
    )
    return _blend(content_picture, to_luminance(content_picture), content_mask), grey_style


def _recoloring(match):
    """Return a `before` that changes the style by `match`, and leaves the content."""

    def before(content_picture, style_picture, content_mask, style_mask):
        masks = {"style_mask": style_mask, "content_mask": content_mask}
        return content_picture, match(style_picture, content_picture, **masks)

    return before


def _leave(picture, content_picture, mask):
    return picture


@dataclass(frozen=True)
class ColorMode:
    """What one value of the knob does.

    Attributes
    ----------
    help : str
        What one gets, in a line.
    before : callable
        ``(content_picture, style_picture, content_mask, style_mask) -> (content, style)``.
    after : callable
        ``(picture, content_picture, mask) -> picture``.
    """

    help: str
    before: Callable = _leave_both
    after: Callable = _leave


COLOR_MODES = {
    "style": ColorMode("the style's colours"),
    "luminance": ColorMode(
        "style transfer in grey, then the content's chroma", _both_grey, preserve_color
    ),
    **{
        method: ColorMode(
            f"the style is recoloured first: mean and covariance, {method}",
            _recoloring(partial(match_color, method=method)),
        )
        for method in METHODS
    },
    "histogram": ColorMode(
        "the style is recoloured first: histograms", _recoloring(match_histogram)
    ),
    "swap": ColorMode("the style's colours, then the content's chroma", after=preserve_color),
}


# ---------------------------------------------------------------------------- checks


def _weights(name, picture, mask):
    """Return how much each pixel counts (H * W,), of sum 1, after a look at both."""
    _check_picture(f"{name}_picture", picture)
    check_mask(f"{name}_mask", mask, picture.shape[:2])
    mask = np.ones(picture.shape[:2]) if mask is None else np.asarray(mask, np.float64)
    return mask.ravel() / mask.sum()


def _to_bytes(values):
    return np.rint(np.clip(255 * values, 0, 255)).astype(np.uint8)


def _check_picture(name, picture):
    array = isinstance(picture, np.ndarray)
    if not array or picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        found = (
            f"shape {picture.shape} of {picture.dtype}"
            if array
            else f"type {type(picture).__name__}"
        )
        raise ImageError(
            f"`{name}` has {found}; (height, width, 3) of uint8 was expected: "
            "pass the first value of load_image"
        )


def _check_same_size(picture, content_picture):
    _check_picture("picture", picture)
    _check_picture("content_picture", content_picture)
    (height, width), (content_height, content_width) = picture.shape[:2], content_picture.shape[:2]
    if (height, width) != (content_height, content_width):
        raise ImageError(
            f"the picture has {width}x{height} pixels, the content {content_width}x"
            f"{content_height}; the same size was expected: resize one with resize_picture"
        )
