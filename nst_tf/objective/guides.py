"""Styles with masks, and several styles at once: where in the picture each of them acts."""

import numpy as np
import tensorflow as tf

from nst_tf.masks import layer_guides


def style_regions(term, objective, styles):
    """Return the targets of several styles, or of styles with masks.

    Styles without a mask are blended: their target is the weighted mean of their statistics
    (Johnson's `style_blend_weights`). A style with a mask has a target of its own, and its loss
    counts its weight times the share of the picture that the mask covers; so a brush is as strong
    in a small region as it is without masks. (Differs from Gatys et al. 2017, where a small region
    gets a stronger pull.)

    Parameters
    ----------
    term : StyleTerm
    objective : Objective
    styles : sequence of Style

    Returns
    -------
    list of Region
    """

    def guides(mask):
        if mask is None:
            return {}
        return layer_guides(objective.model, mask, term.layers, term.propagation)

    def measured(style):
        return objective.measure(term, style.image, guides(style.style_mask))

    regions = []
    everywhere = [style for style in styles if style.mask is None]
    if everywhere:
        weights = [style.weight for style in everywhere]
        regions.append(term.region(_mean([measured(style) for style in everywhere], weights)))
    for style in styles:
        if style.mask is not None:
            strength = style.weight * float(np.mean(style.mask))
            regions.append(term.region(measured(style), guides(style.mask), strength))
    return regions


def _mean(targets, weights):
    """Return the weighted mean of targets of one structure."""
    shares = [weight / sum(weights) for weight in weights]
    return tf.nest.map_structure(
        lambda *parts: tf.add_n([share * part for share, part in zip(shares, parts)]), *targets
    )
