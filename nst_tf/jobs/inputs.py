"""Load the pictures, masks and initial image of a config as arguments of `style_transfer`."""

import itertools
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nst_tf.config import CONTRAST, NO_MASK, NOT, STARTS
from nst_tf.console import print_line
from nst_tf.errors import ConfigError, ImageError
from nst_tf.image.color import COLOR_MODES, color_after, color_before
from nst_tf.image.frames import without_frame
from nst_tf.image.io import read_picture
from nst_tf.image.masks import keep_content, load_mask
from nst_tf.image.noise import NOISE, generate_noise_image, normal_noise_image
from nst_tf.image.print_size import print_size
from nst_tf.image.regions import load_regions
from nst_tf.image.sizes import fit_size, parse_size, resize_picture, same_area_size, scaled_size
from nst_tf.models import find_squeezenet_weights, find_vgg_weights
from nst_tf.models.vgg import VGG_MODEL
from nst_tf.objective.objective import Style
from nst_tf.rundir.layout import is_ours

AS_PAINTED = "style"  # the mode of `COLOR_MODES` that changes nothing
GRAY = 127.5  # halfway between black and white


@dataclass(frozen=True)
class Painting:
    """A style picture (H, W, 3) uint8, with the other attributes of `Style`."""

    picture: np.ndarray
    weight: float
    mask: np.ndarray | None
    style_mask: np.ndarray | None
    unfiltered: np.ndarray | None = None


def load_images(config, space, say=print_line, *, content=None, paintings=None):
    """Read the pictures and masks of a config at their sizes, and make the initial image.

    Parameters
    ----------
    config : JobConfig
    space : PixelSpace
        Of the trunk.
    say : callable or None
        Called with one line for each file about what was assumed.
    content, paintings : optional
        As from `load_content` and `load_paintings`, in place of the config's: a frame of a film.

    Returns
    -------
    dict
        "content_image" (1, H, W, 3) float32, "style_image" (a list of `Style`), "init_image",
        "finish" and maybe "content_map": keyword arguments of `style_transfer`.
    """
    content, photograph = content or load_content(config, say)
    if paintings is None:
        paintings = load_paintings(config, content.shape[:2], photograph.shape[:2], say)
    matched_content = content
    if config.color != AS_PAINTED:
        matched_content, paintings = apply_color_mode(config, content, paintings)
    content_image = space.to_image(matched_content)
    pictures = {id(style.picture): style.picture for style in paintings}  # regions share one
    images = {key: space.to_image(picture) for key, picture in pictures.items()}
    styles = [
        Style(
            images[id(style.picture)],
            style.weight,
            style.mask,
            style.style_mask,
            None if style.unfiltered is None else space.to_image(style.unfiltered),
        )
        for style in paintings
    ]
    enlarged = config.rescale or (config.print and config.size)
    other_size = at_result_size(config, photograph) if enlarged else None
    given_map = {}
    if config.content_map is not None:
        given_map["content_map"] = read_content_map(config, content, photograph.shape[:2], say)
    return {
        "content_image": content_image,
        "style_image": styles,
        "init_image": make_start(config, content_image, styles, space, say),
        "finish": make_finish(config, content, paintings, other_size),
        **given_map,
    }


def load_content(config, say=None):
    """Return the content picture at the size that is computed, and at its own."""
    photograph = read_picture(config.content, say=say)
    try:
        if config.print and config.size is None:
            size = print_size(config.print, config.form["dpi"], photograph.shape[:2])
        else:
            size = fit_size(parse_size(config.size), photograph.shape[:2])
    except ImageError as error:
        raise ImageError(f"{config.content}: {error}") from None
    return resize_picture(photograph, size, config.resample, wrap=config.wrap), photograph


def at_result_size(config, photograph):
    """Return the content at the size of a result that is resized: its own, or that of a print."""
    if config.rescale:
        return photograph
    size = print_size(config.print, config.form["dpi"], photograph.shape[:2])
    return resize_picture(photograph, size, config.resample)


