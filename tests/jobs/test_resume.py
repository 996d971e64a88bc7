"""`--resume`: continuing interrupted runs, and errors for runs that cannot be resumed."""

import csv
import errno
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from pictures import make_picture
from PIL import Image

from nst_tf import ConfigError, JobConfig, NstError, resume_job
from nst_tf.image.io import read_picture
from nst_tf.run import main
from nst_tf.rundir.checkpoint import checkpoints
from nst_tf.rundir.layout import LOCK, OUR_FILES
from nst_tf.rundir.losses_csv import LossLog, read_losses
from nst_tf.scaling import precision

ROOT = Path(__file__).resolve().parents[2]
SAVE_OFTEN = ["--checkpoint-every", "0"]


class PowerFailure(Exception):
    """Simulated power failure."""


@pytest.fixture
def interrupt_job(job, monkeypatch):
    """Return a function that runs a job until `count` checkpoints have been saved."""

    def run(count, *options):
        saved = []
        with monkeypatch.context() as patch:
            from nst_tf.rundir import checkpoint as module

            original = module.save_checkpoint

            def save(folder, position):
                saved.append(original(folder, position))
                if len(saved) == count:
                    raise PowerFailure

            patch.setattr(module, "save_checkpoint", save)
            patch.setattr(module, "SHARE", 1e9)  # no limit on the time spent saving
            with pytest.raises(PowerFailure):
                job(*SAVE_OFTEN, *options)
        return saved

    return run


def error_line(capsys):
    """Return the one line on stderr."""
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def rows(folder):
    with open(Path(folder) / "losses.csv", newline="") as file:
        return [row[:5] for row in csv.reader(file)]


def test_resumed_run_equals_uninterrupted_run(job, interrupt_job, capsys):
    assert job("--output", "whole") == 0
    interrupt_job(4, "--output", "cut")
    assert not Path("cut/result.png").exists()
    assert len(checkpoints("cut")) == 2
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 0
    assert re.search(
        r"48x35 pixels, 6 iterations of .*, from iteration [345], in cut", read_stdout(capsys)
    )
    whole, resumed = Path("whole"), Path("cut")
    assert sorted(p.name for p in whole.iterdir()) == sorted(p.name for p in resumed.iterdir())
    for picture in whole.glob("*.png"):
        assert picture.read_bytes() == (resumed / picture.name).read_bytes(), picture.name
    assert rows(whole) == rows(resumed)
    ends = [json.loads((run / "journal.json").read_text())["finished"] for run in (whole, resumed)]
    assert ends[1]["iterations"] == 6
    assert ends[0]["score"] == ends[1]["score"] != {}


def test_resumed_levels_keep_average_best_and_moments(job, interrupt_job, capsys):
    knobs = ["--size", "80", "--min-size", "48", "--level-iterations", "4", "3", "--carry-moments"]
    knobs += ["--average", "0.5", "--keep", "best", "--learning-rate", "60", "--save-every", "1"]
    knobs += ["--content-layers", "conv2_1", "--style-layers", "conv1_1", "conv2_1"]
    knobs += ["--bits", "16", "--rescale", "--profile", "p3", "--color", "swap"]
    names = ["--iterations", "7", "--output"]
    assert job(*knobs, *names, "whole") == 0
    finished = json.loads(Path("whole/journal.json").read_text())["finished"]
    best = 4 + int(np.argmin([float(row[1]) for row in rows("whole")[1:]][4:]))
    assert finished["best"] == best < 7
    line = f"of iteration {best}, the lowest loss at full size"
    assert f"the result is the picture {line}" in read_stdout(capsys)
    assert line in " ".join(Path("whole/report.html").read_text().split())
    interrupt_job(6, *knobs, *names, "cut")
    assert main(["--resume", "cut"]) == 0
    assert rows("cut") == rows("whole")
    for name in ("result.png", "000006.png", "000007.png"):
        assert Path("cut", name).read_bytes() == Path("whole", name).read_bytes(), name


