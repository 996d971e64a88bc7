"""Run a job: from input files to a directory with the picture, its losses and settings."""

import contextlib
from dataclasses import replace

from nst_tf.callbacks import save_every
from nst_tf.console import (
    print_line,
    raise_if_interrupted,
    signals_deferred,
    to_type,
    uninterrupted,
)
from nst_tf.errors import ConfigError, Diverged, Interrupted, NstError, OutOfMemory
from nst_tf.files import discard
from nst_tf.jobs.check_result import judged
from nst_tf.jobs.inputs import check_inputs_survive, chosen_weights, with_full_paths
from nst_tf.jobs.load import (
    describe_task,
    explain_out_of_memory,
    journal_files,
    load_task,
    report_print,
    report_small_steps,
    with_precision,
    with_size,
)
from nst_tf.jobs.output import Output
from nst_tf.jobs.scale_control import load_first_task, load_mixed_task
from nst_tf.report.render import write_report
from nst_tf.report.timelapse import check_kind, save_timelapse
from nst_tf.rundir.checkpoint import Checkpoints
from nst_tf.rundir.journal import finish_journal, write_journal
from nst_tf.rundir.layout import (
    CONFIG,
    LOSSES,
    REPORT,
    RESULT,
    check_output,
    check_picture,
    open_run_folder,
    picture_named,
)
from nst_tf.rundir.losses_csv import LossLog
from nst_tf.rundir.record import read_record
from nst_tf.samples import resolve_pictures
from nst_tf.scaling.memory import estimate_of, memory_used
from nst_tf.transfer import minimize


def run_job(config, output=None, *, overwrite=False, callbacks=(), say=print_line):
    """Run one job and write its files to a directory.

    All inputs are validated before anything is written.

    Parameters
    ----------
    config : JobConfig
    output : path, optional
        The run directory; default: a new one under output/, named after the pictures. With the
        extension of a picture (.png, .jpg, .jpeg, .webp, .tif, .tiff): the file that gets the
        result, too; the run directory is then the default one.
    overwrite : bool
        Replace the files of an earlier run in that directory, or that picture file.
    callbacks : sequence of callable
        Functions of a `Step`, in addition to those that save.
    say : callable
        Called with each message.

    Returns
    -------
    (Result, Path)
        The result and the run directory with 000050.png ..., result.png, losses.csv, config.json,
        journal.json, report.html and optionally a time-lapse. With `interpolate`: the strip of all
        pictures, and the directory with strip.png and a run directory for each of them.

    Raises
    ------
    NstError
        Bad input; or `Diverged`, after saving the last good picture.
    Interrupted
        Ctrl-C, after saving the current picture.
    """
    picture = picture_named(output)
    shared = {"overwrite": overwrite, "callbacks": callbacks, "say": say}
    if picture is None:
        return run_in_folder(config, output, **shared)
    check_picture(picture, overwrite, config)
    return run_in_folder(config, None, picture, **shared)


def run_in_folder(config, output, picture=None, *, overwrite=False, callbacks=(), say=print_line):
    """Run one job in a directory of any name; `picture` is a file that gets the result, too.

    The other arguments, the return value and the errors are those of `run_job`.
    """
    if not config.content or not config.paintings or not all(config.paintings):
        raise ConfigError(
            f"content is {config.content!r} and style {config.style!r}; both pictures are needed"
        )
    config = resolve_pictures(config, say)
    check_output(output, overwrite)
    check_inputs_survive(config, output, picture)
    if config.animate:
        check_kind(config.animate)
    config = replace(config, weights=chosen_weights(config.weights, say))
    config = with_precision(config, say)
    report_small_steps(config, say)
    with explain_out_of_memory(config):
        if str(config.size).endswith("+"):
            config = with_size(config, say)
        if config.print:
            report_print(config, say)
        used, remarks = memory_used(), []
        load = load_first_task if config.fine else load_task
        task, finish, model = load(config, remarks.append)
        for remark in remarks:
            say(remark)
        # All inputs are valid here, so the directory can be created.
        with open_run_folder(output, config, overwrite) as folder:
            with_full_paths(config).save(folder / CONFIG)
            files = journal_files(config, model)
            about = model.name, config.precision, picture, remarks
            write_journal(folder, folder / CONFIG, files, *about)
            if config.fine:
                task, finish, model = load_mixed_task(folder, config, model, say)
            say(f"{describe_task(task)} of {model.name}, in {folder}")
            say(str(estimate_of(task, used)))
            if config.interpolate:
                from nst_tf.jobs.interpolation import paint_parts

                del task  # each picture loads its own
                return paint_parts(folder, config, model, callbacks, say), folder
            return run_task(folder, task, finish, config, callbacks, say), folder


def run_task(folder, task, finish, config, callbacks, say, position=None):
    """Run or resume a task, save its files and return the result."""
    output = Output(folder, config, task.objective.model.space, finish)
    with signals_deferred():
        with saving_callbacks(output, config, position) as savers:
            callbacks = [*savers, *callbacks, stop_if_interrupted]
            result = minimize(task, callbacks=callbacks, finish=finish, position=position, say=say)
        output.save(result)
        output.save_outside(result)
        finish_journal(folder, result, *judged(result, task))
        try:
            show_result(folder, config, say)
        except KeyboardInterrupt:
            command = to_type("--resume", folder)
            raise Interrupted(
                result, f"interrupted: {folder / RESULT} is finished; `{command}` makes its report"
            ) from None
    return result


def stop_if_interrupted(step):
    """Raise KeyboardInterrupt if a signal came; a callback, after those that save."""
    if step.image is not None:  # of several iterations in a call, the last has the picture
        raise_if_interrupted()


stop_if_interrupted.look_every = 0  # any number of iterations may run in one call


@contextlib.contextmanager
def saving_callbacks(output, config, position=None):
    """Yield the callbacks that save a run; save the last picture if the run is interrupted."""
    folder = output.folder
    pictures = []
    if config.save_every:
        pictures = [save_every(config.save_every, folder, start=config.save_start)]
    with LossLog(folder / LOSSES, config, position.history if position else []) as log:
        try:
            # Checkpoints come last, after the files that they rely on.
            yield [log, *pictures, Checkpoints(folder, config.checkpoint_every)]
        except (Diverged, Interrupted) as stop:
            path = output.save(stop.result)
            with uninterrupted():
                write_report(folder)
            try:
                path = output.save_outside(stop.result) or path
            except (NstError, OSError) as error:  # the picture is in the run directory
                stop.add_note(str(error))
            stop.add_note(f"the picture after {stop.result.iterations} iterations is {path}")
            if isinstance(stop, Interrupted | OutOfMemory):
                stop.add_note(f"`{to_type('--resume', folder)}` resumes the run")
            raise


def show_result(folder, config, say=print_line):
    """Write the report of a run, and its time-lapse if the config asks for one.

    The report is written last: while a finished run has none, `--resume` calls this again.
    """
    discard(folder / REPORT)
    try:
        pictures = [path for _, path in read_record(folder).pictures] if config.animate else []
        if pictures:
            save_timelapse(pictures, folder / f"timelapse.{config.animate}")
        elif config.animate:  # there were no iterations, or the start was optimal
            say("no intermediate pictures were saved: no time-lapse")
    except Exception:
        write_report(folder)
        raise
    raise_if_interrupted()
    write_report(folder)