def load_paintings(config, size, content_size, say=None):
    """Read the styles with their masks.

    Parameters
    ----------
    size : (height, width)
        Of the result.
    content_size : (height, width)
        Of the content file, on which the masks were drawn.

    Returns
    -------
    list of Painting
        With `regions`, the painting once for each of them.
    """
    if config.regions:
        return load_painting_by_regions(config, size, content_size, say)
    count = len(config.style)
    scales = config.style_scale
    scales = scales if isinstance(scales, tuple) else [scales] * count
    weights = config.style_weights or [1.0] * count
    masks = config.masks or [NO_MASK] * count
    style_masks = config.style_masks or [NO_MASK] * count
    paintings = []
    each = zip(config.style, weights, masks, style_masks, scales)
    for path, weight, mask, style_mask, scale in each:
        picture = read_picture(path, say=say)
        file_size = picture.shape[:2]
        if style_mask == NO_MASK and not config.analogy:  # a style mask selects the part itself
            picture = without_frame(picture, config.style_margin)
        new_size = style_size(config, path, picture.shape[:2], size, scale)
        paintings.append(
            Painting(
                resize_picture(picture, new_size, config.resample),
                weight,
                read_mask(mask, size, content_size, config.binary_masks, say),
                read_mask(style_mask, new_size, file_size, config.binary_masks, say),
                load_unfiltered(config, file_size, new_size, say) if config.analogy else None,
            )
        )
    return paintings


def load_unfiltered(config, file_size, size, say=None):
    """Return the first picture of an analogy at the size of the second.

    Raises
    ------
    ImageError
        The second file has another size, `file_size`.
    """
    path, painting = config.analogy
    picture = read_picture(path, say=say)
    if picture.shape[:2] != file_size:
        (height, width), (other_height, other_width) = picture.shape[:2], file_size
        raise ImageError(
            f"{path} has {width}x{height} pixels and {painting} {other_width}x{other_height}; the "
            "two pictures of an analogy must have the same size: resize or crop one of them"
        )
    return resize_picture(picture, size, config.resample)


def load_painting_by_regions(config, size, content_size, say=None):
    """Read the style as a list of `Painting`, one for each region of its map."""
    (path,), (weight,) = config.style, config.style_weights or [1.0]
    picture = read_picture(path, say=say)
    new_size = style_size(config, path, picture.shape[:2], size, config.style_scale)
    sizes = {"picture_size": content_size, "style_picture_size": picture.shape[:2]}
    regions = load_regions(
        *config.regions, size, new_size, **sizes, binary=config.binary_masks, say=say
    )
    picture = resize_picture(picture, new_size, config.resample)
    return [Painting(picture, weight, *region) for region in regions]


def read_mask(path, size, picture_size, binary, say=None):
    """Return the mask of a config entry: a file, "not:" and a file, or "-" for None."""
    if path == NO_MASK:
        return None
    inverted = path.startswith(NOT)
    options = {"picture_size": picture_size, "binary": binary, "inverted": inverted, "say": say}
    return load_mask(path.removeprefix(NOT), size, **options)


def read_content_map(config, content, picture_size, say=None):
    """Return the content map of a config, for the content picture at the size of the run."""
    if config.content_map == CONTRAST:
        from nst_tf.image.contrast import contrast_map

        return contrast_map(content)
    size, path = content.shape[:2], config.content_map
    return read_mask(path, size, picture_size, config.binary_masks, say)


def style_size(config, path, shape, result_size, scale):
    """Return the (height, width) for a style picture of `shape`, times `scale`.

    The default keeps its aspect ratio and has as many pixels as the result, so that strokes keep
    their size relative to the picture.
    """
    try:
        if config.stretch_style:
            size = result_size
        elif config.style_size is not None:
            size = fit_size(parse_size(config.style_size), shape)
        else:
            size = same_area_size(shape, result_size)
        return scaled_size(size, scale)
    except ImageError as error:
        advice = "" if config.stretch_style else ", or use --stretch-style"
        raise ImageError(
            f"the style {path}: {error}; change --size, --style-size or --style-scale{advice}"
        ) from None


