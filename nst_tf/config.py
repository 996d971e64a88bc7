"""Every knob, once: a field with its default and its line of help.

The command line, the saved config.json and the presets all take names, defaults and help from
these two classes. To add a knob, add a field.
"""

import difflib
import json
import math
import numbers
import os
import types
import typing
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import numpy as np

from nst_tf.errors import ConfigError, check_choice
from nst_tf.files import atomic_file, read_text
from nst_tf.image.color import COLOR_MODES
from nst_tf.image.io import is_picture, read_note
from nst_tf.image.noise import NOISE
from nst_tf.image.sizes import RESAMPLING

HUGE = 1e38  # the end of float32
NO_MASK = "-"  # among masks: this style acts everywhere
NOT = "not:"  # before a mask's path: its negative
SAVING = ("save_every", "checkpoint_every", "animate")  # what the picture does not depend on
PATHS = ("content", "style", "masks", "style_masks", "init", "weights")  # knobs that name files
SETTINGS = "nst_tf"  # the keyword of the text in a result.png that holds the config
STARTS = ("content", "noise", "grey", "style")  # what `init` may be beside a file
# Choices whose tables lie in modules that start TensorFlow; a test holds them against the tables.
CONTENT_SCALES = ("half", "sum", "mean", "quarter-mean", "root", "relative")
TV_FORMS = ("squared", "absolute", "mean", "power")
STATISTICS = ("gram", "chain", "blurred", "moments", "wasserstein")
WEIGHTING = ("equal", "quarter-deepest", "geometric", "geometric-top")
PROPAGATION = ("simple", "inside", "all")
OPTIMIZERS = ("adam", "lbfgs", "lbfgs-fixed", "sgd")
DECAYS = ("constant", "cosine", "step", "exponential")
SCHEDULES = ("tutorial", "fast", "fine")
FILMS = ("gif", "webp", "mp4")
PRECISIONS = ("auto", "float32", "mixed")
STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")  # Gatys et al. 2015


def knob(default, help, *, choices=None, minimum=None, maximum=None, above=None, metavar=None):
    """Return a dataclass field with what the command line and the checks need to know."""
    limits = {"choices": choices, "minimum": minimum, "maximum": maximum, "above": above}
    return field(default=default, metadata={"help": help, "metavar": metavar, **limits})


