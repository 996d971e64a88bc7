"""Interpolation: a run for each picture from one style to another, in one run directory."""

from dataclasses import replace

import numpy as np
from PIL import Image

from nst_tf.config import SAVING, SETTINGS
from nst_tf.console import raise_if_interrupted, signals_deferred, to_type, uninterrupted
from nst_tf.errors import Interrupted
from nst_tf.image.io import read_picture, save_image
from nst_tf.jobs.inputs import with_full_paths
from nst_tf.jobs.resume import resume_job
from nst_tf.jobs.run import run_in_folder, show_result
from nst_tf.report.render import FRAMES, evenly
from nst_tf.rundir.journal import finish_journal, record_picture, recorded_picture
from nst_tf.rundir.layout import JOURNAL, RESULT, STRIP, part_folder
from nst_tf.rundir.record import read_record
from nst_tf.transfer import Result

SIDE = 640  # maximum longer side of a picture in the strip, in pixels
OF_EACH_STYLE = ("style", "style_masks", "style_scale")


def parts_of(config):
    """Return the config of each picture: both styles with their weights, at the ends one alone."""
    last = config.interpolate - 1
    part = replace(config, interpolate=None, animate=None)
    between = [
        replace(part, style_weights=(1 - number / last, number / last)) for number in range(1, last)
    ]
    each = {name: getattr(part, name) for name in OF_EACH_STYLE}
    each = {name: values for name, values in each.items() if isinstance(values, tuple)}
    first, second = (
        replace(part, **{name: (values[end],) for name, values in each.items()}) for end in (0, 1)
    )
    return [first, *between, second]


def paint_parts(folder, config, model, callbacks, say, *, resumed=False):
    """Run or resume each picture of a config with `interpolate`; save the strip and the report.

    The objective is the same for all pictures, so that its functions are traced once.

    Parameters
    ----------
    folder : Path
        The run directory, with its journal; each picture has a run directory in it.
    config : JobConfig
    model : Trunk
        Of `load_task`.
    callbacks, say
        As for `run_job`. Runs report their progress to the callbacks, each from 0.
    resumed : bool
        Whether pictures that are there already are kept or continued.

    Returns
    -------
    Result
        Its picture is the strip, its losses those of all runs, one after the other.
    """
    try:
        for number, part in enumerate(parts_of(config), 1):
            inner = part_folder(folder, number)
            say(f"picture {number} of {config.interpolate}: {inner / RESULT}")
            options = {"callbacks": callbacks, "say": lambda line: None}
            if resumed and (inner / JOURNAL).exists():
                resume_job(inner, **options)
            else:
                run_in_folder(part, inner, overwrite=resumed, **options)
        with signals_deferred():
            raise_if_interrupted()
            return _joined(folder, config, model, say)
    except KeyboardInterrupt as stop:
        command = to_type("--resume", folder)
        result = getattr(stop, "result", None)
        raise Interrupted(result, f"interrupted; `{command}` resumes the run") from None


def _joined(folder, config, model, say):
    """Save the strip, finish the journal, and show the result."""
    records = [read_record(part_folder(folder, n + 1)) for n in range(config.interpolate)]
    strip = strip_of([record.result for record in records])
    first, *others = [record.history for record in records]
    history = [*first, *(losses for history in others for losses in history[1:])]
    seconds = sum(record.about.get("seconds", record.seconds) for record in records)
    image = model.space.to_image(strip)
    result = Result(strip, image, history, config.transfer(), seconds)
    outside = recorded_picture(folder)
    notes = {SETTINGS: with_full_paths(config).with_names().text(without=SAVING)}
    with uninterrupted():
        for path in filter(None, (folder / STRIP, outside)):
            save_image(path, strip, notes=notes)
        if outside is not None:
            record_picture(folder, outside)
    warnings = [
        f"picture {number}: {warning}"
        for number, record in enumerate(records, 1)
        for warning in record.warnings
    ]
    finish_journal(folder, result, warnings)
    show_result(folder, config, say)
    return result


def strip_of(paths):
    """Return pictures side by side, (H, W, 3) uint8; of many, at most `FRAMES` of them."""
    pictures = []
    for path in evenly(paths, FRAMES):
        picture = Image.fromarray(read_picture(path, say=None))
        picture.thumbnail((SIDE, SIDE))
        pictures.append(np.asarray(picture))
    return np.concatenate(pictures, axis=1)
