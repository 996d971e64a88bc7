"""The objective: the terms of the total loss, and the network whose features they read.

An objective stores no picture. Its terms compare an image with *targets*, which are computed once
from the content and the styles and passed with each call. One traced function therefore serves all
pictures of all sizes.
"""

import functools
import math
import numbers
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from nst_tf.errors import ConfigError, check_choice
from nst_tf.models import Trunk, extract_features, resolve_layers
from nst_tf.objective.geometric import geometric_weights
from nst_tf.objective.gradients import normalized
from nst_tf.objective.losses import TV_MEANS, content_loss, style_loss, total_loss, tv_loss
from nst_tf.objective.statistics import STATISTICS

ANY_SIZE = (1, None, None, 3)  # shape of an image in a traced function
TRACED_TARGETS = 16  # size of the cache of traced functions; each refers to its network
WEIGHTING = ("equal", "quarter-deepest", "geometric", "geometric-top")
RELATIVE_TV = 1e-4  # a root mean square difference of 100 gray levels counts 1


# ------------------------------------------------------------------ the styles


@dataclass(frozen=True)
class Style:
    """A style picture with its weight and masks.

    Attributes
    ----------
    image : (1, H, W, 3) float32
        The painting, of any size.
    weight : float
        Strength. For styles without a mask, only the proportions matter.
    mask : (H, W) float in [0, 1], optional
        Of the content's size: where in the result this style acts. None: everywhere.
    style_mask : (H, W) float in [0, 1], optional
        Of the style image's size: which part of the painting is used. None: all of it.
    unfiltered : (1, H, W, 3) float32, optional
        The unstyled version of the painting, of its size. The method "patches" then paints by
        analogy: it chooses patches of the painting by comparing this picture with the content.
    """

    image: np.ndarray = field(repr=False)
    weight: float = 1.0
    mask: np.ndarray | None = field(default=None, repr=False)
    style_mask: np.ndarray | None = field(default=None, repr=False)
    unfiltered: np.ndarray | None = field(default=None, repr=False)

    def __post_init__(self):
        number = isinstance(self.weight, numbers.Real)
        if not number or not 0 < self.weight < math.inf:
            raise ConfigError(f"the weight of a style is {self.weight!r}; it must be above 0")


def as_styles(style_image):
    """Return a list of `Style` from None, a `Style`, several, or an image."""
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


# ------------------------------------------------------------------ the terms


class TermOfLayers:
    """A term that reads features: its layers and their weights."""

    def __post_init__(self):
        """Store the layer weights as a tuple of pairs, which can be compared and hashed."""
        weights = self.layer_weights
        if isinstance(weights, str):
            weights = [weights]
        if not isinstance(weights, dict):
            weights = dict(pair if isinstance(pair, tuple) else (pair, 1.0) for pair in weights)
        object.__setattr__(self, "layer_weights", tuple(weights.items()))

    @property
    def layers(self):
        """The layers that the term reads."""
        return tuple(layer for layer, _ in self.layer_weights)


class Kept(NamedTuple):
    """The target of a content term.

    Attributes
    ----------
    features : dict of (1, H_l, W_l, N_l)
        The content's, by layer name.
    guides : dict of (1, H_l, W_l, 1)
        Weight of each position, by layer name. Empty: 1 each.
    """

    features: dict
    guides: dict


@dataclass(frozen=True)
class ContentTerm(TermOfLayers):
    """Match the features of the content: eq. (1), summed over the layers.

    Attributes
    ----------
    weight : float
        alpha.
    layer_weights : dict of float, or sequence of str
        By layer name; layers of a sequence have weight 1. Stored as a tuple of (layer, weight).
    scale, by_size
        As for `content_loss`.
    """

    weight: float = field(compare=False)
    layer_weights: tuple[tuple[str, float], ...]
    scale: str = "half"
    by_size: bool = False
    name = "content"

    def targets(self, objective, content_image, styles):
        """Return the content image's features as `Kept`; see `with_content_map` for guides."""
        if content_image is None:
            raise ConfigError("the objective has a content term; pass a content image")
        return Kept(objective.measure(self, content_image, model=objective.model), {})

    def target(self, features, guides=None):
        """Return the target for features: the features themselves."""
        return features

    def loss(self, features, image, target):
        """Return the unweighted loss, a scalar."""
        options = {"scale": self.scale, "by_size": self.by_size}
        return tf.add_n(
            [
                weight
                * content_loss(
                    features[layer],
                    target.features[layer],
                    guide=target.guides.get(layer),
                    **options,
                )
                for layer, weight in self.layer_weights
            ]
        )


class Region(NamedTuple):
    """The target statistics of one style, and the part of the image that they apply to.

    Attributes
    ----------
    target : dict
        The style's statistic by layer name.
    guides : dict of (1, H_l, W_l, 1)
        The weight of each position of the image, by layer name. Empty: equal weights.
    strength : scalar
    """

    target: dict
    guides: dict
    strength: tf.Tensor


