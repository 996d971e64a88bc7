"""Binds targets to the equations: what is to be kept, and what is to be matched.

A term says which layers it reads and gives a scalar for (features, image) and what it aims at.
That was computed once, when the term was made, and stands beside the function rather than inside
it: so one traced function serves all pictures of a size.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from nst_tf.errors import ConfigError, check_choice
from nst_tf.losses import content_factor, differences, squared_distance, tv_of_sums, tv_sums
from nst_tf.masks import layer_guides
from nst_tf.passes import WholePass
from nst_tf.style import STATISTICS, shifted
from nst_tf.windows import WHOLE

RELATIVE_TV = 1e-4  # so that a mean difference of 100 grey levels counts 1


@dataclass(frozen=True)
class Term:
    """One part of the total loss.

    Attributes
    ----------
    name : str
        Under which its unweighted value is reported.
    weight : float
        alpha, beta or the like.
    layers : tuple of str
        The layers that `measure` reads.
    measure : callable
        ``(features, image, window, aims) -> numbers``, in whatever structure, that add up over
        the windows of a picture: sums over positions.
    judge : callable
        ``(numbers of the whole picture, aims) -> scalar``, the loss; by default they are the loss.
    aims : nest of tensors and numbers
        The targets, and all else that is another for another picture of the same size.
    margin : int
        How many positions of each layer `measure` reads beyond the window's core.
    """

    name: str
    weight: float
    layers: tuple[str, ...]
    measure: Callable
    judge: Callable = lambda measured, aims: measured
    aims: Any = ()
    margin: int = 0

    def loss(self, features, image):
        """Return the unweighted loss of a whole picture, a scalar."""
        return self.judge(self.measure(features, image, WHOLE, self.aims), self.aims)


def content_term(model, content_image, layer_weights, weight, *, scale="half", through=None):
    """Keep the features of `content_image` (1, H, W, 3): eq. (1), summed over the layers.

    `layer_weights` is a dict of float by layer name, or a sequence of layers that count 1 each;
    `scale` is that of `content_loss`, and `through` the pass that the target is measured by.
    """
    if not isinstance(layer_weights, dict):
        layer_weights = dict.fromkeys(layer_weights, 1.0)
    targets = (through or WholePass(model)).features(content_image, layer_weights)
    factors = {layer: content_factor(target, scale) for layer, target in targets.items()}

    def measure(features, image, window, aims):
        return {
            layer: squared_distance(window.core(features[layer], layer), window.part(target, layer))
            for layer, target in aims["targets"].items()
        }

    def judge(distances, aims):
        factors = aims["factors"]
        return tf.add_n(
            [w * factors[layer] * distances[layer] for layer, w in layer_weights.items()]
        )

    aims = {"targets": targets, "factors": factors}
    return Term("content", weight, tuple(layer_weights), measure, judge, aims)


def style_term(
    model,
    styles,
    layer_weights,
    weight,
    *,
    statistic="gram",
    shift=0.0,
    relative=False,
    propagation="simple",
    through=None,
):
    """Match the statistics of one or more styles: eq. (5), w_l by layer name.

    Parameters
    ----------
    model : Trunk
    styles : sequence of Style
        Those without a mask are blended: the target is the weighted mean of their statistics
        (Johnson's `style_blend_weights`). One with a mask has a target of its own, measured
        under its mask; its loss counts its weight times the share of the picture that the mask
        covers, so that a brush is as strong in a small region as it is without masks. (Differs
        from Gatys et al. 2017, where a small region gets a stronger pull.)
    layer_weights : dict of float
    weight : float
        beta.
    statistic : str
        A name in `STATISTICS`.
    shift : float
        Added to the activations, of target and picture alike, before the guides.
    relative : bool
        See `layer_style_loss`.
    propagation : str
        See `layer_guides`.
    through : WholePass or TiledPass, optional
        By which the targets are measured; default: in one piece.
    """
    through = through or WholePass(model)
    layers = tuple(layer for layer in model if layer in layer_weights)  # shallow ones first
    measured = STATISTICS[check_choice("statistic", statistic, STATISTICS)]
    if len(layers) < measured.least_layers:
        raise ConfigError(
            f"the statistic {statistic} needs {measured.least_layers} style layers or more; "
            f"there is {' '.join(layers)}"
        )
    statistic = shifted(measured, shift)
    regions = style_regions(through, styles, layers, statistic, propagation)

    def measure(features, image, window, regions):
        features = {layer: features[layer] for layer in layers}
        return [statistic.sums(features, region.guides, window) for region in regions]

    def region_loss(region, sums):
        current = statistic.finish(sums)
        distances = [
            layer_weights[layer] * statistic.distance(current[layer], target, relative=relative)
            for layer, target in region.targets.items()
        ]
        return region.strength * tf.add_n(distances)

    def judge(measured, regions):
        return tf.add_n([region_loss(region, sums) for region, sums in zip(regions, measured)])

    return Term("style", weight, layers, measure, judge, regions, statistic.margin)


class Region(NamedTuple):
    """Where one target acts: guides by layer (none: everywhere), its strength, its targets."""

    guides: dict[str, tf.Tensor]
    strength: float
    targets: dict


def style_regions(through, styles, layers, statistic, propagation):
    """Return one region for all styles without a mask, and one for each style with a mask."""
    model = through.model

    def measured(style):
        guides = _guides(model, style.style_mask, layers, propagation)

        def sums(features, image, window):
            return statistic.sums(features, guides, window)

        return statistic.finish(through.sums(style.image, layers, sums, statistic.margin))

    def region(mask, strength, targets):
        aims = {layer: statistic.aim(target) for layer, target in targets.items()}
        return Region(_guides(model, mask, layers, propagation), strength, aims)

    regions = []
    everywhere = [style for style in styles if style.mask is None]
    if everywhere:
        targets = _blend(map(measured, everywhere), [style.weight for style in everywhere])
        regions.append(region(None, 1.0, targets))
    for style in styles:
        if style.mask is not None:
            strength = style.weight * float(np.mean(style.mask))
            regions.append(region(style.mask, strength, measured(style)))
    return regions


def _guides(model, mask, layers, propagation):
    return {} if mask is None else layer_guides(model, mask, layers, propagation)


def _blend(targets, weights):
    """Return the weighted mean of targets that are built alike."""
    shares = [weight / sum(weights) for weight in weights]
    return tf.nest.map_structure(
        lambda *parts: tf.add_n([share * part for share, part in zip(shares, parts)]), *targets
    )


def tv_term(weight, *, form="squared", scale=1.0):
    """Keep neighbouring pixels alike: total variation, `form` as in `tv_loss`, times `scale`."""

    def measure(features, image, window, aims):
        wide = window.core(image, margin=1)  # the last differences reach beyond the core
        return tv_sums(*differences(wide, tf.shape(window.core(image))[1:3]), form)

    return Term("tv", weight, (), measure, lambda sums, aims: scale * tv_of_sums(sums, form))


def relative_tv_term(weight, space):
    """Keep neighbouring pixels alike, free of the picture's size and the trunk's pixel space.

    1 means that neighbours differ by 100 grey levels, root of the mean square.
    """
    return tv_term(weight, form="mean", scale=RELATIVE_TV * space.scale**2)
