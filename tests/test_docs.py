"""The documentation: its links, tables and names, and every command and Python block on its pages.

`make test` checks links, pictures, headings, flags, names, inline commands and the preset table.
`make test-docs` (marker `docs`) runs the code blocks, each in a new directory, with fewer
iterations and smaller pictures. `doc_commands.py` describes all changes to the commands and lists,
with reasons, the few that can't be run here.
"""

import argparse
import ast
import os
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
    table_blocks,
)
from mat_files import tiny_vgg, write_matconvnet
from squeezenet_files import tiny_squeezenet, write_npz

import nst_tf as nst

MODULES = ("run", "batch", "video", "video.sample", "grid", "report", "doctor", "weights", "app")
# Flags of other programs, each named on some page.
OTHER_FLAGS = {
    "--check": "notebooks/build.py",
    "--only": "benchmarks",
    "--painting": "benchmarks",
    "--pictures": "benchmarks",
    "--peers-python": "benchmarks",
    "--quick": "benchmarks",
    "--tf_xla_persistent_cache_directory": "TensorFlow",
    "--list": "docs/make_gallery.py",
    "--maps": "images/make_masks.py",
    "--head": "ray start",
    "--address": "ray start, and batch",
}
OTHER_MESSAGES = (  # messages of other programs, in the headings of troubleshooting
    "No matching distribution found for tensorflow",
    "cannot import name 'imread' from 'scipy.misc'",
    "module 'tensorflow' has no attribute 'placeholder'",
    "tf.contrib",
    "KeyError: 'normalization'",
)
PEERS = table_blocks("docs/peers.md", "python -m nst_tf.run photo.jpg painting.jpg")
TITU_FLAGS = ("--preserve_color", "--hist_match", "--color_mask", "--content_mask")  # tutorial 2


@pytest.fixture(scope="module")
def texts():
    return {page: read(page) for page in pages()}


# ---------------------------------------------------------------------------- pages


@pytest.mark.parametrize("page", pages())
def test_links_and_pictures_exist(page):
    broken = []
    for line, _, text, target in links(page):
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        if not file.exists():
            broken.append(f"{page}:{line}: {target} is not there")
        elif anchor and anchor not in anchors(file.resolve().relative_to(ROOT).as_posix()):
            broken.append(f"{page}:{line}: {target} has no such heading")
        if not text.strip():
            broken.append(f"{page}:{line}: {target} has no words")
    assert not broken, "\n".join(broken)


def test_index_links_to_every_page():
    linked = {target.partition("#")[0] for _, _, _, target in links("docs/README.md")}
    existing = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert existing <= linked, existing - linked


def test_site_has_every_page():
    index = (ROOT / "docs" / "index.rst").read_text(encoding="utf-8")
    listed = [path.removesuffix(".md") for path in re.findall(r"^   ([\w./]+)$", index, re.M)]
    names = {os.path.normpath(f"docs/{name}") for name in listed} - {"docs/api"}
    assert names == {page.removesuffix(".md") for page in pages()} - {"output/README"}


def test_reference_has_every_public_name_once():
    reference = (ROOT / "docs" / "api.rst").read_text(encoding="utf-8")
    names = re.findall(
        r"^\.\. (?:auto)?(?:function|class|exception|data):: (\w+)$", reference, re.M
    )
    assert sorted(names) == sorted(nst.__all__)


def test_blocks_have_a_known_language():
    known = (COMMANDS, PYTHON, TEXT, *LISTS)
    bad = [f"{block}: {block.language}" for block in every_block() if block.language not in known]
    assert not bad


def every_block():
    return [block for page in pages() for block in blocks(page)]


@pytest.mark.parametrize("page", pages())
def test_table_rows_have_as_many_cells_as_the_head(page):
    wrong, width = [], None
    for number, line in enumerate(prose(page).splitlines(), 1):
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
        if cells and width and cells != width:
            wrong.append(f"{page}:{number}: {cells - 1} cells, {width - 1} in the head")
        width = cells and (width or cells)
    assert not wrong, "\n".join(wrong)


