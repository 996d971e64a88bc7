"""A run in words, numbers and pictures: what the page shows of an order, or of a run's folder."""

import functools
from dataclasses import dataclass
from pathlib import Path

import jinja2
from PIL import Image

from nst_tf.app.studio import FAILED, OPEN, RECENT, STOPPED, WAITING
from nst_tf.errors import NstError
from nst_tf.image.io import read_picture
from nst_tf.report.inline import curve_inside, shown_inside
from nst_tf.report.render import LARGE, command, how_it_ended, picture_of
from nst_tf.rundir.journal import load_settings
from nst_tf.rundir.layout import CONFIG, JOURNAL, REPORT, RESULT
from nst_tf.rundir.record import read_record

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,  # names and messages come from anywhere
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TOLD_BY = (CONFIG, JOURNAL, RESULT, REPORT)  # files by which one sees that a run has changed
THUMBNAIL = 320  # pixels of the longer side
IDLE = "Ready. Start paints the samples; or choose a photograph and a style of your own."


@dataclass(frozen=True)
class View:
    """What the page shows of a run.

    Attributes
    ----------
    headline : str
        Where it stands, in a sentence; changes seldom, so that it may be read aloud.
    state : str
        "idle", or as of an `Order`, or "unfinished" of a folder whose run was cut off.
    numbers, picture : str
        HTML.
    version : tuple
        Another one where anything else is another.
    files : list of Path
        To be downloaded: result, time-lapse, settings, report.
    command : str
        What repeats the run.
    """

    headline: str
    state: str
    numbers: str = ""
    picture: str = ""
    version: tuple = ()
    files: tuple[Path, ...] = ()
    command: str = ""


def view_of(studio, key, name, seen=None):
    """Return the `View` of an order by its key, or of a run by its folder's name.

    None where nothing has changed since the version `seen`.
    """
    order = studio.order(key) or studio.order_at(name)
    if order is not None and order.state in OPEN:
        place = studio.place(order)
        at = order.look and order.look.iteration
        version = order.key, order.state, order.stopping, place, at, len(order.news)
        return None if version == seen else _at_work(order, place, version)
    folder = order.folder if order is not None else studio.run_folder(name)
    words = _words(order) if order is not None else None
    version = key, words, folder and tuple(map(_changed, (folder / each for each in TOLD_BY)))
    if version == seen:
        return None
    failed = order is not None and order.state == FAILED
    if folder is None or not (folder / CONFIG).is_file():
        return View(words or IDLE, order.state if order is not None else "idle", version=version)
    return _of_folder(folder, words, failed, version)


def _changed(file):
    return file.stat().st_mtime_ns if file.is_file() else None


def _words(order):
    """Return in a sentence how an order ended."""
    if order.state == FAILED:
        return f"It did not work: {order.words}"
    if order.state == STOPPED:
        return order.words.capitalize()
    return "Done"


def _at_work(order, place, version):
    """Return the view of an order that waits or is painted."""
    look = order.look
    if order.state == WAITING:
        before = "1 run is" if place == 1 else f"{place} runs are"
        headline = f"Waiting: {before} before yours" if place else "Beginning"
    elif order.stopping:
        headline = "Stopping: the picture is saved"
    else:
        headline = f"Painting {order.title}" if look else "Preparing: reading pictures and network"
    numbers = _render("numbers.html", look=look, news=order.news, curve=_curve(look))
    return View(headline, order.state, numbers, _live(look), version)


def _curve(look):
    return curve_inside(list(enumerate(look.totals)), look.iterations) if look else ""


def _live(look):
    if look is None:
        return ""
    alt = f"The picture so far, after {look.iteration} of {look.iterations} iterations"
    return shown_inside(alt, "image/jpeg", look.jpeg)


def _of_folder(folder, words, failed, version):
    """Return the view of a run that nobody is at."""
    try:
        record = read_record(folder)
    except NstError as error:
        return View(f"It can't be shown: {error}", FAILED, version=version)
    state = FAILED if failed else ("done" if record.finished else "unfinished")
    losses = record.history[-1].get("total") if record.history else None
    numbers = _render(
        "ended.html",
        ended="finished" if record.finished else "not finished",
        iterations=f"{record.iterations} of {record.config.iterations}",
        levels=record.config.schedule != "tutorial" and record.config.unit == "relative",
        seconds=record.about.get("seconds") or record.seconds,
        loss=losses,
        curve=curve_inside(
            [(n, each.get("total", 0)) for n, each in enumerate(record.history)],
            record.config.iterations,
        ),
        changed=[(name, str(value)) for name, value in _shown_knobs(record.config)],
    )
    address = record.result and picture_of(record.result, LARGE)
    alt = f"The picture of {folder.name}: {how_it_ended(record)}"
    picture = _render("picture.html", address=address, alt=alt) if address else ""
    files = [record.result, *record.films, folder / CONFIG, folder / REPORT]
    return View(
        headline=f"{words or 'Run'}: {folder.name}" if not failed else words,
        state=state,
        numbers=numbers,
        picture=picture,
        version=version,
        files=tuple(file for file in files if file and file.is_file()),
        command=command(load_settings(folder)),
    )


def recent_runs(studio):
    """Return (name, picture, caption) of the last runs that have a picture."""
    found = []
    for folder in studio.recent():
        try:
            record = read_record(folder)
        except NstError:
            continue
        last = record.result or (record.pictures[-1][1] if record.pictures else None)
        picture = last and _thumbnail(last, last.stat().st_mtime_ns)
        if picture is not None:
            state = "" if record.finished else f" ({how_it_ended(record)})"
            found.append((folder.name, picture, f"{folder.name}{state}"))
    return found


@functools.lru_cache(maxsize=4 * RECENT)
def _thumbnail(path, changed):
    """Return a small picture of a file as it was when it changed; None where it can't be read."""
    try:
        picture = Image.fromarray(read_picture(path))
    except NstError:
        return None
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    return picture


def headline_of(view, mine=None):
    """Return the headline of a view as HTML that is read aloud when it changes.

    `mine` is the visitor's own `Order`, if there is an open one: where another run is shown, it is
    said that one's own goes on.
    """
    elsewhere = mine is not None and view.state not in OPEN
    own = f"Your own run, {mine.title}, goes on; load the page anew to see it." if elsewhere else ""
    return _render("headline.html", words=view.headline, state=view.state, own=own)


def alert_of(words):
    """Return what is wrong as HTML that is read aloud at once."""
    return _render("alert.html", words=words)


def _shown_knobs(config):
    """Return the knobs that were chosen, without those that name files."""
    hidden = {"content", "style", "masks", "weights", "save_every", "animate"}
    for name, value in config.differences().items():
        if name not in hidden:
            yield name, " ".join(map(str, value)) if isinstance(value, tuple) else value


def _render(name, **facts):
    return TEMPLATES.get_template(name).render(**facts)
