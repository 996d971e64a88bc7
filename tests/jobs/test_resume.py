"""`--resume`: what it goes on with, and what it refuses in words."""

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
from nst_tf.scaling import precision

ROOT = Path(__file__).resolve().parents[2]
KEEP = ["--checkpoint-every", "0"]


class Cut(Exception):
    """The power goes."""


@pytest.fixture
def cut(job, monkeypatch):
    """Return a function that runs a job until so many checkpoints have been saved."""

    def run(after, *more):
        saved = []
        with monkeypatch.context() as patch:
            from nst_tf.rundir import checkpoint as module

            whole = module.save_checkpoint

            def save(folder, position):
                saved.append(whole(folder, position))
                if len(saved) == after:
                    raise Cut

            patch.setattr(module, "save_checkpoint", save)
            patch.setattr(module, "SHARE", 1e9)  # whatever it costs
            with pytest.raises(Cut):
                job(*KEEP, *more)
        return saved

    return run


def said(capsys):
    """Return the one line on stderr."""
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def rows(folder):
    with open(Path(folder) / "losses.csv", newline="") as file:
        return [row[:5] for row in csv.reader(file)]


def test_a_run_that_was_cut_off_ends_as_one_that_was_not(job, cut, capsys):
    assert job("--output", "whole") == 0
    cut(4, "--output", "cut")
    assert not Path("cut/result.png").exists()
    assert len(checkpoints("cut")) == 2
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 0
    assert re.search(
        r"48x35 pixels, 6 iterations of .*, from iteration [345], in cut", said_out(capsys)
    )
    whole, other = Path("whole"), Path("cut")
    assert sorted(p.name for p in whole.iterdir()) == sorted(p.name for p in other.iterdir())
    for picture in whole.glob("*.png"):
        assert picture.read_bytes() == (other / picture.name).read_bytes(), picture.name
    assert rows(whole) == rows(other)
    finished = json.loads(Path("cut/journal.json").read_text())["finished"]
    assert finished["iterations"] == 6


def said_out(capsys):
    return capsys.readouterr().out


def on(monkeypatch, kind):
    """Make `--precision auto` see a kind of processor."""
    monkeypatch.setattr(precision, "processor_kind", lambda: kind)


def as_by_an_earlier_version(folder):
    """Make a run look as if it was begun by the version before precision was recorded."""
    config, journal = Path(folder) / "config.json", Path(folder) / "journal.json"
    knobs = json.loads(config.read_text()) | {"precision": "auto"}
    del knobs["style_margin"]
    config.write_text(json.dumps(knobs))
    told = json.loads(journal.read_text())
    del told["precision"]
    told["config"] = hashlib.sha256(config.read_bytes()).hexdigest()
    journal.write_text(json.dumps(told))


KINDS = [("none", "float32", "avx512_bf16"), ("avx512_bf16", "mixed", "none")]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name", "other"), KINDS)
def test_a_resumed_run_keeps_its_precision(job, cut, monkeypatch, capsys, kind, name, other):
    on(monkeypatch, kind)
    assert job("--output", "whole") == 0
    cut(3, "--output", "cut")
    on(monkeypatch, other)
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 0
    told = said_out(capsys).splitlines()
    slow = "computing on the CPU in bfloat16 (slow here: this processor has no bfloat16)"
    assert (slow in told) == (name == "mixed")
    assert not [line for line in told if "did not record" in line]
    for picture in Path("whole").glob("*.png"):
        assert picture.read_bytes() == (Path("cut") / picture.name).read_bytes(), picture.name
    assert rows("whole") == rows("cut")


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name", "other"), KINDS)
def test_a_run_records_its_precision_and_is_repeated_in_it(job, monkeypatch, kind, name, other):
    on(monkeypatch, kind)
    assert job("--output", "first") == 0
    first = Path("first")
    assert json.loads((first / "config.json").read_text())["precision"] == name
    assert json.loads((first / "journal.json").read_text())["precision"] == name
    assert JobConfig.load(first / "result.png").precision == name
    assert f"--precision {name}" in (first / "report.html").read_text()
    on(monkeypatch, other)
    for file in ("config.json", "result.png"):
        assert main(["--config", str(first / file), "--output", file[:6]]) == 0
        assert (Path(file[:6]) / "result.png").read_bytes() == (first / "result.png").read_bytes()
    config = ["--config", "first/config.json", "--iterations", "0"]
    assert main([*config, "--precision", "auto", "--output", "asked"]) == 0
    assert JobConfig.load("asked/config.json").precision != name


