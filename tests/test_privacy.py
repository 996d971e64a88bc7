"""Files that users share from runs, batches and the page contain nothing about this machine."""

import base64
import re
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from nst_tf.app.views import _folder_view
from nst_tf.batch.__main__ import main as batch
from nst_tf.config import SETTINGS, JobConfig
from nst_tf.console import without_directories
from nst_tf.image.io import save_image
from nst_tf.report.__main__ import main as report
from nst_tf.run import main

TELLTALES = (b"secretuser", b"secretdir", b"secretcomment", b"secrethost", b"GPSmark")
LOCAL = ("config.json", "journal.json", "jobs.json", ".lock")  # for --resume; not sent to others
GPS, GPS_LATITUDE, ARTIST, COMMENT = 0x8825, 2, 0x13B, 0x9286


@pytest.fixture
def home(tmp_path, tiny_mat, monkeypatch):
    """Change to a directory of a telltale home; it has weights, a photograph and a painting."""
    home = tmp_path / "home" / "secretuser"
    place = home / "secretdir pictures"
    place.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USER", "secretuser")
    monkeypatch.setattr("platform.node", lambda: "secrethost")
    monkeypatch.chdir(place)
    shutil.copy(tiny_mat, place / "tiny.mat")
    exif = Image.Exif()
    exif[ARTIST] = "secretuser"
    exif.get_ifd(GPS)[GPS_LATITUDE] = (48.0, 8.0, 12.5)
    exif.get_ifd(0x8769)[COMMENT] = b"ASCII\0\0\0GPSmark"
    Image.fromarray(make_picture(48, 61)).save("photo.jpg", exif=exif, comment=b"secretcomment")
    notes = PngInfo()
    notes.add_text("Comment", "secretcomment")
    Image.fromarray(make_picture(50, 39, seed=1)).save("painting.png", pnginfo=notes)
    return place


def contents(path):
    """Yield the bytes of a file, and those that are packed into it."""
    data = path.read_bytes()
    yield data
    if path.suffix == ".png":
        for chunk in re.findall(rb"(?:iTXt|zTXt|eXIf|tEXt)(.*)", data, re.DOTALL):
            yield chunk
            for start in re.finditer(rb"\x78[\x01\x9c\xda]", chunk):
                try:
                    yield zlib.decompressobj().decompress(chunk[start.start() :])
                except zlib.error:
                    continue
    for packed in re.findall(rb"base64,([A-Za-z0-9+/=]+)", data):
        yield base64.b64decode(packed)


def check_private(folder):
    """Check all files below a directory that are meant to be sent to others; return their names."""
    files = [path for path in Path(folder).rglob("*") if path.is_file() and path.name not in LOCAL]
    for path in files:
        for data in contents(path):
            for telltale in TELLTALES:
                assert telltale not in data, f"{path} contains {telltale}"
            assert b"Exif\0\0" not in data, path
    return {path.name for path in files}


def full(place, *names):
    return [str(place / name) for name in names]


def test_files_of_a_run_hold_no_directories_and_no_exif(home, tmp_path):
    half = np.repeat(np.uint8([[0, 255]]), 30, 1).repeat(48, 0)
    Image.fromarray(half).save("mask.png")
    content, style, weights, mask, init = full(
        home, "photo.jpg", "painting.png", "tiny.mat", "mask.png", "painting.png"
    )
    knobs = ["--weights", weights, "--masks", f"not:{mask}", "--init", init, "--size", "48"]
    saving = ["--iterations", "2", "--save-every", "1", "--animate", "gif", "--output", "run"]
    assert main([content, style, *knobs, *saving, "--quiet"]) == 0
    assert check_private("run") >= {
        *("report.html", "result.png", "losses.csv", "timelapse.gif", "000001.png")
    }
    assert str(home) in Path("run/config.json").read_text()
    page = Path("run/report.html").read_text()
    assert "python -m nst_tf.run photo.jpg painting.png --" in page
    assert "not:mask.png" in page
    assert report(["run", "--index", "index.html"]) == 0
    assert b"secret" not in Path("index.html").read_bytes()
    view = _folder_view(Path("run"), "Done", False, ())
    (settings,) = (file for file in view.files if file.name == "config.json")
    assert b"secret" not in settings.read_bytes()
    assert "secret" not in view.command + view.numbers + view.headline
    again = ["--output", str(tmp_path / "again"), "--quiet"]
    assert main(["--config", "run/result.png", *again]) == 0
    pictures = [Path(folder, "result.png").read_bytes() for folder in ("run", tmp_path / "again")]
    assert pictures[0] == pictures[1]


