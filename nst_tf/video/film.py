"""Paint a film: write its frames, their record and result.mp4 to a run directory."""

import math
import shutil
import time
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from nst_tf.console import print_line, raise_if_interrupted, signals_deferred, to_type
from nst_tf.errors import ConfigError, Diverged, Interrupted
from nst_tf.image.folders import Folders, is_folder
from nst_tf.image.io import read_picture, save_image
from nst_tf.jobs.inputs import (
    check_inputs_survive,
    chosen_weights,
    input_files,
    with_full_paths,
)
from nst_tf.jobs.load import explain_out_of_memory, journal_files, with_precision
from nst_tf.jobs.resume import explain_missing_inputs
from nst_tf.jobs.run import stop_if_interrupted
from nst_tf.rundir.journal import (
    check_unchanged,
    finish_journal,
    read_journal,
    recorded_precision,
    write_journal,
)
from nst_tf.rundir.layout import (
    BACKWARD,
    FILM,
    FILM_RESULT,
    FRAMES,
    JOURNAL,
    REPORT,
    SCENES,
    check_directory_name,
    check_output,
    locked,
    open_run_folder,
    remove_half_written,
)
from nst_tf.samples import resolve_pictures
from nst_tf.scaling.times import in_words
from nst_tf.video.config import VideoConfig
from nst_tf.video.flow import find_flow
from nst_tf.video.painter import Painter
from nst_tf.video.reading import Film
from nst_tf.video.record import (
    Record,
    Row,
    forget_painted,
    picture_path,
    save_painted,
    seconds_left,
)
from nst_tf.video.report import write_report
from nst_tf.video.writing import check_encoder, write_film


def run_film(config, output=None, *, overwrite=False, say=print_line, progress=None, engine=None):
    """Paint a film and write its files to a directory.

    All inputs are validated before anything is written.

    Parameters
    ----------
    config : VideoConfig
    output : path, optional
        The run directory; default: a new one under output/, named after the film and the styles.
    overwrite : bool
        Whether to replace the files of an earlier run in that directory.
    say : callable
        Called with each message.
    progress : callable, optional
        Called with a line after each frame or scene.
    engine : callable, optional
        ``(scenes, folder, progress) -> iterator of outcomes``, as returned by `ray_engine`: paints
        the scenes. Default: paint frame by frame in this process.

    Returns
    -------
    Path
        The run directory, with 000001.png ..., frames.csv, film.json, journal.json, report.html
        and, unless the config's `write` is "frames", result.mp4.

    Raises
    ------
    NstError
        The input is invalid, or the loss diverged (`Diverged`).
    Interrupted
        Ctrl-C was pressed; the frames so far are saved.
    """
    if not config.content or not config.style or not all(config.style):
        raise ConfigError(
            f"content is {config.content!r} and style {config.style!r}; a film and a painting are "
            "needed"
        )
    config = resolve_pictures(config, say)
    check_output(output, overwrite)
    _check_film_survives(config, output)
    config = replace(config, weights=chosen_weights(config.weights, say))
    with explain_out_of_memory(config):
        film, painter, config = _loaded(config, say)
        with open_run_folder(output, config, overwrite) as folder:
            with_full_paths(config).save(folder / FILM)
            files, about = (
                _input_files(config, painter),
                (painter.model.name, config.precision),
            )
            write_journal(folder, folder / FILM, files, *about)
            return _paint(folder, film, painter, say, progress, engine)


