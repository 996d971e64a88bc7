"""Sample pictures by name."""

import json
from pathlib import Path

import pytest

from nst_tf.batch import pairs, read_jobs
from nst_tf.errors import ConfigError
from nst_tf.samples import BY_NAME, SAMPLE_PAIR, resolve_picture

ROOT = Path(__file__).resolve().parents[1]
CHELSEA, STROKES = SAMPLE_PAIR["content"], *SAMPLE_PAIR["style"]


@pytest.fixture(autouse=True)
def working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_every_picture_of_a_checkout_has_a_unique_name():
    pictures = [
        path for kind in ("content", "style") for path in (ROOT / "images" / kind).iterdir()
    ]
    assert sorted(BY_NAME.values()) == sorted(pictures)


def test_name_resolves_to_full_path():
    assert resolve_picture("chelsea") == CHELSEA
    assert resolve_picture("night_strokes", "elsewhere") == STROKES
    assert Path(CHELSEA).is_absolute()


def test_other_names_are_paths():
    assert resolve_picture("photo.jpg") == "photo.jpg"
    assert resolve_picture("chelsea.jpg", "photos") == str(Path("photos/chelsea.jpg"))


def test_file_overrides_sample_but_directory_does_not():
    Path("chelsea").touch()
    assert resolve_picture("chelsea") == "chelsea"
    Path("coffee").mkdir()
    assert resolve_picture("coffee") == str(BY_NAME["coffee"])


def test_job_accepts_names_and_saves_paths(job):
    assert job(pair=("chelsea", "night_strokes")) == 0
    config = json.loads(Path("output/chelsea_night_strokes/config.json").read_text())
    assert (config["content"], config["style"]) == (CHELSEA, [STROKES])


def test_name_can_be_combined_with_a_file(job, pictures):
    assert job("--output", "out", pair=(pictures[0], "night_strokes")) == 0
    assert json.loads(Path("out/config.json").read_text())["style"] == [STROKES]


@pytest.mark.parametrize("pair", [("nosuch", "night_strokes"), ("chelsea", "nosuch")])
def test_unknown_name_error_lists_samples(job, capsys, pair):
    assert job(pair=pair) == 2
    message = "there is no picture nosuch; a file or the name of a sample (astronaut, chelsea, "
    assert message in capsys.readouterr().err
    assert not Path("output").exists()


def test_batch_lists_and_pairs_accept_names():
    Path("list").mkdir()
    entry = {"content": "chelsea", "style": ["night_strokes", "own.jpg"]}
    Path("list/jobs.json").write_text(json.dumps([entry]))
    (listed,) = read_jobs("list/jobs.json")
    assert listed.config.content == CHELSEA
    assert listed.config.style == (STROKES, str(Path("list/own.jpg")))
    (paired,) = pairs(["chelsea"], ["night_strokes"])
    assert (paired.config.content, paired.config.style) == (CHELSEA, (STROKES,))
    with pytest.raises(ConfigError, match=r"nosuch: there is no such picture; .*\(astronaut"):
        pairs(["nosuch"], ["night_strokes"])


def test_unknown_name_suggests_the_nearest(job, capsys):
    assert job(pair=("chelsee", "night_strokes")) == 2
    assert "there is no picture chelsee; did you mean chelsea? a file" in capsys.readouterr().err
    with pytest.raises(ConfigError, match=r"wavs: there is no such picture; did you mean waves\?"):
        pairs(["chelsea"], ["wavs"])


def test_list_samples_prints_names_and_files(capsys):
    from nst_tf.run import main

    assert main(["--list-samples"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [[name, str(path)] for name, path in BY_NAME.items()]