@pytest.mark.slow
def test_an_earlier_run_without_its_precision_says_which_it_continues_in(
    job, cut, monkeypatch, capsys
):
    on(monkeypatch, "avx512_bf16")
    same = ["--padding", "zero", "--schedule", "tutorial", "--style-margin", "0"]  # as it was
    assert job("--output", "whole", *same) == 0
    cut(2, "--output", "cut", *same)
    as_by_an_earlier_version("cut")
    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr("nst_tf.jobs.run.minimize", lambda *_, **__: 1 / 0)  # cut off once more
        with pytest.raises(ZeroDivisionError):
            main(["--resume", "cut"])
    line = "this run did not record its precision; continuing in mixed, last digits may differ"
    assert line in said_out(capsys).splitlines()
    on(monkeypatch, "none")
    assert main(["--resume", "cut"]) == 0, "it is recorded by now"
    assert "did not record" not in said_out(capsys)
    assert Path("cut/result.png").read_bytes() == Path("whole/result.png").read_bytes()
    assert "--precision mixed" in Path("cut/report.html").read_text()


@pytest.mark.parametrize("changed", [["--padding", "zero"], ["--schedule", "tutorial"]])
def test_an_earlier_run_that_would_be_continued_otherwise_is_refused(cut, capsys, changed):
    cut(2, "--output", "cut", *changed)
    as_by_an_earlier_version("cut")
    before = {path: path.read_bytes() for path in Path("cut").iterdir()}
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 2
    error = capsys.readouterr().err
    assert "the run in cut was started by an earlier version of nst_tf" in error
    assert "start again with `python -m nst_tf.run --config cut/config.json --output cut" in error
    assert {path: path.read_bytes() for path in Path("cut").iterdir()} == before


def test_an_earlier_config_with_auto_follows_the_rule(job, monkeypatch):
    on(monkeypatch, "none")
    assert job("--output", "first", "--iterations", "0") == 0
    as_by_an_earlier_version("first")
    on(monkeypatch, "avx512_bf16")
    assert main(["--config", "first/config.json", "--output", "again"]) == 0
    assert JobConfig.load("again/config.json").precision == "mixed"


def test_one_without_a_checkpoint_begins_again(job, cut, capsys):
    cut(1, "--output", "cut")
    for path in checkpoints("cut"):
        path.unlink()
    assert main(["--resume", "cut"]) == 0
    assert "from iteration 0" in said_out(capsys)
    assert len(rows("cut")) == 8


def test_a_finished_run_stays_as_it_is(job, capsys):
    assert job("--output", "done") == 0
    before = {path.name: path.stat().st_mtime_ns for path in Path("done").iterdir()}
    capsys.readouterr()
    assert main(["--resume", "done"]) == 0
    assert "done is finished" in said_out(capsys)
    assert before == {path.name: path.stat().st_mtime_ns for path in Path("done").iterdir()}


def test_a_missing_report_of_a_finished_run_is_written_under_the_lock(job, capsys):
    assert job("--output", "done") == 0
    Path("done/report.html").unlink()
    capsys.readouterr()
    with FileLock(Path("done") / LOCK):
        assert main(["--resume", "done"]) == 2
        assert "another run is using done" in said(capsys)
    assert not Path("done/report.html").exists()
    assert main(["--resume", "done"]) == 0
    assert Path("done/report.html").exists()