@pytest.mark.slow
def test_resumed_run_of_patches_is_the_same(job, interrupt_job):
    knobs = ["--method", "patches", "--style-layers", "conv2_1", "--size", "80"]
    knobs += ["--min-size", "48"]
    knobs += ["--level-iterations", "2", "4", "--iterations", "6", "--output"]
    assert job(*knobs, "whole") == 0
    interrupt_job(4, *knobs, "cut")
    assert main(["--resume", "cut"]) == 0
    assert rows("cut") == rows("whole")
    assert Path("cut/result.png").read_bytes() == Path("whole/result.png").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "iteration"),
    [
        *(("neighbors", n) for n in (1, 4, 7)),  # in the first level, the second, the last pass
        *(("transport", n) for n in (1, 4)),  # in the first level, at its end
    ],
)
def test_resumed_run_that_matches_anew_is_the_same(job, interrupt_job, method, iteration):
    knobs = ["--method", method, "--style-layers", "conv1_1", "conv3_1", "--size", "96"]
    knobs += ["--min-size", "48", "--iterations", "9", "--output"]
    assert job(*knobs, "whole") == 0
    interrupt_job(iteration, *knobs, "cut")
    assert main(["--resume", "cut"]) == 0
    assert rows("cut") == rows("whole")
    assert Path("cut/result.png").read_bytes() == Path("whole/result.png").read_bytes()


@pytest.mark.slow
def test_resumed_run_has_the_losses_and_colors_of_an_uninterrupted_one(
    job, interrupt_job, pictures
):
    knobs = ["--no-clip", "--range-weight", "5", "--blend", "losses", "--tv-form", "nine-point"]
    knobs += ["--pooling", "l2-rescaled", "--init", "style-stats", "--color", "swap-lab"]
    knobs += ["--content-layers", "conv2_1", "--style-layers", "conv1_1", "conv2_1"]
    second_style = pictures[0]
    assert job(second_style, *knobs, "--output", "whole") == 0
    interrupt_job(4, second_style, *knobs, "--output", "cut")
    assert main(["--resume", "cut"]) == 0
    (history, _), (resumed, _) = (read_losses(f"{name}/losses.csv") for name in ("whole", "cut"))
    assert resumed == history
    assert set(history[0]) == {"total", "content", "style", "tv", "range"}
    for picture in Path("whole").glob("*.png"):
        assert picture.read_bytes() == Path("cut", picture.name).read_bytes(), picture.name


def read_stdout(capsys):
    return capsys.readouterr().out


def set_processor_kind(monkeypatch, kind):
    """Make `--precision auto` see a kind of processor."""
    monkeypatch.setattr(precision, "processor_kind", lambda: kind)


def convert_to_earlier_version(folder):
    """Rewrite a run in the format of the last version without recorded precision."""
    config, journal = Path(folder) / "config.json", Path(folder) / "journal.json"
    knobs = json.loads(config.read_text()) | {"precision": "auto"}
    del knobs["style_margin"]
    config.write_text(json.dumps(knobs))
    record = json.loads(journal.read_text())
    del record["precision"]
    record["config"] = hashlib.sha256(config.read_bytes()).hexdigest()
    journal.write_text(json.dumps(record))


KINDS = [("none", "float32", "avx512_bf16"), ("avx512_bf16", "mixed", "none")]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name", "other"), KINDS)
def test_resume_keeps_precision(job, interrupt_job, monkeypatch, capsys, kind, name, other):
    set_processor_kind(monkeypatch, kind)
    assert job("--output", "whole") == 0
    interrupt_job(3, "--output", "cut")
    set_processor_kind(monkeypatch, other)
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 0
    printed = read_stdout(capsys).splitlines()
    slow = "computing on the CPU in bfloat16 (slow here: this processor has no bfloat16)"
    assert (slow in printed) == (name == "mixed")
    assert not [line for line in printed if "did not record" in line]
    for picture in Path("whole").glob("*.png"):
        assert picture.read_bytes() == (Path("cut") / picture.name).read_bytes(), picture.name
    assert rows("whole") == rows("cut")


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name", "other"), KINDS)
def test_repeated_run_uses_recorded_precision(job, monkeypatch, kind, name, other):
    set_processor_kind(monkeypatch, kind)
    assert job("--output", "first") == 0
    first = Path("first")
    assert json.loads((first / "config.json").read_text())["precision"] == name
    assert json.loads((first / "journal.json").read_text())["precision"] == name
    assert JobConfig.load(first / "result.png").precision == name
    assert f"--precision {name}" in (first / "report.html").read_text()
    set_processor_kind(monkeypatch, other)
    for file in ("config.json", "result.png"):
        assert main(["--config", str(first / file), "--output", file[:6]]) == 0
        assert (Path(file[:6]) / "result.png").read_bytes() == (first / "result.png").read_bytes()
    config = ["--config", "first/config.json", "--iterations", "0"]
    assert main([*config, "--precision", "auto", "--output", "asked"]) == 0
    assert JobConfig.load("asked/config.json").precision != name


