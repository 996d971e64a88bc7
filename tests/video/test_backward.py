"""Two passes: what the second one starts from, the merged record, and runs that were stopped."""

import csv
import json
import re
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from films import film_of_two_scenes, moving_frames, shift, write_clip

from nst_tf.errors import ConfigError, Interrupted
from nst_tf.image.io import read_picture
from nst_tf.video import backward as backward_module
from nst_tf.video import film as film_module
from nst_tf.video import painter as painter_module
from nst_tf.video import scenes as scenes_module
from nst_tf.video.film import resume_film, run_film
from nst_tf.video.scenes import _here


class PowerFailure(Exception):
    """Simulated power failure."""


@pytest.fixture
def config(tmp_path, tiny_mat, monkeypatch):
    """Return the config of a film of two scenes, of three and two frames, in two passes."""
    monkeypatch.chdir(tmp_path)
    for module in (film_module, scenes_module):
        monkeypatch.setattr(module, "find_flow", lambda name: shift)
    return film_of_two_scenes(tiny_mat, 3, 2, passes=2, write="frames")


paint = partial(run_film, say=lambda line: None)
resume = partial(resume_film, say=lambda line: None)


def rows_of(folder):
    with open(Path(folder) / "frames.csv", newline="") as file:
        return list(csv.DictReader(file))


def files_of(folder):
    names = {path.name for path in Path(folder).iterdir()}
    frames = {path.name: path.read_bytes() for path in sorted(Path(folder).glob("0*.png"))}
    assert len(frames) == 5
    return names, frames, [{**row, "seconds": ""} for row in rows_of(folder)]


def pictures(folder):
    return [read_picture(path).astype(int) for path in sorted(Path(folder).glob("0*.png"))]


def test_both_passes_are_recorded_as_one(config):
    lines, progress = [], []
    run_film(config, "out", say=lines.append, progress=progress.append)
    record = rows_of("out")
    assert [row["iterations"] for row in record] == ["5", "4", "4", "5", "4"]
    assert [row["scene"] for row in record] == ["1"] * 3 + ["2"] * 2
    assert [row["time"] for row in record] == ["0", "1/25", "2/25", "3/25", "4/25"]
    followed = [float(row["followed"]) for row in record]
    assert followed == pytest.approx([62 / 64, 62 / 64, 0, 62 / 64, 0]), "of the later frame"
    names = {path.name for path in Path("out").iterdir()} - {".lock"}
    others = {"film.json", "frames.csv", "journal.json", "report.html"}
    assert names == {f"00000{n}.png" for n in range(1, 6)} | others
    assert json.loads(Path("out/journal.json").read_text())["finished"]["iterations"] == 22
    assert "2 for each other frame, and for each frame in the second of two passes" in lines[-1]
    titles = [re.match(r"(\w+) pass: frame (\d)", line).groups() for line in progress]
    assert titles == [(name, str(n)) for name in ("first", "second") for n in range(1, 6)]
    assert [line.split("scene ")[1][0] for line in progress[5:]] == list("22111")


def test_flicker_is_that_of_the_merged_frames(config):
    paint(config, "out")
    frames, found = pictures("out"), [float(row["flicker"]) for row in rows_of("out")]
    assert np.isnan([found[0], found[3]]).all(), "there is no frame before"
    for later in (1, 2, 4):
        change = frames[later][:, :-2] - frames[later - 1][:, 2:]
        assert found[later] == pytest.approx(np.sqrt(np.square(change).mean()), abs=1e-3)


def test_second_pass_starts_from_the_first(config):
    """Frames that already agree along the motion, and are not painted further, do not change."""
    config = config.changed(frame_iterations=0)
    paint(config.changed(passes=1), "one")
    paint(config, "two")
    assert np.abs(np.subtract(pictures("one"), pictures("two"))).max() <= 1


def test_scenes_of_the_second_pass_are_those_of_the_first(config, monkeypatch):
    shares = iter([1, 1, 0, 1, 0, 0, 0, 0])  # found again: a cut between the frames 3 and 4
    monkeypatch.setattr(painter_module, "found_again", lambda *a: next(shares))
    write_clip("clip.mp4", moving_frames(5))
    paint(config, "out")
    assert [row["scene"] for row in rows_of("out")] == ["1"] * 3 + ["2"] * 2
    assert [float(row["followed"]) > 0 for row in rows_of("out")] == [1, 1, 0, 1, 0]


def test_one_pass_needs_no_second(config, monkeypatch):
    monkeypatch.setitem(sys.modules, "nst_tf.video.backward", None)  # importing it is an error
    paint(config.changed(passes=1), "one")
    with pytest.raises(ImportError):
        paint(config, "two")


def test_frames_are_reversed_in_parts_with_the_masks_of_their_own(config, monkeypatch):
    masks = np.zeros((5, 36, 64, 3), np.uint8)
    masks[:2, :, :32] = masks[2:, :, 32:] = 255
    write_clip("masks.mkv", list(masks))
    config = config.changed(masks=("masks.mkv",), keep_content=True, binary_masks=True)
    paint(config, "out")
    for most in (1, 30_000):  # bytes: parts of one and of two frames
        monkeypatch.setattr(backward_module, "MOST_BYTES", most)
        paint(config, f"out{most}")
        assert files_of(f"out{most}") == files_of("out")
    content = [frame.picture for frame in film_module.Film(config, print)]
    for number, picture in enumerate(pictures("out")):
        kept = slice(40, 64) if number < 2 else slice(0, 24)
        np.testing.assert_array_equal(picture[:, kept], content[number][:, kept])


