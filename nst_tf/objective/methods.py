"""The terms of the methods that compare positions of maps in place of statistics."""

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
        Which terms there are; the first counts only for a method with a content term of its own.

    Returns
    -------
    list
        A style term; of "transport", the content term as well.
    """
    return TERMS[config.method](model, config, layer_weights, content, style)
