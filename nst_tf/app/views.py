"""Render an order or a run directory as the text, numbers and picture that the page shows."""

import contextlib
import functools
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import jinja2
from PIL import Image

from nst_tf.app.orders import OPEN, STOPPED, WAITING
from nst_tf.app.studio import RECENT, is_film, settings_of
from nst_tf.config import value_text
from nst_tf.errors import NstError
from nst_tf.image.io import read_picture
from nst_tf.jobs.job import FAILED
from nst_tf.report.inline import curve_inside, shown_inside
from nst_tf.report.render import LARGE, command, how_it_ended, picture_of
from nst_tf.rundir.journal import read_journal
from nst_tf.rundir.layout import CONFIG, FILM, FILM_RESULT, JOURNAL, REPORT, RESULT
from nst_tf.rundir.record import read_record
from nst_tf.transfer import has_levels
from nst_tf.video.config import VideoConfig
from nst_tf.video.record import picture_path, read_rows

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,  # names and messages are untrusted
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
WATCHED_FILES = (CONFIG, FILM, JOURNAL, RESULT, REPORT)  # their times show that a run has changed
DOWNLOADS = "downloads"  # directory in a run directory
THUMBNAIL = 320  # longer side in pixels
IDLE = "Ready. Press Start to paint the samples, or choose your own photograph and style."


@dataclass(frozen=True)
class View:
    """What the page shows of a run.

    Attributes
    ----------
    headline : str
        The run's status as a sentence; it changes rarely, as screen readers announce it.
    state : str
        "idle", the state of an `Order`, or "unfinished" for an interrupted run.
    numbers, picture : str
        HTML.
    version : tuple
        Differs if any other attribute differs.
    files : list of Path
        Downloads: result, film or time-lapse, settings, report.
    command : str
        The command that repeats the run.
    """

    headline: str
    state: str
    numbers: str = ""
    picture: str = ""
    version: tuple = ()
    files: tuple[Path, ...] = ()
    command: str = ""


def view_of(studio, key, name, seen=None):
    """Return the `View` of an order by its key, or of a run by its directory name.

    Return None if nothing has changed since the version `seen`.
    """
    order = studio.order(key) or studio.order_at(name)
    if order is not None and order.state in OPEN:
        place = studio.place(order)
        iteration = order.look and order.look.iteration
        version = order.key, order.state, order.stopping, place, iteration, len(order.news)
        return None if version == seen else _open_view(order, place, version)
    folder = order.folder if order is not None else studio.run_folder(name)
    outcome = _outcome(order) if order is not None else None
    version = (
        key,
        outcome,
        folder and tuple(_modified_time(folder / file) for file in WATCHED_FILES),
    )
    if version == seen:
        return None
    failed = order is not None and order.state == FAILED
    if folder is None or not (is_film(folder) or (folder / CONFIG).is_file()):
        return View(outcome or IDLE, order.state if order is not None else "idle", version=version)
    try:
        view = _film_view if is_film(folder) else _folder_view
        return view(folder, outcome, failed, version)
    except NstError as error:
        return View(f"This run can't be shown: {error}", FAILED, version=version)


def _modified_time(file):
    return file.stat().st_mtime_ns if file.is_file() else None


def _outcome(order):
    """Return the outcome of an ended order as text."""
    if order.state == FAILED:
        return f"The run failed: {order.reason}"
    if order.state == STOPPED:
        return order.reason.capitalize()
    return "Done"


def _open_view(order, place, version):
    """Return the view of a waiting or active order."""
    look = order.look
    if order.state == WAITING:
        runs = "1 run" if place == 1 else f"{place} runs"
        headline = f"Waiting: {runs} ahead of yours" if place else "Starting"
    elif order.stopping:
        headline = "Stopping: saving the picture"
    else:
        film = isinstance(order.config, VideoConfig)
        first = ", then painting the first frame" if film else ""
        preparing = f"Preparing: loading pictures and network{first}"
        headline = f"Painting {order.title}" if look else preparing
    numbers = _render("numbers.html", look=look, news=order.news, curve=_curve(look))
    return View(headline, order.state, numbers, _preview(look), version)


def _curve(look):
    return curve_inside(list(enumerate(look.totals)), look.iterations) if look else ""


def _preview(look):
    if look is None:
        return ""
    of_all = f" of {look.iterations}" if look.iterations else ""
    alt = f"The picture so far, after {look.iteration}{of_all} {look.unit}"
    return shown_inside(alt, "image/jpeg", look.jpeg)