@pytest.mark.slow
def test_resume_prints_unrecorded_precision(job, interrupt_job, monkeypatch, capsys):
    set_processor_kind(monkeypatch, "avx512_bf16")
    earlier_defaults = ["--padding", "zero", "--schedule", "tutorial", "--style-margin", "0"]
    assert job("--output", "whole", *earlier_defaults) == 0
    interrupt_job(2, "--output", "cut", *earlier_defaults)
    convert_to_earlier_version("cut")
    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr("nst_tf.jobs.run.minimize", lambda *_, **__: 1 / 0)  # interrupted again
        with pytest.raises(ZeroDivisionError):
            main(["--resume", "cut"])
    line = "this run did not record its precision; continuing in mixed, last digits may differ"
    assert line in read_stdout(capsys).splitlines()
    set_processor_kind(monkeypatch, "none")
    assert main(["--resume", "cut"]) == 0, "it is recorded by now"
    assert "did not record" not in read_stdout(capsys)
    assert Path("cut/result.png").read_bytes() == Path("whole/result.png").read_bytes()
    assert "--precision mixed" in Path("cut/report.html").read_text()


@pytest.mark.parametrize("changed", [["--padding", "zero"], ["--schedule", "tutorial"]])
def test_incompatible_run_of_earlier_version_is_rejected(interrupt_job, capsys, changed):
    interrupt_job(2, "--output", "cut", *changed)
    convert_to_earlier_version("cut")
    before = {path: path.read_bytes() for path in Path("cut").iterdir()}
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 2
    error = capsys.readouterr().err
    assert "the run in cut was started by an earlier version of nst_tf" in error
    assert "start again with `python -m nst_tf.run --config cut/config.json --output cut" in error
    assert {path: path.read_bytes() for path in Path("cut").iterdir()} == before


def test_earlier_config_with_auto_precision_uses_processor(job, monkeypatch):
    set_processor_kind(monkeypatch, "none")
    assert job("--output", "first", "--iterations", "0") == 0
    convert_to_earlier_version("first")
    set_processor_kind(monkeypatch, "avx512_bf16")
    assert main(["--config", "first/config.json", "--output", "again"]) == 0
    assert JobConfig.load("again/config.json").precision == "mixed"


def test_run_without_checkpoint_starts_at_iteration_0(job, interrupt_job, capsys):
    interrupt_job(1, "--output", "cut")
    for path in checkpoints("cut"):
        path.unlink()
    assert main(["--resume", "cut"]) == 0
    assert "from iteration 0" in read_stdout(capsys)
    assert len(rows("cut")) == 8


def test_resumed_run_writes_the_picture_that_output_named(interrupt_job, monkeypatch, tmp_path):
    interrupt_job(3, "--output", "art/cat.png")
    folder = tmp_path / "output" / "house_brush"
    assert not Path("art").exists()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["--resume", str(folder)]) == 0
    assert (tmp_path / "art" / "cat.png").read_bytes() == (folder / "result.png").read_bytes()


def test_interrupted_run_writes_the_picture_that_output_named(job, monkeypatch, capsys):
    def stop_at_4(step):
        if step.iteration == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("nst_tf.jobs.run.stop_if_interrupted", stop_at_4)
        assert job("--output", "cat.png", "--quiet") == 130
    cat, folder = Path("cat.png").absolute(), Path("output", "house_brush")
    assert f"the picture after 4 iterations is {cat}; `python -m" in error_line(capsys)
    reached = cat.read_bytes()
    assert reached == (folder / "result.png").read_bytes()
    cat.write_text("mine")
    assert main(["--resume", str(folder)]) == 2
    assert f"{cat} was changed since the run in {folder} started; move it away" in error_line(
        capsys
    )
    assert cat.read_text() == "mine"
    cat.write_bytes(reached)  # what the run wrote may be replaced
    assert main(["--resume", str(folder)]) == 0
    assert cat.read_bytes() == (folder / "result.png").read_bytes() != reached


