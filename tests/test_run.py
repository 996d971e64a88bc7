"""The command line from end to end: output files, invalid input and interruption."""

import csv
import importlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst_tf.image.io import read_picture
from nst_tf.run import main

ROOT = Path(__file__).resolve().parents[1]
HEADER = ["iteration", "total", "content", "style", "tv", "seconds"]


def rows(folder):
    with open(Path(folder) / "losses.csv", newline="") as file:
        return list(csv.reader(file))


def names(folder):
    return sorted(file.name for file in Path(folder).iterdir() if file.name != ".lock")


def error(capsys):
    """Return stderr, which must be one line without a traceback."""
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("nst_tf: ")
    return lines[0]


def test_run_writes_its_files(job, tmp_path, capsys):
    assert job() == 0
    folder = tmp_path / "output" / "house_brush"
    pictures = ["000002.png", "000004.png", "000006.png"]
    assert names(folder) == [
        *pictures,
        "config.json",
        "journal.json",
        "losses.csv",
        "report.html",
        "result.png",
    ]
    table = rows(folder)
    assert table[0] == HEADER
    assert [int(row[0]) for row in table[1:]] == list(range(7))
    numbers = np.array(table[1:], float)
    assert numbers[-1, 1] < numbers[0, 1]
    assert (np.diff(numbers[:, 5]) >= 0).all()
    result = read_picture(folder / "result.png")
    assert result.shape == (35, 48, 3)  # the content's 61x45, its longer side 48
    np.testing.assert_array_equal(result, read_picture(folder / "000006.png"))
    captured = capsys.readouterr()
    assert str(Path("output/house_brush/result.png")) in captured.out
    assert "6/6  loss" in captured.err  # no terminal: plain lines
    assert "\r" not in captured.err


@pytest.mark.slow
def test_second_run_gets_a_new_directory(job, tmp_path):
    assert job("--iterations", 0) == job("--iterations", 0) == 0
    assert names(tmp_path / "output") == ["house_brush", "house_brush_2"]


def test_initial_image_is_saved_on_request(job, tmp_path):
    assert job("--save-start", "--save-every", "2", "--preset", "devos", "--output", "out") == 0
    first = read_picture(tmp_path / "out" / "000000.png")
    assert not np.array_equal(first, read_picture(tmp_path / "out" / "000002.png"))
    assert job("--save-every", "2", "--preset", "devos", "--output", "plain") == 0
    assert not (tmp_path / "plain" / "000000.png").exists()


def test_last_picture_is_saved_if_not_a_multiple_of_save_every(job, tmp_path):
    assert job("--iterations", 5, "--output", "here") == 0
    assert names("here")[:3] == ["000002.png", "000004.png", "000005.png"]


@pytest.mark.parametrize(("every", "iterations"), [(4, [0, 4, 6]), (0, [])])
def test_print_every_sets_the_lines_of_progress(job, monkeypatch, capsys, every, iterations):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)  # lines, not a bar
    assert job("--print-every", every) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [int(line.partition("/6  loss ")[0]) for line in lines] == iterations


def test_print_every_below_0_is_refused(capsys):
    assert main(["--print-every", "-1"]) == 2
    assert "--print-every is -1; it must be at least 0" in error(capsys)


def test_directory_of_styles_is_blended_in_order_of_names(job, pictures, capsys):
    content, style = pictures
    folder = Path("paintings")
    folder.mkdir()
    for name in ("b.jpg", "a.jpg", ".hidden.jpg"):
        (folder / name).write_bytes(style.read_bytes())
    (folder / "notes.txt").touch()
    weights = ["--style-weights", "1", "2", "--style-scale", "1", "1.2"]
    assert job(*weights, "--output", "out", pair=(content, "paintings/")) == 0
    assert "paintings: left out by extension (1): notes.txt" in capsys.readouterr().out
    saved = json.loads(Path("out/config.json").read_text())
    assert saved["style"] == [str(folder.resolve() / name) for name in ("a.jpg", "b.jpg")]
    assert saved["style_scale"] == [1.0, 1.2]
    assert job("--style-weights", "1", "2", "3", pair=(content, "paintings")) == 2
    assert "`style_weights` has 3 entries for 2 styles" in error(capsys)


