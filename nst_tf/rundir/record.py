"""Read a run from the files in its directory, so that any run can be shown later."""

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

from nst_tf.callbacks import saved_pictures
from nst_tf.config import FILMS, JobConfig
from nst_tf.errors import ConfigError, NstError
from nst_tf.rundir.checkpoint import checkpoint_iteration
from nst_tf.rundir.journal import read_journal, recorded_precision
from nst_tf.rundir.layout import CONFIG, LOSSES, RESULT, STRIP, part_folder
from nst_tf.rundir.losses_csv import number, read_losses
from nst_tf.rundir.scores import OF_LAYER, SCORES


@dataclass(frozen=True)
class Record:
    """The contents of a run directory.

    Attributes
    ----------
    folder : Path
    config : JobConfig
    history : list of dict
        Losses of picture 0, 1, 2, ...; terms that were not computed are absent.
    seconds : float
        Time in the last row of losses.csv.
    pictures : list of (int, Path)
        Iteration and file of each saved picture, in order. With `interpolate`: number and file of
        each finished picture.
    films : list of Path
        Time-lapses of the saved pictures.
    result : Path or None
    journal : dict
        Empty if it is missing or damaged.
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
        """Number of updates, from the journal or else from the losses."""
        recorded = self.about.get("iterations")
        most = self.config.iterations * (self.config.interpolate or 1)
        valid = recorded is not None and 0 <= recorded <= most
        return int(recorded) if valid else max(len(self.history) - 1, 0)

    @property
    def losses_complete(self):
        """Whether the losses of all pictures are available."""
        return len(self.history) == self.iterations + 1

    @property
    def finished(self):
        """Whether the run has finished."""
        return "finished" in self.journal

    @property
    def about(self):
        """The final iterations, seconds and memory from the journal; empty if not finished."""
        numbers = {name: number(entry) for name, entry in self._end.items()}
        return {name: value for name, value in numbers.items() if value is not None}

    @property
    def warnings(self):
        """What is wrong with the result, a list of sentences from the journal."""
        return _sentences(self._end.get("warnings"))

    @property
    def score(self):
        """The numbers of the score from the journal, by name; empty if there is none."""
        entries = self._end.get("score")
        entries = entries if isinstance(entries, dict) else {}
        layers = [name for name in entries if name.startswith(OF_LAYER)]
        numbers = {name: number(entries.get(name)) for name in (*SCORES, *layers)}
        return {name: value for name, value in numbers.items() if value is not None}

    @property
    def remarks(self):
        """What was assumed of the inputs, a list of sentences from the journal."""
        return _sentences(self.journal.get("remarks"))

    @property
    def _end(self):
        finished = self.journal.get("finished")
        return finished if isinstance(finished, dict) else {}


def _sentences(entries):
    entries = entries if isinstance(entries, list) else []
    return [entry for entry in entries if isinstance(entry, str)]


def read_record(folder):
    """Read a run directory.

    Raises
    ------
    ConfigError
        The directory contains no run, or its config is damaged.
    """
    folder = Path(folder)
    if not (folder / CONFIG).is_file():
        raise ConfigError(f"{folder} contains no {CONFIG}: it is not a run directory")
    config = JobConfig.load(folder / CONFIG)
    history, seconds = read_losses(folder / LOSSES)
    count = config.interpolate
    pictures = parts_finished(folder, count) if count else saved_pictures(folder)
    films = [folder / f"timelapse.{kind}" for kind in FILMS]
    films = [film for film in films if film.is_file()]
    result = folder / (STRIP if count else RESULT)
    try:
        journal = read_journal(folder)
    except NstError:
        journal = {}
    result = result if result.is_file() else None
    if config.precision == "auto":
        config = replace(config, precision=recorded_precision(config, journal))
    return Record(folder, config, history, seconds, pictures, films, result, journal)


def parts_finished(folder, count):
    """Return (number, file) of each finished picture of --interpolate, in order."""
    parts = []
    for place in range(1, count + 1):
        part = part_folder(folder, place)
        with contextlib.suppress(NstError):  # it was not started
            if "finished" in read_journal(part) and (part / RESULT).is_file():
                parts.append((place, part / RESULT))
    return parts


def saved_iteration(folder):
    """Return the iteration that a run would be resumed from; 0 if it would start over."""
    try:
        record = read_record(folder)
    except (NstError, OSError):
        return 0
    if record.config.interpolate and not record.finished:
        parts = range(1, record.config.interpolate + 1)
        return sum(saved_iteration(part_folder(folder, part)) for part in parts)
    return record.iterations if record.finished else checkpoint_iteration(folder)
