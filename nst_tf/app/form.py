"""Convert a visitor's choices to the settings of a run."""

from dataclasses import dataclass, field, fields

import numpy as np

from nst_tf.app.studio import paced
from nst_tf.app.uploads import everywhere_else, painted_mask
from nst_tf.cli import HEADINGS
from nst_tf.config import KEYWORDS, NO_MASK, NOT, SAVING, JobConfig
from nst_tf.errors import ConfigError, ImageError, NstError
from nst_tf.image.io import read_picture
from nst_tf.image.masks import load_mask
from nst_tf.image.sizes import fit_size, parse_size
from nst_tf.jobs.settings import preset_knobs, value_of
from nst_tf.presets import PRESETS
from nst_tf.video.config import OWN, VideoConfig

STYLES = 4
OWN_LOOK = "none"  # no preset: the defaults of `JobConfig`
EVERYWHERE, PAINTED, WHITE, BLACK, ELSE = (
    "everywhere",
    "where I paint",
    "where a mask is white",
    "where a mask is black",
    "where no other style acts",
)
WHERE = (EVERYWHERE, PAINTED, WHITE, BLACK, ELSE)
# Set by other controls or by the page's owner: visitors must not name files of its machine.
NOT_OFFERED = {
    *("content", "style", "analogy", "style_weights", "masks", "keep_content", "color", "size"),
    *("style_scale", "style_size", "iterations", "level_iterations", "style_masks", "regions"),
    *("fine", "coarse", "fine_layers", "fine_iterations", "interpolate", "weights"),
    *("device", "deterministic", "precision", "xla", "memory_limit"),
    *("save_every", "save_start", "checkpoint_every"),
    *("rescale", "print"),  # the page limits the size of a result
}
MORE = [knob for knob in fields(JobConfig) if knob.name not in NOT_OFFERED]
KNOBS = {knob.name: knob for knob in fields(VideoConfig)}
NO_FILM_KNOBS = ("rate", "write")  # of folders of frames; the page shows the film
FILM_KNOBS = [knob for knob in OWN if knob.name not in NO_FILM_KNOBS]
CHOICES = {name: KEYWORDS[name] for name in ("init", "content_map")}  # no files
MAP_LABEL = "the content map"
MAX_STYLE_SIDE = 1.5  # as a multiple of the page's largest side


@dataclass(frozen=True)
class StyleChoice:
    """A visitor's choices for one style.

    Attributes
    ----------
    picture : path or None
    weight : float
    where : str
        One of `WHERE`.
    painted : list of (H, W, 4) uint8
        Layers of the editor.
    mask : path or None
    """

    picture: str | None
    weight: float = 1.0
    where: str = EVERYWHERE
    painted: list = field(default_factory=list, repr=False)
    mask: str | None = None


@dataclass(frozen=True)
class Form:
    """All choices of a visitor.

    Attributes
    ----------
    content : path or None
    styles : list of StyleChoice
        Styles without a picture are skipped.
    preset : str
    strength : float
        Number of times the style weight is doubled.
    side : int
        Longer side in pixels.
    iterations : int
    seconds : float or None
        Duration of the run; replaces `iterations`.
    color : str
    scale : float
        Scale of the style.
    keep_content : bool
    content_map : path or None
        Where it is white, the photograph is kept.
    film : path or None
        Is painted; its first frame is the `content`.
    more : dict of str
        Other knobs by name; an empty string keeps the preset's value.
    """

    content: str | None
    styles: list[StyleChoice]
    preset: str = OWN_LOOK
    strength: float = 0.0
    side: int = 512
    iterations: int = JobConfig.iterations
    seconds: float | None = None
    color: str = "style"
    scale: float = 1.0
    keep_content: bool = False
    content_map: str | None = None
    film: str | None = None
    more: dict[str, str] = field(default_factory=dict)


