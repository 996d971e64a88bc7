"""What a run's folder says of the run: all from its files, so that any run can be shown later."""

import csv
import io
import itertools
import math
from dataclasses import dataclass, replace
from pathlib import Path

from nst_tf.callbacks import saved_pictures
from nst_tf.checkpoints import CONFIG, RESULT, read_journal, recorded_precision
from nst_tf.config import FILMS, JobConfig
from nst_tf.errors import ConfigError, NstError
from nst_tf.files import read_text

LOSSES = "losses.csv"
MOST_LOSSES, MOST_ROWS = 2**25, 500_000  # bytes and rows of losses.csv; a row has 60 bytes
TERMS = ("total", "content", "style", "tv")  # columns of losses.csv


@dataclass(frozen=True)
class Record:
    """A run as its folder tells it.

    Attributes
    ----------
    folder : Path
    config : JobConfig
    history : list of dict
        Losses of picture 0, 1, 2, ...; a term that was not computed is absent.
    seconds : float
        Of the last row.
    pictures : list of (int, Path)
        Iteration and file of each saved picture, in order.
    films : list of Path
        Time-lapses of them.
    result : Path or None
    journal : dict
        Empty where there is none.
    """

    folder: Path
    config: JobConfig
    history: list[dict[str, float]]
    seconds: float
    pictures: list[tuple[int, Path]]
    films: list[Path]
    result: Path | None
    journal: dict

    @property
    def iterations(self):
        """Updates that were made: as the journal says, or as far as losses are known."""
        told = self.about.get("iterations")
        sane = told is not None and 0 <= told <= self.config.iterations
        return int(told) if sane else max(len(self.history) - 1, 0)

    @property
    def losses_are_whole(self):
        """Whether the losses of all pictures are known."""
        return len(self.history) == self.iterations + 1

    @property
    def finished(self):
        """Whether the run came to its end."""
        return "finished" in self.journal

    @property
    def about(self):
        """Return the numbers of the end in the journal: iterations, seconds, memory; or nothing."""
        finished = self.journal.get("finished")
        known = finished if isinstance(finished, dict) else {}
        numbers = {name: _number(each) for name, each in known.items()}
        return {name: number for name, number in numbers.items() if number is not None}


def read_record(folder):
    """Read a run's folder.

    Raises
    ------
    ConfigError
        It holds no run, or a damaged one.
    """
    folder = Path(folder)
    if not (folder / CONFIG).is_file():
        raise ConfigError(f"{folder} holds no {CONFIG}: it is no folder of a run")
    config = JobConfig.load(folder / CONFIG)
    history, seconds = _losses(folder / LOSSES)
    pictures = saved_pictures(folder)
    films = [folder / f"timelapse.{kind}" for kind in FILMS]
    films = [film for film in films if film.is_file()]
    result = folder / RESULT
    try:
        journal = read_journal(folder)
    except NstError:
        journal = {}
    result = result if result.is_file() else None
    config = replace(config, precision=recorded_precision(config, journal))
    return Record(folder, config, history, seconds, pictures, films, result, journal)


def _losses(path):
    """Return the losses of each row, as far as they are numbers, and the seconds of the last."""
    history, seconds = [], 0.0
    try:
        for row in csv.DictReader(loss_lines(path)):
            seconds = _number(row.get("seconds")) or seconds
            terms = {name: _number(row.get(name)) for name in TERMS}
            history.append({name: each for name, each in terms.items() if each is not None})
    except (OSError, csv.Error):
        pass  # what could be read is shown
    complete = history[0].keys() if history else ()  # a row may be cut off, or hold no numbers
    return [losses for losses in history if losses and losses.keys() == complete], seconds


def loss_lines(path):
    """Return the lines of losses.csv, as far as a run can have written them."""
    text = read_text(path, most=MOST_LOSSES, errors="replace")
    return itertools.islice(io.StringIO(text, newline=""), MOST_ROWS)


def _number(text):
    try:
        number = float(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
