"""All that a run needs, made once and checked: its pictures, trunk, levels and losses."""

from dataclasses import dataclass, replace

import numpy as np
import tensorflow as tf

from nst_tf.config import TransferConfig
from nst_tf.descent import remembered
from nst_tf.errors import ConfigError, ImageError, NstError
from nst_tf.images import check_image, check_mask
from nst_tf.memory import choose_pass, estimate, memory_used, smaller_pass
from nst_tf.passes import TiledPass, WholePass
from nst_tf.precision import choose_precision
from nst_tf.scales import Level, make_levels, resized_image, resized_style
from nst_tf.style import Style, one_weight_each, style_layer_weights
from nst_tf.terms import Term, content_term, relative_tv_term, style_term, tv_term
from nst_tf.trunks import check_layers, resolve_layers


@dataclass(frozen=True)
class Task:
    """All that a run needs, checked: as from `make_task`.

    Attributes
    ----------
    content_image, start : as for `style_transfer`
    styles : list of Style
    through : WholePass or TiledPass
        Holds the trunk, computing in the precision that was chosen.
    config : TransferConfig
        Its `precision` is "float32" or "mixed": "auto" is resolved here.
    levels : list of Level
    terms : list of Term
        Of the last level.
    words : str
        The estimate of time and memory, for the line before a run.
    """

    content_image: np.ndarray | None
    styles: list[Style]
    start: np.ndarray
    through: WholePass | TiledPass
    config: TransferConfig
    levels: list[Level]
    terms: list[Term]
    words: str

    def at(self, level):
        """Return terms and config for a level."""
        if level is self.levels[-1]:
            return self.terms, self.config
        factor = level.size[0] / self.levels[-1].size[0]
        content, styles = self.content_image, self.styles
        content = content if content is None else resized_image(content, level.size)
        styles = [resized_style(style, factor, level.size) for style in styles]
        # A small region may hold no whole receptive field at a coarse level.
        config = self.config.changed(propagation="simple")
        return loss_terms(content, styles or None, self.through.model, config, self.through), config

    def enlarged(self, image, level):
        """Return an image for a level: the start, or what the level before it has made of it.

        Where the start is the content, only the change is enlarged and laid upon the content as it
        is at this size: its fine lines are there from the beginning and need not be found again.
        """
        if not np.array_equal(self.start, self.content_image):
            return resized_image(image, level.size)
        change = image - resized_image(self.start, image.shape[1:3])
        return resized_image(self.start, level.size) + resized_image(change, level.size)

    def in_smaller_tiles(self):
        """Return the same task for half the memory; where none is smaller, raise NstError."""
        size, make = self.levels[-1].size, self.terms_through
        through, terms = _until_it_fits(smaller_pass(self.through, size), size, make)
        return replace(self, through=through, terms=terms)

    def terms_through(self, through):
        """Return the terms of the last level, measured by another pass."""
        styles = self.styles or None
        return loss_terms(self.content_image, styles, through.model, self.config, through)


def make_task(content_image, style_image, model, start, config):
    """Look at all that could be wrong with the arguments, and return what `paint` takes."""
    check_layers(model, ())
    styles = as_styles(style_image)
    _check_images(content_image, styles, start)
    layers = _layers_read(model, content_image, styles, config)

    precision = choose_precision(config.precision)
    config = config.changed(precision=precision.name)
    model = model.computing_in(precision.dtype)
    size, used = tuple(start.shape[1:3]), memory_used()
    kept = tuple(remembered(config, tiled) for tiled in (False, True))
    through = choose_pass(model, layers, size, config.memory_limit, kept)
    through, terms = _until_it_fits(
        through, size, lambda way: loss_terms(content_image, styles or None, way.model, config, way)
    )

    sides = [*size, *(side for style in styles for side in style.image.shape[1:3])]
    levels = make_levels(config.schedule, size, config.iterations, min(sides), config.unit)
    words = str(estimate(through, layers, levels, kept, used))
    return Task(content_image, styles, start, through, config, levels, terms, words)


