"""The main job from the command line: ``python -m nst_tf.run CONTENT STYLE``."""

import argparse
import sys
import typing
from contextlib import closing, nullcontext, suppress
from dataclasses import fields
from pathlib import Path

from nst_tf.callbacks import progress
from nst_tf.config import JobConfig
from nst_tf.console import OneLineParser, complain, hushed, interrupt_once
from nst_tf.errors import ConfigError, Interrupted, NstError
from nst_tf.presets import PRESETS

SAMPLES = Path(__file__).resolve().parents[1] / "images"
SAMPLE_PAIR = {
    "content": str(SAMPLES / "content" / "chelsea.jpg"),
    "style": str(SAMPLES / "style" / "night_strokes.jpg"),
}
INTERRUPTED = 130  # what a shell expects after Ctrl-C: 128 + SIGINT


def main(arguments=None):
    """Run the command line; return 0, 2 for bad input, 130 for Ctrl-C."""
    options = vars(make_parser().parse_args(arguments))
    with suppress(AttributeError):  # a notebook's stdout needs no telling
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name may hold any bytes
    try:
        return _run(options)
    except NstError as error:
        return complain(error, 2)
    except Interrupted as stop:
        return complain(stop, INTERRUPTED)
    except KeyboardInterrupt:
        return complain("interrupted before the first iteration; nothing to save", INTERRUPTED)
    except OSError as error:  # a full disk, a folder that vanished
        return complain(f"{error.filename or 'a file'}: {error.strerror or error}", 2)
    except MemoryError:
        return complain("out of memory: make the picture smaller, as in --size 512", 2)


def _run(options):
    output, overwrite = options.pop("output"), options.pop("overwrite")
    quiet = options.pop("quiet")
    config = make_config(options)
    with hushed():  # imported late: bad options are refused in no time
        from nst_tf.jobs import RESULT, run_job
    say = (lambda line: None) if quiet else print
    with nullcontext() if quiet else closing(progress()) as show:
        callbacks = [show] if show else []
        result, folder = run_job(config, output, overwrite=overwrite, callbacks=callbacks, say=say)
    say(f"{result.iterations} iterations in {result.seconds:.0f} s: {folder / RESULT}")
    return 0


def make_config(options):
    """Return the config: the defaults, then a preset or a file, then single knobs."""
    preset, file = options.pop("preset", None), options.pop("config", None)
    content, style = options.get("content"), options.get("style")
    if (content is None) != (style is None):
        raise ConfigError(
            "one picture was given; give CONTENT and STYLE, or neither for the samples"
        )
    if preset is not None and file is not None:
        raise ConfigError("--preset and --config both set all knobs; give one of them")
    if preset is not None and preset not in PRESETS:
        raise ConfigError(f"there is no preset {preset!r}; choose from {', '.join(PRESETS)}")
    if file is None:
        pair = SAMPLE_PAIR if content is None else {}
        config = JobConfig().changed(**pair, **PRESETS.get(preset, {}))
    else:
        config = JobConfig.load(file)
    return config.changed(**{name: value for name, value in options.items() if value is not None})


def make_parser():
    """Return the parser: a flag for each knob of `JobConfig`, and what concerns the run alone."""
    parser = OneLineParser(
        prog="python -m nst_tf.run",
        description="Paint a photograph in the style of a picture (Gatys et al. 2015).",
        epilog="Without CONTENT and STYLE it takes the sample pictures. Layers and weights of "
        "layers may be separated by spaces or commas.",
    )
    parser.add_argument("content", nargs="?", metavar="CONTENT", help="the photograph")
    parser.add_argument("style", nargs="?", metavar="STYLE", help="the painting")
    parser.add_argument("--output", metavar="DIR", help="default: a new folder under output/")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier run in DIR")
    parser.add_argument("--quiet", action="store_true", help="say nothing but errors")
    parser.add_argument("--preset", metavar="NAME", help=f"one of: {', '.join(PRESETS)}")
    parser.add_argument("--config", metavar="FILE", help="repeat the run of a config.json")
    for knob in fields(JobConfig):
        if knob.name not in ("content", "style"):
            _add_knob(parser, knob)
    return parser


def _add_knob(parser, knob):
    flag = "--" + knob.name.replace("_", "-")
    kind = (typing.get_args(knob.type) or (knob.type,))[0] if _optional(knob) else knob.type
    text = knob.metadata["help"].replace("%", "%%")
    if "default" not in text:
        text += f" (default: {_words(knob.default)})"
    if kind is bool:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=text)
    elif typing.get_origin(kind) is tuple:
        each = typing.get_args(kind)[0]
        action = _list_action(each)
        parser.add_argument(flag, nargs="+", action=action, metavar=_metavar(each), help=text)
    else:
        choices = knob.metadata["choices"]
        metavar = knob.metadata["metavar"] or ("|".join(choices) if choices else _metavar(kind))
        parser.add_argument(flag, type=kind, choices=choices, metavar=metavar, help=text)


def _optional(knob):
    return type(None) in typing.get_args(knob.type)


def _metavar(kind):
    return {int: "N", float: "X", str: "NAME"}[kind]


def _words(value):
    return " ".join(map(str, value)) if isinstance(value, tuple) else value


def _list_action(kind):
    """Return an argparse action for lists separated by spaces or commas."""

    class ListAction(argparse.Action):
        def __call__(self, parser, namespace, values, option_string=None):
            parts = [part for value in values for part in value.split(",") if part]
            try:
                setattr(namespace, self.dest, tuple(map(kind, parts)))
            except ValueError:
                parser.error(f"argument {option_string}: {' '.join(values)!r} are not numbers")

    return ListAction


if __name__ == "__main__":
    interrupt_once()
    sys.exit(main())