def test_empty_directory_of_styles_is_refused(job, pictures, capsys):
    Path("empty").mkdir()
    assert job(pair=(pictures[0], "empty")) == 2
    assert error(capsys).startswith("nst_tf: empty: there is no picture; files ending in")
    assert not Path("output").exists()


def test_quiet_prints_nothing(job, capsys):
    assert job("--quiet") == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_seed_determines_the_picture(job):
    for folder, seed in [("a", 5), ("b", 5), ("c", 6)]:
        assert job("--noise-ratio", "0.6", "--seed", seed, "--output", folder) == 0
    a, b, c = (read_picture(Path(folder) / "result.png") for folder in "abc")
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.slow
def test_config_repeats_the_run_from_another_directory(job, tmp_path, monkeypatch):
    knobs = ["--alpha", "0.01", "--style-layers", "conv1_1,conv3_1", "--noise-ratio", "0.3"]
    assert job(*knobs, "--style-layer-weights", "1", "2", "--output", "first") == 0
    config = json.loads((tmp_path / "first" / "config.json").read_text())
    assert config["alpha"] == 0.01
    assert config["style_layers"] == ["conv1_1", "conv3_1"]
    assert config["style_layer_weights"] == [1, 2]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["--config", "../first/config.json", "--output", "../second"]) == 0
    a, b = tmp_path / "first", tmp_path / "second"
    assert (a / "result.png").read_bytes() == (b / "result.png").read_bytes()
    assert (a / "config.json").read_text() == (b / "config.json").read_text()
    assert [row[:5] for row in rows(a)] == [row[:5] for row in rows(b)]


@pytest.mark.slow
def test_flag_overrides_config_file(job, tmp_path):
    assert job("--output", "first") == 0
    assert main(["--config", "first/config.json", "--iterations", "1", "--output", "second"]) == 0
    assert len(rows("second")) == 3


def test_preset_sets_values_of_the_tutorial(job, tmp_path):
    assert job("--preset", "devos", "--size", "64x48", "--output", "here") == 0
    config = json.loads((tmp_path / "here" / "config.json").read_text())
    expected = {"alpha": 0.0025, "beta": 1, "learning_rate": 2, "epsilon": 1e-8, "clip": False}
    expected |= {"stretch_style": True, "noise_ratio": 0, "style_layer_weights": [0.5] * 5}
    assert expected.items() <= config.items()
    with Image.open(tmp_path / "here" / "result.png") as picture:
        assert picture.size == (64, 48)


def test_devos_preset_with_large_learning_rate(job):
    assert job("--learning-rate", 90, "--preset", "devos", "--size", 48, "--output", "here") == 0


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        (["--learning-rate", 0.02], True),  # Adam, by the rate
        (["--learning-rate", 0.02, "--pixels", "unit"], True),  # in gray levels there, too
        (["--learning-rate", 0.1], False),
        (["--learning-rate", 0.02, "--optimizer", "sgd"], False),  # in other units
        (["--optimizer", "adam"], False),
    ],
)
def test_steps_for_pixels_in_0_to_1_are_reported(job, options, reported, capsys):
    assert job(*options, "--iterations", 1) == 0
    line = (
        "--learning-rate 0.02 is in gray levels: in 1 iterations a pixel moves by about 0.02 of "
        "255 at most; 0.02 of programs whose pixels are in 0..1 is 5.1 here\n"
    )
    assert (line in capsys.readouterr().out) == reported


# ------------------------------------------------------------------ a picture as output


@pytest.mark.parametrize("name", ["art/cat.png", "cat.JPG", "cat.webp", "cat.tiff"])
def test_output_that_names_a_picture_is_the_picture(job, tmp_path, name, capsys):
    assert job("--output", name, "--iterations", 2) == 0
    folder = Path("output", "house_brush")
    last_line = capsys.readouterr().out.splitlines()[-1]
    assert f"{tmp_path / name}, report: {folder / 'report.html'}" in last_line
    result = read_picture(folder / "result.png")
    error_of_format = np.abs(read_picture(name).astype(float) - result).mean()
    assert error_of_format < (5 if name.endswith("JPG") else 1e-9)
    assert names(Path(name).parent)[0] in (Path(name).name, "brush.jpg")  # nothing else
    if name.endswith(".png"):
        assert (tmp_path / name).read_bytes() == (folder / "result.png").read_bytes()


