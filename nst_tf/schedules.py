"""Schedules: default optimizer, learning rate and resolution levels of a run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """Optimizer, learning rate and resolution levels of a run.

    Attributes
    ----------
    optimizer : str
        Name, as in the config.
    learning_rate : float
        Step of Adam, in gray levels.
    decay : str
        As for `learning_rate_at`; it restarts at each level.
    coarsest : int or None
        Approximate number of pixels of the first level. None: a single level.
    growth : float
        Maximum growth of the sides from one level to the next.
    fewer : float
        Iterations of a level as a fraction of the previous level's.
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
