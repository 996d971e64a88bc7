"""Figures, the bars they are held against, and how both are shown."""

import math
import os
import platform
import statistics
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.place import ROOT


@dataclass(frozen=True)
class Figure:
    """One number: what, how much, in what unit, and what it must not exceed, if anything."""

    name: str
    value: float
    unit: str = ""
    bar: float | None = None
    note: str = ""

    @property
    def met(self):
        """Whether the bar is met; None without a bar."""
        return None if self.bar is None else bool(self.value <= self.bar)


@dataclass
class Part:
    """What a part of the benchmark has found."""

    name: str
    about: str
    figures: list[Figure] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    raw: dict = field(default_factory=dict)
    strict: bool = False  # a missed bar is an error, as it does not depend on the machine's speed

    def add(self, *args, **kwargs):
        """Add a `Figure`."""
        self.figures.append(Figure(*args, **kwargs))

    def as_json(self):
        """Return all of it for the JSON file."""
        figures = [_as_json(figure) for figure in self.figures]
        return {"about": self.about, "figures": figures, "skipped": self.skipped, "raw": self.raw}


def _as_json(figure):
    """Return a figure as a dict; JSON has no number for "never reached"."""
    value = figure.value if math.isfinite(figure.value) else None
    return {**asdict(figure), "value": value, "met": figure.met}


def add_times(part, timings):
    """Add the median time and the peak memory of every program, and keep all rounds."""
    for name, times in timings.items():
        note = f"{times.peak_gib:.2f} GiB at most" if times.peak_gib else ""
        part.add(name, statistics.median(times.seconds), "s/iteration", note=note)
        part.raw[name] = asdict(times)


def add_ratio(part, timings, one, other, bar=None):
    """Add how long `one` takes for what `other` does in a second, if both were timed."""
    if one in timings and other in timings:
        value = ratio(timings[one].seconds, timings[other].seconds)
        part.add(f"{one} / {other}", value, "x", bar)


def ratio(times, others):
    """Return the median over rounds of ``time / other``: slow drifts of a machine cancel."""
    return statistics.median(time / other for time, other in zip(times, others))


def table(part):
    """Return a part as lines of text."""
    lines = [f"\n{part.name}: {part.about}"]
    width = max((len(figure.name) for figure in part.figures), default=0)
    for figure in part.figures:
        lines.append(_line(figure, width))
    lines += [f"  skipped: {name}: {reason}" for name, reason in part.skipped.items()]
    return lines


def _line(figure, width):
    text = f"  {figure.name:{width}}  {figure.value:10.4g} {figure.unit:12}"
    if figure.bar is not None:
        text += f" bar {figure.bar:<8.4g} {'met' if figure.met else 'MISSED'}"
    return f"{text} {figure.note}".rstrip()


def failed(parts):
    """Return whether a strict part has missed a bar."""
    return any(part.strict and figure.met is False for part in parts for figure in part.figures)


def verdict(parts):
    """Return one line: how many bars were met."""
    held = [figure for part in parts for figure in part.figures if figure.bar is not None]
    missed = [figure.name for figure in held if not figure.met]
    text = f"\n{len(held) - len(missed)} of {len(held)} bars met"
    return f"{text}; missed: {'; '.join(missed)}" if missed else text


# ---------------------------------------------------------------------------- the machine


def machine():
    """Return what the numbers depend on beside the code."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "instructions": _instructions(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "tensorflow": _installed("tensorflow", "tensorflow-cpu"),
        "commit": _commit(),
    }


def _processor():
    for line in _cpuinfo():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _instructions():
    """Return those instruction sets that decide how fast bfloat16 is."""
    flags = next((line.split() for line in _cpuinfo() if line.startswith("flags")), [])
    return [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags]


def _cpuinfo():
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def _installed(*names):
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return None


def _commit():
    """Return the commit, marked if files were changed since; None outside git."""
    describe = ["git", "describe", "--always", "--dirty"]
    try:
        told = subprocess.run(describe, cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return None
    return told.stdout.strip() or None
