"""A style: a painting with its weight and masks; and the weights of the style layers."""

import math
import numbers
from dataclasses import dataclass, field

import numpy as np

from nst_tf.errors import ConfigError, check_choice
from nst_tf.models import resolve_layers

WEIGHTING = ("equal", "quarter-deepest", "geometric", "geometric-top")


@dataclass(frozen=True)
class Style:
    """A style picture and where it acts, in one object so that they can't be mixed up.

    Attributes
    ----------
    image : (1, H, W, 3) float32
        The painting, of any size.
    weight : float
        How strong. Among styles without a mask only the proportions count.
    mask : (H, W) float in [0, 1], optional
        Of the content's size: where in the result this style acts. None: everywhere.
    style_mask : (H, W) float in [0, 1], optional
        Of the style image's size: which part of the painting is used. None: all of it.
    """

    image: np.ndarray = field(repr=False)
    weight: float = 1.0
    mask: np.ndarray | None = field(default=None, repr=False)
    style_mask: np.ndarray | None = field(default=None, repr=False)

    def __post_init__(self):
        number = isinstance(self.weight, numbers.Real)
        if not number or not 0 < self.weight < math.inf:
            raise ConfigError(f"the weight of a style is {self.weight!r}; it must be above 0")


def as_styles(style_image):
    """Return a list of `Style`: from none, one, several, or a bare image."""
    if style_image is None:
        return []
    if isinstance(style_image, Style):
        return [style_image]
    if not isinstance(style_image, (list, tuple)):
        return [Style(style_image)]
    if not style_image or not all(isinstance(style, Style) for style in style_image):
        raise ConfigError(
            "`style_image` is a list without styles; several styles are a list of "
            "Style(image, weight, mask), one style is its image, none is None"
        )
    return list(style_image)


def geometric_weights(model, layers, *, favour="bottom"):
    """Layer weights of Novak & Nikulin 2016, section 3.1: powers of two by depth.

    Parameters
    ----------
    model : Trunk
    layers : sequence of str
    favour : {"bottom", "top"}
        "bottom" is the paper's for style, ``2^(D - d(l))``; "top" its for content, ``2^d(l)``.
        D is the number of convolutions in the trunk, d = 1..D the depth of a layer.

    Returns
    -------
    dict of float
        By layer name, not normalised: conv1_1 of VGG-19 gets 2^15 for style.

    Notes
    -----
    Tutorial 2's code (titu1994's INetwork.py) divides by 2^(D - d) for style, which favours the
    top although the text says "bottom layers": that is "top" here.
    """
    check_choice("favour", favour, ("bottom", "top"))
    layers = resolve_layers(model, layers)
    depth = {name: d for d, name in enumerate(model.convolutions, 1)}
    for layer in layers:
        if layer not in depth:
            raise ConfigError(f"{layer} is no convolution, so it has no geometric weight")
    total = len(depth)
    power = {"bottom": lambda d: total - d, "top": lambda d: d}[favour]
    return {layer: 2.0 ** power(depth[layer]) for layer in layers}


def style_layer_weights(model, layers, weights=None, weighting="equal", statistic="gram"):
    """Return w_l by layer name (eq. 5).

    Parameters
    ----------
    model : Trunk
    layers : sequence of str
    weights : sequence of float, optional
        One for each layer; they are taken as they are.
    weighting : {"equal", "quarter-deepest", "geometric", "geometric-top"}
        Without `weights`: 1/number of layers each; the same, but the deepest layer counts a
        quarter, so that fewer whole motifs of the painting (a star, a face) land where they
        don't belong; or in the proportions of `geometric_weights`. They sum to 1, so that beta
        means the same for all.
    statistic : str
        A name in `STATISTICS`. A "chain" has no loss at the first layer, so its weight is 0.
    """
    check_choice("weighting", weighting, WEIGHTING)
    layers = resolve_layers(model, layers)
    if weights is not None:
        return one_weight_each("style", layers, weights)
    if weighting in ("equal", "quarter-deepest"):
        raw = dict.fromkeys(layers, 1.0)
        if weighting == "quarter-deepest":
            raw[max(layers, key=list(model).index)] = 0.25
    else:
        favour = "bottom" if weighting == "geometric" else "top"
        raw = geometric_weights(model, layers, favour=favour)
    if statistic == "chain" and len(layers) > 1:
        raw[min(layers, key=list(model).index)] = 0.0
    return {layer: weight / sum(raw.values()) for layer, weight in raw.items()}


def one_weight_each(kind, layers, weights):
    """Return weights by layer name: one number for all, or one for each of them."""
    if isinstance(weights, (int, float)):
        weights = [weights] * len(layers)
    if len(weights) != len(layers):
        raise ConfigError(
            f"`{kind}_layer_weights` has {len(weights)} numbers for {len(layers)} {kind} layers "
            f"({' '.join(layers)}); give one for each"
        )
    return dict(zip(layers, weights))
