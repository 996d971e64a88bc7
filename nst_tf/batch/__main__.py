"""The command line of batches: ``python -m nst_tf.batch JOBS``."""

import sys
from dataclasses import fields

if __name__ == "__main__" and not __package__:  # started by its path
    sys.stderr.write("nst_tf: start it as `python -m nst_tf.batch`\n")
    sys.exit(2)

from nst_tf.batch.lists import pairs, read_jobs
from nst_tf.cli import add_engine, add_knobs, given, pop_ray_options, reported
from nst_tf.config import JobConfig, unknown_knob
from nst_tf.console import OneLineParser, complain, hushed, interrupt_once, print_line
from nst_tf.errors import ConfigError
from nst_tf.jobs.settings import KNOBS, MAKE_STYLE, PICTURES, preset_knobs, value_of
from nst_tf.rundir.scores import SCORES


def main(arguments=None):
    """Run the command line; return 0, 2 for bad input or failed jobs, 130 for Ctrl-C."""
    options = vars(make_parser().parse_intermixed_args(arguments))
    return reported(lambda: _run(given(options)))


def make_parser():
    """Return the parser: the options of a batch and the knobs of `run`, which apply to all jobs."""
    parser = OneLineParser(
        prog="python -m nst_tf.batch",
        usage="%(prog)s [JOBS | --content FILE... --style FILE...] [options]",
        description="Run many jobs: a list, or every photograph with every painting.",
        epilog="All other options are those of nst_tf.run; they apply to every job and override "
        "the list. Exit status: 0; 2 for bad input or a failed job; 130 after Ctrl-C.",
    )
    parser.add_argument("jobs", nargs="?", metavar="JOBS", help="a .toml, .json or .csv list")
    for name, noun in (("content", "photographs"), ("style", "paintings")):
        text = f"{noun}, directories or patterns such as '{noun}/*.jpg'; all pairs are run"
        parser.add_argument(f"--{name}", nargs="+", action="extend", metavar="FILE", help=text)
    parser.add_argument(
        "--set",
        action="append",
        metavar="OPTION=A,B,...",
        help="run each job with each of these values; several --set: all combinations",
    )
    parser.add_argument(
        "--output", metavar="DIR", help="new or empty directory (default: output/batch)"
    )
    parser.add_argument("--resume", metavar="DIR", help="resume the batch in DIR")
    parser.add_argument(
        "--sort", choices=SCORES, help="sort index.html by this number of the score"
    )
    parser.add_argument("--quiet", action="store_true", help="print only errors")
    parser.add_argument("--preset", metavar="NAME", help="as for nst_tf.run")
    parser.add_argument("--config", metavar="FILE", help="as for nst_tf.run")
    add_engine(parser)
    add_knobs(parser, [knob for knob in fields(JobConfig) if knob.name not in PICTURES])
    return parser


def _run(options):
    quiet = options.pop("quiet", False)
    say = None if quiet else print_line
    shown = {"say": say, "sort": options.pop("sort", None)}
    ray_options, resumed = pop_ray_options(options), options.pop("resume", None)
    if resumed is not None and options:
        raise ConfigError(
            f"--resume takes all settings from the batch's directory; omit --{next(iter(options))}"
        )
    output = options.pop("output", None)
    jobs = None if resumed is not None else make_jobs(options, say or (lambda line: None))
    with hushed():  # imported late, so that bad options are rejected at once
        from nst_tf.batch.whole import resume_batch, run_batch
        from nst_tf.jobs.job import DONE
        from nst_tf.jobs.on_ray import ray_engine
    engine = {} if ray_options is None else {"engine": ray_engine(**ray_options)}
    if resumed is not None:
        summary = resume_batch(resumed, **shown, **engine)
    else:
        summary = run_batch(jobs, output, **shown, **engine)
    done = summary.count(DONE)
    failed = len(summary.jobs) - done
    if say:
        say(f"{done} of {len(summary.jobs)} done, {failed} failed: {summary.folder}/index.html")
    elif failed:
        complain(f"{failed} of {len(summary.jobs)} jobs failed: {summary.folder}/summary.csv", 2)
    return 2 if failed else 0


def make_jobs(options, say=print_line):
    """Return the jobs that the options specify."""
    listed, sweeps = options.pop("jobs", None), sweeps_of(options.pop("set", ()))
    pictures = {name: options.pop(name) for name in PICTURES if name in options}
    if (listed is None) == (not pictures):
        raise ConfigError("give either a list of jobs or --content and --style")
    base = base_config(options, say)
    if listed is not None:
        return read_jobs(listed, base=base, over=options, sweeps=sweeps, say=say)
    _check_pictures(pictures, options)
    contents, styles = (pictures.get(name) for name in PICTURES)
    return pairs(contents, styles, base=base, over=options, sweeps=sweeps, say=say)


def _check_pictures(pictures, options):
    """Raise ConfigError unless there are contents, and either styles or options that make one."""
    makes = next((name for name in MAKE_STYLE if name in options), None)
    if makes and "style" in pictures:
        raise ConfigError(f"--{makes} makes the style of all jobs; leave out --style")
    if "content" not in pictures or ("style" not in pictures and not makes):
        raise ConfigError(f"only --{next(iter(pictures))} was given; give --content and --style")


def base_config(options, say):
    """Return the config that all jobs start from: the defaults, a preset or a config file."""
    preset, file = options.pop("preset", None), options.pop("config", None)
    if preset is not None and file is not None:
        raise ConfigError("--preset and --config both set all options; give one of them")
    if file is not None:
        return JobConfig.load(file)
    return JobConfig().changed(
        **preset_knobs(preset, options.get("weights"), say) if preset else {}
    )


def sweeps_of(texts):
    """Return the values of each knob, parsed from texts such as alpha=1,10,100."""
    sweeps = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not values.strip(", "):
            raise ConfigError(
                f"--set {text}: OPTION=VALUE,VALUE,... was expected, as in alpha=1,10"
            )
        if name not in KNOBS:
            raise ConfigError(f"--set {text}: {unknown_knob(name, KNOBS)}")
        if name in sweeps:
            raise ConfigError(f"--set {name} was given twice; give all its values once")
        parts = filter(None, map(str.strip, values.split(",")))
        sweeps[name] = list(dict.fromkeys(value_of(name, part, between=None) for part in parts))
    return sweeps


if __name__ == "__main__":
    interrupt_once()
    sys.exit(main())
