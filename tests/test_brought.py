"""Files and commands of users that failed once, by kind.

There is one of each kind; the tests of the modules cover the kinds fully. Here the command line
runs on each, and either paints and prints what it assumed, or prints in one line what to do.
"""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import tifffile
from mat_files import save_by_keras, tiny_vgg
from pictures import make_picture
from PIL import Image

from nst_tf.batch.__main__ import main as batch
from nst_tf.image.io import read_picture
from nst_tf.run import main

PICTURE = make_picture(45, 61)
GRAY = np.uint16(PICTURE[..., 0]) * 257
LEFT = np.zeros((45, 61), np.uint8)
LEFT[:, :30] = 255


def tiff(values, **options):
    return lambda path: tifffile.imwrite(path, values, **options)


def picture(pixels, kind=None):
    return lambda path: Image.fromarray(pixels).save(path, kind)


def heic(path):
    pillow_heif.register_heif_opener()
    Image.fromarray(PICTURE).save(path, "HEIF")


MADE = {  # name -> function of the path
    "planar.tif": tiff(
        np.moveaxis(np.uint16(PICTURE) * 257, 2, 0), photometric="rgb", planarconfig="separate"
    ),
    "white_is_zero.tif": tiff(65535 - GRAY, photometric="miniswhite"),
    "hdr.tif": tiff(np.float32(GRAY / GRAY.max() * 4), photometric="minisblack"),
    "float_rgb.tif": tiff(np.float32(PICTURE / 255), photometric="rgb"),
    "IMG_0001.HEIC": heic,
    "labels.png": picture(LEFT // 255),
    "red_blue.png": picture(np.dstack([LEFT, 0 * LEFT, 255 - LEFT])),
    "cutout.png": picture(np.dstack([PICTURE, LEFT])),
    "-photo.png": picture(PICTURE),
    "saved.weights.h5": lambda path: save_by_keras(path, tiny_vgg(19)),
}
FAST = ("--optimizer", "adam", "--schedule", "tutorial")

ACCEPTED = [  # label, arguments before the options, options, message
    ("planes of 16 bits", ["planar.tif"], [], None),
    ("white is zero", ["white_is_zero.tif"], [], None),
    ("floats of 0 to 4", ["hdr.tif"], [], "hdr.tif: its values from 0 to 4 are divided by 4"),
    ("floats in color", ["float_rgb.tif"], [], None),
    ("an iPhone's picture", ["IMG_0001.HEIC"], [], None),
    (
        "labels 0 and 1 as a mask",
        ["house.png"],
        ["--masks", "labels.png"],
        "the mask labels.png: its values 0 and 1 are black and white",
    ),
    (
        "a cut-out as a mask",
        ["house.png"],
        ["--masks", "cutout.png"],
        "the mask cutout.png: its transparency is the mask",
    ),
    ("weights that Keras saved", ["house.png"], ["--weights", "saved.weights.h5"], None),
    (
        "steps far too large",
        ["house.png"],
        ["--learning-rate", "1e6"],
        "warning: .*make --learning-rate smaller",
    ),
    (
        "steps for pixels in 0..1",
        ["house.png"],
        ["--learning-rate", "0.02"],
        "warning: the picture is nearly unchanged .*make --learning-rate larger",
    ),
]


@pytest.fixture
def bring(tmp_path, monkeypatch, pictures):
    """Return a function that makes files in the working directory, which has two pictures."""
    monkeypatch.chdir(tmp_path)

    def make(*names):
        for name in names:
            if name in MADE:
                MADE[name](Path(name))

    return make


def small(tiny_mat, options):
    """Return the options of a small run; given ones come last and count."""
    weights = [] if "--weights" in options else ["--weights", str(tiny_mat)]
    return [*weights, *FAST, "--size", "48", "--iterations", "3", *options]


@pytest.mark.parametrize(
    ("pair", "options", "said"), [case[1:] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED]
)
def test_paints_and_says_what_was_assumed(bring, tiny_mat, capsys, pair, options, said):
    bring(*pair, *options)
    assert main([*pair, "brush.jpg", *small(tiny_mat, options), "--output", "run"]) == 0
    assert read_picture("run/result.png").shape[1] == 48
    lines = capsys.readouterr().out.splitlines()
    assert said is None or any(re.search(said, line) for line in lines), lines


REFUSED = [  # label, arguments, message of one line
    (
        "a map of two colors as a mask",
        ["house.png", "brush.jpg", "--masks", "red_blue.png"],
        "the mask red_blue.png has the colors #0000ff, #ff0000;",
    ),
    ("an address", ["https://example.com/a.jpg", "brush.jpg"], "is an address.*[Dd]ownload"),
    ("a dash without --", ["-photo.png", "brush.jpg"], r"\./-photo\.png|--"),
    ("an option that nearly exists", ["house.png", "brush.jpg", "--style", "x"], "style"),
    (
        "another program's weight",
        ["house.png", "brush.jpg", "--content-weight", "5"],
        "--alpha",
    ),
    ("another program's size", ["house.png", "brush.jpg", "--image-size", "512"], "--size"),
]


@pytest.mark.parametrize(
    ("arguments", "said"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_is_refused_in_one_line(bring, tiny_mat, capsys, arguments, said):
    bring(*arguments)
    try:
        status = main([*arguments, "--weights", str(tiny_mat), "--size", "48"])
    except SystemExit as stop:  # of argparse
        status = stop.code
    lines = capsys.readouterr().err.splitlines()
    assert status == 2
    assert len(lines) == 1
    assert re.search(said, lines[0]), lines
    assert not Path("output").exists()


def test_name_with_a_dash_after_two_dashes(bring, tiny_mat):
    bring("-photo.png")
    assert main([*small(tiny_mat, ["--output", "run"]), "--", "-photo.png", "brush.jpg"]) == 0
    assert Path("run/result.png").exists()


def test_output_that_is_a_picture(bring, tiny_mat):
    assert main(["house.png", "brush.jpg", *small(tiny_mat, ["--output", "made.jpg"])]) == 0
    with Image.open("made.jpg") as made:
        assert (made.format, made.width) == ("JPEG", 48)
    assert [path.name for path in Path("output").iterdir()] == ["house_brush"]


def test_batch_takes_a_folder_and_a_table_of_a_spreadsheet(bring, tiny_mat, capsys):
    Path("photos").mkdir()
    for name in ("photos/b.HEIC", "photos/a.png"):
        MADE["IMG_0001.HEIC" if name.endswith("HEIC") else "-photo.png"](Path(name))
    Path("photos/notes.txt").write_text("none")
    options = small(tiny_mat, ["--output"])
    assert batch(["--content", "photos", "--style", "brush.jpg", *options, "one"]) == 0
    assert sorted(path.parent.name for path in Path("one").glob("*/result.png")) == [
        "a_brush",
        "b_brush",
    ]
    assert "left out by extension (1): notes.txt" in capsys.readouterr().out
    table = "\ufeffcontent;style;alpha\r\nhouse.png;brush.jpg;0,5\r\n;;\r\n"
    Path("semi.csv").write_text(table, encoding="utf-8")
    assert batch(["semi.csv", *options, "two"]) == 0
    assert len(list(Path("two").glob("*/result.png"))) == 1
    Path("windows.toml").write_text('[[jobs]]\ncontent = "C:\\pictures\\x.jpg"\nstyle = "y.jpg"\n')
    assert batch(["windows.toml", *options, "three"]) == 2
    assert "single quotes" in capsys.readouterr().err


def test_file_of_a_command_started_by_its_path():
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, str(root / "nst_tf" / "run.py")]
    process = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root.parent)
    assert process.returncode == 2
    assert process.stderr.count("\n") == 1
    assert "python -m nst_tf.run" in process.stderr
