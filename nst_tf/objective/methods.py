"""The terms of the methods that compare positions of feature maps instead of statistics."""

from nst_tf.objective.neighbors import neighbor_term
from nst_tf.objective.patches import PatchTerm
from nst_tf.objective.transport import transport_terms


def _patch_terms(model, config, layer_weights, content, style):
    options = {
        "shift": config.activation_shift,
        "relative": config.unit == "relative",
        "propagation": config.propagation,
        "wrap": config.wrap or "",
        "stride": config.patch_stride,
    }
    return [PatchTerm(config.beta, layer_weights, **options)]


def _neighbor_terms(model, config, layer_weights, content, style):
    return [neighbor_term(model, config, layer_weights)]


TERMS = {"patches": _patch_terms, "neighbors": _neighbor_terms, "transport": transport_terms}


def method_terms(model, config, layer_weights, *, content, style):
    """Return the terms of a config's method.

    Parameters
    ----------
    model : Trunk
    config : TransferConfig
    layer_weights : dict of float
        Of the style layers, shallow layers first.
    content, style : bool
        Which terms to return; `content` applies only to methods with their own content term.

    Returns
    -------
    list
        A style term; for "transport", also the content term.
    """
    return TERMS[config.method](model, config, layer_weights, content, style)