def stop_at(monkeypatch, stop, run):
    """Run until the n-th call of a function of a module, which then fails."""
    module, name, number = stop
    original, calls = getattr(module, name), []

    def fail(*arguments):
        calls.append(1)
        if len(calls) == number:
            raise PowerFailure
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, fail)
        patch.setattr(scenes_module, "attempted", lambda job, folder, paint: paint())
        with pytest.raises(PowerFailure):
            run()


@pytest.fixture
def whole(config):
    paint(config, "whole")
    return files_of("whole")


FIRST = (film_module, "save_image", 3)
SECOND = (film_module, "save_painted", 8)  # its second scene, which is the first of the film


@pytest.mark.parametrize(
    "stops",
    [
        [FIRST, (backward_module, "copy_file", 1), (film_module, "save_painted", 6)],
        [SECOND, (backward_module, "copy_file", 4), (backward_module, "write_rows", 1)],
    ],
    ids=["until the second pass begins", "later"],
)
def test_film_stopped_anywhere_is_resumed(config, whole, monkeypatch, stops):
    for number, stop in enumerate(stops):
        stop_at(monkeypatch, stop, partial(paint, config, f"out{number}"))
        resume(f"out{number}")
        assert files_of(f"out{number}") == whole, stop


def test_frames_that_are_finished_are_not_painted_again(config, whole, monkeypatch):
    stop_at(monkeypatch, SECOND, partial(paint, config, "out"))
    painted, original = [], film_module.save_painted
    monkeypatch.setattr(
        film_module,
        "save_painted",
        lambda folder, number, image: painted.append(number) or original(folder, number, image),
    )
    resume("out")
    assert painted == [3, 4, 5]


def test_lost_frame_of_the_first_pass_is_painted_again(config, whole, monkeypatch):
    stop_at(monkeypatch, (film_module, "_write_result", 1), partial(paint, config, "out"))
    Path("out/000004.png").unlink()
    resume("out")
    assert files_of("out") == whole


def test_scenes_are_painted_like_the_whole_film(config, whole):
    paint(config, "out", engine=_here)
    assert files_of("out") == whole


@pytest.mark.parametrize(
    ("engine", "stops"),
    [
        (None, [(film_module, "save_painted", 5), (backward_module, "copy_file", 3)]),
        (_here, [(backward_module, "write_rows", 1), (scenes_module, "copy_file", 4)]),
    ],
    ids=["second pass, merge", "rows of the merge, copy to the film"],
)
def test_scenes_stopped_anywhere_are_resumed(config, whole, monkeypatch, engine, stops):
    for number, stop in enumerate(stops):
        stop_at(monkeypatch, stop, partial(paint, config, f"out{number}", engine=_here))
        resume(f"out{number}", engine=engine)
        assert files_of(f"out{number}") == whole, stop


def test_film_started_frame_by_frame_is_finished_so(config, whole, monkeypatch):
    for number, stop in enumerate((FIRST, SECOND)):
        stop_at(monkeypatch, stop, partial(paint, config, f"out{number}"))
        lines = []
        resume_film(f"out{number}", engine=lambda *a: 1 / 0, say=lines.append)
        assert (
            "the film was started frame by frame; both passes are finished in this process" in lines
        )
        assert files_of(f"out{number}") == whole


@pytest.mark.parametrize("engine", [None, _here])
def test_earlier_second_pass_is_replaced(config, whole, monkeypatch, engine):
    stop_at(monkeypatch, SECOND, partial(paint, config.changed(iterations=1), "out"))
    one = config.changed(passes=1)
    stop_at(monkeypatch, FIRST, partial(paint, one, "out", overwrite=True))
    assert not list(Path("out").glob("backward_pass/*"))
    paint(config, "out", overwrite=True, engine=engine)
    assert files_of("out") == whole


def test_second_pass_without_its_first_is_not_continued(config, whole, monkeypatch):
    stop_at(monkeypatch, SECOND, partial(paint, config.changed(iterations=1), "out"))
    for path in Path("out").glob("[!b]*"):
        path.unlink()
    paint(config, "out")
    assert files_of("out") == whole


def test_interrupted_second_pass_is_counted(config, monkeypatch):
    original = film_module.save_image

    def interrupt(path, picture):
        original(path, picture)
        if str(path) == "out/backward_pass/000002.png":
            raise KeyboardInterrupt

    monkeypatch.setattr(film_module, "save_image", interrupt)
    message = (
        "interrupted: 5 frames of the first pass and 2 of the second are finished; .* --resume"
    )
    with pytest.raises(Interrupted, match=message):
        paint(config, "out")


def test_two_passes_need_flow(config):
    with pytest.raises(ConfigError, match="`passes` is 2 and `flow` is none; a second pass"):
        config.changed(flow="none")
