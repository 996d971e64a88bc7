"""`--interpolate`: pictures from one style to another, resumed runs, refused combinations."""

import json
from pathlib import Path

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from nst_tf import ConfigError, JobConfig
from nst_tf.image.io import read_picture
from nst_tf.jobs import interpolation
from nst_tf.report.__main__ import main as report
from nst_tf.run import main
from nst_tf.rundir.record import saved_iteration

QUICK = ("--iterations", "2", "--optimizer", "adam", "--save-every", "0")


class PowerFailure(Exception):
    """Simulated power failure."""


@pytest.fixture
def between(job, pictures, tmp_path):
    """Return a function that runs a job with --interpolate."""
    content, first = pictures
    second = tmp_path / "second.png"
    Image.fromarray(make_picture(48, 40, seed=2)).save(second)

    def run(*more, count=3):
        return job("--interpolate", count, *QUICK, *more, pair=[content, first, second])

    return run


def part(folder, number):
    return read_picture(f"{folder}/picture_{number:03d}/result.png")


def test_ends_are_runs_of_single_styles_and_the_strip_shows_all(between, job, pictures, capsys):
    assert between("--output", "run") == 0
    out = capsys.readouterr().out
    assert "picture 2 of 3: run/picture_002/result.png" in out
    assert "6 iterations in" in out
    assert "run/strip.png, report: run/report.html" in out
    for number, style in ((1, pictures[1]), (3, "second.png")):
        assert job(*QUICK, "--output", f"own{number}", pair=[pictures[0], style]) == 0
        np.testing.assert_array_equal(part("run", number), read_picture(f"own{number}/result.png"))
    parts = [part("run", number) for number in (1, 2, 3)]
    assert not np.array_equal(parts[1], parts[0])
    np.testing.assert_array_equal(read_picture("run/strip.png"), np.concatenate(parts, axis=1))
    page = Path("run/report.html").read_text()
    assert "finished: 3 of 3 pictures" in page
    assert "3 pictures from style 1 to style 2, t = 0 to 1" in page
    assert "result: strip.png" in page
    assert JobConfig.load("run/strip.png").interpolate == 3


def test_killed_run_resumes_picture_by_picture(between, monkeypatch, capsys):
    assert between("--output", "whole") == 0
    run_in_folder, painted = interpolation.run_in_folder, []

    def fail_in_second(config, folder, **options):
        if folder.name == "picture_002":
            raise PowerFailure
        return run_in_folder(config, folder, **options)

    with monkeypatch.context() as patch:
        patch.setattr(interpolation, "run_in_folder", fail_in_second)
        with pytest.raises(PowerFailure):
            between("--output", "cut")

    def noted(config, folder, **options):
        painted.append(folder.name)
        return run_in_folder(config, folder, **options)

    assert saved_iteration("cut") == 2, "what a batch counts as progress"
    assert report(["cut"]) == 0
    assert "not finished: 1 of 3 pictures" in Path("cut/report.html").read_text()
    monkeypatch.setattr(interpolation, "run_in_folder", noted)
    assert main(["--resume", "cut"]) == 0
    assert painted == ["picture_002", "picture_003"]
    np.testing.assert_array_equal(read_picture("cut/strip.png"), read_picture("whole/strip.png"))
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 0
    assert "cut is finished: cut/strip.png" in capsys.readouterr().out


def test_interrupted_picture_tells_how_to_resume_the_whole(between, monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(interpolation, "run_in_folder", interrupt)
        assert between("--output", "cut") == 130
    assert "`python -m nst_tf.run --resume cut` resumes the run" in capsys.readouterr().err
    assert main(["--resume", "cut"]) == 0


def test_film_goes_from_the_first_picture_to_the_last(between):
    assert between("--output", "run", "--animate", "gif", count=4) == 0
    with Image.open("run/timelapse.gif") as film:
        assert film.n_frames == 4
    assert not Path("run/picture_001/timelapse.gif").exists()
    assert "The film is a separate file" in Path("run/report.html").read_text()


def test_overwritten_run_keeps_no_picture_of_the_earlier_one(between):
    assert between("--output", "run", count=3) == 0
    assert between("--output", "run", count=2) == 2
    assert between("--output", "run", "--overwrite", "--color", "luminance", count=2) == 0
    assert not Path("run/picture_003/result.png").exists()
    assert read_picture("run/strip.png").shape[1] == 2 * 48
    config = json.loads(Path("run/picture_002/config.json").read_text())
    assert config["color"] == "luminance"


def test_picture_file_gets_the_strip(between):
    assert between("--output", "strip.jpg", "--style-scale", "1", "1.2", count=2) == 0
    assert read_picture("strip.jpg").shape == (35, 2 * 48, 3)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"style": "a.png"}, "but there are 1 styles; give two"),
        ({"style": ["a.png", "b.png", "c.png"]}, "but there are 3 styles; give two"),
        ({"style": None, "fine": "a.png", "coarse": "b.png"}, "but there are 0 styles"),
        ({"method": "gram"}, "the method is gram; use moments or wasserstein"),
        ({"masks": ["a.png", "b.png"]}, "`masks` does not work with `interpolate`: each picture"),
        ({"style_weights": [1, 2]}, "`style_weights` does not work with `interpolate`"),
        ({"normalize": True}, "`normalize` does not work with `interpolate`"),
        ({"blend": "losses"}, "but `blend` is losses"),
        ({"interpolate": 1}, "`interpolate` is 1; it must be at least 2"),
    ],
)
def test_combinations_without_meaning_are_refused(knobs, message):
    with pytest.raises(ConfigError, match=message):
        JobConfig(**{"content": "x.png", "style": ("a.png", "b.png"), "interpolate": 3, **knobs})


def test_parts_have_the_entries_of_their_styles():
    config = JobConfig(
        content="x.png",
        style=("a.png", "b.png"),
        style_masks=("m.png", "-"),
        style_scale=(1, 2),
        interpolate=3,
    )
    first, middle, last = interpolation.parts_of(config)
    assert (first.style, first.style_masks, first.style_scale) == (("a.png",), ("m.png",), 1)
    assert (last.style, last.style_masks, last.style_scale) == (("b.png",), ("-",), 2)
    assert (middle.style, middle.style_weights) == (config.style, (0.5, 0.5))
    assert {each.blend for each in (first, middle, last)} == {"geodesic"}
