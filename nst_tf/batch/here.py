"""The default engine: runs one job after the other in this process."""

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
    for job in jobs:
        raise_if_interrupted()
        progress.begin(job.name)
        try:
            yield do_job(job, folder / job.name, callbacks=[progress.step(job.name)])
        except Busy as error:
            yield failed(job, str(error))