@dataclass(frozen=True)
class TransferConfig:
    """What is minimised, and how: the knobs of `style_transfer`."""

    # The defaults were chosen by eye on the embedded trunk at 640x480; tutorial 0's own numbers are
    # the preset "devos". Much more style than there, a little smoothing, and a longer step.
    alpha: float = knob(
        1e-4,
        "weight of the content loss: more house, less brush; 0: texture synthesis",
        minimum=0,
        maximum=HUGE,
    )
    beta: float = knob(
        1.0,
        "weight of the style loss: more brush, less house; 0: content alone",
        minimum=0,
        maximum=HUGE,
    )
    tv_weight: float = knob(
        2.5e-7, "weight of total variation: smoother, less grain", minimum=0, maximum=HUGE
    )
    unit: str = knob(
        "paper",
        "of alpha, beta and tv_weight: paper (sums, as written there) or relative (shares of the "
        "targets' energy: one look at any --size; try alpha 1, beta 12, tv_weight 8)",
        choices=("paper", "relative"),
    )
    content_layers: tuple[str, ...] = knob(("conv4_2",), "layers whose features are to be kept")
    content_layer_weights: tuple[float, ...] | None = knob(
        None, "a weight for each content layer (default: 1 each)", minimum=0, maximum=HUGE
    )
    content_scale: str = knob(
        "half", "factor of the content loss, in unit paper", choices=CONTENT_SCALES
    )
    style_layers: tuple[str, ...] = knob(
        STYLE_LAYERS, "layers whose statistics are matched; all: every convolution"
    )
    style_layer_weights: tuple[float, ...] | None = knob(
        None,
        "a weight for each style layer (default: by --style-weighting)",
        minimum=0,
        maximum=HUGE,
    )
    style_weighting: str = knob(
        "equal",
        "of style layers: equal, quarter-deepest (the deepest counts a quarter: fewer motifs in "
        "the wrong place), geometric (half as much a layer deeper) or geometric-top",
        choices=WEIGHTING,
    )
    statistic: str = knob(
        "gram",
        "what of the style is matched: Gram matrices, moments (mean and covariance) or another",
        choices=STATISTICS,
    )
    activation_shift: float = knob(
        0.0,
        "added to activations before correlating (Novak & Nikulin: -1)",
        minimum=-1e6,
        maximum=1e6,
    )
    tv_form: str = knob("squared", "what total variation sums, in unit paper", choices=TV_FORMS)
    propagation: str = knob(
        "simple",
        "how masks reach deeper layers (Gatys 2017); at a schedule's coarse levels always simple",
        choices=PROPAGATION,
    )
    optimizer: str | None = knob(
        None,
        "adam, lbfgs (L-BFGS-B), lbfgs-fixed (without line search) or sgd (plain gradient descent; "
        "default: the schedule's, or adam if a learning rate or decay is given)",
        choices=OPTIMIZERS,
    )
    iterations: int = knob(500, "number of updates of the picture", minimum=0, maximum=10**9)
    schedule: str = knob(
        "tutorial",
        "tutorial: one scale, Adam by a constant step; fast: lbfgs-fixed, and in the unit relative "
        "from coarse to fine; fine: the same with more of the iterations at full size",
        choices=SCHEDULES,
    )
    learning_rate: float | None = knob(
        None,
        "step of adam, about grey levels an iteration; or of sgd (default: the schedule's)",
        above=0,
        maximum=HUGE,
    )
    decay: str | None = knob(
        None,
        "of the learning rate: constant, cosine (to 0 at the end), step or exponential (default: "
        "the schedule's)",
        choices=DECAYS,
    )
    decay_rate: float = knob(
        0.96, "what step and exponential multiply by at every --decay-every", above=0, maximum=1
    )
    decay_every: int = knob(100, "iterations from one decay to the next", minimum=1)
    beta_1: float = knob(0.9, "Adam's memory of the gradient", minimum=0, maximum=0.9999999)
    beta_2: float = knob(0.999, "Adam's memory of its square", minimum=0, maximum=0.9999999)
    epsilon: float = knob(1e-8, "Adam's epsilon", minimum=1e-37)
    history: int | None = knob(
        None,
        "pairs of images that L-BFGS remembers (default: lbfgs 20, lbfgs-fixed 10, in tiles 1)",
        minimum=1,
        maximum=1000,
    )
    clip: bool = knob(True, "keep the pixels within black and white during the run")
    clip_at: float | None = knob(
        None,
        "with --clip: this many grey levels about the trunk's mean instead (CS231n: 87)",
        above=0,
        maximum=HUGE,
    )

    precision: str = knob(
        "float32",
        "of the network: float32, mixed (bfloat16 there, float32 for pixels and sums), or auto: "
        "mixed on kinds of processors known to be faster in bfloat16, else float32",
        choices=PRECISIONS,
    )
    memory_limit: float | None = knob(
        None,
        "GiB of memory to keep to: larger pictures go tile by tile (default: what is free, less a "
        "tenth)",
        above=0,
        maximum=1e6,
        metavar="GIB",
    )

    def __post_init__(self):
        for knob_field in fields(self):
            value = _typed(knob_field, getattr(self, knob_field.name))
            object.__setattr__(self, knob_field.name, value)
            _check_limits(knob_field, value)
        for kind in ("content", "style"):
            _check_one_weight_each(
                kind, getattr(self, f"{kind}_layers"), getattr(self, f"{kind}_layer_weights")
            )

    def changed(self, /, **knobs):  # "self" is a name like others in a config file
        """Return a copy with some knobs set; an unknown name lists those that exist."""
        known = [knob_field.name for knob_field in fields(self)]
        for name in knobs:
            if name not in known:
                raise ConfigError(_no_knob(name, known))
        return replace(self, **knobs)


def _no_knob(name, known):
    near = difflib.get_close_matches(name[:60], known, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(known)}"
    return f"there is no knob `{name:.60}`; {hint}"


def retold(name, default):
    """Return a knob of `TransferConfig` with another default."""
    return field(default=default, metadata=TransferConfig.__dataclass_fields__[name].metadata)


