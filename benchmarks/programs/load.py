"""Worker: loads a trunk, or saves a picture, as often as it is asked to."""

import time

import numpy as np

from benchmarks.channel import serve
from nst_tf import load_vgg_model, save_image


def main():
    """Serve timings; imports are timed by the one who asks, by how long `ready` takes."""

    def load(path):
        return _timed(lambda: load_vgg_model(path))

    def save(path, height, width):
        picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        return _timed(lambda: save_image(path, picture))

    serve(lambda task, **given: {"load": load, "save": save}[task](**given))


def _timed(task):
    began = time.perf_counter()
    task()
    return {"seconds": time.perf_counter() - began}


if __name__ == "__main__":
    main()