def test_existing_picture_is_replaced_only_with_overwrite(job, capsys):
    Path("cat.png").write_text("mine")
    assert job("--output", "cat.png") == 2
    assert "cat.png exists; choose another --output, or --overwrite to replace it" in error(capsys)
    assert Path("cat.png").read_text() == "mine"
    assert not Path("output").exists()
    assert job("--output", "cat.png", "--iterations", 0, "--overwrite") == 0
    assert read_picture("cat.png").shape == (35, 48, 3)


def test_picture_that_cannot_be_written_is_refused_before_the_run(job, pictures, capsys):
    Path("file").touch()
    for name, message in {
        "result.gif": "can't write result.gif: unknown extension '.gif'; use .png, .jpg",
        "file/cat.png": "file is not writable; choose another --output",
        str(pictures[0]): "is an input and would be replaced; choose another --output",
    }.items():
        assert job("--output", name, "--overwrite") == 2
        assert message in error(capsys)
    assert not Path("output").exists()


def test_names_of_directories_with_and_without_the_extension_of_a_picture(job):
    for folder in ("v1.5", "new.png/"):
        assert job("--output", folder, "--iterations", 0) == 0
        assert Path(folder, "result.png").exists()
    assert job("--output", "new.png", "--iterations", 0, "--overwrite") == 0  # it is one now
    assert Path("new.png").is_dir()


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("batch.__main__", ["--content", "house.png", "--style", "brush.jpg"]),
        ("grid", ["layers"]),
    ],
)
def test_other_commands_need_a_directory(module, arguments, pictures, monkeypatch, capsys):
    monkeypatch.chdir(pictures[0].parent)
    main = importlib.import_module(f"nst_tf.{module}").main
    small = ["--iterations", "0", "--size", "48"]
    assert main([*arguments, *small, "--output", "all.png"]) == 2
    assert "--output is all.png, but there will be several files; a directory was" in error(capsys)


# ------------------------------------------------------------------ styles, masks, trunks


@pytest.mark.slow
def test_config_repeats_run_with_two_styles_and_masks(job, tmp_path, pictures):
    content, style = pictures
    mask = np.zeros((45, 61), np.uint8)
    mask[:, 30:] = 255
    Image.fromarray(mask).save(tmp_path / "right, half.png")  # a comma is part of the name
    masks = ["--masks", "right, half.png", "not:right, half.png", "--style-weights", "1", "0.5"]
    styles = (content, style, content)
    assert job(*masks, "--color", "swap", "--output", "one", pair=styles) == 0
    config = json.loads((tmp_path / "one" / "config.json").read_text())
    assert config["style"] == [str(style), str(content)]
    assert config["masks"][1] == f"not:{tmp_path / 'right, half.png'}"
    assert main(["--config", "one/config.json", "--output", "two", "--quiet"]) == 0
    one, two = (read_picture(tmp_path / folder / "result.png") for folder in ("one", "two"))
    np.testing.assert_array_equal(one, two)


def test_options_between_the_pictures(job, pictures, tmp_path):
    content, style = pictures
    assert job("--output", "here", pair=(content, "--alpha", "0.1", style)) == 0
    config = json.loads((tmp_path / "here" / "config.json").read_text())
    assert (config["alpha"], config["style"]) == (0.1, [str(style)])


def test_config_of_first_version_has_style_as_string(job, pictures, tmp_path):
    assert job("--output", "one") == 0
    config = json.loads((tmp_path / "one" / "config.json").read_text())
    config["style"] = config["style"][0]
    (tmp_path / "old.json").write_text(json.dumps(config))
    assert main(["--config", "old.json", "--output", "two", "--quiet"]) == 0