@dataclass(frozen=True)
class JobConfig(TransferConfig):
    """A whole job: the pictures, the trunk, the start, and what `style_transfer` takes.

    What `style_transfer` takes from the papers and tutorials, a job takes from what looks best
    (docs/choosing.md); the presets have the tutorials' numbers.
    """

    alpha: float = retold("alpha", 1.0)
    beta: float = retold("beta", 12.0)
    tv_weight: float = retold("tv_weight", 8.0)
    unit: str = retold("unit", "relative")
    style_weighting: str = retold("style_weighting", "quarter-deepest")
    statistic: str = retold("statistic", "moments")
    schedule: str = retold("schedule", "fast")
    precision: str = retold("precision", "auto")
    iterations: int = retold("iterations", 200)
    content: str | None = knob(None, "the photograph")
    style: tuple[str, ...] | None = knob(None, "the painting, or several")
    style_weights: tuple[float, ...] | None = knob(
        None, "a weight for each style (default: 1 each)", above=0, maximum=HUGE
    )
    masks: tuple[str, ...] | None = knob(
        None,
        "a mask for each style, on the photograph: white, the style acts here; not:FILE is its "
        "negative, - none",
        metavar="MASK",
    )
    style_masks: tuple[str, ...] | None = knob(
        None,
        "a mask for each style, on the painting: white, this part is taken; not:FILE, - as above",
        metavar="MASK",
    )
    binary_masks: bool = knob(False, "turn grey in masks into black or white")
    keep_content: bool = knob(False, "paste the photograph back where no mask is white")
    color: str = knob(
        "style",
        "style: the painting's colours; luminance or swap: the photograph's, transferred so or put "
        "back after; cholesky, pca, symmetric or histogram: the painting recoloured before",
        choices=COLOR_MODES,
    )
    weights: str = knob(
        "auto",
        "the trunk: a .mat or .h5 of VGG-19 or VGG-16, an .npz or checkpoint of SqueezeNet",
        metavar="auto|embedded|squeezenet|PATH",
    )
    pooling: str | None = knob(
        "max",
        "how the trunk's pools combine: average as in the paper, max as the network was trained",
        choices=("average", "max"),
    )
    padding: str = knob(
        "edge",
        "of the convolutions: zero (as trained; the picture gets a border of its own) or edge (the "
        "outermost positions are repeated: strokes reach the border)",
        choices=("zero", "edge"),
    )
    pixels: str = knob(
        "trunk",
        "trunk: as the network was trained; unit: 0..1 without the mean (tutorial 3, 2021)",
        choices=("trunk", "unit"),
    )
    normalize: bool = knob(
        False, "rescale the trunk so that each filter's mean activation is one (CVPR 2016)"
    )
    size: str | None = knob(
        None,
        "both sides, the longer, or a named one (default: about 640x480 in area)",
        metavar="WxH|N|short:N|height:N|width:N|area:N",
    )
    style_size: str | None = knob(
        None, "the same for the styles (default: as many pixels as the result)", metavar="SIZE"
    )
    style_scale: float = knob(
        1.0, "of the styles' sides: 2 doubles the strokes", above=0, maximum=100
    )
    style_margin: float | None = knob(
        None,
        "share of a painting's width and height that is left out at each side (default: its "
        "frame, where it has one; 0: nothing; a painting with a style mask is used whole)",
        minimum=0,
        maximum=0.4,
    )
    stretch_style: bool = knob(False, "stretch the style to the result's size and shape")
    resample: str = knob("lanczos", "how pictures are resized", choices=tuple(RESAMPLING))
    init: str = knob(
        "content",
        "the start: the content, noise, grey, style (its mean colour) or a picture file",
        metavar="content|noise|grey|style|FILE",
    )
    noise_ratio: float = knob(0.0, "how much noise is mixed into the start", minimum=0, maximum=1)
    noise_added: bool = knob(False, "add the noise to the start instead of mixing it in")
    noise: str = knob("uniform", "gaussian (tutorial 0) or uniform", choices=tuple(NOISE))
    noise_amplitude: float | None = knob(
        None, "in grey levels (default: gaussian 1, uniform 20)", minimum=0, maximum=1000
    )
    save_every: int = knob(50, "iterations between two saved pictures; 0: the last only", minimum=0)
    animate: str | None = knob(
        None,
        "make a time-lapse of the saved pictures, timelapse.gif, .webp or .mp4",
        choices=FILMS,
    )
    checkpoint_every: float = knob(
        30.0, "seconds between two checkpoints, from which --resume goes on", minimum=0
    )
    seed: int = knob(0, "of the noise", minimum=0)
    device: str = knob("auto", "where to compute", choices=("auto", "cpu", "gpu"))

    def __post_init__(self):
        super().__post_init__()
        for name in ("style_weights", "masks", "style_masks"):
            values = getattr(self, name)
            if values is not None and self.style and len(values) != len(self.style):
                raise ConfigError(
                    f"`{name}` has {len(values)} entries for {len(self.style)} styles; give one "
                    "for each, in the same order"
                )
        if self.animate and not self.save_every:
            raise ConfigError("`animate` shows the saved pictures, and `save_every` is 0")
        if self.keep_content and (not self.masks or NO_MASK in self.masks):
            raise ConfigError("`keep_content` needs `masks`, one for each style, to know where")

    def transfer(self):
        """Return the part that `style_transfer` takes."""
        names = [knob_field.name for knob_field in fields(TransferConfig)]
        return TransferConfig(**{name: getattr(self, name) for name in names})

    def differences(self):
        """Return the knobs that are not at their defaults, by name."""
        values = {knob_field.name: getattr(self, knob_field.name) for knob_field in fields(self)}
        defaults = JobConfig()
        return {name: each for name, each in values.items() if each != getattr(defaults, name)}

    def arguments(self):
        """Return what to write behind `python -m nst_tf.run` for this job, as a list of words."""
        changed = self.differences()
        words = [changed.pop("content", None), *changed.pop("style", ())]
        words = [word for word in words if word is not None]
        for name, value in changed.items():
            flag = name.replace("_", "-")
            if isinstance(value, bool):
                words.append(f"--{flag}" if value else f"--no-{flag}")
            else:
                words.append(f"--{flag}")
                words += map(str, value if isinstance(value, tuple) else [value])
        return words

    def text(self, *, without=()):
        """Return all knobs as JSON, or all but some."""
        knobs = {name: value for name, value in asdict(self).items() if name not in without}
        return json.dumps(knobs, indent=2)

    def save(self, path):
        """Write all knobs as JSON."""
        with atomic_file(path) as temporary:
            temporary.write_text(self.text() + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path):
        """Read what `save` wrote, or the settings in a result.png; absent knobs keep defaults."""
        if Path(path).exists() and not Path(path).is_file():
            raise ConfigError(f"{path} is no file; a config.json was expected")
        try:
            if Path(path).suffix.lower() == ".png":
                knobs = json.loads(read_note(path, SETTINGS))
            else:
                knobs = json.loads(read_text(path))
        except OSError as error:
            raise ConfigError(f"{path} can't be read: {error.strerror or error}") from None
        except (ValueError, RecursionError) as error:
            if is_picture(path):
                raise ConfigError(
                    f"{path} is a picture; --config takes a config.json or the result.png of a run"
                ) from None
            raise ConfigError(f"{path} is not JSON: {error}") from None
        if not isinstance(knobs, dict):
            raise ConfigError(f"{path} holds no JSON object; expected {{knob: value, ...}}")
        try:
            return cls().changed(**knobs)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None


