"""The command: films in and out, coherence, cuts, resuming, and errors in one line."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from films import film_of, moving_frames, shift, write_clip
from objectives import forget_traces
from pictures import make_picture
from PIL import Image

from nst_tf.cli import given
from nst_tf.image.io import read_picture
from nst_tf.optim import descent
from nst_tf.presets import PRESETS
from nst_tf.video import film as film_module
from nst_tf.video.__main__ import main, make_config, make_parser
from nst_tf.video.config import VideoConfig
from nst_tf.video.film import Painter


@pytest.fixture
def film(tmp_path, tiny_mat, monkeypatch):
    """Return a function that paints a small film in a temporary directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(film_module, "find_flow", lambda name: None if name == "none" else shift)
    Image.fromarray(make_picture(40, 52, seed=1)).save("brush.png")
    write_clip("clip.mp4", moving_frames(4))
    small = ["--weights", tiny_mat, "--iterations", "3", "--frame-iterations", "2", "--size", "64"]
    layers = ["--content-layers", "conv2_1", "--style-layers", "conv1_1", "conv2_1"]

    def run(*options, clip="clip.mp4"):
        return main([str(option) for option in (clip, "brush.png", *small, *layers, *options)])

    return run


def rows(folder):
    with open(Path(folder) / "frames.csv", newline="") as file:
        return list(csv.DictReader(file))


def error_line(capsys):
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def frames_in(folder):
    return {path.name: path.read_bytes() for path in sorted(Path(folder).glob("0*.png"))}


def test_film_is_painted_frame_by_frame(film, capsys):
    assert film("--output", "out") == 0
    output = capsys.readouterr()
    assert "frame 4 of about 4  scene 1  2 iterations" in output.err
    assert "the frames are in out, the film is out/result.mp4" in output.out
    assert list(frames_in("out")) == [f"00000{n}.png" for n in (1, 2, 3, 4)]
    record = rows("out")
    assert [row["iterations"] for row in record] == ["3", "2", "2", "2"]
    assert [row["scene"] for row in record] == ["1"] * 4
    assert [float(row["followed"]) for row in record] == [0, *[pytest.approx(62 / 64)] * 3]
    times, pictures, sound = film_of("out/result.mp4")
    assert times == pytest.approx([0, 0.04, 0.08, 0.12])
    assert sound is None
    painted = read_picture("out/000003.png")
    assert np.abs(pictures[2].astype(int) - painted).mean() < 6
    assert not list(Path("out").glob("painted-*"))
    assert json.loads(Path("out/journal.json").read_text())["finished"]["iterations"] == 9


def test_flicker_is_that_of_the_saved_frames(film):
    assert film("--output", "out") == 0
    first, second = (read_picture(f"out/00000{n}.png").astype(float) for n in (1, 2))
    change = second[:, :-2] - first[:, 2:]
    found = [float(row["flicker"]) for row in rows("out")]
    assert np.isnan(found[0]), "there is no frame before"
    assert found[1] == pytest.approx(np.sqrt(np.square(change).mean()), abs=1e-3)
    assert min(found[1:]) > 0


def test_later_frames_begin_with_the_frame_before_and_its_content(film):
    assert film("--output", "out", "--frame-iterations", 0) == 0
    first, second = (read_picture(f"out/00000{n}.png").astype(int) for n in (1, 2))
    assert np.abs(second[:, :-2] - first[:, 2:]).max() <= 1
    content = read_frame("clip.mp4", 1)
    np.testing.assert_allclose(second[:, -2:], content[:, -2:], atol=1)


def read_frame(path, number):
    return film_of(path)[1][number]


def test_temporal_weight_holds_frames(film):
    apart = []
    for weight in (0, 1e6):
        out = f"out{weight:g}"
        assert film("--output", out, "--temporal-weight", weight, "--write", "frames") == 0
        first, second = (read_picture(f"{out}/00000{n}.png").astype(int) for n in (1, 2))
        apart.append(np.abs(second[:, :-2] - first[:, 2:]).mean())
    assert apart[1] < 0.5 * apart[0]
    assert not Path("out0/result.mp4").exists()


