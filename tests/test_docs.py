"""The documentation is true: every command and every Python block on every page is run.

`make test` reads: links, pictures, headings, flags, names, inline commands, the table of presets.
`make test-docs` (marker `docs`) runs what stands in blocks, each block in a fresh folder. What is
made smaller for that: painting commands get `--iterations 2` and a size of 64 pixels at the end,
Python `iterations=2` and such sizes. `doc_commands.py` does it, says what else is done, and lists,
with reasons, the few commands that can't be run here.
"""

import argparse
import ast
import re
import runpy
import shlex
import shutil

import pytest
from doc_commands import (
    NOT_RUN,
    check_arguments,
    do_block,
    do_list,
    do_python_blocks,
    key,
    parser_of,
)
from doc_pages import (
    COMMANDS,
    FLAG,
    HEADING,
    LISTS,
    PYTHON,
    ROOT,
    TEXT,
    Block,
    Command,
    all_blocks,
    all_commands,
    anchors,
    blocks,
    commands,
    inline,
    links,
    pages,
    prose,
    read,
)
from mat_files import tiny_vgg, write_matconvnet
from squeezenet_files import tiny_squeezenet, write_npz

import nst_tf as nst

OURS = ("run", "batch", "grid", "report", "doctor", "weights", "app")  # with a command line
# Flags that pages name and that are other programs'; a test says when one is not named any more.
OTHERS = {
    "--check": "notebooks/build.py",
    "--only": "benchmarks",
    "--painting": "benchmarks",
    "--pictures": "benchmarks",
    "--list": "docs/make_gallery.py",
    "--head": "ray start",
    "--address": "ray start, and batch",
}
NOT_OURS = (  # messages of other programs, in the headings of troubleshooting
    "No matching distribution found for tensorflow",
    "cannot import name 'imread' from 'scipy.misc'",
    "module 'tensorflow' has no attribute 'placeholder'",
    "tf.contrib",
    "KeyError: 'normalization'",
)
TITUS = ("--preserve_color", "--hist_match", "--color_mask", "--content_mask")  # tutorial 2's


@pytest.fixture(scope="module")
def texts():
    return {page: read(page) for page in pages()}


# ---------------------------------------------------------------------------- what pages say


@pytest.mark.parametrize("page", pages())
def test_every_link_and_picture_is_there(page):
    lost = []
    for line, _, words, target in links(page):
        path, _, anchor = target.partition("#")
        place = (ROOT / page).parent / path if path else ROOT / page
        if not place.exists():
            lost.append(f"{page}:{line}: {target} is not there")
        elif anchor and anchor not in anchors(place.resolve().relative_to(ROOT).as_posix()):
            lost.append(f"{page}:{line}: {target} has no such heading")
        if not words.strip():
            lost.append(f"{page}:{line}: {target} has no words")
    assert not lost, "\n".join(lost)


def test_the_index_leads_to_every_page_of_the_documentation():
    led = {target.partition("#")[0] for _, _, _, target in links("docs/README.md")}
    here = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert here <= led, here - led


def test_every_block_says_what_it_is():
    known = (COMMANDS, PYTHON, TEXT, *LISTS)
    odd = [f"{each}: {each.language}" for each in every_block() if each.language not in known]
    assert not odd


def every_block():
    return [block for page in pages() for block in blocks(page)]


@pytest.mark.parametrize("page", pages())
def test_every_row_of_a_table_has_as_many_cells_as_its_head(page):
    odd, width = [], None
    for number, line in enumerate(prose(page).splitlines(), 1):
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
        if cells and width and cells != width:
            odd.append(f"{page}:{number}: {cells - 1} cells, {width - 1} in the head")
        width = cells and (width or cells)
    assert not odd, "\n".join(odd)


def test_every_flag_that_a_page_names_exists():
    known = {flag for name in OURS for flag in flags(parser_of(name))}
    unknown, named = [], set()
    for page in pages():
        code = [*inline(page), *(block.text for block in blocks(page) if block.language != PYTHON)]
        for flag in (flag for words in code for flag in FLAG.findall(words)):
            named.add(flag)
            if flag not in known and flag not in OTHERS and flag not in TITUS:
                unknown.append(f"{page}: {flag}")
    assert not unknown, "\n".join(unknown)
    assert set(OTHERS) | set(TITUS) <= named, "no page names them any more"


