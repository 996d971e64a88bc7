"""Score a picture: how far it is from content and style, and what is wrong with its pixels."""

import functools
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nst_tf.config import OWN_LAYERS, STYLE_LAYERS, TransferConfig
from nst_tf.errors import ImageError
from nst_tf.image.pixels import STRIP, check_image, check_mask
from nst_tf.image.sizes import MIN_SIDE, resize_picture
from nst_tf.models import check_layers, extract_features, resolve_layers
from nst_tf.objective.objective import (
    ANY_SIZE,
    ContentTerm,
    Objective,
    StyleTerm,
    as_styles,
    of_any_size,
)
from nst_tf.objective.statistics import STATISTICS
from nst_tf.rundir.scores import OF_LAYER

LONGEST = 512  # pixels: longer side of the pictures that go through the network
CONTENT_LAYERS = ("conv4_2",)  # with STYLE_LAYERS: the paper's, whatever a run has used
AROUND = 8  # lines on each side that a line is compared with
SHIFT = 2  # lines that an edge of the content may have moved by
TRACED = 4  # traced functions that are kept; each holds its network
LEAST = 1.0  # gray levels: smaller differences are not seen


def score(picture, content_image, style_image, model, *, config=None):
    """Measure a finished picture, independently of the method that painted it.

    The distances are measured at no more than 512 pixels: content, styles and picture are reduced
    by one factor, so that the longest side of all is 512. None is enlarged. The other numbers are
    those of the pixels as they are.

    Parameters
    ----------
    picture : (H, W, 3) uint8
    content_image : (1, H, W, 3) float32, or None
        Of the picture's size.
    style_image : (1, H, W, 3) float32, Style, a sequence of Style, or None
        As for `style_transfer`. The distances of styles with masks are averaged, each with its
        weight times the share of the picture that its mask covers.
    model : Trunk
        Features of another network, or with other pooling or padding, give other distances.
    config : TransferConfig, optional
        Of the run. Its layers take the place of conv4_2 and conv1_1 ... conv5_1 if the trunk
        lacks one of these.

    Returns
    -------
    dict of float
        Those of a missing content or style are absent.

        - content_distance: ``sum (F - P)^2 / sum P^2`` of the features F of the picture and P of
          the content, as the content loss in the unit "relative" (Gatys et al. 2015, eq. 1).
        - style_distance_LAYER: ``1/2 sum (m - m')^2 / sum m'^2 + 1/2 sum (C - C')^2 / sum C'^2``
          of means and covariances of the channels, as the method "moments" in that unit
          (crowsonkb's style-transfer-pytorch). style_distance is the mean over the layers.
        - seams: the largest ratio of a line of the picture (`line_ratios`), divided by the largest
          one of the content within 2 lines of it, or by 1 if that is larger; minus 1.
        - clipped: share of the pixels whose channels are all 0 or 255, minus that of the content
          or of the style, whichever is larger; at least 0.
        - high_pass_content, high_pass_style: mean square of the Laplacian (4 neighbors), divided
          by that of the content and of the style (several: the weighted mean).

    Raises
    ------
    ConfigError, ImageError
        Not a trunk, layers that it lacks, or pictures of other shapes.
    """
    styles = as_styles(style_image)
    check_layers(model, ())
    _check(picture, content_image, styles)
    found = _distances(picture, content_image, styles, model, config or TransferConfig())
    own = measure_pixels(picture)
    clipped = [0.0]
    content = None
    if content_image is not None:
        content = measure_pixels(model.space.to_picture(content_image))
        clipped.append(content.clipped)
        found["high_pass_content"] = own.high_pass / max(content.high_pass, LEAST)
    if styles:
        paintings = [measure_pixels(model.space.to_picture(style.image)) for style in styles]
        clipped += [painting.clipped for painting in paintings]
        detail = np.average(
            [painting.high_pass for painting in paintings],
            weights=[style.weight for style in styles],
        )
        found["high_pass_style"] = own.high_pass / max(detail, LEAST)
    found["seams"] = _seams(own, content)
    found["clipped"] = max(own.clipped - max(clipped), 0.0)
    return {name: float(value) for name, value in found.items()}


def _check(picture, content_image, styles):
    shape, dtype = np.shape(picture), getattr(picture, "dtype", None)
    if len(shape) != 3 or shape[2] != 3 or dtype != np.uint8 or min(shape) == 0:
        raise ImageError(
            f"`picture` has shape {shape} and type {dtype}; (height, width, 3) of uint8 was "
            "expected: pass the `picture` of a result, or the first value of load_image"
        )
    if content_image is not None:
        check_image("content_image", content_image)
        if tuple(content_image.shape[1:]) != shape:
            raise ImageError(
                f"`picture` has shape {shape}, the content image {tuple(content_image.shape)}; "
                "they must be of one size: load the content with `size` (height, width)"
            )
    for style in styles:
        check_image("style_image", style.image)
        check_mask("mask", style.mask, shape[:2])
        check_mask("style_mask", style.style_mask, style.image.shape[1:3])


# ------------------------------------------------------------------ features


