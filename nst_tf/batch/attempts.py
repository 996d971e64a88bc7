"""Count in a file how often jobs kill the process, so that a resumed batch can skip such jobs.

If the system kills a process that uses too much memory, or a library crashes, no exception can be
caught. Therefore, each job is recorded on disk before it starts. If it is still recorded when the
batch is resumed, the process died during this job.

A kill from outside or a power cut looks the same. A job that makes progress does not fail because
of it: deaths count only while the job resumes from the same iteration.
"""

import contextlib
import json
from dataclasses import asdict, astuple, dataclass

from nst_tf.console import uninterrupted
from nst_tf.files import atomic_file, discard, read_text
from nst_tf.jobs.do import failed
from nst_tf.rundir.record import saved_iteration

NOTE = ".attempts.json"  # no job has this name: names have no leading dot
MOST_DEATHS = 2  # without progress in between; then the job counts as failed


@dataclass(frozen=True)
class Deaths:
    """How often the process died during a job.

    Attributes
    ----------
    total : int
    stuck : int
        Number of the last deaths without progress in between.
    iteration : int
        Iteration from which the job could be resumed after the last death.
    """

    total: int = 0
    stuck: int = 0
    iteration: int = 0

    def one_more(self, iteration):
        """Return the deaths including another one, after which the job was at an iteration."""
        stuck = 1 if iteration > self.iteration else self.stuck + 1
        return Deaths(self.total + 1, stuck, iteration)


class Attempts:
    """Notes which job is running, and counts the deaths of the process by job.

    Parameters
    ----------
    folder : Path
        Directory of the batch.
    jobs : sequence of Job
        The remaining jobs.
    """

    def __init__(self, folder, jobs):
        self.path = folder / NOTE
        running, deaths = _read(self.path)
        names = {job.name for job in jobs}
        self.deaths = {name: deaths[name] for name in deaths if name in names}
        if running in names:
            self.deaths[running] = self._of(running).one_more(saved_iteration(folder / running))

    @contextlib.contextmanager
    def noted(self, job):
        """Record that a job is running; yield the number of this attempt.

        If the job is interrupted, its deaths are kept; if it is done or fails, they are deleted.
        """
        try:
            self._write(running=job.name)
            yield self._of(job.name).total + 1
            self.deaths.pop(job.name, None)
        finally:
            with uninterrupted():
                self._write()

    def given_up(self, job):
        """Return a failed `Outcome` if the process died too often in a job; else None."""
        deaths = self._of(job.name)
        if deaths.stuck < MOST_DEATHS:
            return None
        return failed(
            job,
            f"the process died {deaths.stuck} times during this job, without progress since "
            f"iteration {deaths.iteration}; possible causes: too little memory, a crash in a "
            "library, or a kill from outside. To use less memory, start a new batch with a smaller "
            "--size or a --memory-limit; --resume retries this job once all others have ended",
            attempts=deaths.total,
        )

    def forget(self):
        """Forget all deaths, because every job has ended; `--resume` retries failed jobs."""
        self.deaths.clear()
        self._write()  # some drives can't remove files
        discard(self.path)

    def _of(self, name):
        return self.deaths.get(name, Deaths())

    def _write(self, running=""):
        deaths = {name: asdict(deaths) for name, deaths in self.deaths.items()}
        with atomic_file(self.path) as temporary:
            note = {"running": running, "deaths": deaths}
            temporary.write_text(json.dumps(note) + "\n", encoding="utf-8")


def _read(path):
    """Return the name of the running job and the deaths by job.

    A damaged file counts as empty: at worst, a job is tried twice more.
    """
    try:
        note = json.loads(read_text(path))
        deaths = {name: Deaths(**entry) for name, entry in note["deaths"].items()}
        numbers = [number for entry in deaths.values() for number in astuple(entry)]
        if isinstance(note["running"], str) and all(type(number) is int for number in numbers):
            return note["running"], deaths
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        pass
    return "", {}