def apply_color_mode(config, content, paintings):
    """Return content and styles as the network sees them: `color_before` for each style."""
    matched = []
    for style in paintings:
        masks = {"content_mask": style.mask, "style_mask": style.style_mask}
        content, picture = color_before(config.color, content, style.picture, **masks)
        unfiltered = style.unfiltered
        if unfiltered is not None:  # like the content that it corresponds to
            unfiltered, _ = color_before(config.color, unfiltered, style.picture)
        matched.append(replace(style, picture=picture, unfiltered=unfiltered))
    return content, matched


def make_start(config, content_image, styles, space, say=None):
    """Return the initial image (1, H, W, 3): `init`, with noise mixed in."""
    kind = config.init
    if kind in ("content", "noise"):
        base = content_image
    elif kind == "grey":
        base = flat_image(content_image.shape, np.full(3, GRAY), space)
    elif kind == "style":
        base = np.broadcast_to(color_moments(styles)[0], content_image.shape)
    elif kind == "style-stats":
        moments = color_moments(styles)
        base = normal_noise_image(content_image.shape, *moments, space.bounds, seed=config.seed)
    else:
        if not Path(kind).exists():
            raise ImageError(f"`init` is {kind!r}: neither {', '.join(STARTS)} nor a picture file")
        picture = read_picture(kind, say=say)
        size = content_image.shape[1:3]
        picture = resize_picture(picture, size, config.resample, wrap=config.wrap)
        base = space.to_image(picture)
    if kind != "noise" and not config.noise_ratio:
        return base
    amplitude = config.noise_amplitude
    amplitude = NOISE[config.noise] if amplitude is None else amplitude
    options = {"noise": config.noise, "amplitude": amplitude / space.scale, "seed": config.seed}
    if kind == "noise":
        return generate_noise_image(base, 1.0, **options)
    if config.noise_added:
        return base + generate_noise_image(np.zeros_like(base), config.noise_ratio, **options)
    return generate_noise_image(base, config.noise_ratio, **options)


def flat_image(shape, color, space):
    """Return an image (1, H, W, 3) of one RGB color in 0..255."""
    return np.broadcast_to(space.to_image(color[np.newaxis, np.newaxis]), shape)


def color_moments(styles):
    """Return the mean and standard deviation of the styles' colors, in the trunk's pixel space.

    Each is (3,) float32: of means and variances, the weighted mean of the styles.
    """
    moments = []
    for style in styles:
        pixels = {"axis": (0, 1), "weights": _pixel_weights(style)}
        mean = np.average(style.image[0], **pixels)
        moments.append((mean, np.average(np.square(style.image[0] - mean), **pixels)))
    weights = [style.weight for style in styles]
    mean, variance = np.average(moments, axis=0, weights=weights)
    return mean.astype(np.float32), np.sqrt(variance).astype(np.float32)


def _pixel_weights(style):
    shape = style.image.shape[1:]
    mask = np.ones(shape[:2]) if style.style_mask is None else style.style_mask
    return np.broadcast_to(mask[..., np.newaxis], shape)