def resume_film(folder, *, say=print_line, progress=None, engine=None):
    """Resume an interrupted film at the first missing frame.

    On a CPU in float32, on the same machine with the same versions, the frames are equal, bit for
    bit, to those of an uninterrupted run. Parameters, return value and errors are those of
    `run_film`.
    """
    folder = Path(folder)
    if not (folder / FILM).is_file():
        raise ConfigError(f"{folder} contains no {FILM}; --resume expects the directory of a film")
    try:
        journal = read_journal(folder)
    except ConfigError:
        raise ConfigError(
            f"{folder / JOURNAL} is missing or damaged; start again with "
            f"`{to_type('--config', folder / FILM, '--output', 'ANOTHER', command='video')}`"
        ) from None
    if "finished" in journal:
        if not (folder / REPORT).exists():  # the run was stopped before it wrote the report
            with locked(folder):
                remove_half_written(folder)
                _report(folder)
        say(f"{folder} is finished")
        return folder
    with locked(folder):
        config = VideoConfig.load(folder / FILM)
        config = replace(config, precision=recorded_precision(config, journal))
        with explain_out_of_memory(config):
            with explain_missing_inputs(folder, command="video"):
                film, painter, config = _loaded(config, say)
            files = _input_files(config, painter)
            check_unchanged(folder, folder / FILM, files, say, command="video")
            remove_half_written(folder)
            return _paint(folder, film, painter, say, progress, engine)


def _loaded(config, say):
    """Return the `Film`, its `Painter` and the config with its precision resolved."""
    flow = find_flow(config.flow)
    film = Film(config, say)
    if config.write == "mp4":
        check_encoder()
    config = with_precision(config, say)
    first = next(iter(film))
    painter = Painter(config, flow, first, say)
    painter.begin(first)
    return film, painter, config


def _check_film_survives(config, output):
    """Raise `ConfigError` if the run would overwrite the film, its frames or another input."""
    if output is None:
        return
    check_directory_name(output)
    for path in chain(*input_files(config).values()):
        if is_folder(path) and Path(path).resolve() == Path(output).resolve():
            what = "the frames of the film" if path == config.content else "masks"
            raise ConfigError(f"{output} holds {what}; choose another --output")
    check_inputs_survive(config, output)


def _input_files(config, painter):
    """Return the files that the film depends on, by role."""
    files = {}
    for role, path in journal_files(config, painter.model).items():
        if is_folder(path):
            pictures = Folders(None).pictures(path)
            files |= {f"{role} {Path(picture).name}": picture for picture in pictures}
        else:
            files[role] = path
    return files


# ---------------------------------------------------------------------------- painting


@dataclass(frozen=True)
class Painted:
    """What `finish_journal` records about a film: the iterations and seconds of all frames."""

    iterations: int
    seconds: float
    best: int | None = None


def _paint(folder, film, painter, say, progress, engine):
    """Paint the missing frames and write the film; return the directory."""
    config, (height, width) = painter.config, painter.size
    record = Record(folder, max(config.links))
    done = len(record.rows)
    count = f"about {film.expected}" if film.expected else "an unknown number of"
    again = ", and for each frame in the second of two passes" if config.passes > 1 else ""
    say(
        f"{width}x{height} pixels, {count} frames, starting at frame {done + 1}, in {folder}: "
        f"{config.iterations} iterations for the first frame of a scene, "
        f"{config.frame_iterations} for each other frame{again}"
    )

    def show(rows, expected=film.expected, done=done, title=""):
        if progress:
            progress(f"{title}{_progress_line(rows, expected, done)}")

    with signals_deferred():
        try:
            painted = False
            if engine or any(folder.glob(f"{SCENES}/{FRAMES}")):
                from nst_tf.video.scenes import paint_scenes

                painted = paint_scenes(folder, film, painter, record, engine, say, progress)
            if not painted:
                paint_all(folder, film, painter, record, say=say, show=show)
            _write_result(folder, config, record)
        except KeyboardInterrupt as stop:
            command = to_type("--resume", folder, command="video")
            raise Interrupted(
                getattr(stop, "result", None),
                f"interrupted: {_finished(folder, record, config)}; `{command}` resumes",
            ) from None
    rows = record.rows
    finish_journal(folder, Painted(sum(r.iterations for r in rows), sum(r.seconds for r in rows)))
    forget_painted(folder, len(rows) + 1)
    for part in chain(folder.glob(SCENES), folder.glob(BACKWARD)):
        shutil.rmtree(part, ignore_errors=True)
    _report(folder)
    return folder


def _report(folder):
    """Write the report; `resume_film` calls this again if a finished film has no report."""
    with signals_deferred():
        try:
            write_report(folder)
        except KeyboardInterrupt:
            command = to_type("--resume", folder, command="video")
            raise Interrupted(
                None, f"interrupted: the film is finished; `{command}` writes its report"
            ) from None


