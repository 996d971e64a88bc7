"""The engine that needs nothing: one job after the other, in this process."""

from nst_tf.errors import Busy
from nst_tf.jobs.do import do_job, failed


def run_here(jobs, folder, progress):
    """Do jobs one after the other; yield the `Outcome` of each as it comes.

    The weights are read once, and the loop is traced once for jobs with the same terms.

    Parameters
    ----------
    jobs : sequence of Job
    folder : Path
        In which each job has a folder of its name.
    progress : Progress
        Is told of each step.
    """
    for job in jobs:
        progress.begin(job.name)
        try:
            yield do_job(job, folder / job.name, callbacks=[progress.step(job.name)])
        except Busy as error:
            yield failed(job, str(error))
