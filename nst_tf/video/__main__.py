"""The command line of films: ``python -m nst_tf.video CLIP STYLE``."""

import sys
from dataclasses import fields

if __name__ == "__main__" and not __package__:  # started by its path
    sys.stderr.write("nst_tf: start it as `python -m nst_tf.video`\n")
    sys.exit(2)

from nst_tf.cli import add_engine, add_knobs, given, pop_ray_options, reported
from nst_tf.config import JobConfig
from nst_tf.console import OneLineParser, hushed, interrupt_once, print_line
from nst_tf.errors import ConfigError
from nst_tf.jobs.settings import PICTURES, preset_knobs
from nst_tf.video.config import NOT_OF_FILMS, OWN, RENAMED, VideoConfig

DEVICE = ("device", "deterministic")


def main(arguments=None):
    """Run the command line; return 0, 2 for bad input, 130 for Ctrl-C."""
    options = vars(make_parser().parse_intermixed_args(arguments))
    return reported(lambda: _run(given(options)))


def make_parser():
    """Return the parser: the options of films, and those of `run` that apply to films."""
    parser = OneLineParser(
        prog="python -m nst_tf.video",
        usage="%(prog)s CLIP STYLE [STYLE ...] [options]",
        description="Paint a film in the style of a picture, without flicker (Ruder et al. 2016).",
        epilog="All other options are those of nst_tf.run. Exit status: 0; 2 for bad input; 130 "
        "after Ctrl-C.",
    )
    parser.add_argument(
        "content", nargs="?", metavar="CLIP", help="a film, or a directory of frames"
    )
    parser.add_argument("style", nargs="*", metavar="STYLE", help="one or more paintings")
    parser.add_argument(
        "--output", metavar="DIR", help="the run directory (default: a new one under output/)"
    )
    parser.add_argument(
        "--overwrite", action="store_true", default=None, help="replace an earlier run in DIR"
    )
    parser.add_argument("--resume", metavar="DIR", help="resume the film in DIR")
    parser.add_argument("--quiet", action="store_true", default=None, help="print only errors")
    parser.add_argument(
        "--preset", metavar="NAME", help="use the settings of a preset, as in nst_tf.run"
    )
    parser.add_argument("--config", metavar="FILE", help="use the settings of a film.json")
    add_engine(parser)
    group = parser.add_argument_group("film")
    for name, flag in RENAMED.items():
        text = VideoConfig.__dataclass_fields__[name].metadata["help"]
        group.add_argument(flag, dest=name, type=float, metavar="SECONDS", help=text)
    add_knobs(group, [knob for knob in OWN if knob.name not in RENAMED])
    left_out = (*PICTURES, *NOT_OF_FILMS, *DEVICE)
    add_knobs(parser, [knob for knob in fields(JobConfig) if knob.name not in left_out])
    group = parser.add_argument_group("run")
    add_knobs(group, [knob for knob in fields(JobConfig) if knob.name in DEVICE])
    return parser


def make_config(options, say=print_line):
    """Return the config: the defaults, overridden by a preset or a file, then by options."""
    preset, file = options.pop("preset", None), options.pop("config", None)
    if preset is not None and file is not None:
        raise ConfigError("--preset and --config both set all options; give one of them")
    if file is not None:
        return VideoConfig.load(file).changed(**options)
    if not {"content", "style"} <= set(options):
        raise ConfigError("give a film and a painting, as in clip.mp4 painting.jpg")
    knobs = preset_knobs(preset, options.get("weights"), say) if preset is not None else {}
    return VideoConfig().changed(**{**knobs, **options})


def _run(options):
    output, overwrite = options.pop("output", None), options.pop("overwrite", False)
    quiet, resumed = options.pop("quiet", False), options.pop("resume", None)
    ray_options = pop_ray_options(options)
    say = (lambda line: None) if quiet else print_line
    if resumed is None:
        config = make_config(options, say)
    elif options or output is not None or overwrite:
        raise ConfigError(
            "--resume takes all settings from the run directory; pass no other options"
        )
    with hushed():  # imported late, so that bad options are rejected at once
        from nst_tf.rundir.layout import FILM_RESULT
        from nst_tf.video.film import resume_film, run_film
    shared = {"say": say, "progress": None if quiet else _show}
    if ray_options is not None:
        from nst_tf.jobs.on_ray import ray_engine
        from nst_tf.video.scenes import do_scene

        shared["engine"] = ray_engine(**ray_options, do=do_scene)
    if resumed is None:
        folder = run_film(config, output, overwrite=overwrite, **shared)
    else:
        folder = resume_film(resumed, **shared)
    film = folder / FILM_RESULT
    say(f"the frames are in {folder}{f', the film is {film}' if film.exists() else ''}")
    return 0


def _show(line):
    print_line(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    interrupt_once()
    sys.exit(main())
