"""Pictures and curves embedded in a page, so that nothing is fetched."""

import base64
import html
import io
import math

from PIL import Image

JPEG_QUALITY = 85
CURVE = (320, 160)  # width and height of the loss curve
FRAME = (62, 30, 308, 130)  # its plot area: left, top, right, bottom
MAX_POINTS = 250  # about one per pixel; keeps the message small for long runs


def shown_inside(alt, kind, data):
    """Return an <img> with its data embedded, no wider than its container."""
    address = data_address(kind, data)
    style = "max-width:100%;height:auto;margin:0"
    return f'<img alt="{html.escape(alt)}" src="{address}" style="{style}">'


def data_address(kind, data):
    """Return a data URL of bytes with a media type such as image/jpeg."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def jpeg_address(picture, side=None):
    """Return a picture (H, W, 3) or (H, W) uint8 as the data URL of a JPEG."""
    return data_address("image/jpeg", jpeg_bytes(picture, side=side))


def jpeg_bytes(picture, *, side=None):
    """Return a picture (H, W, 3) uint8 as the bytes of a small JPEG, for display.

    The longer side is reduced to `side` if it is larger.
    """
    file, picture = io.BytesIO(), Image.fromarray(picture)
    if side:
        picture.thumbnail((side, side))
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def curve_inside(totals, iterations):
    """Return `loss_curve` as an <img> with alternative text; empty if there is no curve yet.

    An <img> stays visible in untrusted notebooks, where inline SVG is removed.
    """
    curve = loss_curve(totals, iterations)
    return shown_inside(_curve_alt(totals), "image/svg+xml", curve.encode()) if curve else ""


def loss_curve(totals, iterations):
    """Return an SVG plot of the total loss over iterations, on a logarithmic axis.

    It draws its own light background: an image can't follow the dark theme of a notebook.

    Parameters
    ----------
    totals : list of (int, float)
        Iteration and loss. Losses of 0 or less have no logarithm and are skipped.
    iterations : int
        Of the whole run: the right end of the axis.

    Returns
    -------
    str
        The text of an SVG file; empty for fewer than two points.
    """
    logs = [(iteration, math.log10(loss)) for iteration, loss in totals if loss > 0]
    points = _thinned(logs)
    if len(points) < 2:
        return ""
    left, top, right, bottom = FRAME
    low, high = min(y for _, y in points), max(y for _, y in points)
    x_scale, y_scale = (right - left) / max(iterations, 1), (bottom - top) / max(high - low, 1e-9)
    pixels = [(left + x * x_scale, top + (high - y) * y_scale) for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
    end_x, end_y = pixels[-1]
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
    """Return at most about `MAX_POINTS` evenly spaced points, including the last."""
    step = -(-len(points) // MAX_POINTS)
    return points[(len(points) - 1) % step :: step] if step > 1 else points


def _short(loss):
    return f"{loss:.3g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")


def _curve_alt(totals):
    (_, first), (_, last) = totals[0], totals[-1]
    return f"Total loss over the iterations, logarithmic: from {first:.3g} to {last:.3g}"
