"""Sizes of prints in pixels, and prints made by a job."""

import json
from pathlib import Path

import pytest
import tifffile
from PIL import Image

from nst_tf import ConfigError, ImageError, JobConfig, resume_job
from nst_tf.image.print_size import paper_size, print_size
from nst_tf.image.profiles import PROFILES
from nst_tf.jobs.inputs import load_content
from nst_tf.run import main

TINY = ["--print", "2x1cm", "--dpi", "100"]  # 79x39 pixels


@pytest.mark.parametrize("text", ["60x40cm", "600 × 400 mm", "23,622x15.748IN"])
def test_paper_is_given_in_three_units(text):
    assert paper_size(text, 300) == (4724, 7087)


@pytest.mark.parametrize("text", ["60x40", "60cm", "0x40cm", "axbcm", "-6x4cm", "6x4x2cm", "6x4m"])
def test_other_papers_are_refused(text):
    with pytest.raises(ConfigError, match=f"`print` is '{text}'; width and height.*as in 60x40cm"):
        JobConfig(print=text)


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((2000, 3000), (4724, 7087)),
        ((2000, 2990), (4724, 7087)),  # nearly the paper's shape
        ((3000, 2000), (7087, 4724)),  # the paper is turned
        ((1000, 1000), (4724, 4724)),
        ((500, 1000), (3544, 7087)),
        ((1000, 300), (7087, 2126)),
    ],
)
def test_picture_is_as_large_as_the_paper_allows(shape, size):
    assert print_size("60x40cm", 300, shape) == size
    assert print_size("40x60cm", 300, shape) == size


def test_print_of_too_few_or_too_many_pixels_is_refused():
    with pytest.raises(ImageError, match="`print` 2x1mm at 300 dpi: a size of 24x12 is too small"):
        print_size("2x1mm", 300, (100, 200))
    with pytest.raises(ImageError, match="`print` 2x2cm at 100 dpi: a size of 79x8 is too small"):
        print_size("2x2cm", 100, (100, 1000))
    with pytest.raises(ImageError, match=r"over the limit of .* pixels.*change --print or --dpi"):
        print_size("200x150cm", 300, (3000, 4000))


def test_print_and_rescale_are_refused():
    with pytest.raises(ConfigError, match=r"`print` 6x4cm and `rescale`.*give one of them"):
        JobConfig(print="6x4cm", rescale=True)


def test_print_sets_bits_profile_and_dpi_unless_they_are_given():
    assert JobConfig().form == {"bits": 8, "profile": None, "dpi": None}
    changed = JobConfig().changed(print="6x4cm")
    assert changed.form == {"bits": 16, "profile": "srgb", "dpi": 300}
    own = {"bits": 8, "profile": "p3", "dpi": 150}
    assert JobConfig(print="6x4cm", **own).form == own


def check_print(path, size):
    with Image.open(path) as saved:
        assert saved.size == size
        assert saved.info["icc_profile"] == PROFILES["srgb"].data()
        assert saved.info["dpi"] == pytest.approx((100, 100), abs=0.01)


@pytest.fixture
def print_job(pictures, tiny_mat, tmp_path, monkeypatch):
    """Return a function that runs a small job without --size in a temporary directory."""
    monkeypatch.chdir(tmp_path)
    small = [*pictures, "--weights", tiny_mat, "--iterations", 6, "--save-every", 2, *TINY]
    return lambda *options: main([str(argument) for argument in [*small, *options]])


def test_job_paints_a_print_at_its_size(print_job, capsys):
    assert print_job("--output", "made.tif") == 0
    [folder] = Path("output").iterdir()
    for path in ("made.tif", folder / "result.png"):
        check_print(path, (53, 39))
    assert tifffile.imread("made.tif").dtype == "uint16"
    assert (folder / "result.png").read_bytes()[24] == 16  # bits, in the PNG's header
    with Image.open(folder / "000006.png") as picture:
        assert picture.size == (53, 39)
    lines = capsys.readouterr().out.splitlines()
    told = "--print 2x1cm: 53x39 pixels, 1.35x0.991 cm at 100 dpi, 16 bits, profile srgb"
    assert lines.index(told) < next(n for n, line in enumerate(lines) if line.startswith("53x39"))
    assert lines[lines.index(told) + 1].startswith("expected: about 0:0")
    config = json.loads((folder / "config.json").read_text())
    assert (config["print"], config["dpi"], config["size"]) == ("2x1cm", 100, None)
    (folder / "result.png").unlink()
    resume_job(folder)
    check_print(folder / "result.png", (53, 39))


def test_job_with_a_size_enlarges_the_painting_to_the_print(job, capsys):
    size = ["--print", "4x3cm", "--dpi", "100", "--output", "run"]  # the job's --size is 48
    assert job(*size) == 0
    check_print("run/result.png", (157, 116))
    with Image.open("run/000006.png") as picture:
        assert picture.size == (48, 35)
    assert "profile srgb, painted at 48x35 and enlarged\n" in capsys.readouterr().out


def test_print_as_jpeg_needs_eight_bits(print_job, capsys):
    assert print_job("--output", "made.jpg") == 2
    assert "can't write made.jpg with 16 bits per channel" in capsys.readouterr().err
    assert not Path("output").exists()
    assert print_job("--bits", "8", "--output", "made.jpg") == 0
    check_print("made.jpg", (53, 39))


def test_batch_prints_each_photograph_in_its_own_shape(pictures, tmp_path):
    upright = tmp_path / "upright.png"
    with Image.open(pictures[0]) as picture:
        picture.rotate(90, expand=True).save(upright)
    sizes = [
        load_content(JobConfig(content=str(path), print="2x1cm", dpi=100))[0].shape
        for path in (pictures[0], upright)
    ]
    assert sizes == [(39, 53, 3), (53, 39, 3)]
