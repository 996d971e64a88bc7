"""The parts of the benchmark: each module has ``measure(options) -> Part``."""

from benchmarks.parts import (
    batch,
    estimate,
    gpu,
    iteration,
    loading,
    long_day,
    look,
    methods,
    peers,
    schedule,
    sizes,
)

PARTS = {
    "iteration": iteration.measure,
    "peers": peers.measure,
    "schedule": schedule.measure,
    "sizes": sizes.measure,
    "methods": methods.measure,
    "loading": loading.measure,
    "estimate": estimate.measure,
    "batch": batch.measure,
    "long_day": long_day.measure,
    "look": look.measure,
    "gpu": gpu.measure,
}
ON = {"cpu": tuple(name for name in PARTS if name != "gpu"), "gpu": ("gpu",)}  # by default