def test_named_flags_exist():
    known = {flag for name in MODULES for flag in flags(parser_of(name))}
    unknown, named = [], set()
    for page in pages():
        code = [*inline(page), *(block.text for block in blocks(page) if block.language != PYTHON)]
        for flag in (flag for text in code for flag in FLAG.findall(text)):
            named.add(flag)
            if flag not in known and flag not in OTHER_FLAGS and flag not in TITU_FLAGS:
                unknown.append(f"{page}: {flag}")
    assert not unknown, "\n".join(unknown)
    assert set(OTHER_FLAGS) | set(TITU_FLAGS) <= named, "no page names them anymore"


def flags(parser):
    """Yield all flags of a parser and of its subcommands."""
    if parser is None:
        return
    for action in parser._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from flags(command)


@pytest.mark.parametrize("page", pages())
def test_public_names_exist(page):
    named = set(re.findall(r"\bnst\.([A-Za-z_]\w*)", read(page)))
    assert named <= set(nst.__all__), named - set(nst.__all__)


def test_names_are_defined_in_the_files_given_for_them():
    """Check "`gram_sums` in `style.py`" and links from a name to a Python file."""
    missing = []
    for page in pages():
        found = re.findall(r"`(\w+)`(?:,| and)? +in +`([\w/]+\.py)`", " ".join(prose(page).split()))
        for _, _, text, target in links(page):
            if target.endswith(".py") and text.startswith("`") and "." not in text:
                place = ((ROOT / page).parent / target).resolve()
                found.append((text.strip("`"), place.relative_to(ROOT).as_posix()))
        for name, file in found:
            places = [ROOT / file, ROOT / "nst_tf" / file, (ROOT / page).parent / file]
            place = next((place for place in places if place.is_file()), None)
            defined = rf"^ *((def|class) {name}\b|{name}(, \w+)*\b.*[=:])"
            if place is None or not re.search(defined, place.read_text(encoding="utf-8"), re.M):
                missing.append(f"{page}: {name} in {file}")
    assert not missing, "\n".join(missing)


def test_named_tests_exist():
    files = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("notebooks/**/tests/*.py")]
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    known = set(re.findall(r"\bdef (test_\w+)", source)) | {file.stem for file in files}
    missing = [
        f"{page}: {name}"
        for page in pages()
        for code in inline(page)
        for name in re.findall(r"\btest_\w+", code)
        if name not in known
    ]
    assert not missing, "\n".join(missing)


def test_inline_commands_are_valid():
    invalid = []
    for page in pages():
        for code in inline(page):
            if not re.match(r"python -m nst_tf\.\w+ \S", code) or "..." in code:
                continue
            module, *arguments = shlex.split(code)[2:]
            if (name := module.removeprefix("nst_tf.")) not in MODULES:
                invalid.append(f"{page}: there is no {module}")
            elif parser_of(name) is not None and check_arguments(name, arguments):
                invalid.append(f"{page}: {code}")
    assert not invalid, "\n".join(invalid)


def test_named_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    named = {
        match[1]
        for page in pages()
        for code in inline(page)
        if (match := re.fullmatch(r"make ([a-z-]+)", code))
    }
    assert named <= known, named - known


