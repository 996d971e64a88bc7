"""What visitors order: runs, their limits and their state."""

from dataclasses import dataclass, field
from pathlib import Path

from nst_tf.config import JobConfig

WAITING, PAINTING, STOPPED = "waiting", "painting", "stopped"  # in addition to DONE and FAILED
OPEN = (WAITING, PAINTING)
LOOK_SECONDS = 0.8  # minimum seconds between two previews
LOOK_SIDE = 960  # maximum longer side of a preview, in pixels


@dataclass(frozen=True)
class Limits:
    """Limits on the runs of visitors.

    Attributes
    ----------
    side : int
        Maximum longer side of the picture, in pixels.
    minutes : float
        Maximum duration; a run that takes longer is stopped and can be continued.
    waiting : int
        Maximum length of the queue.
    per_address : int
        Maximum number of active and waiting runs of a network address other than this machine's.
    """

    side: int = 1280
    minutes: float = 30.0
    waiting: int = 30
    per_address: int = 3


@dataclass(frozen=True)
class Look:
    """A snapshot of an active run.

    Attributes
    ----------
    iteration : int
        Number of iterations that are done; of a film, of frames.
    iterations : int or None
        Number of all; None if a film does not say how many frames it has.
    share : float
        Share of the work that is done.
    left : str
        Remaining time as text.
    totals : list of float
        Total loss of picture 0, 1, 2, ..., or of the frames of a film.
    jpeg : bytes
    unit : str
        Of `iteration`.
    """

    iteration: int
    iterations: int | None
    share: float
    left: str
    totals: list[float] = field(repr=False)
    jpeg: bytes = field(repr=False)
    unit: str = "iterations"


@dataclass
class Order:
    """A run requested by a visitor. The studio's thread writes it, the page reads it.

    Attributes
    ----------
    key : str
        Identifies the order in the browser.
    owner : str
        The visitor who may stop it.
    title : str
    config : JobConfig
        A `VideoConfig` if a film is painted.
    seconds : float or None
        Approximate duration; replaces the config's iterations.
    folder : Path or None
        Known from the start if the run is continued.
    state : str
        One of WAITING, PAINTING, DONE, STOPPED, FAILED.
    reason : str
        Why it failed or was stopped.
    news : list of str
        Messages of the run: device, weights, precision, estimated time and memory.
    look : Look or None
    stopping : bool
        Whether the run was asked to stop.
    address : str
        The network address of the visitor.
    """

    key: str
    owner: str
    title: str
    config: JobConfig
    seconds: float | None = None
    folder: Path | None = None
    state: str = WAITING
    reason: str = ""
    news: list[str] = field(default_factory=list)
    look: Look | None = None
    stopping: bool = False
    address: str = ""


def time_is_up(minutes):
    """Return why a run was stopped that took longer than the page allows."""
    return f"stopped after {minutes:g} minutes, the limit of this page"
