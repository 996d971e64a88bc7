"""The default engine: runs one job after the other in this process."""

from dataclasses import replace

from nst_tf.batch.attempts import Attempts
from nst_tf.console import raise_if_interrupted
from nst_tf.errors import Busy
from nst_tf.jobs.do import do_job, failed


def run_here(jobs, folder, progress):
    """Run jobs one after the other; yield the `Outcome` of each as it finishes.

    The weights are read once, and the loop is traced once for jobs with the same terms.

    Parameters
    ----------
    jobs : sequence of Job
    folder : Path
        Of the batch; each job gets a subfolder with its name.
    progress : Progress
        Receives each step.
    """
    attempts = Attempts(folder, jobs)
    for job in jobs:
        raise_if_interrupted()
        progress.begin(job.name)
        yield attempts.given_up(job) or _attempt(job, folder, progress, attempts)
    attempts.forget()


def _attempt(job, folder, progress, attempts):
    with attempts.noted(job) as number:
        try:
            outcome = do_job(job, folder / job.name, callbacks=[progress.step(job.name)])
        except Busy as error:
            outcome = failed(job, str(error))
        return replace(outcome, attempts=number)
