"""Pictures that folders and patterns match, and the line about files that were skipped."""

import json
import os
from pathlib import Path

import pytest
from pictures import make_picture
from PIL import Image

from nst_tf.batch.__main__ import main, make_jobs
from nst_tf.batch.lists import pairs, read_jobs
from nst_tf.errors import ConfigError
from nst_tf.image.io import picture_extensions, read_picture

FILES = (
    *(
        "photos/b.jpg",
        "photos/a.PNG",
        "photos/IMG_0001.CR2",
        "photos/notes.txt",
        "photos/film.mov",
    ),
    *("photos/README", "photos/.DS_Store", "photos/._a.jpg", "photos/older/c.jpg", "styles/x.webp"),
    *("raw/IMG_2.CR2", "text/notes.txt", ".hidden/a.jpg", "y.jpg"),
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    Path("empty").mkdir()
    return tmp_path


@pytest.fixture
def read_list():
    """Return a function that saves entries, reads the jobs and returns them with the messages."""

    def read(entries, **options):
        said = []
        Path("jobs.json").write_text(json.dumps(entries))
        return read_jobs("jobs.json", say=said.append, **options), said

    return read


def contents(jobs):
    return [job.config.content for job in jobs]


# ------------------------------------------------------------------ extensions


def test_extensions_are_those_of_readable_formats():
    extensions = picture_extensions()
    assert extensions >= {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".psd"}
    assert not extensions & {".eps", ".pdf", ".ico", ".dds", ".mpg", ".h5", ".txt", ""}


def test_mpo_is_read_as_jpeg():
    Image.fromarray(make_picture(40, 52)).save("a.mpo", "MPO")
    assert ".mpo" in picture_extensions()
    assert read_picture("a.mpo").shape == (40, 52, 3)


# ------------------------------------------------------------------ patterns and folders


@pytest.mark.parametrize("pattern", ["photos", "photos/", "photos/*", os.curdir + "/photos"])
def test_folder_or_pattern_takes_its_pictures_and_names_the_rest(pattern):
    said = []
    jobs = pairs([pattern], ["y.jpg"], say=said.append)
    assert [Path(path) for path in contents(jobs)] == [Path("photos/a.PNG"), Path("photos/b.jpg")]
    assert said == [
        "--content: left out by extension (4): IMG_0001.CR2, README, film.mov and 1 more; convert "
        "pictures such as IMG_0001.CR2 to JPEG first; folders that were not searched (1): older"
    ]


@pytest.mark.parametrize(
    ("patterns", "line"),
    [
        (["y.jpg"], None),
        (["photos/*.jpg", "photos/*.PNG"], None),
        (["styles", "photos/?.*"], None),
        (["photos/*.jpg", "photos/n*", "y.jpg"], "there is no picture"),
        (["photos/[bn]*"], "left out by extension (1): notes.txt"),
        (["photos/[bfn]*", "photos/[bn]*"], "left out by extension (2): film.mov, notes.txt"),
        (["photos/[bn]*", "photos/notes.txt"], None),
        (["raw/*", "y.jpg"], "there is no picture"),
        (["photos/**/*.jpg"], None),
        (["[py]*"], "folders that were not searched (1): photos"),
        (["photos/**/[!IR]*"], "left out by extension (2): film.mov, notes.txt"),
        (["**/[bn]*"], "left out by extension (2): notes.txt, notes.txt"),
    ],
)
def test_line_names_each_file_once(patterns, line):
    said = []
    try:
        pairs(["y.jpg"], patterns, say=said.append)
    except ConfigError as error:
        said.append(f"--style: {error}".partition("; ")[0])
    if line is None:
        assert said == []
    else:
        assert len(said) == 1
        assert said[0].startswith("--style: ")
        assert said[0].endswith(line)


def test_pictures_of_a_list_of_patterns_are_taken_once():
    jobs = pairs(["photos/b.jpg", "photos", "photos/*"], ["y.jpg"], say=None)
    assert contents(jobs) == ["photos/b.jpg", "photos/a.PNG"]


def test_hidden_files_need_a_pattern_of_their_own():
    assert contents(pairs(["photos/.*"], ["y.jpg"], say=None)) == ["photos/._a.jpg"]


@pytest.mark.parametrize("name", ["IMG_1.jxl", "IMG_1.NEF", "scan.pdf", "logo.svg", "a.jxl"])
def test_other_formats_of_pictures_are_to_be_converted(name):
    Path("styles", name).touch()
    said = []
    pairs(["y.jpg"], ["styles"], say=said.append)
    assert said == [
        f"--style: left out by extension (1): {name}; convert pictures such as {name} to JPEG first"
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty", "there is no picture; files ending in .jpg, .png, .webp, .tif or similar were "),
        ("raw", "left out by extension (1): IMG_2.CR2; convert pictures such as IMG_2.CR2 to JPEG"),
        ("text/*", "left out by extension (1): notes.txt"),
        ("ph*", "folders that were not searched (1): photos"),
        ("none/*", "there is no such picture; a folder, a pattern, a file or"),
        ("", "there is no such picture"),
        ("n" * 300, "there is no such picture"),
    ],
)
@pytest.mark.parametrize("option", ["content", "style"])
def test_nothing_to_take_is_refused_and_writes_nothing(folder, capsys, option, name, message):
    files = sorted(folder.rglob("*"))
    pictures = {"content": "y.jpg", "style": "y.jpg", option: name}
    assert main([f"--{key}={value}" for key, value in pictures.items()]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"nst_tf: --{option} {name}: ")
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1
    assert sorted(folder.rglob("*")) == files


