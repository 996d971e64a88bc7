"""The main job from the command line: ``python -m nst_tf.run CONTENT STYLE``."""

import sys
import textwrap
from contextlib import closing, nullcontext
from dataclasses import fields

from nst_tf import __version__
from nst_tf.callbacks import progress
from nst_tf.cli import add_knobs, given, reported
from nst_tf.config import JobConfig
from nst_tf.console import OneLineParser, hushed, interrupt_once
from nst_tf.errors import ConfigError
from nst_tf.jobs.settings import PICTURES, make_config
from nst_tf.presets import PRESETS
from nst_tf.samples import BY_NAME


def command():
    """Run the program: `python -m nst_tf.run`, `python -m nst_tf` and `nst-tf`."""
    interrupt_once()
    sys.exit(main())


def main(arguments=None):
    """Run the command line; return 0, 2 for bad input, 130 for Ctrl-C."""
    options = vars(make_parser().parse_intermixed_args(arguments))
    return reported(lambda: _run(options))


def _run(options):
    if options.pop("list_presets"):
        return list_presets()
    output, overwrite = options.pop("output"), options.pop("overwrite")
    quiet, resumed = options.pop("quiet"), options.pop("resume")
    say = (lambda line: None) if quiet else print
    if resumed is None:
        config = make_config(options, say)
    elif given(options) or output is not None or overwrite:
        raise ConfigError("--resume takes all settings from the folder; give nothing else with it")
    with hushed():  # imported late: bad options are refused in no time
        from nst_tf.jobs.resume import resume_job
        from nst_tf.jobs.run import run_job
        from nst_tf.rundir.layout import REPORT, RESULT
    with nullcontext() if quiet else closing(progress()) as show:
        how = {"callbacks": [show] if show else [], "say": say}
        if resumed is None:
            result, folder = run_job(config, output, overwrite=overwrite, **how)
        else:
            result, folder = resume_job(resumed, **how)
    if result is None:
        return 0
    if result.converged:
        say(f"converged at {result.iterations}: no step goes further downhill")
    took = f"{result.iterations} iterations in {result.seconds:.0f} s"
    say(f"{took}: {folder / RESULT}, shown in {folder / REPORT}")
    return 0


def list_presets():
    """Print the presets: name, source, what to expect, where the source errs."""
    for name, preset in PRESETS.items():
        print(name)
        lines = [preset.source, preset.expect, f"Errs: {preset.errs}" if preset.errs else ""]
        for line in filter(None, lines):
            print(textwrap.fill(f"{line}.", 96, initial_indent="  ", subsequent_indent="    "))
    sys.stdout.flush()  # a closed pipe is told here
    return 0


def make_parser():
    """Return the parser: a flag for each knob of `JobConfig`, and what concerns the run alone."""
    parser = OneLineParser(
        prog="python -m nst_tf.run",
        usage="%(prog)s [CONTENT STYLE [STYLE ...]] [options]",
        description="Paint a photograph in the style of a picture (Gatys et al. 2015).",
        epilog="Without CONTENT and STYLE it paints the sample pair. Samples can be given by name: "
        f"{', '.join(BY_NAME)}. Layers and weights of layers may be separated by spaces or commas.",
    )
    version = {"version": f"nst_tf {__version__}", "help": "print the version and exit"}
    parser.add_argument("--version", action="version", **version)
    parser.add_argument("content", nargs="?", metavar="CONTENT", help="the photograph")
    parser.add_argument("style", nargs="*", metavar="STYLE", help="the painting, or several")
    parser.add_argument("--output", metavar="DIR", help="default: a new folder under output/")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier run in DIR")
    parser.add_argument("--resume", metavar="DIR", help="go on with the run in DIR; see --output")
    parser.add_argument("--quiet", action="store_true", help="say nothing but errors")
    parser.add_argument("--preset", metavar="NAME", help=f"one of: {', '.join(PRESETS)}")
    parser.add_argument("--list-presets", action="store_true", help="say what they are, and end")
    parser.add_argument("--config", metavar="FILE", help="repeat the run of a config.json")
    add_knobs(parser, [knob for knob in fields(JobConfig) if knob.name not in PICTURES])
    return parser


if __name__ == "__main__":
    command()