def test_troubleshooting_quotes_messages_of_the_package():
    """Three consecutive words of each message occur in a string of the package."""
    texts = [
        node.value
        for file in (ROOT / "nst_tf").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    unknown, named = [], set()
    for heading in HEADING.findall(prose("docs/troubleshooting.md")):
        for message in re.findall(r"`([^`]+)`", heading):
            named.add(message)
            if message not in OTHER_MESSAGES and not _quoted(message.split(), texts):
                unknown.append(message)
    assert not unknown, unknown
    assert set(OTHER_MESSAGES) <= named


def _quoted(words, texts):
    count = min(3, len(words))
    windows = [" ".join(words[at : at + count]) for at in range(len(words) - count + 1)]
    return any(window in text for window in windows for text in texts)


def test_preset_table_is_up_to_date():
    script = runpy.run_path(str(ROOT / "docs" / "make_presets.py"))
    assert script["page"]() == read("docs/presets.md"), "run `python docs/make_presets.py`"


# ---------------------------------------------------------------------------- commands not run


def test_commands_not_run_are_on_a_page_and_have_a_reason():
    on_pages = {key(command) for command in all_commands()}
    assert set(NOT_RUN) <= on_pages, set(NOT_RUN) - on_pages
    assert all(NOT_RUN.values())


def test_commands_not_run_are_valid():
    for words in map(str.split, NOT_RUN):
        if words[1] != "-m":
            assert (ROOT / words[1]).is_file(), words
        elif words[2].startswith("nst_tf."):
            assert check_arguments(words[2].removeprefix("nst_tf."), words[3:]) == 0, words


# ---------------------------------------------------------------------------- blocks


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
    """Change to a new directory with the files of a reader."""
    import matplotlib as mpl

    mpl.use("Agg")
    folder = tmp_path / "reader"
    shutil.copytree(world, folder, symlinks=True, ignore=shutil.ignore_patterns("earlier"))
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.docs
@pytest.mark.parametrize("block", [*all_blocks(COMMANDS), *PEERS], ids=str)
def test_commands_of_a_block_succeed(block, sandbox, world, monkeypatch):
    failures = do_block(block, sandbox, world, monkeypatch)
    assert not failures, "\n".join(failures)


def test_page_of_other_programs_has_all_features_and_commands():
    rows = [line for line in read("docs/peers.md").splitlines() if line.startswith("| ")]
    heads = sum(line.startswith(("| ---", "| feature", "| short")) for line in rows)
    programs = 11
    assert len(rows) - heads - programs == 82
    assert sum(len(commands(block)) for block in PEERS) > 95


@pytest.mark.docs
@pytest.mark.parametrize("block", all_blocks(*LISTS), ids=str)
def test_jobs_of_a_list_succeed(block, sandbox, world, monkeypatch):
    assert do_list(block, sandbox, world, monkeypatch) == 0


@pytest.mark.docs
@pytest.mark.parametrize(
    "page", [page for page in pages() if PYTHON in {block.language for block in blocks(page)}]
)
def test_python_blocks_of_a_page_run(page, sandbox, monkeypatch):
    python_blocks = [block for block in blocks(page) if block.language == PYTHON]
    do_python_blocks(python_blocks, sandbox, monkeypatch)


# ---------------------------------------------------------------------------- failing examples


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
def test_failing_command_is_detected(line, sandbox, world, monkeypatch):
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
def test_unknown_command_raises(line, sandbox, world, monkeypatch):
    with pytest.raises((AssertionError, OSError, KeyError)):
        do_block(Block("a.md", 1, COMMANDS, line), sandbox, world, monkeypatch)


@pytest.mark.docs
def test_failing_python_block_raises(sandbox, monkeypatch):
    block = Block("a.md", 1, PYTHON, "import nst_tf\nnst_tf.no_such()")
    with pytest.raises(AttributeError):
        do_python_blocks([block], sandbox, monkeypatch)


def test_continued_lines_are_joined():
    text = "python -m nst_tf.run a.jpg \\\n    b.jpg  # both\n\n# nothing\nmake run\n"
    first, second = commands(Block("a.md", 7, COMMANDS, text))
    assert first.words == ["python", "-m", "nst_tf.run", "a.jpg", "b.jpg"]
    assert (second.where, second.words) == ("a.md:11", ["make", "run"])
    assert Command("a.md:1", "make none  # refused, status 2").status == 2