def flags(parser):
    """Return all flags of a parser and of its commands."""
    if parser is None:
        return
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from flags(command)


@pytest.mark.parametrize("page", pages())
def test_every_public_name_that_a_page_names_exists(page):
    named = set(re.findall(r"\bnst\.([A-Za-z_]\w*)", read(page)))
    assert named <= set(nst.__all__), named - set(nst.__all__)


def test_what_a_page_says_lies_in_a_file_lies_there():
    """As in "`gram_sums` in `style.py`", and in a link of a name to a file of Python."""
    lost = []
    for page in pages():
        found = re.findall(r"`(\w+)`(?:,| and)? +in +`([\w/]+\.py)`", " ".join(prose(page).split()))
        for _, _, words, target in links(page):
            if target.endswith(".py") and words.startswith("`") and "." not in words:
                place = ((ROOT / page).parent / target).resolve()
                found.append((words.strip("`"), place.relative_to(ROOT).as_posix()))
        for name, file in found:
            places = [ROOT / file, ROOT / "nst_tf" / file, (ROOT / page).parent / file]
            place = next((place for place in places if place.is_file()), None)
            defined = rf"^ *((def|class) {name}\b|{name}(, \w+)*\b.*[=:])"
            if place is None or not re.search(defined, place.read_text(encoding="utf-8"), re.M):
                lost.append(f"{page}: {name} in {file}")
    assert not lost, "\n".join(lost)


def test_every_test_that_a_page_names_exists():
    files = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("notebooks/**/tests/*.py")]
    written = "\n".join(file.read_text(encoding="utf-8") for file in files)
    known = set(re.findall(r"\bdef (test_\w+)", written)) | {file.stem for file in files}
    lost = [
        f"{page}: {name}"
        for page in pages()
        for words in inline(page)
        for name in re.findall(r"\btest_\w+", words)
        if name not in known
    ]
    assert not lost, "\n".join(lost)


def test_every_command_within_a_sentence_can_be_typed():
    wrong = []
    for page in pages():
        for words in inline(page):
            if not re.match(r"python -m nst_tf\.\w+ \S", words) or "..." in words:
                continue
            module, *rest = shlex.split(words)[2:]
            if (name := module.removeprefix("nst_tf.")) not in OURS:
                wrong.append(f"{page}: there is no {module}")
            elif parser_of(name) is not None and check_arguments(name, rest):
                wrong.append(f"{page}: {words}")
    assert not wrong, "\n".join(wrong)


def test_every_target_of_make_that_a_page_names_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    named = {
        found[1]
        for page in pages()
        for words in inline(page)
        if (found := re.fullmatch(r"make ([a-z-]+)", words))
    }
    assert named <= known, named - known


