"""Tests with damaged, hostile and random input: each ends in a clear error or a correct result."""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import scipy.io
from damage import EXTREME_VALUES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import make_picture
from PIL import Image

from nst_tf import ConfigError, ImageError, NstError
from nst_tf.config import NO_MASK, JobConfig
from nst_tf.image.io import read_picture
from nst_tf.image.sizes import MAX_PIXELS, fit_size, parse_size
from nst_tf.jobs.inputs import read_mask
from nst_tf.jobs.settings import make_config
from nst_tf.models.readers.matcheck import check_matlab
from nst_tf.run import make_parser

HARNESS = Path(__file__).parent / "helpers" / "fuzzing.py"
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the harness forks")


def run_harness(folder, cases, seed, *kinds):
    """Read damaged files with the harness, which must succeed; return its summary."""
    command = [sys.executable, str(HARNESS), str(folder), str(cases), str(seed), *kinds]
    environment = {**os.environ, "PYTHONPATH": str(HARNESS.parents[2])}
    process = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert process.returncode == 0, process.stderr[-5000:] + process.stdout[-1000:]
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.slow
@needs_fork
def test_hundreds_of_damaged_files(tmp_path):
    found = run_harness(tmp_path, 250, 0)
    assert found["files"] >= 500, "with the hostile files"
    assert found["errors"] > found["files"] / 2


@needs_fork
@pytest.mark.long
def test_thousands_of_damaged_files(tmp_path, record_property, capsys):
    found = run_harness(tmp_path, 6000, 1, "large")
    assert found["files"] >= 6000
    with capsys.disabled():
        print(json.dumps(found, indent=1))
    record_property("said", json.dumps(found))


@needs_fork
def test_harness_fails_a_file_that_takes_much_cpu_time(tmp_path, monkeypatch):
    import fuzzing

    config = {"config": {"config.json": b"{}"}}
    assert fuzzing.run_case(("config", 0, 0), tmp_path, config)["outcome"] in ("accepted", "error")
    monkeypatch.setattr(fuzzing, "MAX_CPU_SECONDS", 0)
    result = fuzzing.run_case(("config", 0, 0), tmp_path, config)
    assert result["outcome"] == "slow"
    assert fuzzing.failures([result])


# ------------------------------------------------------------------ random values

