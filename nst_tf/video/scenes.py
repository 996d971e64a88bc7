"""Paint the scenes of a film in parallel: find the scenes, and paint each one as a job."""

import contextlib
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

from nst_tf.console import raise_if_interrupted
from nst_tf.errors import NstError
from nst_tf.files import copy_file, make_folder
from nst_tf.image.sizes import resize_picture
from nst_tf.jobs.do import attempted
from nst_tf.jobs.inputs import with_full_paths
from nst_tf.jobs.job import DONE, Outcome
from nst_tf.jobs.load import explain_out_of_memory, with_precision
from nst_tf.rundir.layout import FRAMES, SCENES, locked
from nst_tf.video.config import VideoConfig
from nst_tf.video.film import paint_all
from nst_tf.video.flow import find_flow
from nst_tf.video.painter import Painter, begins_scene
from nst_tf.video.reading import Film
from nst_tf.video.record import Record, load_painted, picture_path, save_painted


@dataclass(frozen=True)
class Scene:
    """A scene of a film, painted as a separate job.

    Attributes
    ----------
    number : int
        1, 2, ...
    first, last : int
        Numbers of its first and last frame, from 1.
    config : VideoConfig
        The config of the film, with full paths and the chosen precision.
    """

    number: int
    first: int
    last: int
    config: VideoConfig

    @property
    def name(self):
        """The name of its directory, where its frames are numbered from 1."""
        return f"scene_{self.first:06d}"


@dataclass(frozen=True)
class Part:
    """Some frames of a film, which can be read more than once like the film.

    Attributes
    ----------
    film : Film
    first, last : int
        Numbers of its first and last frame, from 1.
    """

    film: Film
    first: int
    last: int

    def __iter__(self):
        return islice(self.film, self.first - 1, self.last)


def find_scenes(film, painter):
    """Return each `Scene` of a film: a pass over its frames finds the same cuts as painting."""
    config, firsts, count, earlier = with_full_paths(painter.config), [], 0, None
    for frame in film:
        raise_if_interrupted()
        count += 1
        picture = resize_picture(frame.picture, painter.size, config.resample)
        if earlier is None or begins_scene(earlier, picture, painter.flow, config.cut):
            firsts.append(count)
        earlier = picture
    lasts = [first - 1 for first in firsts[1:]] + [count]
    numbered = enumerate(zip(firsts, lasts), 1)
    return [Scene(number, *span, config) for number, span in numbered]


def paint_scenes(folder, film, painter, record, engine, say, progress):
    """Paint the missing scenes of a film, each in its own directory.

    When all are painted, their frames are copied to the film's directory. Returns True, or False
    for a film of one scene: it is not painted here, but frame by frame.

    Parameters
    ----------
    folder : Path
    film : Film
    painter : Painter
    record : Record
        The record of the film's directory.
    engine : callable or None
        As for `run_film`; None: one scene after another in this process.
    say, progress : callable
        As for `run_film`.

    Raises
    ------
    NstError
        A scene failed; the frames of the others are saved.
    """
    config = painter.config
    begun = any(folder.glob(f"{SCENES}/{FRAMES}"))
    if config.passes > 1 and record.rows and not begun:
        say("the film was started frame by frame; both passes are finished in this process")
        return False
    say("searching for cuts between scenes")
    scenes = find_scenes(film, painter)
    if len(scenes) == 1 and not (folder / scenes[0].name).is_dir():
        say("the film has one scene; it is painted in this process")
        return False
    left = [scene for scene in scenes if scene.last > len(record.rows)]
    for scene in left[:1]:  # partly painted by a run without an engine
        _take_over(record.rows[scene.first - 1 :], folder, folder / scene.name, scene)
    waiting = [scene for scene in left if len(_rows(folder / scene.name, config)) < _length(scene)]
    say(f"{len(scenes)} scenes, {len(waiting)} of them to paint")
    if waiting:
        _run(engine or _here, waiting, folder, say, progress)
    for scene in left:
        _append(_rows(folder / scene.name, config), folder / scene.name, record, scene.first - 1)
    return True


def _run(engine, scenes, folder, say, progress):
    """Paint scenes; raise `NstError` at the end if one failed."""
    by_name = {scene.name: scene for scene in scenes}
    failures, said = [], set()
    notes = SimpleNamespace(begin=lambda name: None, at=lambda name, iteration: None, note=say)
    with contextlib.closing(engine(scenes, folder, notes)) as outcomes:
        for outcome in outcomes:
            scene = by_name.pop(outcome.name)
            about = f"scene {scene.number}, frames {scene.first} to {scene.last}"
            if outcome.state != DONE:
                failures.append(f"{about}: {outcome.reason}")
                continue
            for line in outcome.reason.splitlines():
                if line not in said:
                    say(line)
                said.add(line)
            if progress:
                progress(f"{about}: {outcome.seconds:.1f} s; {len(by_name)} scenes left")
            raise_if_interrupted()
    if failures:
        more = f", and {len(failures) - 1} more scenes failed" if len(failures) > 1 else ""
        raise NstError(f"{failures[0]}{more}; --resume {folder} retries")


def _here(scenes, folder, progress):
    """Paint one scene after another in this process."""
    for scene in scenes:
        yield do_scene(scene, folder / scene.name)


def do_scene(scene, folder, *, callbacks=()):
    """Paint the missing frames of a scene to its directory; return its `Outcome`, as `do_job`."""
    folder, lines = Path(folder), []
    make_folder(folder)

    def paint():
        config = with_precision(scene.config, _silent)
        with locked(folder), explain_out_of_memory(config):
            film = Film(config, lines.append)
            painter = Painter(config, find_flow(config.flow), next(iter(film)), lines.append)
            painter.scene = scene.number - 1
            record = Record(folder, max(config.links))
            frames = Part(film, scene.first, scene.last)
            paint_all(folder, frames, painter, record, callbacks=callbacks, say=lines.append)
        rows = record.rows
        sums = {name: sum(getattr(r, name) for r in rows) for name in ("iterations", "seconds")}
        return Outcome(scene.name, DONE, "\n".join(lines), **sums)

    return attempted(scene, folder, paint)


def _silent(line):
    pass


# ---------------------------------------------------------------------------- frames


def _length(scene):
    return scene.last - scene.first + 1


def _rows(folder, config):
    """Return the rows of the painted frames of a scene; those of two passes when both are done."""
    if not folder.is_dir():
        return []
    if config.passes == 1:
        return Record(folder, max(config.links)).rows
    from nst_tf.video.backward import merge_passes

    return merge_passes(folder)


def _take_over(rows, source, folder, scene):
    """Copy the painted frames of a scene to its directory, with the images for the next frame."""
    if not rows or folder.is_dir():
        return
    make_folder(folder)
    reach = max(scene.config.links)
    for row in rows[-reach:]:
        save_painted(folder, row.frame - scene.first + 1, load_painted(source, row.frame))
    _append(rows, source, Record(folder, reach), 1 - scene.first)


def _append(rows, source, record, shift):
    """Append the frames of a directory to the record of another and copy their pictures."""
    for row in rows:
        number = row.frame + shift
        if number > len(record.rows):
            record.add(replace(row, frame=number))
            copy_file(picture_path(source, row.frame), picture_path(record.folder, number))