def test_the_messages_that_troubleshooting_quotes_are_ours():
    """Some three words of each stand together in a text of the package."""
    texts = [
        node.value
        for file in (ROOT / "nst_tf").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    lost, named = [], set()
    for heading in HEADING.findall(prose("docs/troubleshooting.md")):
        for words in re.findall(r"`([^`]+)`", heading):
            named.add(words)
            if words not in NOT_OURS and not _quoted(words.split(), texts):
                lost.append(words)
    assert not lost, lost
    assert set(NOT_OURS) <= named


def _quoted(words, texts):
    count = min(3, len(words))
    windows = [" ".join(words[at : at + count]) for at in range(len(words) - count + 1)]
    return any(window in text for window in windows for text in texts)


def test_the_table_of_presets_is_that_of_the_code():
    made = runpy.run_path(str(ROOT / "docs" / "make_presets.py"))
    assert made["page"]() == read("docs/presets.md"), "run `python docs/make_presets.py`"


# ---------------------------------------------------------------------------- what is not run


def test_what_is_not_run_stands_on_a_page_and_has_a_reason():
    there = {key(command) for command in all_commands()}
    assert set(NOT_RUN) <= there, set(NOT_RUN) - there
    assert all(NOT_RUN.values())


def test_what_is_not_run_could_be_typed():
    for words in map(str.split, NOT_RUN):
        if words[1] != "-m":
            assert (ROOT / words[1]).is_file(), words
        elif words[2].startswith("nst_tf."):
            assert check_arguments(words[2].removeprefix("nst_tf."), words[3:]) == 0, words


# ---------------------------------------------------------------------------- what is run


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    from doc_commands import make_world

    folder = tmp_path_factory.mktemp("world")
    model = tmp_path_factory.mktemp("weights")
    write_matconvnet(model / "imagenet-vgg-verydeep-19.mat", tiny_vgg(19))
    write_npz(model / "squeezenet_v1_1.npz", tiny_squeezenet())
    make_world(folder, model)
    return folder


@pytest.fixture
def sandbox(world, tmp_path, monkeypatch):
    """Return a fresh folder with what a reader has, which is the working directory."""
    import matplotlib as mpl

    mpl.use("Agg")
    folder = tmp_path / "reader"
    shutil.copytree(world, folder, symlinks=True, ignore=shutil.ignore_patterns("earlier"))
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.docs
@pytest.mark.parametrize("block", all_blocks(COMMANDS), ids=str)
def test_the_commands_of_a_block_work(block, sandbox, world, monkeypatch):
    wrong = do_block(block, sandbox, world, monkeypatch)
    assert not wrong, "\n".join(wrong)


@pytest.mark.docs
@pytest.mark.parametrize("block", all_blocks(*LISTS), ids=str)
def test_the_jobs_of_a_list_can_be_done(block, sandbox, world, monkeypatch):
    assert do_list(block, sandbox, world, monkeypatch) == 0


@pytest.mark.docs
@pytest.mark.parametrize(
    "page", [page for page in pages() if PYTHON in {block.language for block in blocks(page)}]
)
def test_the_python_of_a_page_works(page, sandbox, monkeypatch):
    written = [block for block in blocks(page) if block.language == PYTHON]
    do_python_blocks(written, sandbox, monkeypatch)


# ---------------------------------------------------------------------------- can they fail?


@pytest.mark.docs
@pytest.mark.parametrize(
    "line",
    [
        "python -m nst_tf.run photo.jpg painting.jpg --alhpa 2",
        "python -m nst_tf.run photo.jpg painting.jpg --color sepia",
        "python -m nst_tf.run images/content/no_such.jpg painting.jpg",
        "python -m nst_tf.run photo.jpg painting.jpg --size 20x20  # refused, status 0",
        "python -m nst_tf.run --preset no-such",
        "python -m nst_tf.report docs",
        "python -m nst_tf.batch --content 'nowhere/*.jpg' --style painting.jpg",
        "python -m nst_tf.weights verify photo.jpg",
        "python -m pip install -r requirements.txt  # right, but announced otherwise: status 1",
        "make no-such-target",
        "cd photos\npython -m nst_tf.run images/content/coffee.jpg",
    ],
)
def test_a_command_that_does_not_work_is_found(line, sandbox, world, monkeypatch):
    assert do_block(Block("a.md", 1, COMMANDS, line), sandbox, world, monkeypatch)


@pytest.mark.docs
@pytest.mark.parametrize(
    "line",
    [
        "python -m pip install -r requirements-none.txt",
        "python notebooks/none.py",
        "python -m no_such_module",
        "no_such_program",
    ],
)
def test_what_nothing_is_known_of_is_told(line, sandbox, world, monkeypatch):
    with pytest.raises((AssertionError, OSError, KeyError)):
        do_block(Block("a.md", 1, COMMANDS, line), sandbox, world, monkeypatch)


@pytest.mark.docs
def test_a_python_block_that_does_not_work_is_found(sandbox, monkeypatch):
    block = Block("a.md", 1, PYTHON, "import nst_tf\nnst_tf.no_such()")
    with pytest.raises(AttributeError):
        do_python_blocks([block], sandbox, monkeypatch)


def test_a_command_over_several_lines_is_put_together():
    text = "python -m nst_tf.run a.jpg \\\n    b.jpg  # both\n\n# nothing\nmake run\n"
    first, second = commands(Block("a.md", 7, COMMANDS, text))
    assert first.words == ["python", "-m", "nst_tf.run", "a.jpg", "b.jpg"]
    assert (second.where, second.words) == ("a.md:11", ["make", "run"])
    assert Command("a.md:1", "make none  # refused, status 2").status == 2
