"""Figures of the paper from the command line: ``python -m nst_tf.grid layers|weights``."""

import csv
import math
import sys
from dataclasses import fields, replace
from pathlib import Path

if __name__ == "__main__" and not __package__:  # started by its path
    sys.stderr.write("nst_tf: start it as `python -m nst_tf.grid`\n")
    sys.exit(2)

from nst_tf.cli import add_knobs, given, list_action, reported
from nst_tf.config import JobConfig, TransferConfig
from nst_tf.console import OneLineParser, hushed, interrupt_once, print_line, raise_if_interrupted
from nst_tf.errors import ConfigError, Interrupted
from nst_tf.files import atomic_file
from nst_tf.rundir.scores import SCORES, names_in
from nst_tf.samples import SAMPLE_PAIR, resolve_pictures

SHEETS = {
    "layers": "Figure 1: style and content reconstructed from noise, by layer",
    "weights": "Figure 3: alpha/beta against style layers",
}
JOB_KNOBS = {
    *("weights", "pooling", "normalize", "size", "resample", "seed"),
    *("device", "deterministic"),
}
# Knobs that a sheet does not vary between pictures.
TRANSFER_KNOBS = {knob.name for knob in fields(TransferConfig)} - {
    "alpha",
    "beta",
    "content_layer_weights",
    "style_layer_weights",
}
DEFAULTS = {"size": "256"}


def main(arguments=None):
    """Run the command line; return 0, 2 for bad input, 130 for Ctrl-C."""
    options = vars(make_parser().parse_intermixed_args(arguments))
    return reported(lambda: _run(options))


def make_parser():
    """Return the parser: the knobs of `run` that a sheet does not vary."""
    parser = OneLineParser(
        prog="python -m nst_tf.grid",
        usage="%(prog)s layers|weights [CONTENT STYLE] [options]",
        description="Reproduce Figure 1 or Figure 3 of Gatys et al. 2015 as one labeled sheet.",
        epilog="Layers are nested: the first alone, the first two, and so on. Each picture takes "
        "as long as a run of that size.",
    )
    sheets = "; ".join(f"{name}: {text}" for name, text in SHEETS.items())
    parser.add_argument("sheet", choices=SHEETS, metavar="|".join(SHEETS), help=sheets)
    parser.add_argument("content", nargs="?", metavar="CONTENT", help="the photograph")
    parser.add_argument("style", nargs="*", metavar="STYLE", help="the painting")
    parser.add_argument("--output", metavar="DIR", help="default: output/grid_SHEET")
    parser.add_argument("--overwrite", action="store_true", help="overwrite the files in DIR")
    parser.add_argument(
        "--ratios",
        nargs="+",
        action=list_action(float),
        metavar="X",
        help="alpha/beta (default: 1e-5 to 1e-2)",
    )
    parser.add_argument(
        "--sort",
        choices=SCORES,
        default="style_distance",
        help="number of the score that sorts scores.csv, smallest first (default: %(default)s)",
    )
    names = TRANSFER_KNOBS | JOB_KNOBS
    add_knobs(parser, [knob for knob in fields(JobConfig) if knob.name in names])
    return parser


def _run(options):
    options = given(options)
    sheet, ratios = options.pop("sheet"), options.pop("ratios", None)
    output = options.pop("output", f"output/grid_{sheet}")
    overwrite, sort = options.pop("overwrite"), options.pop("sort")
    if ratios is not None and sheet != "weights":
        raise ConfigError("--ratios applies only to the sheet weights")
    pair = {} if "content" in options else SAMPLE_PAIR
    config = JobConfig().changed(**{**pair, **DEFAULTS, **options})
    if not config.style or len(config.style) > 1:
        raise ConfigError("a sheet needs one CONTENT and one STYLE, or neither for the samples")
    config = resolve_pictures(config)
    knobs = {name: options[name] for name in TRANSFER_KNOBS & set(options)}
    if ratios:
        knobs["ratios"] = ratios
    with hushed():  # imported late, so that bad options are rejected at once
        from nst_tf.plots import save_sheet
        from nst_tf.rundir.layout import check_directory_name
    folder = Path(output)
    _check_folder(folder, overwrite)
    check_directory_name(output)
    try:
        figure = _draw(sheet, config, knobs, folder, sort)
    except Interrupted as stop:
        raise Interrupted(
            stop.result, f"interrupted; the finished pictures are in {folder}"
        ) from None
    save_sheet(folder / "sheet.png", figure)
    print_line(folder / "sheet.png")
    return 0


def _draw(sheet, config, knobs, folder, sort):
    """Return the sheet; save each picture and its score when it is finished, so none is lost."""
    with hushed():
        from nst_tf.experiments import layer_grid, weight_grid
        from nst_tf.image.io import save_image
        from nst_tf.jobs.inputs import chosen_weights
        from nst_tf.jobs.load import check_xla, load_trunk_and_images
        from nst_tf.report.score import score
        from nst_tf.scaling.device import choose_device

    def save_picture(row, column, picture):
        path = folder / f"{row}_{column}.png"
        save_image(path, picture)
        print_line(path, flush=True)
        # A texture has the painting's size, so no distance from the content.
        content = content_image if picture.shape == content_image.shape[1:] else None
        scores.append({"picture": path.name, **score(picture, content, style_image, model)})
        _save_scores(folder / "scores.csv", scores, sort)
        raise_if_interrupted()

    config = replace(config, weights=chosen_weights(config.weights))
    print_line(f"computing {choose_device(config.device, deterministic=config.deterministic)}")
    model, images = load_trunk_and_images(config)
    check_xla(replace(config, xla=knobs.get("xla", False)), model)
    for file in folder.glob("[0-9]*_[0-9]*.png"):  # left by an earlier, larger sheet
        file.unlink()
    content_image, style_image = images["content_image"], images["style_image"][0].image
    scores = []
    draw = {"layers": layer_grid, "weights": weight_grid}[sheet]
    return draw(content_image, style_image, model, seed=config.seed, each=save_picture, **knobs)


def _save_scores(path, scores, sort):
    """Write a table with a row for each picture, sorted by a number of its score."""
    with (
        atomic_file(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        table = csv.DictWriter(file, ["picture", *names_in(scores)])
        table.writeheader()
        for row in sorted(scores, key=lambda row: row.get(sort, math.inf)):
            table.writerow(
                {name: f"{x:.6g}" if name != "picture" else x for name, x in row.items()}
            )


def _check_folder(folder, overwrite):
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is not a directory; choose one with --output")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise ConfigError(f"{folder} is not empty; choose another --output or add --overwrite")


if __name__ == "__main__":
    interrupt_once()
    sys.exit(main())
