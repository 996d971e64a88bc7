"""Films of the page: a separate process, `film_program`, checks and paints them."""

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from nst_tf.app.orders import LOOK_SECONDS, LOOK_SIDE, STOPPED, Look, time_is_up
from nst_tf.app.priority import give_way
from nst_tf.errors import ImageError
from nst_tf.image.io import read_picture
from nst_tf.jobs.inputs import with_full_paths
from nst_tf.jobs.job import DONE, FAILED
from nst_tf.report.inline import jpeg_bytes
from nst_tf.rundir.layout import FILM
from nst_tf.scaling.times import in_words
from nst_tf.video.record import picture_path, read_rows, seconds_left

PROGRAM = "nst_tf.app.film_program"
CHECK_SECONDS = 60  # in which a film must be read, on a busy machine
STOP_SECONDS = 60  # in which a film must stop, at the latest after an iteration
BAD_INPUT = 2  # exit status


class FilmFacts(NamedTuple):
    """What is known of a film before it is painted.

    Attributes
    ----------
    frames : int or None
        About how many frames are to be painted, if the file says so.
    size : (height, width)
    """

    frames: int | None
    size: tuple[int, int]


def check_film(config, picture):
    """Read the beginning of a film in a process whose memory and time are limited.

    Parameters
    ----------
    config : VideoConfig
    picture : path
        The first frame that is to be painted is saved here.

    Returns
    -------
    FilmFacts

    Raises
    ------
    ImageError
        The film can't be read, or not within the limits.
    """
    with tempfile.TemporaryDirectory() as temporary:
        settings = Path(temporary) / FILM
        with_full_paths(config).save(settings)
        try:
            ended = subprocess.run(  # noqa: S603 - our own program
                _command("check", settings, picture), capture_output=True, timeout=CHECK_SECONDS
            )
        except subprocess.TimeoutExpired:
            ended = None
    name = Path(config.content).name
    if ended is not None and ended.returncode == BAD_INPUT:
        raise ImageError(_last_line(ended.stderr).replace(str(config.content), name))
    if ended is None or ended.returncode:
        raise ImageError(
            f"{name} takes more memory or time to read than this page allows; a smaller film was "
            "expected"
        )
    facts = json.loads(_last_line(ended.stdout))
    return FilmFacts(facts["frames"], tuple(facts["size"]))


def paint_film(order, minutes, *, resume):
    """Paint the film of an order; return its state and reason.

    Parameters
    ----------
    order : Order
        Its `config` is a `VideoConfig`; its directory exists.
    minutes : float
        After which it is stopped; it can be resumed.
    resume : bool
        Whether to resume the film in the directory.
    """
    with tempfile.TemporaryDirectory() as temporary:
        facts = check_film(order.config, Path(temporary) / "first.png")
        settings = Path(temporary) / FILM
        with_full_paths(order.config).save(settings)
        arguments = ("resume", order.folder) if resume else ("paint", settings, order.folder)
        with open(Path(temporary) / "errors.txt", "w+b") as errors:
            status, reason = _painted(order, arguments, errors, facts.frames, minutes)
            errors.seek(0)
            message = _last_line(errors.read())
    if reason:
        return STOPPED, reason
    if status == 0:
        return DONE, ""
    if status == BAD_INPUT:
        return FAILED, _without_directory(message, order)
    return FAILED, f"the program that paints films ended with status {status}: {message:.300}"


def _painted(order, arguments, errors, frames, minutes):
    """Run the program; return its exit status, and why it was stopped, if it was."""
    child = subprocess.Popen(  # noqa: S603 - our own program
        _command(*arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,  # Ctrl-C is the page's, which then stops it
    )
    give_way(child.pid)
    with child:
        threading.Thread(target=_pass_on, args=(child.stdout, order), daemon=True).start()
        reason = _watch(child, order, frames, minutes)
    return child.returncode, reason


def _watch(child, order, frames, minutes):
    """Record the progress of the program until it ends; return why it was stopped, or ""."""
    began, done = time.perf_counter(), len(read_rows(order.folder))
    while child.poll() is None:
        rows = read_rows(order.folder)
        if rows and (order.look is None or order.look.iteration < len(rows)):
            order.look = look_at(order.folder, rows, frames, done)
        if time.perf_counter() - began > 60 * minutes:
            return _stop(child, time_is_up(minutes))
        if order.stopping:
            return _stop(child, "stopped")
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(LOOK_SECONDS)
    return ""


def _stop(child, reason):
    """Stop the program; return the reason, or "" if it had finished the film before."""
    child.stdin.close()
    try:
        return reason if child.wait(STOP_SECONDS) else ""
    except subprocess.TimeoutExpired:
        child.kill()
        return reason


def look_at(folder, rows, frames, done=0):
    """Return the `Look` of a film with these rows; the first `done` are from an earlier run."""
    newest = read_picture(picture_path(folder, len(rows)), say=None)
    left = seconds_left(rows, frames, done)
    return Look(
        len(rows),
        frames,
        min(len(rows) / frames, 1.0) if frames else 0.0,
        "" if left is None else f"{in_words(left)} left",
        [row.total for row in rows],
        jpeg_bytes(newest, side=LOOK_SIDE),
        unit="frames",
    )


def _command(*arguments):
    return [sys.executable, "-m", PROGRAM, *map(str, arguments)]


def _pass_on(stream, order):
    for line in stream:
        order.news.append(_without_directory(line.decode(errors="replace").rstrip(), order))


def _without_directory(text, order):
    """Return a message with the name of the run, not its directory, which is not for visitors."""
    return text.replace(str(order.folder), order.folder.name)


def _last_line(output):
    """Return the last line that a program wrote, without its name."""
    lines = output.decode(errors="replace").strip().splitlines() or ["it printed nothing"]
    return lines[-1].removeprefix("nst_tf: ")
