"""From what a visitor chose to the settings of a run."""

from dataclasses import dataclass, field, fields

import numpy as np

from nst_tf.app.studio import paced
from nst_tf.app.uploads import everywhere_else, painted_mask
from nst_tf.cli import HEADINGS
from nst_tf.config import NO_MASK, NOT, STARTS, JobConfig
from nst_tf.errors import ConfigError, ImageError, NstError
from nst_tf.image.io import read_picture
from nst_tf.image.masks import load_mask
from nst_tf.image.sizes import fit_size, parse_size
from nst_tf.jobs.settings import preset_knobs, value_of
from nst_tf.presets import PRESETS

STYLES = 4
OWN_LOOK = "none"  # the preset that is no preset: a job's defaults
EVERYWHERE, PAINTED, WHITE, BLACK, ELSE = (
    "everywhere",
    "where I paint",
    "where a mask is white",
    "where a mask is black",
    "where no other style acts",
)
WHERE = (EVERYWHERE, PAINTED, WHITE, BLACK, ELSE)
# Decided by other controls, or by who started the page: visitors name no files of its machine.
NOT_ASKED = {
    *("content", "style", "style_weights", "masks", "keep_content", "color", "size"),
    *("style_scale", "style_size", "iterations", "style_masks", "weights"),
    *("device", "precision", "memory_limit", "save_every", "checkpoint_every"),
}
MORE = [knob for knob in fields(JobConfig) if knob.name not in NOT_ASKED]
CHOICES = {"init": STARTS}  # no file
LARGEST_STYLE = 1.5  # of the largest picture's sides


@dataclass(frozen=True)
class StyleChoice:
    """One of the styles, as it was chosen.

    Attributes
    ----------
    picture : path or None
    weight : float
    where : str
        One of `WHERE`.
    painted : list of (H, W, 4) uint8
        Layers that were painted.
    mask : path or None
    """

    picture: str | None
    weight: float = 1.0
    where: str = EVERYWHERE
    painted: list = field(default_factory=list, repr=False)
    mask: str | None = None


@dataclass(frozen=True)
class Form:
    """All that a visitor chose.

    Attributes
    ----------
    content : path or None
    styles : list of StyleChoice
        Those without a picture are left out.
    preset : str
    strength : float
        How often the weight of the style is doubled.
    side : int
        Pixels of the longer side.
    iterations : int
    seconds : float or None
        To paint for, in place of iterations.
    color : str
    scale : float
        Of the style.
    keep_content : bool
    more : dict of str
        Further knobs by name; an empty text leaves a knob as it is.
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
    more: dict[str, str] = field(default_factory=dict)


def config_of(form, uploads, limits, knobs=None):
    """Return the `JobConfig` of a form, its pictures and masks kept.

    Parameters
    ----------
    form : Form
    uploads : Uploads
    limits : Limits
    knobs : dict, optional
        What who has started the page decided for all runs: weights, device, precision.

    Raises
    ------
    NstError
        Something is missing or can't be used; the message says what, and where on the page.
    """
    if not form.content:
        raise ConfigError("the photograph is missing: upload one, or take a sample")
    content = _kept("the photograph", form.content, uploads)
    chosen = [(n, each) for n, each in enumerate(form.styles, 1) if each.picture]
    if not chosen:
        raise ConfigError("the style is missing: upload a painting, or take a sample")
    styles = [_kept(f"style {number}", each.picture, uploads) for number, each in chosen]
    masks = _masks(chosen, content, uploads)
    _check_seconds(form.seconds, limits)
    _check_keeping(form, chosen)
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
        beta=config.beta * 2 ** _number("the strength of the style", form.strength),
        animate="gif",
    )
    return paced(config.changed(**_more(form.more)))


def preset_config(name, weights=None):
    """Return the settings of a preset, or a job's own, before pictures are chosen."""
    if name in (None, OWN_LOOK):
        return JobConfig()
    return JobConfig().changed(**preset_knobs(name, weights, say=lambda line: None))


def words_for_preset(name):
    """Return what to know of a preset."""
    if name in (None, OWN_LOOK):
        return ""
    preset = PRESETS[name]
    errs = f" The source errs: {preset.errs}." if preset.errs else ""
    return f"{preset.source}. {preset.expect}.{errs}"


def own_side(config, content):
    """Return the longer side that a preset's own size gives a photograph, or None."""
    if config.size is None or not content:
        return None
    try:
        return max(fit_size(parse_size(config.size), read_picture(content).shape[:2]))
    except ImageError:
        return None


