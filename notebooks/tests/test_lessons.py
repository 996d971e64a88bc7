"""The lessons run as a learner runs them, and show what their text states."""

import base64
import contextlib
import functools
import io
import itertools
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from conftest import LESSONS, ROOT, build, executed, run
from PIL import Image

LONGEST_CELL = 25  # lines
QUICKSTART, PAPER, GATYS, LOSSES, ART, MASKS, LATER = LESSONS
# Not an assertion about speed: a cell that takes this long on any machine is not quick.
HANGS = 300


@pytest.mark.parametrize("name", LESSONS)
def test_the_notebook_is_what_its_source_says(name):
    assert build.differences(name) == []


@pytest.mark.parametrize("name", LESSONS)
def test_the_notebook_is_small_and_run_in_order(name):
    path = ROOT / "notebooks" / f"{name}.ipynb"
    assert path.stat().st_size < build.MOST_BYTES
    code = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not any(out.output_type == "error" for cell in code for out in cell.outputs)


@pytest.mark.parametrize("name", LESSONS)
def test_a_notebook_names_no_path_of_a_machine(name):
    text = (ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
    assert str(ROOT) not in text
    assert "/home/" not in text
    assert "/tmp/" not in text


@pytest.mark.parametrize("name", LESSONS)
def test_the_form_is_one_that_can_be_followed(name):
    cells = build.read_source(name).cells
    headings = [re.match(r"(#+) ", cell.source) for cell in cells if cell.cell_type == "markdown"]
    levels = [len(found.group(1)) for found in headings if found]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    for wanted in ("**Goals.**", "**Contents**", "**You need**", "*Predict:*"):
        assert wanted in text, wanted
    for wanted in ("### Exercises", "**Tweak.**", "**Twiddle.**", "**Frob.**", "### References"):
        assert wanted in text, wanted
    for cell in cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= LONGEST_CELL, cell.source


def pictures_of(cell):
    """Yield each picture of a cell with its alt text, whether an image or in HTML."""
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/jpeg" in data:
            alt = output.metadata["image/jpeg"]["alt"]
            yield Image.open(io.BytesIO(base64.b64decode(data["image/jpeg"]))), alt
        found = re.search(r'<img alt="([^"]+)" src="data:image/jpeg;base64,([^"]+)"', _html(data))
        if found:
            yield Image.open(io.BytesIO(base64.b64decode(found.group(2)))), found.group(1)


def _html(data):
    return data.get("text/html", "")


# ------------------------------------------------------------------ again, and otherwise


def test_changing_a_constant_and_running_the_next_cell_has_its_effect():
    notebook = build.read_source(GATYS)
    sources = [cell.source for cell in notebook.cells]
    place = next(i for i, source in enumerate(sources) if "final, stages, history = run" in source)
    loop = notebook.cells[place]
    added = [
        nbformat.v4.new_code_cell("before = history[0]['total'], history[-1]['content']"),
        nbformat.v4.new_code_cell("ALPHA = 2.5"),
        nbformat.v4.new_code_cell(loop.source),
        nbformat.v4.new_code_cell(
            "assert history[-1]['content'] < 0.9 * before[1], 'more weight, less content loss'"
        ),
    ]
    notebook.cells = notebook.cells[: place + 1] + added
    run(notebook)


def test_the_set_up_cell_finds_the_project_beside_a_notebook_as_in_colab(tmp_path):
    cells = {source_of_set_up(name) for name in LESSONS}
    assert len(cells) == 1, "all lessons begin alike"
    search, _, brings_tensorflow = cells.pop().partition("try:\n")
    assert brings_tensorflow.strip().startswith("from nst_tf import show")
    show_where = search + "\nprint(Path.cwd().resolve(), sys.path[0])"
    (tmp_path / "nst_tf").symlink_to(ROOT)
    for folder in (tmp_path, ROOT, ROOT / "notebooks"):
        here, first_searched = ended(show_where, folder).stdout.split()
        assert here == str(ROOT)
        assert Path(first_searched).resolve() == ROOT
    (tmp_path / "nst_tf").unlink()
    refused = ended(show_where, tmp_path)
    assert "Clone the project next to this notebook" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert f"Searched: {tmp_path}, {tmp_path.parent}, {tmp_path / 'nst_tf'}" in refused.stderr
    code = tmp_path / "nst_tf" / "nst_tf" / "transfer.py"
    code.parent.mkdir(parents=True)
    code.touch()
    assert "weights and pictures (nst_tf/trans" in ended(show_where, tmp_path).stderr, "no weights"


def test_the_set_up_cell_names_the_command_that_installs_what_is_missing():
    cell = "import sys\nsys.modules['lazy_loader'] = None\n" + source_of_set_up(QUICKSTART)
    refused = ended(cell, ROOT / "notebooks").stderr
    assert f'run `%pip install -r "{ROOT / "requirements.txt"}"` in a new cell' in refused
    assert "Traceback" not in refused


def source_of_set_up(name):
    return next(c.source for c in build.read_source(name).cells if c.cell_type == "code")


def ended(code, folder):
    """Run Python code in a folder, in a separate process."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


# ------------------------------------------------------------------ planted bugs

PLANTED = [
    (PAPER, "return 0.5 * tf.reduce_sum((F - P) ** 2)", "return tf.reduce_mean((F - P) ** 2)"),
    (PAPER, "tf.matmul(F, F, transpose_a=True)", "tf.matmul(F, F, transpose_b=True)"),
    (PAPER, "return 10 * np.log10", "return -10 * np.log10"),
    (PAPER, "step *= 2 if pooling else 1", "step *= 1"),
    (GATYS, "np.rint(np.clip(image[0] + MEAN_VALUES, 0, 255))", "np.rint(image[0] + MEAN_VALUES)"),
    (GATYS, "MEAN_VALUES, 0, 255)", "2 * MEAN_VALUES, 0, 255)"),  # mean added twice
    (GATYS, "np.rint(np.clip(image[0] + MEAN_VALUES, 0, 255))", "(image[0] + MEAN_VALUES - 0.01)"),
    (GATYS, "(picture.astype(np.float32) - MEAN_VALUES)", "(picture[..., ::-1] - MEAN_VALUES)"),
    (GATYS, "return 0.5 * tf.reduce_sum((F - P) ** 2)", "return tf.reduce_sum((F - P) ** 2)"),
    (GATYS, "tf.where(F > 0, F - P, 0.0)", "F - P"),
    (GATYS, "tf.matmul(F, F, transpose_a=True)", "tf.matmul(F, F, transpose_b=True)"),
    (GATYS, "/ (4 * N**2 * M**2)", "/ (N**2 * M**2)"),
    (GATYS, "/ (4 * N**2 * M**2)", "/ (4 * N * M**2)"),
    (GATYS, "tf.matmul(F, gram_matrix(F) - A) / (N**2 * M**2)", "tf.matmul(F, gram_matrix(F) - A)"),
    (GATYS, "flat(maps[CONTENT_LAYER]), P)", "P, P)"),  # compared with itself
    (GATYS, "        total += weight * layer", "        total += layer"),
    (GATYS, "noise_ratio * noise + (1 - noise_ratio)", "(1 - noise_ratio) * noise + noise_ratio"),
    (LOSSES, "zip(weights, grams, targets, strict=True)", "zip(weights, grams, grams)"),
    (LOSSES, "np.pad(picture.astype(np.float32), ", "np.pad(picture, "),  # uint8 wraps
    (LOSSES, "down = x[:, 1:, :, :] - x[:, :-1, :, :]", "down = x[:, 1:-1] - x[:, :-2]"),
    (LOSSES, "return w_t * (tf.reduce_sum(down**2)", "return w_t * (tf.reduce_sum(down)"),
    (LOSSES, "return w_c * tf.reduce_sum", "return 0.5 * w_c * tf.reduce_sum"),
    (LOSSES, "return G / (H * W * C)", "return G / (H * W)"),
    (LOSSES, "Adam(schedule)  # a function", "Adam(float(schedule(0)))  # a function"),
    (ART, "/ (4 * n_H * n_W * n_C)", "/ (n_H * n_W * n_C)"),
    (ART, "tf.matmul(A, A, transpose_b=True)", "tf.matmul(A, A, transpose_a=True)"),
    (ART, "tf.transpose(tf.reshape(a, (-1, n_C)))", "tf.reshape(a, (n_C, -1))"),
    (ART, "alpha * J_content + beta * J_style", "beta * J_content + alpha * J_style"),
    (ART, "weight * compute_layer_style_cost", "compute_layer_style_cost"),
    (ART, '"conv1_1": 0.2', '"conv1_1": 0.3'),
    (MASKS, ".shape[3])) + s\n", ".shape[3])) - s * 0 + 1\n"),
    (MASKS, "2.0 ** (D - d) for", "2.0 ** d for"),
    (MASKS, '"bhwi,bhwj->ij", up, below', '"bhwi,bhwj->ji", up, below'),
    (MASKS, "tf.matmul(T * F, F, transpose_a=True)", "tf.matmul(F, F, transpose_a=True)"),
    (MASKS, "content + (Y - Y_content)", "content + (Y_content - Y)"),
    (MASKS, "L_C @ np.linalg.inv(L_S)", "L_S @ np.linalg.inv(L_C)"),
    (
        LATER,
        "tf.matmul(mean, mean, transpose_a=True)",
        "tf.matmul(mean, 0 * mean, transpose_a=True)",
    ),
    (LATER, "neighbors.unit(neighbors.centered(x))", "neighbors.unit(x)"),
    (LATER, "np.argmax(cosines, 1)", "np.arange(len(rows)) + 10**6"),
    (
        LATER,
        "transport.cosine_emd(first, tf.gather(first, order))",
        "transport.cosine_emd(first, second)",
    ),
    (LATER, "sum(region.mask for region in regions)", "regions[0].mask"),
]


@pytest.fixture(scope="module", autouse=True)
def at_home():
    """Let cells that run here, not in a kernel, find what a kernel's find."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setenv("NST_MODE", "quick")
        patch.setenv("MPLBACKEND", "agg")
        yield


@functools.cache
def replayed(name):
    """Run a lesson's cells here; before each, with the bugs of `PLANTED` that are meant for it.

    Then run every cell once more, in a shuffled order.

    Returns what each cell printed, the planted bugs that no check found, and the cells that
    failed or printed something else in the second pass.
    """
    notebook = [cell for cell in build.read_source(name).cells if cell.cell_type == "code"]
    cells = [cell.source for cell in notebook]
    planted = [(right, wrong) for lesson, right, wrong in PLANTED if lesson == name]
    for right, _ in planted:
        assert sum(right in cell for cell in cells) == 1, f"has moved: {right}"
    names, printed, missed = {"__name__": "lesson"}, [], []
    for place, cell in enumerate(cells):
        for right, wrong in planted:
            if right in cell:
                after = [cell.replace(right, wrong), *cells[place + 1 :]]
                missed += [] if a_check_fails(after, {**names}) else [wrong]
        printed.append(said_by(cell, names))
    differing = []
    for place in np.random.default_rng(0).permutation(len(cells)):
        try:
            again = said_by(cells[place], names)
        except Exception as error:
            differing.append(f"{type(error).__name__}: {error}\n{cells[place]}")
            continue
        drawing = {"figure", "panel"} & set(notebook[place].metadata.get("tags", []))
        if not drawing and SECONDS.sub("", again) != SECONDS.sub("", printed[place]):
            differing.append(f"{printed[place]}\n{again}\n{cells[place]}")
    return printed, missed, differing


SECONDS = re.compile(r"\d+ s\b")


def said_by(cell, names):
    """Run a cell and return what it prints."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(cell, names)
    return said.getvalue()


def a_check_fails(cells, names):
    """Run cells until one of their checks fails; return whether one did."""
    try:
        for cell in cells:
            exec(cell, names)
    except AssertionError:
        return True
    return False


# ------------------------------------------------------------------ each lesson, run


class Run:
    """A lesson is run once for all its tests: `--dist loadscope` gives a class to one worker."""

    name: str

    def test_it_runs_from_top_to_bottom_and_no_cell_hangs(self, record_property):
        seconds = executed(self.name).seconds
        cell = max(seconds, key=seconds.get)
        total = sum(seconds.values())
        record_property(
            "said", f"{self.name}: {total:.0f} s, {seconds[cell]:.0f} of them in cell {cell}"
        )
        assert seconds[cell] < HANGS

    def test_cells_run_again_in_any_order(self):
        assert replayed(self.name)[2] == []

    def test_nothing_is_said_on_stderr(self):
        for cell in executed(self.name).notebook.cells:
            for output in cell.get("outputs", []):
                assert output.get("name") != "stderr", output.text

    def test_every_figure_is_there_has_words_and_shows_something(self):
        figures = [
            c for c in executed(self.name).notebook.cells if "figure" in c.metadata.get("tags", [])
        ]
        assert len(figures) >= 4, self.name
        for cell in figures:
            pictures = list(pictures_of(cell))
            assert pictures, cell.source
            for picture, alt in pictures:
                assert np.asarray(picture).std() > 5, cell.source
                assert len(alt) > 10, cell.source


class Replayed(Run):
    """A lesson with planted bugs, which prints the same numbers in another process."""

    def test_planted_bugs_are_found_by_checks(self):
        assert replayed(self.name)[1] == []

    def test_run_again_it_says_the_same(self):
        cells = [c for c in executed(self.name).notebook.cells if c.cell_type == "code"]
        compared = 0
        for cell, again in zip(cells, replayed(self.name)[0], strict=True):
            if not {"figure", "panel"} & set(cell.metadata.get("tags", [])):
                said = "".join(out.text for out in cell.outputs if out.output_type == "stream")
                assert said == again, cell.source
                compared += len(said) > 0
        assert compared >= 5


# The longest first: what is short fills the end.


class TestMasks(Replayed):
    name = MASKS


class TestPaper(Replayed):
    name = PAPER


class TestLosses(Replayed):
    name = LOSSES


class TestGatys(Replayed):
    name = GATYS


class TestQuickstart(Run):
    name = QUICKSTART


class TestArt(Replayed):
    name = ART


class TestLater(Replayed):
    name = LATER


def test_every_lesson_is_run():
    classes = [*Run.__subclasses__(), *Replayed.__subclasses__()]
    assert {each.name for each in classes if "name" in vars(each)} == set(LESSONS)