@dataclass(frozen=True)
class Finish:
    """A function that transfers the colors to a picture and then pastes back the photograph.

    Colors change where the mask is white, and the photograph returns where it is black.

    Attributes
    ----------
    color : str
        A key of `COLOR_MODES`.
    content : (H, W, 3) uint8
        At the size of the pictures.
    mask : (H, W) or None
        Where styles act; None: everywhere.
    pastes : bool
    photograph : (H, W, 3) uint8 or None
        The content at its own size, if the result gets that size.
    paintings : sequence of Painting
        Whose colors are transferred, each under its own mask; none if the mode needs none.
    """

    color: str
    content: np.ndarray
    mask: np.ndarray | None
    pastes: bool
    photograph: np.ndarray | None = None
    paintings: tuple[Painting, ...] = ()

    def __call__(self, picture):
        """Return a picture (H, W, 3) uint8, or float32 that is not rounded, finished."""
        for style in self.paintings:
            of_style = {"style_picture": style.picture, "style_mask": style.style_mask}
            picture = color_after(self.color, picture, self.content, style.mask, **of_style)
        if self.color != AS_PAINTED and not self.paintings:
            picture = color_after(self.color, picture, self.content, self.mask)
        return keep_content(picture, self.content, self.mask) if self.pastes else picture

    def for_result(self):
        """Return the `Finish` of the result, which may have the photograph's own size."""
        if self.photograph is None:
            return self
        size = self.photograph.shape[:2]
        mask = resized_mask(self.mask, size)
        paintings = [
            replace(style, mask=resized_mask(style.mask, size)) for style in self.paintings
        ]
        return replace(self, content=self.photograph, mask=mask, paintings=paintings)


def make_finish(config, content, paintings, photograph=None):
    """Return the `Finish` of a config; a style without a mask acts everywhere."""
    mask = None
    if all(style.mask is not None for style in paintings):
        mask = np.clip(sum(style.mask for style in paintings), 0, 1)
    pastes = config.keep_content and mask is not None
    recoloring = paintings if COLOR_MODES[config.color].each else ()
    return Finish(config.color, content, mask, pastes, photograph, recoloring)


def resized_mask(mask, size):
    """Return a mask, or None, at another (height, width), without overshoot."""
    return None if mask is None else resize_picture(mask.astype(np.float32), size, "bilinear")


def chosen_weights(weights, say=print_line):
    """Resolve "auto" and "squeezenet" to weights on this machine; report a missing VGG-19."""
    if weights == "squeezenet":
        return str(find_squeezenet_weights())
    if weights != "auto":
        return weights
    path = find_vgg_weights("auto")
    if path.name == VGG_MODEL:
        return str(path)
    say(
        f"no model/{VGG_MODEL} here: using the embedded VGG-16. "
        "`python -m nst_tf.weights fetch vgg19` downloads the paper's VGG-19"
    )
    return "embedded"


def input_files(config):
    """Return the input files of a config as lists of its unresolved paths, by knob."""
    init = [] if config.init in STARTS else [config.init]
    masks = {
        name: [path.removeprefix(NOT) for path in getattr(config, name) or () if path != NO_MASK]
        for name in ("masks", "style_masks", "regions")
    }
    pictures = {"content": [config.content], "style": list(config.style or ())}
    mixed = {name: [getattr(config, name)] if config.fine else [] for name in ("fine", "coarse")}
    kept = {"content_map": config.paths(["content_map"])}
    unfiltered = list((config.analogy or ())[:1])  # the other one is the style
    return {**pictures, **mixed, "analogy": unfiltered, "init": init, **masks, **kept}


def with_full_paths(config):
    """Return the config with absolute paths, so that it works from any directory."""
    return config.with_paths(_real)


def _real(path):
    """Return the absolute path with links resolved; unlike `Path.resolve`, accept link loops."""
    return Path(os.path.realpath(path))


def check_inputs_survive(config, output, picture=None):
    """Raise `ConfigError` if the run would overwrite one of its inputs.

    Parameters
    ----------
    config : JobConfig
    output : path or None
        The run directory.
    picture : path or None
        The picture file outside of it.
    """
    for path in map(Path, itertools.chain(*input_files(config).values())):
        if output and _real(path).parent == _real(output) and is_ours(path):
            raise ConfigError(
                f"{path} is in the output directory and would be replaced; choose another --output"
            )
        if picture and _real(path) == _real(picture):
            raise ConfigError(f"{path} is an input and would be replaced; choose another --output")
