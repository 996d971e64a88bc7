"""Warnings about runs that end without an error and with nothing to look at."""

import csv
import html
import json
from pathlib import Path

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from nst_tf.batch.whole import resume_batch, run_batch
from nst_tf.config import JobConfig, TransferConfig
from nst_tf.image.pixels import VGG_PIXELS
from nst_tf.jobs.check_result import warnings_about
from nst_tf.jobs.job import Job
from nst_tf.models import Trunk
from nst_tf.objective.objective import Objective, Style, TVTerm
from nst_tf.rundir.record import read_record
from nst_tf.transfer import Result, Task

SIZE = (70, 9)  # higher than a strip
GRAY = np.full((*SIZE, 3), 120.0)
ADAM = ["--optimizer", "adam", "--precision", "float32"]  # one trace for several tests
LOSSES = {"content": 0.2, "style": 0.5, "tv": 0.1, "total": 6.0}


def warned(picture, *, start=GRAY, style=GRAY, losses=LOSSES, first=9.0, best=None, **knobs):
    """Return the warnings about a run from `start` to `picture`, both in gray levels."""
    config = TransferConfig(**{"unit": "relative", "optimizer": "adam", **knobs})
    model = Trunk({}, name="none", source="")
    start, image, style = map(VGG_PIXELS.to_image, (start, picture, style))
    task = Task(Objective(model, [TVTerm(1.0)]), {}, start, config, None, [Style(style)])
    history = [{**LOSSES, "total": first}, losses]
    shown = VGG_PIXELS.to_picture(image)
    return warnings_about(Result(shown, image, history, config, 1.0, best=best), task)


def with_rows(value, rows, base=GRAY):
    """Return a copy of a picture with the last rows set to one value."""
    picture = base.copy()
    picture[-rows:] = value
    return picture


def test_run_that_painted_has_no_warnings():
    assert warned(GRAY + 20) == []
    assert warned(GRAY + 20, losses={**LOSSES, "total": 9.05}) == [], "the noise of Adam"
    assert warned(GRAY + 20, optimizer="lbfgs") == []
    risen = {**LOSSES, "total": 12.0}
    assert warned(GRAY + 20, losses=risen, method="patches") == [], "other patches are nearest"


def test_loss_that_rose_names_both_and_the_learning_rate():
    (warning,) = warned(GRAY + 20, losses={**LOSSES, "total": 26.5}, learning_rate=1e6)
    assert "higher than at the start (26.5, was 9)" in warning
    assert "make --learning-rate smaller (it is 1e+06; Adam's steps are" in warning
    (warning,) = warned(GRAY + 20, losses={**LOSSES, "total": 26.5}, optimizer="sgd")
    assert "make --learning-rate smaller (it is 5), or use --optimizer adam" in warning
    (warning,) = warned(GRAY + 20, losses={**LOSSES, "total": 26.5}, optimizer="lbfgs")
    assert "learning-rate" not in warning


def test_loss_of_the_best_picture_counts():
    assert warned(GRAY + 20, losses={**LOSSES, "total": 26.5}, best=0) == []
    assert warned(GRAY + 20, losses={**LOSSES, "total": 26.5}, best=1)


def test_negative_loss_that_fell_is_no_warning():
    assert warned(GRAY + 20, losses={**LOSSES, "total": -6.0}) == []
    assert warned(GRAY + 20, losses={**LOSSES, "total": -6.0}, first=-6.0) == []


def test_clipped_picture():
    (warning,) = warned(with_rows(255, 40))
    assert warning.startswith("57% of the color values became black or white (0 or 255): make")
    assert warned(with_rows(0, 30)) == []
    black = with_rows(0, 40)
    assert warned(with_rows(0, 40, GRAY + 20), start=black) == [], "the start was black"
    assert warned(with_rows(255, 40), style=black) == [], "the painting is black and white"


def test_unchanged_picture():
    (warning,) = warned(GRAY + 0.3, learning_rate=0.02)
    assert "nearly unchanged (by 0.3 of 255 gray levels): make --learning-rate larger" in warning
    (warning,) = warned(GRAY, optimizer="sgd", learning_rate=1e-9)
    assert "make --learning-rate larger (it is 1e-09), or use --optimizer adam" in warning
    for knobs in ({"optimizer": "lbfgs-fixed"}, {"learning_rate": 5.0}):
        (warning,) = warned(GRAY, **knobs)
        assert "use more --iterations, a larger --beta or a smaller --alpha" in warning
    assert warned(with_rows(140, 1)) == [], "a small region was painted"
    assert warned(GRAY, beta=0) == warned(GRAY, iterations=0) == []


def test_flat_pictures():
    (warning,) = warned(GRAY + 20, losses={**LOSSES, "style": 3e26})
    assert (
        "the style loss reached 3e+26, where 1 is usual: the painting is nearly one color"
        in warning
    )
    (warning,) = warned(GRAY + 20, losses={**LOSSES, "content": 1e7})
    assert "use another photograph" in warning
    assert warned(GRAY + 20, losses={**LOSSES, "style": 1e9}, unit="paper") == []


# ------------------------------------------------------------------ where they are shown


def test_warning_is_the_last_line_and_in_journal_and_report(job, capsys):
    assert job(*ADAM, "--learning-rate", "1e6", "--output", "noise") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("warning: the loss is higher than at the start (")
    warning = last.removeprefix("warning: ")
    assert json.loads(Path("noise/journal.json").read_text())["finished"]["warnings"] == [warning]
    assert f"Warning: {warning}" in html.unescape(Path("noise/report.html").read_text())


def test_flat_painting_is_named(job, pictures, tmp_path, capsys):
    Image.new("RGB", (50, 40)).save(tmp_path / "black.png")
    assert job(*ADAM, pair=[pictures[0], "black.png"]) == 0
    assert "the painting is nearly one color" in capsys.readouterr().out.splitlines()[-1]


def test_batch_shows_warnings_in_lines_summary_and_index(tiny_mat, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(make_picture(40, 52)).save("a.png")
    config = JobConfig(content="a.png", style=("a.png",), size="48", weights=str(tiny_mat))
    config = config.changed(optimizer="adam", precision="float32")
    config = config.changed(learning_rate=1e-3, iterations=2)
    lines = []
    run_batch([Job("still", config)], "out", say=lines.append)
    reason = "the picture is nearly unchanged"
    assert any(line.startswith("1 of 1  still: ") and reason in line for line in lines)
    for _ in range(2):
        (row,) = csv.DictReader(Path("out/summary.csv").read_text().splitlines())
        assert row["state"] == "done"
        assert row["reason"].startswith(reason)
        assert f"<dt>warning</dt><dd>{reason}" in Path("out/index.html").read_text()
        resume_batch("out", say=None)  # which reads it from the journal


@pytest.mark.parametrize("damage", [3, {"loss": 1}, [1, None]])
def test_damaged_warnings_in_a_journal_are_ignored(job, damage):
    assert job(*ADAM, "--iterations", 0, "--output", "done") == 0
    journal = json.loads(Path("done/journal.json").read_text())
    journal["finished"]["warnings"] = damage
    Path("done/journal.json").write_text(json.dumps(journal))
    assert read_record("done").warnings == []
    assert read_record("done").about["iterations"] == 0