def test_scene_cut_begins_anew(film):
    frames = [*moving_frames(3), *moving_frames(2, seed=5)]
    write_clip("cut.mp4", frames)
    assert film("--output", "out", clip="cut.mp4") == 0
    assert [row["scene"] for row in rows("out")] == ["1", "1", "1", "2", "2"]
    assert [row["iterations"] for row in rows("out")] == ["3", "2", "2", "3", "2"]
    alone = film("--output", "alone", "--from", 0.12, clip="cut.mp4")
    assert alone == 0
    assert list(frames_in("alone").values()) == list(frames_in("out").values())[3:]


def test_report_shows_frames_flicker_and_settings(film, tmp_path):
    write_clip("cut.mp4", [*moving_frames(6), *moving_frames(6, seed=5)])
    assert film("--output", "out", "--to", 0.4, clip="cut.mp4") == 0
    page = Path("out/report.html").read_text()
    assert page.count(' of the film"') == page.count(', painted"') == 8
    assert 'alt="film: cut.mp4"' in page
    assert 'alt="painted: frame 6"' in page
    assert {"1: 0.00 s", "10: 0.36 s"} <= set(re.findall(r"\d+: [\d.]+ s", page))
    assert "finished: 10 frames" in page
    assert "0.36 s; scenes: 2" in page
    worst = max(float(row["flicker"]) for row in rows("out") if row["flicker"] != "nan")
    assert f"{worst:.1f} at most" in page
    assert 'aria-label="flicker and losses over time"' in page
    assert 'href="result.mp4"' in page
    command = re.search("python -m nst_tf.video cut.mp4 brush.png .*", page)[0]
    assert "--iterations 3" in command
    assert "--to 0.4" in command
    assert "<dt>credit</dt><dd>K. Simonyan and A. Zisserman" in page
    assert page.count("<dt>state</dt>") == page.count("<dt>time</dt>") == 1
    assert str(tmp_path) not in page
    assert len(page) < 400_000