def test_column_of_unused_loss_is_empty(job):
    assert job("--alpha", 0, "--init", "noise", "--output", "texture") == 0
    assert job("--beta", 0, "--init", "noise", "--output", "content") == 0
    texture, content = (dict(zip(HEADER, rows(folder)[-1])) for folder in ("texture", "content"))
    assert texture["content"] == content["style"] == ""
    assert float(texture["style"]) > 0
    assert float(content["content"]) > 0


def test_converged_run_prints_message_and_saves_result(job, capsys):
    options = ["--beta", 0, "--tv-weight", 0, "--optimizer", "lbfgs", "--output", "here"]
    assert job(*options) == 0  # converged at the start
    assert "converged at 0: no step reduces the loss further" in capsys.readouterr().out
    assert "result.png" in names("here")


def test_run_that_hardly_improves_ends_early(job, monkeypatch, capsys):
    monkeypatch.setattr("nst_tf.transfer.WINDOW", 2)
    options = ["--min-improvement", "100", "--output", "here"]
    assert job(*options) == 0
    assert "ended at 2: the loss fell by less than 100 % in" in capsys.readouterr().out
    report = Path("here/report.html").read_text()
    assert "stopped by --min-improvement 100: 2 of 6 iterations" in report


def test_squeezenet_is_found_on_model_path(job, pictures, tmp_path, monkeypatch):
    from squeezenet_files import tiny_squeezenet, write_npz

    write_npz(tmp_path / "squeezenet_v1_1.npz", tiny_squeezenet())
    monkeypatch.setenv("NST_TF_MODEL_PATH", str(tmp_path))
    content, style = map(str, pictures)
    knobs = ["--preset", "cs231n-scream", "--size", "64", "--style-size", "64", "--iterations", "2"]
    assert main([content, style, *knobs, "--output", "here", "--quiet"]) == 0
    config = json.loads((tmp_path / "here" / "config.json").read_text())
    assert config["weights"] == str(tmp_path / "squeezenet_v1_1.npz")
    assert config["style_layers"] == ["conv1", "fire3", "fire4", "fire5"]


# ------------------------------------------------------------------ bad input


def test_bad_input_prints_one_line_and_writes_nothing(job, tmp_path, pictures, capsys):
    content, style = pictures
    text = tmp_path / "notes.txt"
    text.write_text("no picture, no weights")
    before = names(tmp_path)
    for options, pair, message in [
        ([], ("none.jpg", style), "there is no picture none.jpg"),
        ([], (content, text), "notes.txt is not a readable picture"),
        ([], (content,), "one picture was given; give CONTENT and STYLE, or neither"),
        (["--weights", "none.mat"], pictures, "no weights file none.mat"),
        (["--weights", text], pictures, "not a weights file"),
        (["--size", "huge"], pictures, "write WxH as in 640x480"),
        (["--size", "20"], pictures, "too small"),
        (
            ["--size", "1000000x1000000"],
            pictures,
            "1000000x1000000 is over the limit of 178956970 pixels (13377x13377, for instance)",
        ),
        (["--size", "9" * 12], pictures, "is over the limit of 178956970 pixels"),
        (
            ["--config", style],
            pictures,
            "brush.jpg is a picture; --config expects a config.json or",
        ),
        (["--config", content], pictures, "house.png contains no settings: --config expects"),
        (["--alpha", "-1"], pictures, "`alpha` is -1.0; it must be at least 0"),
        (["--noise-ratio", "2"], pictures, "`noise_ratio` is 2.0; it must be at most 1"),
        (["--learning-rate", "0"], pictures, "must be above 0"),
        (["--content-layers", "conv9"], pictures, "no layer 'conv9'"),
        (["--style-layer-weights", "1", "2"], pictures, "2 numbers for 5 style layers"),
        (["--preset", "monet"], pictures, "`preset` is 'monet'; choose from devos"),
        (["--config", "none.json"], pictures, "none.json can't be read: No such file"),
        (["--config", text], pictures, "is not JSON"),
        (["--output", text], pictures, "is not a directory; choose one with --output"),
        (["--output", ""], pictures, "--output is empty"),
        (["--levels", "9"], pictures, "the coarsest of 9 levels would have 1x1 pixels"),
        (["--levels", "2", "--min-size", "48"], pictures, "that leaves no room for 2 levels"),
        (["--level-iterations", "9", "9"], pictures, "9 9 make 18; give one of them"),
        (["--average", "1"], pictures, "`average` is 1.0; it must be at most 0.9999999"),
        (["--keep", "best", "--optimizer", "lbfgs", "--average", "0.9"], pictures, "adam or lbfgs"),
        ([], ("", style), "both pictures are needed"),
        ([], ("", ""), "both pictures are needed"),
        ([], (content, ""), "both pictures are needed"),
        (["--masks", "a.png", "b.png"], pictures, "`masks` has 2 entries for 1 styles"),
        (["--masks", "none.png"], pictures, "there is no picture none.png"),
        (["--keep-content"], pictures, "`keep_content` needs `masks`"),
        (["--alpha", "0", "--beta", "0"], pictures, "nothing to keep and nothing to match"),
        (["--content-layers", "all", "conv4_2"], pictures, "use it alone, or leave it out"),
        (["--weights", "squeezenet"], pictures, "squeezenet_v1_0.npz"),
        (["--init", "none.png"], pictures, "`init` is 'none.png': neither content, noise, grey"),
        (["--config", ""], pictures, "can't be read" if os.name == "nt" else "is not a file"),
        (["--output", text / "below"], pictures, "is not writable; choose another --output"),
    ]:
        assert job(*options, pair=pair) == 2, message
        assert message in error(capsys)
    assert names(tmp_path) == before


