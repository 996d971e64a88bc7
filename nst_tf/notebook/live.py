"""A run that one watches: in a notebook the picture grows in place, elsewhere lines are printed."""

import base64
import html
import io
import math
import sys
import time

from PIL import Image

from nst_tf.callbacks import in_words, progress, progress_line
from nst_tf.errors import ConfigError

EVERY = 10  # iterations between two lines, where there is no notebook
PAUSE = 0.4  # seconds between two looks at least: more can't be followed, nor sent to a browser
SHARE = 0.05  # of the run's time at most may go into looking
SIDE = 640  # the longer side at most of the picture that is shown
JPEG_QUALITY = 85
CURVE = (320, 160)  # width and height of the loss curve
FRAME = (62, 30, 308, 130)  # where in it the curve itself is: left, top, right, bottom
MOST_POINTS = 250  # of the curve: its pixels, and a long run's message stays small


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


def shown_inside(alt, kind, data):
    """Return an <img> with its bytes inside, no wider than its place."""
    address = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    how = "max-width:100%;height:auto;margin:0"
    return f'<img alt="{html.escape(alt)}" src="{address}" style="{how}">'


def jpeg_bytes(picture, *, side=None):
    """Return a picture (H, W, 3) uint8 as the bytes of a small JPEG, to be looked at.

    Its longer side becomes `side`, if it is larger.
    """
    file, picture = io.BytesIO(), Image.fromarray(picture)
    if side:
        picture.thumbnail((side, side))
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


# ---------------------------------------------------------------------------- the curve


def curve_inside(totals, iterations):
    """Return `loss_curve` in words and as an <img>, or nothing where there is no curve yet.

    As a picture it stays where drawings are taken out of pages nobody vouches for.
    """
    curve = loss_curve(totals, iterations)
    words = curve and _words_for_curve(totals)
    return shown_inside(words, "image/svg+xml", curve.encode()) if curve else ""


def loss_curve(totals, iterations):
    """Return a drawing of the total loss over iterations, on a logarithmic axis.

    It brings its own light ground: a notebook's theme may be dark, and a picture is not told.

    Parameters
    ----------
    totals : list of (int, float)
        Iteration and loss. Where a loss is 0 or less it has no logarithm and is left out.
    iterations : int
        Of the whole run: where the curve will end.

    Returns
    -------
    str
        The text of an SVG file; empty for fewer than two points.
    """
    points = _thinned([(place, math.log10(loss)) for place, loss in totals if loss > 0])
    if len(points) < 2:
        return ""
    left, top, right, bottom = FRAME
    low, high = min(y for _, y in points), max(y for _, y in points)
    across, up = (right - left) / max(iterations, 1), (bottom - top) / max(high - low, 1e-9)
    placed = [(left + x * across, top + (high - y) * up) for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    end_x, end_y = placed[-1]
    width, height = CURVE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" fill="#333">'
        f'<rect width="{width}" height="{height}" rx="4" fill="#fff"/>'
        f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#999"/>'
        f'<text x="{left}" y="18">total loss, logarithmic</text>'
        f'<g text-anchor="end"><text x="{left - 6}" y="{top + 9}">{_short(10**high)}</text>'
        f'<text x="{left - 6}" y="{bottom}">{_short(10**low)}</text>'
        f'<text x="{right}" y="{bottom + 18}">{iterations} iterations</text></g>'
        f'<text x="{left}" y="{bottom + 18}">0</text>'
        f'<polyline points="{path}" fill="none" stroke="#0b6e99" stroke-width="2"/>'
        f'<circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="3.5" fill="#0b6e99"/></svg>'
    )


def _thinned(points):
    """Return at most about `MOST_POINTS` of the points, evenly, the last among them."""
    step = -(-len(points) // MOST_POINTS)
    return points[(len(points) - 1) % step :: step] if step > 1 else points


def _short(loss):
    return f"{loss:.3g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")


def _words_for_curve(totals):
    (_, first), (_, last) = totals[0], totals[-1]
    return f"Total loss over the iterations, logarithmic: from {first:.3g} to {last:.3g}"
