"""A job: from two files to a folder with the picture, its losses and its settings."""

import contextlib
import csv
import functools
import itertools
import os
import re
from dataclasses import replace
from pathlib import Path

import tensorflow as tf
from filelock import FileLock, Timeout

from nst_tf.callbacks import save_every
from nst_tf.checkpoints import (
    JOURNAL,
    Checkpoints,
    check_unchanged,
    finish_journal,
    latest_position,
    load_settings,
    read_journal,
    record_precision,
    recorded_precision,
    settings_to_resume,
    write_journal,
)
from nst_tf.config import NO_MASK, NOT, SAVING, SETTINGS, STARTS
from nst_tf.console import to_type, uninterrupted
from nst_tf.devices import choose_device
from nst_tf.errors import (
    Busy,
    ConfigError,
    Diverged,
    ImageError,
    Interrupted,
    NstError,
    WeightsError,
)
from nst_tf.files import atomic_file
from nst_tf.images import UNIT_PIXELS, save_image
from nst_tf.inputs import load_images
from nst_tf.pages import REPORT, read_record, write_report
from nst_tf.pages.records import CONFIG, LOSSES, RESULT, TERMS, loss_lines
from nst_tf.precision import choose_precision
from nst_tf.samples import resolve_pictures
from nst_tf.scaling.levels import task_levels
from nst_tf.scaling.memory import estimate_of, memory_used
from nst_tf.timelapse import check_kind, save_timelapse
from nst_tf.transfer import make_task, minimize
from nst_tf.trunks import (
    Trunk,
    find_squeezenet_weights,
    find_vgg_weights,
    load_model,
    normalize_trunk,
    resolve_layers,
)
from nst_tf.trunks.vgg import VGG_MODEL

LOCK = ".lock"
TRUNKS = 4  # that stay in memory for later jobs
OUR_FILES = re.compile(
    r"\d{6,}\.png|result\.png|losses\.csv|config\.json|journal\.json|checkpoint-\d{6,}\.npz"
    r"|report\.html|timelapse\.\w+"
)
# What a run that was killed was writing: `atomic_file` had not given it its name yet.
HALF_WRITTEN = re.compile(
    r"\.(\d{6,}|result|losses|config|journal|checkpoint-\d+|report|timelapse)\.\w{8}\.\w+"
)


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
        The result and the folder, which holds 000050.png ..., result.png, losses.csv,
        config.json, journal.json, report.html and maybe a time-lapse.

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
    config = resolve_pictures(config)
    check_output(output, overwrite)
    check_inputs_survive(config, output)
    if config.animate:
        check_kind(config.animate)
    config = replace(config, weights=chosen_weights(config.weights, say))
    config = with_precision(config, say)
    with memory_told(config):
        used = memory_used()
        task, finish, model = load_task(config)
        # From here on nothing is refused any more, so there may be a folder.
        with made_folder(output, config, overwrite) as folder:
            with_full_paths(config).save(folder / CONFIG)
            files = journal_files(config, model)
            write_journal(folder, folder / CONFIG, files, model.name, config.precision)
            say(f"{words_for(task)} of {model.name}, in {folder}")
            say(str(estimate_of(task, used)))
            return _paint_in(folder, task, finish, config, callbacks, say), folder


def resume_job(folder, *, callbacks=(), say=print):
    """Continue a run that was cut off by a signal, a crash, a power cut or a full disk.

    It continues in the precision that it was begun in. On the same machine with the same versions,
    a run on the CPU in float32 gives the same picture, bit for bit, as one that was not cut off. A
    finished run is left as it is.

    Parameters
    ----------
    folder : path
        Of the run.
    callbacks, say
        As for `run_job`.

    Returns
    -------
    (Result or None, Path)
        As from `run_job`; None where there was nothing left to do.

    Raises
    ------
    ConfigError
        There is no run to go on with, its inputs have changed, or another process is at it.
    NstError, Interrupted
        As from `run_job`.
    """
    if not str(folder):
        raise ConfigError("--resume is empty; the folder of a run was expected")
    folder = Path(folder)
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder; --resume takes the folder of a run")
    journal = read_journal(folder)
    if "finished" in journal and (folder / RESULT).exists():
        if not (folder / REPORT).exists():  # it was killed as it wrote that
            with locked(folder):
                remove_half_written(folder)
                show_result(folder, load_settings(folder), say)
        say(f"{folder} is finished: {folder / RESULT}")
        return None, folder
    with locked(folder):
        config = settings_to_resume(folder)
        recorded = recorded_precision(config, journal)
        config = with_precision(replace(config, precision=recorded), say)
        with memory_told(config):
            with vanished_told(folder):
                task, finish, model = load_task(config)
            check_unchanged(folder, folder / CONFIG, journal_files(config, model), say)
            remove_half_written(folder)
            position = latest_position(folder, say)
            check_fits(folder, position, task)
            if recorded == "auto":
                record_precision(folder, config.precision, say)
            done = len(position.history) - 1 if position else 0
            say(f"{words_for(task)} of {model.name}, from iteration {done}, in {folder}")
            result = _paint_in(folder, task, finish, config, callbacks, say, position)
            return result, folder


