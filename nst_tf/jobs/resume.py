"""Resumes a run that was interrupted."""

import contextlib
from dataclasses import replace
from pathlib import Path

from nst_tf.console import to_type
from nst_tf.errors import (
    ConfigError,
    ImageError,
    WeightsError,
)
from nst_tf.jobs.load import journal_files, load_task, memory_told, with_precision, words_for
from nst_tf.jobs.run import paint_in, show_result
from nst_tf.rundir.checkpoint import latest_position
from nst_tf.rundir.journal import (
    check_unchanged,
    load_settings,
    read_journal,
    record_precision,
    recorded_precision,
    settings_to_resume,
)
from nst_tf.rundir.layout import CONFIG, REPORT, RESULT, locked, remove_half_written
from nst_tf.scaling.levels import task_levels


def resume_job(folder, *, callbacks=(), say=print):
    """Continue a run that was cut off by a signal, a crash, a power cut or a full disk.

    It continues in the precision that it was begun in. On the same machine with the same versions,
    a run on the CPU in float32 gives the same picture, bit for bit, as one that was not cut off. A
    finished run is left as it is.

    Parameters
    ----------
    folder : path
        Of the run.
    callbacks, say
        As for `run_job`.

    Returns
    -------
    (Result or None, Path)
        As from `run_job`; None where there was nothing left to do.

    Raises
    ------
    ConfigError
        There is no run to go on with, its inputs have changed, or another process is at it.
    NstError, Interrupted
        As from `run_job`.
    """
    if not str(folder):
        raise ConfigError("--resume is empty; the folder of a run was expected")
    folder = Path(folder)
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder; --resume takes the folder of a run")
    journal = read_journal(folder)
    if "finished" in journal and (folder / RESULT).exists():
        if not (folder / REPORT).exists():  # it was killed as it wrote that
            with locked(folder):
                remove_half_written(folder)
                show_result(folder, load_settings(folder), say)
        say(f"{folder} is finished: {folder / RESULT}")
        return None, folder
    with locked(folder):
        config = settings_to_resume(folder)
        recorded = recorded_precision(config, journal)
        config = with_precision(replace(config, precision=recorded), say)
        with memory_told(config):
            with vanished_told(folder):
                task, finish, model = load_task(config)
            check_unchanged(folder, folder / CONFIG, journal_files(config, model), say)
            remove_half_written(folder)
            position = latest_position(folder, say)
            check_fits(folder, position, task)
            if recorded == "auto":
                record_precision(folder, config.precision, say)
            done = len(position.history) - 1 if position else 0
            say(f"{words_for(task)} of {model.name}, from iteration {done}, in {folder}")
            result = paint_in(folder, task, finish, config, callbacks, say, position)
            return result, folder


def check_fits(folder, position, task):
    """Refuse a position that is not one of this task: a checkpoint from elsewhere."""
    if position is None:
        return
    levels = task_levels(task)
    fits = 0 <= position.level < len(levels) and position.history
    fits = fits and position.done <= task.config.iterations
    size = fits and levels[position.level].size
    if not fits or position.loop["image"].shape != (1, *size, 3):
        raise ConfigError(
            f"the checkpoints in {folder} are of another run; remove them, and "
            f"`{to_type('--resume', folder)}` begins at 0"
        )


@contextlib.contextmanager
def vanished_told(folder):
    """Say what to do when what a run was begun with can't be loaded any more."""
    try:
        yield
    except (ConfigError, ImageError, WeightsError) as error:
        resume = to_type("--resume", folder)
        error.add_note(f"put back what the run was begun with, then `{resume}`")
        raise
