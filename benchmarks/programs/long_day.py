"""Program: many runs in one process, and the memory that it holds after each."""

import ctypes
import gc
import time
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil

from benchmarks.channel import Channel, arguments
from benchmarks.parts.common import CONTENT, STYLE
from nst_tf import load_image, style_transfer
from nst_tf.app.orders import OPEN
from nst_tf.app.studio import DONE, Studio
from nst_tf.batch.here import run_here
from nst_tf.batch.progress import Progress
from nst_tf.config import JobConfig
from nst_tf.jobs.job import Job
from nst_tf.models import load_model

ITERATIONS = 3
SIDES = (64, 154)  # least and most, in pixels
MIB = 2**20


def main():
    """Answer with the MiB that the process holds after each run."""
    given = arguments()
    channel = Channel()
    with TemporaryDirectory() as folder:
        runs = KINDS[given["kind"]](given["weights"], Path(folder))
        sizes = drawn_sizes(given["alike"])
        channel.answer(mib=[run_one(runs, next(sizes)) for _ in range(given["runs"])])


def run_one(runs, size):
    """Make a run of a size (height, width); return the MiB that are held afterwards."""
    runs(size)
    return held()


def drawn_sizes(alike):
    """Yield sizes (height, width): always the same one, or random ones."""
    generator = np.random.default_rng(0)
    while True:
        yield (96, 128) if alike else tuple(generator.integers(*SIDES, 2).tolist())


def held():
    """Return the resident MiB, less what Python and the C library have free."""
    gc.collect()
    if hasattr(LIBC, "malloc_trim"):
        LIBC.malloc_trim(0)
    return psutil.Process().memory_info().rss / MIB


def transfers(weights, folder):
    """Return a function that runs `style_transfer` at a size."""
    model = load_model(weights)
    _, style = load_image(STYLE, size=96)
    knobs = {name: getattr(JobConfig(), name) for name in ("alpha", "beta", "tv_weight", "unit")}
    knobs |= {"schedule": "fast", "method": "moments", "iterations": ITERATIONS}
    return lambda size: style_transfer(load_image(CONTENT, size)[1], style, model, **knobs)


def batch_jobs(weights, folder):
    """Return a function that runs the job of a batch at a size."""
    numbers = count()

    def run(size):
        job = Job(f"job_{next(numbers)}", config_of(weights, size))
        (outcome,) = run_here([job], folder, Progress([job], 0, None))
        check(outcome)

    return run


def page_runs(weights, folder):
    """Return a function that runs an order of the page at a size."""
    studio = Studio(folder)

    def run(size):
        order = studio.take(config_of(weights, size), "visitor")
        while order.state in OPEN:
            time.sleep(0.01)
        check(order)

    return run


def config_of(weights, size):
    """Return the config of a job of a size (height, width)."""
    pictures = {"content": CONTENT, "style": (STYLE,), "size": f"{size[1]}x{size[0]}"}
    return JobConfig(**pictures, weights=weights, style_size="96", iterations=ITERATIONS)


def check(ended):
    """Raise RuntimeError if a job has failed."""
    if ended.state != DONE:
        raise RuntimeError(ended.reason)


KINDS = {"transfer": transfers, "batch": batch_jobs, "page": page_runs}
LIBC = ctypes.CDLL(None)

if __name__ == "__main__":
    main()
