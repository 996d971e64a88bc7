"""The memory that the system leaves to this process: free memory, control groups, ``ulimit``."""

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

PROC = Path("/proc/self")
# Names of files in a control group, by file system: its limits, and what it holds. Of memory.high,
# the kernel takes memory away and lets the process wait.
LIMITS = {
    "cgroup2": ("memory.max", "memory.high"),
    "cgroup": ("memory.limit_in_bytes",),
}
HELD = {"cgroup2": "memory.current", "cgroup": "memory.usage_in_bytes"}
# Cached files that the kernel drops when memory is needed; version 1 has the group's own without
# and those of its subgroups with "total_".
DROPPED = re.compile(r"^(?:total_)?inactive_file (\d+)$", re.MULTILINE)


@dataclass(frozen=True, order=True)
class Limit:
    """What limits the memory of this process.

    Attributes
    ----------
    left : float
        Bytes that the process may still take; swap is not counted.
    name : str
        For messages; empty for the memory of the machine.
    """

    left: float
    name: str = ""


def tightest_limit():
    """Return the `Limit` that leaves the least memory."""
    free = Limit(psutil.virtual_memory().available)
    limit = min([free, *group_limits(), *process_limits()])
    return replace(limit, left=max(limit.left, 0))


def group_limits(proc=PROC):
    """Return the limits of this process' control groups, and of all above them that are mounted.

    Parameters
    ----------
    proc : Path
        Holds `cgroup` and `mountinfo`; absent on systems other than Linux.
    """
    return [
        Limit(limit - _held(kind, folder), f"the memory limit of the control group {folder}")
        for kind, folder in control_groups(proc)
        for limit in filter(None, (_number(folder / name) for name in LIMITS[kind]))
    ]


def control_groups(proc=PROC):
    """Return (file system, directory) of each control group that limits this process' memory.

    In a container, the mount may start at the container's own group, or the path of the group may
    lead outside of the mount. The group at the mount point then applies.
    """
    try:
        paths = _group_paths((proc / "cgroup").read_text(encoding="utf-8", errors="replace"))
        mounts = (proc / "mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux
        return []
    groups = []
    for line in mounts.splitlines():
        mount, _, system = line.partition(" - ")
        kind, *_, options = system.split(" ")
        if kind not in paths or (kind == "cgroup" and "memory" not in options.split(",")):
            continue
        top, point = (_unescaped(field) for field in mount.split(" ")[3:5])
        inside = Path(paths[kind])
        own = point / inside.relative_to(top) if inside.is_relative_to(top) else point
        own = point if ".." in own.parts else own
        above = [folder for folder in own.parents if folder.is_relative_to(point)]
        groups += [(kind, folder) for folder in (own, *above)]
    return groups


def _group_paths(text):
    """Return the paths of this process' groups for memory, by file system, from /proc."""
    paths = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            paths["cgroup2"] = path
        elif "memory" in controllers.split(","):
            paths["cgroup"] = path
    return paths


def _unescaped(path):
    """Return a path of mountinfo, where spaces are octal numbers after a backslash."""
    return Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), path))


def _held(kind, folder):
    """Return the bytes that a group holds and can't drop."""
    try:
        dropped = DROPPED.findall((folder / "memory.stat").read_text())
    except OSError:
        dropped = []
    return (_number(folder / HELD[kind]) or 0) - max(map(int, dropped), default=0)


def _number(path):
    """Return the number in a file; None if there is none: no such file, or "max"."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def process_limits():
    """Return the limits of ``ulimit -v`` (addresses) and ``ulimit -d`` (data) of this process."""
    try:
        import resource
    except ImportError:  # Windows
        return []
    held = psutil.Process().memory_info()
    limits = {
        "ulimit -v": (resource.RLIMIT_AS, held.vms),
        "ulimit -d": (resource.RLIMIT_DATA, getattr(held, "data", math.inf)),
    }
    found = []
    for name, (kind, used) in limits.items():
        limit, _ = resource.getrlimit(kind)
        if limit != resource.RLIM_INFINITY and used < math.inf:
            found.append(Limit(limit - used, f"`{name}`"))
    return found
