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
    Objective
        ``image (1, H, W, 3) -> {name: scalar, ..., "total": scalar}``: the terms unweighted,
        the total weighted, eq. (7). One pass through the trunk serves all terms.
    """
    return Objective(through or WholePass(model), terms)


class Objective:
    """The losses of an image: what `make_objective` returns.

    Attributes
    ----------
    aims : list of tensors
        What the terms aim at and their weights, all in one row. ``objective(image, *aims)`` takes
        those of another objective of the same `form`, whose terms were made from other pictures.
    form : str
        Tells which objectives differ in nothing but the numbers in their `aims`, if their trunks
        and the knobs of their terms are the same.
    """

    def __init__(self, through, terms):
        self.through = through
        self.terms = terms
        self.layers = {layer for term in terms for layer in term.layers}
        self.margin = max(term.margin for term in terms)
        self.nest = {term.name: (term.weight, term.aims) for term in terms}
        self.aims = [_tensor(each) for each in tf.nest.flatten(self.nest)]
        shapes = [(tuple(each.shape), each.dtype.name) for each in self.aims]
        self.form = str(tf.nest.pack_sequence_as(self.nest, shapes))

    def __call__(self, image, *aims):
        """Return the losses of an image, measured against its own aims or those given."""
        nest = tf.nest.pack_sequence_as(self.nest, aims or self.aims)

        def measure(features, image, window):
            return {
                term.name: term.measure(features, image, window, nest[term.name][1])
                for term in self.terms
            }

        measured = self.through.measured(image, self.layers, measure, self.margin)
        losses = {
            term.name: term.judge(measured[term.name], nest[term.name][1]) for term in self.terms
        }
        weighted = [nest[name][0] * loss for name, loss in losses.items()]
        losses["total"] = tf.add_n(weighted)
        return losses


def _tensor(x):
    return x if tf.is_tensor(x) else tf.constant(x, tf.float32)
