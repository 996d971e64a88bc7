"""Kill a film and resume it: `python tests/helpers/killing_films.py FOLDER KILLS SEED`.

Each kill comes at a random moment of a later frame. Findings are printed as JSON; children are
forked as in `killing.py`.
"""

import csv
import json
import random
import signal
import sys
import time
from functools import partial
from pathlib import Path

from films import moving_frames, write_clip
from killing import in_child, prepare
from PIL import Image

from nst_tf.console import hushed

with hushed():
    from nst_tf.video.config import VideoConfig
    from nst_tf.video.film import resume_film, run_film

PATIENCE = 120  # seconds until a frame must be there


def main(folder, kills, seed):
    """Kill a film, resume it and compare it with one that was not killed; print the findings."""
    folder, rng = Path(folder), random.Random(seed)
    config = prepare_film(folder, frames=kills + 2)
    whole, killed = folder / "whole", folder / "killed"
    assert in_child(partial(paint_or_resume, config, whole)) == 0
    frame_seconds = max(float(row["seconds"]) for row in rows(whole)[1:])
    found = {"kills": 0, "complete": []}
    for number in range(kills):
        wait = partial(wait_for, killed, number, rng.uniform(0, frame_seconds))
        status = in_child(partial(paint_or_resume, config, killed), wait)
        assert status == -signal.SIGKILL, f"it ended with {status}"
        found["kills"] += 1
        found["complete"].append(complete_frames(killed))
    assert in_child(partial(paint_or_resume, config, killed)) == 0
    check_equal(whole, killed)
    print(json.dumps(found))


def prepare_film(folder, frames):
    """Write a film of two scenes, a painting and weights; return the config."""
    job = prepare(folder)
    scene = frames // 2
    pictures = [*moving_frames(scene), *moving_frames(frames - scene, seed=5)]
    write_clip(folder / "clip.mp4", pictures)
    return VideoConfig(
        content=str(folder / "clip.mp4"),
        style=job.style,
        weights=job.weights,
        size="64",
        precision="float32",
        iterations=6,
        frame_iterations=4,
        links=(1, 2),
    )


def paint_or_resume(config, folder):
    """Start a film, or resume it if it was started before."""
    quiet = {"say": lambda line: None}
    if (folder / "journal.json").exists():
        resume_film(folder, **quiet)
    else:
        run_film(config, folder, overwrite=True, **quiet)


def wait_for(folder, number, seconds):
    """Return some seconds after a frame is painted; 0 is the beginning of the film."""
    expected = folder / (f"{number:06d}.png" if number else "journal.json")
    end = time.monotonic() + PATIENCE
    while not expected.exists():
        assert time.monotonic() < end, f"{expected} does not appear"
        time.sleep(0.005)
    time.sleep(seconds)


def complete_frames(folder):
    """Return the number of frames; each must be a whole picture."""
    paths = list(folder.glob("0*.png"))
    for path in paths:
        with Image.open(path) as picture:
            picture.load()
    return len(paths)


def rows(folder):
    """Return the rows of frames.csv."""
    with open(folder / "frames.csv", newline="") as file:
        return list(csv.DictReader(file))


def check_equal(whole, killed):
    """Check that a killed film has the files, frames and rows of a whole one."""
    names = {path.name for path in whole.iterdir()}
    assert {path.name for path in killed.iterdir()} == names, "the files differ"
    for name in (name for name in names if name.endswith(".png")):
        assert (whole / name).read_bytes() == (killed / name).read_bytes(), f"{name} differs"
    tables = [[{**row, "seconds": ""} for row in rows(folder)] for folder in (whole, killed)]
    assert tables[0] == tables[1], "frames.csv differs"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
