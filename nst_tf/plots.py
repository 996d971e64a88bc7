"""Pictures and curves for notebooks: the only place that uses matplotlib."""

import matplotlib.pyplot as plt
import numpy as np


def show_images(*pictures, titles=None, height=4.0):
    """Show pictures side by side.

    Parameters
    ----------
    *pictures : (H, W, 3) uint8, or (1, H, W, 3) float32
        An image is shown as the network sees it, mean subtracted and stretched to the range of
        colours: the "funny" look of tutorial 0.
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
    for name in history[0]:
        values = np.array([losses[name] for losses in history])
        axis.semilogy(np.where(values > 0, values, np.nan), label=name)
    axis.set(xlabel="iteration", ylabel="loss (terms unweighted, total weighted)")
    axis.legend()
    return figure