def test_file_that_came_during_the_run_is_kept(job, capsys, monkeypatch):
    cat, folder = Path("cat.png"), Path("output", "house_brush")

    def create(step):
        cat.write_text("mine")

    with monkeypatch.context() as patch:
        patch.setattr("nst_tf.jobs.run.stop_if_interrupted", create)
        assert job("--output", cat, "--quiet") == 2
    assert "was changed since the run" in error_line(capsys)
    assert cat.read_text() == "mine"
    assert (folder / "result.png").exists()
    cat.unlink()
    assert main(["--resume", str(folder), "--quiet"]) == 0
    assert cat.read_bytes() == (folder / "result.png").read_bytes()


@pytest.mark.parametrize(
    "picture", [3, {}, {"path": "a.png"}, {"path": "/x.sh"}, {"path": "/\0.png"}]
)
def test_damaged_record_of_the_picture_is_rejected(interrupt_job, capsys, picture):
    interrupt_job(1)
    folder = Path("output", "house_brush")
    journal = json.loads((folder / "journal.json").read_text())
    (folder / "journal.json").write_text(json.dumps({**journal, "picture": picture}))
    assert main(["--resume", str(folder)]) == 2
    assert "journal.json is damaged; start again with" in error_line(capsys)


def test_finished_run_is_unchanged(job, capsys):
    assert job("--output", "done") == 0
    before = {path.name: path.stat().st_mtime_ns for path in Path("done").iterdir()}
    capsys.readouterr()
    assert main(["--resume", "done"]) == 0
    assert "done is finished" in read_stdout(capsys)
    assert before == {path.name: path.stat().st_mtime_ns for path in Path("done").iterdir()}


def test_missing_report_is_written_under_lock(job, capsys):
    assert job("--output", "done") == 0
    Path("done/report.html").unlink()
    capsys.readouterr()
    with FileLock(Path("done") / LOCK):
        assert main(["--resume", "done"]) == 2
        assert "another run is using done" in error_line(capsys)
    assert not Path("done/report.html").exists()
    assert main(["--resume", "done"]) == 0
    assert Path("done/report.html").exists()


def test_interrupted_time_lapse_is_made_by_resume(job, monkeypatch, capsys):
    film = ["--animate", "gif", "--save-every", "1", "--quiet"]
    job(*film, "--output", "whole")
    with monkeypatch.context() as patch:

        def interrupt(*_):
            raise KeyboardInterrupt

        patch.setattr("nst_tf.report.timelapse._frame", interrupt)
        capsys.readouterr()
        assert job(*film, "--output", "cut") == 130
    line = error_line(capsys)
    assert "result.png is finished; `python -m nst_tf.run --resume cut` makes its report" in line
    assert not Path("cut/timelapse.gif").exists()
    assert main(["--resume", "cut"]) == 0
    names = [sorted(path.name for path in Path(run).iterdir()) for run in ("whole", "cut")]
    assert names[0] == names[1]
    assert Path("cut/timelapse.gif").read_bytes() == Path("whole/timelapse.gif").read_bytes()


def test_changed_inputs_are_named_and_run_is_unchanged(interrupt_job, capsys):
    interrupt_job(2, "--output", "cut")
    capsys.readouterr()
    for file, message in [
        ("house.png", "house.png (content)"),
        ("brush.jpg", "brush.jpg (style)"),
        ("cut/config.json", "cut/config.json"),
    ]:
        original = Path(file).read_bytes()
        if file.endswith("json"):
            Path(file).write_text(json.dumps({**json.loads(original), "beta": 3.0}))
        else:
            Image.fromarray(make_picture(45, 61, seed=9)).save(file)
        before = {path.name: path.read_bytes() for path in Path("cut").iterdir()}
        assert main(["--resume", "cut"]) == 2
        line = error_line(capsys)
        assert "changed since the run in cut started" in line
        assert message in line
        assert "restore it, then `python -m nst_tf.run --resume cut`" in line
        assert "`python -m nst_tf.run --config cut/config.json --output ANOTHER`" in line
        assert before == {path.name: path.read_bytes() for path in Path("cut").iterdir()}
        Path(file).write_bytes(original)
    assert main(["--resume", "cut"]) == 0, "with the original file, the run resumes"


def test_missing_input_is_named(interrupt_job, pictures, capsys):
    interrupt_job(2, "--output", "cut")
    pictures[1].unlink()
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 2
    line = error_line(capsys)
    assert "brush.jpg" in line
    command = "python -m nst_tf.run --resume cut"
    assert f"restore the original inputs of the run, then `{command}`" in line
    assert len(checkpoints("cut")) == 2