@pytest.mark.parametrize("module", ["nst_tf", "nst_tf.run"])
def test_version_does_not_import_tensorflow(module):
    code = (
        "import runpy, sys; sys.argv[1:] = ['--version']\n"
        f"try: runpy.run_module({module!r}, run_name='__main__')\n"
        "finally: assert 'tensorflow' not in sys.modules"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (process.returncode, process.stdout) == (0, "nst_tf 0.1.0\n"), process.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--iterations", "many"], "argument --iterations: invalid int value: 'many'"),
        (["--pooling", "median"], "invalid choice: 'median'"),
        (["--color", "sepia"], "(choose from"),
        (["--method", "mean"], "gram"),
        (["--style-layer-weights", "a", "b"], "'a b' are not numbers"),
        (
            ["--output", "-dash"],
            "argument --output: expected one argument; write a value that begins with a dash as "
            "--output=-dash",
        ),
        (
            ["--style-layers", "-x"],
            "expected at least one argument; write a value that begins with a dash as "
            "--style-layers=-dash",
        ),
        (["--colour", "no"], "unrecognized arguments: --colour"),
    ],
)
def test_wrong_options_print_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert message in error(capsys)


def test_missing_gpu_message_names_requirements(job, capsys, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])
    assert job("--device", "gpu") == 2
    assert "pip install -r requirements-gpu.txt" in error(capsys)


def test_unknown_knob_in_config_file_is_named(job, tmp_path, capsys):
    (tmp_path / "c.json").write_text('{"alpha": 1, "gamma": 2}')
    assert main(["--config", "c.json"]) == 2
    assert "there is no option `gamma`" in error(capsys)
    (tmp_path / "c.json").write_text("[1]")
    assert main(["--config", "c.json"]) == 2
    assert "does not contain a JSON object" in error(capsys)


def test_config_file_without_pictures_is_rejected(job, tmp_path, capsys):
    for knobs in ({"content": "a.png"}, {"content": "a.png", "style": None}, {}):
        (tmp_path / "c.json").write_text(json.dumps(knobs))
        assert main(["--config", "c.json"]) == 2
        assert "both pictures are needed" in error(capsys)


def test_input_that_would_be_overwritten_is_rejected(job, tmp_path, pictures, capsys):
    assert job("--output", "here") == 0
    before = (tmp_path / "here" / "result.png").read_bytes()
    capsys.readouterr()
    pair = (tmp_path / "here" / "result.png", pictures[1])
    assert job("--output", "here", "--overwrite", pair=pair) == 2
    assert "would be replaced; choose another --output" in error(capsys)
    assert (tmp_path / "here" / "result.png").read_bytes() == before


