"""Render a record as a page, with pictures as embedded JPEGs and losses as SVG."""

import math
import os
from pathlib import Path
from urllib.parse import quote

import jinja2
import numpy as np
from PIL import Image

from nst_tf.config import CONTRAST, NO_MASK, NOT, JobConfig, value_text
from nst_tf.console import to_type, without_directories
from nst_tf.errors import ImageError, NstError, check_choice
from nst_tf.files import atomic_file
from nst_tf.image.io import read_picture
from nst_tf.image.mask_files import mask_levels
from nst_tf.plots import as_svg, plot_frames, plot_losses
from nst_tf.report.inline import jpeg_address
from nst_tf.rundir.layout import CONFIG, FILM, MIXED, REPORT, RESULT, STRIP
from nst_tf.rundir.record import read_record
from nst_tf.rundir.scores import SCORES, names_in
from nst_tf.transfer import has_levels
from nst_tf.weights.registry import credit

INDEX = "index.html"
LARGE, MIDDLE, SMALL = 720, 480, 240  # longer side of pictures in a page
CARDS = 300  # per index page
FRAMES = 24  # maximum in the filmstrip
# Facts that reports of runs and of films have in common.
OF_PROCESS = ("memory", "GPU memory", "assumed", "weights", "credit", "versions")
TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,  # file names and settings are untrusted
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


# ---------------------------------------------------------------------------- one run


def write_report(folder):
    """Write report.html into a run directory: pictures, filmstrip, curves, settings.

    Parameters
    ----------
    folder : path
        Run directory, finished or not.

    Returns
    -------
    Path

    Raises
    ------
    ConfigError
        The directory contains no run.
    """
    record = read_record(folder)
    config = record.config
    losses = plot_losses(record.history) if len(record.history) > 1 else None
    page = TEMPLATES.get_template("run.html").render(
        title=record.folder.resolve().name,
        ended=how_it_ended(record),
        warnings=record.warnings,
        pictures=_pictures(record),
        frames=[(iteration, picture_of(path, MIDDLE)) for iteration, path in frames_of(record)],
        counted="picture" if config.interpolate else "iteration",
        films=[film.name for film in record.films],
        curves=as_svg(losses, "losses over the iterations") if losses else "",
        levels=has_levels(config),
        score=record.score,
        units=SCORES,
        facts=_facts(record),
        changed=_changed(config),
        command=command(config),
        config=config.with_names().text(),
        config_name=CONFIG,
    )
    return _write(record.folder / REPORT, page)