@dataclass(frozen=True)
class StyleTerm(TermOfLayers):
    """Match the statistics of one or more styles: eq. (5).

    Attributes
    ----------
    weight : float
        beta.
    layer_weights : dict of float, or sequence of str
        w_l by layer name, shallow layers first; layers of a sequence have weight 1.
    statistic : str
        A name in `STATISTICS`.
    shift : float
        Added to the activations of target and picture: Novak & Nikulin 2016, section 3.3. After a
        ReLU, most activations are 0, so most entries of a Gram matrix are near 0. With the paper's
        shift of -1, filters that are inactive together also contribute.
    relative : bool
        As for `layer_style_loss`.
    propagation : str
        Propagation of masks to the layers; as for `layer_guides`.
    by_size : bool
        As for `style_loss`.
    blend : {"targets", "losses", "geodesic"}
        How to combine styles without masks: the weighted mean of their statistics or of their
        losses, or, for two styles, a point on the geodesic of their moments (`moments_between`).
    wrap : {"", "x", "xy"}
        Axes in which the picture is circular; the styles are not.
    """

    weight: float = field(compare=False)
    layer_weights: tuple[tuple[str, float], ...]
    statistic: str = "gram"
    shift: float = 0.0
    relative: bool = False
    propagation: str = "simple"
    by_size: bool = False
    blend: str = "targets"
    wrap: str = ""
    name = "style"

    def __post_init__(self):
        super().__post_init__()
        check_choice("statistic", self.statistic, STATISTICS)
        least = STATISTICS[self.statistic].least_layers
        if len(self.layers) < least:
            raise ConfigError(
                f"the statistic {self.statistic} needs {least} style layers or more; "
                f"there is {' '.join(self.layers)}"
            )

    def targets(self, objective, content_image, styles):
        """Return a list of `Region`: one for a single style without masks."""
        if not styles:
            raise ConfigError("the objective has a style term; pass one or more styles")
        if len(styles) == 1 and styles[0].mask is None and styles[0].style_mask is None:
            return [self.region(objective.measure(self, styles[0].image))]
        from nst_tf.objective.guides import style_regions  # blends and masks alone need it

        return style_regions(self, objective, styles)

    def region(self, target, guides=None, strength=1.0):
        """Return the `Region` for what `target` returned."""
        prepare = STATISTICS[self.statistic].prepare
        target = {layer: prepare(statistic) for layer, statistic in target.items()}
        return Region(target, guides or {}, tf.constant(strength, tf.float32))

    def target(self, features, guides=None):
        """Return the style's statistic by layer name."""
        return STATISTICS[self.statistic].measure(self.shifted(features), guides)

    def loss(self, features, image, target):
        """Return the unweighted loss, a scalar; `target` is what `targets` returned."""
        features = self.shifted(features)
        weights, options = dict(self.layer_weights), {**self.options, "wrap": self.wrap}
        return tf.add_n(
            [
                region.strength
                * style_loss(features, region.target, weights, guides=region.guides, **options)
                for region in target
            ]
        )

    @property
    def options(self):
        """Keyword arguments of `style_loss` and `style_distance`."""
        return {
            "statistic": self.statistic,
            "relative": self.relative,
            "by_size": self.by_size,
        }

    def shifted(self, features):
        """Return the features of this term's layers, with the shift added."""
        if not self.shift:
            return {layer: features[layer] for layer in self.layers}
        return {layer: features[layer] + self.shift for layer in self.layers}


@dataclass(frozen=True)
class TVTerm:
    """Smooth the image: total variation.

    Attributes
    ----------
    weight : float
    form : str
        As for `tv_loss`.
    scale : float
        Factor of `tv_loss`.
    wrap : {"", "x", "xy"}
        As for `tv_loss`.
    """

    weight: float = field(compare=False)
    form: str = "squared"
    scale: float = 1.0
    wrap: str = ""
    name = "tv"
    layers = ()

    @classmethod
    def relative(cls, weight, space, form="mean", wrap=""):
        """Return a term that does not depend on the picture's size or the pixel space.

        Its loss is 1 if neighbors differ by 100 gray levels (root mean square). Forms that are sums
        over the picture are replaced by "mean".
        """
        form = form if form in TV_MEANS else "mean"
        return cls(weight, form, RELATIVE_TV * space.scale**2, wrap)

    def targets(self, objective, content_image, styles):
        """Return an empty target: pixels are compared with their neighbors."""
        return ()

    def loss(self, features, image, target):
        """Return the unweighted loss, a scalar."""
        return self.scale * tv_loss(image, self.form, self.wrap)


# ------------------------------------------------------------------ their sum


