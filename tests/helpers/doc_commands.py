"""Run the commands of the documentation as written, in a temporary folder.

Only the following is changed:

- `python -m nst_tf.X` calls `main` in this process: TensorFlow starts once, and runs share traced
  functions, which does not change the results.
- `run`, `batch` and `grid` get `--iterations 2` and a small `--size` at the end (before `--`):
  64x48, or the size of the command scaled down to a longer side of 64. The same applies to lists
  of jobs. With `--level-iterations` each level has one iteration. `video.sample` writes 4 frames.
- `--precision mixed` becomes float32, which takes half as long where bfloat16 is emulated, and
  needs no separate traces. tests/scaling/test_precision.py compares both.
- In Python, `iterations=N` becomes 2, and sizes are scaled down in the same way.
- The reader's pictures and videos (`photo.jpg`, `photos/cat.jpg`) are created from the samples.
  Runs that a command resumes or shows are created, too, unless an earlier command did so. Files
  of the repository must exist: nothing is created under `images/`.
- `make X` becomes `make --dry-run X`, `nst-tf` becomes `python -m nst_tf.run`.
- `pip install -r FILE` reads the file, `pip install .` is left to tests/test_package.py, and
  JupyterLab is not started.

`NOT_RUN` lists the commands that can't be run, with reasons.
"""

import importlib
import importlib.util
import itertools
import re
import runpy
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from doc_pages import LISTS, ROOT, Command, all_blocks, commands
from packaging.requirements import Requirement
from PIL import Image

LONG_SIDE = 64  # pixels of the longer side
SMALL_SIZE = "64x48"
SMALL_FOR_SCALED_STYLE = "128"  # with --style-scale: the style needs 32 pixels
SMALL_FOR_LEVELS = "256"  # with levels of one's own: the coarsest of three needs 32 pixels
COMMANDS_WITH_SIZE = ("run", "batch", "grid", "video")
PICTURE_NAME = re.compile(r"[\w./-]+\.(?:jpg|jpeg|png|webp|tif|tiff|mp4)\b")
REPOSITORY_FOLDERS = ("images/", "docs/", "output/", "notebooks/")  # not the reader's files
OUTPUT_FLAGS = ("--output", "--index", "--folder")  # their paths are created by the command

RAY = "needs a cluster; tests/batch/test_on_ray.py starts one and compares its pictures"
RAY_FILM = "needs a cluster; tests/video/test_scenes_on_ray.py starts one and compares its frames"
NBGRADER = "needs submissions of students; notebooks/course/tests grades about forty"
FILMS = (  # they need OpenCV
    "python -m nst_tf.video clip.mp4 painting.jpg",
    "python -m nst_tf.video clip.mp4 painting.jpg --masks person.mp4 --keep-content",
    "python -m nst_tf.video clip.mp4 painting.jpg --to 8.5 --size 320 --output output/short",
)
NOT_RUN = {
    **dict.fromkeys([] if find_spec("cv2") else FILMS, "needs requirements-film.txt"),
    "python -m nst_tf.weights fetch vgg19": "535 MB from the network",
    "python -m nst_tf.video clip.mp4 painting.jpg --engine ray": RAY_FILM,
    "python -m nst_tf.batch jobs.toml --engine ray": RAY,
    "python -m nst_tf.batch jobs.toml --engine ray --address auto": RAY,
    "python -m nbgrader autograde nst": NBGRADER,
    "python -m nbgrader generate_feedback nst": NBGRADER,
    "python -m nbgrader export": NBGRADER,
    "python notebooks/course/build.py": "builds and runs the course; `make test-notebooks` does it",
    "python images/make_styles.py": "draws for a minute",
    "python images/make_styles.py --output drawn": "draws for a minute",
    "python -m nst_tf.run photo.jpg painting.jpg --device gpu": "needs a GPU",
    "python -m nst_tf.run photo.jpg painting.jpg --device gpu:1": "needs two GPUs",
}


def key(command):
    """Return a command without its comment, as a key of `NOT_RUN`."""
    return " ".join(command.words)


# ---------------------------------------------------------------------------- scaling down


def smaller_size(size):
    """Return a size for the command line with a longer side of 64 and no side below 32."""
    prefix, colon, value = size.rpartition(":")
    plus = "+" if value.endswith("+") else ""
    sides = [int(side) for side in value.removesuffix(plus).split("x")]
    if max(sides) <= LONG_SIDE:
        return size
    factor = LONG_SIDE / max(sides)
    return prefix + colon + "x".join(str(max(32, round(side * factor))) for side in sides) + plus


