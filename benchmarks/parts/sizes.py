"""Seconds and memory of an iteration from small pictures to large ones."""

import statistics

from benchmarks import bars
from benchmarks.parts.common import SHAPE, ours
from benchmarks.report import Part, ratio
from benchmarks.workers import alternate

WIDTHS = (256, 512, 1024, 1920, 3840, 7680)
WHOLE, TILED = 1920, 3840  # the two that a bar compares, so they are timed in turn
GROUPS = ((0, 1024), (1025, TILED), (TILED + 1, 10**6))  # what fits into memory together


def measure(options):
    """Time all widths, 16:9; beyond 1920 within the memory limit."""
    limit = options.memory_limit
    about = f"one iteration at 16:9, {SHAPE}-layer shape, above {WHOLE} within {limit:g} GiB"
    part, timings = Part("sizes", about), {}
    for low, high in GROUPS:
        widths = [width for width in options.widths if low <= width <= high]
        programs = {str(width): _program(width, limit) for width in widths}
        found, failed = alternate(programs, options.size_rounds, 1)
        timings |= {int(name): times for name, times in found.items()}
        part.skipped |= failed
    _add_sizes(part, timings)
    _add_bars(part, timings)
    return part


def _program(width, limit):
    how = {"memory_limit": limit} if width > WHOLE else {}
    return ours(f"{width}x{_height(width)}", "auto", **how)


def _height(width):
    return width * 9 // 16


def _pixels(width):
    return width * _height(width)


def _add_sizes(part, timings):
    for width, times in timings.items():
        seconds = statistics.median(times.seconds)
        note = f"{times.peak_gib:.2f} GiB, {1e6 * seconds / _pixels(width):.3g} us a pixel"
        part.add(f"{width}x{_height(width)}", seconds, "s/iteration", note=note)
        part.raw[str(width)] = {"seconds": times.seconds, "peak_gib": times.peak_gib}


def _add_bars(part, timings):
    if WHOLE not in timings or TILED not in timings:
        return
    growth = ratio(timings[TILED].seconds, timings[WHOLE].seconds)
    growth *= _pixels(WHOLE) / _pixels(TILED)
    name = f"seconds a pixel, {TILED} tiled / {WHOLE} whole"
    part.add(name, growth, "x", bars.TILED_TO_WHOLE)
    part.add(f"memory at {TILED}", timings[TILED].peak_gib, "GiB", bars.TILED_GIB)
