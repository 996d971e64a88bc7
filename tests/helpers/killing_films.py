"""Kill a film at random times and resume it: `python tests/helpers/killing_films.py FOLDER KILLS SEED`.

Findings are printed as JSON. Children are forked as in `killing.py`.
"""

import csv
import json
import random
import signal
import sys
import time
from functools import partial
from pathlib import Path

from films import moving_frames
from killing import in_child, prepare
from PIL import Image

from nst_tf.video.config import VideoConfig

FRAMES = 7


def main(folder, kills, seed):
    """Kill a film `kills` times, resume it, compare it with one that was not; print findings."""
    from nst_tf.console import hushed

    with hushed():
        from nst_tf.video.film import resume_film, run_film  # imports TensorFlow, uses nothing

    def paint(out):
        quiet = {"say": lambda line: None}
        if (out / "journal.json").exists():
            resume_film(out, **quiet)
        else:
            run_film(config, out, overwrite=True, **quiet)

    folder, rng = Path(folder), random.Random(seed)
    config = prepare_film(folder)
    whole, killed = folder / "whole", folder / "killed"
    start = time.perf_counter()
    assert in_child(partial(paint, whole)) == 0
    duration = time.perf_counter() - start
    frames = []
    while len(frames) < kills:
        # A child that is resumed has less to do: shorter times hit more of them before the end.
        status = in_child(partial(paint, killed), rng.uniform(0.3, 0.7) * duration)
        if status == 0:  # it was over sooner
            raise SystemExit(f"finished after {len(frames)} kills, at frames {frames}")
        assert status == -signal.SIGKILL, status
        frames.append(check_pictures(killed))
    assert in_child(partial(paint, killed)) == 0
    check_equal(whole, killed)
    print(json.dumps({"kills": len(frames), "frames": frames}))
