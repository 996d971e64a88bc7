"""An iteration of ours against the convolutions in it."""

from benchmarks import bars
from benchmarks.parts.common import floor, ours
from benchmarks.report import Part, add_ratio, add_times
from benchmarks.workers import alternate


def measure(options):
    """Time float32 and mixed, and the floor of each."""
    size = options.size
    programs = {
        "ours float32": ours(size, "float32"),
        "floor float32": floor(size, "float32"),
        "ours mixed": ours(size, "mixed"),
        "floor bfloat16": floor(size, "bfloat16"),
    }
    part = Part("iteration", f"one iteration at {size}, 19-layer shape, against its convolutions")
    timings, part.skipped = alternate(programs, options.rounds, options.iterations)
    add_times(part, timings)
    add_ratio(part, timings, "ours float32", "floor float32", bars.FLOAT32_TO_FLOOR)
    add_ratio(part, timings, "ours mixed", "floor bfloat16")
    add_ratio(part, timings, "ours mixed", "ours float32", bars.MIXED_TO_FLOAT32)
    return part
