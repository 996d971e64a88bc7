"""Pictures and curves inside a page: nothing is fetched from elsewhere."""

import base64
import html
import io
import math

from PIL import Image

JPEG_QUALITY = 85
CURVE = (320, 160)  # width and height of the loss curve
FRAME = (62, 30, 308, 130)  # where in it the curve itself is: left, top, right, bottom
MOST_POINTS = 250  # of the curve: its pixels, and a long run's message stays small


def shown_inside(alt, kind, data):
    """Return an <img> with its bytes inside, no wider than its place."""
    address = data_address(kind, data)
    how = "max-width:100%;height:auto;margin:0"
    return f'<img alt="{html.escape(alt)}" src="{address}" style="{how}">'


def data_address(kind, data):
    """Return bytes of a kind such as image/jpeg as an address that holds them."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def jpeg_address(picture, side=None):
    """Return a picture (H, W, 3) uint8, or (H, W), as an address that holds a JPEG."""
    return data_address("image/jpeg", jpeg_bytes(picture, side=side))


def jpeg_bytes(picture, *, side=None):
    """Return a picture (H, W, 3) uint8 as the bytes of a small JPEG, to be looked at.

    Its longer side becomes `side`, if it is larger.
    """
    file, picture = io.BytesIO(), Image.fromarray(picture)
    if side:
        picture.thumbnail((side, side))
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


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
