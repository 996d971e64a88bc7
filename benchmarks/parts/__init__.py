"""The parts of the benchmark: each module has ``measure(options) -> Part``."""

from benchmarks.parts import batch, iteration, loading, look, peers, schedule, sizes

PARTS = {
    "iteration": iteration.measure,
    "peers": peers.measure,
    "schedule": schedule.measure,
    "sizes": sizes.measure,
    "loading": loading.measure,
    "batch": batch.measure,
    "look": look.measure,
}