@dataclass(frozen=True)
class Objective:
    """The losses of an image, and their weighted sum: eq. (7).

    Two objectives are equal if they have the same model and the same terms. The weights of terms
    (alpha, beta, tv_weight) are not compared, as they are passed with the targets.

    Parameters
    ----------
    model : Trunk
    terms : sequence of ContentTerm, StyleTerm, TVTerm
        Or other objects with their attributes and methods.
    xla : bool
        Whether losses and gradient are compiled with XLA, once for each size.
    normalize_gradients : bool
        Whether the gradient of each term is divided by its L1 norm at each layer; the losses do
        not change. See `normalized`.

    Attributes
    ----------
    sampled : bool
        Whether a term compares samples, which `drawn` draws for each update.
    """

    model: Trunk
    terms: tuple
    xla: bool = field(default=False, kw_only=True)
    normalize_gradients: bool = field(default=False, kw_only=True)
    image_shape = ANY_SIZE
    tiled = False

    def __post_init__(self):
        object.__setattr__(self, "terms", tuple(self.terms))
        names = [term.name for term in self.terms]
        if len(set(names)) < len(names):
            raise ConfigError(f"the terms are {', '.join(names)}; each needs its own name")
        sampled = any(getattr(term, "sampled", False) for term in self.terms)
        object.__setattr__(self, "sampled", sampled)

    @property
    def layers(self):
        """The layers that are read, shallow ones first."""
        read = {layer for term in self.terms for layer in term.layers}
        return tuple(layer for layer in self.model if layer in read)

    def targets(self, content_image=None, styles=(), *, matched=None):
        """Return the targets that images are compared with.

        Parameters
        ----------
        content_image : (1, H, W, 3) float32, optional
        styles : sequence of Style, Style, or (1, H, W, 3) float32
        matched : (1, H, W, 3) float32, optional
            The picture whose features a style term replaces by those of the styles; default: the
            content image.

        Returns
        -------
        dict of dict
            For each term its "weight" and its "target".
        """
        if not isinstance(styles, (list, tuple)):
            styles = as_styles(styles)
        contents = {} if matched is None else {"style": matched}
        return {
            term.name: {
                "weight": tf.constant(term.weight, tf.float32),
                "target": term.targets(self, contents.get(term.name, content_image), styles),
            }
            for term in self.terms
        }

    def drawn(self, targets, update):
        """Return the targets of an update: terms that compare samples draw their positions."""
        drawn = {
            term.name: {
                **targets[term.name],
                "target": term.drawn(targets[term.name]["target"], update.read_value()),
            }
            for term in self.terms
            if getattr(term, "sampled", False)
        }
        return {**targets, **drawn}

    def __call__(self, image, targets):
        """Return the losses of an image (1, H, W, 3).

        Returns
        -------
        dict of scalar
            Those of the terms, unweighted, by name; and "total", weighted.
        """
        features = extract_features(self.model, image, self.layers)
        losses = {}
        for term in self.terms:
            weight, target = (targets[term.name][key] for key in ("weight", "target"))
            read = (features, image)
            if self.normalize_gradients:
                read = normalized(term, weight, *read)
            losses[term.name] = term.loss(*read, target)
        return {**losses, "total": weighted_total(losses, targets)}

    def measure(self, term, image, guides=None, model=None):
        """Return ``term.target`` of an image's features, computed as the loop computes them.

        `model` is by default that of styles, which don't wrap: the objective's without `wrap`.
        """
        function = _traced_target(model or self.model.plain, term)
        guides = guides or {}
        traced = function.get_concrete_function(
            tf.TensorSpec(self.image_shape), of_any_size(guides)
        )
        return traced(tf.constant(image, tf.float32), guides)


def weighted_total(losses, targets):
    """Return the total loss: eq. (7) of the terms by their names."""
    weight = {name: target["weight"] for name, target in targets.items()}
    zero = tf.constant(0.0)
    total = total_loss(
        losses.get("content", zero),
        losses.get("style", zero),
        weight.get("content", zero),
        weight.get("style", zero),
        losses.get("tv", zero),
        weight.get("tv", zero),
    )
    others = [weight[name] * losses[name] for name in losses if name not in TERMS]
    return tf.add_n([total, *others])


TERMS = ("content", "style", "tv")


@functools.lru_cache(maxsize=TRACED_TARGETS)
def _traced_target(model, term):
    @tf.function(autograph=False)
    def target(image, guides):
        return term.target(extract_features(model, image, term.layers), guides)

    return target


def of_any_size(tensors):
    """Return the nested specifications of tensors; height and width of maps are None."""
    specs = [
        tf.TensorSpec((1, None, None, x.shape[3]) if x.shape.rank == 4 else x.shape, x.dtype)
        for x in tf.nest.flatten(tensors)
    ]
    return tf.nest.pack_sequence_as(tensors, specs)


# ------------------------------------------------------------------ layer weights


def style_layer_weights(model, layers, weights=None, weighting="equal", statistic="gram"):
    """Return w_l by layer name (eq. 5).

    Parameters
    ----------
    model : Trunk
    layers : sequence of str
    weights : sequence of float, optional
        One for each layer, used unchanged.
    weighting : {"equal", "quarter-deepest", "geometric", "geometric-top"}
        Used without `weights`: equal weights; the same with a quarter of the weight for the deepest
        layer, so that fewer whole motifs of the painting (a star, a face) appear in wrong places;
        or the proportions of `geometric_weights`. The weights sum to 1, so that beta has the same
        meaning for all.
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
        favor = "bottom" if weighting == "geometric" else "top"
        raw = geometric_weights(model, layers, favor=favor)
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
