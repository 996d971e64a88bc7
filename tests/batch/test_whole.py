"""Batches in this process: each job once, a bad one stops no other, what was cut off goes on."""

import contextlib
import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from objectives import forget_traces
from pictures import make_picture
from PIL import Image

from nst_tf.batch.__main__ import main
from nst_tf.batch.lists import pairs
from nst_tf.batch.progress import Progress
from nst_tf.batch.whole import JOBS, resume_batch, run_batch
from nst_tf.config import JobConfig
from nst_tf.errors import Interrupted
from nst_tf.jobs.job import Outcome
from nst_tf.jobs.load import _load_trunk
from nst_tf.jobs.run import run_job
from nst_tf.rundir.layout import JOURNAL, locked

QUIET = {"say": None}


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Go to a folder with two photographs of one size, one of another, and two paintings."""
    monkeypatch.chdir(tmp_path)
    for number, (name, size) in enumerate(
        {"a": (48, 64), "b": (48, 64), "c": (64, 48), "x": (50, 39), "y": (45, 61)}.items()
    ):
        Image.fromarray(make_picture(*size, seed=number)).save(f"{name}.png")
    return tmp_path


@pytest.fixture
def base(tiny_mat):
    return JobConfig(weights=str(tiny_mat), iterations=6, save_every=3, size="48")


def rows(folder):
    with open(Path(folder) / "summary.csv", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def picture(folder):
    return np.asarray(Image.open(Path(folder) / "result.png"))


def alone(config, folder):
    """Return the picture that a job gives outside of a batch."""
    run_job(config, folder, say=lambda line: None)
    return picture(folder)


# ------------------------------------------------------------------ what comes out


@pytest.mark.slow
def test_each_job_gives_the_picture_that_it_gives_alone(photos, base):
    jobs = pairs(["a.png", "b.png", "c.png"], ["x.png", "y.png"], base=base)
    summary = run_batch(jobs, "out", **QUIET)
    assert [outcome.state for outcome in summary.outcomes.values()] == ["done"] * 6
    for job in (jobs[1], jobs[2], jobs[5]):
        np.testing.assert_array_equal(
            picture(f"out/{job.name}"), alone(job.config, f"alone/{job.name}")
        )
    assert list(rows("out")) == [job.name for job in jobs], "each once, in the order of the list"
    assert rows("out")["a_x"]["picture"] == "a_x/result.png"
    page = Path("out/index.html").read_text()
    assert all(f"{job.name}/report.html" in page for job in jobs)


@pytest.mark.slow
def test_weights_are_read_once_and_pictures_of_a_size_traced_once(photos, base, monkeypatch):
    loads, traces = [], []
    _load_trunk.cache_clear()
    forget_traces()
    places = ("jobs.load.load_model", loads), ("optim.descent.losses_and_gradient", traces)
    for name, calls in places:
        module, _, function = name.rpartition(".")
        real = getattr(__import__(f"nst_tf.{module}", fromlist=[function]), function)

        def counted(*args, real=real, calls=calls, **how):
            calls.append(args)
            return real(*args, **how)

        monkeypatch.setattr(f"nst_tf.{name}", counted)
    jobs = pairs(["a.png", "b.png", "c.png"], ["x.png"], base=base, sweeps={"alpha": [1.0, 9.0]})
    assert run_batch(jobs, "out", **QUIET).count("done") == 6
    assert len(loads) == 1
    assert len(traces) == 2


# ------------------------------------------------------------------ bad jobs


def test_a_bad_job_stops_no_other_and_every_reason_is_told(photos, base, capsys):
    Path("bad.png").write_bytes(Path("a.png").read_bytes()[:60])
    Path("text.png").write_text("no picture")
    knobs = {"weights": base.weights, "iterations": 4, "size": 48}
    listed = [
        {"content": "bad.png", "style": "x.png"},
        {"name": "wild", "content": "a.png", "style": "x.png", "optimizer": "sgd",
         "learning_rate": 1e30, "clip": False, "unit": "paper"},
        {"content": "a.png", "style": "x.png", "alfa": 1},
        {"content": "a.png", "style": "text.png"},
        {"content": "a.png", "style": "gone.png"},
        {"content": "a.png", "style": "x.png", "style_layers": ["conv9_9"]},
        {"name": "../../up", "content": "a.png", "style": "x.png"},
        {"content": "a.png", "style": "x.png", "weights": "none.mat"},
        {"content": "a.png", "style": "x.png"},
    ]  # fmt: skip
    Path("jobs.json").write_text(json.dumps({"defaults": knobs, "jobs": listed}))
    assert main(["jobs.json", "--output", "out"]) == 2
    found = rows("out")
    assert len(found) == 9
    states = [row["state"] for row in found.values()]
    assert states == ["failed"] * 8 + ["done"]
    reasons = " | ".join(row["reason"] for row in found.values())
    for words in (
        *("bad.png", "the steps are too large", "no knob `alfa`", "text.png", "gone.png"),
        *("conv9_9", "a plain folder name was expected", "none.mat"),
    ):
        assert words in reasons
    page = Path("out/index.html").read_text()
    assert page.count('class="missing"') == 8
    assert "no knob `alfa`" in page
    said = capsys.readouterr()
    assert said.out.count("FAILED") == 8
    assert said.out.splitlines()[-1] == "1 of 9 done, 8 failed: out/index.html"
    assert not list(photos.parent.glob("up*"))


def test_a_fault_of_ours_fails_one_job_and_leaves_its_traceback(photos, base):
    jobs = pairs(["a.png"], ["x.png"], base=base)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nst_tf.jobs.run.save_result", lambda *_: 1 / 0)
        summary = run_batch(jobs, "out", **QUIET)
    assert "ZeroDivisionError" in summary.outcomes["a_x"].reason
    assert "1 / 0" in Path("out/a_x/error.txt").read_text()
    assert resume_batch("out", **QUIET).count("done") == 1


def test_a_link_out_of_the_folder_is_not_followed(photos, base):
    away = photos / "away"
    away.mkdir()
    jobs = pairs(["a.png", "b.png"], ["x.png"], base=base)
    stopped = run_batch(jobs[:1], "out", **QUIET)
    assert stopped.count("done") == 1
    shutil.rmtree("out/a_x")
    Path("out/a_x").symlink_to(away)
    summary = resume_batch("out", **QUIET)
    assert "is a symbolic link" in summary.outcomes["a_x"].reason
    assert not list(away.iterdir())


def test_a_full_disk_ends_the_batch_for_no_other_job_would_fare_better(
    photos, base, monkeypatch, capsys
):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "out/a_x/result.png")

    monkeypatch.setattr("nst_tf.jobs.run.save_image", full)
    args = ["--content", "a.png", "b.png", "--style", "x.png", "--output", "out", "--size", "48"]
    assert main([*args, "--weights", base.weights, "--iterations", "2"]) == 2
    assert "No space left on device; free some space" in capsys.readouterr().err
    assert [row["state"] for row in rows("out").values()] == ["waiting"] * 2


# ------------------------------------------------------------------ going on


@contextlib.contextmanager
def stopped_after(steps):
    """Press Ctrl-C after so many steps of a batch."""
    seen, real = [], Progress.at

    def at(progress, name, iteration):
        seen.append(name)
        if len(seen) > steps:
            raise KeyboardInterrupt
        real(progress, name, iteration)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Progress, "at", at)
        yield


@pytest.mark.slow
def test_what_is_done_is_left_and_what_is_half_done_goes_on(photos, base, monkeypatch, capsys):
    jobs = pairs(["a.png", "b.png", "c.png"], ["x.png"], base=base.changed(checkpoint_every=0))
    words = "1 of 3 jobs are done; `python -m nst_tf.batch --resume out` resumes"
    with stopped_after(7 + 4), pytest.raises(Interrupted, match=words):
        run_batch(jobs, "out", **QUIET)
    assert [row["state"] for row in rows("out").values()] == ["done", "waiting", "waiting"]
    first = Path("out/a_x/result.png").stat().st_mtime_ns
    begun = []
    monkeypatch.setattr(
        "nst_tf.jobs.do.run_job",
        lambda config, folder, **how: begun.append(folder) or run_job(config, folder, **how),
    )
    assert main(["--resume", "out"]) == 0
    said = capsys.readouterr().out
    assert "3 jobs, 1 of them already done" in said
    assert "2 of 3  b_x: 6 iterations" in said
    assert begun == [Path("out/c_x")], "b_x was gone on with, not begun anew"
    assert Path("out/a_x/result.png").stat().st_mtime_ns == first
    assert [row["attempts"] for row in rows("out").values()] == ["0", "1", "1"]
    for job in jobs:
        np.testing.assert_array_equal(
            picture(f"out/{job.name}"), alone(job.config, f"alone/{job.name}")
        )
    assert main(["--resume", "out"]) == 0
    assert "3 of 3 done, 0 failed" in capsys.readouterr().out


@pytest.mark.parametrize("earlier", [False, True])
def test_on_another_processor_what_is_done_is_left_too(photos, base, monkeypatch, earlier):
    monkeypatch.setattr("nst_tf.scaling.precision.processor_kind", lambda: "none")
    jobs = pairs(["a.png", "b.png"], ["x.png"], base=base.changed(checkpoint_every=0))
    with stopped_after(7 + 4), pytest.raises(Interrupted):
        run_batch(jobs, "out", **QUIET)
    if earlier:  # as a version left it that did not record the precision
        JobConfig.load("out/a_x/config.json").changed(precision="auto").save("out/a_x/config.json")
    monkeypatch.setattr("nst_tf.scaling.precision.processor_kind", lambda: "avx512_bf16")
    outcomes = resume_batch("out", **QUIET).outcomes
    assert [outcomes[name].attempts for name in ("a_x", "b_x")] == [0, 1]
    assert JobConfig.load("out/b_x/config.json").precision == "float32"
    assert json.loads(Path("out", JOBS).read_text())["jobs"][0]["precision"] == "auto"
    again = jobs[1].config.changed(precision="float32")
    np.testing.assert_array_equal(picture("out/b_x"), alone(again, "alone"))


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(photos, base, capsys):
    args = ["--content", "a.png", "--style", "x.png", "--weights", base.weights, "--size", "48"]
    with stopped_after(2):
        assert main([*args, "--output", "out", "--iterations", "6"]) == 130
    said = capsys.readouterr().err
    assert said.strip().endswith("`python -m nst_tf.batch --resume out` resumes")
    assert len(said.splitlines()) == 1
    assert Path("out/a_x/result.png").exists()


def test_a_changed_picture_fails_its_job_alone(photos, base):
    jobs = pairs(["a.png", "b.png"], ["x.png"], base=base.changed(checkpoint_every=0))
    with stopped_after(3), pytest.raises(Interrupted):
        run_batch(jobs, "out", **QUIET)
    Image.fromarray(make_picture(48, 64, seed=9)).save("a.png")
    outcomes = resume_batch("out", **QUIET).outcomes
    assert "changed since the run in" in outcomes["a_x"].reason
    assert outcomes["b_x"].state == "done"


def test_a_folder_begun_before_its_journal_is_begun_anew(photos, base):
    run_batch(pairs(["a.png"], ["x.png"], base=base), "out", **QUIET)
    expected = picture("out/a_x")
    Path("out/a_x", JOURNAL).unlink()
    assert resume_batch("out", **QUIET).outcomes["a_x"].attempts == 1
    np.testing.assert_array_equal(picture("out/a_x"), expected)


def test_a_damaged_list_of_an_earlier_batch_is_told(photos, base, capsys):
    run_batch(pairs(["a.png"], ["x.png"], base=base), "out", **QUIET)
    Path("out", JOBS).write_text("{")
    assert main(["--resume", "out"]) == 2
    assert "jobs.json is not valid JSON" in capsys.readouterr().err


def test_two_batches_can_not_share_a_folder(photos, base, capsys):
    run_batch(pairs(["a.png"], ["x.png"], base=base), "out", **QUIET)
    args = ["--content", "a.png", "--style", "x.png", "--output", "out"]
    assert main(args) == 2
    assert "--resume out` resumes it" in capsys.readouterr().err
    with locked(Path("out")):
        assert main(["--resume", "out"]) == 2
    assert "another run is using out" in capsys.readouterr().err


def test_many_jobs_have_an_index_of_several_pages(photos, base, monkeypatch):
    monkeypatch.setattr("nst_tf.report.render.CARDS", 2)
    jobs = pairs(["a.png", "b.png", "c.png"], ["x.png"], base=base.changed(iterations=1))
    run_batch(jobs, "out", **QUIET)
    first, second = (Path("out", name).read_text() for name in ("index.html", "index_2.html"))
    assert "a_x/report.html" in first
    assert "c_x/report.html" not in first
    assert "c_x/report.html" in second
    assert 'href="index_2.html"' in first
    assert "3 runs" in second


def test_on_a_terminal_there_is_a_bar_for_the_whole_batch(photos, base):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    jobs = pairs(["a.png", "b.png"], ["x.png"], base=base)
    progress = Progress(jobs, 1, print, screen)
    progress.begin("a_x")
    progress.at("a_x", 3)
    progress.ended(Outcome("a_x", "done", iterations=6))
    progress.ended(Outcome("b_x", "failed", "no such file"))
    progress.close()
    said = screen.getvalue()
    assert "2 of 3 done, 1 failed" in said
    assert "3 of 3  b_x: FAILED: no such file" in said
    assert "100%" in said


def test_a_quiet_batch_tells_its_failures_all_the_same(photos, base, capsys):
    args = ["--content", "a.png", "--style", "x.png", "--weights", "none.mat", "--output", "out"]
    assert main([*args, "--quiet"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "nst_tf: 1 of 1 jobs failed: out/summary.csv\n"
