"""Kill and resume batches at random times.

`python tests/helpers/killing_batches.py FOLDER BATCHES SEED`

Each batch of 8 jobs is killed twice and resumed, and its pictures are compared with those of an
uninterrupted batch. The numbers of done, begun and waiting jobs at each kill are printed as JSON.

If both kills hit one job, without progress in between, it has failed: one more resume retries it.
"""

import json
import random
import signal
import sys
import time
from functools import partial
from pathlib import Path

from killing import check_equal, check_files, in_child, prepare

from nst_tf.batch.lists import pairs
from nst_tf.batch.whole import JOBS, resume_batch, run_batch
from nst_tf.jobs.do import found_done
from nst_tf.jobs.job import DONE

SWEEPS = {"alpha": [0.5, 1.0, 2.0, 4.0], "method": ["moments", "gram"]}
KILLS = 2
TRIES = 2  # after the kills: the first may report a job that was killed twice, the next retries it


def main(folder, batches, seed):
    """Kill batches; print the findings."""
    folder, rng = Path(folder), random.Random(seed)
    base_config = prepare(folder).changed(optimizer="lbfgs-fixed", iterations=40)
    jobs = pairs([base_config.content], base_config.style, base=base_config, sweeps=SWEEPS)
    start = time.perf_counter()
    assert in_child(partial(complete, jobs, folder / "complete", tries=1)) == 0
    duration = time.perf_counter() - start
    findings = {"jobs": len(jobs), "kills": []}
    for number in range(batches):
        killed = folder / f"killed-{number}"
        for _ in range(KILLS):
            work = partial(complete, jobs, killed, tries=1)
            status = in_child(work, rng.uniform(0.1, 0.7) * duration)
            if status != 0:
                assert status == -signal.SIGKILL, f"{killed} ended with {status}"
                findings["kills"].append(count_states(jobs, killed))
        assert in_child(partial(complete, jobs, killed, tries=TRIES)) == 0, killed
        assert count_states(jobs, killed)["done"] == len(jobs)
        for job in jobs:
            check_equal(folder / "complete" / job.name, killed / job.name)
    print(json.dumps(findings))


def complete(jobs, folder, tries):
    """Start or resume a batch until all of it is done; only kills may have failed a job."""
    for _ in range(tries):
        summary = run_or_resume(jobs, folder)
        outcomes = summary.outcomes.values()
        failures = [outcome.reason for outcome in outcomes if outcome.state != DONE]
        if not failures:
            return
        assert all("the process died" in reason for reason in failures), failures
    raise AssertionError(f"{folder} is not complete after {tries} tries: {failures}")


def run_or_resume(jobs, folder):
    """Start a batch, or resume it if it was started before; return its `Summary`."""
    if (folder / JOBS).exists():
        return resume_batch(folder, say=None)
    for file in folder.glob("*") if folder.is_dir() else ():
        file.unlink()  # killed before its list was complete
    return run_batch(jobs, folder, say=None)


def count_states(jobs, folder):
    """Check all files of a batch; return the number of jobs in each state."""
    done = sum(found_done(job, folder / job.name) is not None for job in jobs)
    begun = sum((folder / job.name).is_dir() for job in jobs)
    iteration = max(check_files(folder / job.name) for job in jobs)
    return {"done": done, "begun": begun - done, "waiting": len(jobs) - begun, "from": iteration}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
