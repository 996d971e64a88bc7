"""A run that one watches: in a notebook the picture grows in place, elsewhere lines are printed."""

import base64
import html
import io
import math
import sys

from PIL import Image

from nst_tf.callbacks import progress, progress_line
from nst_tf.errors import ConfigError

CURVE = (240, 90)  # width and height of the loss curve, in CSS pixels
JPEG_QUALITY = 85


def live(every=10, *, caption="The picture so far"):
    """Return a callback that shows progress, picture and loss curve, in place (Jupyter, Colab).

    Parameters
    ----------
    every : int
        Iterations between two looks at the picture; the last is always shown.
    caption : str
        What the picture is, for those who can't see it; the iteration is added.

    Returns
    -------
    callable
        Takes a `Step`. Where there is no notebook it prints a line at every `every`-th iteration.
    """
    if every < 1:
        raise ConfigError(f"`every` is {every}; it must be at least 1")
    return _Live(every, caption) if in_notebook() else progress(every, stream=sys.stdout)


def in_notebook():
    """Return whether a notebook's kernel runs this, which can show HTML."""
    if "ipykernel" not in sys.modules:
        return False
    from IPython import get_ipython  # comes with Jupyter, not with nst_tf

    return hasattr(get_ipython(), "kernel")


class _Live:
    def __init__(self, every, caption):
        self.look_every = every
        self.caption = caption

    def __call__(self, step):
        if step.iteration == 0:
            self.totals, self.handle = [], None
        self.totals.append(step.losses["total"])
        if step.last or step.iteration % self.look_every == 0:
            self._show(step)

    def _show(self, step):
        from IPython.display import display

        alt = f"{self.caption}, after {step.iteration} of {step.iterations} iterations"
        line = progress_line(step)
        seen = {"text/plain": line, "text/html": _page(step, line, alt, self.totals)}
        if self.handle is None:
            self.handle = display(seen, raw=True, display_id=True)
        else:
            self.handle.update(seen, raw=True)


def _page(step, line, alt, totals):
    """Return the HTML of one look: bar and numbers, picture, curve."""
    bar = (
        f'<progress value="{step.iteration}" max="{max(step.iterations, 1)}" '
        f'aria-label="iterations"></progress> {html.escape(line)}'
    )
    data = base64.b64encode(jpeg_bytes(step.picture())).decode()
    picture = f'<img alt="{html.escape(alt)}" src="data:image/jpeg;base64,{data}">'
    return f"<div>{bar}<br>{picture} {loss_curve(totals)}</div>"


def jpeg_bytes(picture):
    """Return a picture (H, W, 3) uint8 as the bytes of a small JPEG, to be looked at."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def loss_curve(totals):
    """Return a drawing (SVG) of the total loss over iterations, on a logarithmic axis.

    Parameters
    ----------
    totals : list of float
        Where one is 0 or less it has no logarithm and is left out.
    """
    points = [(place, math.log10(loss)) for place, loss in enumerate(totals) if loss > 0]
    if len(points) < 2:
        return ""
    width, height = CURVE
    low, high = min(y for _, y in points), max(y for _, y in points)
    across, up = width / points[-1][0], height / max(high - low, 1e-9)
    path = " ".join(f"{x * across:.1f},{(high - y) * up:.1f}" for x, y in points)
    words = f"Total loss, logarithmic: from {totals[0]:.3g} to {totals[-1]:.3g}"
    return (
        f'<svg role="img" aria-label="{words}" width="{width}" height="{height}" '
        f'viewBox="-2 -2 {width + 4} {height + 4}"><title>{words}</title>'
        f'<polyline points="{path}" fill="none" stroke="#0b6e99" stroke-width="2"/></svg>'
    )