def config_of(form, uploads, limits, knobs=None):
    """Store the pictures and masks of a form and return its `JobConfig`, or `VideoConfig`.

    Parameters
    ----------
    form : Form
    uploads : Uploads
    limits : Limits
    knobs : dict, optional
        Settings of the page's owner for all runs: weights, device, precision.

    Raises
    ------
    NstError
        An input is missing or invalid; the message names the control.
    """
    if not form.content:
        raise ConfigError("the photograph is missing: upload one or choose a sample")
    content = _store("the photograph", form.content, uploads)
    chosen = [(number, style) for number, style in enumerate(form.styles, 1) if style.picture]
    if not chosen:
        raise ConfigError("the style is missing: upload a painting or choose a sample")
    styles = [_store(f"style {number}", style.picture, uploads) for number, style in chosen]
    masks = _masks(chosen, content, uploads)
    _check_seconds(form.seconds, limits)
    _check_keep_content(form, chosen)
    config = preset_config(form.preset, (knobs or {}).get("weights"))
    size = config.size if own_side(config, content) == form.side else str(_side(form.side, limits))
    config = config.changed(
        **(knobs or {}),
        content=str(content),
        style=tuple(map(str, styles)),
        style_weights=_weights(chosen),
        masks=masks,
        keep_content=form.keep_content,
        color=form.color,
        style_scale=_scale(form, limits),
        size=size,
        iterations=_iterations(form),
        beta=config.beta * 2 ** _number("the style strength", form.strength),
        animate="gif",
    )
    more = _more(form.more)
    if form.content_map:
        more["content_map"] = _content_map(form, more, content, uploads)
    film_knobs = {name: more.pop(name) for name in _names(FILM_KNOBS) if name in more}
    config = config.changed(**more)
    if form.film:
        return _film_config(form, config, film_knobs, uploads)
    if film_knobs:
        raise ConfigError(
            f"`{next(iter(film_knobs))}` applies to films: upload one, or leave it empty"
        )
    return paced(config)


def _film_config(form, config, knobs, uploads):
    """Store the film of a form; return its `VideoConfig`, with the settings of a photograph."""
    if form.seconds is not None:
        raise ConfigError("the duration of a film can't be set in seconds; choose iterations")
    try:
        film, _ = uploads.keep_film(form.film)
    except ImageError as error:
        raise ImageError(f"the film: {error}") from None
    kept = {name: value for name, value in config.differences().items() if name not in SAVING}
    return VideoConfig().changed(**{**kept, "content": str(film), **knobs})


def _names(knobs):
    return [knob.name for knob in knobs]


def preset_config(name, weights=None):
    """Return the settings of a preset, or the defaults, without pictures."""
    if name in (None, OWN_LOOK):
        return JobConfig()
    return JobConfig().changed(**preset_knobs(name, weights, say=lambda line: None))


def preset_summary(name):
    """Return a preset's source, its expected result, and known issues in the source."""
    if name in (None, OWN_LOOK):
        return ""
    preset = PRESETS[name]
    errors = f" Known issue in the source: {preset.errs}." if preset.errs else ""
    return f"{preset.source}. {preset.expect}.{errors}"


def own_side(config, content):
    """Return the longer side of a photograph at the preset's own size, or None."""
    if config.size is None or not content:
        return None
    try:
        return max(fit_size(parse_size(config.size), read_picture(content, say=None).shape[:2]))
    except ImageError:
        return None


def heading_of(name):
    """Return the heading of a knob under "More"; the headings are those of `run --help`."""
    if name in _names(FILM_KNOBS):
        return "film"
    heading = "run"
    for knob in fields(JobConfig):
        heading = HEADINGS.get(knob.name, heading)
        if knob.name == name:
            return heading
    raise KeyError(name)


def _store(label, path, uploads):
    try:
        return uploads.keep(path)
    except ImageError as error:
        raise ImageError(f"{label}: {error}") from None


def _masks(chosen, content, uploads):
    """Return the value of `masks`, or None if every style acts everywhere."""
    if all(style.where == EVERYWHERE for _, style in chosen):
        return None
    masks = {}
    for number, style in chosen:
        if style.where != ELSE:
            try:
                masks[number] = _mask(style, content, uploads)
            except NstError as error:
                raise ConfigError(f"style {number}: {error}") from None
    for number, style in chosen:
        if style.where == ELSE:
            masks[number] = _rest_mask(number, masks, content, uploads)
    return tuple(masks[number] for number, _ in chosen)


