"""Paint the pictures of docs/gallery.md and write that page.

Usage: ``python docs/make_gallery.py [NAME ...]``

`gallery_table.py` lists the pictures. The paintings are saved in output/gallery, in one directory
per command; a picture of the page combines one or several. Existing paintings are not painted
again: after Ctrl-C, run the same command to continue. `--overwrite` draws the pictures again from
existing paintings; `--page` writes only the page.
"""

import argparse
import contextlib
import functools
import hashlib
import shlex
import sys
import textwrap
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]  # the package of this checkout, and the table

from gallery_table import ABOUT, SECTIONS  # noqa: E402

from nst_tf.cli import reported  # noqa: E402
from nst_tf.console import hushed, interrupt_once  # noqa: E402
from nst_tf.errors import NstError, check_choice  # noqa: E402
from nst_tf.files import atomic_file  # noqa: E402
from nst_tf.jobs.settings import make_config  # noqa: E402
from nst_tf.run import make_parser  # noqa: E402
from nst_tf.rundir.layout import MIXED, RESULT, STRIP  # noqa: E402
from nst_tf.scaling.times import in_words  # noqa: E402

PICTURES = HERE / "gallery"
PAGE = HERE / "gallery.md"
PAINTINGS = ROOT / "output" / "gallery"
PROGRAM = "python -m nst_tf.run"
MOST_BYTES = 4_200_000  # of all pictures together
FOLDED = 9  # so many commands are folded up
GAP = 8  # pixels between two tiles
LINE = 22  # and for a line of labels
LETTERS = 15
PAPER, INK = "white", "#333333"
OF_THE_RUN = (
    "output",
    "overwrite",
    "quiet",
    "resume",
    "list_presets",
    "list_samples",
    "print_every",
)


# ---------------------------------------------------------------------------- commands


def all_pictures():
    """Return the pictures of the table by name, in the page's order."""
    return {picture.name: picture for section in SECTIONS for picture in section.pictures}


def command(words):
    """Return what one types for a painting."""
    return f"{PROGRAM} {words}"


def film_commands(picture):
    """Return what one types for a film: one command writes the clip, another paints it."""
    return [
        f"python -m nst_tf.video.sample {picture.clip}",
        f"python -m nst_tf.video {picture.film}",
    ]


def config_of(words, say=lambda line: None):
    """Return the config that the words behind `python -m nst_tf.run` stand for."""
    options = vars(make_parser().parse_intermixed_args(shlex.split(words)))
    return make_config({name: options[name] for name in options if name not in OF_THE_RUN}, say)


def folder_name(config):
    """Return the name of a painting's folder: another one for any other config."""
    pair = "_".join(Path(path).stem for path in (config.content, *config.paintings))
    return f"{pair}-{hashlib.sha256(config.text().encode()).hexdigest()[:8]}"


def folder_of(words):
    """Return the folder that a painting lies in, or will."""
    return PAINTINGS / folder_name(config_of(words))


def result_of(words):
    """Return the file of a painting; with --interpolate, the strip of several."""
    return folder_of(words) / (STRIP if config_of(words).interpolate else RESULT)


def recipe(picture):
    """Return all that a picture depends on, as a text; it lies inside the JPEG."""
    made = [f"{picture.draw} {picture.columns} {picture.width} {picture.box}"]
    made += [f"{each.label}: {each.file or command(each.words)}" for each in picture.paintings]
    made += film_commands(picture) if picture.film else []
    return "\n".join(made)


def recipe_in(path):
    """Return the recipe inside a picture; empty if there is none, or no picture."""
    if not path.exists():
        return ""
    with Image.open(path) as image:
        return image.info.get("comment", b"").decode()


# ---------------------------------------------------------------------------- painting


def paint(pictures):
    """Make the paintings of pictures that are not there yet; yield each picture that can be drawn.

    Parameters
    ----------
    pictures : list of Picture
    """
    with hushed():  # imported late: TensorFlow takes seconds, and the page needs none of it
        from nst_tf.batch.here import run_here
        from nst_tf.batch.progress import Progress
        from nst_tf.jobs.do import found_done
        from nst_tf.jobs.job import DONE
    jobs = {job.name: job for picture in pictures for job in _jobs(picture)}
    left = [job for job in jobs.values() if not found_done(job, PAINTINGS / job.name)]
    due = {picture.name: {job.name for job in _jobs(picture)} for picture in pictures}
    ready = set(jobs) - {job.name for job in left}
    yield from _complete(pictures, due, ready)
    progress = Progress(left, before=len(ready), say=functools.partial(print, flush=True))
    with contextlib.closing(progress):
        for outcome in run_here(left, PAINTINGS, progress):
            progress.ended(outcome)
            if outcome.state != DONE:
                raise NstError(f"{outcome.name}: {outcome.reason}")
            ready.add(outcome.name)
            yield from _complete(pictures, due, ready)


