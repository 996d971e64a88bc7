"""Run or resume a batch: its folder, its remaining jobs, an engine and the summary."""

import contextlib
from pathlib import Path

from nst_tf.batch.here import run_here
from nst_tf.batch.lists import read_jobs, save_jobs
from nst_tf.batch.progress import Progress
from nst_tf.batch.summary import Summary
from nst_tf.console import print_line, raise_if_interrupted, signals_deferred, uninterrupted
from nst_tf.errors import ConfigError, Interrupted
from nst_tf.files import make_folder
from nst_tf.jobs.do import found_done, settled
from nst_tf.jobs.job import DONE
from nst_tf.rundir.layout import check_directory_name, check_output, locked, new_folder

JOBS = "jobs.json"


def run_batch(jobs, output=None, *, engine=run_here, say=print_line, sort=None):
    """Run jobs, each in its own folder, and summarize how each one ended.

    A failed job does not stop the others.

    Parameters
    ----------
    jobs : sequence of Job
        As from `read_jobs` or `pairs`.
    output : path, optional
        A new or empty folder; default: a new one under output/.
    engine : callable
        ``(jobs, folder, progress) -> iterator of outcomes``: `run_here`, or what `ray_engine`
        returns.
    say : callable or None
        Receives each line of progress.
    sort : str, optional
        Number of the score that sorts index.html; default: by name.

    Returns
    -------
    Summary
        With `outcomes` by name. The folder holds jobs.json, summary.csv, index.html and the jobs'
        folders.

    Raises
    ------
    ConfigError
        The folder can't be used.
    Interrupted
        After Ctrl-C; `resume_batch` resumes the batch.
    """
    check_output(output, overwrite=True)
    check_directory_name(output)
    folder = new_folder(Path("output"), "batch") if output is None else Path(output)
    if folder.is_dir() and (folder / JOBS).exists():
        raise ConfigError(
            f"{folder} holds an earlier batch; `python -m nst_tf.batch --resume {folder}` resumes "
            "it; for a new batch, choose another --output"
        )
    if folder.is_dir() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is not empty; choose a new directory with --output")
    make_folder(folder)
    with locked(folder):
        jobs = settled(jobs, say or _silent)
        save_jobs(folder / JOBS, jobs)
        return _run(jobs, folder, engine, say, sort)


def resume_batch(folder, *, engine=run_here, say=print_line, sort=None):
    """Resume a batch: skip completed jobs, continue partial ones and run the others.

    Failed jobs are retried. Arguments and return value are those of `run_batch`.
    """
    folder = Path(folder)
    if not (folder / JOBS).is_file():
        raise ConfigError(
            f"{folder} contains no {JOBS}: no batch was started there; --resume expects the "
            "directory of a batch"
        )
    with locked(folder):
        return _run(read_jobs(folder / JOBS), folder, engine, say, sort)


def _run(jobs, folder, engine, say, sort):
    summary = Summary(folder, jobs)
    for job in jobs:
        outcome = found_done(job, folder / job.name, attempts=0)
        if outcome:
            summary.outcomes[job.name] = outcome
    left = [job for job in jobs if job.name not in summary.outcomes]
    if say:
        say(f"{len(jobs)} jobs, {len(summary.outcomes)} of them already done, in {folder}")
    summary.write()
    try:
        progress = Progress(left, len(summary.outcomes), say)
        with signals_deferred(), contextlib.closing(progress):
            outcomes = engine(left, folder, progress)
            with contextlib.closing(outcomes):
                for outcome in outcomes:
                    summary.add(outcome)
                    progress.ended(outcome)
                    raise_if_interrupted()
    except KeyboardInterrupt as stop:
        done = summary.count(DONE)
        raise Interrupted(
            getattr(stop, "result", None),
            f"interrupted: {done} of {len(jobs)} jobs are done; "
            f"`python -m nst_tf.batch --resume {folder}` resumes",
        ) from None
    finally:
        with uninterrupted():
            summary.write()
    with uninterrupted():
        summary.write_index(sort)
    return summary


def _silent(line):
    pass
