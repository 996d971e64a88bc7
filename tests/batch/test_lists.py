"""Job lists: formats, job names, sweeps, pairs, and messages for invalid lists."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nst_tf.batch.__main__ import main, make_jobs, sweeps_of
from nst_tf.batch.lists import LONGEST, _unused, pairs, read_jobs, save_jobs
from nst_tf.batch.reading import MOST
from nst_tf.config import JobConfig
from nst_tf.errors import ConfigError


@pytest.fixture
def read_list(tmp_path):
    """Return a function that writes a job list and reads it back."""

    def read(text, name="jobs.toml", **options):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_jobs(path, **options)

    return read


TOML = """
[defaults]
size = "96"
iterations = 20

[[jobs]]
name = "first"
content = "photos/cat.jpg"
style = ["waves.jpg", "/elsewhere/ink.jpg"]
masks = ["not:mask.png", "-"]
alpha = 3

[[jobs]]
content = "dog.jpg"
style = "waves.jpg"
init = "noise"
regions = ["dog_map.png", "/elsewhere/waves_map.png"]
iterations = 7
"""


def test_toml_list(read_list, tmp_path):
    first, second = read_list(TOML)
    assert first.name == "first"
    assert first.config.content == str(tmp_path / "photos/cat.jpg")
    assert first.config.style == (str(tmp_path / "waves.jpg"), "/elsewhere/ink.jpg")
    assert first.config.masks == (f"not:{tmp_path}/mask.png", "-")
    assert (first.config.alpha, first.config.iterations, first.config.size) == (3.0, 20, "96")
    assert second.name == "dog_waves"
    assert (second.config.iterations, second.config.init) == (7, "noise")
    assert second.config.regions == (f"{tmp_path}/dog_map.png", "/elsewhere/waves_map.png")


def test_json_list_may_be_a_bare_array(read_list):
    jobs = [{"content": "a.jpg", "style": ["b.jpg"], "alpha": 2}]
    bare = read_list(json.dumps(jobs), "bare.json")
    wrapped = read_list(json.dumps({"defaults": {"alpha": 5}, "jobs": jobs}), "whole.json")
    assert bare == wrapped
    assert bare[0].config.alpha == 2


def test_csv_list_with_a_byte_order_mark(read_list, tmp_path):
    text = (
        "\ufeffname,content,style,style_weights,keep_content,masks,alpha,size\r\n"
        'first,a.jpg,"b, c.jpg;d.jpg",1;2.5,yes,m.png;not:m.png,1e-3,96\r\n'
        "\r\n"
        ",a.jpg,b.jpg,,,,,\r\n"
    )
    first, second = read_list(text, "jobs.csv")
    assert first.config.style == (str(tmp_path / "b, c.jpg"), str(tmp_path / "d.jpg"))
    assert first.config.style_weights == (1.0, 2.5)
    assert first.config.keep_content is True
    assert first.config.alpha == 1e-3
    assert second.name == "a_b"
    assert second.config.alpha == JobConfig().alpha, "an empty cell is the default"


def test_overrides_and_base_apply_to_all_jobs(read_list):
    jobs = read_list(TOML, over={"iterations": 2}, base=JobConfig(beta=3.0))
    assert [job.config.iterations for job in jobs] == [2, 2]
    assert [job.config.beta for job in jobs] == [3.0, 3.0]


def test_sweeps_give_all_combinations_with_unique_names(read_list):
    sweeps = sweeps_of(["alpha=1,10,1e-3", "style-layers=conv1_1 conv2_1,conv3_1"])
    jobs = read_list(TOML, sweeps=sweeps)
    assert len(jobs) == 12
    assert jobs[0].name == "first_alpha-1_style_layers-conv1_1+conv2_1"
    assert jobs[0].config.style_layers == ("conv1_1", "conv2_1")
    assert len({job.name for job in jobs}) == 12
    assert {job.config.alpha for job in jobs} == {1.0, 10.0, 1e-3}


def test_names_are_unique_ignoring_case(read_list):
    jobs = [{"content": f"{folder}/Cat.jpg", "style": "a.jpg"} for folder in "xyz"]
    jobs += [{"content": "cat.jpg", "style": "A.jpg"}, {"content": "...:?.jpg", "style": "b.jpg"}]
    names = [job.name for job in read_list(json.dumps(jobs), "jobs.json")]
    assert names == ["Cat_a", "Cat_a_2", "Cat_a_3", "cat_A_4", "_b"]


@pytest.mark.parametrize(
    "name",
    ["../up", "/tmp/away", "a/b", "a\\b", "..", ".", ".hidden", "", "C:x", "a\0b", "x" * 300, 7, [],
     "-dash", "a\nb", "ü" * 150, "index.html", "INDEX_2.html", "jobs.json", "summary.csv"],
)  # fmt: skip
def test_unsafe_job_name_is_rejected(read_list, name):
    jobs = [{"name": name, "content": "a.jpg", "style": "b.jpg"}]
    (job,) = read_list(json.dumps(jobs), "jobs.json")
    assert job.config is None
    assert "a plain folder name was expected" in job.problem
    assert "/" not in job.name
    assert not job.name.startswith(".")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"content": "a.jpg"}, "both pictures are needed"),
        ({"content": "a.jpg", "style": []}, "a list of at least one"),
        ({"content": 3.5, "style": "b.jpg"}, "`content` is 3.5; text was expected"),
        (
            {"content": "a.jpg", "style": "b.jpg", "alfa": 1},
            "there is no option `alfa`; did you mean `alpha`?",
        ),
        ({"content": "a.jpg", "style": "b.jpg", "preset": "x"}, "`preset`; there are alpha, beta"),
        ({"content": "a.jpg", "style": "b.jpg", "alpha": "much"}, "a finite number was expected"),
        ({"content": "a.jpg", "style": "b.jpg", "alpha": -1}, "must be at least 0"),
        ({"content": {"x": 1}, "style": [["b.jpg"]]}, "text was expected"),
        ({"content": "https://a.b/c.jpg", "style": "b.jpg"}, "https://a.b/c.jpg is an address"),
        (
            {"content": "a.jpg", "style": "b.jpg", "masks": "not:http://a.b/c.png"},
            "`masks`: http://a.b/c.png is an address: download it first",
        ),
    ],
)
def test_invalid_job_has_a_problem_and_the_others_load(read_list, entry, message):
    good = {"content": "a.jpg", "style": "b.jpg"}
    bad, fine = read_list(json.dumps([entry, good]), "jobs.json")
    assert bad.config is None
    assert message in bad.problem
    assert fine.config.content.endswith("a.jpg")


def test_invalid_csv_row_has_a_problem(read_list):
    text = "content,style,alpha\na.jpg,b.jpg,much\na.jpg,b.jpg,1,2,3\na.jpg,b.jpg,2\n"
    first, second, third = read_list(text, "jobs.csv")
    assert first.problem == "`alpha` is 'much'; a number was expected"
    assert second.problem == "its row has 5 cells, but the first row has 3"
    assert third.config.alpha == 2


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("jobs.toml", "[[jobs]", "is not valid TOML"),
        ("jobs.json", "[", "is not valid JSON"),
        ("jobs.json", "[" * 100_000, "is not valid JSON"),
        ("jobs.json", "{}", "contains no jobs"),
        ("jobs.json", "3", "contains no jobs"),
        ("jobs.json", '{"jobs": {}}', "contains no jobs"),
        ("jobs.json", '{"jobs": [3]}', "must be tables"),
        ("jobs.json", "[]", "there are no jobs in the list"),
        ("jobs.json", '{"jobs": [], "defaults": 3}', "must be tables"),
        ("jobs.json", '{"jobs": [{}], "defaults": {"alfa": 3}}', "there is no option `alfa`"),
        ("jobs.json", '{"jobs": [{}], "size": 3}', "put options for all jobs into `defaults`"),
        ("jobs.json", '{"jobs": [{}], "format": "nst_tf jobs 9"}', "has format 'nst_tf jobs 9'"),
        ("jobs.csv", "", "the names of options were expected"),
        ("jobs.csv", "content,styl\n", "'styl'; the names of options were expected"),
        ("jobs.csv", "content,image_size\n", "such as content, style, alpha; did you mean `size`?"),
        ("jobs.csv", 'content,style\n"a', "is not valid CSV"),
        ("jobs.csv", "content,style\n", "there are no jobs in the list"),
        ("jobs.toml", b"\xff\xfe\0", "save it as UTF-8"),
        ("jobs.yaml", "", "is not a list of jobs; a file ending in .toml, .json, .csv"),
        ("jobs.py", "import os", "is not a list of jobs"),
    ],
)
def test_invalid_list_raises(read_list, name, text, message):
    with pytest.raises(ConfigError) as error:
        read_list(text, name)
    assert message in str(error.value)


def test_list_that_is_not_a_file_raises(tmp_path):
    Path(tmp_path / "jobs.json").mkdir()
    for path in (tmp_path / "jobs.json", tmp_path / "none.csv", "/dev/zero.json"):
        with pytest.raises(ConfigError, match="is not a file"):
            read_jobs(path)


def test_oversized_list_raises(tmp_path, monkeypatch):
    monkeypatch.setattr("nst_tf.batch.reading.LARGEST", 10)
    (tmp_path / "jobs.json").write_text("[" + " " * 10)
    with pytest.raises(ConfigError, match="it has more than"):
        read_jobs(tmp_path / "jobs.json")


@pytest.mark.slow
def test_too_many_jobs_raise(read_list):
    sweeps = {"seed": list(range(MOST // 2 + 1))}
    with pytest.raises(ConfigError, match=f"at most {MOST}"):
        read_list(TOML, sweeps=sweeps)


class CountingDict(dict):
    lookups = 0

    def __contains__(self, key):
        self.lookups += 1
        return super().__contains__(key)


@pytest.mark.parametrize("names", [["a"], ["a", "a_2", "A"], ["a", "a_2", "a_2_2", "b"]])
def test_naming_is_linear(names):
    taken, jobs = CountingDict(), [names[number % len(names)] for number in range(MOST)]
    given = [_unused(name, taken) for name in jobs]
    assert len({name.casefold() for name in given}) == MOST
    assert taken.lookups <= 4 * MOST


LARGE_LIST = """
import resource, sys
from nst_tf.batch.lists import read_jobs
resource.setrlimit(resource.RLIMIT_CPU, (100, 100))
print(len({job.name for job in read_jobs(sys.argv[1])}))
"""


@pytest.mark.slow
def test_large_list_without_names_is_read(tmp_path):
    pytest.importorskip("resource")
    path = tmp_path / "jobs.json"
    path.write_text(json.dumps([{"content": "a.jpg", "style": "b.jpg"}] * (MOST // 4)))
    command = [sys.executable, "-c", LARGE_LIST, str(path)]
    root = Path(__file__).resolve().parents[2]
    output = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    assert int(output) == MOST // 4


def test_generated_names_are_cut_by_bytes(read_list):
    jobs = [{"content": f"ab{'漢' * 83}.png", "style": f"{'漢' * 83}.jpeg"}] * 2
    first, second = (job.name for job in read_list(json.dumps(jobs), "jobs.json"))
    assert first == f"ab{'漢' * 36}"
    assert len(first.encode()) <= LONGEST
    assert second == f"{first}_2"


def test_invalid_sweep_value_raises(read_list):
    with pytest.raises(ConfigError, match="must be at least 0"):
        read_list(TOML, sweeps={"alpha": [1.0, -1.0]})


def test_saved_jobs_are_read_back(read_list, tmp_path):
    jobs = read_list(TOML, sweeps={"alpha": [1.0, 2.0]})
    jobs += read_list('[{"content": "a.jpg"}]', "bad.json")
    save_jobs(tmp_path / "saved.json", jobs)
    assert read_jobs(tmp_path / "saved.json") == jobs


# ------------------------------------------------------------------ pairs


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("photos/a.jpg", "photos/b.PNG", "photos/CREDITS.md", "styles/x[1].jpg", "y.jpg"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    return tmp_path


def test_patterns_match_pictures_and_names_are_literal(folder):
    jobs = pairs(["photos/*"], ["styles/x[1].jpg", "y.jpg", "y.jpg"])
    assert [job.name for job in jobs] == ["a_x[1]", "a_y", "b_x[1]", "b_y"]


@pytest.mark.parametrize("pattern", ["photos/*.tif", "nowhere/*", "none.jpg"])
def test_pattern_without_pictures_raises(folder, pattern):
    with pytest.raises(ConfigError, match="there is no such picture"):
        pairs([pattern], ["y.jpg"])


@pytest.mark.parametrize(
    ("knobs", "styles"),
    [
        ({"fine": "y.jpg", "coarse": "waves"}, ("y.jpg", "waves")),
        ({"analogy": ["waves", "y.jpg"]}, ("y.jpg",)),
    ],
)
def test_knobs_that_make_a_style_apply_to_each_photograph(folder, read_list, knobs, styles):
    jobs = make_jobs({"content": ["photos"], **knobs})
    assert [job.name for job in jobs] == [f"{name}_{'_'.join(names(styles))}" for name in "ab"]
    assert [job.config.paintings for job in jobs] == [styles] * 2
    listed = read_list(json.dumps([{"content": "photos", **knobs}]), "jobs.json")
    assert [job.name for job in listed] == [job.name for job in jobs]
    assert [job.problem for job in listed] == [""] * 2


def names(paths):
    return [Path(path).stem for path in paths]


# ------------------------------------------------------------------ the command line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either a list of jobs or --content and --style"),
        (["jobs.toml", "--content", "y.jpg"], "give either a list of jobs or --content and"),
        (["--content", "y.jpg"], "only --content was given"),
        (["--content", "y.jpg", "--style", "y.jpg", "--fine", "y.jpg"], "leave out --style"),
        (["--style", "y.jpg"], "only --style was given"),
        (["none.toml"], "none.toml is not a file"),
        (["--content", "y.jpg", "--style", "y.jpg", "--set", "alpha"], "was expected, as in"),
        (["--content", "y.jpg", "--style", "y.jpg", "--set", "alpha=,"], "was expected, as in"),
        (
            ["--content", "y.jpg", "--style", "y.jpg", "--set", "alfa=1"],
            "there is no option `alfa`",
        ),
        (["--content", "y.jpg", "--style", "y.jpg", "--set", "lr=1"], "mean `learning_rate` (in"),
        (["--content", "https://a.b/*.jpg", "--style", "y.jpg"], "--content: https://a.b/*.jpg is"),
        (["--content", "y.jpg", "--style", "y.jpg", "--set", "alpha=x"], "a number was expected"),
        (["--content", "y.jpg", "--style", "y.jpg", "--workers", "2"], "requires --engine ray"),
        (["--resume", "photos", "--size", "9"], "omit --size"),
        (["--resume", "photos"], "photos contains no jobs.json"),
        (["--content", "y.jpg", "--style", "y.jpg", "--output", "photos"], "photos is not empty"),
        (
            ["--content", "y.jpg", "--style", "y.jpg", "--output", "y.jpg"],
            "y.jpg is not a directory",
        ),
    ],
)
def test_invalid_arguments_give_one_line_and_write_nothing(folder, capsys, arguments, message):
    files = sorted(folder.rglob("*"))
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1
    assert sorted(folder.rglob("*")) == files
