"""What is made once and kept for the next picture: trunks and traced functions."""

from collections import OrderedDict


class Kept:
    """Keeps what was made under a key, the last used `most` of it.

    A run on its own makes what it needs and lets go of it. A batch passes one `Kept` from job to
    job: then the weights are read once, and pictures of one size share the traced functions.

    Parameters
    ----------
    most : int
        0 keeps nothing.
    """

    def __init__(self, most=0):
        self.most = most
        self.things = OrderedDict()

    def get(self, key, make):
        """Return what is kept under a key, made by ``make()`` where there is nothing."""
        if key not in self.things:
            thing = make()
            if not self.most:
                return thing
            self.things[key] = thing
        self.things.move_to_end(key)
        while len(self.things) > self.most:
            self.things.popitem(last=False)
        return self.things[key]
