"""How long small and medium runs take beside what is told before them."""

import math
import statistics

from benchmarks import bars
from benchmarks.parts.common import CONTENT, STYLE
from benchmarks.report import Part
from benchmarks.workers import Worker, WorkerFailed

PROGRAM = "benchmarks.programs.estimate"
TUTORIAL = {"preset": "devos"}
JOBS = {  # name -> settings beside size and iterations, and the iterations' fraction
    "default": ({}, 1.0),
    "default, float32": ({"precision": "float32"}, 0.5),
    "tutorial, float32": (TUTORIAL, 0.2),
    "tutorial, mixed": ({**TUTORIAL, "precision": "mixed"}, 0.2),
    "SciPy's L-BFGS": ({"optimizer": "lbfgs"}, 0.2),
    "Wasserstein": ({"method": "wasserstein"}, 0.2),
}


def measure(options):
    """Run each job in a new process, as a user does; a round goes from job to job."""
    part = Part("estimate", "seconds that were told before a run, and that it took")
    jobs = {
        f"{name}, {size}": {
            "size": size,
            "iterations": max(round(fraction * options.estimated_iterations), 4),
            **knobs,
        }
        for size in options.estimated_sizes
        for name, (knobs, fraction) in JOBS.items()
    }
    for _ in range(options.estimated_rounds):
        for name, job in jobs.items():
            _run(part, name, job)
    for name, runs in part.raw.items():
        _add(part, name, runs)
    if part.raw:
        _add_worst(part)
    return part


def _run(part, name, job):
    given = {"content": CONTENT, "style": [STYLE]}
    try:
        with Worker("estimate", PROGRAM, given) as worker:
            worker.ready()
            part.raw.setdefault(name, []).append(worker.ask(**job))
    except WorkerFailed as error:
        part.skipped[name] = str(error)


def _add(part, name, runs):
    """Add told / taken of a job, with the run in the middle as a note."""
    middle = sorted(runs, key=_ratio)[len(runs) // 2]
    note = f"told {middle['told']!r}, {middle['usual']:.0f} s; took {middle['took']:.0f} s"
    part.add(name, statistics.median(map(_ratio, runs)), "told/taken", note=note)


def _add_worst(part):
    """Add the largest error as a factor: too much and too little count alike."""
    factors = [math.exp(abs(math.log(figure.value))) for figure in part.figures]
    part.add("the worst of them", max(factors), "x", bars.ESTIMATE_OFF)


def _ratio(run):
    return run["usual"] / run["took"]