def paint_film(picture):
    """Write the clip of a film and paint it, unless that is done; return the run directory."""
    from nst_tf.video import __main__ as video
    from nst_tf.video import sample

    folder = film_folder(picture)
    if (ROOT / picture.clip.split()[0]).exists() or not sample.main(shlex.split(picture.clip)):
        words = ["--resume", str(folder)] if folder.exists() else shlex.split(picture.film)
        status = video.main([*words, *([] if folder.exists() else ["--output", str(folder)])])
        if status == 0:
            return folder
    raise NstError(f"{picture.name}: the film was not painted")


def film_folder(picture):
    """Return the run directory of a film."""
    return PAINTINGS / f"{picture.name}-{hashlib.sha256(picture.film.encode()).hexdigest()[:8]}"


def _jobs(picture):
    from nst_tf.jobs.do import settled
    from nst_tf.jobs.job import Job

    configs = [config_of(each.words) for each in picture.paintings if each.words]
    return settled([Job(folder_name(config), config) for config in configs], print)


def _complete(pictures, due, ready):
    """Yield the pictures whose paintings are all ready, each once."""
    for picture in pictures:
        if picture.name in due and due[picture.name] <= ready:
            del due[picture.name]
            yield picture


# ---------------------------------------------------------------------------- drawing


@functools.cache
def image_of(painting):
    """Return a painting, or the file that is shown in its place."""
    path = painting.file or result_of(painting.words)
    with Image.open(path) as image:
        return image.convert("RGB")


def tiles(picture):
    """Return the paintings of a picture in rows, a label under each."""
    pairs = [(image_of(each), each.label) for each in picture.paintings]
    return in_rows(pairs, picture.columns, picture.width)


def crop(picture):
    """Return a part of a painting, pixel by pixel."""
    return image_of(picture.paintings[0]).crop(picture.box)


def repeated(picture):
    """Return a painting twice in each direction, edge to edge."""
    image = _as_wide(image_of(picture.paintings[0]), picture.width)
    sheet = Image.new("RGB", (2 * image.width, 2 * image.height))
    for left in (0, image.width):
        for top in (0, image.height):
            sheet.paste(image, (left, top))
    return sheet


def beside(picture):
    """Return a painting, and at its left the photograph above the style, each with its map."""
    result = _as_wide(image_of(picture.paintings[0]), picture.width)
    config = config_of(picture.paintings[0].words)
    half = (result.height - GAP) // 2
    columns = [(config.content, config.style[0]), *filter(None, [config.regions])]
    left = len(columns) * (half + GAP)
    sheet = Image.new("RGB", (left + result.width, result.height), PAPER)
    for number, pair in enumerate(columns):
        for path, top in zip(pair, (0, result.height - half)):
            small = ImageOps.fit(Image.open(path).convert("RGB"), (half, half))
            sheet.paste(small, (number * (half + GAP), top))
    sheet.paste(result, (left, 0))
    return sheet


def mixed(picture):
    """Return the fine and the coarse style, the style that is mixed of them, and the painting."""
    words = picture.paintings[0].words
    config, folder = config_of(words), folder_of(words)
    files = {
        "--fine": config.fine,
        "--coarse": config.coarse,
        "the mixed style": folder / MIXED,
        "the result": folder / RESULT,
    }
    pairs = [(Image.open(path).convert("RGB"), label) for label, path in files.items()]
    return in_rows(pairs, picture.columns, picture.width)


def frames(picture):
    """Return frames of a film, evenly spaced, the originals above the painted ones."""
    painted = film_folder(picture)
    clip = sorted((ROOT / picture.clip.split()[0]).glob("*.png"))
    numbers = [round((len(clip) - 1) * n / (picture.columns - 1)) for n in range(picture.columns)]
    files = [clip[n] for n in numbers] + [painted / f"{n + 1:06d}.png" for n in numbers]
    labels = ["original" for _ in numbers] + [f"frame {n + 1}" for n in numbers]
    pairs = [(Image.open(path).convert("RGB"), label) for path, label in zip(files, labels)]
    return in_rows(pairs, picture.columns, picture.width)


