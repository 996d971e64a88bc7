"""A job of a batch and its outcome."""

from dataclasses import dataclass, field

from nst_tf.config import JobConfig

DONE, FAILED = "done", "failed"


@dataclass(frozen=True)
class Job:
    """A picture to be made.

    Attributes
    ----------
    name : str
        Of its directory.
    config : JobConfig or None
    problem : str
        Why there is no config: the job failed before it started.
    """

    name: str
    config: JobConfig | None
    problem: str = ""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a job.

    Attributes
    ----------
    name : str
    state : {"done", "failed"}
    reason : str
        Why the job failed; or what is wrong with its result, and what became of its earlier files.
    iterations : int
    seconds : float
        Run time over all attempts.
    loss : float or None
        The last total loss.
    attempts : int
        Number of starts by this program, and of those in which an earlier process died; 0 if the
        job was complete before.
    worker : str
    score : dict of float
        Of a picture that is done; empty if there is none.
    """

    name: str
    state: str
    reason: str = ""
    iterations: int = 0
    seconds: float = 0.0
    loss: float | None = None
    attempts: int = 1
    worker: str = ""
    score: dict[str, float] = field(default_factory=dict)
