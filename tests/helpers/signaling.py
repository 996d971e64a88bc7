"""Interrupt runs and batches at random times: `python tests/helpers/signaling.py FOLDER N SEED`.

Every second run would last for hours, so that a signal that is swallowed is seen: it must end. The
others are short and make a time-lapse: resumed, they must have it. Findings are printed as JSON.
"""

import json
import os
import random
import signal
import sys
import time
from functools import partial
from pathlib import Path

from killing import prepare

from nst_tf.batch.whole import resume_batch, run_batch
from nst_tf.cli import reported
from nst_tf.console import interrupt_once
from nst_tf.jobs.job import Job
from nst_tf.jobs.resume import resume_job
from nst_tf.jobs.run import run_job
from nst_tf.rundir.layout import JOURNAL, REPORT, RESULT

SIGNALS = ((signal.SIGINT,), (signal.SIGTERM,), (signal.SIGTERM, signal.SIGINT))
FILM = "timelapse.gif"
PATIENCE = 60  # seconds until an interrupted run must have ended


def main(folder, count, seed):
    """Send `count` signals; print the findings."""
    folder, rng = Path(folder), random.Random(seed)
    base = prepare(folder).changed(size="64", iterations=12, save_every=1, animate="gif")
    findings = {"signals": 0, "statuses": [], "resumed": 0}
    start = time.perf_counter()
    assert child(partial(begin, base, folder / "whole"), folder / "log") == 0
    duration = time.perf_counter() - start
    while findings["signals"] < count:
        number = findings["signals"]
        endless, batch = number % 2 == 0, number % 8 >= 6
        config = base.changed(iterations=10**7, animate=None) if endless else base
        target, log = folder / f"run-{number}", folder / f"log-{number}"
        work = partial(begin_batch if batch else begin, config, target)
        numbers = SIGNALS[number % len(SIGNALS)]
        wait = rng.uniform(0, (2.0 if batch else 1.0) * duration)
        status = child(work, log, wait, numbers)
        allowed = {128 + n for n in numbers} | (set() if endless else {0})
        assert status in allowed, f"{target}: {status}\n{log.read_text()}"
        text = log.read_text()
        assert "Traceback" not in text, text
        assert "Exception ignored" not in text, text
        findings["signals"] += 1
        findings["statuses"].append(status)
        if not endless and target.exists():
            findings["resumed"] += complete(target, batch, log)
    print(json.dumps(findings))


def begin(config, target):
    """Run one job."""
    run_job(config, target, say=lambda line: None)
    return 0


def begin_batch(config, target):
    """Run a batch of three jobs."""
    run_batch([Job(f"job{n}", config.changed(seed=n)) for n in range(3)], target, say=None)
    return 0


def complete(target, batch, log):
    """Resume what was begun; check that no picture, film or report is lost. Return 0 or 1."""
    if batch:
        if not (target / "jobs.json").exists():
            return 0
        assert child(partial(resume_whole, resume_batch, target), log) == 0, log.read_text()
        folders = [target / f"job{number}" for number in range(3)]
    else:
        if not (target / JOURNAL).exists():
            return 0
        assert child(partial(resume_whole, resume_job, target), log) == 0, log.read_text()
        folders = [target]
    for folder in folders:
        for name in (RESULT, FILM, REPORT):
            assert (folder / name).exists(), f"{folder} has no {name}"
    return 1


def resume_whole(resume, target):
    """Resume a run or a batch."""
    resume(target, say=lambda line: None)
    return 0


def child(work, log, wait=None, numbers=()):
    """Run `work` like a command in a child; send it signals after `wait` seconds.

    Return its exit status. What it prints is written to the file `log`.
    """
    sys.stdout.flush()
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            with open(log, "w", encoding="utf-8") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            interrupt_once()
            os.write(told, b"x")
            status = reported(work)
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.read(ready, 1)
    for descriptor in (ready, told):
        os.close(descriptor)
    if wait is not None:
        time.sleep(wait)
        for number in numbers:
            os.kill(pid, number)
    deadline = time.monotonic() + PATIENCE
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise AssertionError(f"a signal was swallowed\n{Path(log).read_text()}")
        time.sleep(0.01)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
