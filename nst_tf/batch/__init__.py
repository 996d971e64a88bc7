"""Many jobs: a list of them, done one after the other here or side by side on a cluster.

`lists.py` makes the jobs from a file, or from pictures in pairs; `work.py` does one of them;
`here.py` and `on_ray.py` are the engines, which do all; `summary.py` tells how each one ended.
"""

from nst_tf.batch.lists import pairs, read_jobs
from nst_tf.jobs.job import Job

__all__ = ["Job", "pairs", "read_jobs"]