def with_precision(config, say=print):
    """Return the config with its precision resolved, and say where and in what the run computes."""
    device = choose_device(config.device)
    precision = choose_precision(config.precision)
    say(f"computing {device} in {precision.why}")
    return replace(config, precision=precision.name)


def _paint_in(folder, task, finish, config, callbacks, say, position=None, kept=None):
    """Run a task, from a position if there is one, and save what it makes."""
    with saved_in(folder, config, position) as savers:
        callbacks = [*savers, *callbacks]
        result = minimize(task, callbacks=callbacks, finish=finish, position=position)
    save_result(folder, result, config)
    finish_journal(folder, result)
    show_result(folder, config, say)
    return result


def load_task(config):
    """Load all that the config names: the task, what is done to its pictures, and the trunk."""
    model, images = load_trunk_and_images(config)
    finish = images.pop("finish")
    task = make_task(**images, model=model, config=config.transfer())
    return task, finish, model


def words_for(task):
    """Return the size and the iterations of a task in words."""
    height, width = task.start.shape[1:3]
    return f"{width}x{height} pixels, {task.config.iterations} iterations"


def journal_files(config, model):
    """Return the files that the picture depends on, by what they are."""
    files = {
        kind if len(paths) == 1 else f"{kind} {number}": path
        for kind, paths in input_files(config).items()
        for number, path in enumerate(paths, 1)
    }
    return {**files, "weights": model.source}


def check_fits(folder, position, task):
    """Refuse a position that is not one of this task: a checkpoint from elsewhere."""
    if position is None:
        return
    levels = task_levels(task)
    fits = 0 <= position.level < len(levels) and position.history
    fits = fits and position.done <= task.config.iterations
    size = fits and levels[position.level].size
    if not fits or position.loop["image"].shape != (1, *size, 3):
        raise ConfigError(
            f"the checkpoints in {folder} are of another run; remove them, and "
            f"`{to_type('--resume', folder)}` begins at 0"
        )


@contextlib.contextmanager
def vanished_told(folder):
    """Say what to do when what a run was begun with can't be loaded any more."""
    try:
        yield
    except (ConfigError, ImageError, WeightsError) as error:
        resume = to_type("--resume", folder)
        error.add_note(f"put back what the run was begun with, then `{resume}`")
        raise


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
    """Load the trunk that the config names, and what it works on.

    Returns
    -------
    Trunk, dict
        The dict as from `load_images`.
    """
    model = load_trunk(config)
    for layers in (config.content_layers, config.style_layers):
        resolve_layers(model, layers)  # a wrong name is told before any picture is read
    images = load_images(config, model.space)
    if config.normalize:
        styles = [style.image for style in images["style_image"]]
        model = normalize_trunk(model, [images["content_image"], *styles])
    return model, images


def load_trunk(config):
    """Load the trunk as the config has it, but for `normalize`, which needs the pictures.

    Jobs with the same trunk share it, and so what was traced for it.
    """
    file = Path(config.weights)
    changed = file.stat().st_mtime_ns if file.is_file() else None
    return _load_trunk(config.weights, config.pooling, config.pixels, config.padding, changed)


@functools.lru_cache(maxsize=TRUNKS)
def _load_trunk(weights, pooling, pixels, padding, changed):
    model = load_model(weights, pooling=pooling)
    if pixels == "unit":
        model = Trunk(model, name=model.name, source=model.source, space=UNIT_PIXELS)
    return model.with_edges() if padding == "edge" else model


@contextlib.contextmanager
def saved_in(folder, config, position=None):
    """Give the callbacks that save a run into its folder, and leave a picture if it breaks off."""
    pictures = [save_every(config.save_every, folder)] if config.save_every else []
    with LossLog(folder / LOSSES, position.history if position else []) as log:
        try:
            # The checkpoint comes last: what it takes for saved is saved.
            yield [log, *pictures, Checkpoints(folder, config.checkpoint_every)]
        except (Diverged, Interrupted) as stop:
            path = save_result(folder, stop.result, config)
            with uninterrupted():
                write_report(folder)
            stop.add_note(f"the picture after {stop.result.iterations} iterations is {path}")
            if isinstance(stop, Interrupted):
                stop.add_note(f"`{to_type('--resume', folder)}` goes on")
            raise


def save_result(folder, result, config):
    """Save the picture of a result, its settings inside, not to be interrupted; return where."""
    path, settings = folder / RESULT, with_full_paths(config).text(without=SAVING)
    with uninterrupted():
        save_image(path, result.picture, notes={SETTINGS: settings})
    return path


