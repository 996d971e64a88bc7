"""Runs the documentation's commands as they are written, in a folder made for them.

What is changed, and nothing else:

- `python -m nst_tf.X` is called in this process, by its `main`, so that TensorFlow starts once;
  and runs share what was traced (`Kept`, which changes no number).
- `run`, `batch` and `grid` get `--iterations 2` and a small `--size` at the end: 64x48, or the
  shape that the command names, made smaller until its longer side is 64. So do lists of jobs.
- In Python `iterations=N` becomes 2, and a size is made smaller in the same way.
- Pictures and films that the reader is to bring (`photo.jpg`, `photos/cat.jpg`) are made of the
  samples, as are runs that a command goes on with or shows and no command before it has made. Those
  that the repository has must be there: nothing is made under `images/`.
- `make X` is `make --dry-run X`, `pip install -r FILE` reads the file, `pip install .` is left
  to tests/test_package.py, `jupyterlab` is not opened.
- `nst-tf` is `python -m nst_tf.run`.

What can't be run is in `NOT_RUN`, by its words, with the reason.
"""

import importlib
import importlib.util
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from docpages import LISTS, ROOT, Command, all_blocks, commands
from packaging.requirements import Requirement
from PIL import Image

LONG = 64  # pixels of the longer side
SMALL = "64x48"
SHRUNK = "128"  # the longer side where the painting is made smaller: it must keep 32 pixels
PAINTERS = ("run", "batch", "grid")
PICTURE = re.compile(r"[\w./-]+\.(?:jpg|jpeg|png|webp|tif|tiff|mp4)\b")
OURS = ("images/", "docs/", "output/", "notebooks/")  # what a reader is not asked to bring
NEW = ("--output", "--index", "--folder")  # what comes after them is made by the command

RAY = "needs a cluster; tests/test_ray.py starts one and compares its pictures"
NBGRADER = "needs what students have handed in; notebooks/course/tests grades some forty"
NOT_RUN = {
    "python -m nst_tf.weights fetch vgg19": "535 MB from the network",
    "python -m nst_tf.batch jobs.toml --engine ray": RAY,
    "python -m nst_tf.batch jobs.toml --engine ray --address auto": RAY,
    "python -m nbgrader autograde nst": NBGRADER,
    "python -m nbgrader generate_feedback nst": NBGRADER,
    "python -m nbgrader export": NBGRADER,
    "python notebooks/course/build.py": "makes and runs the course; `make test-notebooks` does it",
    "python images/make_styles.py": "draws for a minute",
    "python images/make_styles.py --output drawn": "draws for a minute",
    "python -m nst_tf.run photo.jpg painting.jpg --device gpu": "needs a GPU",
}


def key(command):
    """Return a command without its comment: how `NOT_RUN` names it."""
    return " ".join(command.words)


# ---------------------------------------------------------------------------- smaller


def smaller(size):
    """Return a size as the command line takes it, with the longer side at 64 and none below 32."""
    named, colon, value = size.rpartition(":")
    sides = [int(side) for side in value.split("x")]
    if max(sides) <= LONG:
        return size
    factor = LONG / max(sides)
    return named + colon + "x".join(str(max(32, round(side * factor))) for side in sides)


def hastened(module, words):
    """Return the words of a command that paints, with less to do."""
    if module not in PAINTERS or {"--resume", "--list-presets", "--help"} & set(words):
        return words
    sizes = [words[at + 1] for at, word in enumerate(words[:-1]) if word == "--size"]
    size = smaller(sizes[-1]) if sizes else SMALL
    size = SHRUNK if "--style-scale" in words else size
    return [*words, "--iterations", "2", "--size", size]


def hastened_python(text):
    """Return Python with less to do: iterations and sizes."""

    def pair(found):
        height, width = (int(side) for side in smaller(f"{found[1]}x{found[2]}").split("x"))
        return f"size=({height}, {width})"

    text = re.sub(r"\biterations=\d+", "iterations=2", text)
    text = re.sub(r"\bsize=\((\d+), (\d+)\)", pair, text)
    text = re.sub(r'\bsize="([\w:]+)"', lambda found: f'size="{smaller(found[1])}"', text)
    return re.sub(r"\bsize=\d+", f"size={LONG}", text)


# ---------------------------------------------------------------------------- what is there


