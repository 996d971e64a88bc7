"""From a record to a page: pictures become JPEGs inside it, losses a drawing."""

import math
import os
from pathlib import Path
from urllib.parse import quote

import jinja2
import numpy as np
from PIL import Image

from nst_tf.config import NO_MASK, NOT, PATHS, JobConfig
from nst_tf.console import to_type
from nst_tf.errors import ImageError, NstError
from nst_tf.files import atomic_file
from nst_tf.image.io import read_picture
from nst_tf.plots import losses_as_svg
from nst_tf.report.inline import jpeg_address
from nst_tf.rundir.layout import REPORT
from nst_tf.rundir.record import read_record
from nst_tf.weights.registry import credit

INDEX = "index.html"
LARGE, MIDDLE, SMALL = 720, 480, 240  # the longer side of pictures in a page
CARDS = 300  # in an index page
FRAMES = 24  # at most, in the filmstrip
TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,  # file names and settings come from anywhere
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


# ---------------------------------------------------------------------------- one run


def write_report(folder):
    """Write report.html into a run's folder: pictures, filmstrip, curves, settings.

    Parameters
    ----------
    folder : path
        Of a run, finished or not.

    Returns
    -------
    Path

    Raises
    ------
    ConfigError
        The folder holds no run.
    """
    record = read_record(folder)
    config = record.config
    page = TEMPLATES.get_template("run.html").render(
        title=record.folder.resolve().name,
        ended=how_it_ended(record),
        pictures=_pictures(record),
        frames=[(iteration, picture_of(path, MIDDLE)) for iteration, path in frames_of(record)],
        films=[film.name for film in record.films],
        curves=losses_as_svg(record.history) if len(record.history) > 1 else "",
        levels=config.schedule != "tutorial" and config.unit == "relative",
        facts=_facts(record),
        changed=_changed(config),
        command=command(config),
        config=config.text(),
    )
    return _write(record.folder / REPORT, page)


def how_it_ended(record):
    """Return in words how far a run came."""
    count = f"{record.iterations} of {record.config.iterations} iterations"
    damaged = "" if record.losses_are_whole else "losses.csv is damaged"
    if not record.finished:
        return f"not finished: {damaged or count}"
    less = "iterations" in record.about and record.iterations < record.config.iterations
    return "; ".join(filter(None, [f"converged: {count}" if less else "finished", damaged]))


def command(config):
    """Return the command line that repeats a job."""
    return to_type(*config.arguments())


def _pictures(record):
    """Return (caption, picture or None, words): content, each style with its masks, result."""
    config, shown = record.config, []
    styles = config.style or ()
    for number, path in enumerate(styles, 1):
        which = "" if len(styles) == 1 else f" {number}"
        shown.append((f"style{which}", picture_of(path, LARGE), Path(path).name))
        for kind, masks in (("mask", config.masks), ("style mask", config.style_masks)):
            if masks and masks[number - 1] != NO_MASK:
                named = masks[number - 1]
                shown.append((f"{kind}{which}", mask_of(named, config), _words_for_mask(named)))
    content = ("content", picture_of(config.content, LARGE), Path(config.content or "?").name)
    result = ("result", record.result and picture_of(record.result, LARGE), "result.png")
    return [content, *shown, result]


def _words_for_mask(named):
    negative = "negative of " if named.startswith(NOT) else ""
    return negative + Path(named.removeprefix(NOT)).name


def frames_of(record):
    """Return (iteration, file) of at most `FRAMES` saved pictures, evenly, the last among them."""
    return evenly(record.pictures, FRAMES)


def evenly(items, most):
    """Return at most so many of the items, evenly, the first and last among them."""
    last = len(items) - 1
    count = min(most, len(items))
    chosen = sorted({round(last * n / max(count - 1, 1)) for n in range(count)})
    return [items[number] for number in chosen]


def picture_of(path, side):
    """Return a picture file as a small JPEG in a data address; None where it can't be read."""
    try:
        picture = Image.fromarray(read_picture(path))
    except (ImageError, TypeError):  # it may have vanished since: the page is about the run
        return None
    return jpeg_address(np.asarray(picture), side)


def mask_of(named, config):
    """Return a mask as it acts, small: white where its style does; None where it can't be read."""
    try:
        picture = Image.fromarray(read_picture(named.removeprefix(NOT), background="black"))
    except ImageError:
        return None
    picture.thumbnail((SMALL, SMALL))
    levels = np.asarray(picture).mean(axis=2)
    levels = 255.0 * (levels >= 255 / 2) if config.binary_masks else levels
    levels = 255 - levels if named.startswith(NOT) else levels
    return jpeg_address(np.rint(levels).astype(np.uint8))


