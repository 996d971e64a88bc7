"""The run queue of the web page, without a browser: order, stopping, resuming, limits."""

import os
import shutil
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from nst_tf.app.orders import PAINTING, STOPPED, WAITING, Limits
from nst_tf.app.priority import NICENESS, give_way
from nst_tf.app.studio import Studio, paced, within
from nst_tf.app.uploads import Uploads
from nst_tf.app.views import IDLE, recent_runs, view_of
from nst_tf.config import JobConfig
from nst_tf.errors import ConfigError
from nst_tf.jobs.job import DONE, FAILED
from nst_tf.jobs.run import run_job
from nst_tf.samples import SAMPLES

ENDLESS = 1_000_000  # iterations, never completed
TIMEOUT = 120  # seconds


@pytest.fixture
def studio(tmp_path):
    studio = Studio(tmp_path / "runs")
    yield studio
    studio.close()


@pytest.fixture
def config(pictures, tiny_mat):
    content, style = map(str, pictures)
    knobs = {"content": content, "style": (style,), "weights": str(tiny_mat), "size": "48"}
    return JobConfig(**knobs, iterations=10, save_every=5, precision="float32")


def wait_until(condition):
    """Wait until `condition()` is true."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < TIMEOUT
        time.sleep(0.01)


def final_state(order):
    wait_until(lambda: order.state not in (WAITING, PAINTING))
    return order.state


def picture(folder):
    return np.asarray(Image.open(folder / "result.png"))


def test_order_gives_the_same_picture_as_run_job(studio, config, tmp_path):
    order = studio.take(config, "ann")
    assert final_state(order) == DONE
    assert order.look.iteration == 10
    assert len(order.look.totals) == 11
    assert any("48x35 pixels" in line for line in order.news)
    run_job(config, tmp_path / "alone", say=lambda line: None)
    np.testing.assert_array_equal(picture(order.folder), picture(tmp_path / "alone"))
    view = view_of(studio, order.key, None)
    assert (view.headline, view.state) == (f"Done: {order.folder.name}", "done")
    assert {"result.png", "config.json", "report.html"} <= {file.name for file in view.files}
    assert view.command.startswith("python -m nst_tf.run ")
    assert view_of(studio, order.key, None, view.version) is None, "nothing has changed"
    (name, _, caption), *_ = recent_runs(studio)
    assert name == caption == order.folder.name


def test_warning_about_the_result_is_shown(studio, config):
    order = studio.take(config.changed(optimizer="adam", learning_rate=1e-3), "ann")
    assert final_state(order) == DONE
    numbers = view_of(studio, order.key, None).numbers
    assert '<p class="numbers">Warning: the picture is nearly unchanged (by 0.0' in numbers


def test_waiting_runs_show_their_place_in_the_queue(studio, config):
    first = studio.take(config.changed(iterations=ENDLESS), "ann")
    others = [studio.take(config, name) for name in ("bob", "eve")]
    wait_until(lambda: first.look)
    assert [studio.place(order) for order in others] == [1, 2]
    assert view_of(studio, others[0].key, None).headline == "Waiting: 1 run ahead of yours"
    assert view_of(studio, others[1].key, None).headline == "Waiting: 2 runs ahead of yours"
    view = view_of(studio, first.key, None)
    assert view.headline == "Painting house_brush"
    assert "of 1000000 iterations" in view.numbers
    assert 'alt="The picture so far, after' in view.picture
    assert studio.stop("bob") is others[0]
    assert (others[0].state, others[0].reason) == (STOPPED, "removed from the queue")
    assert studio.place(others[1]) == 1
    studio.stop("ann")
    assert final_state(first) == STOPPED
    assert final_state(others[1]) == DONE


def test_stopped_run_resumes_to_the_uninterrupted_result(studio, config, tmp_path):
    config = config.changed(iterations=60, schedule="tutorial")
    run_job(config, tmp_path / "alone", say=lambda line: None)
    order = studio.take(config, "ann")
    order.stopping = True  # at the first preview
    assert final_state(order) == STOPPED
    view = view_of(studio, order.key, None)
    assert (view.headline, view.state) == ("Stopped: house_brush", "unfinished")
    assert (order.folder / "result.png").exists()
    resumed = studio.resume(order.folder.name, "ann")
    assert final_state(resumed) == DONE
    assert resumed.look.iteration == 60
    assert len(resumed.look.totals) == 61, "the curve has what was painted before"
    np.testing.assert_array_equal(picture(resumed.folder), picture(tmp_path / "alone"))


def test_stop_loses_no_iteration(studio, config):
    order = studio.take(config.changed(iterations=ENDLESS, checkpoint_every=1e6), "ann")
    wait_until(lambda: order.look and order.look.iteration > 5)
    studio.stop("ann")
    assert final_state(order) == STOPPED
    (checkpoint,) = order.folder.glob("checkpoint-*.npz")
    rows = (order.folder / "losses.csv").read_text().splitlines()
    assert int(checkpoint.stem.split("-")[1]) == len(rows) - 2, "a row for the start, a heading"


def test_run_beyond_the_time_limit_is_stopped_and_resumable(tmp_path, config):
    studio = Studio(tmp_path / "runs", Limits(minutes=1e-9))
    order = studio.take(config.changed(iterations=ENDLESS), "ann")
    assert final_state(order) == STOPPED
    assert order.reason == "stopped after 1e-09 minutes, the limit of this page"
    assert view_of(studio, order.key, None).state == "unfinished"
    studio.close()


def test_limits_on_runs_per_visitor_and_queue_length(tmp_path, config):
    studio = Studio(tmp_path / "runs", Limits(waiting=1))
    first = studio.take(config.changed(iterations=ENDLESS), "ann")
    wait_until(lambda: first.state == PAINTING)
    with pytest.raises(ConfigError, match=r"your run house_brush is painting; stop it or wait"):
        studio.take(config, "ann")
    studio.take(config, "bob")
    with pytest.raises(ConfigError, match=r"the queue is full \(1\); try again later"):
        studio.take(config, "eve")
    with pytest.raises(ConfigError, match="you have no active run; a run can be stopped only by"):
        studio.stop("eve")
    studio.close()
    assert first.state == STOPPED, "the end of the page keeps the picture"
    assert (first.folder / "result.png").exists()


def test_limit_on_runs_per_network_address(tmp_path, config):
    studio = Studio(tmp_path / "runs", Limits(per_address=2))
    endless = config.changed(iterations=ENDLESS)
    for owner in ("ann", "bob"):
        studio.take(endless, owner, address="10.0.0.7")
    with pytest.raises(ConfigError, match="2 runs of your network address are not finished yet"):
        studio.take(config, "eve", address="10.0.0.7")
    studio.take(config, "eve", address="10.0.0.8")
    for owner in ("dan", "fay", "gus"):
        studio.take(config, owner, address="127.0.0.1")
    studio.close()


def test_failed_run_shows_its_reason_and_leaves_no_directory(studio, config, tmp_path):
    order = studio.take(config.changed(content=str(tmp_path / "gone.png")), "ann")
    assert final_state(order) == FAILED
    view = view_of(studio, order.key, None)
    assert view.state == "failed"
    assert view.headline == f"The run failed: there is no picture {tmp_path / 'gone.png'}"
    assert not list((tmp_path / "runs").iterdir())
    assert final_state(studio.take(config, "ann")) == DONE, "the next one is painted"


def test_old_orders_are_forgotten(studio, config, monkeypatch):
    monkeypatch.setattr("nst_tf.app.studio.REMEMBERED", 1)
    failing = config.changed(content="gone.png")
    for _ in range(3):
        previous = studio.take(failing, "ann")
        assert final_state(previous) == FAILED
    last = studio.take(failing, "ann")
    assert list(studio.orders) == [previous.key, last.key]


def test_internal_error_does_not_end_the_studio(studio, config, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr("nst_tf.app.studio.do_job", lambda *_, **__: 1 / 0)
        assert final_state(studio.take(config, "ann")) == FAILED
    assert final_state(studio.take(config, "ann")) == DONE


def test_run_above_the_size_limit_is_not_resumed(tmp_path, config):
    studio = Studio(tmp_path / "runs", Limits(side=40))
    run_job(config, tmp_path / "runs" / "large", say=lambda line: None)
    with pytest.raises(ConfigError, match="large has 48 pixels on its longer side; this page allo"):
        studio.resume("large", "ann")
    studio.close()


def test_run_name_cannot_leave_the_runs_directory(studio, config, tmp_path):
    run_job(config, tmp_path / "elsewhere", say=lambda line: None)
    for name in ("../elsewhere", "..", "", None, "/etc", "elsewhere"):
        assert studio.run_folder(name) is None
        assert view_of(studio, None, name).headline == IDLE
    with pytest.raises(ConfigError, match=r"the run '../elsewhere' does not exist"):
        studio.resume("../elsewhere", "ann")


def test_more_seconds_allow_more_iterations(config):
    config = config.changed(weights="embedded", size="320")
    counts = [within(config, seconds).iterations for seconds in (0.01, 200, 600, 1e9)]
    assert counts[0] == 10
    assert counts[0] < counts[1] < counts[2] < counts[3] == 20_000


def test_saving_interval_grows_with_the_iterations():
    intervals = {n: paced(JobConfig(iterations=n)).save_every for n in (1, 60, 499, 500, 12_345)}
    assert intervals == {1: 5, 60: 5, 499: 20, 500: 20, 12_345: 50}


def test_run_without_a_journal_is_not_continued_and_nothing_is_erased(studio, config):
    order = studio.take(config, "ann")
    assert final_state(order) == DONE
    (order.folder / "journal.json").unlink()
    before = {file.name: file.read_bytes() for file in order.folder.iterdir()}
    message = "house_brush can't be continued: its journal.json is lost, its other files are uncha"
    with pytest.raises(ConfigError, match=message):
        studio.resume("house_brush", "ann")
    late = studio.take(config, "ann", folder=order.folder)  # it was lost while the run waited
    assert final_state(late) == FAILED
    assert "contains no journal.json" in late.reason
    assert {file.name: file.read_bytes() for file in order.folder.iterdir()} == before
    shutil.rmtree(order.folder)
    gone = studio.take(config, "ann", folder=order.folder)
    assert final_state(gone) == FAILED
    assert not order.folder.exists()


def test_directory_of_the_runs_is_not_created_again(studio, config, tmp_path):
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    order = studio.take(config, "ann")
    assert final_state(order) == FAILED
    assert "runs: the directory was removed or renamed" in order.reason
    assert not (tmp_path / "runs").exists()


def test_longest_file_names_in_three_byte_letters(studio, config, pictures, tmp_path):
    uploads = Uploads(tmp_path / "runs" / "uploads", SAMPLES)
    paths = [path.rename(path.with_name("漢" * 83 + path.suffix)) for path in pictures]
    content, style = map(uploads.keep, paths)
    assert content.name.startswith("漢" * 13 + "-")
    order = studio.take(config.changed(content=str(content), style=(str(style),)), "ann")
    assert final_state(order) == DONE
    assert order.folder.name == "_".join(["漢" * 13] * 2)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of threads")
def test_thread_that_gives_way_starts_others_that_do_and_the_studio_does_not(studio):
    def priorities():
        give_way()
        here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        with ThreadPoolExecutor(1) as started_here:
            there = started_here.submit(
                lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
            )
            return here, there.result()

    mine = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(priorities).result() == (NICENESS, NICENESS)
    assert os.getpriority(os.PRIO_PROCESS, studio.thread.native_id) == mine
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == mine < NICENESS