def make_world(folder, model):
    """Make the folder that sandboxes are copied from: samples, photographs, lists, earlier runs.

    `model` has tiny files of weights, by the names that pages use.
    """
    from nst_tf.batch.__main__ import main as batch
    from nst_tf.run import main as run

    for name in ("images", "notebooks/course", "notebooks/build.py", "Makefile"):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, place)
    (folder / "docs").symlink_to(ROOT / "docs")
    for file in ROOT.glob("requirements*.txt"):
        shutil.copy(file, folder)
    for name in ("photos/cat.jpg", "photos/cup.jpg", "styles/waves.jpg", "styles/ink.jpg"):
        bring(folder, name)
    lists = all_blocks(*LISTS)
    for language in LISTS:
        texts = [block.text for block in lists if block.language == language]
        if texts:
            (folder / f"jobs.{language}").write_text(texts[0])
        for text in texts:
            bring_all(folder, text)
    shutil.copytree(model, folder / "kept" / "model")
    kept = folder / "kept"
    small = ["--size", SMALL, "--iterations", "3", "--save-every", "1", "--quiet"]
    pair = [str(folder / "photos/cat.jpg"), str(folder / "styles/waves.jpg")]
    assert run([*pair, *small, "--output", str(kept / "done")]) == 0
    assert (
        batch(["--content", pair[0], "--style", pair[1], *small, "--output", str(kept / "batch")])
        == 0
    )
    cut_off(pair, kept / "cut")


def cut_off(pair, folder):
    """Leave a run that was interrupted after 2 of 3 iterations."""
    from nst_tf import Interrupted, JobConfig, run_job

    def stop(step):
        if step.iteration == 2:
            raise KeyboardInterrupt

    config = JobConfig(
        content=pair[0], style=(pair[1],), size=SMALL, iterations=3, checkpoint_every=0
    )
    try:
        run_job(config, folder, callbacks=[stop], say=lambda line: None)
    except Interrupted:
        return
    raise AssertionError("the run was not interrupted")


def bring(folder, name):
    """Make a picture that the reader is to bring: a sample, small; of a mask, one half white."""
    path = folder / name
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".mp4":
        make_film(path)
    elif "mask" in name:
        picture = np.zeros((80, 120), np.uint8)
        picture[:, :60] = 255
        Image.fromarray(picture).save(path)
    else:
        styles = "paint" in name or "style" in name
        sample = "style/waves.jpg" if styles else "content/coffee.jpg"
        Image.open(ROOT / "images" / sample).resize((120, 80)).save(path)


def make_film(path):
    import imageio.v3 as iio

    frame = np.asarray(Image.open(ROOT / "images/content/coffee.jpg").resize((96, 64)))
    with iio.imopen(path, "w", plugin="pyav") as film:
        film.init_video_stream("libx264", fps=25)
        for _ in range(2):
            film.write_frame(frame)


def bring_all(folder, text):
    for pattern in re.findall(r"([\w-]+)/\*\.(\w+)", text):
        if not (folder / pattern[0]).exists() and pattern[0] != "nowhere":
            for name in ("one", "two"):
                bring(folder, f"{pattern[0]}/{name}.{pattern[1]}")
    for name in PICTURE.findall(text):
        if not name.startswith((*OURS, "/")) and not Path(name).name[0].isdigit():
            bring(folder, name)


def earlier_runs(folder, world, module, words):
    """Put there the runs that a command reads, unless an earlier command has made them."""
    kept = world / "kept"
    for before, word in zip(["", *words], words):
        if not word.startswith("output") or before in NEW:
            continue
        place = folder / word
        if word == "output":
            there = list(place.glob("*/config.json"))
            places = [] if there else [(place / "first", "done"), (place / "second", "done")]
        else:
            place = place.parent if place.suffix else place
            state = "done" if before != "--resume" else "batch" if module == "batch" else "cut"
            places = [] if place.exists() else [(place, state)]
        for place, state in places:
            shutil.copytree(kept / state, place)


def needed_weights(folder, world, words):
    """Put the tiny stand-ins for weights there that a command names."""
    named = " ".join(words)
    (folder / "model").mkdir(exist_ok=True)
    for file in (world / "kept" / "model").iterdir():
        if file.name in named or file.stem.partition("_")[0] in named:
            shutil.copy(file, folder / "model")


# ---------------------------------------------------------------------------- doing


def perform(command, folder, world, patch):
    """Do what a command says, in `folder`, which is the working directory; return its status."""
    words = command.words
    while re.fullmatch(r"\w+=.*", words[0]):
        name, _, value = words.pop(0).partition("=")
        patch.setenv(name, value)
    words = [word for word in words if word not in ("nohup", "&")]
    if ">" in words:
        words = words[: words.index(">")]
    program, *rest = words
    program = "python" if Path(program).name == "python" else program
    if program not in PROGRAMS:
        raise AssertionError(f"{program}: how is this to be tested? add it to doccommands.py")
    return PROGRAMS[program](rest, folder, world, patch)


def do_python(words, folder, world, patch):
    if words[0] != "-m":
        return do_script(words, patch)
    module, rest = words[1], words[2:]
    if module.startswith("nst_tf."):
        return do_ours(module.removeprefix("nst_tf."), rest, folder, world, patch)
    return MODULES[module](rest, folder)


