"""`--fine` and `--coarse`: the mixed style, resumed runs, refused combinations."""

import json
import shutil
from pathlib import Path

import pytest
from pictures import make_picture
from PIL import Image

from nst_tf import ConfigError, JobConfig
from nst_tf.batch import read_jobs
from nst_tf.image.io import read_picture
from nst_tf.jobs import scale_control
from nst_tf.run import main
from nst_tf.samples import BY_NAME

MIXED = "mixed_style.png"
QUICK = ("--iterations", "2", "--optimizer", "adam")


class PowerFailure(Exception):
    """Simulated power failure."""


@pytest.fixture
def mixed(job, pictures, tmp_path):
    """Return a function that runs a job with --fine and --coarse."""
    content, coarse = pictures
    fine = tmp_path / "fine.png"
    Image.fromarray(make_picture(48, 48, seed=2)).save(fine)
    options = ("--fine", fine, "--coarse", coarse, "--fine-iterations", "4", *QUICK)

    def run(*more):
        return job(*options, *more, pair=[content])

    return run


def bytes_of(folder, *names):
    return [Path(folder, name).read_bytes() for name in names]


def test_mixed_style_is_the_style_of_the_run(mixed, job, pictures, capsys):
    assert mixed("--output", "mix", "--style-scale", "1", "1.5") == 0
    assert "mixing the style at" in capsys.readouterr().out
    assert read_picture(f"mix/{MIXED}").tolist() != read_picture(pictures[1]).tolist()
    height, width = read_picture(f"mix/{MIXED}").shape[:2]
    assert height > 60, "the second scale is that of the coarse style"
    as_style = ("--style-size", f"{width}x{height}", "--style-margin", "0", *QUICK)
    assert job(*as_style, "--output", "own", pair=[pictures[0], f"mix/{MIXED}"]) == 0
    assert (read_picture("own/result.png") == read_picture("mix/result.png")).all()
    report = Path("mix/report.html").read_text()
    assert all(f"{kind} style" in report for kind in ("fine", "coarse", "mixed"))


@pytest.mark.parametrize("killed_in", ["save_image", "read_picture"])
def test_killed_run_resumes_to_the_same_picture(mixed, monkeypatch, killed_in):
    assert mixed("--output", "whole") == 0

    def fail(*_, **__):
        raise PowerFailure

    with monkeypatch.context() as patch:
        patch.setattr(scale_control, killed_in, fail)
        with pytest.raises(PowerFailure):
            mixed("--output", "cut")
    painted = Path("cut", MIXED).exists()
    assert painted == (killed_in == "read_picture")
    if painted:  # it is not painted again
        monkeypatch.setattr(scale_control, "mix_scales", fail)
    assert main(["--resume", "cut"]) == 0
    wanted, found = (bytes_of(folder, MIXED, "000002.png") for folder in ("whole", "cut"))
    assert wanted == found


def test_changed_mixed_style_is_refused(mixed, monkeypatch, pictures, capsys):
    with monkeypatch.context() as patch:
        patch.setattr(scale_control, "progress_line", lambda *_: "")
        assert mixed("--output", "run") == 0
    journal = json.loads(Path("run/journal.json").read_text())
    del journal["finished"]
    Path("run/journal.json").write_text(json.dumps(journal))
    shutil.copy(pictures[0], f"run/{MIXED}")
    assert main(["--resume", "run"]) == 2
    assert f"run/{MIXED} (mixed style)" in capsys.readouterr().err


@pytest.mark.slow
def test_mask_applies_to_the_mixed_style(mixed, pictures):
    white = Image.new("L", (61, 45))
    white.paste(255, (0, 0, 30, 45))
    white.save("half.png")
    half = ("--masks", "half.png", "--keep-content", "--size", "61")
    assert mixed(*half, "--output", "masked") == 0
    result, content = read_picture("masked/result.png"), read_picture(pictures[0])
    assert (result[:, 40:] == content[:, 40:]).all()
    assert (result[:, :20] != content[:, :20]).any()


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"fine": "a.png"}, "`fine` was given without `coarse`"),
        ({"coarse": "a.png"}, "`coarse` was given without `fine`"),
        ({"style": "c.png"}, "so `style` does not apply"),
        ({"style_masks": "c.png"}, "so `style_masks` does not apply"),
        ({"style_weights": [1, 2]}, "so `style_weights` does not apply"),
        ({"regions": ["c.png", "d.png"]}, "so `regions` does not apply"),
        ({"masks": ["c.png", "d.png"]}, "`masks` has 2 entries for 1 styles"),
        ({"style_scale": [1, 2, 3]}, "`style_scale` has 3 entries for 2 styles"),
    ],
)
def test_combinations_without_meaning_are_refused(knobs, message):
    both = {} if {"fine", "coarse"} & set(knobs) else {"fine": "a.png", "coarse": "b.png"}
    with pytest.raises(ConfigError, match=message):
        JobConfig(content="x.png", **both, **knobs)


def test_unknown_fine_layer_is_refused_before_anything_is_written(mixed, capsys):
    assert mixed("--fine-layers", "conv9_9", "--output", "none") == 2
    assert "conv9_9" in capsys.readouterr().err
    assert not Path("none").exists()


def test_style_of_the_command_line_replaces_that_of_a_config(pictures, tmp_path, monkeypatch):
    from nst_tf.jobs.settings import make_config

    monkeypatch.chdir(tmp_path)
    JobConfig(content="x.png", fine="a.png", coarse="b.png").save("mixed.json")
    config = make_config({"config": "mixed.json", "content": "x.png", "style": ("c.png",)})
    assert (config.style, config.fine, config.coarse) == (("c.png",), None, None)
    JobConfig(content="x.png", style="c.png").save("plain.json")
    config = make_config({"config": "plain.json", "fine": "a.png", "coarse": "b.png"})
    assert (config.style, config.paintings) == (None, ("a.png", "b.png"))


def test_mixed_style_counts_as_one(pictures):
    config = JobConfig(content="x.png", fine="a.png", coarse="b.png", color="match-style")
    assert scale_control.scales_apart(config).style == ("a.png", "b.png")


def test_lists_of_jobs_accept_samples_and_hide_directories(tmp_path):
    entry = {"content": "chelsea", "fine": "night_strokes", "coarse": "own.jpg"}
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps([entry]))
    (listed,) = read_jobs(path)
    assert listed.name == "chelsea_night_strokes_own"
    assert listed.config.paintings == (str(BY_NAME["night_strokes"]), str(tmp_path / "own.jpg"))
    assert listed.config.with_names().paintings == ("night_strokes.jpg", "own.jpg")
