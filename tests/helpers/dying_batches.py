"""Batches of three jobs, the second of which kills its process: `python dying_batches.py FOLDER`.

Each command is a child process that runs to its end. Findings are printed as JSON.
"""

import csv
import json
import os
import signal
import sys
from functools import partial
from pathlib import Path

from killing import check_equal, in_child, prepare

from nst_tf.batch import __main__ as command_line
from nst_tf.batch.progress import Progress
from nst_tf.batch.whole import run_batch
from nst_tf.console import interrupt_once
from nst_tf.jobs.job import Job
from nst_tf.rundir import checkpoint as checkpoint_module

NAMES = ["job1", "job2", "job3"]
DEADLY = "job2"


def main(folder):
    """Run the batches; print the findings."""
    checkpoint_module.SHARE = 1e9  # save checkpoints as often as possible
    config = prepare(folder).changed(size="48x40", iterations=12, save_every=0)
    die, interrupt = (partial(send, number, 3) for number in (signal.SIGKILL, signal.SIGINT))
    die_later = partial(send, signal.SIGKILL, 8)
    config = config.changed(checkpoint_every=3600)  # none
    findings = {"stuck": batch(folder / "stuck", config, [die, interrupt, die, die, None], shown=4)}
    config = config.changed(checkpoint_every=0)
    findings["advancing"] = batch(folder / "advancing", config, [die, die_later, None], shown=3)
    for name in findings:
        check_equal(folder / name / "job1", folder / name / DEADLY)
    print(json.dumps(findings))


def batch(folder, config, works, shown):
    """Begin a batch and resume it, once for each work of its deadly job.

    Return the exit statuses, and what summary.csv says after the first `shown` of them.
    """
    statuses, findings = [], {}
    for number, work in enumerate(works, 1):
        statuses.append(in_child(partial(begin if number == 1 else resume, config, folder, work)))
        if number == shown:
            with open(folder / "summary.csv", newline="") as file:
                rows = {row["name"]: row for row in csv.DictReader(file)}
            findings["states"] = [rows[name]["state"] for name in NAMES]
            findings |= {name: rows[DEADLY][name] for name in ("reason", "attempts")}
    return {"statuses": statuses, **findings}


def begin(config, folder, work):
    """Begin a batch."""
    let_deadly_job(work)
    run_batch([Job(name, config) for name in NAMES], folder, say=None)


def resume(_, folder, work):
    """Resume a batch by the command line; exit with its status."""
    let_deadly_job(work)
    interrupt_once()
    os._exit(command_line.main(["--resume", str(folder), "--quiet"]))


def let_deadly_job(work):
    """Let the deadly job call `work` with each iteration, in this process."""
    at = Progress.at

    def at_and_work(progress, name, iteration):
        at(progress, name, iteration)
        if work and name == DEADLY:
            work(iteration)

    Progress.at = at_and_work


def send(number, first, iteration):
    """Send this process a signal from iteration `first` on."""
    if iteration >= first:
        os.kill(os.getpid(), number)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
