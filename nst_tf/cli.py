"""What the command lines share: flags made from knobs, and how they end."""

import argparse
import os
import sys
import typing
from contextlib import suppress
from errno import ENOSPC

from nst_tf.console import complain, interrupted_status
from nst_tf.errors import Interrupted, NstError

# The headings of --help: the knob that each stands before, in the order of the fields.
HEADINGS = {
    "alpha": "what is kept and matched",
    "optimizer": "how it is minimised",
    "style_weights": "several styles, masks, colours",
    "weights": "the network",
    "size": "sizes",
    "init": "the start",
    "save_every": "the run",
}
PIPE_CLOSED = 141  # what a shell expects after a closed pipe: 128 + SIGPIPE


def reported(work):
    """Do the work and return its status; what the user can mend becomes one line and 2."""
    with suppress(AttributeError):  # a notebook's stdout needs no telling
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name may hold any bytes
    try:
        return work()
    except NstError as error:
        return complain(error, 2)
    except Interrupted as stop:
        return complain(stop, interrupted_status())
    except KeyboardInterrupt:
        return complain(
            "interrupted before the first iteration; nothing to save", interrupted_status()
        )
    except BrokenPipeError:  # `| head` has seen enough; Python must not try again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:  # a full disk, a folder that vanished
        advice = "; make room, then go on with --resume FOLDER" if error.errno == ENOSPC else ""
        return complain(f"{error.filename or 'a file'}: {error.strerror or error}{advice}", 2)
    except MemoryError:
        return complain("out of memory: make the picture smaller, as in --size 512", 2)


def given(options):
    """Return the options that were given: argparse leaves None or an empty list for others."""
    return {name: value for name, value in options.items() if value is not None and value != []}


def add_knobs(parser, knobs):
    """Add a flag for each field of `JobConfig`, under headings."""
    group = parser
    for knob in knobs:
        if knob.name in HEADINGS:
            group = parser.add_argument_group(HEADINGS[knob.name])
        add_knob(group, knob)


def add_knob(parser, knob):
    """Add the flag of a field of `JobConfig`: its name, kind, choices, help and default."""
    flag = "--" + knob.name.replace("_", "-")
    kind = (typing.get_args(knob.type) or (knob.type,))[0] if _optional(knob) else knob.type
    text = knob.metadata["help"].replace("%", "%%")
    if "default" not in text and knob.default is not None:
        text += f" (default: {_words(knob.default)})"
    if kind is bool:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=text)
    elif typing.get_origin(kind) is tuple:
        each = typing.get_args(kind)[0]
        # Commas separate names and numbers; a file's name may hold one.
        action = list_action(each, separator=None if knob.metadata["metavar"] else ",")
        metavar = knob.metadata["metavar"] or _metavar(each)
        parser.add_argument(flag, nargs="+", action=action, metavar=metavar, help=text)
    else:
        choices = knob.metadata["choices"]
        choices = choices and tuple(choices)
        metavar = knob.metadata["metavar"] or ("|".join(choices) if choices else _metavar(kind))
        parser.add_argument(flag, type=kind, choices=choices, metavar=metavar, help=text)


def _optional(knob):
    return type(None) in typing.get_args(knob.type)


def _metavar(kind):
    return {int: "N", float: "X", str: "NAME"}[kind]


def _words(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, tuple) else value


def list_action(kind, separator=","):
    """Return an argparse action for lists, separated by spaces and by `separator`."""

    class ListAction(argparse.Action):
        def __call__(self, parser, namespace, values, option_string=None):
            parts = values
            if separator:
                parts = [part for value in values for part in value.split(separator) if part]
            try:
                setattr(namespace, self.dest, tuple(map(kind, parts)))
            except ValueError:
                parser.error(f"argument {option_string}: {' '.join(values)!r} are not numbers")

    return ListAction
