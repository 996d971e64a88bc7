"""Films painted scene by scene: the same frames, whatever paints them and wherever it stopped."""

import csv
from functools import partial
from pathlib import Path

import pytest
from films import film_of, film_of_two_scenes, shift

from nst_tf.errors import Interrupted, NstError
from nst_tf.video import film as film_module
from nst_tf.video import scenes as scenes_module
from nst_tf.video.film import resume_film, run_film
from nst_tf.video.scenes import _here


class PowerFailure(Exception):
    """Simulated power failure."""


@pytest.fixture
def config(tmp_path, tiny_mat, monkeypatch):
    """Return the config of a film of two scenes, of three frames each."""
    monkeypatch.chdir(tmp_path)
    return film_of_two_scenes(tiny_mat, 3, 3)


@pytest.fixture
def known_flow(monkeypatch):
    for module in (film_module, scenes_module):
        monkeypatch.setattr(module, "find_flow", lambda name: shift)


def files_of(folder):
    names = {path.name for path in Path(folder).iterdir()}
    frames = {path.name: path.read_bytes() for path in sorted(Path(folder).glob("0*.png"))}
    with open(Path(folder) / "frames.csv", newline="") as file:
        rows = [{**row, "seconds": ""} for row in csv.DictReader(file)]
    return names, frames, rows


def assert_same_films(folder, other):
    assert len(files_of(folder)[1]) == 6
    assert files_of(folder) == files_of(other)
    assert film_of(f"{folder}/result.mp4")[0] == film_of(f"{other}/result.mp4")[0]


@pytest.fixture
def whole(config, known_flow):
    return run_film(config, "whole", say=print)


def test_scenes_are_painted_like_the_whole_film(config, whole):
    lines, progress = [], []
    shared = {"say": lines.append, "progress": progress.append}
    run_film(config, "out", engine=_here, **shared)
    assert "2 scenes, 2 of them to paint" in lines
    assert [line.partition(":")[0] for line in progress] == [
        "scene 1, frames 1 to 3",
        "scene 2, frames 4 to 6",
    ]
    assert_same_films("out", "whole")


def test_film_of_one_scene_is_painted_in_this_process(config, known_flow):
    lines = []
    run_film(config.changed(end=0.1), "out", engine=lambda *a: 1 / 0, say=lines.append)
    assert "the film has one scene; it is painted in this process" in lines
    assert len(files_of("out")[1]) == 3


def stop_at(monkeypatch, frame, run):
    """Run until a frame, in the numbers of its directory, is being saved for the second time."""
    original, calls = film_module.save_painted, []

    def fail(folder, number, image):
        calls.append(number)
        if number == frame and calls.count(1) + (frame > 3) == 2:
            raise PowerFailure
        original(folder, number, image)

    with monkeypatch.context() as patch:
        patch.setattr(film_module, "save_painted", fail)
        patch.setattr(scenes_module, "attempted", lambda job, folder, paint: paint())
        with pytest.raises(PowerFailure):
            run()


@pytest.mark.parametrize("engine", [None, _here])
def test_film_stopped_in_its_second_scene_is_resumed(config, whole, monkeypatch, engine):
    stop_at(monkeypatch, 3, partial(run_film, config, "out", engine=_here, say=print))
    assert not list(Path("out").glob("0*.png"))
    painted = painted_frames(monkeypatch)
    resume_film("out", engine=engine, say=print)
    assert painted == [("scene_000004", 3)]
    assert_same_films("out", "whole")


def test_film_begun_frame_by_frame_is_resumed_by_scenes(config, whole, monkeypatch):
    stop_at(monkeypatch, 5, partial(run_film, config, "out", say=print))
    painted = painted_frames(monkeypatch)
    resume_film("out", engine=_here, say=print)
    assert painted == [("scene_000004", 2), ("scene_000004", 3)]
    assert_same_films("out", "whole")


def painted_frames(monkeypatch):
    painted, original = [], film_module.save_painted

    def save(folder, number, image):
        painted.append((Path(folder).name, number))
        original(folder, number, image)

    monkeypatch.setattr(film_module, "save_painted", save)
    return painted


def test_film_stopped_while_its_result_is_written_is_resumed(config, whole, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(film_module, "write_film", lambda *a: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_film(config, "out", engine=_here, say=print)
    painted = painted_frames(monkeypatch)
    resume_film("out", say=print)
    assert not painted
    assert_same_films("out", "whole")


def test_failed_scene_leaves_the_others_to_be_resumed(config, whole, monkeypatch):
    def fail(scene, folder, number):
        return original(scene, folder) if number > 1 else attempted(scene, folder, lambda: 1 / 0)

    original, attempted, calls = scenes_module.do_scene, scenes_module.attempted, []
    with monkeypatch.context() as patch:
        counted = lambda scene, folder: calls.append(1) or fail(scene, folder, len(calls))  # noqa: E731
        patch.setattr(scenes_module, "do_scene", counted)
        with pytest.raises(NstError, match=r"scene 1, frames 1 to 3: .*; --resume out retries"):
            run_film(config, "out", engine=_here, say=print)
    painted = painted_frames(monkeypatch)
    resume_film("out", say=print)
    assert painted == [("scene_000001", number) for number in (1, 2, 3)]
    assert_same_films("out", "whole")


def test_interrupted_scenes_are_counted(config, known_flow, monkeypatch):
    original = film_module.save_image

    def interrupt(path, picture):
        original(path, picture)
        if path.parent.name == "scene_000004":
            raise KeyboardInterrupt

    monkeypatch.setattr(film_module, "save_image", interrupt)
    with pytest.raises(Interrupted, match=r"interrupted: 4 frames are finished; .* --resume out`"):
        run_film(config, "out", engine=_here, say=print)


def test_earlier_scenes_are_replaced(config, known_flow, monkeypatch):
    stop_at(monkeypatch, 3, partial(run_film, config, "out", engine=_here, say=print))
    run_film(config.changed(seed=1), "out", overwrite=True, say=print)
    assert len(files_of("out")[1]) == 6
    assert not list(Path("out").glob("scene_*"))