def suggested_arguments(line):
    """Return the arguments of the last command in a message, split as by a shell."""
    command = shlex.split(line.split("`")[-2])
    assert command[:3] == ["python", "-m", "nst_tf.run"]
    return command[3:]


@pytest.mark.parametrize("text", ["{", None])
def test_lost_journal_message_has_working_command(interrupt_job, capsys, text):
    interrupt_job(2, "--output", "my cut")
    journal = Path("my cut/journal.json")
    journal.unlink() if text is None else journal.write_text(text)
    capsys.readouterr()
    assert main(["--resume", "my cut"]) == 2
    arguments = suggested_arguments(error_line(capsys))
    assert arguments == ["--config", "my cut/config.json", "--output", "my cut", "--overwrite"]
    assert main(arguments) == 0
    assert Path("my cut/result.png").exists()


@pytest.mark.parametrize("text", [None, "{", '{"gamma": 3}'])
def test_lost_config_message_has_working_command(job, interrupt_job, capsys, text):
    interrupt_job(2, "--output", "cut")
    config = Path("cut/config.json")
    config.unlink() if text is None else config.write_text(text)
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 2
    line = error_line(capsys)
    assert "cut/config.json" in line
    assert "restore it" in line
    assert suggested_arguments(line) == ["CONTENT", "STYLE", "--output", "cut", "--overwrite"]
    assert job("--output", "whole") == 0
    shutil.copy("whole/result.png", "cut")  # as after Ctrl-C; it contains the config too
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 2
    arguments = suggested_arguments(error_line(capsys))
    assert arguments == ["--config", "cut/result.png", "--output", "cut", "--overwrite"]
    assert main(arguments) == 0
    assert config.exists()


def test_empty_directory_name_is_rejected(capsys):
    assert main(["--resume", ""]) == 2
    assert "--resume is empty; a run directory was expected" in error_line(capsys)


def test_damaged_checkpoints_start_at_iteration_0(interrupt_job, capsys):
    interrupt_job(3, "--output", "cut")
    for path in checkpoints("cut"):
        path.write_bytes(b"no zip")
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 0
    damaged_lines = [line for line in read_stdout(capsys).splitlines() if "is damaged" in line]
    assert len(damaged_lines) == 2
    assert damaged_lines[0].endswith("; using the previous one")
    assert damaged_lines[1].endswith("; starting at iteration 0")


@pytest.mark.slow
def test_directory_named_like_checkpoint_is_kept(job, interrupt_job, capsys):
    assert job("--output", "whole") == 0
    interrupt_job(2, "--output", "cut")
    directories = [Path("cut") / f"checkpoint-{number:06d}.npz" for number in (4, 5, 10)]
    for directory in directories:
        directory.mkdir()
    assert main(["--resume", "cut"]) == 0
    assert Path("cut/result.png").read_bytes() == Path("whole/result.png").read_bytes()
    assert job("--output", "cut", "--overwrite", *SAVE_OFTEN) == 0
    assert all(directory.is_dir() for directory in directories)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: None, "nowhere is not a directory; --resume expects a run directory"),
        (lambda: Path("nowhere").mkdir(), "no run was started there"),
        (lambda: write_journal("{"), "journal.json is damaged"),
        (lambda: write_journal("[]"), "journal.json is damaged"),
        (lambda: write_journal('{"format": 1, "files": 3}'), "journal.json is damaged"),
        (lambda: write_journal("[" * 100_000), "journal.json is damaged"),
    ],
)
def test_directory_without_valid_run_is_rejected(tmp_path, monkeypatch, capsys, make, message):
    monkeypatch.chdir(tmp_path)
    make()
    assert main(["--resume", "nowhere"]) == 2
    assert message in error_line(capsys)


def write_journal(text):
    Path("nowhere").mkdir()
    Path("nowhere/journal.json").write_text(text)


def test_resume_with_other_settings_is_rejected(capsys):
    assert main(["--resume", "here", "--alpha", "3"]) == 2
    assert "--resume takes all settings from the run directory" in error_line(capsys)


