"""Layer weights in powers of two, by depth."""

from nst_tf.errors import ConfigError, check_choice
from nst_tf.models import resolve_layers


def geometric_weights(model, layers, *, favor="bottom"):
    """Layer weights of Novak & Nikulin 2016, section 3.1: powers of two by depth.

    Parameters
    ----------
    model : Trunk
    layers : sequence of str
    favor : {"bottom", "top"}
        "bottom" is the paper's choice for style, ``2^(D - d(l))``; "top" is that for content,
        ``2^d(l)``.
        D is the number of convolutions in the trunk, d = 1..D the depth of a layer.

    Returns
    -------
    dict of float
        By layer name, not normalized: conv1_1 of VGG-19 gets 2^15 for style.

    Notes
    -----
    For style, tutorial 2's code (titu1994's INetwork.py) divides by 2^(D - d), which is "top",
    although its text says "bottom layers".

    Examples
    --------
    >>> from nst_tf import load_vgg_model
    >>> model = load_vgg_model("embedded")  # VGG-16: 13 convolutions
    >>> geometric_weights(model, ["conv1_1", "conv5_3"])
    {'conv1_1': 4096.0, 'conv5_3': 1.0}
    """
    check_choice("favor", favor, ("bottom", "top"))
    layers = resolve_layers(model, layers)
    depth = {name: d for d, name in enumerate(model.convolutions, 1)}
    for layer in layers:
        if layer not in depth:
            raise ConfigError(f"{layer} is no convolution, so it has no geometric weight")
    total = len(depth)
    power = {"bottom": lambda d: total - d, "top": lambda d: d}[favor]
    return {layer: 2.0 ** power(depth[layer]) for layer in layers}
