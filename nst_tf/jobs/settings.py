"""From a command line or a form to a config."""

import typing
from dataclasses import fields

from nst_tf.cli import given
from nst_tf.config import JobConfig
from nst_tf.console import hushed
from nst_tf.errors import ConfigError, WeightsError, check_choice
from nst_tf.presets import ON_SQUEEZENET_1_0, PRESETS
from nst_tf.samples import SAMPLE_PAIR

KNOBS = {knob.name: knob for knob in fields(JobConfig)}
PICTURES = ("content", "style")  # the knobs that are no flags
BETWEEN = ";"  # in a text, between the values of a knob that takes several
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# What a schedule decides for itself when it is given beside a preset, which has its own.
SCHEDULES_OWN = {"learning_rate": None, "decay": None, "optimizer": None, "clip": True}


def make_config(options, say=print):
    """Return the config: the defaults, then a preset or a file, then single knobs."""
    preset, file = options.pop("preset", None), options.pop("config", None)
    options = given(options)
    if ("content" in options) != ("style" in options):
        raise ConfigError(
            "one picture was given; give CONTENT and STYLE, or neither for the samples"
        )
    if preset is not None and file is not None:
        raise ConfigError("--preset and --config both set all knobs; give one of them")
    if file is not None:
        return JobConfig.load(file).changed(**options)
    pair = {} if "content" in options else SAMPLE_PAIR
    knobs = preset_knobs(preset, options.get("weights"), say) if preset is not None else {}
    if knobs and options.get("schedule", "tutorial") != "tutorial":
        knobs = {**knobs, **SCHEDULES_OWN}
    return JobConfig().changed(**{**pair, **knobs, **options})


def preset_knobs(name, weights, say=print):
    """Return the knobs of a preset; for SqueezeNet's, those that stand in where it is missing.

    Parameters
    ----------
    name : str
    weights : str or None
        What --weights says.
    """
    preset = PRESETS[check_choice("preset", name, PRESETS)]
    version = _squeezenet_version(weights) if preset.on_vgg else None
    if not preset.on_vgg or version == "v1.1":
        return preset.knobs
    if version == "v1.0":
        say(f"{name} is made for SqueezeNet 1.1: its numbers are put on a normalised 1.0")
        return {**preset.knobs, **ON_SQUEEZENET_1_0}
    say(
        f"{name} is made for SqueezeNet 1.1{'' if weights else ', whose file is not here'}: its "
        "numbers are put on a normalised VGG, which gives another picture"
    )
    return {**preset.knobs, **preset.on_vgg}


def _squeezenet_version(weights):
    """Return which SqueezeNet --weights names, or lies where weights are looked for, or None."""
    with hushed():
        from nst_tf.models import find_squeezenet_weights, squeezenet_version, weights_family
    if weights is not None:
        return squeezenet_version(weights) if weights_family(weights) == "squeezenet" else None
    try:
        return squeezenet_version(find_squeezenet_weights())
    except WeightsError:
        return None


def value_of(name, text, between=BETWEEN):
    """Return a text as what the knob of that name takes; it may yet be out of its limits."""
    if name not in KNOBS:
        return text
    kind = KNOBS[name].type
    kinds = typing.get_args(kind) if type(None) in typing.get_args(kind) else (kind,)
    if typing.get_origin(kinds[0]) is tuple:
        each = typing.get_args(kinds[0])[0]
        parts = [part.strip() for part in text.split(between)]
        return tuple(_scalar(name, each, part) for part in parts if part)
    return _scalar(name, kinds[0], text)


def _scalar(name, kind, text):
    try:
        return TRUTH[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        words = {int: "a whole number", float: "a number", bool: "true or false"}[kind]
        raise ConfigError(f"`{name}` is {text!r:.60}; {words} was expected") from None
