"""Time and memory of whole runs of the methods that match positions: NNST and STROTSS."""

from benchmarks import bars
from benchmarks.parts.common import CONTENT, STYLE
from benchmarks.parts.estimate import PROGRAM
from benchmarks.report import Part
from benchmarks.workers import Worker, WorkerFailed

PRESETS = ("nnst", "strotss")
UPDATES = 10  # two for each level of 512 pixels, and for the last pass


def measure(options):
    """Run a short job of each preset in a new process, through all of its levels."""
    size = options.method_size
    part = Part("methods", f"runs of {UPDATES} updates, longer side {size}, from coarse to fine")
    given = {"content": CONTENT, "style": [STYLE], "precision": "float32"}
    for preset in PRESETS:
        job = {"preset": preset, "size": size, "style_size": size, "iterations": UPDATES}
        try:
            with Worker(f"methods {preset}", PROGRAM, given) as worker:
                worker.ready()
                part.raw[preset] = worker.ask(**job)
        except WorkerFailed as error:
            part.skipped[preset] = str(error)
            continue
        part.add(preset, part.raw[preset]["took"], "s", note="tracing included")
        part.add(f"memory of {preset}", part.raw[preset]["peak_gib"], "GiB", bars.METHODS_GIB)
    return part
