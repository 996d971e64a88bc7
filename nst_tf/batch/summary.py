"""Outcomes of a batch: summary.csv while it runs, and an index page at its end.

Both may be sent to others: they hold the names of files, not their directories.
"""

import csv
import time
from dataclasses import replace

from nst_tf.console import without_directories
from nst_tf.files import atomic_file
from nst_tf.jobs.job import DONE
from nst_tf.report.render import INDEX, write_index
from nst_tf.rundir.layout import CONFIG, RESULT
from nst_tf.rundir.scores import SCORES, names_in

SUMMARY = "summary.csv"
WAITING = "waiting"
COLUMNS = (
    *("name", "state", "reason", "iterations", "seconds", "loss", "attempts", "worker"),
    *("content", "style", "picture", *SCORES),
)
EVERY = 2.0  # seconds between two updates of summary.csv


class Summary:
    """Maintains summary.csv: one row per job, in the order of the list.

    Parameters
    ----------
    folder : Path
        Of the batch.
    jobs : sequence of Job
    """

    def __init__(self, folder, jobs):
        self.folder, self.jobs = folder, jobs
        self.configs = {job.name: job.config for job in jobs}
        self.outcomes = {}
        self.written = 0.0

    def add(self, outcome):
        """Record how a job ended; its row is written within a few seconds or at the end."""
        config = self.configs.get(outcome.name)
        paths = [self.folder, self.folder / outcome.name, *(config.paths() if config else ())]
        reason = without_directories(outcome.reason, paths)
        self.outcomes[outcome.name] = replace(outcome, reason=reason)
        if time.perf_counter() > self.written + EVERY:
            self.write()

    def write(self):
        """Write the file atomically."""
        with (
            atomic_file(self.folder / SUMMARY) as temporary,
            open(temporary, "w", newline="", encoding="utf-8", errors="replace") as file,
        ):
            numbers = names_in(outcome.score for outcome in self.outcomes.values())
            rows = csv.DictWriter(file, dict.fromkeys([*COLUMNS, *numbers]))
            rows.writeheader()
            rows.writerows(map(self._row, self.jobs))
        self.written = time.perf_counter()

    def write_index(self, sort=None):
        """Write the index page of all jobs, failed ones first; `sort` and path as `write_index`."""
        folders = [
            self.folder / job.name
            for job in self.jobs
            if (self.folder / job.name / CONFIG).exists()
        ]
        problems = {
            outcome.name: outcome.reason
            for outcome in self.outcomes.values()
            if outcome.state != DONE
        }
        return write_index(folders, self.folder / INDEX, problems=problems, sort=sort)

    def count(self, state):
        """Return the number of jobs that ended with a state."""
        return sum(outcome.state == state for outcome in self.outcomes.values())

    def _row(self, job):
        row = {"name": job.name, "state": WAITING, "content": "", "style": ""}
        if job.config:
            names = job.config.with_names()
            row |= {"content": names.content, "style": " ".join(names.paintings)}
        if job.name in self.outcomes:
            outcome = self.outcomes[job.name]
            row |= {name: value for name, value in vars(outcome).items() if name in COLUMNS}
            row |= {name: f"{value:.6g}" for name, value in outcome.score.items()}
            row["seconds"] = f"{outcome.seconds:.1f}"
            row["loss"] = "" if outcome.loss is None else f"{outcome.loss:.9g}"
        picture = self.folder / job.name / RESULT
        row["picture"] = f"{job.name}/{RESULT}" if picture.exists() else ""
        return row
