"""Many jobs from the command line: ``python -m nst_tf.batch JOBS``."""

import sys
from dataclasses import fields

from nst_tf.batch.lists import pairs, read_jobs
from nst_tf.cli import add_knobs, given, reported
from nst_tf.config import JobConfig
from nst_tf.console import OneLineParser, complain, hushed, interrupt_once
from nst_tf.errors import ConfigError
from nst_tf.jobs.settings import KNOBS, PICTURES, preset_knobs, value_of

ENGINES = ("here", "ray")
OF_RAY = ("address", "workers", "cpus", "retries")


def main(arguments=None):
    """Run the command line; return 0, 2 for bad input or failed jobs, 130 for Ctrl-C."""
    options = vars(make_parser().parse_intermixed_args(arguments))
    return reported(lambda: _run(given(options)))


def make_parser():
    """Return the parser: what concerns the batch, and the knobs of `run` for all its jobs."""
    parser = OneLineParser(
        prog="python -m nst_tf.batch",
        usage="%(prog)s [JOBS | --content FILE... --style FILE...] [options]",
        description="Do many jobs: from a list, or of each photograph with each painting.",
        epilog="The other options are those of nst_tf.run; they hold for all jobs, whatever the "
        "list says. Exit status: 0; 2 where input was bad or a job failed; 130 after Ctrl-C.",
    )
    parser.add_argument("jobs", nargs="?", metavar="JOBS", help="a .toml, .json or .csv of jobs")
    for name, what in (("content", "photographs"), ("style", "paintings")):
        text = f"{what}, or patterns such as '{what}/*.jpg': all pairs are made"
        parser.add_argument(f"--{name}", nargs="+", action="extend", metavar="FILE", help=text)
    parser.add_argument(
        "--set",
        action="append",
        metavar="KNOB=A,B,...",
        help="do each job with each of these values; several --set: in all combinations",
    )
    parser.add_argument("--output", metavar="DIR", help="new or empty (default: output/batch)")
    parser.add_argument("--resume", metavar="DIR", help="go on with the batch in DIR")
    parser.add_argument("--quiet", action="store_true", help="say nothing but errors")
    parser.add_argument("--preset", metavar="NAME", help="as for nst_tf.run")
    parser.add_argument("--config", metavar="FILE", help="as for nst_tf.run")
    group = parser.add_argument_group("the engine")
    group.add_argument("--engine", choices=ENGINES, help="here: this process (default); or Ray")
    group.add_argument("--address", help="of a Ray cluster; auto: the one of this machine")
    group.add_argument("--workers", type=int, metavar="N", help="at once (default: what fits)")
    group.add_argument("--cpus", type=int, metavar="N", help="of each worker (default: 2)")
    group.add_argument("--retries", type=int, metavar="N", help="when a worker dies (default: 3)")
    add_knobs(parser, [knob for knob in fields(JobConfig) if knob.name not in PICTURES])
    return parser


def _run(options):
    quiet = options.pop("quiet", False)
    say = None if quiet else print
    how = {name: options.pop(name) for name in OF_RAY if name in options}
    kind, resumed = options.pop("engine", "here"), options.pop("resume", None)
    if kind == "here" and how:
        raise ConfigError(f"--{next(iter(how))} belongs to --engine ray")
    if resumed is not None and options:
        raise ConfigError(
            f"--resume takes all settings from the folder; --{next(iter(options))} does not go "
            "with it"
        )
    output = options.pop("output", None)
    jobs = None if resumed is not None else make_jobs(options, say or (lambda line: None))
    with hushed():  # imported late: bad options are refused in no time
        from nst_tf.batch.on_ray import ray_engine
        from nst_tf.batch.whole import resume_batch, run_batch
        from nst_tf.jobs.job import DONE
    engine = {"engine": ray_engine(**how)} if kind == "ray" else {}
    if resumed is not None:
        summary = resume_batch(resumed, say=say, **engine)
    else:
        summary = run_batch(jobs, output, say=say, **engine)
    done = summary.count(DONE)
    failed = len(summary.jobs) - done
    if say:
        say(f"{done} of {len(summary.jobs)} done, {failed} failed: {summary.folder}/index.html")
    elif failed:
        complain(f"{failed} of {len(summary.jobs)} jobs failed: {summary.folder}/summary.csv", 2)
    return 2 if failed else 0


def make_jobs(options, say=print):
    """Return the jobs that the options name."""
    listed, sweeps = options.pop("jobs", None), sweeps_of(options.pop("set", ()))
    pictures = {name: options.pop(name) for name in PICTURES if name in options}
    if (listed is None) == (not pictures):
        raise ConfigError("give a list of jobs, or --content and --style: one of the two")
    base = base_config(options, say)
    if listed is not None:
        return read_jobs(listed, base=base, over=options, sweeps=sweeps)
    if len(pictures) < len(PICTURES):
        raise ConfigError(f"--{next(iter(pictures))} alone was given; give --content and --style")
    return pairs(*(pictures[name] for name in PICTURES), base=base, over=options, sweeps=sweeps)


def base_config(options, say):
    """Return what all jobs begin with: the defaults, a preset, or a config file."""
    preset, file = options.pop("preset", None), options.pop("config", None)
    if preset is not None and file is not None:
        raise ConfigError("--preset and --config both set all knobs; give one of them")
    if file is not None:
        return JobConfig.load(file)
    return JobConfig().changed(
        **preset_knobs(preset, options.get("weights"), say) if preset else {}
    )


def sweeps_of(texts):
    """Return values by knob from texts such as alpha=1,10,100."""
    sweeps = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not values.strip(", "):
            raise ConfigError(f"--set {text}: KNOB=VALUE,VALUE,... was expected, as in alpha=1,10")
        if name not in KNOBS:
            raise ConfigError(f"--set {text}: there is no knob `{name}`; nst_tf.run --help has all")
        if name in sweeps:
            raise ConfigError(f"--set {name} was given twice; put all its values into one")
        parts = filter(None, map(str.strip, values.split(",")))
        sweeps[name] = list(dict.fromkeys(value_of(name, part, between=None) for part in parts))
    return sweeps


if __name__ == "__main__":
    interrupt_once()
    sys.exit(main())