def show_result(folder, config, say=print):
    """Write what shows a run that is saved: its report, and its time-lapse if it is to have one."""
    try:
        pictures = [path for _, path in read_record(folder).pictures] if config.animate else []
        if pictures:
            save_timelapse(pictures, folder / f"timelapse.{config.animate}")
        elif config.animate:  # it had no iterations to make, or was at its goal from the start
            say("no picture was saved on the way: no time-lapse")
    finally:  # whatever became of the film
        write_report(folder)


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
        f"no model/{VGG_MODEL} here: using the embedded VGG-16. "
        "`python -m nst_tf.weights fetch vgg19` downloads the paper's VGG-19"
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
    return inverted + str(_real(str(path).removeprefix(NOT)))


def _real(path):
    """Return the full path, links followed; a ring of links is no error yet, as in `resolve`."""
    return Path(os.path.realpath(path))


def check_output(output, overwrite):
    """Refuse a folder that can't be written or that holds an earlier run."""
    if output is None:
        return
    if not str(output):
        raise ConfigError("--output is empty; a folder was expected")
    folder = Path(output)
    if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
        raise ConfigError(f"{folder} is no folder; name one with --output")
    if folder.is_dir() and not overwrite:
        _check_no_run(folder)
    nearest = next(parent for parent in [folder, *folder.absolute().parents] if parent.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise ConfigError(f"{nearest} may not be written: choose another --output")


def _check_no_run(folder):
    found = sorted(file.name for file in folder.iterdir() if _is_ours(file))
    if {CONFIG, JOURNAL} <= set(found):
        raise ConfigError(
            f"{folder} holds an earlier run; choose another folder, --overwrite to replace it, or "
            "--resume to go on with it"
        )
    if found:  # no run, but named as a run's files are: they may be somebody's own
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise ConfigError(
            f"{folder} holds {found[0]}{more}, which --overwrite would remove; choose another "
            "folder, or move what you want to keep"
        )


def check_inputs_survive(config, output):
    """Refuse an input that the run would write over."""
    for path in map(Path, itertools.chain(*input_files(config).values())):
        if output and _real(path).parent == _real(output) and _is_ours(path):
            raise ConfigError(
                f"{path} lies in the folder of the run and would be replaced; "
                "choose another --output"
            )


@contextlib.contextmanager
def made_folder(output, config, overwrite):
    """Make the run's folder and keep others out of it while the run lasts.

    Without a name it is a new one under output/, named for the pictures.
    """
    folder = Path(output) if output is not None else new_folder(Path("output"), folder_name(config))
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        check_output(output, overwrite)  # another run may have begun and ended since
        if overwrite:  # an earlier, longer run must not leave its pictures among ours
            for file in filter(_is_ours, folder.iterdir()):
                file.unlink()
            remove_half_written(folder)
        yield folder


@contextlib.contextmanager
def locked(folder):
    """Keep every other process out of a folder; the lock falls with the process that holds it."""
    place = folder / LOCK
    if place.is_symlink():
        raise ConfigError(f"{place} is a link, and what it leads to is not ours; remove it")
    if place.exists() and not place.is_file():
        raise ConfigError(f"{place} is no file; remove it")
    lock = FileLock(place, timeout=0)
    try:
        with lock:
            yield
    except Timeout:
        raise Busy(
            f"another run is at work in {folder}; choose another folder, or wait for its end"
        ) from None


def remove_half_written(folder):
    """Remove what a run that was killed was about to write."""
    for file in folder.iterdir():
        if HALF_WRITTEN.fullmatch(file.name) and not file.is_dir():
            file.unlink()


def folder_name(config):
    """Return harbour_waves, or harbour_waves_woodcut for two styles."""
    return "_".join(Path(path).stem for path in (config.content, *config.style))[:200]


def _is_ours(file):
    return OUR_FILES.fullmatch(file.name) is not None and not file.is_dir()


def new_folder(parent, name):
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

    def __init__(self, path, history=()):
        """Begin a file, or keep the rows of the pictures that are known from an earlier run."""
        seconds = _last_column(path) if history else []
        with atomic_file(path) as temporary, open(temporary, "w", newline="") as file:
            self.rows = csv.writer(file)
            self.rows.writerow(["iteration", *TERMS, "seconds"])
            for iteration, losses in enumerate(history):
                self._write(
                    iteration, losses, seconds[iteration] if iteration < len(seconds) else ""
                )
        self.file = open(path, "a", newline="")  # noqa: SIM115
        self.rows = csv.writer(self.file)

    def __call__(self, step):
        """Write a row, at once: a run that is cut off leaves all that it knew."""
        self._write(step.iteration, step.losses, f"{step.seconds:.3f}")
        self.file.flush()

    def _write(self, iteration, losses, seconds):
        found = [f"{losses[name]:.9g}" if name in losses else "" for name in TERMS]
        self.rows.writerow([iteration, *found, seconds])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


def _last_column(path):
    """Return the seconds that an earlier run has written, row by row."""
    try:
        return [row[-1] for row in csv.reader(loss_lines(path)) if row][1:]
    except (OSError, csv.Error):
        return []