def _folder_view(folder, outcome, failed, version):
    """Return the view of a run that is not active, from its files."""
    record = read_record(folder)
    state = FAILED if failed else ("done" if record.finished else "unfinished")
    loss = record.history[-1].get("total") if record.history else None
    numbers = _render(
        "ended.html",
        ended="finished" if record.finished else "not finished",
        amount=f"{record.iterations} of {record.config.iterations} iterations",
        levels=has_levels(record.config),
        seconds=record.about.get("seconds") or record.seconds,
        loss=loss,
        warnings=record.warnings,
        curve=curve_inside(
            [(n, losses.get("total", 0)) for n, losses in enumerate(record.history)],
            record.config.iterations,
        ),
        changed=list(_shown_knobs(record.config)),
    )
    address = record.result and picture_of(record.result, LARGE)
    alt = f"The picture of {folder.name}: {how_it_ended(record)}"
    picture = _render("picture.html", address=address, alt=alt) if address else ""
    files = [record.result, *record.films, _settings_file(folder), folder / REPORT]
    return View(
        headline=f"{outcome or 'Run'}: {folder.name}" if not failed else outcome,
        state=state,
        numbers=numbers,
        picture=picture,
        version=version,
        files=tuple(file for file in files if file and file.is_file()),
        command=command(settings_of(folder)),
    )


def _film_view(folder, outcome, failed, version):
    """Return the view of a film that is not being painted, from its files."""
    config, rows = settings_of(folder), read_rows(folder)
    finished = "finished" in read_journal(folder)
    numbers = _render(
        "ended.html",
        ended="finished" if finished else "not finished",
        amount="1 frame" if len(rows) == 1 else f"{len(rows)} frames",
        levels=False,
        seconds=sum(row.seconds for row in rows),
        loss=None,
        warnings=(),
        curve="",
        changed=list(_shown_knobs(config)),
    )
    result, picture = folder / FILM_RESULT, ""
    if finished and result.is_file():
        address = f"/gradio_api/file={quote(str(result.resolve()))}"
        picture = _render("film.html", address=address, alt=f"The film of {folder.name}")
    elif rows:
        address = picture_of(picture_path(folder, len(rows)), LARGE)
        alt = f"Frame {len(rows)} of {folder.name}"
        picture = _render("picture.html", address=address, alt=alt) if address else ""
    files = [result, _settings_file(folder), folder / REPORT]
    return View(
        headline=f"{outcome or 'Run'}: {folder.name}" if not failed else outcome,
        state=FAILED if failed else ("done" if finished else "unfinished"),
        numbers=numbers,
        picture=picture,
        version=version,
        files=tuple(file for file in files if file.is_file()),
        command=command(config, "video"),
    )


def _settings_file(folder):
    """Return the settings for visitors: they have the names of files, not their directories."""
    path = folder / DOWNLOADS / (FILM if is_film(folder) else CONFIG)
    with contextlib.suppress(OSError):  # a full disk, or removed in the meantime: no download
        settings_of(folder).with_names().save(path)
    return path


def recent_runs(studio):
    """Return (name, picture, caption) of the most recent runs that have a picture."""
    runs = []
    for folder in studio.recent():
        try:
            last, state = _last_picture(folder)
            picture = last and _thumbnail(last, last.stat().st_mtime_ns)
        except (NstError, OSError):
            continue
        if picture is not None:
            runs.append((folder.name, picture, f"{folder.name}{state}"))
    return runs


def _last_picture(folder):
    """Return the file of a run's last picture, or None, and the state of the run in brackets."""
    if is_film(folder):
        count = len(read_rows(folder))
        state = "" if "finished" in read_journal(folder) else f" (not finished: {count} frames)"
        return picture_path(folder, count) if count else None, state
    record = read_record(folder)
    last = record.result or (record.pictures[-1][1] if record.pictures else None)
    return last, "" if record.finished else f" ({how_it_ended(record)})"


@functools.lru_cache(maxsize=4 * RECENT)
def _thumbnail(path, modified):  # `modified` is part of the cache key
    """Return a thumbnail of a picture file, or None if the file can't be read."""
    try:
        picture = Image.fromarray(read_picture(path, say=None))
    except NstError:
        return None
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    return picture


def headline_of(view, mine=None):
    """Return the headline of a view as HTML that screen readers announce when it changes.

    `mine` is the visitor's open `Order` or None. A note reports it if another run is shown.
    """
    own = ""
    if mine is not None and view.state not in OPEN:
        own = f"Your own run, {mine.title}, is still {mine.state}; reload the page to see it."
    return _render("headline.html", headline=view.headline, state=view.state, own=own)


def alert_of(message):
    """Return an error message as HTML that screen readers announce immediately."""
    return _render("alert.html", message=message)


def _shown_knobs(config):
    """Yield the knobs that differ from their defaults, except file names."""
    hidden = {"content", "style", "masks", "weights", "save_every", "animate"}
    for name, value in config.with_names().differences().items():
        if name not in hidden:
            yield name, value_text(value)


def _render(name, **values):
    return TEMPLATES.get_template(name).render(**values)