def test_checkpoint_of_another_run_is_rejected(interrupt_job, capsys):
    interrupt_job(2, "--output", "cut")
    interrupt_job(2, "--output", "other", "--size", "56")
    for path in checkpoints("cut"):
        path.unlink()
    for path in checkpoints("other"):
        path.rename(Path("cut") / path.name)
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 2
    assert "the checkpoints in cut belong to another run" in error_line(capsys)


def test_resume_with_other_versions_prints_them(interrupt_job, capsys):
    interrupt_job(2, "--output", "cut")
    journal = json.loads(Path("cut/journal.json").read_text())
    journal["versions"]["numpy"] = "1.0"
    Path("cut/journal.json").write_text(json.dumps(journal))
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 0
    assert "started with other versions (numpy 1.0 -> " in read_stdout(capsys)


def test_second_run_in_same_directory_is_rejected(job, interrupt_job, capsys):
    interrupt_job(2, "--output", "cut")
    capsys.readouterr()
    with FileLock(Path("cut") / LOCK):
        assert main(["--resume", "cut"]) == 2
        assert "another run is using cut" in error_line(capsys)
        assert job("--output", "cut", "--overwrite") == 2
        assert "another run is using cut" in error_line(capsys)
        assert len(checkpoints("cut")) == 2
    assert main(["--resume", "cut"]) == 0, "the lock falls with its holder"


def test_temporary_files_of_killed_run_are_removed(interrupt_job):
    interrupt_job(2, "--output", "cut")
    for name in (
        ".checkpoint-000004.abcdefg1.npz",
        ".result.x_9abcde.png",
        ".journal.12345678.json",
    ):
        (Path("cut") / name).write_bytes(b"half")
    (Path("cut") / ".mine.12345678.txt").write_bytes(b"not ours")
    assert main(["--resume", "cut"]) == 0
    left = {path.name for path in Path("cut").iterdir() if not OUR_FILES.fullmatch(path.name)}
    assert left == {LOCK, ".mine.12345678.txt"}


@pytest.mark.slow
def test_full_disk_keeps_last_checkpoint(job, interrupt_job, monkeypatch, capsys):
    assert job("--output", "whole") == 0
    interrupt_job(2, "--output", "cut")
    saved = [path.read_bytes() for path in checkpoints("cut")]

    def raise_disk_full(file, **arrays):
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr("nst_tf.rundir.checkpoint.np.savez", raise_disk_full)
        patch.setattr("nst_tf.rundir.checkpoint.SHARE", 1e9)
        assert main(["--resume", "cut"]) == 2
    error = read_stderr(capsys)
    assert "No space left on device" in error
    assert "free some space, then continue with --resume" in error
    assert [path.read_bytes() for path in checkpoints("cut")] == saved
    assert main(["--resume", "cut"]) == 0
    assert Path("cut/result.png").read_bytes() == Path("whole/result.png").read_bytes()


def read_stderr(capsys):
    return capsys.readouterr().err


def test_resume_job_raises(tmp_path):
    with pytest.raises(ConfigError, match="is not a directory"):
        resume_job(tmp_path / "nowhere")
    assert issubclass(ConfigError, NstError)


@pytest.mark.slow
def test_sigterm_saves_picture_and_prints_resume_command(pictures, tiny_mat, tmp_path):
    folder = tmp_path / "here"
    command = [sys.executable, "-m", "nst_tf.run", *map(str, pictures), "--weights", str(tiny_mat)]
    command += ["--size", "48", "--iterations", "1000000", "--output", str(folder), *SAVE_OFTEN]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not folder.exists() or not checkpoints(folder):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert f"`python -m nst_tf.run --resume {folder}` resumes the run" in stderr.splitlines()[-1]
    assert read_picture(folder / "result.png").std() > 1
    assert np.ptp(read_picture(folder / "result.png")) > 10


@pytest.mark.parametrize("renamed", [True, False])
def test_run_directory_that_vanished_is_not_created_again(job, monkeypatch, capsys, renamed):
    write_row = LossLog.__call__

    def write_row_and_vanish(log, step):
        write_row(log, step)
        if step.iteration == 1 and Path("here").exists():
            Path("here").rename("moved") if renamed else shutil.rmtree("here")

    monkeypatch.setattr(LossLog, "__call__", write_row_and_vanish)
    assert job("--output", "here", "--quiet") == 2
    assert "here: the directory was removed or renamed while it was in use" in error_line(capsys)
    assert not Path("here").exists()
    assert not renamed or main(["--resume", "moved"]) == 0
