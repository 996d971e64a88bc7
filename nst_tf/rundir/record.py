"""What a run's folder says of the run: all from its files, so that any run can be shown later."""

from dataclasses import dataclass, replace
from pathlib import Path

from nst_tf.callbacks import saved_pictures
from nst_tf.config import FILMS, JobConfig
from nst_tf.errors import ConfigError, NstError
from nst_tf.rundir.journal import read_journal, recorded_precision
from nst_tf.rundir.layout import CONFIG, LOSSES, RESULT
from nst_tf.rundir.losses_csv import number, read_losses


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
        numbers = {name: number(each) for name, each in known.items()}
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
    history, seconds = read_losses(folder / LOSSES)
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