def scaled_down(module, args):
    """Return the arguments of a command with fewer iterations and a smaller size."""
    if module == "video.sample":
        return [*args, "--frames", "4", "--size", SMALL_SIZE]
    if module not in COMMANDS_WITH_SIZE or {"--resume", "--list-presets", "--help"} & set(args):
        return args
    args = ["float32" if pair == ("--precision", "mixed") else pair[1] for pair in pairs_of(args)]
    sizes = [args[i + 1] for i, word in enumerate(args[:-1]) if word == "--size"]
    size = smaller_size(sizes[-1]) if sizes else SMALL_SIZE
    size = SMALL_FOR_SCALED_STYLE if "--style-scale" in args else size
    iterations = 2
    if "--level-iterations" in args:
        args, iterations = one_iteration_a_level(args)
    if {"--levels", "--level-iterations"} & set(args):
        size = SMALL_FOR_LEVELS
    end = args.index("--") if "--" in args else len(args)
    fewer = ["--frame-iterations", "2"] if module == "video" else []
    return [*args[:end], "--iterations", str(iterations), *fewer, "--size", size, *args[end:]]


def pairs_of(args):
    """Return each word with the word before it."""
    return zip(["", *args], args)


def one_iteration_a_level(args):
    """Return the arguments with 1 for each number of --level-iterations, and the sum."""
    begin = args.index("--level-iterations") + 1
    count = len(list(itertools.takewhile(str.isdigit, args[begin:])))
    return [*args[:begin], *["1"] * count, *args[begin + count :]], count


def scaled_down_python(text):
    """Return Python code with fewer iterations and smaller sizes."""

    def pair(match):
        height, width = (int(side) for side in smaller_size(f"{match[1]}x{match[2]}").split("x"))
        return f"size=({height}, {width})"

    text = re.sub(r"\biterations=\d+", "iterations=2", text)
    text = re.sub(r"\bsize=\((\d+), (\d+)\)", pair, text)
    text = re.sub(r'\bsize="([\w:]+)"', lambda match: f'size="{smaller_size(match[1])}"', text)
    return re.sub(r"\bsize=\d+", f"size={LONG_SIDE}", text)


# ---------------------------------------------------------------------------- preparation


def make_world(folder, model):
    """Create the template of the sandboxes: samples, photos, job lists, earlier runs.

    `model` is a folder with tiny weights files, named as in the pages.
    """
    from nst_tf.batch.__main__ import main as batch
    from nst_tf.run import main as run

    for name in ("images", "notebooks/course", "notebooks/build.py", "Makefile"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, target)
    (folder / "docs").symlink_to(ROOT / "docs")
    for file in ROOT.glob("requirements*.txt"):
        shutil.copy(file, folder)
    for name in ("photos/cat.jpg", "photos/cup.jpg", "styles/waves.jpg", "styles/ink.jpg"):
        create_picture(folder, name)
    lists = all_blocks(*LISTS)
    for language in LISTS:
        texts = [block.text for block in lists if block.language == language]
        if texts:
            (folder / f"jobs.{language}").write_text(texts[0])
        for text in texts:
            create_pictures(folder, text)
    earlier = folder / "earlier"
    shutil.copytree(model, earlier / "model")
    options = ["--size", SMALL_SIZE, "--iterations", "3", "--save-every", "1", "--quiet"]
    pair = [str(folder / "photos/cat.jpg"), str(folder / "styles/waves.jpg")]
    assert run([*pair, *options, "--output", str(earlier / "done")]) == 0
    assert (
        batch(
            ["--content", pair[0], "--style", pair[1], *options, "--output", str(earlier / "batch")]
        )
        == 0
    )
    create_interrupted_run(pair, earlier / "cut")


def create_interrupted_run(pair, folder):
    """Create a run that was interrupted after 2 of 3 iterations."""
    from nst_tf import Interrupted, JobConfig, run_job

    def stop(step):
        if step.iteration == 2:
            raise KeyboardInterrupt

    config = JobConfig(
        content=pair[0], style=(pair[1],), size=SMALL_SIZE, iterations=3, checkpoint_every=0
    )
    try:
        run_job(config, folder, callbacks=[stop], say=lambda line: None)
    except Interrupted:
        return
    raise AssertionError("the run was not interrupted")


