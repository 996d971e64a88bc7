"""Make a config from a command line or a form."""

from dataclasses import fields
from pathlib import Path

from nst_tf.cli import given
from nst_tf.config import PATHS, JobConfig, exists, kind_of
from nst_tf.console import hushed, print_line
from nst_tf.errors import ConfigError, WeightsError, check_choice
from nst_tf.presets import ON_SQUEEZENET_1_0, PRESETS
from nst_tf.samples import SAMPLE_PAIR, resolve_picture

KNOBS = {knob.name: knob for knob in fields(JobConfig)}
PICTURES = ("content", "style")  # knobs without a flag
MAKE_STYLE = ("fine", "coarse", "analogy")  # in place of a style
SEPARATOR = ";"  # between the values of a list in text
POINT = "."  # the decimal mark of numbers in text
BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# A schedule given with a preset overrides these knobs of the preset with its own.
SCHEDULES_OWN = {"learning_rate": None, "decay": None, "optimizer": None, "clip": True}


def make_config(options, say=print_line):
    """Return the config: defaults, overridden by a preset or file, then by single knobs."""
    preset, file = options.pop("preset", None), options.pop("config", None)
    options = given(options)
    mixed = "fine" in options or "coarse" in options
    if ("content" in options) != bool({"style", "analogy"} & set(options)) and not mixed:
        raise ConfigError(
            "one picture was given; give CONTENT and STYLE, or neither for the samples"
            if "analogy" not in options
            else "an analogy needs CONTENT, the picture that it is applied to"
        )
    if preset is not None and file is not None:
        raise ConfigError("--preset and --config both set all options; give one of them")
    if file is not None:
        config = JobConfig.load(file).changed(**_without_other_style(options, mixed))
        _check_found(config, file)
        return config
    pair = {} if "content" in options else SAMPLE_PAIR
    pair = {name: pictures for name, pictures in pair.items() if not (mixed and name == "style")}
    knobs = preset_knobs(preset, options.get("weights"), say) if preset is not None else {}
    if knobs and options.get("schedule", "tutorial") != "tutorial":
        knobs = {**knobs, **SCHEDULES_OWN}
    return JobConfig().changed(**{**pair, **knobs, **options})


def _without_other_style(options, mixed):
    """Return options for a saved config: those of a style replace the other kind of style."""
    if mixed:
        return {"style": None, "analogy": None, **options}
    if "style" in options:
        return {"fine": None, "coarse": None, "analogy": None, **options}
    return {"fine": None, "coarse": None, **options} if "analogy" in options else options


def _check_found(config, file):
    """Raise ConfigError if a file that a result.png names was not found."""
    if Path(file).suffix.lower() != ".png":
        return
    flags = dict.fromkeys(PICTURES, "CONTENT STYLE")
    for knob in PATHS:
        missing = [path for path in config.paths([knob]) if not exists(resolve_picture(path))]
        if missing:
            raise ConfigError(
                f"{file} holds the names of its files without their directories, and {missing[0]} "
                "is neither in the current directory nor next to it: give it as "
                f"{flags.get(knob, f'--{knob}'.replace('_', '-'))}"
            )


def preset_knobs(name, weights, say=print_line):
    """Return the knobs of a preset; if it needs a missing SqueezeNet, those for its replacement.

    Parameters
    ----------
    name : str
    weights : str or None
        Value of --weights.
    """
    preset = PRESETS[check_choice("preset", name, PRESETS)]
    version = _squeezenet_version(weights) if preset.on_vgg else None
    if not preset.on_vgg or version == "v1.1":
        return preset.knobs
    if version == "v1.0":
        say(f"{name} is made for SqueezeNet 1.1: applying its settings to a normalized 1.0")
        return {**preset.knobs, **ON_SQUEEZENET_1_0}
    say(
        f"{name} is made for SqueezeNet 1.1{'' if weights else ', which is missing'}: "
        "applying its settings to a normalized VGG, which gives a different picture"
    )
    return {**preset.knobs, **preset.on_vgg}


def _squeezenet_version(weights):
    """Return the version of the SqueezeNet in --weights or on the default path, or None."""
    with hushed():
        from nst_tf.models import find_squeezenet_weights, squeezenet_version, weights_family
    if weights is not None:
        return squeezenet_version(weights) if weights_family(weights) == "squeezenet" else None
    try:
        return squeezenet_version(find_squeezenet_weights())
    except WeightsError:
        return None


def value_of(name, text, between=SEPARATOR, decimal=POINT, knobs=KNOBS):
    """Convert a text to the type of a knob, without checking the limits of the knob.

    Parameters
    ----------
    name : str
        Of the knob; the text of another name is returned unchanged.
    text : str
    between : str or None
        Separates the values of a list; None: whitespace.
    decimal : str
        Decimal mark of numbers, in addition to the point.
    knobs : dict
        Fields of a config by name.

    Raises
    ------
    ConfigError
        The text is no value of the type.
    """
    if name not in knobs:
        return text
    kind, is_list = kind_of(knobs[name])
    if is_list:
        parts = [part.strip() for part in text.split(between)]
        return tuple(_scalar(name, kind, part, decimal) for part in parts if part)
    return _scalar(name, kind, text, decimal)


def _scalar(name, kind, text, decimal):
    try:
        if kind is float:
            return float(text.replace(decimal, POINT))
        return BOOLEANS[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        expected = {int: "a whole number", float: "a number", bool: "true or false"}[kind]
        raise ConfigError(f"`{name}` is {text!r:.60}; {expected} was expected") from None
