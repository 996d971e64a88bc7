"""Kill and resume batches at random times.

`python tests/helpers/killing_batches.py FOLDER BATCHES SEED`

Each batch of 8 jobs is killed twice and resumed, and its pictures are compared with those of an
uninterrupted batch. The numbers of done, partial and waiting jobs at each kill are printed as JSON.
"""

import json
import random
import signal
import sys
import time
from functools import partial
from pathlib import Path

from killing import check_same, check_whole, in_child, prepared

from nst_tf.batch.lists import pairs
from nst_tf.batch.whole import JOBS, resume_batch, run_batch
from nst_tf.jobs.do import found_done

SWEEPS = {"alpha": [0.5, 1.0, 2.0, 4.0], "statistic": ["moments", "gram"]}
KILLS = 2


def main(folder, batches, seed):
    """Kill batches; print the findings."""
    folder, rng = Path(folder), random.Random(seed)
    base = prepared(folder).changed(optimizer="lbfgs-fixed", iterations=40)
    jobs = pairs([base.content], base.style, base=base, sweeps=SWEEPS)
    began = time.perf_counter()
    assert in_child(partial(do, jobs, folder / "whole")) == 0
    longest = time.perf_counter() - began
    found = {"jobs": len(jobs), "kills": []}
    for number in range(batches):
        cut = folder / f"cut-{number}"
        for _ in range(KILLS):
            status = in_child(partial(do, jobs, cut), rng.uniform(0.1, 0.7) * longest)
            if status != 0:
                assert status == -signal.SIGKILL, f"{cut} ended with {status}"
                found["kills"].append(counted(jobs, cut))
        assert in_child(partial(do, jobs, cut)) == 0, cut
        assert counted(jobs, cut)["done"] == len(jobs)
        for job in jobs:
            check_same(folder / "whole" / job.name, cut / job.name)
    print(json.dumps(found))


def do(jobs, folder):
    """Start a batch, or resume it if it has been started."""
    if (folder / JOBS).exists():
        summary = resume_batch(folder, say=None)
    else:
        for file in folder.glob("*") if folder.is_dir() else ():
            file.unlink()  # it was killed before its list was complete
        summary = run_batch(jobs, folder, say=None)
    assert summary.count("done") == len(jobs), summary.outcomes


def counted(jobs, folder):
    """Check all files of a batch; return the number of jobs in each state."""
    done = sum(found_done(job, folder / job.name) is not None for job in jobs)
    begun = sum((folder / job.name).is_dir() for job in jobs)
    iteration = max(check_whole(folder / job.name) for job in jobs)
    return {"done": done, "begun": begun - done, "waiting": len(jobs) - begun, "from": iteration}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