def write_film_report(record, ended, frames, rows, facts):
    """Write report.html into the directory of a film.

    Parameters
    ----------
    record : Record
        Its config is that of the film.
    ended : str
        How it ended.
    frames : sequence of (int, str, str or None, path)
        Frames to show: number, time, the original as a data URL, and the painted file.
    rows : sequence
        One for each frame, with the attributes of a row of frames.csv.
    facts : list of (str, str)
        Name and text of facts other than the settings.

    Returns
    -------
    Path
    """
    config = record.config
    shown = [(*about, picture_of(path, MIDDLE)) for *about, path in frames]
    number, _, original, painted = shown[len(shown) // 2]
    page = TEMPLATES.get_template("run.html").render(
        title=record.folder.resolve().name,
        ended=ended,
        warnings=record.warnings,
        pictures=[
            ("film", original, Path(config.content).name),
            *_pictures(record)[1:-1],
            ("painted", painted, f"frame {number}"),
        ],
        frames=shown,
        counted="frame",
        films=[film.name for film in record.films],
        curves=as_svg(plot_frames(rows), "flicker and losses over time") if len(rows) > 1 else "",
        score={},
        units=SCORES,
        facts=[("state", ended), *facts, *(f for f in _facts(record) if f[0] in OF_PROCESS)],
        changed=_changed(config),
        command=command(config, "video"),
        config=config.with_names().text(),
        config_name=FILM,
    )
    return _write(record.folder / REPORT, page)


def how_it_ended(record):
    """Return the state of a run as text: finished, converged or the iterations done."""
    if record.config.interpolate:
        state = "finished" if record.finished else "not finished"
        return f"{state}: {len(record.pictures)} of {record.config.interpolate} pictures"
    count = f"{record.iterations} of {record.config.iterations} iterations"
    damaged = "" if record.losses_complete else "losses.csv is damaged"
    if not record.finished:
        return f"not finished: {damaged or count}"
    early = "iterations" in record.about and record.iterations < record.config.iterations
    why = f"stopped by --min-improvement {record.config.min_improvement:g}"
    why = why if record.config.min_improvement else "converged"
    return "; ".join(filter(None, [f"{why}: {count}" if early else "finished", damaged]))


def command(config, module="run"):
    """Return the command that repeats a job or a film, with file names without directories."""
    return to_type(*config.with_names().arguments(), command=module)


def _pictures(record):
    """Return (caption, picture or None, file name) of the content, styles, masks and result."""
    config, inputs = record.config, []
    styles = config.style or ()
    for number, path in enumerate(styles, 1):
        suffix = "" if len(styles) == 1 else f" {number}"
        inputs.append((f"style{suffix}", picture_of(path, LARGE), Path(path).name))
        for kind, masks in (("mask", config.masks), ("style mask", config.style_masks)):
            if masks and masks[number - 1] != NO_MASK:
                mask = masks[number - 1]
                inputs.append((f"{kind}{suffix}", mask_of(mask, config), _mask_label(mask)))
    if config.fine:
        mixed = record.folder / MIXED
        inputs += [
            ("fine style", picture_of(config.fine, LARGE), Path(config.fine).name),
            ("coarse style", picture_of(config.coarse, LARGE), Path(config.coarse).name),
            ("mixed style", picture_of(mixed, LARGE), MIXED),
        ]
        for mask in {*(config.masks or ())} - {NO_MASK}:
            inputs.append(("mask", mask_of(mask, config), _mask_label(mask)))
    for kind, path in zip(("content map", "style map"), config.regions or ()):
        inputs.append((kind, picture_of(path, SMALL), Path(path).name))
    if config.content_map not in (None, NO_MASK, CONTRAST):
        path = config.content_map
        inputs.append(("content weights", mask_of(path, config), _mask_label(path)))
    content = ("content", picture_of(config.content, LARGE), Path(config.content or "?").name)
    name = STRIP if config.interpolate else RESULT
    result = ("result", record.result and picture_of(record.result, LARGE), name)
    return [content, *inputs, result]


def _mask_label(mask):
    prefix = "negative of " if mask.startswith(NOT) else ""
    return prefix + Path(mask.removeprefix(NOT)).name


def frames_of(record):
    """Return (iteration, file) of at most `FRAMES` evenly spaced pictures, including the last."""
    return evenly(record.pictures, FRAMES)


def evenly(items, most):
    """Return at most `most` evenly spaced items, including the first and the last."""
    last = len(items) - 1
    count = min(most, len(items))
    chosen = sorted({round(last * n / max(count - 1, 1)) for n in range(count)})
    return [items[number] for number in chosen]


def picture_of(path, side):
    """Return a picture file as the data URL of a small JPEG; None if it can't be read."""
    try:
        picture = Image.fromarray(read_picture(path, say=None))
    except (ImageError, TypeError):  # missing inputs don't prevent a report
        return None
    return jpeg_address(np.asarray(picture), side)


def mask_of(mask, config):
    """Return the effective mask like `picture_of`: white where its style applies."""
    try:
        levels, _ = mask_levels(mask.removeprefix(NOT))
    except ImageError:
        return None
    picture = Image.fromarray(levels)
    picture.thumbnail((SMALL, SMALL))
    levels = np.asarray(picture, float)
    levels = 255.0 * (levels >= 255 / 2) if config.binary_masks else levels
    levels = 255 - levels if mask.startswith(NOT) else levels
    return jpeg_address(np.rint(levels).astype(np.uint8))


def _facts(record):
    """Return facts about the run other than its settings, as (name, text)."""
    facts = [("state", how_it_ended(record))]
    seconds = record.about.get("seconds") or record.seconds
    if record.iterations:
        facts.append(
            ("time", f"{seconds:.1f} s, {seconds / record.iterations:.2f} s per iteration")
        )
    if record.config.interpolate:
        text = f"{record.config.interpolate} pictures from style 1 to style 2, t = 0 to 1"
        facts.append(
            ("interpolation", f"{text} in equal steps; each is a run in its own directory")
        )
    if len(record.history) > 1:
        ends = [record.history[n].get("total", 0) for n in (0, -1)]
        facts.append(("loss", " to ".join(f"{loss:.4g}" for loss in ends)))
    if "best" in record.about:
        best = f"of iteration {record.about['best']:.0f}, the lowest loss at full size"
        facts.append(("picture", best))
    if "gibibytes" in record.about:
        facts.append(("memory", f"{record.about['gibibytes']} GiB peak (whole process)"))
    if "gpu_gibibytes" in record.about:
        facts.append(("GPU memory", f"{record.about['gpu_gibibytes']} GiB peak (whole process)"))
    if record.remarks:
        paths = record.config.paths()
        facts += [("assumed", without_directories(remark, paths)) for remark in record.remarks]
    model = record.journal.get("model")
    if isinstance(model, str):
        facts += [("weights", model), ("credit", credit(model))]
    versions = record.journal.get("versions")
    if isinstance(versions, dict):
        text = ", ".join(f"{name} {version}" for name, version in versions.items())
        facts.append(("versions", text))
    return facts


def _changed(config):
    """Return the non-default knobs other than the pictures, as (name, text)."""
    changed = config.with_names().differences().items()
    return [
        (name, value_text(value)) for name, value in changed if name not in ("content", "style")
    ]


# ---------------------------------------------------------------------------- many runs


def write_index(folders, path, problems=None, sort=None):
    """Write an index of runs: for each, a picture, the differing settings and a link to its report.

    Parameters
    ----------
    folders : sequence of path
        Run directories; one that can't be read is shown with the reason.
    path : path
        Path of the page; for more than `CARDS` runs, name_2.html and so on are added next to it.
    problems : dict of str, optional
        Reason for each failed job, by name; it may have no directory.
    sort : str, optional
        A number of the score, smallest first; runs without it come last. Default: by name.

    Returns
    -------
    Path
    """
    path, records, problems = Path(path), {}, dict(problems or {})
    for folder in map(Path, folders):
        try:
            records[folder] = read_record(folder)
        except NstError as error:
            problems.setdefault(folder.name, without_directories(str(error), [folder / CONFIG]))
    cards = [{"name": name, "problem": problems[name], "score": {}} for name in sorted(problems)]
    records = {f: record for f, record in records.items() if f.name not in problems}
    differing = _differing([record.config for record in records.values()])
    cards += [
        _card(folder, record, differing, path.parent) for folder, record in sorted(records.items())
    ]
    for place, card in enumerate(cards):
        card["place"] = place
    if sort is not None:
        check_choice("sort", sort, SCORES)
        cards.sort(key=lambda card: (not card["problem"], card["score"].get(sort, math.inf)))
    return _write_pages(path, cards, len(problems), sort)


def _card(folder, record, differing, start):
    """Return the entry of a run for an index in the directory `start`."""
    report = folder / REPORT
    target = report if report.is_file() else record.result
    last = record.pictures[-1][1] if record.pictures else None
    losses = record.history[-1] if record.history else {}
    names = record.config.with_names()
    return {
        "name": folder.resolve().name,
        "problem": "",
        "picture": picture_of(record.result or last, SMALL),
        "link": target and _address(target, start),
        "ended": how_it_ended(record),
        "warnings": record.warnings,
        "knobs": [(name, value_text(getattr(names, name))) for name in differing],
        "score": record.score,
        "loss": f"{losses['total']:.4g}" if "total" in losses else "none",
        "seconds": f"{record.about.get('seconds') or record.seconds:.0f} s",
    }


def _write_pages(path, cards, failed, sort):
    """Write the cards to one or more pages; return the path of the first."""
    numbers = list(names_in(card["score"] for card in cards))
    count = max(math.ceil(len(cards) / CARDS), 1)
    names = [path.name, *(f"{path.stem}_{number}{path.suffix}" for number in range(2, count + 1))]
    for number, name in enumerate(names):
        page = TEMPLATES.get_template("index.html").render(
            total=len(cards),
            failed=failed,
            numbers=numbers,
            units=SCORES,
            sort=sort,
            cards=cards[number * CARDS : (number + 1) * CARDS],
            pages=[(quote(other), other == name) for other in names] if count > 1 else [],
        )
        _write(path.with_name(name), page)
    return path


def _differing(configs):
    """Return the names of the knobs that differ between configs."""
    names = JobConfig.__dataclass_fields__
    return [name for name in names if len({getattr(config, name) for config in configs}) > 1]


def _address(path, start):
    return quote(os.fsencode(Path(os.path.relpath(path.resolve(), start.resolve())).as_posix()))


def _write(path, page):
    with atomic_file(path) as temporary:
        # A file name may contain any bytes; undecodable ones are shown as "?".
        temporary.write_text(page, encoding="utf-8", errors="replace")
    return path
