"""One job of a batch: begun, gone on with or found done, and how it ended."""

import errno
import functools
import traceback
from dataclasses import replace
from pathlib import Path

from nst_tf.errors import Busy, ConfigError, NstError
from nst_tf.files import atomic_file
from nst_tf.jobs.inputs import chosen_weights, with_full_paths
from nst_tf.jobs.job import DONE, FAILED, Outcome
from nst_tf.jobs.resume import resume_job
from nst_tf.jobs.run import run_job
from nst_tf.rundir.layout import JOURNAL, REPORT
from nst_tf.rundir.record import read_record
from nst_tf.samples import resolve_pictures

TRACEBACK = "error.txt"


def settled(jobs, say):
    """Return the jobs with all that depends on where they are made decided: paths and weights."""
    chosen = functools.cache(lambda weights: chosen_weights(weights, say))  # said once

    def settle(job):
        try:
            config = resolve_pictures(replace(job.config, weights=chosen(job.config.weights)))
            return replace(job, config=with_full_paths(config))
        except NstError as error:
            return replace(job, config=None, problem=str(error))

    return [job if job.config is None else settle(job) for job in jobs]


def _silent(line):
    """Say nothing."""


def do_job(job, folder, *, callbacks=(), say=_silent):
    """Do a job in its folder, from where it stands, and return its `Outcome`.

    Whatever is wrong with it is in the outcome. Only what concerns all jobs is raised: `Busy`
    (another process is at it), Ctrl-C, and a full disk.
    """
    if job.config is None:
        return failed(job, job.problem)
    try:
        _paint(job, Path(folder), {"callbacks": callbacks, "say": say})
        return found_done(job, folder) or failed(job, "it ended and left no picture")
    except Busy:
        raise
    except NstError as error:
        reason = str(error)
    except MemoryError:
        reason = "out of memory: make the picture smaller, as in --size 512"
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        reason = f"{error.filename or 'a file'}: {error.strerror or error}"
    except Exception:
        reason = _unexpected(folder)  # a fault of ours: the other jobs shall not suffer from it
    return failed(job, reason)


def failed(job, reason, **facts):
    """Return the `Outcome` of a job that failed, its reason on one line."""
    return Outcome(job.name, FAILED, " ".join(reason.split()), **facts)


def _paint(job, folder, how):
    if folder.is_symlink():
        raise ConfigError(f"{folder} is a link to elsewhere; a folder of its own was expected")
    if (folder / JOURNAL).exists():
        resume_job(folder, **how)
    else:  # what was begun before its journal was written is nothing yet
        run_job(job.config, folder, overwrite=True, **how)


def _unexpected(folder):
    text = traceback.format_exc()
    last = text.strip().splitlines()[-1]
    if not Path(folder).is_dir():
        return f"an error that nst_tf did not expect: {last}"
    with atomic_file(Path(folder) / TRACEBACK) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")
    return f"an error that nst_tf did not expect, in {TRACEBACK}: {last}"


def found_done(job, folder, attempts=1):
    """Return the `Outcome` of a job whose folder says that it is done; None if it is not."""
    try:
        record = read_record(folder)
    except (NstError, OSError):
        return None
    # The report is written last.
    if not (record.finished and record.result and (Path(folder) / REPORT).exists()):
        return None
    seconds = record.about.get("seconds")
    return Outcome(
        job.name,
        DONE,
        iterations=record.iterations,
        seconds=float(seconds) if isinstance(seconds, (int, float)) else record.seconds,
        loss=record.history[-1].get("total") if record.history else None,
        attempts=attempts,
    )
