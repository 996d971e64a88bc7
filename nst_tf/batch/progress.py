"""How far a batch is: a bar on a terminal, a line for each job elsewhere."""

import sys
import time

from tqdm.auto import tqdm

from nst_tf.callbacks import in_words
from nst_tf.jobs.job import DONE

BAR = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining} {postfix}"


class Progress:
    """Counts iterations over all jobs, and says how each one ended.

    Parameters
    ----------
    jobs : sequence of Job
        That are left to do.
    before : int
        Jobs that were done before.
    say : callable or None
        Gets a line for each job that ends; None says nothing.
    stream : file, optional
        Where the bar is drawn, if it is a terminal; default: stderr.
    """

    def __init__(self, jobs, before=0, say=print, stream=None):
        self.due = {job.name: job.config.iterations if job.config else 0 for job in jobs}
        self.reached = dict.fromkeys(self.due, 0)
        self.jobs, self.done, self.failed = len(jobs) + before, before, 0
        self.say, self.bar, self.moved = say, None, 0
        self.began = time.perf_counter()
        stream = stream or sys.stderr
        if say and stream.isatty():
            how = {"bar_format": BAR, "file": stream, "dynamic_ncols": True}
            self.bar = tqdm(total=sum(self.due.values()), **how)
            self._show()

    def begin(self, name):
        """Note that a job is begun or gone on with."""
        if self.bar is not None:
            self.bar.set_postfix_str(name)

    def step(self, name):
        """Return a callback for the job's run."""

        def step(step):
            self.at(name, step.iteration)

        step.look_every = 0  # it needs no picture
        return step

    def at(self, name, iteration):
        """Note which iteration a job has reached; where it was gone on with, none was made."""
        more = max(iteration - self.reached[name], 0)
        self.moved += more if self.reached[name] else 0
        self._forth(name, more)

    def ended(self, outcome):
        """Say how a job ended."""
        self._forth(outcome.name, self.due[outcome.name] - self.reached[outcome.name])
        self.done += outcome.state == DONE
        self.failed += outcome.state != DONE
        if self.say is None:
            return
        line = f"{self.done + self.failed} of {self.jobs}  {outcome.name}: "
        if outcome.state == DONE:
            line += f"{outcome.iterations} iterations in {outcome.seconds:.0f} s"
        else:
            line += f"FAILED: {outcome.reason}"
        if self.bar is None:
            self.say(line + self._left())
        else:
            if outcome.state != DONE:  # the bar tells the rest
                self.note(line)
            self._show()

    def note(self, line):
        """Say something beside the count."""
        if self.bar is not None:
            self.bar.write(line, file=self.bar.fp)
        elif self.say:
            self.say(line)

    def close(self):
        """End the bar."""
        if self.bar is not None:
            self.bar.close()

    def _forth(self, name, iterations):
        self.reached[name] += iterations
        if self.bar is not None:
            self.bar.update(iterations)

    def _show(self):
        failed = f", {self.failed} failed" if self.failed else ""
        self.bar.set_description_str(f"{self.done} of {self.jobs} done{failed}")

    def _left(self):
        left = sum(self.due.values()) - sum(self.reached.values())
        if not self.moved or not left:
            return ""
        seconds = left * (time.perf_counter() - self.began) / self.moved
        return f", about {in_words(seconds)} left"
