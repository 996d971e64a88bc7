"""Kill whole batches at random and go on: `python tests/killing_batches.py FOLDER BATCHES SEED`.

Each batch of 8 jobs is killed twice, resumed, and its pictures compared with those of a batch that
was left in peace. Prints as JSON how many jobs were done, half done and not begun at each kill.
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
    """Kill batches; print what was seen."""
    folder, random_from = Path(folder), random.Random(seed)
    base = prepared(folder).changed(optimizer="lbfgs-fixed", iterations=40)
    jobs = pairs([base.content], base.style, base=base, sweeps=SWEEPS)
    began = time.perf_counter()
    assert in_child(partial(do, jobs, folder / "whole")) == 0
    longest = time.perf_counter() - began
    found = {"jobs": len(jobs), "kills": []}
    for number in range(batches):
        cut = folder / f"cut-{number}"
        for _ in range(KILLS):
            status = in_child(partial(do, jobs, cut), random_from.uniform(0.1, 0.7) * longest)
            if status != 0:
                assert status == -signal.SIGKILL, f"{cut} ended with {status}"
                found["kills"].append(counted(jobs, cut))
        assert in_child(partial(do, jobs, cut)) == 0, cut
        assert counted(jobs, cut)["done"] == len(jobs)
        for job in jobs:
            check_same(folder / "whole" / job.name, cut / job.name)
    print(json.dumps(found))


def do(jobs, folder):
    """Begin a batch, or go on with it where it has been begun."""
    if (folder / JOBS).exists():
        summary = resume_batch(folder, say=None)
    else:
        for file in folder.glob("*") if folder.is_dir() else ():
            file.unlink()  # it was killed before its list was whole
        summary = run_batch(jobs, folder, say=None)
    assert summary.count("done") == len(jobs), summary.outcomes


def counted(jobs, folder):
    """Look at all files of a batch; return how many jobs stand where."""
    done = sum(found_done(job, folder / job.name) is not None for job in jobs)
    begun = sum((folder / job.name).is_dir() for job in jobs)
    from_ = max(check_whole(folder / job.name) for job in jobs)
    return {"done": done, "begun": begun - done, "waiting": len(jobs) - begun, "from": from_}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
