"""Kill and resume runs at random times: `python tests/helpers/killing.py FOLDER KILLS SEED`.

Each run is a child forked from a process that has imported TensorFlow but not used it, so that a
kill costs one second instead of ten. Findings are printed as JSON.
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
    from nst_tf.rundir import checkpoint as checkpoint_module
    from nst_tf.rundir.checkpoint import checkpoints, load_checkpoint
    from nst_tf.rundir.journal import read_journal
    from nst_tf.rundir.layout import CONFIG, JOURNAL, OUR_FILES

HELPERS = Path(__file__).parent

PAPER = {"unit": "paper", "beta": 1.0, "alpha": 1e-4, "tv_weight": 0.0}
JOBS = {  # every optimizer, one job with levels; SciPy's L-BFGS restarts every 100 iterations
    "lbfgs-fixed": {"optimizer": "lbfgs-fixed", "iterations": 80, **PAPER},
    "levels": {"schedule": "fast", "size": "280x220"},
    "adam": {"optimizer": "adam", "iterations": 160},
    "lbfgs": {"optimizer": "lbfgs", "iterations": 220},
    "sgd": {"optimizer": "sgd", "learning_rate": 1e-4, **PAPER},
}


def main(folder, kills, seed):
    """Kill runs `kills` times in total; print the findings."""
    folder, rng = Path(folder), random.Random(seed)
    checkpoint_module.SHARE = 1e9  # save checkpoints as often as possible
    base_config = prepare(folder)
    complete, findings = {}, {"kills": 0, "runs": 0, "gone_on_from": []}
    for number in range(10 * kills):
        if findings["kills"] >= kills:
            break
        name = list(JOBS)[number % len(JOBS)]
        config = base_config.changed(**JOBS[name])
        if name not in complete:
            complete[name] = folder / f"complete-{name}"
            start = time.perf_counter()
            assert in_child(partial(run_or_resume, config, complete[name])) == 0, name
            duration = max(time.perf_counter() - start, 0.5)
        killed = folder / f"killed-{number}-{name}"
        remaining = kills - findings["kills"]
        findings["kills"] += complete_run(
            config, killed, min(remaining, 6), duration, rng, findings
        )
        findings["runs"] += 1
        check_equal(complete[name], killed)
    print(json.dumps(findings))


def prepare(folder):
    """Write pictures and weights; return the base config of all jobs."""
    write_matconvnet(folder / "tiny.mat", tiny_vgg(19))
    generator = np.random.default_rng(0)
    for name, size in (("content.png", (220, 176)), ("style.png", (150, 160))):
        small = generator.integers(0, 256, (7, 9, 3), np.uint8)
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


def run_or_resume(config, folder):
    """Start a run, or resume it if it was started before."""
    quiet = {"say": lambda line: None}
    if (folder / JOURNAL).exists():
        resume_job(folder, **quiet)
    else:
        run_job(config, folder, overwrite=True, **quiet)


def complete_run(config, folder, kills, duration, rng, findings):
    """Complete a run with at most `kills` kills; return their number."""
    for killed in range(kills):
        status = in_child(partial(run_or_resume, config, folder), rng.uniform(0, duration))
        if status == 0:
            return killed
        assert status == -signal.SIGKILL, f"{folder} ended with {status}"
        findings["gone_on_from"].append(check_files(folder))
    assert in_child(partial(run_or_resume, config, folder)) == 0, folder
    return kills


def in_child(work, kill_after=None):
    """Call `work` in a child; return its exit status, or -9 if it was killed.

    `kill_after` is a number of seconds, or a function that returns when it is time.
    """
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
        kill_after() if callable(kill_after) else time.sleep(kill_after)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def check_files(folder):
    """Check all files of a run; return the iteration from which it can be resumed."""
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
    paths = checkpoints(folder)
    assert len(paths) <= 3, "two, and one about to be removed"
    return max((len(load_checkpoint(path).history) - 1 for path in paths), default=0)


def check_equal(complete, killed):
    """Check that a killed run has the files, pictures and losses of a complete one."""
    names = {path.name for path in complete.iterdir()}
    assert {path.name for path in killed.iterdir()} == names, "the files differ"
    for name in sorted(names):
        if name.endswith(".png"):
            assert (complete / name).read_bytes() == (killed / name).read_bytes(), (
                f"{killed / name}"
            )
    tables = [(folder / "losses.csv").read_text().splitlines() for folder in (complete, killed)]
    first, second = ([row.rpartition(",")[0] for row in rows] for rows in tables)
    assert first == second, f"{killed}: the losses differ"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
