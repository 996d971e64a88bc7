"""Other programs' names of options, and file names that look like options."""

import pytest

from nst_tf.app.__main__ import make_parser as app_parser
from nst_tf.batch.__main__ import make_parser as batch_parser
from nst_tf.config import JobConfig
from nst_tf.errors import ConfigError
from nst_tf.grid import make_parser as grid_parser
from nst_tf.run import main, make_parser
from nst_tf.suggestions import PEERS, PICTURES, suggestion


def rejection(parser, arguments, capsys):
    """Return the one line that a parser prints when it rejects arguments."""
    with pytest.raises(SystemExit) as stop:
        parser.parse_intermixed_args(arguments)
    assert stop.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("--content-weight 5", "--content-weight; did you mean --alpha (in other units: docs"),
        ("--style-weight 500", "did you mean --beta (in"),  # not --style-weights, abbreviated
        ("--image_size=512", "--image_size=512; did you mean --size?"),
        ("-image_size 512", "did you mean --size?"),
        ("--num_iterations 9", "did you mean --iterations?"),
        ("--style_layers conv1_1", "did you mean --style-layers?"),
        ("--original_colors 1", "did you mean --color luminance?"),
        ("--gpu 0", "did you mean --device gpu:N?"),
        ("--min-scale 128", "did you mean --min-size?"),
        ("--max_size 512", "did you mean --size max:N?"),
        ("--progress-write", "did you mean --output (losses.csv and report.html"),
        ("--rescale_image True", "did you mean --rescale?"),
        ("-multidevice_strategy 4,7", "did you mean --memory-limit (tiles on one device"),
        ("--avg-decay 0.99", "did you mean --average?"),
        (
            "--color_convert_type lab",
            "did you mean --color swap, swap-ycbcr, swap-luv or swap-lab?",
        ),
        ("--sze 512", "did you mean --size?"),
        ("--content_image a.jpg", "pictures are given without options, as in photo.jpg painting"),
        ("--style b.jpg", "pictures are given without options"),
        ("-photo.png b.jpg", "write a file name that begins with a dash as ./-photo.png, or after"),
        ("-print_iter 50", "did you mean --print-every?"),
        ("--style-pretrans a.jpg", "did you mean --fine (together with --coarse)?"),
        ("b.jpg -house.png", "./-house.png"),  # not -h
    ],
)
def test_unknown_option_is_an_error_with_a_suggestion(typed, hint, capsys):
    assert hint in rejection(make_parser(), ["x", *typed.split()], capsys)


def test_suggestions_are_options_of_the_same_command(capsys):
    line = rejection(batch_parser(), ["--content_image", "a.jpg"], capsys)
    assert "did you mean --content?" in line
    line = rejection(grid_parser(), ["layers", "--img-size", "9"], capsys)
    assert "did you mean --size?" in line
    line = rejection(app_parser(), ["--model_file", "9"], capsys)
    assert "did you mean --weights?" in line
    line = rejection(app_parser(), ["--content-weight", "9"], capsys)
    assert "did you mean" not in line


def test_every_suggestion_is_an_option_of_run():
    flags = make_parser()._option_string_actions
    for name, target in PEERS.items():
        option = target.split()[0]
        assert option in flags or option.removeprefix("--") in PICTURES, name
        assert f"--{name}" not in flags, name


def test_abbreviations_and_negative_numbers_are_options_and_values():
    options = make_parser().parse_intermixed_args(["--iter", "3", "--activation-shift", "-1"])
    assert (options.iterations, options.activation_shift) == (3, -1)
    assert make_parser().parse_intermixed_args(["--masks", "-", "a.png"]).masks == ("-", "a.png")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--", "-photo.png", "-b.jpg"],
        ["--iterations", "3", "--", "-photo.png", "-b.jpg"],
        ["./-photo.png", "--iterations", "3", "--", "-b.jpg"],
        ["./-photo.png", "--style-layers", "conv1_1", "conv2_1", "--", "-b.jpg"],
    ],
)
def test_arguments_after_two_dashes_are_files(arguments):
    options = make_parser().parse_intermixed_args(arguments)
    assert (options.content, options.style) == ("./-photo.png", ["./-b.jpg"])


def test_file_that_begins_with_a_dash_is_painted(job, pictures, tmp_path):
    pictures[0].rename(tmp_path / "-photo.png")
    assert job("--iterations", 0, "--", "-photo.png", "brush.jpg", pair=()) == 0
    assert (tmp_path / "output" / "-photo_brush" / "result.png").exists()


def test_knobs_in_files_have_the_same_suggestions():
    with pytest.raises(ConfigError, match=r"no option `image_size`; did you mean `size`\?"):
        JobConfig().changed(image_size=3)
    with pytest.raises(ConfigError, match="did you mean `color` luminance"):
        JobConfig().changed(**{"preserve-colors": True})
    with pytest.raises(ConfigError, match=r"did you mean `tv_weight`\?"):
        JobConfig().changed(**{"tv-weight": 1})
    assert suggestion("qqq", ["size"]) == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["https://example.com/a.jpg", "waves"], "https://example.com/a.jpg is an address: down"),
        (["chelsea", "HTTP://example.com/a.jpg"], "download it first, then give the file"),
        (["https:/example.com/a.jpg", "waves"], "is an address"),
        (["file:///home/my%20cat.jpg", "waves"], "is an address: give the path, /home/my cat.jpg"),
        (["chelsea", "waves", "--masks", "not:https://a.b/c.png"], "`masks`: https://a.b/c.png is"),
        (["--init", "https://a.b/c.png"], "`init`: https"),
        (["--weights", "https://a.b/vgg.h5"], "`weights`: https"),
    ],
)
def test_address_in_place_of_a_file_is_explained(arguments, message, capsys):
    assert main(arguments) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert message in line
