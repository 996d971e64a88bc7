"""Styles with masks and several styles: the region of the picture where each style acts."""

import numpy as np
import tensorflow as tf

from nst_tf.console import print_line
from nst_tf.errors import ConfigError, ImageError, check_choice
from nst_tf.image.regions import load_regions
from nst_tf.models import check_layers
from nst_tf.objective.geodesic import geodesic
from nst_tf.objective.objective import Style


def styles_from_maps(style_image, content_map, style_map, size, *, weight=1.0, say=print_line):
    """Return a `Style` for each color of two color-coded maps.

    Parameters
    ----------
    style_image : (1, H, W, 3) float32
        The painting.
    content_map, style_map : path
        As for `load_regions`.
    size : (height, width)
        Of the content image.
    weight : float
        Weight of the painting. Each region multiplies it by its share of the picture.
    say : callable or None
        Called with each line about the colors found.

    Returns
    -------
    list of Style

    Raises
    ------
    ImageError
        As from `load_regions`.
    """
    regions = load_regions(content_map, style_map, size, style_image.shape[1:3], say=say)
    return [Style(style_image, weight, region.mask, region.style_mask) for region in regions]


def style_regions(term, objective, styles):
    """Return the targets of several styles, or of styles with masks.

    Styles without a mask are blended: their target is the weighted mean of their statistics
    (Johnson's `style_blend_weights`). With ``blend="losses"``, each style has its own target, and
    the loss is the weighted mean of their losses (cysmith, titu1994). With ``blend="geodesic"``,
    two styles share a target between theirs: see `moments_between`. A style with a mask has its own
    target, and its loss has the weight of the style times the share of the picture that the mask
    covers, so that a style is as strong in a small region as without masks. (In Gatys et al. 2017,
    a small region has a larger gradient per position.)

    Parameters
    ----------
    term : StyleTerm
    objective : Objective
    styles : sequence of Style

    Returns
    -------
    list of Region
    """

    def guides(mask, model):
        if mask is None:
            return {}
        return layer_guides(model, mask, term.layers, term.propagation)

    def measured(style):
        of_style = guides(style.style_mask, objective.model.plain)
        return objective.measure(term, style.image, of_style)

    everywhere = [style for style in styles if style.mask is None]
    shares = [style.weight / sum(style.weight for style in everywhere) for style in everywhere]
    targets = [measured(style) for style in everywhere]
    if term.blend == "losses":
        regions = [term.region(target, {}, share) for target, share in zip(targets, shares)]
    else:
        blended = geodesic if term.blend == "geodesic" else _mean
        regions = [term.region(blended(targets, shares))] if targets else []
    for style in styles:
        if style.mask is not None:
            strength = style.weight * float(np.mean(style.mask))
            of_picture = guides(style.mask, objective.model)
            regions.append(term.region(measured(style), of_picture, strength))
    return regions


def _mean(targets, shares):
    """Return the mean of targets of one structure, with weights of sum 1."""
    return tf.nest.map_structure(
        lambda *parts: tf.add_n([share * part for share, part in zip(shares, parts)]), *targets
    )


def with_content_map(targets, model, content_map):
    """Return the targets of an objective with a map that weights the content loss by position.

    The weight of the squared distance at each position of a content layer is the mean of the map
    over the pixels that the position covers: `layer_guides` with the propagation "simple". Where
    the map is 1, the content loss is the same as without a map; where it is 0, there is none.

    Parameters
    ----------
    targets : dict of dict
        As from `Objective.targets`.
    model : Trunk
    content_map : (H, W) float32 in [0, 1]
        Of the content image's size.

    Raises
    ------
    ConfigError
        There is no content term.
    """
    if "content" not in targets:
        raise ConfigError(
            "`content_map` weighs the content loss, and there is none: give a content image and "
            "alpha above 0, or leave out the map"
        )
    kept = targets["content"]["target"]
    kept = kept._replace(guides=layer_guides(model, content_map, kept.features))
    return {**targets, "content": {**targets["content"], "target": kept}}


PROPAGATION = ("simple", "inside", "all")


def layer_guides(model, mask, layers, propagation="simple"):
    """Resize a mask to each layer: Gatys et al. 2017, section 4.1, "guidance channels".

    Parameters
    ----------
    model : Trunk
    mask : (H, W) float32
    layers : iterable of str
    propagation : {"simple", "inside", "all"}
        "simple" averages the mask over the pixels that a position covers: at a stride of 16, cells
        of 16x16, cropped at the border of the picture like the pools. "inside" uses only positions
        whose whole receptive field is inside the mask, so that nothing outside has an effect. "all"
        uses every position whose receptive field overlaps the mask. A receptive field is 3 pixels
        wide at conv1_1 and 156 at VGG-19's conv5_1; with "simple", a style reaches half of that
        beyond the edge of a mask.

    Returns
    -------
    dict of (1, H_l, W_l, 1)

    Raises
    ------
    ImageError
        "inside" leaves nothing at a layer: the region is smaller than the receptive field.
    """
    check_choice("propagation", propagation, PROPAGATION)
    if not model.knows_fields:
        raise ConfigError(
            f"masks need to know what a layer sees of the picture; {model.name} does not say"
        )
    layers = check_layers(model, layers)
    mask = tf.constant(mask, tf.float32)[tf.newaxis, ..., tf.newaxis]  # (1, H, W, 1)
    guides = {}
    seen, unseen = mask, 1 - mask  # maximum of white and of black in the receptive field
    white, pixels = mask, tf.ones_like(mask)  # sum of white, and number of pixels, in the cell

    def step(layer, maps):
        seen, unseen, white, pixels = maps
        return layer.reach(seen), layer.reach(unseen), layer.shrunk(white), layer.shrunk(pixels)

    for name, maps in model.walk((seen, unseen, white, pixels), step):
        if name in layers:
            seen, unseen, white, pixels = maps
            kinds = {"simple": white / pixels, "inside": 1 - unseen, "all": seen}
            guides[name] = kinds[propagation]
    for name, guide in guides.items():
        if not tf.reduce_any(guide > 0):
            raise ImageError(
                f"no receptive field of {name} lies inside a mask: the region is too small for "
                "this layer; take shallower layers or the propagation simple"
            )
    return guides
