"""Kill and resume runs at random times: `python tests/helpers/killing.py FOLDER KILLS SEED`.

Each run is a child forked from a process that has imported TensorFlow but not used it, so that a
kill costs one second instead of ten. The findings are printed as JSON.
"""

import contextlib
import json
import os
import random
import signal
import sys
import time
import traceback
from functools import partial
from pathlib import Path

import numpy as np
from mat_files import tiny_vgg, write_matconvnet
from PIL import Image

from nst_tf.console import hushed

with hushed():
    from nst_tf.config import JobConfig
    from nst_tf.jobs.resume import resume_job
    from nst_tf.jobs.run import run_job
    from nst_tf.rundir import checkpoint as module
    from nst_tf.rundir.checkpoint import checkpoints, load_checkpoint
    from nst_tf.rundir.journal import read_journal
    from nst_tf.rundir.layout import CONFIG, JOURNAL, OUR_FILES

PAPER = {"unit": "paper", "beta": 1.0, "alpha": 1e-4, "tv_weight": 0.0}
JOBS = {  # every loop, one with levels; SciPy's restarts after every 100 iterations
    "lbfgs-fixed": {"optimizer": "lbfgs-fixed", "iterations": 80, **PAPER},
    "levels": {"schedule": "fast", "size": "280x220"},
    "adam": {"optimizer": "adam", "iterations": 160},
    "lbfgs": {"optimizer": "lbfgs", "iterations": 220},
    "sgd": {"optimizer": "sgd", "learning_rate": 1e-4, **PAPER},
}


def main(folder, kills, seed):
    """Kill runs `kills` times in total; print the findings."""
    folder, rng = Path(folder), random.Random(seed)
    module.SHARE = 1e9  # checkpoints as often as possible, at any cost
    base = prepared(folder)
    whole, found = {}, {"kills": 0, "runs": 0, "gone_on_from": []}
    for number in range(10 * kills):
        if found["kills"] >= kills:
            break
        name = list(JOBS)[number % len(JOBS)]
        config = base.changed(**JOBS[name])
        if name not in whole:
            whole[name] = folder / f"whole-{name}"
            began = time.perf_counter()
            assert in_child(partial(job, config, whole[name])) == 0, name
            longest = max(time.perf_counter() - began, 0.5)
        cut = folder / f"cut-{number}-{name}"
        left = kills - found["kills"]
        found["kills"] += survive(config, cut, min(left, 6), longest, rng, found)
        found["runs"] += 1
        check_same(whole[name], cut)
    print(json.dumps(found))


def prepared(folder):
    """Write pictures and weights; return the base config of all jobs."""
    write_matconvnet(folder / "tiny.mat", tiny_vgg(19))
    noise = np.random.default_rng(0)
    for name, size in (("content.png", (220, 176)), ("style.png", (150, 160))):
        small = noise.integers(0, 256, (7, 9, 3), np.uint8)
        Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(folder / name)
    return JobConfig().changed(
        content=str(folder / "content.png"),
        style=(str(folder / "style.png"),),
        weights=str(folder / "tiny.mat"),
        size="120x96",
        iterations=60,
        save_every=20,
        checkpoint_every=0.01,
    )


def job(config, folder):
    """Start a run, or resume it if it has been started."""
    quiet = {"say": lambda line: None}
    if (folder / JOURNAL).exists():
        resume_job(folder, **quiet)
    else:
        run_job(config, folder, overwrite=True, **quiet)


def survive(config, folder, kills, longest, rng, found):
    """Complete a job with at most `kills` kills; return their actual number."""
    for killed in range(kills):
        status = in_child(partial(job, config, folder), rng.uniform(0, longest))
        if status == 0:
            return killed
        assert status == -signal.SIGKILL, f"{folder} ended with {status}"
        found["gone_on_from"].append(check_whole(folder))
    assert in_child(partial(job, config, folder)) == 0, folder
    return kills


def in_child(work, kill_after=None):
    """Call `work` in a child; return its exit status, or -9 if it was killed."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    if kill_after is not None:
        time.sleep(kill_after)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def check_whole(folder):
    """Check every file of a run; return the iteration from which it can be resumed."""
    if not folder.exists():
        return 0
    for path in filter(lambda path: OUR_FILES.fullmatch(path.name), folder.iterdir()):
        if path.suffix == ".png":
            with Image.open(path) as picture:
                picture.load()
        elif path.name == JOURNAL:
            read_journal(folder)
        elif path.name == CONFIG:
            JobConfig.load(path)
    found = checkpoints(folder)
    assert len(found) <= 3, "two, and one about to be removed"
    return max((len(load_checkpoint(path).history) - 1 for path in found), default=0)


def check_same(whole, cut):
    """Compare the files, pictures and losses of a killed run with those of a complete one."""
    names = {path.name for path in whole.iterdir()}
    assert {path.name for path in cut.iterdir()} == names, "the files differ"
    for name in sorted(names):
        if name.endswith(".png"):
            assert (whole / name).read_bytes() == (cut / name).read_bytes(), f"{cut / name}"
    tables = [(folder / "losses.csv").read_text().splitlines() for folder in (whole, cut)]
    first, second = ([row.rpartition(",")[0] for row in rows] for rows in tables)
    assert first == second, f"{cut}: the losses differ"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
