"""Style transfer from the command line: ``python -m nst_tf.run CONTENT STYLE``."""

import sys
import textwrap
from contextlib import closing, nullcontext
from dataclasses import fields

if __name__ == "__main__" and not __package__:  # started by its path
    sys.stderr.write("nst_tf: start it as `python -m nst_tf.run`\n")
    sys.exit(2)

from nst_tf import __version__
from nst_tf.callbacks import progress
from nst_tf.cli import add_knobs, given, reported
from nst_tf.config import WINDOW, JobConfig
from nst_tf.console import OneLineParser, hushed, interrupt_once, print_line
from nst_tf.errors import ConfigError
from nst_tf.jobs.settings import PICTURES, make_config
from nst_tf.presets import PRESETS
from nst_tf.samples import BY_NAME


def command():
    """Run the command `python -m nst_tf.run`, `python -m nst_tf` and `nst-tf`."""
    interrupt_once()
    sys.exit(main())


def main(arguments=None):
    """Run the command line; return 0, 2 for bad input, 130 for Ctrl-C."""
    options = vars(make_parser().parse_intermixed_args(arguments))
    return reported(lambda: _run(options))


def _run(options):
    if options.pop("list_presets"):
        return list_presets()
    if options.pop("list_samples"):
        return list_samples()
    output, overwrite = options.pop("output"), options.pop("overwrite")
    quiet, resumed = options.pop("quiet"), options.pop("resume")
    every = options.pop("print_every")
    if every is not None and every < 0:
        raise ConfigError(f"--print-every is {every}; it must be at least 0")
    say = (lambda line: None) if quiet else print_line
    if resumed is None:
        config = make_config(options, say)
    elif given(options) or output is not None or overwrite:
        raise ConfigError(
            "--resume takes all settings from the run directory; pass no other options"
        )
    with hushed():  # imported late, so that bad options are rejected at once
        from nst_tf.jobs.resume import resume_job
        from nst_tf.jobs.run import run_job
        from nst_tf.rundir.journal import recorded_picture
        from nst_tf.rundir.layout import REPORT
        from nst_tf.rundir.record import read_record
    with nullcontext() if quiet or every == 0 else closing(shown_progress(every)) as show:
        shared = {"callbacks": [show] if show else [], "say": say}
        if resumed is None:
            result, folder = run_job(config, output, overwrite=overwrite, **shared)
        else:
            result, folder = resume_job(resumed, **shared)
    if result is None:
        return 0
    if result.converged:
        say(how_early(result))
    if result.best is not None:
        say(f"the result is the picture of iteration {result.best}, the lowest loss at full size")
    cost = f"{result.iterations} iterations in {result.seconds:.0f} s"
    record = read_record(folder)
    say(f"{cost}: {recorded_picture(folder) or record.result}, report: {folder / REPORT}")
    for warning in record.warnings:
        say(f"warning: {warning}")
    return 0


def shown_progress(every):
    """Return the callback that shows progress: lines if `every` is given, else as it fits."""
    return progress() if every is None else progress(every, bar=False)


def list_samples():
    """Print the names of the sample pictures and their files."""
    for name, path in BY_NAME.items():
        print_line(f"{name:15} {path}")
    sys.stdout.flush()  # raises here if the pipe is closed
    return 0


def how_early(result):
    """Return when and why a run ended before its iterations were used up, as text."""
    if result.config.min_improvement:
        return (
            f"ended at {result.iterations}: the loss fell by less than "
            f"{result.config.min_improvement:g} % in {WINDOW} iterations"
        )
    return f"converged at {result.iterations}: no step reduces the loss further"


def list_presets():
    """Print the name, source, expected look and known errors of each preset."""
    for name, preset in PRESETS.items():
        print(name)
        lines = [
            preset.source,
            preset.expect,
            f"Known errors: {preset.errs}" if preset.errs else "",
        ]
        for line in filter(None, lines):
            print(textwrap.fill(f"{line}.", 96, initial_indent="  ", subsequent_indent="    "))
    sys.stdout.flush()  # raises here if the pipe is closed
    return 0


def make_parser():
    """Return the parser: a flag for each knob of `JobConfig`, and options of the run."""
    parser = OneLineParser(
        prog="python -m nst_tf.run",
        usage="%(prog)s [CONTENT STYLE [STYLE ...]] [options]",
        description="Paint a photograph in the style of a painting (Gatys et al. 2015).",
        epilog="Without CONTENT and STYLE, the sample pair is used. Samples can be given by name: "
        f"{', '.join(BY_NAME)}. Layers and layer weights may be separated by spaces or commas.",
    )
    version = {"version": f"nst_tf {__version__}", "help": "print the version and exit"}
    parser.add_argument("--version", action="version", **version)
    parser.add_argument("content", nargs="?", metavar="CONTENT", help="the photograph")
    parser.add_argument(
        "style", nargs="*", metavar="STYLE", help="one or more paintings, or directories of them"
    )
    parser.add_argument(
        "--output",
        metavar="DIR|FILE",
        help="the run directory (default: a new one under output/), or a picture file for the "
        "result: .png, .jpg, .webp or .tif",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace an earlier run in DIR, or FILE"
    )
    parser.add_argument("--resume", metavar="DIR", help="resume the run in DIR")
    parser.add_argument("--quiet", action="store_true", help="print only errors")
    parser.add_argument(
        "--print-every",
        type=int,
        metavar="N",
        help="print a line of progress every N iterations, also on a terminal; 0: none (default: "
        "a progress bar on a terminal, otherwise a line every 50 iterations)",
    )
    parser.add_argument(
        "--list-samples", action="store_true", help="list the sample pictures and exit"
    )
    parser.add_argument("--preset", metavar="NAME", help=f"one of: {', '.join(PRESETS)}")
    parser.add_argument("--list-presets", action="store_true", help="list the presets and exit")
    parser.add_argument(
        "--config", metavar="FILE", help="repeat the run of a config.json or result.png"
    )
    add_knobs(parser, [knob for knob in fields(JobConfig) if knob.name not in PICTURES])
    return parser


if __name__ == "__main__":
    command()
