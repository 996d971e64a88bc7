"""Many runs in one process: the memory that they add after the second of each kind.

oneDNN, which computes convolutions on CPUs, compiles kernels for each size, and TensorFlow keeps
the last 1024 of them for each of its threads. So runs are measured at one size, and at a size of
their own with oneDNN and without it: the latter is what nst_tf and TensorFlow's graphs keep, and
what the largest size needs. The bar is for one size.
"""

from benchmarks.bars import LONG_DAY_MIB
from benchmarks.report import Part
from benchmarks.workers import Worker

PROGRAM = "benchmarks.programs.long_day"
LONG_DAY = (60, 40, 30)  # runs of each kind
KINDS = ("transfer", "batch", "page")
WAYS = {  # name -> sizes alike, environment, bar
    "one size": (True, {}, LONG_DAY_MIB),
    "a size each, without oneDNN": (False, {"TF_ENABLE_ONEDNN_OPTS": "0"}, None),
    "a size each": (False, {}, None),
}


def measure(options):
    """Run each kind in each way, in a process of its own."""
    part = Part("long_day", "MiB added after the second run in a process", strict=True)
    for way, (alike, environment, bar) in WAYS.items():
        added = []
        for kind, runs in zip(KINDS, options.long_day, strict=True):
            given = {"kind": kind, "runs": runs, "alike": alike, "weights": "embedded"}
            name = f"{kind}, {runs} runs of {way}"
            with Worker(name, PROGRAM, given, environment=environment) as worker:
                part.raw[name] = worker.ready()["mib"]
            added.append(part.raw[name][-1] - part.raw[name][1])
            part.add(name, added[-1], "MiB")
        part.add(f"in all, {way}", sum(added), "MiB", bar)
    return part