def _distances(picture, content_image, styles, model, config):
    """Return the distances of a picture from content and styles, in one pass for each of them."""
    space = model.space
    sides = [picture.shape[:2], *(style.image.shape[1:3] for style in styles)]
    factor = min(LONGEST / max(max(size) for size in sides), 1.0)
    content_layers, style_layers = CONTENT_LAYERS, STYLE_LAYERS
    if any(layer not in model for layer in (*CONTENT_LAYERS, *STYLE_LAYERS)):
        style_layers = resolve_layers(model, config.style_layers or OWN_LAYERS[config.method])
        content_layers = resolve_layers(model, config.content_layers)
    weights = dict.fromkeys(content_layers, 1 / len(content_layers))
    terms = []
    if content_image is not None:
        terms.append(ContentTerm(1.0, weights, "relative"))
        content_image = space.to_image(_reduced(space.to_picture(content_image), factor))
    if styles:
        terms.append(StyleTerm(1.0, style_layers, "moments", relative=True))
        styles = [_reduced_style(style, space, factor) for style in styles]
    objective = Objective(model.computing_in(tf.float32), terms)
    targets = objective.targets(content_image, styles)
    traced = _traced(objective).get_concrete_function(tf.TensorSpec(ANY_SIZE), of_any_size(targets))
    return traced(tf.constant(space.to_image(_reduced(picture, factor))), targets)


@functools.lru_cache(maxsize=TRACED)
def _traced(objective):
    """Return a traced function of an image and targets, which returns distances by their names."""

    @tf.function(autograph=False)
    def distances(image, targets):
        features = extract_features(objective.model, image, objective.layers)
        found = {}
        for term in objective.terms:
            target = targets[term.name]["target"]
            if term.name == "content":
                found["content_distance"] = term.loss(features, image, target)
            else:
                found |= _style_distances(term, features, target)
        return found

    return distances


def _style_distances(term, features, regions):
    """Return the mean distance over the layers, and that of each layer."""
    distance = STATISTICS[term.statistic].distance
    sums = dict.fromkeys(term.layers, 0.0)
    for region in regions:
        current = term.target(features, region.guides)
        for layer in term.layers:
            apart = distance(current[layer], region.target[layer], relative=True)
            sums[layer] += region.strength * apart
    strength = sum(region.strength for region in regions)
    by_layer = {OF_LAYER + layer: total / strength for layer, total in sums.items()}
    return {"style_distance": tf.reduce_mean(list(by_layer.values())), **by_layer}


def _reduced(levels, factor):
    """Return a picture or a mask reduced by a factor, but not to less than the network needs."""
    size = tuple(max(round(side * factor), min(side, MIN_SIDE)) for side in levels.shape[:2])
    return resize_picture(levels, size)


def _reduced_style(style, space, factor):
    """Return a `Style` reduced by a factor, without the unfiltered picture of an analogy."""
    masks = {"mask": style.mask, "style_mask": style.style_mask}
    masks = {
        name: np.clip(_reduced(np.float32(mask), factor), 0, 1)
        for name, mask in masks.items()
        if mask is not None
    }
    image = space.to_image(_reduced(space.to_picture(style.image), factor))
    return replace(style, image=image, unfiltered=None, **masks)


# ------------------------------------------------------------------ pixels


class Pixels(NamedTuple):
    """What is measured of a picture (H, W, 3) uint8, in gray levels.

    Attributes
    ----------
    rows : (H - 1,)
        Mean absolute difference of each row and the next.
    columns : (W - 1,)
    high_pass : float
        Mean square of the Laplacian with 4 neighbors.
    clipped : float
        Share of the pixels whose channels are all 0 or 255.
    """

    rows: np.ndarray
    columns: np.ndarray
    high_pass: float
    clipped: float


def measure_pixels(picture):
    """Return the `Pixels` of a picture; strip by strip, since copies of it would need memory."""
    height, width, _ = picture.shape
    rows, columns = np.zeros(height - 1), np.zeros(width - 1)
    squares, clipped = 0.0, 0
    for top in range(0, height, STRIP):
        strip = picture[top : top + STRIP + 2].astype(np.int32)  # two more, for the Laplacian
        down = np.abs(np.diff(strip[: STRIP + 1], axis=0)).mean(axis=(1, 2))
        rows[top : top + len(down)] = down
        columns += np.abs(np.diff(strip[:STRIP], axis=1)).sum(axis=(0, 2))
        across, upright = strip[1:-1], strip[:, 1:-1]
        around = upright[:-2] + upright[2:] + across[:, :-2] + across[:, 2:]
        squares += np.sum(np.square(4.0 * strip[1:-1, 1:-1] - around))
        at_a_limit = (strip[:STRIP] == 0) | (strip[:STRIP] == 255)
        clipped += np.count_nonzero(at_a_limit.all(axis=2))
    inner = max((height - 2) * (width - 2) * 3, 1)
    return Pixels(rows, columns / (3 * height), squares / inner, clipped / (height * width))


def line_ratios(differences):
    """Return how much each line stands out from those around it.

    Parameters
    ----------
    differences : (N,)
        Mean absolute difference of each row, or column, and the next, in gray levels.

    Returns
    -------
    (N,)
        Each difference, divided by the median of the 8 before and the 8 after it; by 1 gray
        level if that is larger. About 1 where there is no straight line across the picture.
    """
    if not differences.size:
        return differences
    padded = np.pad(differences, AROUND, "reflect" if differences.size > 1 else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * AROUND + 1)
    around = np.delete(windows, AROUND, axis=1)
    return differences / np.maximum(np.median(around, axis=1), LEAST)


def _seams(own, content):
    """Return how much more the sharpest line stands out than the content's lines at that place."""
    largest = 0.0
    for name in ("rows", "columns"):
        ratios = line_ratios(getattr(own, name))
        usual = np.ones_like(ratios)
        if content is not None and ratios.size:
            padded = np.pad(line_ratios(getattr(content, name)), SHIFT, "edge")
            windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * SHIFT + 1)
            usual = np.maximum(windows.max(axis=1), usual)
        largest = max(largest, np.max(ratios / usual - 1, initial=0.0))
    return largest
