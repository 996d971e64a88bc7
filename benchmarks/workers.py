"""The benchmark's side: workers that stay alive, and rounds that go from one to the next."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from benchmarks.place import ROOT, log_file

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2"}  # no chatter from TensorFlow
NO_GPU = {"CUDA_VISIBLE_DEVICES": "-1"}
LAST_LINES = 3  # of the log of a failed worker


class WorkerFailed(Exception):
    """A worker ended; the message has its last words."""


@dataclass
class Timings:
    """What was seen of one worker.

    Attributes
    ----------
    startup : float
        Seconds before the first round: targets and tracing, not loading.
    seconds : list of float
        An iteration, for each round.
    peak_gib : float
    """

    startup: float
    seconds: list[float] = field(default_factory=list)
    peak_gib: float = 0.0


class Worker:
    """A program in a process of its own, started as ``python -m MODULE JSON``.

    Parameters
    ----------
    name : str
        For messages and the log.
    module : str
        Uses `benchmarks.channel`.
    given : dict
        The program's arguments.
    python : path
    gpu : bool
        Whether it may use GPUs.
    environment : dict, optional
        Variables in addition to those of this process.
    """

    def __init__(self, name, module, given, python=sys.executable, *, gpu=False, environment=None):
        self.name = name
        self._log = log_file(name)
        with open(self._log, "w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [str(python), "-m", module, json.dumps(given)],
                cwd=ROOT,
                env={**os.environ, **QUIET, **({} if gpu else NO_GPU), **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def ready(self):
        """Wait until the program is ready; return its first answer."""
        line = self._process.stdout.readline()
        if not line:
            self.end()
            raise WorkerFailed(f"{self.name} ended: {self._last_words()}")
        return json.loads(line)

    def ask(self, **request):
        """Send a request and wait for the answer, a dict."""
        with suppress(BrokenPipeError):  # it has ended: `ready` says so
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        return self.ready()

    def end(self):
        """Let the program end, or end it."""
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _last_words(self):
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return " / ".join(said[-LAST_LINES:]) or f"status {self._process.returncode}"


@contextmanager
def at_work(programs):
    """Start programs one after another and warm each up by an iteration.

    Parameters
    ----------
    programs : dict
        name -> arguments of `Worker` after the name.

    Yields
    ------
    workers, timings, failed : dict
        By name. A program that can't be started is in `failed`, with the reason.
    """
    workers, timings, failed = {}, {}, {}
    with ExitStack() as stack:
        for name, how in programs.items():
            worker = stack.enter_context(Worker(name, **how))
            try:
                timings[name] = Timings(worker.ready()["seconds"])
                worker.ask(iterations=1)
                workers[name] = worker
            except WorkerFailed as error:
                timings.pop(name, None)
                failed[name] = str(error)
        yield workers, timings, failed


def one_round(workers, timings, iterations):
    """Time each worker once, one after the other, so that only one computes at a time."""
    for name, worker in workers.items():
        answer = worker.ask(iterations=iterations)
        timings[name].seconds.append(answer["seconds"] / answer["iterations"])
        timings[name].peak_gib = answer["peak_gib"]


def alternate(programs, rounds, iterations):
    """Time programs in turn: A B C A B C ...

    Returns
    -------
    timings, failed : dict
        As from `at_work`.
    """
    with at_work(programs) as (workers, timings, failed):
        for _ in range(rounds):
            one_round(workers, timings, iterations)
    return timings, failed