def create_picture(folder, name):
    """Create a reader's file from a small sample: a picture, a video or a half-white mask."""
    path = folder / name
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".mp4":
        create_video(path)
    elif "mask" in name:
        picture = np.zeros((80, 120), np.uint8)
        picture[:, :60] = 255
        Image.fromarray(picture).save(path)
    else:
        is_style = "paint" in name or "style" in name
        sample = "style/waves.jpg" if is_style else "content/coffee.jpg"
        Image.open(ROOT / "images" / sample).resize((120, 80)).save(path)


def create_video(path):
    import imageio.v3 as iio

    frame = np.asarray(Image.open(ROOT / "images/content/coffee.jpg").resize((96, 64)))
    with iio.imopen(path, "w", plugin="pyav") as video:
        video.init_video_stream("libx264", fps=25)
        for _ in range(2):
            video.write_frame(frame)


def create_pictures(folder, text):
    for pattern in re.findall(r"([\w-]+)/\*\.(\w+)", text):
        if not (folder / pattern[0]).exists() and pattern[0] != "nowhere":
            for name in ("one", "two"):
                create_picture(folder, f"{pattern[0]}/{name}.{pattern[1]}")
    for name in PICTURE_NAME.findall(text):
        if not name.startswith((*REPOSITORY_FOLDERS, "/")) and not Path(name).name[0].isdigit():
            create_picture(folder, name)


def create_earlier_runs(folder, template, module, args):
    """Create the runs that a command reads, unless they exist."""
    earlier = template / "earlier"
    if module == "video.sample":  # it creates the directory that it is given
        return
    for flag, word in zip(["", *args], args):
        if not word.startswith("output") or flag in OUTPUT_FLAGS:
            continue
        target = folder / word
        if word == "output":
            existing = list(target.glob("*/config.json"))
            copies = [] if existing else [(target / "first", "done"), (target / "second", "done")]
        else:
            target = target.parent if target.suffix else target
            state = "done" if flag != "--resume" else "batch" if module == "batch" else "cut"
            copies = [] if target.exists() else [(target, state)]
        for target, state in copies:
            shutil.copytree(earlier / state, target)


def copy_weights(folder, template, args):
    """Copy the tiny weights files that a command names."""
    text = " ".join(args)
    (folder / "model").mkdir(exist_ok=True)
    for file in (template / "earlier" / "model").iterdir():
        if file.name in text or file.stem.partition("_")[0] in text:
            shutil.copy(file, folder / "model")


# ---------------------------------------------------------------------------- execution


def execute(command, folder, template, monkeypatch):
    """Execute a command in `folder`, the working directory; return its status."""
    words = command.words
    while re.fullmatch(r"\w+=.*", words[0]):
        name, _, value = words.pop(0).partition("=")
        monkeypatch.setenv(name, value)
    words = [word for word in words if word not in ("nohup", "&")]
    if ">" in words:
        words = words[: words.index(">")]
    program, *rest = words
    program = "python" if Path(program).name == "python" else program
    if program not in PROGRAMS:
        raise AssertionError(f"{program} is not in PROGRAMS; add it to doc_commands.py")
    return PROGRAMS[program](rest, folder, template, monkeypatch)


def do_python(args, folder, template, monkeypatch):
    if args[0] != "-m":
        return do_script(args, monkeypatch)
    module, rest = args[1], args[2:]
    if module.startswith("nst_tf."):
        return do_nst_tf_module(module.removeprefix("nst_tf."), rest, folder, template, monkeypatch)
    return MODULES[module](rest, folder)


def do_nst_tf_module(module, args, folder, template, monkeypatch):
    if module == "app":
        return check_arguments(module, args)
    inputs = [word for flag, word in zip(["", *args], args) if flag not in OUTPUT_FLAGS]
    create_pictures(folder, " ".join(inputs))
    create_earlier_runs(folder, template, module, args)
    copy_weights(folder, template, args)
    name = f"nst_tf.{module}"
    if importlib.util.find_spec(name).submodule_search_locations:
        name += ".__main__"
    try:
        return importlib.import_module(name).main(scaled_down(module, args))
    except SystemExit as exit_:
        return exit_.code


def check_arguments(module, args):
    """Return 0 if the parser accepts the arguments, else 2."""
    try:
        parser = parser_of(module)
        parse = parser.parse_intermixed_args if module in COMMANDS_WITH_SIZE else parser.parse_args
        parse(args)
    except SystemExit as exit_:
        return exit_.code
    return 0


