"""Read pictures: `python tests/helpers/reading.py PATH ...`, within limits of CPU time.

Prints a line of JSON for each: its shape or the error message, and the MiB that reading it took.
"""

import json
import resource
import sys
from pathlib import Path

import tifffile  # noqa: F401 - compiling it, when it is imported first, would be measured

from nst_tf.errors import ImageError
from nst_tf.image.io import read_picture

MAX_SECONDS = 20  # of CPU time for all: one costly file took more


def memory(name):
    """Return an entry of /proc/self/status in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def main(paths):
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    for path in paths:
        Path("/proc/self/clear_refs").write_text("5")  # resets the peak
        before = memory("VmRSS")
        try:
            outcome = read_picture(path, say=None).shape
        except ImageError as error:
            outcome = str(error)
        print(json.dumps([outcome, memory("VmHWM") - before]))


if __name__ == "__main__":
    main(sys.argv[1:])
