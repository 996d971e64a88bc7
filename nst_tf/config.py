"""Every knob, once: a field with its default and its line of help.

The command line, the saved config.json and the presets all take names, defaults and help from
these two classes. To add a knob, add a field.
"""

import json
import math
import numbers
import types
import typing
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import numpy as np

from nst_tf.errors import ConfigError
from nst_tf.files import atomic_file
from nst_tf.images import NOISE, RESAMPLING

HUGE = 1e38  # the end of float32
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
        1e-4, "weight of the content loss: more house, less brush", minimum=0, maximum=HUGE
    )
    beta: float = knob(
        1.0, "weight of the style loss: more brush, less house", minimum=0, maximum=HUGE
    )
    tv_weight: float = knob(
        2.5e-7, "weight of total variation: smoother, less grain", minimum=0, maximum=HUGE
    )
    content_layers: tuple[str, ...] = knob(("conv4_2",), "layers whose features are to be kept")
    style_layers: tuple[str, ...] = knob(STYLE_LAYERS, "layers whose Gram matrices are matched")
    style_layer_weights: tuple[float, ...] | None = knob(
        None,
        "a weight for each style layer (default: 1/number of layers each)",
        minimum=0,
        maximum=HUGE,
    )
    iterations: int = knob(500, "number of updates of the picture", minimum=0, maximum=10**9)
    learning_rate: float = knob(
        5.0, "Adam's step, about grey levels an iteration", above=0, maximum=HUGE
    )
    epsilon: float = knob(1e-8, "Adam's epsilon", minimum=1e-37)
    clip: bool = knob(True, "keep the pixels within black and white during the run")

    def __post_init__(self):
        for knob_field in fields(self):
            value = _typed(knob_field, getattr(self, knob_field.name))
            object.__setattr__(self, knob_field.name, value)
            _check_limits(knob_field, value)
        weights = self.style_layer_weights
        if weights is not None and len(weights) != len(self.style_layers):
            raise ConfigError(
                f"`style_layer_weights` has {len(weights)} numbers for {len(self.style_layers)} "
                f"style layers ({' '.join(self.style_layers)}); give one for each"
            )

    def weight_of_style_layers(self):
        """Return w_l by layer name (eq. 5): as given, or one part each."""
        count = len(self.style_layers)
        return dict(zip(self.style_layers, self.style_layer_weights or [1 / count] * count))

    def changed(self, **knobs):
        """Return a copy with some knobs set; an unknown name lists those that exist."""
        known = [knob_field.name for knob_field in fields(self)]
        for name in knobs:
            if name not in known:
                raise ConfigError(f"there is no knob `{name}`; there are {', '.join(known)}")
        return replace(self, **knobs)


@dataclass(frozen=True)
class JobConfig(TransferConfig):
    """A whole job: the pictures, the trunk, the start, and what `style_transfer` takes."""

    content: str | None = knob(None, "the photograph")
    style: str | None = knob(None, "the painting")
    weights: str = knob(
        "auto", "the trunk: a .mat or .h5 of VGG-19 or VGG-16", metavar="auto|embedded|PATH"
    )
    pooling: str = knob("average", "how the trunk's pools combine", choices=("average", "max"))
    size: str | None = knob(
        None, "both sides, or the longer (default: about 640x480 in area)", metavar="WxH|N"
    )
    stretch_style: bool = knob(False, "stretch the style to the result's size and shape")
    resample: str = knob("lanczos", "how pictures are resized", choices=tuple(RESAMPLING))
    noise_ratio: float = knob(0.0, "start from content (0) to noise (1)", minimum=0, maximum=1)
    noise: str = knob("uniform", "gaussian (tutorial 0) or uniform", choices=tuple(NOISE))
    noise_amplitude: float | None = knob(
        None, "in grey levels (default: gaussian 1, uniform 20)", minimum=0, maximum=1000
    )
    save_every: int = knob(50, "iterations between two saved pictures; 0: the last only", minimum=0)
    seed: int = knob(0, "of the noise", minimum=0)
    device: str = knob("auto", "where to compute", choices=("auto", "cpu", "gpu"))

    def transfer(self):
        """Return the part that `style_transfer` takes."""
        names = [knob_field.name for knob_field in fields(TransferConfig)]
        return TransferConfig(**{name: getattr(self, name) for name in names})

    def save(self, path):
        """Write all knobs as JSON."""
        with atomic_file(path) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path):
        """Read what `save` wrote; knobs that are absent keep their defaults."""
        if Path(path).exists() and not Path(path).is_file():
            raise ConfigError(f"{path} is no file; a config.json was expected")
        try:
            knobs = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{path} can't be read: {error.strerror or error}") from None
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{path} is not JSON: {error}") from None
        if not isinstance(knobs, dict):
            raise ConfigError(f"{path} holds no JSON object; expected {{knob: value, ...}}")
        return cls().changed(**knobs)


def _typed(knob_field, value):
    """Bring a value to its field's type (JSON and notebooks give lists and ints), or refuse."""
    kinds = typing.get_args(knob_field.type) if _is_union(knob_field.type) else (knob_field.type,)
    if value is None and type(None) in kinds:
        return None
    kind = kinds[0]
    if typing.get_origin(kind) is tuple:
        return _typed_tuple(knob_field.name, typing.get_args(kind)[0], value)
    return _typed_scalar(knob_field.name, kind, value)


def _is_union(kind):
    return isinstance(kind, types.UnionType)


def _typed_tuple(name, kind, value):
    values = [value] if isinstance(value, str) else value
    values = values.tolist() if isinstance(values, np.ndarray) else values
    if not isinstance(values, (list, tuple)) or not values:
        raise ConfigError(f"`{name}` is {value!r}; a list of at least one was expected")
    values = tuple(_typed_scalar(name, kind, each) for each in values)
    if kind is str and len(set(values)) < len(values):
        raise ConfigError(f"`{name}` names a layer twice: {' '.join(values)}")
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
        if kind is not float or math.isfinite(typed):
            return typed
    raise ConfigError(f"`{name}` is {_short(value)}; {words} was expected")


def _short(value):
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:50]}..."


def _check_limits(knob_field, value):
    name, limits = knob_field.name, knob_field.metadata
    if limits["choices"] and value not in limits["choices"]:
        raise ConfigError(f"`{name}` is {value!r}; choose from {', '.join(limits['choices'])}")
    for number in value if isinstance(value, tuple) else [value]:
        if not isinstance(number, (int, float)):
            continue
        shown = _short(number)
        if limits["minimum"] is not None and number < limits["minimum"]:
            raise ConfigError(f"`{name}` is {shown}; it must be at least {limits['minimum']}")
        if limits["maximum"] is not None and number > limits["maximum"]:
            raise ConfigError(f"`{name}` is {shown}; it must be at most {limits['maximum']}")
        if limits["above"] is not None and number <= limits["above"]:
            raise ConfigError(f"`{name}` is {shown}; it must be above {limits['above']}")
