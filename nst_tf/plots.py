"""Figures of pictures, losses and features; the only module that uses matplotlib."""

import io
from itertools import cycle, pairwise
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from nst_tf.files import atomic_file
from nst_tf.models import extract_features

LABEL, GAP = 15, 8  # font size of labels and width of gaps in `tiled`, in pixels
LINES = ("-", "--", ":", "-.")  # distinguish curves without color too


def show_images(*pictures, titles=None, height=4.0):
    """Show pictures side by side.

    Parameters
    ----------
    *pictures : (H, W, 3) uint8, or (1, H, W, 3) float32
        An image is shown as the network sees it, mean subtracted and stretched to the range of
        colors: the "funny" look of tutorial 0.
    titles : sequence of str, optional
    height : float
        Of the figure, in inches.

    Returns
    -------
    matplotlib.figure.Figure
    """
    shown = [_displayable(picture) for picture in pictures]
    widths = [picture.shape[1] / picture.shape[0] for picture in shown]
    figure, axes = plt.subplots(
        1,
        len(shown),
        figsize=(height * sum(widths), height),
        width_ratios=widths,
        squeeze=False,
        layout="constrained",
    )
    for axis, picture, title in zip(axes[0], shown, titles or [""] * len(shown), strict=True):
        axis.imshow(picture)
        axis.set_title(title)
        axis.axis("off")
    return figure


def _displayable(picture):
    picture = np.asarray(picture)
    if picture.dtype == np.uint8:
        return picture
    image = picture.reshape(picture.shape[-3:])
    return (image - image.min()) / max(np.ptp(image), 1e-6)


def plot_losses(history):
    """Plot the losses of a run over its iterations, on a logarithmic axis.

    Parameters
    ----------
    history : list of dict
        `Result.history`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    for name, line in zip(history[0], cycle(LINES)):
        values = np.array([losses[name] for losses in history])
        axis.semilogy(np.where(values > 0, values, np.nan), line, label=name)
    axis.set(xlabel="iteration", ylabel="loss (terms unweighted, total weighted)")
    figure.legend(loc="outside upper center", ncols=len(history[0]))
    return figure


def plot_frames(rows):
    """Plot flicker, followed share, iterations and loss of the frames of a film over its time.

    Parameters
    ----------
    rows : sequence
        With the attributes time (seconds), scene, flicker, followed, iterations and total. Another
        scene begins where a dotted line is.

    Returns
    -------
    matplotlib.figure.Figure
    """
    labels = {
        "flicker": "flicker\n(gray levels)",
        "followed": "followed",
        "iterations": "iterations",
        "total": "loss",
    }
    figure, axes = plt.subplots(len(labels), sharex=True, figsize=(7, 6), layout="constrained")
    times = [float(row.time - rows[0].time) for row in rows]
    cuts = [time for time, (a, b) in zip(times[1:], pairwise(rows)) if a.scene != b.scene]
    for axis, (name, label) in zip(axes, labels.items()):
        axis.plot(times, [getattr(row, name) for row in rows], ".-", markersize=3)
        for cut in cuts:
            axis.axvline(cut, linestyle=":", color="gray", linewidth=0.8)
        axis.set_ylabel(label)
        axis.set_ylim(bottom=0)
    axes[-1].set_xlabel("seconds")
    return figure


def as_svg(figure, label):
    """Return a figure as the text of an <svg> element to embed in a page, and close the figure."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]  # without the XML prologue
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


def show_sheet(sheet, *, height=2.5):
    """Show a `Sheet`: its pictures in rows and columns, labeled.

    Parameters
    ----------
    sheet : Sheet
    height : float
        Of a picture, in inches.

    Returns
    -------
    matplotlib.figure.Figure
    """
    shape = sheet.pictures[0][0].shape
    width = height * shape[1] / shape[0]
    figure, axes = plt.subplots(
        len(sheet.rows),
        len(sheet.columns),
        figsize=(width * len(sheet.columns) + 0.5, height * len(sheet.rows) + 0.8),
        squeeze=False,
        layout="constrained",
    )
    figure.suptitle(sheet.title)
    for row, label, pictures in zip(axes, sheet.rows, sheet.pictures):
        for axis, picture in zip(row, pictures):
            axis.imshow(picture)
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel(label)
    for axis, label in zip(axes[0], sheet.columns):
        axis.set_title(label, fontsize="medium")
    return figure


def save_sheet(path, sheet, *, dots_an_inch=150):
    """Save a `Sheet` as `show_sheet` draws it; the file is written atomically."""
    figure = show_sheet(sheet)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=dots_an_inch)
    plt.close(figure)


def tiled(pictures, labels, columns):
    """Return one picture with the pictures (H, W, 3) uint8 in rows on white, labels below.

    Labels that are too long are truncated; without any labels there is no space for them.
    """
    font = ImageFont.truetype(Path(mpl.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), LABEL)
    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    cell_height, cell_width = height + GAP + (2 * LABEL if any(labels) else 0), width + GAP
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (cell_width * columns + GAP, cell_height * rows + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (picture, label) in enumerate(zip(pictures, labels)):
        row, column = divmod(number, columns)
        x, y = GAP + cell_width * column, GAP + cell_height * row
        corner = (x + (width - picture.shape[1]) // 2, y + (height - picture.shape[0]) // 2)
        sheet.paste(Image.fromarray(picture), corner)
        middle = (x + width / 2, y + height + LABEL)
        draw.text(middle, _truncated(label, font, width), "black", font, anchor="mm")
    return np.asarray(sheet)


def _truncated(label, font, width):
    label = " ".join(label.split())
    if font.getlength(label) <= width:
        return label
    while label and font.getlength(f"{label}…") > width:
        label = label[:-1]
    return f"{label.rstrip()}…"


def show_feature_maps(model, image, layer, *, count=16, columns=8):
    """Show the feature maps of the strongest channels of a layer (tutorials 2 and 4).

    Parameters
    ----------
    model : Trunk
    image : (1, H, W, 3) float32
    layer : str
    count, columns : int
        Number of channels, largest mean first, and number per row.

    Returns
    -------
    matplotlib.figure.Figure
        White is the largest activation; each channel has its own scale.
    """
    features = extract_features(model, image, [layer])[layer].numpy()[0]  # (H_l, W_l, N_l)
    strongest = np.argsort(-features.mean(axis=(0, 1)))[:count]
    columns = min(columns, len(strongest))
    rows = -(-len(strongest) // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(1.6 * columns, 1.6 * rows * features.shape[0] / features.shape[1] + 0.4 * rows),
        squeeze=False,
        layout="constrained",
    )
    for axis in axes.flat:
        axis.axis("off")
    for axis, channel in zip(axes.flat, strongest):
        axis.imshow(features[:, :, channel], cmap="gray")
        axis.set_title(f"{layer} [{channel}]" if columns < 4 else f"[{channel}]")
    return figure


def as_jpeg(figure, *, dots_an_inch=80, quality=85):
    """Return a figure as the bytes of a JPEG, and close the figure.

    A tenth of a PNG's size: a notebook with twenty pictures stays below a megabyte.
    """
    png, jpeg = io.BytesIO(), io.BytesIO()
    figure.savefig(png, dpi=dots_an_inch)
    plt.close(figure)  # otherwise Jupyter shows it again
    Image.open(png, formats=["PNG"]).convert("RGB").save(jpeg, "JPEG", quality=quality)
    return jpeg.getvalue()