def test_report_that_was_interrupted_is_made_by_resume(film, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        patch.setattr(film_module, "write_report", interrupt)
        assert film("--output", "out", "--quiet") == 130
    line = error_line(capsys)
    assert "the film is finished; `python -m nst_tf.video --resume out` writes its report" in line
    Path("clip.mp4").unlink()
    monkeypatch.setattr(Painter, "paint", raise_failure)
    for _ in range(2):
        assert main(["--resume", "out"]) == 0
        page = Path("out/report.html").read_text()
        assert (page.count(' of the film"'), page.count(', painted"')) == (0, 4)
        assert "clip.mp4 can't be shown" in page
        monkeypatch.setattr(film_module, "write_report", raise_failure)


def interrupt(*arguments):
    raise KeyboardInterrupt


def test_arguments_repeat_a_film():
    config = VideoConfig(content="a b.mp4", style=("x.jpg",), begin=1.0, end=2.5, links=(1, 2))
    assert (
        make_config(given(vars(make_parser().parse_intermixed_args(config.arguments())))) == config
    )


def test_frames_without_flow_are_pictures_of_their_own(film):
    assert film("--output", "out", "--flow", "none") == 0
    assert [row["scene"] for row in rows("out")] == ["1", "2", "3", "4"]
    assert {row["iterations"] for row in rows("out")} == {"3"}


class PowerFailure(Exception):
    """Simulated power failure."""


@pytest.mark.parametrize("moment", ["record", "picture"])
@pytest.mark.parametrize("options", [[], ["--links", 1, 2, "--color", "histogram"]])
def test_resumed_film_equals_uninterrupted_film(film, monkeypatch, moment, options):
    frames = [*moving_frames(2), *moving_frames(4, seed=5)]
    write_clip("cut.mp4", frames)
    assert film("--output", "whole", *options, clip="cut.mp4") == 0
    name = {"record": "save_painted", "picture": "save_image"}[moment]
    original, calls = getattr(film_module, name), []

    def fail(*arguments):
        calls.append(arguments)
        if len(calls) == 5:
            raise PowerFailure
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(film_module, name, fail)
        with pytest.raises(PowerFailure):
            film("--output", "cut", *options, clip="cut.mp4")
    assert len(frames_in("cut")) == 4
    painted = []
    original_paint = Painter.paint

    def paint(self, number, *arguments, **others):
        painted.append(number)
        return original_paint(self, number, *arguments, **others)

    monkeypatch.setattr(Painter, "paint", paint)
    assert main(["--resume", "cut"]) == 0
    assert painted == [5, 6]
    assert frames_in("cut") == frames_in("whole")
    assert [row["scene"] for row in rows("cut")] == ["1"] * 2 + ["2"] * 4
    assert film_of("cut/result.mp4")[0] == film_of("whole/result.mp4")[0]
    assert sorted(p.name for p in Path("cut").iterdir()) == sorted(
        p.name for p in Path("whole").iterdir()
    )


def test_interrupted_film_says_how_to_go_on(film, monkeypatch, capsys):
    original = film_module.save_image

    def interrupt(path, picture):
        original(path, picture)
        if path.name == "000002.png":
            raise KeyboardInterrupt

    monkeypatch.setattr(film_module, "save_image", interrupt)
    assert film("--output", "out", "--quiet") == 130
    assert error_line(capsys).endswith(
        "interrupted: 2 frames are finished; `python -m nst_tf.video --resume out` resumes"
    )
    monkeypatch.undo()


def test_changed_film_is_not_resumed(film, monkeypatch, capsys):
    monkeypatch.setattr(film_module, "write_film", raise_failure)
    with pytest.raises(PowerFailure):
        film("--output", "out")
    write_clip("clip.mp4", moving_frames(4, seed=7))
    capsys.readouterr()
    assert main(["--resume", "out"]) == 2
    line = error_line(capsys)
    assert "clip.mp4 (content); restore it, then `python -m nst_tf.video --resume out`" in line


def raise_failure(*arguments):
    raise PowerFailure


def test_folder_of_frames(film, capsys):
    Path("frames").mkdir()
    for number, frame in enumerate(moving_frames(4), 1):
        Image.fromarray(frame).save(f"frames/{number:03d}.png")
    Path("frames/002.png").write_bytes(Path("frames/002.png").read_bytes()[:300])
    assert film("--output", "out", "--rate", 10, clip="frames") == 0
    assert "frames/002.png" in capsys.readouterr().out
    assert film_of("out/result.mp4")[0] == pytest.approx([0, 0.2, 0.3])


def test_masks_and_content_map(film):
    mask = np.zeros((36, 64), np.uint8)
    mask[:, :32] = 255
    Image.fromarray(mask).save("mask.png")
    options = ["--masks", "mask.png", "--keep-content", "--content-map", "mask.png"]
    assert film("--output", "out", *options) == 0
    kept = read_picture("out/000003.png")[:, 40:].astype(int)
    np.testing.assert_array_equal(kept, read_frame("clip.mp4", 2)[:, 40:])


def halves(count, at=2):
    """Return masks whose left half is white up to frame `at`, and then the right one."""
    masks = np.zeros((count, 36, 64, 3), np.uint8)
    masks[:at, :, :32] = masks[at:, :, 32:] = 255
    return list(masks)


MOVED = ["--masks", "masks.mkv", "--keep-content", "--write", "frames", "--temporal-weight", 0]


def test_moving_masks_say_where_each_frame_is_painted(film):
    write_clip("masks.mkv", halves(4))
    assert film("--output", "out", *MOVED, "--content-map", "masks.mkv", "--binary-masks") == 0
    for number, kept in enumerate([slice(40, 64)] * 2 + [slice(0, 24)] * 2):
        painted = read_picture(f"out/00000{number + 1}.png").astype(int)
        content = read_frame("clip.mp4", number)
        np.testing.assert_array_equal(painted[:, kept], content[:, kept])
        assert np.abs(painted - content).max() > 5


def test_style_acts_where_the_mask_of_the_frame_is(film):
    """With the style alone, pixels far from the mask stay as the frame begins."""
    write_clip("masks.mkv", halves(2, at=1))
    alone = ["--masks", "masks.mkv", "--alpha", 0, "--tv-weight", 0, "--temporal-weight", 0]
    for iterations in (0, 2):
        out = f"out{iterations}"
        assert film("--output", out, *alone, "--to", 0.08, "--frame-iterations", iterations) == 0
    begun, painted = (read_picture(f"{out}/000002.png").astype(int) for out in ("out0", "out2"))
    change = np.abs(painted - begun)
    assert change[:, 40:].mean() > 10 * change[:, :24].mean()


def test_frames_with_moving_masks_share_one_trace(film, monkeypatch):
    traces = []
    original = descent.losses_and_gradient
    monkeypatch.setattr(descent, "losses_and_gradient", lambda *a: traces.append(1) or original(*a))
    forget_traces()
    write_clip("masks.mkv", halves(4))
    assert film("--output", "out", *MOVED, "--content-map", "not:masks.mkv") == 0
    assert len(traces) == 1
    forget_traces()


def test_moving_masks_are_recorded_and_resumed(film, monkeypatch, capsys):
    Path("masks").mkdir()
    for number, mask in enumerate(halves(4, at=1)):
        Image.fromarray(mask).save(f"masks/{number}.png")
    options = ["--masks", "not:masks", "--content-map", "masks"]
    assert film("--output", "whole", *options) == 0
    files = json.loads(Path("whole/journal.json").read_text())["files"]
    assert {"masks 0.png", "content_map 3.png"} <= set(files)
    original = film_module.save_painted

    def fail(folder, number, image):
        if number == 3:
            raise PowerFailure
        original(folder, number, image)

    with monkeypatch.context() as patch:
        patch.setattr(film_module, "save_painted", fail)
        with pytest.raises(PowerFailure):
            film("--output", "cut", *options)
    shutil.copytree("cut", "spoiled")
    assert main(["--resume", "cut"]) == 0
    assert frames_in("cut") == frames_in("whole")
    Image.fromarray(halves(1)[0]).save("masks/2.png")
    capsys.readouterr()
    assert main(["--resume", "spoiled"]) == 2
    assert "masks/2.png (masks 2.png)" in error_line(capsys)


@pytest.mark.parametrize("method", ["neighbors", "patches"])
def test_methods_that_choose_by_the_content(film, method):
    layers = ["--style-layers", "conv1_1", "conv2_1"]
    assert film("--output", "out", "--method", method, *layers) == 0
    assert [row["iterations"] for row in rows("out")] == ["3", "2", "2", "2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--links", 2, 4], "`links` is 2 4; it must include 1, the previous frame"),
        (["--from", 3, "--to", 2], "`end` is 2 s and `begin` is 3 s; `end` must be later"),
        (["--from", 99], "clip.mp4 has no frame at or after second 99; choose other limits"),
        (["--output", "out.png"], "out.png, but there will be several files"),
        (["--size", 20], "a size of 20x11 is too small"),
        (["--resume", "here"], "--resume takes all settings from the run directory"),
    ],
)
def test_bad_options_are_refused_in_one_line(film, capsys, options, message):
    assert film(*options) == 2
    assert message in error_line(capsys)
    assert not Path("output").exists()


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        ("none.mp4", "none.mp4 does not exist; a film or a directory of frames was expected"),
        ("text.mp4", "text.mp4 can't be read as a film"),
        ("sound.m4a", "sound.m4a has sound, but no pictures"),
        ("https://example.com/clip.mp4", "is an address: download it first"),
    ],
)
def test_bad_films_are_refused_in_one_line(film, capsys, clip, message):
    Path("text.mp4").write_text("no film\n" * 99)
    write_clip("with.mp4", moving_frames(2), sound="aac")
    copy_sound("with.mp4", "sound.m4a")
    assert film(clip=clip) == 2
    assert message in error_line(capsys)


def copy_sound(source, target):
    import av

    with av.open(source) as film, av.open(target, "w", format="mp4") as out:
        stream = out.add_stream_from_template(film.streams.audio[0])
        for packet in film.demux(film.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)


def test_frames_of_the_film_are_not_overwritten(film, capsys):
    Path("frames").mkdir()
    Image.fromarray(moving_frames(1)[0]).save("frames/000001.png")
    assert film("--output", "frames", "--overwrite", clip="frames") == 2
    assert "frames holds the frames of the film" in error_line(capsys)


def test_knobs_of_single_pictures_are_refused():
    with pytest.raises(ValueError, match="`print` does not apply to films"):
        VideoConfig(print="60x40cm")


def test_presets_apply_to_films():
    for preset in PRESETS.values():
        assert VideoConfig().changed(**preset.knobs).links == (1,)


def test_film_json_repeats_a_film(film):
    assert film("--output", "one", "--links", 1, 2) == 0
    shutil.copy("one/film.json", "copy.json")
    assert main(["--config", "copy.json", "--output", "two", "--quiet"]) == 0
    assert frames_in("one") == frames_in("two")
