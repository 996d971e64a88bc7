"""The schedules: optimizer, learning rate and levels that a run has where its config names none."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """How a run is minimized.

    Attributes
    ----------
    optimizer : str
        As in the config.
    learning_rate : float
        Adam's, in gray levels.
    decay : str
        As for `learning_rate_at`; it starts anew at each level.
    coarsest : int or None
        Pixels of the first level, about. None: there is one level only.
    growth : float
        Of the sides, from a level to the next, at most.
    fewer : float
        Iterations of a level as a share of those of the level before it.
    """

    optimizer: str
    learning_rate: float
    decay: str
    coarsest: int | None = None
    growth: float = 2.0
    fewer: float = 1.0


SCHEDULES = {
    "tutorial": Schedule("adam", 5.0, "constant"),
    "fast": Schedule("lbfgs-fixed", 10.0, "cosine", coarsest=224 * 168, growth=2.0, fewer=0.7),
    "fine": Schedule("lbfgs-fixed", 10.0, "cosine", coarsest=224 * 168, growth=2.0, fewer=1.0),
}
