"""Batches of jobs, run one after the other in this process or in parallel on a cluster.

`lists.py` creates the jobs from a file, which `reading.py` reads, or from pairs of pictures,
which `pictures.py` finds; `here.py` and `on_ray.py` of `jobs` are the engines; `attempts.py`
counts the jobs that end the process; `progress.py` and `summary.py` report progress and results.
"""

from nst_tf.batch.lists import pairs, read_jobs
from nst_tf.jobs.job import Job

__all__ = ["Job", "pairs", "read_jobs"]