def test_output_that_is_a_broken_link_is_rejected(job, tmp_path, capsys):
    (tmp_path / "output").symlink_to(tmp_path / "nowhere" / "at all")
    assert job() == 2
    assert "output is not a directory" in capsys.readouterr().err


def test_too_narrow_style_is_named_with_a_remedy(job, tmp_path, pictures, capsys):
    Image.new("RGB", (900, 40)).save(tmp_path / "long.png")
    assert job(pair=(pictures[0], tmp_path / "long.png")) == 2
    assert re.search(
        r"the style .*long\.png: .* too small.*; change --size, --style-size", error(capsys)
    )
    assert job("--stretch-style", pair=(pictures[0], tmp_path / "long.png")) == 0


def test_earlier_run_is_replaced_only_with_overwrite(job, tmp_path, capsys):
    assert job("--output", "here") == 0
    (tmp_path / "here" / "notes.txt").write_text("mine")
    before = {name: (tmp_path / "here" / name).read_bytes() for name in names("here")}
    capsys.readouterr()
    assert job("--output", "here", "--alpha", 1) == 2
    assert (
        "holds an earlier run; choose another directory, --overwrite to replace it, or --resume"
        in error(capsys)
    )
    assert before == {name: (tmp_path / "here" / name).read_bytes() for name in names("here")}
    assert job("--output", "here", "--overwrite", "--iterations", 1) == 0
    # The files of the longer run are removed, all others are kept.
    assert names("here") == [
        *("000001.png", "config.json", "journal.json", "losses.csv", "notes.txt", "report.html"),
        "result.png",
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["000001.png"], "here holds 000001.png, which --overwrite would remove;"),
        (["report.html", "config.json"], "here holds config.json and 1 more, which --overwrite"),
    ],
)
def test_other_files_in_output_are_named_and_kept(job, capsys, files, message):
    Path("here").mkdir()
    for name in files:
        (Path("here") / name).write_text("mine")
    assert job("--output", "here") == 2
    line = error(capsys)
    assert message in line
    assert "choose another directory" in line
    assert names("here") == sorted(files)


# ------------------------------------------------------------------ how a run ends


def test_diverged_run_saves_last_good_picture(job, capsys):
    assert job("--learning-rate", "1e30", "--no-clip", "--output", "here", "--quiet") == 2
    message = error(capsys)
    assert "make learning_rate smaller" in message
    assert f"the picture after 0 iterations is {Path('here/result.png')}" in message
    assert read_picture("here/result.png").shape == (35, 48, 3)
    assert len(rows("here")) == 2


def test_out_of_memory_message_names_a_remedy(job, capsys, monkeypatch):
    import tensorflow as tf

    def raise_out_of_memory(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr("nst_tf.jobs.run.minimize", raise_out_of_memory)
    assert job("--quiet") == 2
    assert "48 does not fit into memory: make the picture smaller" in error(capsys)


@pytest.fixture
def endless(pictures, tiny_mat, tmp_path):
    """Return a function that starts an endless run and waits for its first iterations."""
    command = [sys.executable, "-m", "nst_tf.run", *map(str, pictures), "--weights", str(tiny_mat)]
    command += ["--size", "48", "--iterations", "1000000", "--output", str(tmp_path / "here")]
    losses = tmp_path / "here" / "losses.csv"
    processes = []

    def start(*prefix, **options):
        # The tests may run under nohup, and ignored signals are inherited.
        reset_hup = partial(signal.signal, signal.SIGHUP, signal.SIG_DFL)
        process = subprocess.Popen([*prefix, *command], cwd=ROOT, preexec_fn=reset_hup, **options)
        processes.append(process)
        deadline = time.monotonic() + 120
        while not losses.exists() or len(losses.read_text().splitlines()) < 20:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


needs_hangup = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no SIGHUP here")


@pytest.mark.slow
@needs_hangup
def test_hangup_saves_current_picture(endless, tmp_path):
    process = endless(stderr=subprocess.PIPE, text=True)
    process.send_signal(signal.SIGHUP)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 129
    assert stderr.splitlines()[-1].startswith("nst_tf: interrupted after ")
    assert read_picture(tmp_path / "here" / "result.png").shape == (35, 48, 3)


@pytest.mark.slow
@needs_hangup
def test_closed_terminal_saves_current_picture(endless, tmp_path):
    terminal, device = os.openpty()
    process = endless(stdin=device, stdout=device, stderr=device, start_new_session=True)
    os.close(device)
    os.close(terminal)  # from here on, output fails
    process.send_signal(signal.SIGHUP)  # as the kernel does for the terminal's own session
    assert process.wait(timeout=60) == 129
    assert read_picture(tmp_path / "here" / "result.png").shape == (35, 48, 3)
    assert (tmp_path / "here" / "report.html").exists()


@pytest.mark.slow
@needs_hangup
def test_hangup_is_ignored_under_nohup(endless):
    process = endless("nohup", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=2)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_control_c_saves_current_picture_and_prints_path(endless, tmp_path):
    env = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    process = endless(env=env, stderr=subprocess.PIPE, text=True)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)  # a second Ctrl-C loses nothing
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    # Only our own lines: no traceback, no messages of TensorFlow.
    *progress, last = stderr.splitlines()
    assert all("/1000000  loss " in line for line in progress)
    assert last.startswith("nst_tf: interrupted")
    assert last.endswith(f"`python -m nst_tf.run --resume {tmp_path / 'here'}` resumes the run")
    done = int(rows(tmp_path / "here")[-1][0])
    assert f"interrupted after {done} iterations; the picture after {done} iterations is" in stderr
    assert read_picture(tmp_path / "here" / "result.png").shape == (35, 48, 3)


