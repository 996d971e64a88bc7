"""losses.csv: the losses of each iteration."""

import csv
import io
import itertools
import math

from nst_tf.files import atomic_file, read_text

MAX_BYTES, MAX_ROWS = 2**25, 500_000  # of losses.csv; a row has 60 bytes
TERMS = ("total", "content", "style", "tv")  # columns of losses.csv
SPECIAL = {"range": "range_weight"}  # columns that only runs with a weight have: term -> knob


def read_losses(path):
    """Return the losses of each valid row, and the seconds of the last row."""
    history, seconds = [], 0.0
    try:
        for row in csv.DictReader(loss_lines(path)):
            seconds = number(row.get("seconds")) or seconds
            terms = {name: number(row.get(name)) for name in (*TERMS, *SPECIAL)}
            history.append({name: loss for name, loss in terms.items() if loss is not None})
    except (OSError, csv.Error):
        pass  # use the rows read so far
    complete = history[0].keys() if history else ()  # a row may be truncated or invalid
    return [losses for losses in history if losses and losses.keys() == complete], seconds


def loss_lines(path):
    """Return the lines of losses.csv, up to a size that no valid file exceeds."""
    text = read_text(path, most=MAX_BYTES, errors="replace")
    return itertools.islice(io.StringIO(text, newline=""), MAX_ROWS)


def number(text):
    """Return a text as a finite number, or None."""
    try:
        value = float(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


class LossLog:
    """A callback that writes losses.csv: row i has the losses of the picture after i updates.

    Content, style and total variation are unweighted, the total is weighted. A loss of weight 0
    is not computed, and its column is empty; those in `SPECIAL` have no column then.

    Parameters
    ----------
    path : path
    config : TransferConfig
    history : list of dict
        Of a run that is resumed: its rows are kept.
    """

    look_every = 0  # does not need the picture

    def __init__(self, path, config, history=()):
        special = [name for name, knob in SPECIAL.items() if getattr(config, knob)]
        self.terms = (*TERMS, *special)
        seconds = _seconds_column(path) if history else []
        with atomic_file(path) as temporary, open(temporary, "w", newline="") as file:
            self.rows = csv.writer(file)
            self.rows.writerow(["iteration", *self.terms, "seconds"])
            for iteration, losses in enumerate(history):
                self._write(
                    iteration, losses, seconds[iteration] if iteration < len(seconds) else ""
                )
        self.file = open(path, "a", newline="")  # noqa: SIM115
        self.rows = csv.writer(self.file)

    def __call__(self, step):
        """Write a row and flush it: an interrupted run keeps all its losses."""
        self._write(step.iteration, step.losses, f"{step.seconds:.3f}")
        self.file.flush()

    def _write(self, iteration, losses, seconds):
        columns = [f"{losses[name]:.9g}" if name in losses else "" for name in self.terms]
        self.rows.writerow([iteration, *columns, seconds])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


def _seconds_column(path):
    """Return the last column of an existing losses.csv as text, row by row."""
    try:
        return [row[-1] for row in csv.reader(loss_lines(path)) if row][1:]
    except (OSError, csv.Error):
        return []
