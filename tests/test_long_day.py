"""Many runs and many frames in one process keep nothing: no traces, variables, figures, threads."""

import ctypes
import gc
import threading
from collections import Counter

import psutil
import pytest
from films import moving_frames, write_clip
from pictures import make_picture

from nst_tf import style_transfer
from nst_tf.app.orders import OPEN
from nst_tf.app.studio import DONE, Studio
from nst_tf.batch.here import run_here
from nst_tf.batch.progress import Progress
from nst_tf.config import JobConfig
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.jobs.job import Job
from nst_tf.video.config import VideoConfig
from nst_tf.video.film import run_film

SIZES = [(40 + 3 * n, 64 - 2 * n) for n in range(12)]  # width, height: one for each run
WARM = 2  # runs until everything is loaded and traced
SPARE = 1000  # objects in caches of libraries that fill up, such as Matplotlib's texts
COUNTED = ("FuncGraph", "ConcreteFunction", "ResourceVariable", "Figure", "Trunk")


def kept():
    """Return how many objects there are, in all and of the large kinds, and how many threads."""
    gc.collect()
    gc.collect()
    kinds = Counter(type(thing).__name__ for thing in gc.get_objects())
    return kinds.total(), {name: kinds[name] for name in COUNTED}, threading.active_count()


@pytest.fixture
def config(pictures, tiny_mat):
    content, style = map(str, pictures)
    knobs = {"content": content, "style": (style,), "weights": str(tiny_mat), "iterations": 2}
    return JobConfig(**knobs, precision="float32", style_size="48")


def transfers(config, folder, tiny_model):
    style = VGG_PIXELS.to_image(make_picture(48, 40))
    knobs = {"iterations": 2, "optimizer": "adam", "style_layers": ("conv1_1", "conv2_1")}

    def run(width, height):
        style_transfer(VGG_PIXELS.to_image(make_picture(height, width)), style, tiny_model, **knobs)

    return run


def jobs(config, folder, tiny_model):
    def run(width, height):
        job = Job(f"job_{width}", config.changed(size=f"{width}x{height}"))
        (outcome,) = run_here([job], folder, Progress([job], 0, None))
        assert outcome.state == DONE, outcome.reason

    return run


def orders(config, folder, tiny_model):
    studio = Studio(folder)

    def run(width, height):
        order = studio.take(config.changed(size=f"{width}x{height}"), "ann")
        while order.state in OPEN:
            threading.Event().wait(0.01)
        assert order.state == DONE, order.reason
        studio.orders.clear()  # each ended one keeps its last preview, up to a number

    return run


@pytest.mark.parametrize(
    "kind",
    [
        transfers,
        pytest.param(jobs, marks=pytest.mark.long),
        pytest.param(orders, marks=pytest.mark.long),
    ],
)
def test_runs_of_many_sizes_keep_nothing(kind, config, tmp_path, tiny_model):
    run, counts = kind(config, tmp_path, tiny_model), []
    for size in SIZES:
        run(*size)
        counts.append(kept() if len(counts) in (WARM - 1, len(SIZES) - 1) else None)
    (objects, kinds, threads), last = counts[WARM - 1], counts[-1]
    assert last[1:] == (kinds, threads)
    assert last[0] < objects + SPARE


MIB = 2**20
FRAMES_MIB = 5  # a leak of one image a frame would be twice that


@pytest.mark.long
def test_thousand_frames_hold_their_memory(pictures, tiny_mat, tmp_path, record_property):
    config = VideoConfig(
        content=str(write_clip(tmp_path / "clip.mp4", moving_frames(1000, 32, 32, step=1))),
        style=(str(pictures[1]),),
        weights=str(tiny_mat),
        size="32",
        style_size="64",
        precision="float32",
        iterations=2,
        frame_iterations=1,
    )
    held = {}

    def measure(line):
        frame = int(line.split()[1])
        if frame in (100, 500, 1000):
            gc.collect()
            if hasattr(LIBC, "malloc_trim"):  # what the C library has free is not held
                LIBC.malloc_trim(0)
            held[frame] = psutil.Process().memory_info().rss / MIB

    run_film(config, tmp_path / "out", progress=measure, say=lambda line: None)
    record_property("said", str(held))
    assert max(held[500], held[1000]) - held[100] < FRAMES_MIB


LIBC = ctypes.CDLL(None)
