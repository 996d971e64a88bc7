"""From an image to its losses."""

import tensorflow as tf

from nst_tf.passes import WholePass


def make_objective(model, terms, through=None):
    """Return a function from an image to the losses of all terms.

    Parameters
    ----------
    model : Trunk
    terms : sequence of Term
    through : WholePass or TiledPass, optional
        How the picture goes through the trunk; default: in one piece.

    Returns
    -------
    callable
        ``image (1, H, W, 3) -> {name: scalar, ..., "total": scalar}``: the terms unweighted,
        the total weighted, eq. (7). One pass through the trunk serves all terms.
    """
    through = through or WholePass(model)
    layers = {layer for term in terms for layer in term.layers}
    margin = max(term.margin for term in terms)

    def measure(features, image, window):
        return {term.name: term.measure(features, image, window) for term in terms}

    def objective(image):
        measured = through.measured(image, layers, measure, margin)
        losses = {term.name: term.judge(measured[term.name]) for term in terms}
        losses["total"] = tf.add_n([term.weight * losses[term.name] for term in terms])
        return losses

    return objective
