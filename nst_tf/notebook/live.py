"""A run that one watches: in a notebook the picture grows in place, elsewhere lines are printed."""

import html
import sys
import time

from nst_tf.callbacks import in_words, progress, progress_line
from nst_tf.errors import ConfigError
from nst_tf.report.inline import curve_inside, jpeg_bytes, shown_inside

EVERY = 10  # iterations between two lines, where there is no notebook
PAUSE = 0.4  # seconds between two looks at least: more can't be followed, nor sent to a browser
SHARE = 0.05  # of the run's time at most may go into looking
SIDE = 640  # the longer side at most of the picture that is shown


def live(every=None, *, caption="The picture so far"):
    """Return a callback that shows progress, picture and loss curve, in place, in a notebook.

    JupyterLab, Jupyter Notebook, and by their documentation VS Code and Colab, replace what is
    shown; a front end that can't (`jupyter console`) keeps the first line: use `progress` there. A
    run that is cut off leaves its last picture, marked as interrupted.

    Parameters
    ----------
    every : int, optional
        Iterations between two looks at the picture; the first and last are always shown. By
        default so many that looking takes at most a twentieth of the time.
    caption : str
        What the picture is, for those who can't see it; the iteration is added.

    Returns
    -------
    callable
        Takes a `Step`. Where there is no notebook it prints a line at every `every`-th iteration,
        by default every tenth.
    """
    if every is not None and every < 1:
        raise ConfigError(f"`every` is {every}; it must be at least 1")
    return _Live(every, caption) if in_notebook() else progress(every or EVERY, stream=sys.stdout)


def in_notebook():
    """Return whether a notebook's kernel runs this, which can show HTML."""
    if "ipykernel" not in sys.modules:
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")


class _Live:
    def __init__(self, every, caption):
        self.every = every
        # Where nobody asks for a picture there is one whenever TensorFlow is done with a call.
        self.look_every = every or 0
        self.caption = caption
        self.handle = None

    def __call__(self, step):
        if self.handle is None or step.iteration == 0:
            self.totals, self.handle, self.due = [], None, 0.0
        self.totals.append((step.iteration, step.losses["total"]))
        if self._is_due(step):
            self._look(step)
        if step.last:
            self.handle = None  # the next run has a place of its own

    def _is_due(self, step):
        if self.handle is None or step.last:
            return True
        if self.every:
            return step.iteration % self.every == 0
        return step.image is not None and time.perf_counter() >= self.due

    def _look(self, step):
        began = time.perf_counter()
        self.step = step
        self.jpeg = jpeg_bytes(step.picture(), side=SIDE)
        self._show(_words(step))
        now = time.perf_counter()
        self.due = now + max(PAUSE, (now - began) * (1 / SHARE - 1))

    def _show(self, line):
        from IPython.display import display

        seen = {"text/plain": line, "text/html": self._page(line)}
        if self.handle is None:
            self.handle = display(seen, raw=True, display_id=True)
        else:
            self.handle.update(seen, raw=True)

    def _page(self, line):
        """Return the HTML of one look: bar and numbers, picture, curve."""
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
        """Mark a run that was cut off; of one that came to its end nothing is left to do."""
        if self.handle is not None:
            step, loss = self.step, self.totals[-1]
            self._show(f"interrupted: {loss[0]}/{step.iterations}  loss {loss[1]:.4g}")
            self.handle = None


def _words(step):
    """Return a `Step` as a line; of the last one how long it took instead of how long is left."""
    if not step.last:
        return progress_line(step)
    count = f"{step.iteration}/{step.iterations}"
    return f"{count}  loss {step.losses['total']:.4g}  took {in_words(step.seconds)}"