def _finished(folder, record, config):
    """Say how many frames are painted, in the run directory and in those of scenes."""
    firsts = [int(part.name.rpartition("_")[2]) for part in folder.glob(SCENES)]
    in_scenes = sum(1 for _ in folder.glob(f"{SCENES}/*.png"))
    count = min([len(record.rows), *(first - 1 for first in firsts)]) + in_scenes
    if config.passes == 1:
        return f"{count} frames are finished"
    parts = (BACKWARD, f"{SCENES}/{BACKWARD}")
    again = sum(1 for part in parts for _ in folder.glob(f"{part}/[0-9]*.png"))
    return f"{count} frames of the first pass and {again} of the second are finished"


def paint_all(folder, frames, painter, record, **options):
    """Paint the missing frames of a directory in all passes; parameters as for `paint_frames`.

    For two passes, `frames` is read more than once, and `show` also gets the keywords of
    `paint_passes`.
    """
    if painter.config.passes == 1:
        paint_frames(folder, frames, painter, record, **options)
        return
    from nst_tf.video.backward import paint_passes

    paint_passes(folder, frames, painter, record, **options)


def paint_frames(
    folder, frames, painter, record, *, callbacks=(), say, show=None, keep_images=False
):
    """Paint the frames that are not yet in a directory's record.

    Parameters
    ----------
    folder : path
        The directory.
    frames : iterable of Frame
        The frames in the record, followed by those to paint.
    painter : Painter
    record : Record
        The record of the directory.
    callbacks : sequence of callable
        Each is called with a `Step`.
    say : callable
        Called with each message.
    show : callable, optional
        Called with the rows of the record after each frame.
    keep_images : bool
        Whether to keep the images of all frames, not only those that the next frames need.
    """
    done = len(record.rows)
    for number, frame in enumerate(frames, 1):
        raise_if_interrupted()
        if number <= done:
            painter.pass_by(number, frame, record.rows[number - 1].scene)
            continue
        _paint_frame(folder, number, frame, painter, record, callbacks, say)
        if not keep_images:
            forget_painted(folder, number - max(painter.config.links))
        if show:
            show(record.rows)


def _paint_frame(folder, number, frame, painter, record, callbacks, say):
    began = time.perf_counter()
    try:
        result, followed, flicker = painter.paint(
            number, frame, folder, callbacks=[stop_if_interrupted, *callbacks], say=say
        )
    except Diverged as error:
        error.add_note(f"the loss diverged in frame {number}; earlier frames are in {folder}")
        raise
    losses = dict.fromkeys(("total", "content", "style", "temporal", "tv"), math.nan)
    losses |= {name: loss for name, loss in result.history[-1].items() if name in losses}
    seconds = round(time.perf_counter() - began, 3)
    about = result.iterations, followed, round(flicker, 4)
    row = Row(number, frame.time, painter.scene, *about, **losses, seconds=seconds)
    # The picture is saved last: a frame that has a picture is complete.
    save_painted(folder, number, result.image)
    record.add(row)
    save_image(picture_path(folder, number), result.picture)


def _progress_line(rows, expected, done):
    """Return a line about the newest frame, with the time left if the number is known."""
    row, left = rows[-1], seconds_left(rows, expected, done)
    line = (
        f"frame {row.frame}{f' of about {expected}' if expected else ''}  scene {row.scene}  "
        f"{row.iterations} iterations  loss {row.total:.4g}  followed {row.followed:.0%}  "
        f"{row.seconds:.1f} s"
    )
    return line if left is None else f"{line}  {in_words(left)} left"


def _write_result(folder, config, record):
    """Write result.mp4 from the painted frames and the film's sound."""
    if config.write != "mp4":
        return
    rows = record.rows

    def pictures():
        for row in rows:
            raise_if_interrupted()
            yield read_picture(picture_path(folder, row.frame), say=None)

    sound_of = None if is_folder(config.content) else config.content
    write_film(folder / FILM_RESULT, [row.time for row in rows], pictures(), sound_of)