def test_changed_inputs_are_named_and_nothing_is_touched(cut, capsys):
    cut(2, "--output", "cut")
    capsys.readouterr()
    for what, words in [
        ("house.png", "house.png (content)"),
        ("brush.jpg", "brush.jpg (style)"),
        ("cut/config.json", "cut/config.json"),
    ]:
        whole = Path(what).read_bytes()
        if what.endswith("json"):
            Path(what).write_text(json.dumps({**json.loads(whole), "beta": 3.0}))
        else:
            Image.fromarray(make_picture(45, 61, seed=9)).save(what)
        before = {path.name: path.read_bytes() for path in Path("cut").iterdir()}
        assert main(["--resume", "cut"]) == 2
        line = said(capsys)
        assert "changed since the run in cut started" in line
        assert words in line
        assert "restore it, then `python -m nst_tf.run --resume cut`" in line
        assert "`python -m nst_tf.run --config cut/config.json --output ANOTHER`" in line
        assert before == {path.name: path.read_bytes() for path in Path("cut").iterdir()}
        Path(what).write_bytes(whole)
    assert main(["--resume", "cut"]) == 0, "put back, it goes on"


def test_a_vanished_input_is_named(cut, pictures, capsys):
    cut(2, "--output", "cut")
    pictures[1].unlink()
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 2
    line = said(capsys)
    assert "brush.jpg" in line
    command = "python -m nst_tf.run --resume cut"
    assert f"restore the original inputs of the run, then `{command}`" in line
    assert len(checkpoints("cut")) == 2


def told_to_type(line):
    """Return the last command in a message, as a shell would take it apart."""
    command = shlex.split(line.split("`")[-2])
    assert command[:3] == ["python", "-m", "nst_tf.run"]
    return command[3:]


@pytest.mark.parametrize("ending", ["{", None])
def test_a_journal_that_is_lost_is_told_with_a_command_that_works(cut, capsys, ending):
    cut(2, "--output", "my cut")
    journal = Path("my cut/journal.json")
    journal.unlink() if ending is None else journal.write_text(ending)
    capsys.readouterr()
    assert main(["--resume", "my cut"]) == 2
    words = told_to_type(said(capsys))
    assert words == ["--config", "my cut/config.json", "--output", "my cut", "--overwrite"]
    assert main(words) == 0
    assert Path("my cut/result.png").exists()


@pytest.mark.parametrize("text", [None, "{", '{"gamma": 3}'])
def test_settings_that_are_lost_are_told_with_a_command_that_works(job, cut, capsys, text):
    cut(2, "--output", "cut")
    config = Path("cut/config.json")
    config.unlink() if text is None else config.write_text(text)
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 2
    line = said(capsys)
    assert "cut/config.json" in line
    assert "restore it" in line
    assert told_to_type(line) == ["CONTENT", "STYLE", "--output", "cut", "--overwrite"]
    assert job("--output", "whole") == 0
    shutil.copy("whole/result.png", "cut")  # as after Ctrl-C: the settings lie in the picture too
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 2
    words = told_to_type(said(capsys))
    assert words == ["--config", "cut/result.png", "--output", "cut", "--overwrite"]
    assert main(words) == 0
    assert config.exists()


def test_an_empty_name_is_refused(capsys):
    assert main(["--resume", ""]) == 2
    assert "--resume is empty; a run directory was expected" in said(capsys)


def test_when_the_last_checkpoint_is_damaged_too_it_begins_at_0(cut, capsys):
    cut(3, "--output", "cut")
    for path in checkpoints("cut"):
        path.write_bytes(b"no zip")
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 0
    told = [line for line in said_out(capsys).splitlines() if "is damaged" in line]
    assert len(told) == 2
    assert told[0].endswith("; using the previous one")
    assert told[1].endswith("; starting at iteration 0")


@pytest.mark.slow
def test_a_folder_with_the_name_of_a_checkpoint_is_left_alone(job, cut, capsys):
    assert job("--output", "whole") == 0
    cut(2, "--output", "cut")
    mine = [Path("cut") / f"checkpoint-{number:06d}.npz" for number in (4, 5, 10)]
    for folder in mine:
        folder.mkdir()
    assert main(["--resume", "cut"]) == 0
    assert Path("cut/result.png").read_bytes() == Path("whole/result.png").read_bytes()
    assert job("--output", "cut", "--overwrite", *KEEP) == 0
    assert all(folder.is_dir() for folder in mine)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: None, "nowhere is not a directory; --resume expects a run directory"),
        (lambda: Path("nowhere").mkdir(), "no run was started there"),
        (lambda: damaged("{"), "journal.json is damaged"),
        (lambda: damaged("[]"), "journal.json is damaged"),
        (lambda: damaged('{"format": 1, "files": 3}'), "journal.json is damaged"),
        (lambda: damaged("[" * 100_000), "journal.json is damaged"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path, monkeypatch, capsys, make, words):
    monkeypatch.chdir(tmp_path)
    make()
    assert main(["--resume", "nowhere"]) == 2
    assert words in said(capsys)


