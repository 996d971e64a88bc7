"""Progress of a batch: a bar on a terminal, a line per job elsewhere."""

import sys
import time

from tqdm.auto import tqdm

from nst_tf.console import print_line, printable
from nst_tf.image.print_size import paper_size
from nst_tf.jobs.job import DONE
from nst_tf.scaling.levels import nominal_levels, work_left
from nst_tf.scaling.times import in_words

BAR = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining} {postfix}"


class Progress:
    """Counts the work of all jobs and reports how each job ended.

    Iterations at coarse levels and of small pictures count less, if the settings give the sizes.

    Parameters
    ----------
    jobs : sequence of Job
        The remaining jobs.
    before : int
        Number of jobs that were already done.
    say : callable or None
        Receives a line for each job that ends; None prints nothing.
    stream : file, optional
        For the bar, if it is a terminal; default: stderr.
    """

    def __init__(self, jobs, before=0, say=print_line, stream=None):
        self.levels = {job.name: _levels(job.config) for job in jobs}
        self.work_left = {name: work_left(levels, 0) for name, levels in self.levels.items()}
        self.reached = set()  # jobs whose first iteration was seen
        self.left = sum(self.work_left.values())
        self.jobs, self.done, self.failed = len(jobs) + before, before, 0
        self.say, self.bar, self.new_work = say, None, 0
        self.began = time.perf_counter()
        stream = stream or sys.stderr
        if say and stream.isatty():
            options = {"bar_format": BAR, "file": stream, "dynamic_ncols": True}
            self.bar = tqdm(total=self.left, **options)
            self._show()

    def begin(self, name):
        """Record that a job is started or resumed."""
        if self.bar is not None:
            self.bar.set_postfix_str(printable(name))

    def step(self, name):
        """Return a callback for the run of a job."""

        def step(step):
            self.at(name, step.iteration)

        step.look_every = 0  # this callback needs no picture
        return step

    def at(self, name, iteration):
        """Record the iteration of a job; the first one of a resumed job is not counted as work."""
        more = max(self.work_left[name] - work_left(self.levels[name], iteration), 0)
        self.new_work += more if name in self.reached else 0
        self.reached.add(name)
        self._advance(name, more)

    def ended(self, outcome):
        """Report how a job ended."""
        self._advance(outcome.name, self.work_left[outcome.name])
        self.done += outcome.state == DONE
        self.failed += outcome.state != DONE
        if self.say is None:
            return
        line = f"{self.done + self.failed} of {self.jobs}  {outcome.name}: "
        if outcome.state == DONE:
            line += f"{outcome.iterations} iterations in {outcome.seconds:.0f} s"
            line += f"; {outcome.reason}" if outcome.reason else ""
        else:
            line += f"FAILED: {outcome.reason}"
        if self.bar is None:
            self.say(line + self._time_left())
        else:
            if outcome.reason:  # the bar shows the rest
                self.note(line)
            self._show()

    def note(self, line):
        """Print a message without disturbing the bar."""
        if self.bar is not None:
            self.bar.write(printable(line), file=self.bar.fp)
        elif self.say:
            self.say(line)

    def close(self):
        """Close the bar."""
        if self.bar is not None:
            self.bar.close()

    def _advance(self, name, work):
        self.work_left[name] -= work
        self.left -= work
        if self.bar is not None:
            self.bar.update(work)

    def _show(self):
        failed = f", {self.failed} failed" if self.failed else ""
        self.bar.set_description_str(f"{self.done} of {self.jobs} done{failed}")

    def _time_left(self):
        if not self.new_work or not self.left:
            return ""
        seconds = self.left * (time.perf_counter() - self.began) / self.new_work
        return f", about {in_words(seconds)} left"


def _levels(config):
    """Return the approximate levels of a job; none if its settings could not be read."""
    if config is None:
        return []
    chosen = {name: getattr(config, name) for name in ("levels", "min_size", "level_iterations")}
    size = config.size or (config.print and paper_size(config.print, config.form["dpi"]))
    return nominal_levels(size, config.schedule, config.iterations, config.unit, **chosen)
