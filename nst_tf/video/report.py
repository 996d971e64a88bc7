"""report.html of a film: frames, values per frame, settings, credits."""

import math
from dataclasses import replace

from nst_tf.console import raise_if_interrupted
from nst_tf.errors import NstError
from nst_tf.report.inline import jpeg_address
from nst_tf.report.render import SMALL, evenly, write_film_report
from nst_tf.rundir.journal import read_journal, recorded_precision
from nst_tf.rundir.layout import FILM, FILM_RESULT
from nst_tf.rundir.record import Record
from nst_tf.video.config import VideoConfig
from nst_tf.video.reading import Film
from nst_tf.video.record import picture_path, read_rows

SHOWN = 8  # frames in the report


def write_report(folder):
    """Write report.html to the directory of a finished film.

    Its numbers were computed when the frames were painted. Some original frames are read again.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Path
    """
    rows, journal = read_rows(folder), read_journal(folder)
    config = VideoConfig.load(folder / FILM)
    config = replace(config, precision=recorded_precision(config, journal))
    films = [path for path in [folder / FILM_RESULT] if path.exists()]
    record = Record(folder, config, [], 0.0, [], films, None, journal)
    chosen = evenly(rows, SHOWN)
    originals = _originals(config, [row.frame for row in chosen])
    frames = [
        (
            row.frame,
            f"{float(row.time - rows[0].time):.2f} s",
            originals.get(row.frame),
            picture_path(folder, row.frame),
        )
        for row in chosen
    ]
    return write_film_report(record, f"finished: {len(rows)} frames", frames, rows, _facts(rows))


def _originals(config, numbers):
    """Return frames of the film as data URLs of small JPEGs, by number."""
    found = {}
    try:
        for number, frame in enumerate(Film(config, lambda line: None), 1):
            raise_if_interrupted()
            if number in numbers:
                found[number] = jpeg_address(frame.picture, SMALL)
            if len(found) == len(numbers):
                break
    except NstError:  # the film was removed: only the painted frames are shown
        pass
    return found


def _facts(rows):
    """Return facts about a film other than its settings, as (name, text)."""
    seconds = sum(row.seconds for row in rows)
    facts = [
        ("film", f"{float(rows[-1].time - rows[0].time):.2f} s; scenes: {rows[-1].scene}"),
        ("time", f"{seconds:.1f} s, {seconds / len(rows):.2f} s per frame"),
        ("iterations", f"{sum(row.iterations for row in rows)} in total"),
    ]
    flicker = [row.flicker for row in rows if not math.isnan(row.flicker)]
    if flicker:
        mean = sum(flicker) / len(flicker)
        facts.append(("flicker", f"{mean:.1f} gray levels on average, {max(flicker):.1f} at most"))
    return facts
