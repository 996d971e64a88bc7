"""Resume an interrupted run."""

import contextlib
from dataclasses import replace
from pathlib import Path

from nst_tf.console import print_line, signals_deferred, to_type
from nst_tf.errors import ConfigError, ImageError, WeightsError
from nst_tf.jobs.load import (
    describe_task,
    explain_out_of_memory,
    journal_files,
    load_task,
    with_precision,
)
from nst_tf.jobs.run import run_task, show_result
from nst_tf.jobs.scale_control import load_first_task, load_mixed_task, mixed_file
from nst_tf.rundir.checkpoint import latest_position
from nst_tf.rundir.journal import (
    check_unchanged,
    load_settings,
    read_journal,
    record_precision,
    recorded_picture,
    recorded_precision,
    settings_to_resume,
)
from nst_tf.rundir.layout import CONFIG, REPORT, RESULT, STRIP, locked, remove_half_written
from nst_tf.scaling.levels import task_levels


def resume_job(folder, *, callbacks=(), say=print_line):
    """Resume a run that was interrupted by a signal, a crash, a power cut or a full disk.

    It keeps the precision that it started in. On the same machine with the same versions, a CPU
    run in float32 gives the same picture, bit for bit, as one that was not interrupted. A finished
    run is left unchanged.

    Parameters
    ----------
    folder : path
        The run directory.
    callbacks, say
        As for `run_job`.

    Returns
    -------
    (Result or None, Path)
        As from `run_job`; None if the run was already finished.

    Raises
    ------
    ConfigError
        There is no run to resume, its inputs have changed, or another process uses the directory.
    NstError, Interrupted
        As from `run_job`.
    """
    if not str(folder):
        raise ConfigError("--resume is empty; a run directory was expected")
    folder = Path(folder)
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a directory; --resume expects a run directory")
    journal = read_journal(folder)
    results = [path for path in (folder / RESULT, folder / STRIP) if path.exists()]
    if "finished" in journal and results:
        if not (folder / REPORT).exists():  # it was stopped before the report was written
            with locked(folder), signals_deferred():
                remove_half_written(folder)
                show_result(folder, load_settings(folder), say)
        say(f"{folder} is finished: {results[0]}")
        return None, folder
    with locked(folder):
        recorded_picture(folder)  # refuses to replace another file
        config = settings_to_resume(folder)
        recorded = recorded_precision(config, journal)
        config = with_precision(replace(config, precision=recorded), say)
        with explain_out_of_memory(config):
            with explain_missing_inputs(folder):
                load = load_first_task if config.fine else load_task
                task, finish, model = load(config)
            files = journal_files(config, model) | mixed_file(folder, journal)
            check_unchanged(folder, folder / CONFIG, files, say)
            remove_half_written(folder)
            if config.interpolate:
                from nst_tf.jobs.interpolation import paint_parts

                return paint_parts(folder, config, model, callbacks, say, resumed=True), folder
            if config.fine:
                task, finish, model = load_mixed_task(folder, config, model, say)
            position = latest_position(folder, say)
            check_fits(folder, position, task)
            if recorded == "auto":
                record_precision(folder, config.precision, say)
            done = len(position.history) - 1 if position else 0
            say(f"{describe_task(task)} of {model.name}, from iteration {done}, in {folder}")
            result = run_task(folder, task, finish, config, callbacks, say, position)
            return result, folder


def check_fits(folder, position, task):
    """Raise `ConfigError` if a position is not one of this task, but of another run."""
    if position is None:
        return
    levels = task_levels(task)
    fits = 0 <= position.level < len(levels) and position.history
    fits = fits and position.done <= task.config.iterations
    size = fits and levels[position.level].size
    if not fits or position.loop["image"].shape != (1, *size, 3):
        raise ConfigError(
            f"the checkpoints in {folder} belong to another run; remove them, and "
            f"`{to_type('--resume', folder)}` starts at iteration 0"
        )


@contextlib.contextmanager
def explain_missing_inputs(folder, command="run"):
    """Add advice to the error when an input of a run can't be loaded; `command` is its module."""
    try:
        yield
    except (ConfigError, ImageError, WeightsError) as error:
        resume = to_type("--resume", folder, command=command)
        error.add_note(f"restore the original inputs of the run, then `{resume}`")
        raise