def in_rows(pairs, columns, width):
    """Return images (of pairs with their labels) in rows, none wider than `width`."""
    shrunk = [(_as_wide(image, width), label) for image, label in pairs]
    rows = [shrunk[begin : begin + columns] for begin in range(0, len(shrunk), columns)]
    line = LINE if any(label for _, label in pairs) else 0
    heights = [max(image.height for image, _ in row) + line for row in rows]
    wide = max(sum(image.width + GAP for image, _ in row) for row in rows) - GAP
    sheet = Image.new("RGB", (wide, sum(heights) + GAP * (len(rows) - 1)), PAPER)
    top = 0
    for row, height in zip(rows, heights):
        left = 0
        for image, label in row:
            sheet.paste(image, (left, top))
            _write(sheet, label, left + image.width / 2, top + image.height + LINE / 2)
            left += image.width + GAP
        top += height + GAP
    return sheet


def _as_wide(image, width):
    """Return an image made smaller to a width; never larger."""
    if not width or width >= image.width:
        return image
    return image.resize((width, round(image.height * width / image.width)), Image.LANCZOS)


def _write(sheet, text, x, y):
    font = ImageFont.load_default(LETTERS)
    ImageDraw.Draw(sheet).text((x, y), text, INK, font=font, anchor="mm")


DRAWINGS = {
    "tiles": tiles,
    "crop": crop,
    "repeated": repeated,
    "beside": beside,
    "mixed": mixed,
    "frames": frames,
}


def file_of(picture):
    """Return the file of a picture."""
    return PICTURES / f"{picture.name}.jpg"


def save(picture):
    """Draw a picture and save it, its recipe inside."""
    sheet = DRAWINGS[picture.draw](picture)
    with atomic_file(file_of(picture)) as temporary:
        sheet.save(
            temporary,
            "JPEG",
            quality=picture.quality,
            optimize=True,
            progressive=True,
            comment=recipe(picture).encode(),
        )


# ---------------------------------------------------------------------------- the page


def write_page():
    """Write docs/gallery.md from the table."""
    with atomic_file(PAGE) as temporary:
        temporary.write_text(page(), encoding="utf-8")


def page():
    """Return the page: an introduction, then each section of the table."""
    return "\n\n".join([ABOUT.strip(), *map(_section, SECTIONS)]) + "\n"


def _section(section):
    parts = [f"## {section.title}", _filled(section.text), *map(_entry, section.pictures)]
    return "\n\n".join(filter(None, parts))


def _entry(picture):
    shown = f"![{picture.alt}](gallery/{picture.name}.jpg)"
    commands = [command(each.words) for each in picture.paintings if each.words]
    commands += film_commands(picture) if picture.film else []
    parts = [f"### {picture.title}", shown, _filled(picture.caption), _typed(commands)]
    return "\n\n".join(filter(None, parts))


def _filled(text):
    """Return paragraphs with lines of at most 120 characters."""
    options = {"width": 120, "break_long_words": False, "break_on_hyphens": False}
    return "\n\n".join(textwrap.fill(each, **options) for each in text.strip().split("\n\n"))


def _typed(commands):
    """Return commands as a code block; many of them in a collapsed section."""
    if not commands:
        return ""
    block = "\n".join(["```", *commands, "```"])
    if len(commands) < FOLDED:
        return block
    return f"<details><summary>{len(commands)} commands</summary>\n\n{block}\n\n</details>"


# ---------------------------------------------------------------------------- from the command line


def main(arguments=None):
    """Run the command line; return 0, 2 for bad input, 130 for Ctrl-C."""
    options = make_options().parse_args(arguments)
    return reported(lambda: _run(options))


def make_options():
    """Return the parser."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("names", nargs="*", metavar="NAME", help="names of pictures (default: all)")
    parser.add_argument("--overwrite", action="store_true", help="draw existing pictures again")
    parser.add_argument("--page", action="store_true", help="write only docs/gallery.md")
    parser.add_argument(
        "--list", action="store_true", help="print the names of the pictures and exit"
    )
    return parser


_Raw = argparse.RawDescriptionHelpFormatter


def _run(options):
    known, began = all_pictures(), time.perf_counter()
    if options.list:
        print("\n".join(known))
        return 0
    names = [check_choice("picture", name, known) for name in options.names or known]
    pictures = [] if options.page else [known[name] for name in names]
    if not options.overwrite:
        pictures = [each for each in pictures if recipe_in(file_of(each)) != recipe(each)]
    with contextlib.chdir(ROOT):  # the commands name files from there
        for picture in [each for each in pictures if each.film]:
            paint_film(picture)
        for picture in paint(pictures) if pictures else ():
            save(picture)
            print(
                f"{file_of(picture).relative_to(ROOT)}: {file_of(picture).stat().st_size:,} bytes"
            )
    write_page()
    print(
        f"{len(pictures)} pictures in {in_words(time.perf_counter() - began)}; {PAGE.name} written"
    )
    return 0


if __name__ == "__main__":
    interrupt_once()
    sys.exit(main())