TEXTS = st.text(max_size=12) | st.sampled_from(["nan", "-", "not:", "512", "640x480", "conv1_1"])
NUMBERS = st.integers() | st.floats() | st.sampled_from([0, 1, -1, 10**400, 1e308, 1e-320])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2)
)
KNOBS = st.sampled_from(sorted(JobConfig.__dataclass_fields__))
LIKELY_VALUES = st.sampled_from(  # often valid, so that many configs are accepted
    [0, 1, 2.5, 100, True, False, None, "a.png", ["a.png"], ["a.png", "-"], [1, 2], "fast", "adam"]
)
quick_settings = settings(
    derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@quick_settings
@given(st.dictionaries(KNOBS | TEXTS, VALUES | LIKELY_VALUES, max_size=4))
def test_random_config_is_rejected_or_survives_saving(tmp_path_factory, knobs):
    path = tmp_path_factory.mktemp("config") / "config.json"
    path.write_text(json.dumps(knobs))
    try:
        config = JobConfig.load(path)
    except ConfigError as error:
        message = str(error)
    else:
        message = config.save(path) or ""
        assert JobConfig.load(path) == config
    assert len(message) < 3000


@pytest.mark.parametrize("knob", sorted(JobConfig.__dataclass_fields__))
def test_knob_with_extreme_json_values(tmp_path, knob):
    path = tmp_path / "config.json"
    messages = []
    for value in EXTREME_VALUES:
        path.write_text(json.dumps({knob: value}))
        try:
            config = JobConfig.load(path)
            assert JobConfig().changed(**json.loads(config.text())) == config
        except ConfigError as error:
            messages.append(str(error))
    assert len(messages) > len(EXTREME_VALUES) / 3
    assert all(f"`{knob}`" in message or "JSON" in message for message in messages)


@quick_settings
@given(TEXTS | st.from_regex(r"\w{0,7}:?\d{0,7}[x×]?\d{0,7}", fullmatch=True))
def test_random_size_is_rejected_or_valid(text):
    with contextlib.suppress(ImageError):
        size = parse_size(text)
        with contextlib.suppress(ImageError):
            height, width = fit_size(size, (300, 451))
            assert min(height, width) >= 32
            assert height * width <= MAX_PIXELS


@quick_settings
@given(st.lists(TEXTS | st.sampled_from(["..", "/", "/dev/zero", "not:not:", "."]), max_size=3))
def test_random_mask_path_is_rejected(parts):
    path = "/".join(parts)
    if path == NO_MASK:
        return
    with pytest.raises(NstError):
        read_mask(path, (40, 52), (40, 52), False)


FLAGS = st.sampled_from(
    ["--" + name.replace("_", "-") for name in JobConfig.__dataclass_fields__]
    + ["--no-clip", "--", "-x", "--output", "--overwrite", "--quiet", "--preset", "--config"]
)


@quick_settings
@given(st.lists(FLAGS | TEXTS | NUMBERS.map(str) | st.sampled_from(["a.png", "b.png"]), max_size=7))
def test_random_command_line_is_rejected_or_valid(words):
    words = [word.replace("\0", "") for word in words]  # a command line can't contain it
    stderr, stdout = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(stderr), contextlib.redirect_stdout(stdout):
        try:
            options = vars(make_parser().parse_intermixed_args(words))
        except SystemExit as exit_:
            status, options = exit_.code, None
    if options is None:
        assert (status == 0 and stdout.getvalue()) or status == 2, words
        assert len(stderr.getvalue().splitlines()) == (status == 2), words
        return
    for name in ("list_presets", "output", "overwrite", "quiet", "resume"):
        options.pop(name)
    try:
        config = make_config(options, say=lambda line: None)
    except NstError:
        return
    assert JobConfig().changed(**json.loads(config.text())) == config


# ------------------------------------------------------------------ links and pipes in run folders


def test_run_does_not_write_through_links(job, tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "run"
    outside.mkdir()
    folder.mkdir()
    for name in ("config.json", "journal.json", "losses.csv", "result.png", "report.html"):
        (outside / name).write_text("mine")
        (folder / name).symlink_to(outside / name)
    for name in ("000002.png", "checkpoint-000002.npz"):
        (outside / name).write_text("mine")
        (folder / name).symlink_to(outside / name)
    assert job("--output", "run", "--overwrite", "--checkpoint-every", "0") == 0
    assert {path.read_text() for path in outside.iterdir()} == {"mine"}
    assert not any(path.is_symlink() for path in folder.iterdir())


def test_run_does_not_write_through_a_linked_lock(job, tmp_path, capsys):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".lock").symlink_to(tmp_path / "mine")
    assert job("--output", "run") == 2
    assert "is a symbolic link" in capsys.readouterr().err
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only Unix has named pipes")
def test_run_does_not_wait_for_a_pipe_as_lock(job, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    os.mkfifo(tmp_path / "run" / ".lock")
    assert job("--output", "run") == 2
    assert "is not a file" in capsys.readouterr().err


# ------------------------------------------------------------------ foreign files


def test_postscript_is_not_executed(tmp_path, monkeypatch):
    def run(*_, **__):
        raise AssertionError("Ghostscript was called")

    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", run)
    data = io.BytesIO()
    Image.fromarray(make_picture(40, 52)).save(data, "EPS")
    for name in ("a.eps", "a.jpg"):
        (tmp_path / name).write_bytes(data.getvalue())
        with pytest.raises(ImageError, match="is not a readable picture"):
            read_picture(tmp_path / name)


def test_files_written_by_matlab_are_accepted():
    folder = Path(scipy.io.matlab.__file__).parent / "tests" / "data"
    files = [
        path
        for path in sorted(folder.glob("test*_[67].*.mat"))
        if path.read_bytes().startswith(b"MATLAB 5.0")
    ]
    if not files:
        pytest.skip("this SciPy came without its tests")
    accepted = 0
    for path in files:
        names = [name for name, *_ in scipy.io.whosmat(path)]
        found = check_matlab(path, names)
        assert set(names) <= set(found), path.name
        is_special = any(
            word in path.stem for word in ("complex", "sparse", "func", "object", "teststruct_")
        )
        assert all(found[name] for name in names) or is_special, path.name
        accepted += all(found.values())
    assert accepted > len(files) / 2