def heading_of(name):
    """Return under which heading a knob stands in `MORE`, as in `run --help`."""
    heading = "the run"
    for knob in fields(JobConfig):
        heading = HEADINGS.get(knob.name, heading)
        if knob.name == name:
            return heading
    raise KeyError(name)


def _kept(what, path, uploads):
    try:
        return uploads.keep(path)
    except ImageError as error:
        raise ImageError(f"{what}: {error}") from None


def _masks(chosen, content, uploads):
    """Return what `masks` says for the styles, or None where each acts everywhere."""
    if all(each.where == EVERYWHERE for _, each in chosen):
        return None
    masks = {}
    for number, each in chosen:
        if each.where != ELSE:
            try:
                masks[number] = _mask(each, content, uploads)
            except NstError as error:
                raise ConfigError(f"style {number}: {error}") from None
    for number, each in chosen:
        if each.where == ELSE:
            masks[number] = _rest(number, masks, content, uploads)
    return tuple(masks[number] for number, _ in chosen)


def _mask(style, content, uploads):
    if style.where == PAINTED:
        return str(uploads.keep_mask(painted_mask(style.painted), f"{content.stem}-painted"))
    if style.where in (WHITE, BLACK):
        if not style.mask:
            raise ConfigError("the mask is missing: upload one, or choose another place")
        return (NOT if style.where == BLACK else "") + str(_checked_mask(style, content, uploads))
    return NO_MASK


def _checked_mask(style, content, uploads):
    """Return where an uploaded mask is kept, once it is sure that it can be used."""
    mask = uploads.keep(style.mask)
    size = read_picture(content).shape[:2]
    try:
        load_mask(mask, size, inverted=style.where == BLACK)
    except ImageError as error:
        raise ConfigError(str(error).replace(f"the mask {mask}", "its mask")) from None
    return mask


def _rest(number, masks, content, uploads):
    """Return the mask of where no other style acts: one that is there already, or a new one."""
    others = [each for each in masks.values() if each != NO_MASK]
    if not others or len(others) < len(masks):
        other = "another one acts everywhere" if masks else "no other one has a place of its own"
        raise ConfigError(f"style {number}: it is to act where no other style does, and {other}")
    if len(others) == 1 and not others[0].startswith(NOT):
        return NOT + others[0]
    size = read_picture(content).shape[:2]
    return str(uploads.keep_mask(everywhere_else(others, size), f"{content.stem}-rest"))


def _weights(chosen):
    weights = tuple(_number(f"the weight of style {n}", each.weight) for n, each in chosen)
    return None if len(set(weights)) == 1 else weights


def _side(side, limits):
    side = _number("the longer side", side, whole=True)
    if side > limits.side:
        raise ConfigError(f"the longer side is {side} pixels; this page allows {limits.side}")
    return side


def _iterations(form):
    iterations = _number("how long", form.iterations, whole=True)
    if iterations < 1:
        raise ConfigError(f"how long is {iterations} iterations; 1 at least was expected")
    return iterations


def _check_keeping(form, chosen):
    if form.keep_content and any(each.where == EVERYWHERE for _, each in chosen):
        raise ConfigError(
            "the photograph can be kept only where no style acts, and a style acts everywhere: "
            "choose where each one acts, or don't keep the photograph"
        )


def _scale(form, limits):
    """Return the style's scale; a painting much larger than the picture takes all the memory."""
    scale = _number("the size of the strokes", form.scale)
    most = LARGEST_STYLE * limits.side / _side(form.side, limits)
    if scale > most:
        raise ConfigError(f"the size of the strokes is {scale:g}; at this size {most:.2g} at most")
    return scale


def _check_seconds(seconds, limits):
    if seconds is None:
        return
    most = 60 * limits.minutes
    if not 0 < _number("how long", seconds) <= most:
        raise ConfigError(f"how long is {seconds:g} seconds; this page allows 1 to {most:g}")


def _number(what, value, *, whole=False):
    if value is None or not np.isfinite(value):
        raise ConfigError(f"{what} is empty; a number was expected")
    return round(value) if whole else float(value)


def _more(more):
    """Return the knobs under "more" that say something, typed."""
    asked, found = {knob.name for knob in MORE}, {}
    for name, text in more.items():
        if name not in asked:
            raise ConfigError(f"`{name}` can't be chosen on this page")
        text = str(text or "").replace(",", " ").strip()
        if not text:
            continue
        if name in CHOICES and text not in CHOICES[name]:
            raise ConfigError(f"`{name}` is {text!r:.60}; choose from {', '.join(CHOICES[name])}")
        found[name] = value_of(name, text, between=None)
    return found