def _check_one_weight_each(kind, layers, weights):
    if weights is not None and "all" not in layers and len(weights) != len(layers):
        raise ConfigError(
            f"`{kind}_layer_weights` has {len(weights)} numbers for {len(layers)} {kind} layers "
            f"({' '.join(layers)}); give one for each"
        )


def _typed(knob_field, value):
    """Bring a value to its field's type (JSON and notebooks give lists and ints), or refuse."""
    kind = knob_field.type
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if value is None and type(None) in kinds:
        return None
    kind = kinds[0]
    if typing.get_origin(kind) is tuple:
        return _typed_tuple(knob_field.name, typing.get_args(kind)[0], value)
    return _typed_scalar(knob_field.name, kind, value)


def _typed_tuple(name, kind, value):
    values = [value] if isinstance(value, str) else value
    values = values.tolist() if isinstance(values, np.ndarray) else values
    if not isinstance(values, (list, tuple)) or not values:
        raise ConfigError(f"`{name}` is {_short(value)}; a list of at least one was expected")
    values = tuple(_typed_scalar(name, kind, each) for each in values)
    if name.endswith("_layers") and len(set(values)) < len(values):
        raise ConfigError(f"`{name}` names a layer twice: {_short(' '.join(values))}")
    return values


def _typed_scalar(name, kind, value):
    accepted, words = {
        float: (numbers.Real, "a finite number"),
        int: (numbers.Integral, "a whole number"),
        bool: (bool, "true or false"),
        str: ((str, Path, int), "text"),  # int: `"size": 512` in a config file
    }[kind]
    if isinstance(value, accepted) and isinstance(value, bool) == (kind is bool):
        try:
            typed = kind(value)
        except OverflowError:  # a whole number beyond every float
            typed = math.inf
        if kind is str and (wrong := _unwritable(typed)):
            raise ConfigError(f"`{name}` is {_short(value)}; text without {wrong} was expected")
        if kind is not float or math.isfinite(typed):
            return typed
    raise ConfigError(f"`{name}` is {_short(value)}; {words} was expected")


def _unwritable(text):
    """Return what no name of a file can hold, if the text does."""
    try:
        return "a NUL" if b"\0" in os.fsencode(text) else None
    except UnicodeEncodeError:  # JSON can hold half of a letter: a surrogate alone
        return "half a letter"


def _short(value):
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:50]}..."


def _check_limits(knob_field, value):
    name, limits = knob_field.name, knob_field.metadata
    if limits["choices"] and value is not None:
        check_choice(name, value, limits["choices"])
    for number in value if isinstance(value, tuple) else [value]:
        if not isinstance(number, (int, float)):
            continue
        least, most, above = limits["minimum"], limits["maximum"], limits["above"]
        if least is not None and number < least:
            raise ConfigError(f"`{name}` is {_short(number)}; it must be at least {least}")
        if most is not None and number > most:
            raise ConfigError(f"`{name}` is {_short(number)}; it must be at most {most}")
        if above is not None and number <= above:
            raise ConfigError(f"`{name}` is {_short(number)}; it must be above {above}")
