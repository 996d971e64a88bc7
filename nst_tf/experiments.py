"""Reconstructions from features, and grids of runs as in the figures of the paper."""

from dataclasses import dataclass

import numpy as np

from nst_tf.config import FINE_LAYERS, STYLE_LAYERS, TransferConfig
from nst_tf.errors import ConfigError
from nst_tf.image.noise import generate_noise_image
from nst_tf.image.pixels import check_image
from nst_tf.image.sizes import fit_size
from nst_tf.models import resolve_layers
from nst_tf.objective.objective import Style
from nst_tf.transfer import style_transfer

NOISE = {"noise": "gaussian", "amplitude": 50.0}  # strong enough to hide the picture
CONTENT_LAYERS = ("conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2")  # CVPR 2016, Figure 1
RATIOS = (1e-5, 1e-4, 1e-3, 1e-2)  # alpha / beta, the columns of Figure 3


@dataclass(frozen=True)
class Sheet:
    """Pictures in labeled rows and columns.

    Attributes
    ----------
    title : str
    rows, columns : tuple of str
        Labels.
    pictures : list of list of (H, W, 3) uint8
        One list per row.
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    pictures: list[list[np.ndarray]]


def reconstruct_content(model, image, layer, *, seed=0, **knobs):
    """Reconstruct a picture from the features of `image` at a layer, from noise (eq. 1 alone).

    The result shows what the layer retains: shallow layers reproduce the picture, deep ones its
    objects without the exact pixels (Gatys et al. 2015, Figure 1; tutorial 4;
    Mahendran & Vedaldi 2015).

    Parameters
    ----------
    model : Trunk
    image : (1, H, W, 3) float32
    layer : str, or sequence of str
        Layers of the trunk.
    seed : int
        Random seed of the noise.
    **knobs
        As in `TransferConfig`; by default, 200 iterations of L-BFGS without total variation.

    Returns
    -------
    Result
    """
    layers = resolve_layers(model, layer)
    knobs = {"alpha": 1.0, "content_layers": layers, **_with_defaults(knobs)}
    return style_transfer(image, None, model, init_image=_noise(model, image, seed), **knobs)


def reconstruct_style(model, image, layers, *, size=None, seed=0, **knobs):
    """Reconstruct a picture from the statistics of `image` at layers, from noise (eq. 5 alone).

    This is texture synthesis (Gatys, Ecker & Bethge, NIPS 2015): the more layers, the larger the
    patterns that are reproduced; their positions are arbitrary.

    Parameters
    ----------
    model : Trunk
    image : (1, H, W, 3) float32
    layers : sequence of str
    size : (height, width), int or str, optional
        Size of the result, as for `load_image`; default: that of the image.
    seed : int
        Random seed of the noise.
    **knobs
        As in `TransferConfig`; by default, 200 iterations of L-BFGS without total variation.

    Returns
    -------
    Result
    """
    layers = resolve_layers(model, layers)
    check_image("image", image)
    height, width = image.shape[1:3] if size is None else fit_size(size, image.shape[1:3])
    start = _noise(model, np.zeros((1, height, width, 3), np.float32), seed)
    knobs = {"beta": 1.0, "style_layers": layers, **_with_defaults(knobs)}
    return style_transfer(None, image, model, init_image=start, **knobs)


def mix_scales(model, fine_image, coarse_image, *, layers=FINE_LAYERS, callbacks=(), **knobs):
    """Mix two styles by scale: the fine texture of one, the coarse structure of the other.

    The optimization starts from the coarse image and matches the statistics of the fine image at
    shallow layers, without a content loss. The result is a style image for `style_transfer`
    (Gatys et al. 2017, section 6; `transfer_texture` in their ScaleControl.ipynb).

    Differs from that notebook in the weights of the layers, which are equal in the unit
    `relative`, and in the number of iterations, which is 500 there.

    Parameters
    ----------
    model : Trunk
    fine_image, coarse_image : (1, H, W, 3) float32
        Their sizes may differ.
    layers : sequence of str
        Layers of the trunk. Deeper layers also replace larger shapes.
    callbacks : sequence of callable
        As for `style_transfer`.
    **knobs
        As in `TransferConfig`; by default, 100 iterations of L-BFGS without total variation.

    Returns
    -------
    Result
        Its picture has the size of `coarse_image`.
    """
    layers = resolve_layers(model, layers)
    knobs = {"beta": 1.0, "style_layers": layers, **_with_defaults({"iterations": 100, **knobs})}
    start = {"init_image": coarse_image, "callbacks": callbacks}
    return style_transfer(None, fine_image, model, **start, **knobs)


def interpolate_styles(
    content_image,
    first_image,
    second_image,
    model,
    count=5,
    *,
    each=lambda number, result: None,
    **knobs,
):
    """Paint pictures from one style to another, along the geodesic of their moments.

    The targets are those of `moments_between` at t = 0, 1 / (count - 1), ..., 1: the first and the
    last picture are those of the single styles. Each run starts from the same image, and the
    objective is traced once. For a single t, call `style_transfer` with two `Style` objects of
    weights 1 - t and t, and ``blend="geodesic"``.

    Parameters
    ----------
    content_image, first_image, second_image : (1, H, W, 3) float32
        The styles may have any sizes.
    model : Trunk
    count : int
        Number of pictures, at least 2.
    each : callable
        Called with number (from 1) and `Result` after each run.
    **knobs
        As for `style_transfer`; the method is "moments" (default) or "wasserstein".

    Returns
    -------
    list of Result

    Raises
    ------
    ConfigError, ImageError, Diverged, OutOfMemory, Interrupted
        As for `style_transfer`; ConfigError also if `count` is below 2.
    """
    _check_absent(knobs, "blend")
    if count < 2:
        raise ConfigError(f"`count` is {count}; it must be at least 2, for both styles")
    knobs = {"method": "moments", **knobs, "blend": "geodesic"}
    last, results = count - 1, []
    for number in range(count):
        weights = (first_image, 1 - number / last), (second_image, number / last)
        styles = [Style(image, weight) for image, weight in weights if weight]
        results.append(style_transfer(content_image, styles, model, **knobs))
        each(number + 1, results[-1])
    return results


def layer_grid(
    content_image,
    style_image,
    model,
    *,
    content_layers=CONTENT_LAYERS,
    style_layers=STYLE_LAYERS,
    seed=0,
    each=lambda row, column, picture: None,
    **knobs,
):
    """Reproduce Figure 1 of Gatys et al. 2015: reconstructions layer by layer, from noise.

    Parameters
    ----------
    content_image, style_image : (1, H, W, 3) float32
    model : Trunk
    content_layers : sequence of str
        One picture each. The defaults are the figure's in CVPR 2016; arXiv has conv1_1 ... 5_1.
    style_layers : sequence of str
        Nested: the first alone, the first two, ...; the same number as `content_layers`.
    seed : int
        Random seed of the noise.
    each : callable
        Called with row, column (from 1) and picture after each run.
    **knobs
        As for `reconstruct_content`.

    Returns
    -------
    Sheet
        The first row shows style, the second content.
    """
    _check_absent(knobs, "alpha", "beta", "content_layers", "style_layers")
    content_layers = resolve_layers(model, content_layers)
    style_layers = resolve_layers(model, style_layers)
    if len(content_layers) != len(style_layers):
        raise ConfigError(
            f"there are {len(content_layers)} content layers and {len(style_layers)} style "
            "layers; give the same number of both"
        )
    TransferConfig(**_with_defaults(knobs))  # report a wrong knob before the first run
    styles, contents = [], []
    for number, layers in enumerate(nested(style_layers), 1):
        styles.append(reconstruct_style(model, style_image, layers, seed=seed, **knobs).picture)
        each(1, number, styles[-1])
    for number, layer in enumerate(content_layers, 1):
        result = reconstruct_content(model, content_image, layer, seed=seed, **knobs)
        contents.append(result.picture)
        each(2, number, contents[-1])
    columns = [
        f"style to {style}\ncontent {content}"
        for style, content in zip(style_layers, content_layers)
    ]
    title = f"What {model.name} preserves"
    return Sheet(title, ("style", "content"), tuple(columns), [styles, contents])


def weight_grid(
    content_image,
    style_image,
    model,
    *,
    ratios=RATIOS,
    style_layers=STYLE_LAYERS,
    seed=0,
    each=lambda row, column, picture: None,
    **knobs,
):
    """Reproduce Figure 3 of Gatys et al. 2015: sets of style layers by ratios alpha / beta.

    Parameters
    ----------
    content_image, style_image : (1, H, W, 3) float32
    model : Trunk
    ratios : sequence of float
        Values of alpha, with beta 1; one column for each.
    style_layers : sequence of str
        Nested: row A is the first alone, row B the first two, ...
    seed : int
        Random seed of the noise that the runs start from.
    each : callable
        Called with row, column (from 1) and picture after each run.
    **knobs
        As in `TransferConfig`; by default, 200 iterations of L-BFGS without total variation.

    Returns
    -------
    Sheet
    """
    _check_absent(knobs, "alpha", "beta", "style_layers")
    style_layers = resolve_layers(model, style_layers)
    configs = [  # all of them: report a wrong knob before the first run
        [
            TransferConfig(alpha=ratio, beta=1.0, style_layers=layers, **_with_defaults(knobs, {}))
            for ratio in np.ravel(ratios).tolist()
        ]
        for layers in nested(style_layers)
    ]
    start = _noise(model, content_image, seed)
    pictures = []
    for row, row_configs in enumerate(configs, 1):
        pictures.append([])
        for column, config in enumerate(row_configs, 1):
            result = style_transfer(
                content_image, style_image, model, init_image=start, config=config
            )
            pictures[-1].append(result.picture)
            each(row, column, result.picture)
    rows = tuple(f"{letter}: to {layer}" for letter, layer in zip("ABCDEFGHIJKLMNOP", style_layers))
    columns = tuple(f"alpha/beta {config.alpha:g}" for config in configs[0])
    return Sheet(f"Style layers and weights, {model.name}", rows, columns, pictures)


def _check_absent(knobs, *names):
    for name in names:
        if name in knobs:
            raise ConfigError(f"the sheet sets `{name}`; omit it")


def nested(layers):
    """Return the first layer alone, the first two, and so on to all of them."""
    return [tuple(layers[: count + 1]) for count in range(len(layers))]


def _noise(model, image, seed):
    amplitude = NOISE["amplitude"] / model.space.scale
    return generate_noise_image(image, 1.0, noise=NOISE["noise"], amplitude=amplitude, seed=seed)


def _with_defaults(knobs, unit=None):
    """Return the defaults of a run from noise, updated by `knobs`."""
    unit = {"unit": "relative"} if unit is None else unit
    return {"optimizer": "lbfgs", "iterations": 200, "tv_weight": 0.0, **unit, **knobs}