@pytest.mark.parametrize("listed", [True, False])
def test_command_line_says_what_is_left_out(listed):
    said = []
    options = {"content": ["styles", "photos"], "style": ["y.jpg"]}
    if listed:
        Path("jobs.csv").write_text("content;style\nphotos;y.jpg\n")
        options = {"jobs": "jobs.csv"}
    jobs = make_jobs(options, said.append)
    assert len(jobs) == (2 if listed else 3)
    assert len(said) == 1
    assert "left out by extension (4): IMG_0001.CR2, " in said[0]


# ------------------------------------------------------------------ folders in lists


def test_folder_in_a_list_is_a_job_for_each_picture(read_list):
    entries = [{"content": "photos", "style": ["y.jpg", "photos"], "masks": ["m.png", "-"]}]
    jobs, said = read_list(entries)
    assert [job.name for job in jobs] == ["a_y_a", "a_y_b", "b_y_a", "b_y_b"]
    a, b = str(Path("photos/a.PNG")), str(Path("photos/b.jpg"))
    assert [(job.config.content, job.config.style) for job in jobs] == [
        *((a, ("y.jpg", a)), (a, ("y.jpg", b)), (b, ("y.jpg", a)), (b, ("y.jpg", b)))
    ]
    assert {job.config.masks for job in jobs} == {("m.png", "-")}
    assert len(said) == 1, "once for a folder"
    assert said[0].startswith("photos: left out by extension (4): IMG_0001.CR2, ")


def test_named_entry_with_a_folder_adds_the_names_of_its_pictures(read_list):
    entries = [{"name": "cats", "content": "photos", "style": "y.jpg"}]
    jobs, _ = read_list(entries, sweeps={"alpha": [1.0, 2.0]})
    assert [job.name for job in jobs] == [
        *("cats_a_alpha-1", "cats_b_alpha-1", "cats_a_alpha-2", "cats_b_alpha-2")
    ]


def test_long_name_is_cut_only_to_add_to_it(read_list):
    entries = [
        {"name": "n" * 150, "content": name, "style": "y.jpg"} for name in ("y.jpg", "photos")
    ]
    (kept, *cut), _ = read_list(entries)
    assert kept.name == "n" * 150
    assert [job.name for job in cut] == ["n" * 110 + "_a", "n" * 110 + "_b"]


def test_folder_in_defaults_and_sweeps(read_list):
    jobs, said = read_list(
        {"defaults": {"content": "photos"}, "jobs": [{}]}, sweeps={"style": ["styles", "y.jpg"]}
    )
    assert [job.name.partition("_style")[0] for job in jobs] == ["a_x", "b_x", "a_y", "b_y"]
    assert jobs[0].config.style == (str(Path("styles/x.webp")),)
    assert len(said) == 1


@pytest.mark.parametrize("name", ["empty", "raw", "text"])
def test_folder_without_pictures_is_the_problem_of_its_job(read_list, name):
    good = {"content": "y.jpg", "style": "y.jpg"}
    (bad, fine), _ = read_list([{"content": name, "style": "y.jpg"}, good])
    assert bad.config is None
    assert bad.problem.startswith(f"{name}: there is no picture; files ending in .jpg, ")
    assert fine.config


def test_long_path_in_a_list_is_left_to_its_job(read_list):
    (job,), _ = read_list([{"content": "n" * 300, "style": "y.jpg"}])
    assert job.config.content == "n" * 300


def test_too_many_pictures_of_folders(read_list, monkeypatch):
    monkeypatch.setattr("nst_tf.batch.reading.MOST", 3)
    (job,), _ = read_list([{"content": "photos", "style": ["photos", "y.jpg"]}])
    assert "4 jobs are too many; a batch takes at most 3" in job.problem
    with pytest.raises(ConfigError, match="4 jobs are too many"):
        read_list([{"content": "photos", "style": "y.jpg"}] * 2)