@pytest.mark.skipif(os.name == "nt", reason="no POSIX shell")
def test_run_goes_on_without_standard_streams(pictures, tiny_mat, tmp_path):
    command = [sys.executable, "-m", "nst_tf.run", *map(str, pictures), "--weights", str(tiny_mat)]
    command += ["--size", "48", "--iterations", "2", "--output", str(tmp_path / "here")]
    script = f"exec {shlex.join(command)} <&- >&- 2>&-"
    assert subprocess.run(["/bin/sh", "-c", script], cwd=ROOT, check=False).returncode == 0
    assert read_picture(tmp_path / "here" / "result.png").shape == (35, 48, 3)


def test_python_m_returns_status_and_prints_one_line():
    command = [sys.executable, "-m", "nst_tf.run", "one.jpg"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 2
    assert process.stdout == ""
    assert process.stderr.startswith("nst_tf: one picture was given")
    assert process.stderr.count("\n") == 1


def test_help_lists_documented_flags(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    flags = """--output --preset --weights --size --iterations --alpha --beta --noise-ratio
        --learning-rate --pooling --content-layers --style-layers --save-every --seed --device
        --quiet --overwrite --resume --config"""
    for flag in re.findall("[a-z-]+", flags):
        assert flag in text


def test_every_knob_has_a_flag_and_help(capsys):
    from dataclasses import fields

    from nst_tf import JobConfig
    from nst_tf.cli import HEADINGS

    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    for knob in fields(JobConfig):
        assert knob.metadata["help"], knob.name
        if knob.name not in ("content", "style"):
            assert f"--{knob.name.replace('_', '-')}" in text
    assert set(HEADINGS) <= {knob.name for knob in fields(JobConfig)}
    for heading in HEADINGS.values():
        assert f"\n{heading}:\n" in text


def test_closed_pipe_is_not_an_error():
    command = [sys.executable, "-m", "nst_tf.run", "--list-presets"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()  # as `| head` does
    assert process.stderr.read() == ""
    process.wait()


def test_longest_file_names_in_three_byte_letters(job, pictures, tmp_path, monkeypatch):
    content, style = (
        path.rename(path.with_name(f"{number}-{'漢' * 83}{path.suffix}"))
        for number, path in enumerate(pictures)
    )
    assert len(content.name.encode()) == 255
    for _ in range(2):
        assert job("--iterations", "1", pair=(content, style)) == 0
    folders = sorted(folder.name for folder in Path("output").iterdir())
    assert folders == [f"0-{'漢' * 66}", f"0-{'漢' * 66}_2"]
    assert Path("output", folders[0], "result.png").exists()
