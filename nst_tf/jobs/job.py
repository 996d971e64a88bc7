"""A job of a list, and how it ended."""

from dataclasses import dataclass

from nst_tf.config import JobConfig

DONE, FAILED = "done", "failed"


@dataclass(frozen=True)
class Job:
    """A picture to be made.

    Attributes
    ----------
    name : str
        Of its folder.
    config : JobConfig or None
    problem : str
        Why there is no config: the job has failed before it began.
    """

    name: str
    config: JobConfig | None
    problem: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a job ended.

    Attributes
    ----------
    name : str
    state : {"done", "failed"}
    reason : str
        Why it failed.
    iterations : int
    seconds : float
        Of painting, over all attempts.
    loss : float or None
        The last total.
    attempts : int
        How often it was begun, in this call of the program; 0: it was done before.
    worker : str
    """

    name: str
    state: str
    reason: str = ""
    iterations: int = 0
    seconds: float = 0.0
    loss: float | None = None
    attempts: int = 1
    worker: str = ""
