"""A job: from two files to a folder with the picture, its losses and its settings."""

import contextlib
import csv
import itertools
import os
import re
from dataclasses import replace
from pathlib import Path

import tensorflow as tf

from nst_tf.callbacks import save_every
from nst_tf.config import NO_MASK, NOT, STARTS
from nst_tf.console import uninterrupted
from nst_tf.devices import choose_device
from nst_tf.errors import ConfigError, Diverged, Interrupted, NstError
from nst_tf.images import UNIT_PIXELS, save_image
from nst_tf.inputs import load_images
from nst_tf.tasks import make_task
from nst_tf.transfer import paint
from nst_tf.trunks import (
    Trunk,
    find_squeezenet_weights,
    find_vgg_weights,
    load_model,
    normalize_trunk,
    resolve_layers,
)
from nst_tf.trunks.vgg import VGG_MODEL

RESULT = "result.png"
OUR_FILES = re.compile(r"\d{6,}\.png|result\.png|losses\.csv|config\.json")


def run_job(config, output=None, *, overwrite=False, callbacks=(), say=print):
    """Run one job and leave its files in a folder.

    Everything that the user could have got wrong is looked at before anything is written.

    Parameters
    ----------
    config : JobConfig
    output : path, optional
        The folder; default: a new one under output/, named for the pictures.
    overwrite : bool
        Replace the files of an earlier run in that folder.
    callbacks : sequence of callable
        Functions of a `Step`, beside those that save.
    say : callable
        Gets each line of news.

    Returns
    -------
    (Result, Path)
        The result and the folder, which holds 000050.png ..., result.png, losses.csv and
        config.json.

    Raises
    ------
    NstError
        Bad input; or `Diverged`, after saving the last good picture.
    Interrupted
        Ctrl-C, after saving the picture reached.
    """
    if not config.content or not config.style or not all(config.style):
        raise ConfigError(
            f"content is {config.content!r} and style {config.style!r}; both pictures are needed"
        )
    check_output(output, overwrite)
    check_inputs_survive(config, output)
    config = replace(config, weights=chosen_weights(config.weights, say))
    say(f"computing {choose_device(config.device)}")
    with memory_told(config):
        return _run_in_folder(config, output, overwrite, callbacks, say)


def _run_in_folder(config, output, overwrite, callbacks, say):
    model, images = load_trunk_and_images(config)
    start, finish = images.pop("init_image"), images.pop("finish")
    task = make_task(**images, model=model, start=start, config=config.transfer())

    # From here on nothing is refused any more, so there may be a folder.
    folder = make_folder(output, config, overwrite)
    with_full_paths(config).save(folder / "config.json")
    height, width = start.shape[1:3]
    say(f"{width}x{height} pixels, {config.iterations} iterations of {model.name}, in {folder}")
    say(task.words)
    with saved_in(folder, config.save_every) as savers:
        callbacks = [*savers, *callbacks]
        result = paint(task, callbacks=callbacks, finish=finish)
    save_result(folder, result)
    return result, folder


@contextlib.contextmanager
def memory_told(config):
    """Say what to do when TensorFlow runs out of memory."""
    try:
        yield
    except tf.errors.ResourceExhaustedError:
        raise NstError(
            f"{config.size or 'the default size'} does not fit into memory: "
            "make the picture smaller, as in --size 512"
        ) from None


def load_trunk_and_images(config):
    """Load the trunk that the config names and what it is to work on.

    Returns
    -------
    Trunk, dict
        The dict as from `load_images`.
    """
    model = load_model(config.weights, pooling=config.pooling)
    for layers in (config.content_layers, config.style_layers):
        resolve_layers(model, layers)  # a wrong name is told before any picture is read
    if config.pixels == "unit":
        model = Trunk(model, name=model.name, source=model.source, space=UNIT_PIXELS)
    images = load_images(config, model.space)
    if config.padding == "edge":
        model = model.with_edges()
    if config.normalize:
        styles = [style.image for style in images["style_image"]]
        model = normalize_trunk(model, [images["content_image"], *styles])
    return model, images


@contextlib.contextmanager
def saved_in(folder, every):
    """Give the callbacks that save a run into its folder, and leave a picture if it breaks off."""
    pictures = [save_every(every, folder)] if every else []
    with LossLog(folder / "losses.csv") as log:
        try:
            yield [log, *pictures]
        except (Diverged, Interrupted) as stop:
            path = save_result(folder, stop.result)
            stop.add_note(f"the picture after {stop.result.iterations} iterations is {path}")
            raise


