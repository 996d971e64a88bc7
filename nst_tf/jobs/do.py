"""Start, resume or skip one job of a batch, and return its outcome."""

import errno
import functools
import traceback
from dataclasses import replace
from pathlib import Path

from nst_tf.errors import Busy, ConfigError, NstError
from nst_tf.files import atomic_file, in_use
from nst_tf.jobs.inputs import chosen_weights, with_full_paths
from nst_tf.jobs.job import DONE, FAILED, Outcome
from nst_tf.jobs.resume import resume_job
from nst_tf.jobs.run import run_in_folder
from nst_tf.rundir.layout import JOURNAL, REPORT, set_aside
from nst_tf.rundir.record import read_record
from nst_tf.samples import resolve_pictures

TRACEBACK = "error.txt"


def settled(jobs, say):
    """Return the jobs with full paths and the weights chosen on this machine."""
    choose = functools.cache(lambda weights: chosen_weights(weights, say))  # reports each once

    def settle(job):
        try:
            config = replace(job.config, weights=choose(job.config.weights))
            config = resolve_pictures(config, say)
            return replace(job, config=with_full_paths(config))
        except NstError as error:
            return replace(job, config=None, problem=str(error))

    return [job if job.config is None else settle(job) for job in jobs]


def _silent(line):
    """Discard a message."""


def do_job(job, folder, *, resume=False, callbacks=(), say=_silent):
    """Start or resume a job in its directory and return its `Outcome`.

    A job without a journal starts again; files of an earlier run are set aside, not replaced. With
    `resume`, it is not started, but fails.

    Errors of the job are reported in the outcome. Only errors that concern all jobs are raised:
    `Busy` (another process uses the directory), Ctrl-C, and a full disk.
    """
    if job.config is None:
        return failed(job, job.problem)

    def paint():
        note = _paint(job, Path(folder), resume, {"callbacks": callbacks, "say": say})
        done = found_done(job, folder) or failed(job, "the run ended without a result picture")
        return replace(done, reason="; ".join(filter(None, (done.reason, note))))

    return attempted(job, folder, paint)


def attempted(job, folder, paint):
    """Return the `Outcome` that ``paint()`` returns, or that of its error; see `do_job`."""
    try:
        return paint()
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
        reason = _unexpected(folder)  # a bug in nst_tf; the other jobs still run
    return failed(job, reason)


def failed(job, reason, **facts):
    """Return the `Outcome` of a failed job, with the reason on one line."""
    return Outcome(job.name, FAILED, " ".join(reason.split()), **facts)


def _paint(job, folder, resume, options):
    """Run or resume a job; return what the user should know about its earlier files."""
    if folder.is_symlink():
        raise ConfigError(f"{folder} is a symbolic link; a directory was expected")
    if resume or (folder / JOURNAL).exists():
        resume_job(folder, **options)
        return ""
    aside = set_aside(folder) if folder.is_dir() else None
    with in_use(folder.parent):  # of the batch: it exists, or else it was removed or renamed
        run_in_folder(job.config, folder, **options)
    if aside is None:
        return ""
    return f"started again, because {JOURNAL} was lost; its earlier files are in {aside}"


def _unexpected(folder):
    text = traceback.format_exc()
    last_line = text.strip().splitlines()[-1]
    if not Path(folder).is_dir():
        return f"unexpected error: {last_line}"
    with atomic_file(Path(folder) / TRACEBACK) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")
    return f"unexpected error, traceback in {TRACEBACK}: {last_line}"


def found_done(job, folder, attempts=1):
    """Return the `Outcome` of a job that is complete in its directory; None if it is not."""
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
        "; ".join([*record.warnings, *record.remarks]),
        iterations=record.iterations,
        seconds=float(seconds) if isinstance(seconds, (int, float)) else record.seconds,
        loss=record.history[-1].get("total") if record.history else None,
        attempts=attempts,
        score=record.score,
    )
