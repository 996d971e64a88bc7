"""Scale control: paint the style of a run from --fine and --coarse before the run."""

from dataclasses import replace

from nst_tf.callbacks import progress_line
from nst_tf.console import raise_if_interrupted, signals_deferred, to_type, uninterrupted
from nst_tf.errors import Interrupted
from nst_tf.experiments import mix_scales
from nst_tf.image.io import read_picture, save_image
from nst_tf.jobs.inputs import load_content, load_paintings
from nst_tf.jobs.load import load_task
from nst_tf.models import resolve_layers
from nst_tf.rundir.journal import read_journal, record_file
from nst_tf.rundir.layout import MIXED
from nst_tf.scaling.times import TimeLeft

ROLE = "mixed style"  # in journal.json
SAY_EVERY = 50  # iterations


def scales_apart(config):
    """Return the config with `fine` and `coarse` as two styles."""
    both = {"style": config.paintings, "masks": config.masks and config.masks * 2}
    return replace(config, fine=None, coarse=None, color="style", **both)  # colors are the run's


def load_first_task(config, say=None):
    """Return `load_task` of a config with `fine` and `coarse` as two styles.

    This checks all inputs before anything is written.
    """
    task, finish, model = load_task(scales_apart(config), say)
    resolve_layers(model, config.fine_layers)
    return task, finish, model


def load_mixed_task(folder, config, model, say):
    """Return `load_task` of a config with `fine` and `coarse`, with the mixed style as its style.

    The mixed style is read from its file even if it has just been painted, so that a resumed run
    uses the same one.

    Parameters
    ----------
    folder : Path
        The run directory, with its journal.
    config : JobConfig
    model : Trunk
        Of `load_task`.
    say : callable
        Called with each message.
    """
    if ROLE not in read_journal(folder)["files"] or not (folder / MIXED).exists():
        _paint_mixed_style(folder, config, model, say)
    height, width = read_picture(folder / MIXED, say=None).shape[:2]
    as_it_is = {"style_size": f"{width}x{height}", "style_scale": 1.0, "style_margin": 0.0}
    style = {"style": (str(folder / MIXED),), "fine": None, "coarse": None}
    return load_task(replace(config, **style, **as_it_is, stretch_style=False))


def mixed_file(folder, journal):
    """Return the file of the mixed style by its role in the journal; empty if not painted yet."""
    painted = ROLE in journal["files"] and (folder / MIXED).exists()
    return {ROLE: folder / MIXED} if painted else {}


def _paint_mixed_style(folder, config, model, say):
    content, photograph = load_content(config)
    sizes = content.shape[:2], photograph.shape[:2]
    fine, coarse = load_paintings(scales_apart(config), *sizes)
    height, width = coarse.picture.shape[:2]
    layers = " ".join(config.fine_layers)
    say(f"mixing the style at {width}x{height}, {config.fine_iterations} iterations: {layers}")
    images = [model.space.to_image(painting.picture) for painting in (fine, coarse)]
    knobs = {name: getattr(config, name) for name in ("precision", "memory_limit")}
    options = {"layers": config.fine_layers, "iterations": config.fine_iterations, **knobs}
    try:
        with signals_deferred():
            result = mix_scales(model, *images, callbacks=[_watch(say)], **options)
    except Interrupted as stop:
        command = to_type("--resume", folder)
        raise Interrupted(
            stop.result, f"interrupted while mixing the style; `{command}` mixes it again"
        ) from None
    if result.converged:
        say(f"mixed style: converged after {result.iterations} iterations")
    with uninterrupted():
        save_image(folder / MIXED, result.picture)
        record_file(folder, ROLE, folder / MIXED)


def _watch(say):
    """Return a callback that reports the progress of the mixed style and ends it after a signal."""
    time_left = TimeLeft()

    def report(step):
        left = time_left(step)
        if step.iteration and (step.last or step.iteration % SAY_EVERY == 0):
            say(f"mixed style: {progress_line(step, left)}")
        if step.image is not None:  # the last iteration of a call
            raise_if_interrupted()

    report.look_every = 0
    return report