def save_result(folder, result):
    """Save the picture of a result, not to be interrupted; return where."""
    path = folder / RESULT
    with uninterrupted():
        save_image(path, result.picture)
    return path


def chosen_weights(weights, say=print):
    """Return the file that "auto" or "squeezenet" stands for here, and say what "auto" means."""
    if weights == "squeezenet":
        return str(find_squeezenet_weights())
    if weights != "auto":
        return weights
    path = find_vgg_weights("auto")
    if path.name == VGG_MODEL:
        return str(path)
    say(
        f"no model/{VGG_MODEL} here: using the embedded trunk, a VGG-16 fine-tuned for edges. "
        "`python -m nst_tf.weights fetch vgg19` gets the paper's network"
    )
    return "embedded"


def input_files(config):
    """Return the files that the config names, by knob: lists of paths, as they are written."""
    init = [] if config.init in STARTS else [config.init]
    masks = {
        name: [path.removeprefix(NOT) for path in getattr(config, name) or () if path != NO_MASK]
        for name in ("masks", "style_masks")
    }
    return {"content": [config.content], "style": list(config.style), "init": init, **masks}


def with_full_paths(config):
    """Return the config as it is saved: to be repeated from any folder."""
    weights = config.weights if config.weights == "embedded" else _full_path(config.weights)
    changes = {"content": _full_path(config.content), "weights": weights}
    for name in ("style", "masks", "style_masks"):
        paths = getattr(config, name)
        changes[name] = paths and tuple(map(_full_path, paths))
    if config.init not in STARTS:
        changes["init"] = _full_path(config.init)
    return replace(config, **changes)


def _full_path(path):
    if path == NO_MASK:
        return path
    inverted = NOT if str(path).startswith(NOT) else ""
    return inverted + str(Path(str(path).removeprefix(NOT)).resolve())


def check_output(output, overwrite):
    """Refuse a folder that can't be written or that holds an earlier run."""
    if output is None:
        return
    if not str(output):
        raise ConfigError("--output is empty; a folder was expected")
    folder = Path(output)
    if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
        raise ConfigError(f"{folder} is no folder; name one with --output")
    if folder.is_dir() and not overwrite and any(map(_is_ours, folder.iterdir())):
        raise ConfigError(
            f"{folder} holds an earlier run; choose another folder, or --overwrite to replace it"
        )
    nearest = next(parent for parent in [folder, *folder.absolute().parents] if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise ConfigError(f"{nearest} may not be written: choose another --output")


def check_inputs_survive(config, output):
    """Refuse an input that the run would write over."""
    for path in map(Path, itertools.chain(*input_files(config).values())):
        if output and path.resolve().parent == Path(output).resolve() and _is_ours(path):
            raise ConfigError(
                f"{path} lies in the folder of the run and would be replaced; "
                "choose another --output"
            )


def make_folder(output, config, overwrite):
    """Make the run's folder; without a name, a new one under output/ named for the pictures."""
    if output is None:
        return _new_folder(Path("output"), folder_name(config))
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    if overwrite:  # an earlier, longer run must not leave its pictures among ours
        for file in filter(_is_ours, folder.iterdir()):
            file.unlink()
    return folder


def folder_name(config):
    """Return harbour_waves, or harbour_waves_woodcut for two styles."""
    return "_".join(Path(path).stem for path in (config.content, *config.style))[:200]


def _is_ours(file):
    return OUR_FILES.fullmatch(file.name) is not None


def _new_folder(parent, name):
    """Make harbour_waves, or harbour_waves_2, ...; never one that is there."""
    check_output(parent, overwrite=True)
    parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        folder = parent / (name if number == 1 else f"{name}_{number}")
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1


class LossLog:
    """A callback that writes losses.csv: row i is the loss of the picture after i updates.

    Content, style and total variation are unweighted, the total is weighted. A loss of weight 0
    is not computed, and its column is empty.
    """

    look_every = 0  # it needs no picture
    LOSSES = ("total", "content", "style", "tv")

    def __init__(self, path):
        self.file = open(path, "w", newline="", encoding="utf-8")  # noqa: SIM115
        self.rows = csv.writer(self.file)
        self.rows.writerow(["iteration", *self.LOSSES, "seconds"])

    def __call__(self, step):
        """Write a row, at once: a run that is cut off leaves all that it knew."""
        losses = [f"{step.losses[name]:.9g}" if name in step.losses else "" for name in self.LOSSES]
        self.rows.writerow([step.iteration, *losses, f"{step.seconds:.3f}"])
        self.file.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
