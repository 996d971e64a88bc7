"""From an image to its losses."""

import tensorflow as tf

from nst_tf.trunks import extract_features


def make_objective(model, terms):
    """Return a function from an image to the losses of all terms.

    Parameters
    ----------
    model : Trunk
    terms : sequence of Term

    Returns
    -------
    callable
        ``image (1, H, W, 3) -> {name: scalar, ..., "total": scalar}``: the terms unweighted,
        the total weighted, eq. (7). One pass through the trunk serves all terms.
    """
    layers = {layer for term in terms for layer in term.layers}

    def objective(image):
        features = extract_features(model, image, layers)
        losses = {term.name: term.loss(features, image) for term in terms}
        losses["total"] = tf.add_n([term.weight * losses[term.name] for term in terms])
        return losses

    return objective