def do_ours(module, words, folder, world, patch):
    if module == "app":
        return check_arguments(module, words)
    bring_all(folder, " ".join(words))
    earlier_runs(folder, world, module, words)
    needed_weights(folder, world, words)
    name = f"nst_tf.{module}"
    if importlib.util.find_spec(name).submodule_search_locations:
        name += ".__main__"
    try:
        return importlib.import_module(name).main(hastened(module, words))
    except SystemExit as end:
        return end.code


def check_arguments(module, words):
    """Return 0 where the parser takes these words, else 2."""
    try:
        parser = parser_of(module)
        parse = parser.parse_intermixed_args if module in PAINTERS else parser.parse_args
        parse(words)
    except SystemExit as end:
        return end.code
    return 0


def parser_of(module):
    """Return the parser of `python -m nst_tf.MODULE`, or None where there is no such module."""
    name = f"nst_tf.{module}"
    spec = importlib.util.find_spec(name)
    if spec is None:
        return None
    code = importlib.import_module(f"{name}.__main__" if spec.submodule_search_locations else name)
    return (code.make_parser if hasattr(code, "make_parser") else code._parser)()


def do_script(words, patch):
    """Run a script of the sandbox, in this process."""
    path, rest = Path(words[0]), words[1:]
    assert path.is_file(), f"{path} is not there"
    with patch.context() as here:
        here.setattr(sys, "argv", [str(path), *rest])
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as end:
            return end.code or 0
    return 0


def do_pip(words, folder):
    """Read the file of `pip install -r FILE`; tests/test_package.py does `pip install .`."""
    if words == ["install", "."]:
        return 0 if (ROOT / "pyproject.toml").is_file() else 2
    assert words[:2] == ["install", "-r"], words
    assert len(words) == 3, words
    read_requirements(folder / words[2])
    return 0


def read_requirements(path):
    """Return the packages that a file of requirements names, those of other files it names too."""
    found = []
    for line in path.read_text().splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if line.startswith("-r "):
            found += read_requirements(path.with_name(line.removeprefix("-r ").strip()))
        elif line:
            found.append(Requirement(line))
    assert found, f"{path} names no package"
    return found


def do_venv(words, folder):
    return subprocess.run([sys.executable, "-m", "venv", "--without-pip", *words]).returncode


def do_jupyterlab(words, folder):
    """Look whether the folder is there, and whether the requirements have the program."""
    packages = {each.name for each in read_requirements(folder / "requirements.txt")}
    return 0 if "jupyterlab" in packages and all((folder / word).is_dir() for word in words) else 2


def do_make(words, folder, world, patch):
    return subprocess.run(["make", "--dry-run", *words], cwd=ROOT, capture_output=True).returncode


def do_cd(words, folder, world, patch):
    (folder / words[0]).mkdir(parents=True, exist_ok=True)  # what earlier commands would have made
    patch.chdir(folder / words[0])
    return 0


def do_nst_tf(words, folder, world, patch):
    return do_ours("run", words, folder, world, patch)


def do_export(words, folder, world, patch):
    for word in words:
        name, _, value = word.partition("=")
        patch.setenv(name, value)
    return 0


def do_it(program):
    """Return what runs a program as it is."""

    def run(words, folder, world, patch):
        earlier_runs(folder, world, "", words)
        return subprocess.run([program, *words], stdout=subprocess.DEVNULL).returncode

    return run


MODULES = {"pip": do_pip, "venv": do_venv, "jupyterlab": do_jupyterlab}
PROGRAMS = {
    "python": do_python,
    "nst-tf": do_nst_tf,
    "make": do_make,
    "cd": do_cd,
    "export": do_export,
    "cp": do_it("cp"),
    "mv": do_it("mv"),
    "ls": do_it("ls"),
}


def do_block(block, folder, world, patch):
    """Do all commands of a block, one after the other; return what went wrong, in words."""
    wrong = []
    for command in commands(block):
        if key(command) in NOT_RUN:
            continue
        status = perform(command, folder, world, patch)
        if status != command.status:
            wrong.append(f"{command.where}: status {status}: {command.text}")
    return wrong


def do_list(block, folder, world, patch):
    """Do the jobs of a list."""
    (folder / f"list.{block.language}").write_text(block.text)
    words = f"python -m nst_tf.batch list.{block.language} --output output/of_list"
    return perform(Command(str(block), words), folder, world, patch)


def do_python_blocks(blocks, folder, patch):
    """Run the Python of a page from top to bottom, each block with the names of those before."""
    names = {"__name__": "page"}
    for block in blocks:
        bring_all(folder, block.text)
        code = "\n" * (block.line - 1) + hastened_python(block.text)
        exec(compile(code, str(ROOT / block.page), "exec"), names)
