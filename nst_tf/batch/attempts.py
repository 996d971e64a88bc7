"""Jobs that end the process: counted in a file, so that a resumed batch gets past them.

The system kills a process that takes too much memory, and a library may crash: no exception can be
caught then. So a job is noted on disk before it begins. If it is still noted when the batch is
resumed, the process died in it.

A kill from outside and a power cut look the same. They don't fail a job that advances: deaths count
only while the job resumes from the same iteration.
"""

import contextlib
import json
from dataclasses import asdict, astuple, dataclass

from nst_tf.console import uninterrupted
from nst_tf.files import atomic_file, discard, read_text
from nst_tf.jobs.do import failed
from nst_tf.rundir.record import saved_iteration

NOTE = ".attempts.json"  # no job has this name: names have no leading dot
MOST_DEATHS = 2  # without progress in between; then the job has failed


@dataclass(frozen=True)
class Deaths:
    """The deaths of the process in a job.

    Attributes
    ----------
    total : int
    stuck : int
        The last ones, without progress in between.
    iteration : int
        From which the job could be resumed after the last one.
    """

    total: int = 0
    stuck: int = 0
    iteration: int = 0

    def one_more(self, iteration):
        """Return the deaths after another one, which left the job at an iteration."""
        stuck = 1 if iteration > self.iteration else self.stuck + 1
        return Deaths(self.total + 1, stuck, iteration)


class Attempts:
    """Notes which job is running, and counts the deaths of the process by job.

    Parameters
    ----------
    folder : Path
        Of the batch.
    jobs : sequence of Job
        That are not done.
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
        """Note that a job is running; yield the number of this attempt.

        The deaths are kept if the job is interrupted, and forgotten if it ends, done or failed.
        """
        try:
            self._write(running=job.name)
            yield self._of(job.name).total + 1
            self.deaths.pop(job.name, None)
        finally:
            with uninterrupted():
                self._write()

    def given_up(self, job):
        """Return the `Outcome` of a job that has failed by its deaths; None if it is to be run."""
        deaths = self._of(job.name)
        if deaths.stuck < MOST_DEATHS:
            return None
        return failed(
            job,
            f"the process died {deaths.stuck} times in this job, without progress since iteration "
            f"{deaths.iteration}: out of memory, a crash in a library, or killed from outside? A "
            "new batch with a smaller --size or a --memory-limit takes less memory; --resume "
            "retries this job once all others have ended",
            attempts=deaths.total,
        )

    def forget(self):
        """Forget all deaths: every job has ended, and a failed one is retried if resumed."""
        self.deaths.clear()
        self._write()  # some drives remove no files
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

    A damaged note is as good as none: at worst, a job is tried twice more.
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