def expected(model, size, config):
    """Return the `Estimate` of a run of a size (height, width), before any picture is read."""
    model = model.computing_in(choose_precision(config.precision).dtype)
    names = (config.content_layers, config.style_layers)
    layers = [layer for each in names for layer in resolve_layers(model, each)]
    kept = tuple(remembered(config, tiled) for tiled in (False, True))
    through = choose_pass(model, layers, size, config.memory_limit, kept)
    levels = make_levels(config.schedule, size, config.iterations, unit=config.unit)
    return estimate(through, layers, levels, kept)


def _layers_read(model, content_image, styles, config):
    """Return the layers that the run reads, the content's first."""
    content = config.alpha and content_image is not None
    return (
        *(resolve_layers(model, config.content_layers) if content else ()),
        *(resolve_layers(model, config.style_layers) if config.beta and styles else ()),
    )


def _until_it_fits(through, size, work):
    """Return a pass and what `work` makes of it: the given one, or one of smaller tiles."""
    while True:
        if through is None:
            raise NstError(
                f"{size[1]}x{size[0]} pixels do not fit into memory, tile by tile either: make the "
                "picture smaller, as in --size 512"
            )
        try:
            return through, work(through)
        except tf.errors.ResourceExhaustedError:
            through = smaller_pass(through, size)


def loss_terms(content_image, style_image, model, config, through=None):
    """Return the terms of the total loss, eq. (7), with their targets.

    `style_image` is whatever `style_transfer` takes.
    A term of weight 0, or without its picture, is left out: it costs nothing. Total variation,
    which costs next to nothing, is always reported.
    """
    styles = as_styles(style_image)
    relative = config.unit == "relative"
    terms = []
    if content_image is not None and config.alpha:
        layers = resolve_layers(model, config.content_layers)
        weights = one_weight_each("content", layers, config.content_layer_weights or 1.0)
        scale = "relative" if relative else config.content_scale
        how = {"scale": scale, "through": through}
        terms.append(content_term(model, content_image, weights, config.alpha, **how))
    if styles and config.beta:
        layers = resolve_layers(model, config.style_layers)
        weights = style_layer_weights(
            model,
            layers,
            config.style_layer_weights,
            config.style_weighting,
            config.statistic,
        )
        how = {"statistic": config.statistic, "shift": config.activation_shift}
        how |= {"relative": relative, "propagation": config.propagation, "through": through}
        terms.append(style_term(model, styles, weights, config.beta, **how))
    if not terms:
        raise ConfigError(
            "there is nothing to keep and nothing to match: give a content with alpha above 0, "
            "or a style with beta above 0"
        )
    if relative:
        return [*terms, relative_tv_term(config.tv_weight, model.space)]
    return [*terms, tv_term(config.tv_weight, form=config.tv_form)]


def as_styles(style_image):
    """Return a list of Style: from none, one, several, or a bare image."""
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


def _check_images(content_image, styles, start):
    if start is None:
        raise ImageError("without a content image an `init_image` is needed: it gives the size")
    images = {"content_image": content_image, "init_image": start}
    for number, style in enumerate(styles, 1):
        images["style_image" if len(styles) == 1 else f"style image {number}"] = style.image
    for name, image in images.items():
        if image is not None:
            check_image(name, image)
            if not np.isfinite(image).all():  # a ReLU would turn NaN into 0, nobody would know
                raise ImageError(f"`{name}` holds NaN or infinite numbers")
    if content_image is not None and tuple(start.shape) != tuple(content_image.shape):
        raise ImageError(
            f"`init_image` has shape {tuple(start.shape)}, the content image "
            f"{tuple(content_image.shape)}; they must be alike"
        )
    for style in styles:
        check_mask("mask", style.mask, start.shape[1:3])
        check_mask("style_mask", style.style_mask, style.image.shape[1:3])