def _facts(record):
    """Return what is worth knowing beside the settings, as (name, words)."""
    facts = [("state", how_it_ended(record))]
    seconds = record.about.get("seconds") or record.seconds
    if record.iterations:
        facts.append(("time", f"{seconds:.1f} s, {seconds / record.iterations:.2f} s an iteration"))
    if len(record.history) > 1:
        ends = [record.history[n].get("total", 0) for n in (0, -1)]
        facts.append(("loss", " to ".join(f"{loss:.4g}" for loss in ends)))
    if "gibibytes" in record.about:
        facts.append(("memory", f"{record.about['gibibytes']} GiB at most, the whole process"))
    model = record.journal.get("model")
    if isinstance(model, str):
        facts += [("weights", model), ("credit", credit(model))]
    versions = record.journal.get("versions")
    if isinstance(versions, dict):
        facts.append(("versions", ", ".join(f"{name} {each}" for name, each in versions.items())))
    return facts


def _changed(config):
    """Return the knobs that are not at their defaults, as (name, words), without the pictures."""
    changed = config.differences().items()
    return [(name, words(value)) for name, value in changed if name not in ("content", "style")]


def words(value):
    """Return a knob's value in words."""
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


# ---------------------------------------------------------------------------- many runs


def write_index(folders, path, problems=None):
    """Write a page about many runs: a picture of each, what differs, a link to its report.

    Parameters
    ----------
    folders : sequence of path
        Of runs; one that can't be read is shown with the reason.
    path : path
        Of the page; beyond `CARDS` runs, name_2.html and so on stand beside it.
    problems : dict of str, optional
        Reasons by name of what has failed; it need not have a folder.

    Returns
    -------
    Path
    """
    path, records, problems = Path(path), {}, dict(problems or {})
    for folder in map(Path, folders):
        try:
            records[folder] = read_record(folder)
        except NstError as error:
            problems.setdefault(folder.name, str(error))
    cards = [{"name": name, "problem": problems[name]} for name in sorted(problems)]
    records = {f: record for f, record in records.items() if f.name not in problems}
    differing = _differing([record.config for record in records.values()])
    for folder, record in sorted(records.items()):
        report = folder / REPORT
        target = report if report.is_file() else record.result
        last = record.pictures[-1][1] if record.pictures else None
        losses = record.history[-1] if record.history else {}
        cards.append(
            {
                "name": folder.resolve().name,
                "problem": "",
                "picture": picture_of(record.result or last, SMALL),
                "link": target and _address(target, path.parent),
                "ended": how_it_ended(record),
                "knobs": [(name, in_short(name, record.config)) for name in differing],
                "loss": f"{losses['total']:.4g}" if "total" in losses else "none",
                "seconds": f"{record.about.get('seconds') or record.seconds:.0f} s",
            }
        )
    return _write_pages(path, cards, len(problems))


def _write_pages(path, cards, failed):
    """Write the cards to as many pages as it takes; return the first."""
    count = max(math.ceil(len(cards) / CARDS), 1)
    names = [path.name, *(f"{path.stem}_{number}{path.suffix}" for number in range(2, count + 1))]
    for number, name in enumerate(names):
        page = TEMPLATES.get_template("index.html").render(
            total=len(cards),
            failed=failed,
            cards=cards[number * CARDS : (number + 1) * CARDS],
            pages=[(quote(each), each == name) for each in names] if count > 1 else [],
        )
        _write(path.with_name(name), page)
    return path


def in_short(name, config):
    """Return a knob's value in words, of a path the file's name alone."""
    value = getattr(config, name)
    if name not in PATHS or value is None:
        return words(value)
    return words(tuple(Path(each).name for each in ([value] if isinstance(value, str) else value)))


def _differing(configs):
    """Return the names of the knobs that are not the same in all configs."""
    names = JobConfig.__dataclass_fields__
    return [name for name in names if len({getattr(config, name) for config in configs}) > 1]


def _address(path, start):
    return quote(os.fsencode(Path(os.path.relpath(path.resolve(), start.resolve())).as_posix()))


def _write(path, page):
    with atomic_file(path) as temporary:
        # A file name may hold any bytes: those that are no letters are shown as "?".
        temporary.write_text(page, encoding="utf-8", errors="replace")
    return path
