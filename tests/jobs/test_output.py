"""The saved result of a job: bits, profile, resolution, the photograph's own size, N+ sizes."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from pictures import make_picture
from PIL import Image

from nst_tf import JobConfig, resume_job
from nst_tf.batch.lists import pairs
from nst_tf.batch.whole import run_batch
from nst_tf.image.color import preserve_color
from nst_tf.image.io import read_note, read_picture
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.image.profiles import PROFILES
from nst_tf.jobs.inputs import Finish
from nst_tf.jobs.output import Output
from nst_tf.scaling import memory

CONTENT, PHOTOGRAPH = make_picture(36, 48), make_picture(75, 100)
MASK = np.repeat(np.float32([[1, 0]]), 24, 1).repeat(36, 0)
DEEP = {"bits": 16}


def result_of(size=(36, 48)):
    """Return what `Output` needs of a `Result` whose gray levels are not whole."""
    picture = make_picture(*size, seed=2)
    image = VGG_PIXELS.to_image(picture + np.random.default_rng(0).uniform(-0.4, 0.4, (*size, 3)))
    return SimpleNamespace(image=image, picture=VGG_PIXELS.to_picture(image))


def saved_picture(result, knobs, *, color="style", mask=None, pastes=False):
    photograph = PHOTOGRAPH if knobs.get("rescale") else None
    finish = Finish(color, CONTENT, mask, pastes, photograph)
    return Output(Path(), JobConfig(**knobs), VGG_PIXELS, finish).picture(result)


def test_eight_bits_are_the_picture_of_the_run():
    result = result_of()
    assert saved_picture(result, {"profile": "srgb", "dpi": 300}) is result.picture


def test_sixteen_bits_are_those_of_the_image():
    result = result_of()
    exact = np.clip(result.image[0].astype(np.float64) + VGG_PIXELS.mean, 0, 255)
    found = saved_picture(result, DEEP)
    assert np.abs(found / 65535 - exact / 255).max() < 1 / 65535
    assert saved_picture(result, {"profile": "p3"}).dtype == np.uint16, "rounded once, when saved"


@pytest.mark.parametrize(
    ("color", "mask", "pastes"),
    [("swap", None, False), ("luminance", MASK, False), ("style", MASK / 2 + 0.25, True)],
)
def test_finishing_keeps_sixteen_bits(color, mask, pastes):
    result = result_of()
    finish = Finish(color, CONTENT, mask, pastes)
    found = saved_picture(result, DEEP, color=color, mask=mask, pastes=pastes) / 257
    assert len(np.unique(found)) > 1000
    np.testing.assert_allclose(found, finish(result.picture), atol=1.01)


def test_unrounded_luma_is_exact():
    levels = np.float32(100 + np.random.default_rng(0).random((36, 48, 3)))
    gray = np.full_like(CONTENT, 90)
    luma = preserve_color(levels, gray) @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(luma, levels @ [0.299, 0.587, 0.114], atol=1e-4)


def test_rescaled_result_has_the_photographs_size_colors_and_kept_parts():
    result = result_of()
    found = saved_picture(result, {"rescale": True})
    assert found.shape == PHOTOGRAPH.shape
    small = np.asarray(Image.fromarray(np.uint8(found // 257)).resize((48, 36)))
    assert np.abs(small[2:-2, 2:-2].astype(int) - result.picture[2:-2, 2:-2]).mean() < 1
    pasted = saved_picture(result, {"rescale": True}, mask=MASK, pastes=True)
    np.testing.assert_array_equal(pasted[:, 60:], PHOTOGRAPH[:, 60:].astype(np.uint16) * 257)
    colored = saved_picture(result, {"rescale": True}, color="swap") / 257
    chroma = (colored - PHOTOGRAPH).std(axis=2)
    assert chroma.max() < 0.01, "the photograph's own, not enlarged"


def test_picture_of_a_coarse_level_is_enlarged():
    assert saved_picture(result_of((18, 24)), DEEP).shape == CONTENT.shape


def test_job_saves_and_repeats_what_was_asked_for(job, tmp_path, capsys):
    form = ["--bits", "16", "--profile", "p3", "--dpi", "300", "--rescale", "--color", "swap"]
    assert job(*form, "--output", "made.tif") == 0
    [folder] = Path("output").iterdir()
    with Image.open(folder / "result.png") as png, Image.open("made.tif") as tiff:
        for saved in (png, tiff):
            assert saved.size == (61, 45)
            assert saved.info["icc_profile"] == PROFILES["p3"].data()
            assert saved.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    assert tifffile.imread("made.tif").dtype == np.uint16
    assert read_picture(folder / "000006.png").shape == (35, 48, 3), "pictures on the way"
    assert str(tmp_path).encode() not in Path("made.tif").read_bytes()
    assert job("--config", folder / "result.png", "--output", "again", pair=()) == 0
    assert (folder / "result.png").read_bytes() == Path("again/result.png").read_bytes()
    knobs = json.loads(read_note("again/result.png", "nst_tf"))
    assert (knobs["bits"], knobs["profile"], knobs["dpi"], knobs["rescale"]) == (
        16,
        "p3",
        300,
        True,
    )


def test_jpeg_of_sixteen_bits_is_refused_before_anything_is_written(job, capsys):
    assert job("--bits", "16", "--output", "made.jpg") == 2
    assert "can't write made.jpg with 16 bits per channel: use .png" in capsys.readouterr().err
    assert not Path("output").exists()
    with pytest.raises(SystemExit):
        job("--bits", "12")
    assert "invalid choice: 12" in capsys.readouterr().err


# ------------------------------------------------------------------ the largest size that fits


@pytest.fixture
def room(monkeypatch):
    """Return a function that lets pictures of so many pixels fit, by the estimate."""

    def make(pixels):
        monkeypatch.setattr(memory, "MACHINERY", 0.0)
        monkeypatch.setattr(memory, "memory_used", lambda: 0)
        monkeypatch.setattr(memory, "needed_bytes", lambda model, *rest: 1000.0)
        # A picture of 1000 bytes a pixel, three images of floats and two pictures of bytes.
        monkeypatch.setattr(memory, "memory_left", lambda: pixels * (1000 + 3 * 12 + 2 * 3))

    return make


@pytest.mark.parametrize(
    ("pixels", "size", "why"),
    [
        (40 * 54.3, "54x40", "the most that fits into memory in one piece"),
        (1e6, "61x45", "the photograph's own size"),
        (10, "48x35", "the smallest size allowed"),
    ],
)
def test_size_with_plus_is_chosen_by_memory(tiny_model, room, pixels, size, why):
    room(pixels)
    (height, width), reason = memory.largest_size(tiny_model, (45, 61), 48, JobConfig(), 2)
    assert (f"{width}x{height}", reason) == (size, why)


def test_chosen_size_is_recorded_said_and_resumed(job, room, capsys):
    room(40 * 54.3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nst_tf.scaling.memory.tile_area", lambda *_: 0)
        assert job("--size", "48+", "--output", "run") == 0
    assert "--size 48+: 54x40 pixels, the most that fits" in capsys.readouterr().out
    assert json.loads(Path("run/config.json").read_text())["size"] == "54x40"
    whole = Path("run/result.png").read_bytes()
    journal = json.loads(Path("run/journal.json").read_text())
    del journal["finished"]
    Path("run/journal.json").write_text(json.dumps(journal))
    room(1e6)  # more memory now
    assert resume_job("run", say=lambda line: None)[1] == Path("run")
    assert Path("run/result.png").read_bytes() == whole


def test_each_job_of_a_batch_chooses_its_own(pictures, tiny_mat, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(make_picture(70, 40)).save("tall.png")
    base = JobConfig(weights=str(tiny_mat), iterations=1, save_every=0, size="40+")
    jobs = pairs([str(pictures[0]), "tall.png"], [str(pictures[1])], base=base)
    run_batch(jobs, "many", say=None)
    sizes = {json.loads(path.read_text())["size"] for path in Path("many").glob("*/config.json")}
    assert sizes == {"61x45", "40x70"}, "enough memory for the photographs' own sizes"
