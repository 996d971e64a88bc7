"""Live display of a run: an updated picture in a notebook, printed lines elsewhere."""

import html
import sys
import time

from nst_tf.callbacks import progress, progress_line
from nst_tf.errors import ConfigError
from nst_tf.report.inline import curve_inside, jpeg_bytes, shown_inside
from nst_tf.scaling.times import TimeLeft, in_words

EVERY = 10  # iterations between two lines outside a notebook
PAUSE = 0.4  # minimum seconds between two updates: neither eye nor browser follows faster ones
SHARE = 0.05  # maximum share of the run's time that updates may take
SIDE = 640  # maximum longer side of the picture that is shown, in pixels


def live(every=None, *, caption="The picture so far"):
    """Return a callback that updates progress, picture and loss curve in place in a notebook.

    JupyterLab, Jupyter Notebook and, by their documentation, VS Code and Colab support updates; a
    front end without them (`jupyter console`) keeps the first line: use `progress` there. An
    interrupted run keeps its last picture, marked as interrupted.

    Parameters
    ----------
    every : int, optional
        Iterations between two updates; the first and last are always shown. By default, updates
        take at most a twentieth of the time.
    caption : str
        Alt text of the picture; the iteration is appended.

    Returns
    -------
    callable
        Takes a `Step`. Outside a notebook it prints a line at every `every`-th iteration, by
        default every tenth.
    """
    if every is not None and every < 1:
        raise ConfigError(f"`every` is {every}; it must be at least 1")
    return _Live(every, caption) if in_notebook() else progress(every or EVERY, stream=sys.stdout)


def in_notebook():
    """Return whether this runs in a notebook's kernel, which can show HTML."""
    if "ipykernel" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")


class _Live:
    def __init__(self, every, caption):
        self.every = every
        # 0 requests no picture; a step has one whenever a TensorFlow call has ended.
        self.look_every = every or 0
        self.caption = caption
        self.time_left = TimeLeft()
        self.handle = None

    def __call__(self, step):
        if self.handle is None or step.iteration == 0:
            self.totals, self.handle, self.due = [], None, 0.0
        self.totals.append((step.iteration, step.losses["total"]))
        self.left = self.time_left(step)
        if self._is_due(step):
            self._update(step)
        if step.last:
            self.handle = None  # the next run gets its own display

    def _is_due(self, step):
        if self.handle is None or step.last:
            return True
        if self.every:
            return step.iteration % self.every == 0
        return step.image is not None and time.perf_counter() >= self.due

    def _update(self, step):
        began = time.perf_counter()
        self.step = step
        self.jpeg = jpeg_bytes(step.picture(), side=SIDE)
        self._show(_status_line(step, self.left))
        now = time.perf_counter()
        self.due = now + max(PAUSE, (now - began) * (1 / SHARE - 1))

    def _show(self, line):
        from IPython.display import display

        data = {"text/plain": line, "text/html": self._html(line)}
        if self.handle is None:
            self.handle = display(data, raw=True, display_id=True)
        else:
            self.handle.update(data, raw=True)

    def _html(self, line):
        """Return the HTML of one update: bar, numbers, picture and curve."""
        step = self.step
        bar = (
            f'<progress value="{step.iteration}" max="{max(step.iterations, 1)}" '
            f'aria-label="iterations"></progress> {html.escape(line.replace("  ", ", "))}'
        )
        alt = f"{self.caption}, after {step.iteration} of {step.iterations} iterations"
        shown = shown_inside(alt, "image/jpeg", self.jpeg)
        shown += curve_inside(self.totals, step.iterations)
        row = "display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start;margin-top:6px"
        return f'<div>{bar}<div style="{row}">{shown}</div></div>'

    def close(self):
        """Mark an interrupted run; do nothing after a completed one."""
        if self.handle is not None:
            step, loss = self.step, self.totals[-1]
            self._show(f"interrupted: {loss[0]}/{step.iterations}  loss {loss[1]:.4g}")
            self.handle = None


def _status_line(step, left):
    """Return a `Step` as a line, with the time taken instead of the time left for the last one."""
    if not step.last:
        return progress_line(step, left)
    count = f"{step.iteration}/{step.iterations}"
    return f"{count}  loss {step.losses['total']:.4g}  took {in_words(step.seconds)}"
