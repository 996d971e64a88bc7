"""Films on the page, without a browser: their checks, order, view, stopping and resuming."""

import filecmp
import re
import time
from pathlib import Path

import pytest
from films import moving_frames, write_clip

from nst_tf.app import films
from nst_tf.app.form import Form, StyleChoice, config_of
from nst_tf.app.orders import STOPPED, Limits
from nst_tf.app.studio import Studio
from nst_tf.app.uploads import Uploads
from nst_tf.app.views import recent_runs, view_of
from nst_tf.errors import ConfigError, ImageError
from nst_tf.jobs.job import DONE, FAILED
from nst_tf.samples import SAMPLES
from nst_tf.video.config import VideoConfig
from nst_tf.video.film import run_film

TIMEOUT = 300  # seconds


@pytest.fixture
def clip(tmp_path):
    return write_clip(tmp_path / "clip.mp4", moving_frames(4, 48, 64))


@pytest.fixture
def uploads(tmp_path):
    (tmp_path / "runs").mkdir()
    return Uploads(tmp_path / "runs" / "uploads", SAMPLES)


@pytest.fixture
def studio(uploads):
    studio = Studio(uploads.folder.parent)
    yield studio
    studio.close()


@pytest.fixture
def form(clip, uploads, pictures):
    """A function that returns the config of a form with the film."""
    _, frame = uploads.keep_film(clip)

    def make(side=64, knobs=None, **choices):
        style = StyleChoice(str(pictures[1]))
        form = Form(str(frame), [style], side=side, film=str(clip), **choices)
        return config_of(form, uploads, Limits(), knobs)

    return make


@pytest.fixture
def config(form, tiny_mat):
    """The film with few iterations."""
    knobs = {"weights": str(tiny_mat), "precision": "float32"}
    return form(knobs=knobs, iterations=6, more={"frame_iterations": "3"})


def final_state(order):
    start = time.monotonic()
    while order.state in ("waiting", "painting"):
        assert time.monotonic() - start < TIMEOUT
        time.sleep(0.05)
    return order.state


def pictures_of(folder):
    return sorted(path.name for path in folder.glob("0*.png"))


def test_a_form_with_a_film_gives_its_config(form, clip, uploads):
    config = form(color="luminance", more={"links": "1 2", "every": "2"})
    assert isinstance(config, VideoConfig)
    assert (config.links, config.every, config.color) == ((1, 2), 2, "luminance")
    assert Path(config.content).parent == uploads.folder
    assert Path(config.content).read_bytes() == clip.read_bytes()
    assert config.save_every == VideoConfig().save_every


def test_choices_that_do_not_apply_are_refused(form, uploads, pictures):
    with pytest.raises(ConfigError, match="can't be set in seconds; choose iterations"):
        form(seconds=20.0)
    with pytest.raises(ConfigError, match="`wrap` does not apply to films"):
        form(more={"wrap": "xy"})
    alone = Form(str(pictures[0]), [StyleChoice(str(pictures[1]))], more={"every": "2"})
    with pytest.raises(ConfigError, match="`every` applies to films: upload one"):
        config_of(alone, uploads, Limits())


def test_an_uploaded_film_is_stored_with_its_first_frame(clip, uploads):
    film, frame = uploads.keep_film(clip)
    assert (film.suffix, frame.suffix) == (".mp4", ".png")
    assert uploads.keep_film(clip) == (film, frame), "once"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("clip.mp4", b"no film" * 100, "clip.mp4 can't be read as a film"),
        ("clip.exe", b"MZ", "clip.exe is not a film; use .mp4, .mov"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nhttp://192.0.2.1/a.ts\n", "list.mp4 can't be read"),
    ],
)
def test_other_files_are_refused(uploads, tmp_path, name, content, message):
    path = tmp_path / "upload" / name
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ImageError, match=message) as error:
        uploads.keep_film(path)
    assert str(tmp_path) not in str(error.value)
    assert not uploads.folder.exists()


