"""What comes before and after the iterations: imports, weights, tracing, saving."""

import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.parts.common import ours
from benchmarks.place import ROOT
from benchmarks.report import Part
from benchmarks.workers import Worker, alternate

PROGRAM = "benchmarks.programs.load"
PICTURES = ((480, 640), (2160, 3840))


def measure(options):
    """Time each step, processes fresh where that matters."""
    part = Part("loading", "seconds before and after the iterations")
    with TemporaryDirectory() as place:
        weights = _write_mat(Path(place))
        _add_loading(part, weights, options.rounds)
        _add_saving(part, Path(place), options.rounds)
    _add_tracing(part, options)
    return part


def _write_mat(place):
    """Write a .mat of VGG-19's convolutions; the real one has 413 MB of other layers beside."""
    path = place / "vgg19.mat"
    command = [sys.executable, "tests/helpers/mat_files.py", str(path), "--layout", "beta16"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return path


def _add_loading(part, mat, rounds):
    """Load in new processes; a .mat leaves a cache beside it, which the second load finds."""
    seen = {"import": [], "embedded": [], "embedded again": [], ".mat": [], ".mat cached": []}
    for _ in range(rounds):
        for cache in mat.parent.glob("*.npz"):
            cache.unlink()
        seen["import"].append(_in_new_process(seen["embedded"], seen["embedded again"], "embedded"))
        _in_new_process(seen[".mat"], None, str(mat))
        _in_new_process(seen[".mat cached"], None, str(mat))
    about = {
        "import": "start Python, import nst_tf and TensorFlow",
        "embedded": "load the embedded trunk",
        "embedded again": "load the embedded trunk, second time in a process",
        ".mat": "load a .mat of VGG-19's convolutions, first time",
        ".mat cached": "load the same .mat, from its cache",
    }
    for name, times in seen.items():
        part.add(about[name], statistics.median(times), "s")
    part.raw |= seen


def _in_new_process(first, again, path):
    """Load once, or twice, in a new process; return what starting it took."""
    began = time.perf_counter()
    with Worker("load", PROGRAM, {}) as worker:
        worker.ready()
        started = time.perf_counter() - began
        for times in (first, again):
            if times is not None:
                times.append(worker.ask(task="load", path=path)["seconds"])
    return started


def _add_saving(part, place, rounds):
    with Worker("save", PROGRAM, {}) as worker:
        worker.ready()
        for height, width in PICTURES:
            given = {"path": str(place / "picture.png"), "height": height, "width": width}
            times = [worker.ask(task="save", **given)["seconds"] for _ in range(rounds)]
            part.add(
                f"save {width}x{height} as .png (noise: the slowest)", statistics.median(times), "s"
            )


def _add_tracing(part, options):
    """Take a later iteration from what passes up to the end of the first."""
    programs = {kind: ours(options.size, kind) for kind in ("float32", "mixed")}
    timings, failed = alternate(programs, options.rounds, options.iterations)
    part.skipped |= failed
    for kind, times in timings.items():
        seconds = times.startup - statistics.median(times.seconds)
        part.add(f"targets and tracing at {options.size}, {kind}", seconds, "s")