def parser_of(module):
    """Return the parser of `python -m nst_tf.MODULE`, or None if there is no such module."""
    name = f"nst_tf.{module}"
    spec = importlib.util.find_spec(name)
    if spec is None:
        return None
    cli = importlib.import_module(f"{name}.__main__" if spec.submodule_search_locations else name)
    return (cli.make_parser if hasattr(cli, "make_parser") else cli._parser)()


def do_script(args, monkeypatch):
    """Run a script of the sandbox in this process."""
    path, rest = Path(args[0]), args[1:]
    assert path.is_file(), f"{path} does not exist"
    with monkeypatch.context() as context:
        context.setattr(sys, "argv", [str(path), *rest])
        try:
            runpy.run_path(str(path), run_name="__main__")
        except SystemExit as exit_:
            return exit_.code or 0
    return 0


def do_pip(args, folder):
    """Read the file of `pip install -r FILE`; tests/test_package.py covers `pip install .`."""
    if args == ["install", "."]:
        return 0 if (ROOT / "pyproject.toml").is_file() else 2
    assert args[:2] == ["install", "-r"], args
    assert len(args) == 3, args
    read_requirements(folder / args[2])
    return 0


def read_requirements(path):
    """Return the packages of a requirements file, including those of files it refers to."""
    requirements = []
    for line in path.read_text().splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if line.startswith("-r "):
            requirements += read_requirements(path.with_name(line.removeprefix("-r ").strip()))
        elif line:
            requirements.append(Requirement(line))
    assert requirements, f"{path} names no package"
    return requirements


def do_venv(args, folder):
    return subprocess.run([sys.executable, "-m", "venv", "--without-pip", *args]).returncode


def do_jupyterlab(args, folder):
    """Check that the folder exists and that the requirements include JupyterLab."""
    packages = {package.name for package in read_requirements(folder / "requirements.txt")}
    return 0 if "jupyterlab" in packages and all((folder / word).is_dir() for word in args) else 2


def do_make(args, folder, template, monkeypatch):
    return subprocess.run(["make", "--dry-run", *args], cwd=ROOT, capture_output=True).returncode


def do_cd(args, folder, template, monkeypatch):
    (folder / args[0]).mkdir(parents=True, exist_ok=True)  # created by earlier commands
    monkeypatch.chdir(folder / args[0])
    return 0


def do_nst_tf(args, folder, template, monkeypatch):
    return do_nst_tf_module("run", args, folder, template, monkeypatch)


def do_export(args, folder, template, monkeypatch):
    for word in args:
        name, _, value = word.partition("=")
        monkeypatch.setenv(name, value)
    return 0


def run_program(program):
    """Return a function that runs a program unchanged."""

    def run(args, folder, template, monkeypatch):
        create_earlier_runs(folder, template, "", args)
        return subprocess.run([program, *args], stdout=subprocess.DEVNULL).returncode

    return run


MODULES = {"pip": do_pip, "venv": do_venv, "jupyterlab": do_jupyterlab}
PROGRAMS = {
    "python": do_python,
    "nst-tf": do_nst_tf,
    "make": do_make,
    "cd": do_cd,
    "export": do_export,
    "cp": run_program("cp"),
    "mv": run_program("mv"),
    "ls": run_program("ls"),
}


def do_block(block, folder, template, monkeypatch):
    """Run all commands of a block in order; return descriptions of the failures."""
    failures = []
    for command in commands(block):
        if key(command) in NOT_RUN:
            continue
        status = execute(command, folder, template, monkeypatch)
        if status != command.status:
            failures.append(f"{command.where}: status {status}: {command.text}")
    return failures


def do_list(block, folder, template, monkeypatch):
    """Run the jobs of a list."""
    (folder / f"list.{block.language}").write_text(block.text)
    words = f"python -m nst_tf.batch list.{block.language} --output output/of_list"
    return execute(Command(str(block), words), folder, template, monkeypatch)


def do_python_blocks(blocks, folder, monkeypatch):
    """Run the Python blocks of a page in order, in one namespace."""
    namespace = {"__name__": "page"}
    for block in blocks:
        create_pictures(folder, block.text)
        code = "\n" * (block.line - 1) + scaled_down_python(block.text)
        exec(compile(code, str(ROOT / block.page), "exec"), namespace)