@pytest.mark.long
def test_batch_holds_no_directories(home):
    Path("broken.jpg").write_bytes(b"none")
    pictures = ["--content", *full(home, "photo.jpg", "broken.jpg"), "--style", "painting.png"]
    knobs = ["--weights", "tiny.mat", "--size", "48", "--iterations", "1"]
    assert batch([*pictures, *knobs, "--output", "out", "--quiet"]) == 2
    assert check_private("out") >= {"summary.csv", "index.html", "report.html", "result.png"}
    summary = Path("out/summary.csv").read_text()
    assert ",photo.jpg,painting.png," in summary
    assert "broken.jpg is not a readable picture" in summary


@pytest.fixture
def sent(home):
    """Return a function that makes a result.png whose settings name two pictures."""

    def make(path, **knobs):
        pictures = {"content": "photo.jpg", "style": ("painting.png",), "weights": "tiny.mat"}
        config = JobConfig(**{**pictures, "size": "48", "iterations": 1, **knobs})
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        save_image(path, make_picture(40, 48), notes={SETTINGS: config.text()})
        return path

    return make


def test_names_of_a_result_are_found_here_or_beside_it(home, sent, monkeypatch, tmp_path):
    here = JobConfig.load(sent("got/result.png"))
    assert (here.content, here.style) == ("photo.jpg", ("painting.png",))
    monkeypatch.chdir(tmp_path)
    for name in ("photo.jpg", "painting.png"):
        shutil.move(home / name, home / "got")
    beside = JobConfig.load(home / "got/result.png")
    assert beside.content == str(home / "got/photo.jpg")
    full = JobConfig().changed(content=str(home / "x/photo.jpg"), style=(str(home / "p.png"),))
    full.save(home / "got/config.json")
    recorded = JobConfig.load(home / "got/result.png")
    assert recorded.content == str(home / "got/photo.jpg"), "what is recorded is gone"
    shutil.copytree(home / "got", home / "x")
    assert JobConfig.load(home / "got/result.png").content == str(home / "x/photo.jpg")
    assert recorded.style == (str(home / "got/painting.png"),)


def test_samples_replace_files_that_are_not_found(home, sent, monkeypatch, tmp_path):
    from nst_tf.jobs.settings import make_config

    monkeypatch.chdir(tmp_path)
    result = sent(home / "got/result.png", weights="embedded")
    pair = {"content": "chelsea", "style": ("night_strokes",)}
    config = make_config({"config": str(result), **pair})
    assert (config.content, config.style) == ("chelsea", ("night_strokes",))


def test_files_that_are_not_found_are_named(home, sent, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = sent(home / "got/result.png", masks=("mask.png",))
    where = "is neither in the current directory nor next to it: give it as"
    assert main(["--config", str(result)]) == 2
    assert f"photo.jpg {where} CONTENT STYLE\n" in capsys.readouterr().err
    pair = full(home, "photo.jpg", "painting.png")
    assert main([*pair, "--config", str(result)]) == 2
    assert f"mask.png {where} --masks\n" in capsys.readouterr().err
    Image.fromarray(make_picture(48, 61)).save("mask.png")
    assert main([*pair, "--config", str(result)]) == 2
    assert f"tiny.mat {where} --weights\n" in capsys.readouterr().err


def test_full_paths_of_earlier_versions_are_kept(home, sent, tmp_path):
    content, style = full(home, "photo.jpg", "painting.png")
    result = sent(tmp_path / "old/result.png", content=content, style=(style,))
    assert JobConfig.load(result).content == content
    assert JobConfig.load(result).style == (style,)


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("there is no picture {home}/a b/photo.jpg; x", "there is no picture a b/photo.jpg; x"),
        ("`run --resume /data/runs/one` resumes", "`run --resume one` resumes"),
        (r"C:\Users\secretuser\x.png is damaged", "x.png is damaged"),
        ("see https://example.com/a/b, 1/2, and/or runs/x.png", None),
    ],
)
def test_messages_lose_their_directories(home, text, private):
    text = text.format(home=Path.home())
    assert without_directories(text) == (text if private is None else private)
