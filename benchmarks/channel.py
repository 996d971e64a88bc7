"""The worker's side: a program that lives on and answers requests, one line of JSON each.

Standard library only, because programs of every framework import it.
"""

import json
import os
import sys
import time
from pathlib import Path


def arguments():
    """Return what the benchmark gave the program: a dict, as JSON in its first argument."""
    return json.loads(sys.argv[1])


class Channel:
    """Requests in on stdin, answers out on stdout; whatever else is printed goes to stderr."""

    def __init__(self):
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # a program that prints would write into its answers

    def answer(self, **values):
        """Send an answer, with the most memory that the process has had."""
        self._answers.write(json.dumps({**values, "peak_gib": peak_gib()}) + "\n")
        self._answers.flush()

    def request(self):
        """Wait for the next request; end the program when there is none any more."""
        line = sys.stdin.readline()
        if not line:
            raise SystemExit
        return json.loads(line)


class Pace:
    """Lets a program go from iteration to iteration, as many as are asked for, and times them.

    The program calls it between every two iterations, before the first as well; it returns when
    the next may begin. Extra arguments are ignored, so that it can be a callback.
    """

    def __init__(self):
        self._channel = Channel()
        self._asked = self._left = 0
        self._began = time.perf_counter()

    def __call__(self, *_):
        """Return when the next iteration may begin."""
        if self._left == 0:
            seconds = time.perf_counter() - self._began
            self._channel.answer(seconds=seconds, iterations=self._asked)
            self._asked = self._left = self._channel.request()["iterations"]
            self._began = time.perf_counter()
        self._left -= 1

    def restart(self):
        """Begin to time what comes before the first iteration, loading excluded."""
        self._began = time.perf_counter()


def serve(reply):
    """Answer requests by ``reply(**request) -> dict`` until there are none."""
    channel = Channel()
    channel.answer(seconds=0.0)  # ready
    while True:
        channel.answer(**reply(**channel.request()))


def peak_gib():
    """Return the most memory that this process has held at a time, in GiB; 0.0 if unknown."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = _high_water() or peak * (1 if sys.platform == "darwin" else 1024)
    return peak / 2**30


def _high_water():
    """Return Linux's own count in bytes: getrusage's begins with what the parent had held."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(found[0]) * 1024 if found else None
