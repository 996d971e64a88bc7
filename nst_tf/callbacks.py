"""Callbacks that report progress and save or show pictures; each is called with a `Step`."""

import re
import sys
from pathlib import Path

from tqdm.auto import tqdm

from nst_tf.errors import ConfigError
from nst_tf.files import in_use, make_folder
from nst_tf.image.io import save_image
from nst_tf.scaling.times import TimeLeft

SAVED = re.compile(r"(\d{6,})\.png")
# tqdm's own time left assumes equal iterations; those of coarse levels are faster.
BAR = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}, {rate_fmt}{postfix}]"


def progress(every=50, *, bar=True, stream=None):
    """Return a callback that shows loss, iterations per second and time left.

    It shows a bar on a terminal or in a notebook; elsewhere (a log file, a pipe), or with
    ``bar=False``, it prints a line every `every` iterations and at the end. Its `close` closes the
    bar of an interrupted run.
    """
    _check_every(every)
    stream = stream or sys.stderr
    if bar and (stream.isatty() or "ipykernel" in sys.modules):
        return _ProgressBar(stream)
    return _ProgressLines(every, stream)


class _ProgressBar:
    look_every = 0  # needs no picture

    def __init__(self, stream):
        self.stream = stream
        self.time_left = TimeLeft()
        self.bar = None

    def __call__(self, step):
        if self.bar is None or step.iteration == 0:
            options = {"initial": step.iteration, "file": self.stream, "dynamic_ncols": True}
            self.bar = tqdm(total=step.iterations, unit="it", bar_format=BAR, **options)
        else:
            self.bar.update()
        parts = [f"loss {step.losses['total']:.4g}", self.time_left(step)]
        self.bar.set_postfix_str(", ".join(filter(None, parts)), refresh=False)
        if step.last:
            self.close()

    def close(self):
        if self.bar is not None:
            self.bar.close()


class _ProgressLines:
    look_every = 0

    def __init__(self, every, stream):
        self.every = every
        self.stream = stream
        self.time_left = TimeLeft()

    def __call__(self, step):
        left = self.time_left(step)
        if step.last or step.iteration % self.every == 0:
            print(progress_line(step, left), file=self.stream, flush=True)

    def close(self):
        pass


def progress_line(step, left):
    """Return a `Step` as a line of text: iteration, loss, rate and the text of the time left."""
    line = f"{step.iteration}/{step.iterations}  loss {step.losses['total']:.4g}"
    if not step.iteration:
        return line
    rate = step.iteration / step.seconds
    return f"{line}  {rate:.2f} it/s  {left}".rstrip()


def save_every(every, folder, *, ending=".png", start=False):
    """Return a callback that saves 000050.png, 000100.png, ... and the last one in `folder`.

    The directory is created immediately. If it is removed during the run, the run fails.

    Differs from tutorial 0, which saves 0, 50, ... 450 but not the last picture. With `start`, the
    initial image is also saved, as 000000.png.
    """
    _check_every(every)
    make_folder(folder)

    def save(step):
        if (start or step.iteration) and (step.last or step.iteration % every == 0):
            with in_use(folder):
                save_image(Path(folder) / f"{step.iteration:06d}{ending}", step.picture())

    save.look_every = every
    return save


def saved_pictures(folder):
    """Return (iteration, file) of each picture that `save_every` has saved, in order."""
    matches = {path: SAVED.fullmatch(path.name) for path in Path(folder).iterdir()}
    return sorted((int(match[1]), path) for path, match in matches.items() if match)


def show_every(every, *, show=None):
    """Return a callback that shows the picture in the notebook, replacing the previous one."""
    _check_every(every)

    time_left = TimeLeft()

    def show_picture(step):
        left = time_left(step)
        if step.last or step.iteration % every == 0:
            show(step) if show else _show_in_notebook(step, left)

    show_picture.look_every = every
    return show_picture


def _show_in_notebook(step, left):
    from IPython.display import clear_output, display
    from PIL import Image

    clear_output(wait=True)
    display(Image.fromarray(step.picture()))
    print(progress_line(step, left))


def _check_every(every):
    if every < 1:
        raise ConfigError(f"`every` is {every}; it must be at least 1")