def damaged(text):
    Path("nowhere").mkdir()
    Path("nowhere/journal.json").write_text(text)


def test_settings_beside_resume_are_refused(capsys):
    assert main(["--resume", "here", "--alpha", "3"]) == 2
    assert "--resume takes all settings from the run directory" in said(capsys)


def test_a_checkpoint_of_another_run_is_refused(cut, capsys):
    cut(2, "--output", "cut")
    cut(2, "--output", "other", "--size", "56")
    for path in checkpoints("cut"):
        path.unlink()
    for path in checkpoints("other"):
        path.rename(Path("cut") / path.name)
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 2
    assert "the checkpoints in cut belong to another run" in said(capsys)


def test_other_versions_are_told_and_go_on(cut, capsys):
    cut(2, "--output", "cut")
    journal = json.loads(Path("cut/journal.json").read_text())
    journal["versions"]["numpy"] = "1.0"
    Path("cut/journal.json").write_text(json.dumps(journal))
    capsys.readouterr()
    assert main(["--resume", "cut"]) == 0
    assert "started with other versions (numpy 1.0 -> " in said_out(capsys)


def test_a_second_run_in_a_folder_is_refused(job, cut, capsys):
    cut(2, "--output", "cut")
    capsys.readouterr()
    with FileLock(Path("cut") / LOCK):
        assert main(["--resume", "cut"]) == 2
        assert "another run is using cut" in said(capsys)
        assert job("--output", "cut", "--overwrite") == 2
        assert "another run is using cut" in said(capsys)
        assert len(checkpoints("cut")) == 2
    assert main(["--resume", "cut"]) == 0, "the lock falls with its holder"


def test_what_a_killed_run_was_writing_is_cleared_away(cut):
    cut(2, "--output", "cut")
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
def test_a_full_disk_stops_the_run_with_its_last_checkpoint(job, cut, monkeypatch, capsys):
    assert job("--output", "whole") == 0
    cut(2, "--output", "cut")
    kept = [path.read_bytes() for path in checkpoints("cut")]

    def full(file, **arrays):
        file.write(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr("nst_tf.rundir.checkpoint.np.savez", full)
        patch.setattr("nst_tf.rundir.checkpoint.SHARE", 1e9)
        assert main(["--resume", "cut"]) == 2
    said = said_err(capsys)
    assert "No space left on device" in said
    assert "free some space, then continue with --resume" in said
    assert [path.read_bytes() for path in checkpoints("cut")] == kept
    assert main(["--resume", "cut"]) == 0
    assert Path("cut/result.png").read_bytes() == Path("whole/result.png").read_bytes()


def said_err(capsys):
    return capsys.readouterr().err


def test_from_python_errors_are_raised(tmp_path):
    with pytest.raises(ConfigError, match="is not a directory"):
        resume_job(tmp_path / "nowhere")
    assert issubclass(ConfigError, NstError)


@pytest.mark.slow
def test_a_terminated_run_goes_on_too(pictures, tiny_mat, tmp_path):
    folder = tmp_path / "here"
    command = [sys.executable, "-m", "nst_tf.run", *map(str, pictures), "--weights", str(tiny_mat)]
    command += ["--size", "48", "--iterations", "1000000", "--output", str(folder), *KEEP]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not folder.exists() or not checkpoints(folder):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert f"`python -m nst_tf.run --resume {folder}` resumes the run" in said.splitlines()[-1]
    assert read_picture(folder / "result.png").std() > 1
    assert np.ptp(read_picture(folder / "result.png")) > 10
