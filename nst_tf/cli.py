"""Shared parts of the command lines: flags made from knobs, and exit statuses."""

import argparse
import os
import sys
from contextlib import suppress
from errno import ENOSPC

from nst_tf.config import kind_of, value_text
from nst_tf.console import complain, interrupted_status, open_closed_streams
from nst_tf.errors import ConfigError, Interrupted, NstError
from nst_tf.requirements import lacks

# Headings of --help, by the first knob under each, in the order of the fields.
HEADINGS = {
    "alpha": "losses",
    "optimizer": "optimization",
    "style_weights": "styles, masks and colors",
    "weights": "network",
    "size": "sizes",
    "init": "initial image",
    "rescale": "result",
    "save_every": "run",
}
METAVARS = {int: "N", float: "X", str: "NAME"}  # type of a knob -> its value in --help
RAY_OPTIONS = ("address", "workers", "cpus", "retries")
PIPE_CLOSED = 141  # exit status after a closed pipe: 128 + SIGPIPE


def reported(work):
    """Call `work` and return its status; print errors that the user can fix on one line."""
    open_closed_streams()
    with suppress(AttributeError):  # the stdout of a notebook has no `reconfigure`
        sys.stdout.reconfigure(errors="backslashreplace")  # a file name may contain any bytes
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
    except BrokenPipeError:  # as by `| head`; Python must not flush again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:  # such as a full disk or a deleted directory
        advice = (
            "; free some space, then continue with --resume DIR" if error.errno == ENOSPC else ""
        )
        return complain(f"{error.filename or 'a file'}: {error.strerror or error}{advice}", 2)
    except ModuleNotFoundError as error:
        if not error.name or error.name.startswith("nst_tf"):  # a bug
            raise
        return complain(lacks([error.name]), 2)
    except MemoryError:
        return complain("out of memory: make the picture smaller, as in --size 512", 2)


def given(options):
    """Return the options that were given; argparse sets others to None or an empty list."""
    return {name: value for name, value in options.items() if value is not None and value != []}


def add_knobs(parser, knobs):
    """Add a flag for each given field of `JobConfig`, under headings."""
    group = parser
    for knob in knobs:
        if knob.name in HEADINGS:
            group = parser.add_argument_group(HEADINGS[knob.name])
        add_knob(group, knob)


def add_knob(parser, knob):
    """Add the flag of a field of `JobConfig`, with its type, choices, help and default."""
    flag = "--" + knob.name.replace("_", "-")
    kind, is_list = kind_of(knob)
    text = knob.metadata["help"].replace("%", "%%")
    if "default" not in text and knob.default is not None:
        default = "yes" if knob.default is True else "no" if knob.default is False else knob.default
        text += f" (default: {value_text(default)})"
    if kind is bool:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=text)
    elif is_list:
        metavar = knob.metadata["metavar"]
        # Commas separate names and numbers, but may be part of a file name.
        action = list_action(kind, separator=None if metavar else ",")
        count = len(metavar) if isinstance(metavar, tuple) else "+"
        metavar = metavar or METAVARS[kind]
        parser.add_argument(flag, nargs=count, action=action, metavar=metavar, help=text)
    else:
        choices = knob.metadata["choices"]
        choices = choices and tuple(choices)
        metavar = knob.metadata["metavar"] or (
            "|".join(map(str, choices)) if choices else METAVARS[kind]
        )
        parser.add_argument(flag, type=kind, choices=choices, metavar=metavar, help=text)


def add_engine(parser):
    """Add the options of where jobs are run: in this process, or on a Ray cluster."""
    group = parser.add_argument_group("engine")
    text = "here (this process; default) or ray"
    group.add_argument("--engine", choices=("here", "ray"), help=text)
    group.add_argument("--address", help="Ray cluster; auto: the cluster of this machine")
    group.add_argument("--workers", type=int, metavar="N", help="how many (default: all that fit)")
    group.add_argument("--cpus", type=int, metavar="N", help="CPUs per worker (default: 2)")
    group.add_argument(
        "--retries", type=int, metavar="N", help="retries after a worker dies (default: 3)"
    )


def pop_ray_options(options):
    """Remove the options of `add_engine`; return those of `ray_engine`, or None for here."""
    ray_options = {name: options.pop(name) for name in RAY_OPTIONS if name in options}
    if options.pop("engine", "here") == "ray":
        return ray_options
    if ray_options:
        raise ConfigError(f"--{next(iter(ray_options))} requires --engine ray")
    return None


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