def _mask(style, content, uploads):
    if style.where == PAINTED:
        return str(uploads.keep_mask(painted_mask(style.painted), f"{content.stem}-painted"))
    if style.where in (WHITE, BLACK):
        if not style.mask:
            raise ConfigError("the mask is missing: upload one or select another area")
        return (NOT if style.where == BLACK else "") + str(_store_mask(style, content, uploads))
    return NO_MASK


def _store_mask(style, content, uploads):
    mask = uploads.keep(style.mask)
    _check_mask("its mask", mask, content, inverted=style.where == BLACK)
    return mask


def _check_mask(label, mask, content, **options):
    size = read_picture(content, say=None).shape[:2]
    try:
        load_mask(mask, size, say=None, **options)
    except ImageError as error:
        raise ConfigError(str(error).replace(f"the mask {mask}", label)) from None


def _content_map(form, more, content, uploads):
    """Store and check the content map; return its path."""
    if "content_map" in more:
        raise ConfigError(
            f"{MAP_LABEL} is uploaded, and `content_map` is {more['content_map']!r} under More: "
            "remove the one or empty the other"
        )
    path = _store(MAP_LABEL, form.content_map, uploads)
    _check_mask(MAP_LABEL, path, content)
    return str(path)


def _rest_mask(number, masks, content, uploads):
    """Return the mask of the area where no other style acts: "not:" + mask, or a new mask."""
    others = [mask for mask in masks.values() if mask != NO_MASK]
    if not others or len(others) < len(masks):
        reason = "another style acts everywhere" if masks else "no other style has a mask"
        raise ConfigError(f"style {number}: it acts where no other style acts, but {reason}")
    if len(others) == 1 and not others[0].startswith(NOT):
        return NOT + others[0]
    size = read_picture(content, say=None).shape[:2]
    return str(uploads.keep_mask(everywhere_else(others, size), f"{content.stem}-rest"))


def _weights(chosen):
    weights = tuple(_number(f"the weight of style {n}", style.weight) for n, style in chosen)
    return None if len(set(weights)) == 1 else weights


def _side(side, limits):
    side = _number("the longer side", side, whole=True)
    if side > limits.side:
        raise ConfigError(f"the longer side is {side} pixels; this page allows {limits.side}")
    return side


def _iterations(form):
    iterations = _number("the duration", form.iterations, whole=True)
    if iterations < 1:
        raise ConfigError(f"the duration is {iterations} iterations; at least 1 was expected")
    return iterations


def _check_keep_content(form, chosen):
    if form.keep_content and any(style.where == EVERYWHERE for _, style in chosen):
        raise ConfigError(
            "the photograph can be kept only where no style acts, but a style acts everywhere: "
            "choose where each style acts, or don't keep the photograph"
        )


def _scale(form, limits):
    """Return the style scale; limit it, as a very large painting exhausts the memory."""
    scale = _number("the stroke size", form.scale)
    max_scale = MAX_STYLE_SIDE * limits.side / _side(form.side, limits)
    if scale > max_scale:
        raise ConfigError(
            f"the stroke size is {scale:g}; the maximum at this size is {max_scale:.2g}"
        )
    return scale


def _check_seconds(seconds, limits):
    if seconds is None:
        return
    max_seconds = 60 * limits.minutes
    if not 0 < _number("the duration", seconds) <= max_seconds:
        raise ConfigError(
            f"the duration is {seconds:g} seconds; this page allows 1 to {max_seconds:g}"
        )


def _number(label, value, *, whole=False):
    if value is None or not np.isfinite(value):
        raise ConfigError(f"{label} is empty; a number was expected")
    return round(value) if whole else float(value)


def _more(more):
    """Return the values of the knobs under "More" that are not empty, converted to their type."""
    offered, values = {*_names(MORE), *_names(FILM_KNOBS)}, {}
    for name, text in more.items():
        if name not in offered:
            raise ConfigError(f"`{name}` can't be set on this page")
        text = str(text or "").replace(",", " ").strip()
        if not text:
            continue
        if name in CHOICES and text not in CHOICES[name]:
            raise ConfigError(f"`{name}` is {text!r:.60}; choose from {', '.join(CHOICES[name])}")
        values[name] = value_of(name, text, between=None, knobs=KNOBS)
    return values