@pytest.mark.parametrize(("memory", "seconds"), [(2**28, 4), (2**32, 0)])
def test_a_film_that_takes_too_much_is_refused(clip, tmp_path, monkeypatch, memory, seconds):
    program = tmp_path / "limited.py"
    program.write_text(
        "import sys\nfrom nst_tf.app import film_program\n"
        f"film_program.CHECK_MEMORY, film_program.CHECK_SECONDS = {memory}, {seconds}\n"
        "sys.exit(film_program.main(sys.argv[1:]))\n"
    )
    monkeypatch.setattr(films, "PROGRAM", "limited")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{SAMPLES.parent}", prepend=":")
    with pytest.raises(ImageError, match=r"clip\.mp4 takes more memory or time to read"):
        films.check_film(VideoConfig(content=str(clip)), tmp_path / "first.png")


@pytest.mark.slow
def test_a_film_is_painted_as_by_the_command(studio, config, tmp_path):
    order = studio.take(config, "ann")
    assert final_state(order) == DONE, order.reason
    assert (order.look.iteration, order.look.iterations, order.look.unit) == (4, 4, "frames")
    assert any("64x48 pixels, about 4 frames" in line for line in order.news)
    assert not any(str(tmp_path) in line for line in order.news), "names, no directories"
    run_film(config, tmp_path / "alone", say=lambda line: None)
    names = pictures_of(order.folder)
    assert len(names) == 4
    assert filecmp.cmpfiles(order.folder, tmp_path / "alone", names, shallow=False)[0] == names

    view = view_of(studio, order.key, None)
    assert (view.headline, view.state) == (f"Done: {order.folder.name}", "done")
    assert "finished: 4 frames in" in view.numbers
    assert "<video" in view.picture
    assert [file.name for file in view.files] == ["result.mp4", "film.json", "report.html"]
    assert str(tmp_path) not in view.files[1].read_text()
    assert view.command.startswith("python -m nst_tf.video ")
    (name, _, caption), *_ = recent_runs(studio)
    assert name == caption == order.folder.name


@pytest.mark.slow
def test_a_stopped_film_goes_on_to_the_same_frames(studio, config, tmp_path):
    config = config.changed(frame_iterations=200)
    order = studio.take(config, "ann")
    while order.look is None:
        time.sleep(0.01)
    picture = view_of(studio, order.key, None).picture
    assert re.search("The picture so far, after [123] of 4 frames", picture)
    studio.stop("ann")
    assert final_state(order) == STOPPED
    view = view_of(studio, order.key, None)
    assert (view.headline, view.state) == (f"Stopped: {order.folder.name}", "unfinished")
    assert f"Frame {len(pictures_of(order.folder))} of" in view.picture
    ((_, _, caption),) = recent_runs(studio)
    assert "not finished" in caption
    resumed = studio.resume(order.folder.name, "ann")
    assert final_state(resumed) == DONE, resumed.reason
    run_film(config, tmp_path / "whole", say=lambda line: None)
    names = pictures_of(resumed.folder)
    assert filecmp.cmpfiles(resumed.folder, tmp_path / "whole", names, shallow=False)[0] == names


def test_the_time_limit_stops_a_film(uploads, config):
    studio = Studio(uploads.folder.parent, Limits(minutes=0.01))
    order = studio.take(config.changed(iterations=100_000), "ann")
    assert final_state(order) == STOPPED
    assert order.reason == "stopped after 0.01 minutes, the limit of this page"
    studio.close()


def test_a_program_that_dies_fails_the_order(studio, config, monkeypatch):
    monkeypatch.setattr(films, "_command", died_painting(films._command))
    order = studio.take(config, "ann")
    assert final_state(order) == FAILED
    assert "the program that paints films ended with status 7" in order.reason


def died_painting(command):
    """Return a `_command` whose program ends at once where it would paint."""

    def make(action, *arguments):
        whole = command(action, *arguments)
        return whole if action == "check" else [whole[0], "-c", "raise SystemExit(7)"]

    return make


@pytest.mark.slow
def test_a_film_larger_than_the_page_allows_is_not_resumed(studio, config, uploads):
    order = studio.take(config.changed(iterations=100_000), "ann")
    while not (order.folder and (order.folder / "journal.json").exists()):
        time.sleep(0.01)
    studio.stop("ann")
    assert final_state(order) == STOPPED
    small = Studio(uploads.folder.parent, Limits(side=32))
    with pytest.raises(ConfigError, match="has 64 pixels on its longer side; this page allows 32"):
        small.resume(order.folder.name, "bob")
    small.close()
