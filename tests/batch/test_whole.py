"""Batches in this process: results, failed jobs, resuming, index pages, console output."""

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
from nst_tf.jobs.job import Job, Outcome
from nst_tf.jobs.load import _load_trunk
from nst_tf.jobs.run import run_job
from nst_tf.rundir.layout import JOURNAL, locked
from nst_tf.scaling.levels import nominal_levels, work_left
from nst_tf.scaling.times import in_words

QUIET = {"say": None}


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Change to a directory with three photographs of two sizes and two paintings."""
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


def run_alone(config, folder):
    """Run a job outside of a batch; return its picture."""
    run_job(config, folder, say=lambda line: None)
    return picture(folder)


# ------------------------------------------------------------------ results


@pytest.mark.slow
def test_batch_gives_the_same_pictures_as_single_runs(photos, base):
    jobs = pairs(["a.png", "b.png", "c.png"], ["x.png", "y.png"], base=base)
    summary = run_batch(jobs, "out", **QUIET)
    assert [outcome.state for outcome in summary.outcomes.values()] == ["done"] * 6
    for job in (jobs[1], jobs[2], jobs[5]):
        np.testing.assert_array_equal(
            picture(f"out/{job.name}"), run_alone(job.config, f"alone/{job.name}")
        )
    assert list(rows("out")) == [job.name for job in jobs], "each once, in the order of the list"
    assert rows("out")["a_x"]["picture"] == "a_x/result.png"
    page = Path("out/index.html").read_text()
    assert all(f"{job.name}/report.html" in page for job in jobs)


@pytest.mark.slow
def test_weights_load_once_and_each_size_is_traced_once(photos, base, monkeypatch):
    loads, traces = [], []
    _load_trunk.cache_clear()
    forget_traces()
    targets = ("jobs.load.load_model", loads), ("optim.descent.losses_and_gradient", traces)
    for name, calls in targets:
        module, _, function = name.rpartition(".")
        original = getattr(__import__(f"nst_tf.{module}", fromlist=[function]), function)

        def counted(*args, original=original, calls=calls, **options):
            calls.append(args)
            return original(*args, **options)

        monkeypatch.setattr(f"nst_tf.{name}", counted)
    jobs = pairs(["a.png", "b.png", "c.png"], ["x.png"], base=base, sweeps={"alpha": [1.0, 9.0]})
    assert run_batch(jobs, "out", **QUIET).count("done") == 6
    assert len(loads) == 1
    assert len(traces) == 1


def test_job_named_like_a_picture_has_a_directory(photos, base):
    table = f"name,content,style,weights,iterations,size\ncat.png,a.png,x.png,{base.weights},0,48\n"
    Path("jobs.csv").write_text(table)
    assert main(["jobs.csv", "--output", "out", "--quiet"]) == 0
    assert Path("out", "cat.png", "result.png").exists()


# ------------------------------------------------------------------ failed jobs


def test_failed_jobs_are_reported_and_stop_no_other(photos, base, capsys):
    Path("bad.png").write_bytes(Path("a.png").read_bytes()[:60])
    Path("text.png").write_text("no picture")
    knobs = {"weights": base.weights, "iterations": 4, "size": 48}
    entries = [
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
    Path("jobs.json").write_text(json.dumps({"defaults": knobs, "jobs": entries}))
    assert main(["jobs.json", "--output", "out"]) == 2
    summary = rows("out")
    assert len(summary) == 9
    states = [row["state"] for row in summary.values()]
    assert states == ["failed"] * 8 + ["done"]
    reasons = " | ".join(row["reason"] for row in summary.values())
    for reason in (
        *("bad.png", "the steps are too large", "no option `alfa`", "text.png", "gone.png"),
        *("conv9_9", "a plain folder name was expected", "none.mat"),
    ):
        assert reason in reasons
    page = Path("out/index.html").read_text()
    assert page.count('class="missing"') == 8
    assert "no option `alfa`" in page
    captured = capsys.readouterr()
    assert captured.out.count("FAILED") == 8
    assert captured.out.splitlines()[-1] == "1 of 9 done, 8 failed: out/index.html"
    assert not list(photos.parent.glob("up*"))


def test_internal_error_fails_one_job_and_saves_a_traceback(photos, base):
    jobs = pairs(["a.png"], ["x.png"], base=base)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nst_tf.jobs.output.Output.save", lambda *_: 1 / 0)
        summary = run_batch(jobs, "out", **QUIET)
    assert "ZeroDivisionError" in summary.outcomes["a_x"].reason
    assert "1 / 0" in Path("out/a_x/error.txt").read_text()
    assert resume_batch("out", **QUIET).count("done") == 1


def test_symbolic_link_out_of_the_directory_is_not_followed(photos, base):
    outside = photos / "away"
    outside.mkdir()
    jobs = pairs(["a.png", "b.png"], ["x.png"], base=base)
    stopped = run_batch(jobs[:1], "out", **QUIET)
    assert stopped.count("done") == 1
    shutil.rmtree("out/a_x")
    Path("out/a_x").symlink_to(outside)
    summary = resume_batch("out", **QUIET)
    assert "is a symbolic link" in summary.outcomes["a_x"].reason
    assert not list(outside.iterdir())


def test_full_disk_ends_the_batch(photos, base, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "out/a_x/result.png")

    monkeypatch.setattr("nst_tf.jobs.output.save_image", full)
    args = ["--content", "a.png", "b.png", "--style", "x.png", "--output", "out", "--size", "48"]
    assert main([*args, "--weights", base.weights, "--iterations", "2"]) == 2
    assert "No space left on device; free some space" in capsys.readouterr().err
    assert [row["state"] for row in rows("out").values()] == ["waiting"] * 2


# ------------------------------------------------------------------ resuming


@contextlib.contextmanager
def stopped_after(steps):
    """Raise KeyboardInterrupt after a number of steps of a batch."""
    seen, original = [], Progress.at

    def at(progress, name, iteration):
        seen.append(name)
        if len(seen) > steps:
            raise KeyboardInterrupt
        original(progress, name, iteration)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Progress, "at", at)
        yield


@pytest.mark.slow
def test_resume_skips_done_jobs_and_continues_the_current_one(photos, base, monkeypatch, capsys):
    jobs = pairs(["a.png", "b.png", "c.png"], ["x.png"], base=base.changed(checkpoint_every=0))
    message = "1 of 3 jobs are done; `python -m nst_tf.batch --resume out` resumes"
    with stopped_after(7 + 4), pytest.raises(Interrupted, match=message):
        run_batch(jobs, "out", **QUIET)
    assert [row["state"] for row in rows("out").values()] == ["done", "waiting", "waiting"]
    saved_at = Path("out/a_x/result.png").stat().st_mtime_ns
    runs = []
    monkeypatch.setattr(
        "nst_tf.jobs.do.run_in_folder",
        lambda config, folder, **kwargs: runs.append(folder) or run_job(config, folder, **kwargs),
    )
    assert main(["--resume", "out"]) == 0
    output = capsys.readouterr().out
    assert "3 jobs, 1 of them already done" in output
    assert "2 of 3  b_x: 6 iterations" in output
    assert runs == [Path("out/c_x")], "b_x was resumed, not started again"
    assert Path("out/a_x/result.png").stat().st_mtime_ns == saved_at
    assert [row["attempts"] for row in rows("out").values()] == ["0", "1", "1"]
    for job in jobs:
        np.testing.assert_array_equal(
            picture(f"out/{job.name}"), run_alone(job.config, f"alone/{job.name}")
        )
    assert main(["--resume", "out"]) == 0
    assert "3 of 3 done, 0 failed" in capsys.readouterr().out


@pytest.mark.parametrize("older_version", [False, True])
def test_resume_on_another_processor_keeps_the_precision(photos, base, monkeypatch, older_version):
    monkeypatch.setattr("nst_tf.scaling.precision.processor_kind", lambda: "none")
    jobs = pairs(["a.png", "b.png"], ["x.png"], base=base.changed(checkpoint_every=0))
    with stopped_after(7 + 4), pytest.raises(Interrupted):
        run_batch(jobs, "out", **QUIET)
    if older_version:  # which did not record the precision
        JobConfig.load("out/a_x/config.json").changed(precision="auto").save("out/a_x/config.json")
    monkeypatch.setattr("nst_tf.scaling.precision.processor_kind", lambda: "avx512_bf16")
    outcomes = resume_batch("out", **QUIET).outcomes
    assert [outcomes[name].attempts for name in ("a_x", "b_x")] == [0, 1]
    assert JobConfig.load("out/b_x/config.json").precision == "float32"
    assert json.loads(Path("out", JOBS).read_text())["jobs"][0]["precision"] == "auto"
    expected = jobs[1].config.changed(precision="float32")
    np.testing.assert_array_equal(picture("out/b_x"), run_alone(expected, "alone"))


def test_ctrl_c_exits_with_130_and_says_how_to_resume(photos, base, capsys):
    args = ["--content", "a.png", "--style", "x.png", "--weights", base.weights, "--size", "48"]
    with stopped_after(2):
        assert main([*args, "--output", "out", "--iterations", "6"]) == 130
    stderr = capsys.readouterr().err
    assert stderr.strip().endswith("`python -m nst_tf.batch --resume out` resumes")
    assert len(stderr.splitlines()) == 1
    assert Path("out/a_x/result.png").exists()


def test_changed_picture_fails_only_its_job(photos, base):
    jobs = pairs(["a.png", "b.png"], ["x.png"], base=base.changed(checkpoint_every=0))
    with stopped_after(3), pytest.raises(Interrupted):
        run_batch(jobs, "out", **QUIET)
    Image.fromarray(make_picture(48, 64, seed=9)).save("a.png")
    outcomes = resume_batch("out", **QUIET).outcomes
    assert "changed since the run in" in outcomes["a_x"].reason
    assert outcomes["b_x"].state == "done"


def test_run_without_a_journal_starts_over(photos, base):
    run_batch(pairs(["a.png"], ["x.png"], base=base), "out", **QUIET)
    expected = picture("out/a_x")
    Path("out/a_x", JOURNAL).unlink()
    assert resume_batch("out", **QUIET).outcomes["a_x"].attempts == 1
    np.testing.assert_array_equal(picture("out/a_x"), expected)


def test_damaged_job_list_is_reported(photos, base, capsys):
    run_batch(pairs(["a.png"], ["x.png"], base=base), "out", **QUIET)
    Path("out", JOBS).write_text("{")
    assert main(["--resume", "out"]) == 2
    assert "jobs.json is not valid JSON" in capsys.readouterr().err


def test_two_batches_cannot_share_a_directory(photos, base, capsys):
    run_batch(pairs(["a.png"], ["x.png"], base=base), "out", **QUIET)
    args = ["--content", "a.png", "--style", "x.png", "--output", "out"]
    assert main(args) == 2
    assert "--resume out` resumes it" in capsys.readouterr().err
    with locked(Path("out")):
        assert main(["--resume", "out"]) == 2
    assert "another run is using out" in capsys.readouterr().err


def test_large_batch_has_several_index_pages(photos, base, monkeypatch):
    monkeypatch.setattr("nst_tf.report.render.CARDS", 2)
    jobs = pairs(["a.png", "b.png", "c.png"], ["x.png"], base=base.changed(iterations=1))
    run_batch(jobs, "out", **QUIET)
    first, second = (Path("out", name).read_text() for name in ("index.html", "index_2.html"))
    assert "a_x/report.html" in first
    assert "c_x/report.html" not in first
    assert "c_x/report.html" in second
    assert 'href="index_2.html"' in first
    assert "3 runs" in second


def test_terminal_shows_a_progress_bar_for_the_batch(photos, base):
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
    output = screen.getvalue()
    assert "2 of 3 done, 1 failed" in output
    assert "3 of 3  b_x: FAILED: no such file" in output
    assert "100%" in output


def test_time_left_of_a_batch_counts_small_pictures_and_coarse_levels_as_less(base, monkeypatch):
    clock, lines = [0.0], []
    monkeypatch.setattr("nst_tf.batch.progress.time.perf_counter", lambda: clock[0])
    fast = base.changed(schedule="fast", unit="relative", iterations=200)
    jobs = [
        *(Job(name, fast.changed(size=size)) for name, size in (("s", "400"), ("l", "800"))),
        Job("bad", None, "no such file"),
    ]
    progress = Progress(jobs, say=lines.append)
    progress.at("s", 0)
    clock[0] = 100.0
    progress.at("s", 200)
    progress.ended(Outcome("s", "done", iterations=200, seconds=100))
    small, large = (
        work_left(nominal_levels(s, "fast", 200, "relative"), 0) for s in ("400", "800")
    )
    assert 2 < large / small < 4
    assert lines[-1].endswith(f", about {in_words(100 * large / small)} left")
    # A tenth of the iterations at the coarsest level is much less than a tenth of the work.
    progress.at("l", 0)
    progress.at("l", 20)
    progress.ended(Outcome("bad", "failed", "no such file"))
    assert lines[-1].endswith(f", about {in_words(100 * progress.left / progress.new_work)} left")
    assert progress.left > 0.97 * large


def test_quiet_batch_reports_failures(photos, base, capsys):
    args = ["--content", "a.png", "--style", "x.png", "--weights", "none.mat", "--output", "out"]
    assert main([*args, "--quiet"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "nst_tf: 1 of 1 jobs failed: out/summary.csv\n"


# ------------------------------------------------------------------ what is absent is no permission


def test_files_of_a_run_without_a_journal_are_set_aside(photos, base):
    run_batch(pairs(["a.png"], ["x.png"], base=base), "out", **QUIET)
    folder = Path("out/a_x")
    (folder / JOURNAL).unlink()
    (folder / "000099.png").write_bytes(b"a picture of mine")
    before = {file.name: file.read_bytes() for file in folder.glob("[!.]*")}
    lines = []
    outcome = resume_batch("out", say=lines.append).outcomes["a_x"]
    assert outcome.state == "done"
    assert outcome.reason.endswith("was lost; its earlier files are in out/a_x/set_aside")
    assert outcome.reason in " ".join(lines)
    assert rows("out")["a_x"]["reason"] == outcome.reason
    assert {file.name: file.read_bytes() for file in (folder / "set_aside").iterdir()} == before
    (folder / JOURNAL).unlink()
    assert "set_aside_2" in resume_batch("out", **QUIET).outcomes["a_x"].reason


def test_job_killed_before_its_journal_leaves_nothing_aside(photos, base):
    run_batch(pairs(["a.png"], ["x.png"], base=base), "out", **QUIET)
    names = {file.name for file in Path("out/a_x").iterdir()}
    shutil.rmtree("out/a_x")
    Path("out/a_x").mkdir()
    base.save("out/a_x/config.json")
    Path("out/a_x/.journal.12345678.json").write_bytes(b"half")
    assert resume_batch("out", **QUIET).outcomes["a_x"].reason == ""
    assert {file.name for file in Path("out/a_x").iterdir()} == names


@pytest.mark.parametrize("when", ["before a job", "during a job"])
def test_batch_folder_that_vanished_is_not_created_again(photos, base, when, capsys):
    def rename(*_):
        if Path("out").exists():
            Path("out").rename("elsewhere")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Progress, "begin" if when == "before a job" else "at", rename)
        args = ["--content", "a.png", "b.png", "--style", "x.png", "--output", "out"]
        assert main([*args, "--weights", base.weights, "--iterations", "2", "--size", "48"]) == 2
    assert "out: the directory was removed or renamed while it was" in capsys.readouterr().err
    assert not Path("out").exists()
    assert resume_batch("elsewhere", **QUIET).count("done") == 2
