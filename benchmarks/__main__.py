"""`python -m benchmarks`: measure, show, hold against the bars.

Each program that is timed has a process of its own and stays alive, so that tracing and
compilation are over before the first round; rounds go from program to program, and only one
computes at a time. A time is a median over rounds; a ratio is the median of the rounds' ratios,
in which a machine's slow drifts cancel. Nothing else should run meanwhile.
"""

import argparse
import json
import re
import sys
from pathlib import Path

from benchmarks.parts import ON, PARTS
from benchmarks.parts.long_day import LONG_DAY
from benchmarks.parts.schedule import BUDGETS, PAIRS, STARTS
from benchmarks.parts.sizes import WIDTHS
from benchmarks.place import OUTPUT
from benchmarks.report import failed, machine, table, verdict

IDLE = 0.3  # of a core: a machine with more to do measures something else
# Small and short: whether everything works, not how fast.
QUICK = {
    "size": "96x64",
    "rounds": 2,
    "iterations": 1,
    "schedule_size": "64x48",
    "pairs": list(PAIRS[:2]),
    "tutorial_iterations": 10,
    "estimate_iterations": 2,
    "budgets": [5, 10],
    "widths": [128, 256],
    "size_rounds": 2,
    "estimated_sizes": ["64"],
    "estimated_iterations": 10,
    "estimated_rounds": 1,
    "method_size": "96",
    "batch_size": "48",
    "batch_iterations": 2,
    "batch_rounds": 1,
    "long_day": [4, 3, 3],
    "gpu_sizes": ["48x48"],
    "gpu_iterations": 2,
    "gpu_job": ["--size", "48", "--iterations", "4"],
}
GPU_JOB = ["--iterations", "500"]


def main():
    """Measure the parts asked for; return 1 if a strict one has missed a bar."""
    options = read_options()
    about = machine()
    print(json.dumps(about, indent=2))
    if about["load"] and about["load"] > IDLE:
        print(
            f"WARNING: the load is {about['load']:.1f} already; programs suffer from it unequally"
        )
    parts = []
    for name in options.only:
        parts.append(PARTS[name](options))
        print("\n".join(table(parts[-1])), flush=True)
        write(options, about, parts)  # after each, so that nothing is lost
    print(verdict(parts))
    print(f"all rounds: {options.json}")
    return int(failed(parts))


def write(options, about, parts):
    """Write what was measured so far."""
    given = {name: str(value) for name, value in vars(options).items()}
    found = {part.name: part.as_json() for part in parts}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": about, "options": given, "parts": found}, indent=1)
    options.json.write_text(text + "\n", encoding="utf-8")


def read_options():
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only",
        type=_parts,
        metavar=",".join(PARTS),
        help="(default: all that need the device)",
    )
    parser.add_argument("--device", choices=ON, default="cpu", help="(default: cpu)")
    parser.add_argument("--quick", action="store_true", help="tiny: whether it works")
    parser.add_argument("--json", type=Path, default=OUTPUT / "results.json", metavar="FILE")
    _add_iteration_options(parser)
    _add_schedule_options(parser)
    _add_other_options(parser)
    _add_gpu_options(parser)
    if parser.parse_known_args()[0].quick:
        parser.set_defaults(**QUICK)
    options = parser.parse_args()
    options.only = options.only or ON[options.device]
    if options.peers_python and not Path(options.peers_python).is_file():
        parser.error(f"--peers-python: there is no {options.peers_python}")
    return options


def _add_iteration_options(parser):
    group = parser.add_argument_group("iteration, peers, loading")
    group.add_argument("--size", default="640x480", metavar="WxH")
    group.add_argument("--rounds", type=int, default=7, metavar="N")
    group.add_argument("--iterations", type=int, default=3, metavar="N", help="in a round")
    group.add_argument(
        "--peers-python",
        metavar="PYTHON",
        help="of an environment that has the peers (default: benchmarks/.venv, made if need be)",
    )


def _add_schedule_options(parser):
    group = parser.add_argument_group("schedule")
    group.add_argument("--schedule-size", default="320x240", metavar="WxH")
    group.add_argument("--pairs", nargs="+", default=list(PAIRS), metavar="CONTENT:STYLE")
    group.add_argument("--starts", nargs="+", default=list(STARTS), choices=list(STARTS))
    group.add_argument("--tutorial-iterations", type=int, default=500, metavar="N")
    group.add_argument(
        "--estimate-tutorial",
        action="store_true",
        help="time rounds of it instead of all; its loss then comes from a mixed run",
    )
    group.add_argument("--estimate-iterations", type=int, default=20, metavar="N", help="a round")
    group.add_argument(
        "--budgets",
        nargs="+",
        type=int,
        default=list(BUDGETS),
        metavar="N",
        help="iterations of the fast schedule, tried in turn until the loss is the tutorial's",
    )


def _add_other_options(parser):
    group = parser.add_argument_group("sizes, methods, batch, long_day, look")
    group.add_argument("--method-size", default="512", metavar="N", help="longer side")
    group.add_argument("--batch-size", default="128", metavar="N")
    group.add_argument("--batch-iterations", type=int, default=60, metavar="N")
    group.add_argument("--batch-rounds", type=int, default=3, metavar="N")
    group.add_argument("--widths", nargs="+", type=int, default=list(WIDTHS), metavar="W")
    group.add_argument("--size-rounds", type=int, default=3, metavar="N")
    group.add_argument("--memory-limit", type=float, default=6.0, metavar="GIB")
    group.add_argument(
        "--long-day",
        nargs=3,
        type=int,
        default=list(LONG_DAY),
        metavar="N",
        help="runs of style_transfer, of a batch and of the page in the part long_day",
    )
    group.add_argument("--estimated-sizes", nargs="+", default=["128", "320", "640"], metavar="N")
    group.add_argument("--estimated-iterations", type=int, default=200, metavar="N")
    group.add_argument("--estimated-rounds", type=int, default=3, metavar="N")
    group.add_argument("--pictures", nargs="+", type=Path, default=[], metavar="FILE")
    group.add_argument("--painting", type=Path, metavar="FILE", help="their style, for speckle")


def _add_gpu_options(parser):
    group = parser.add_argument_group("gpu")
    sizes = ["640x480", "1920x1080", "3840x2160"]
    group.add_argument("--gpu-sizes", nargs="+", type=_size, default=sizes, metavar="WxH")
    group.add_argument(
        "--gpu-iterations", type=_some, default=200, metavar="N", help="of a run, at least 4"
    )
    parser.set_defaults(gpu_job=GPU_JOB)


def _size(text):
    """Check a size such as "640x480", of 32 pixels at least."""
    if not re.fullmatch(r"\d+x\d+", text) or min(map(int, text.split("x"))) < 32:
        raise argparse.ArgumentTypeError(f"{text!r} is no WxH of 32 pixels or more")
    return text


def _some(text):
    """Read a number of iterations, of which half is timed."""
    number = int(text)
    if number < 4:
        raise argparse.ArgumentTypeError(f"{number} is too few")
    return number


def _parts(text):
    """Read a list such as "iteration,peers"."""
    names = text.split(",")
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}"
        )
    return names


if __name__ == "__main__":
    sys.exit(main())
