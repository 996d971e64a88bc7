"""A job: from two files to a folder with the picture, its losses and its settings."""

import contextlib
from dataclasses import replace

from nst_tf.callbacks import save_every
from nst_tf.config import SAVING, SETTINGS
from nst_tf.console import to_type, uninterrupted
from nst_tf.errors import (
    ConfigError,
    Diverged,
    Interrupted,
)
from nst_tf.image.io import save_image
from nst_tf.jobs.inputs import check_inputs_survive, chosen_weights, with_full_paths
from nst_tf.jobs.load import journal_files, load_task, memory_told, with_precision, words_for
from nst_tf.report.render import write_report
from nst_tf.report.timelapse import check_kind, save_timelapse
from nst_tf.rundir.checkpoint import Checkpoints
from nst_tf.rundir.journal import (
    finish_journal,
    write_journal,
)
from nst_tf.rundir.layout import CONFIG, LOSSES, RESULT, check_output, made_folder
from nst_tf.rundir.losses_csv import LossLog
from nst_tf.rundir.record import read_record
from nst_tf.samples import resolve_pictures
from nst_tf.scaling.memory import estimate_of, memory_used
from nst_tf.transfer import minimize


def run_job(config, output=None, *, overwrite=False, callbacks=(), say=print):
    """Run one job and leave its files in a folder.

    Everything that the user could have got wrong is looked at before anything is written.

    Parameters
    ----------
    config : JobConfig
    output : path, optional
        The folder; default: a new one under output/, named for the pictures.
    overwrite : bool
        Replace the files of an earlier run in that folder.
    callbacks : sequence of callable
        Functions of a `Step`, beside those that save.
    say : callable
        Gets each line of news.

    Returns
    -------
    (Result, Path)
        The result and the folder, which holds 000050.png ..., result.png, losses.csv,
        config.json, journal.json, report.html and maybe a time-lapse.

    Raises
    ------
    NstError
        Bad input; or `Diverged`, after saving the last good picture.
    Interrupted
        Ctrl-C, after saving the picture reached.
    """
    if not config.content or not config.style or not all(config.style):
        raise ConfigError(
            f"content is {config.content!r} and style {config.style!r}; both pictures are needed"
        )
    config = resolve_pictures(config)
    check_output(output, overwrite)
    check_inputs_survive(config, output)
    if config.animate:
        check_kind(config.animate)
    config = replace(config, weights=chosen_weights(config.weights, say))
    config = with_precision(config, say)
    with memory_told(config):
        used = memory_used()
        task, finish, model = load_task(config)
        # From here on nothing is refused any more, so there may be a folder.
        with made_folder(output, config, overwrite) as folder:
            with_full_paths(config).save(folder / CONFIG)
            files = journal_files(config, model)
            write_journal(folder, folder / CONFIG, files, model.name, config.precision)
            say(f"{words_for(task)} of {model.name}, in {folder}")
            say(str(estimate_of(task, used)))
            return paint_in(folder, task, finish, config, callbacks, say), folder


def paint_in(folder, task, finish, config, callbacks, say, position=None, kept=None):
    """Run a task, from a position if there is one, and save what it makes."""
    with saved_in(folder, config, position) as savers:
        callbacks = [*savers, *callbacks]
        result = minimize(task, callbacks=callbacks, finish=finish, position=position)
    save_result(folder, result, config)
    finish_journal(folder, result)
    show_result(folder, config, say)
    return result


@contextlib.contextmanager
def saved_in(folder, config, position=None):
    """Give the callbacks that save a run into its folder, and leave a picture if it breaks off."""
    pictures = [save_every(config.save_every, folder)] if config.save_every else []
    with LossLog(folder / LOSSES, position.history if position else []) as log:
        try:
            # The checkpoint comes last: what it takes for saved is saved.
            yield [log, *pictures, Checkpoints(folder, config.checkpoint_every)]
        except (Diverged, Interrupted) as stop:
            path = save_result(folder, stop.result, config)
            with uninterrupted():
                write_report(folder)
            stop.add_note(f"the picture after {stop.result.iterations} iterations is {path}")
            if isinstance(stop, Interrupted):
                stop.add_note(f"`{to_type('--resume', folder)}` goes on")
            raise


def save_result(folder, result, config):
    """Save the picture of a result, its settings inside, not to be interrupted; return where."""
    path, settings = folder / RESULT, with_full_paths(config).text(without=SAVING)
    with uninterrupted():
        save_image(path, result.picture, notes={SETTINGS: settings})
    return path


def show_result(folder, config, say=print):
    """Write what shows a run that is saved: its report, and its time-lapse if it is to have one."""
    try:
        pictures = [path for _, path in read_record(folder).pictures] if config.animate else []
        if pictures:
            save_timelapse(pictures, folder / f"timelapse.{config.animate}")
        elif config.animate:  # it had no iterations to make, or was at its goal from the start
            say("no picture was saved on the way: no time-lapse")
    finally:  # whatever became of the film
        write_report(folder)
