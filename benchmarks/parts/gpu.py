"""On a GPU: time to the first update, an update, the convolutions in it, peers, and whole jobs."""

import re
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import bars
from benchmarks.parts.common import CONTENT, SHAPE, STYLE
from benchmarks.parts.peers import FLOAT32, MIXED, exported
from benchmarks.place import ROOT
from benchmarks.report import Part, add_ratio, add_times
from benchmarks.workers import Worker, WorkerFailed, alternate

PROGRAM = "benchmarks.programs.on_gpu"
LOOP = re.compile(r"iterations in (\d+) s")


def measure(options):
    """Time all of it; without a GPU, rehearse it tiny with --quick, or say so."""
    part = Part("gpu", "on a GPU, the 19-layer shape and tutorial 0's objective")
    there = bool(_gpus())
    if not there:
        part.about += ": TensorFlow sees no GPU here"
        if not options.quick:
            part.skipped["all"] = "there is no GPU; --quick rehearses it on the CPU"
            return part
        part.about += "; this rehearsal on the CPU says nothing about one"
    device = "gpu" if there else "cpu"
    for precision in ("float32", "mixed"):
        for xla in (False, True):
            _add_updates(part, options, device, precision, xla)
    if there:
        _add_peers(part, options)
    _add_jobs(part, options, device, there)
    return part


def _gpus():
    """Return the GPUs that TensorFlow sees, asked in another process: this one takes none."""
    code = "import tensorflow as tf; print(len(tf.config.list_physical_devices('GPU')))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return int(told.stdout.split()[-1]) if told.returncode == 0 else 0


def _add_updates(part, options, device, precision, xla):
    """Time updates of every size in one process; only its first size starts from nothing."""
    given = {"trunk": SHAPE, "content": CONTENT, "style": STYLE, "precision": precision}
    given |= {"device": device, "deterministic": True}
    about = f"{precision}{' XLA' if xla else ''}"
    try:
        with Worker(about, PROGRAM, given, gpu=True) as worker:
            worker.ready()
            for size in options.gpu_sizes:
                shared = {"size": size, "iterations": options.gpu_iterations}
                adam = _add_update(part, worker, about, optimizer="adam", xla=xla, **shared)
                if size == options.gpu_sizes[0]:
                    part.add(f"{size} {about}, to the first update", adam["first"], "s")
                if not xla:
                    first = size == options.gpu_sizes[0]
                    held = first and precision == "mixed" and device == "gpu"
                    _add_ratios(part, worker, about, adam["ms"], held, shared)
    except WorkerFailed as error:
        part.skipped[about] = str(error)


def _add_update(part, worker, about, *, size, optimizer, **request):
    answer = worker.ask(task="updates", size=size, optimizer=optimizer, **request)
    note = f"{answer['gib']:.2f} GiB of the GPU" if answer["gib"] else ""
    name = f"{size} {about} {optimizer}"
    part.add(name, answer["ms"], "ms/update", note=note)
    part.raw[name] = answer
    return answer


def _add_ratios(part, worker, about, adam, held, shared):
    """Add what an update takes beside its convolutions, and L-BFGS beside Adam."""
    lbfgs = _add_update(part, worker, about, optimizer="lbfgs-fixed", xla=False, **shared)["ms"]
    alone = worker.ask(task="convolutions", **shared)["ms"]
    name = f"{shared['size']} {about}"
    part.add(f"{name} convolutions alone", alone, "ms")
    bar = bars.GPU_UPDATE_TO_CONVOLUTIONS if held else None
    part.add(f"{name} adam / convolutions", adam / alone, "x", bar)
    part.add(
        f"{name} lbfgs-fixed / adam", lbfgs / adam, "x", bars.GPU_LBFGS_TO_ADAM if held else None
    )


def _add_peers(part, options):
    """Time PyTorch on the same card, if an environment with it was named."""
    if not options.peers_python:
        part.skipped["PyTorch"] = "name a Python that has its CUDA build with --peers-python"
        return
    size = options.gpu_sizes[0]
    try:
        data = exported(size)
    except WorkerFailed as error:
        part.skipped["PyTorch"] = str(error)
        return
    programs = {
        name: {
            "module": module,
            "given": {"data": str(data), "device": "cuda", **given},
            "python": options.peers_python,
            "gpu": True,
        }
        for name, (module, given) in {**FLOAT32, **MIXED}.items()
    }
    timings, failed = alternate(programs, 3, options.gpu_iterations)
    part.skipped |= failed
    add_times(part, timings)
    add_ratio(part, timings, "torch eager", "torch.compile")


def _add_jobs(part, options, device, there):
    """Run the default job twice from the command line: seconds, and whether pictures are equal."""
    loop_bar, command_bar = (bars.GPU_LOOP, bars.GPU_COMMAND) if there else (None, None)
    pictures = set()
    with TemporaryDirectory() as place:
        for number in (1, 2):
            folder = Path(place) / str(number)
            command = [sys.executable, "-m", "nst_tf.run", *options.gpu_job]
            command += ["--device", device, "--output", str(folder)]
            began = time.perf_counter()
            told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            whole = time.perf_counter() - began
            if told.returncode:
                part.skipped["default job"] = told.stderr.strip()[-300:]
                return
            loop = float(LOOP.search(told.stdout)[1])
            part.add(f"default job {number}, in the loop", loop, "s", loop_bar)
            part.add(f"default job {number}, the whole command", whole, "s", command_bar)
            pictures.add(sha256((folder / "result.png").read_bytes()).hexdigest())
    part.add("pictures of the same command", len(pictures), "different", 1)
