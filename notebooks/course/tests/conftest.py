"""A course in a temporary folder, with all committed submissions collected and graded."""

import copy
import importlib.util
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import jupytext
import nbformat
import pytest

COURSE = Path(__file__).resolve().parents[1]
SUBMISSIONS = COURSE / "submissions"
CLASSES = 4
QUESTIONS = {
    f"q{n}": points for n, points in enumerate((2, 3, 3, 3, 3, 2, 5, 2), 1)
}  # graded alone


def module(path):
    """Import a file that belongs to no package."""
    spec = importlib.util.spec_from_file_location(f"course_{path.stem}", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


build = module(COURSE / "build.py")


@dataclass
class Submission:
    """What a student submits: code by question, and the expected grading."""

    name: str
    cells: dict[str, str]
    loses: str | None = None
    told: str = ""
    scores: dict[str, float] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def read_submission(path):
    """Read a file of submissions/: its expected grading, and code below ``# %% q3``."""
    text = path.read_text(encoding="utf-8")
    cells = {}
    for cell in jupytext.reads(text, fmt="py:percent").cells:
        heading = re.match(r"# %% (q\d)", cell.source)
        if heading or "title" in cell.metadata:
            cells[cell.metadata.get("title", "").strip()] = cell.source
    said = {key: found.strip() for key, found in re.findall(r"^(Loses|Told): (.*)$", text, re.M)}
    return Submission(path.stem, cells, said.get("Loses"), said.get("Told", ""))


def submissions():
    """Return all committed submissions, completed by correct answers, and the blank release."""
    right = [read_submission(path) for path in sorted((SUBMISSIONS / "right").glob("*.py"))]
    wrong = [read_submission(path) for path in sorted((SUBMISSIONS / "wrong").glob("*.py"))]
    for submission in [*right, *wrong]:
        submission.cells = {**right[0].cells, **submission.cells}
    return [*right, *wrong, Submission("blank", {})]


def hand_in(released, submission, course):
    """Put a student's cells into the released notebook, and that where nbgrader looks."""
    notebook = copy.deepcopy(released)
    for cell in notebook.cells:
        code = submission.cells.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if code is not None:
            cell.source = code
    path = course / "submitted" / submission.name / build.ASSIGNMENT / build.NAME
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


def graded(course, submission):
    """Read points and error messages from a submission's graded notebook."""
    path = course / "autograded" / submission.name / build.ASSIGNMENT / build.NAME
    for cell in nbformat.read(path, as_version=4).cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if grade_id.endswith("_checks"):
            question = grade_id.removesuffix("_checks")
            errors = [each for each in cell.outputs if each.output_type == "error"]
            submission.errors[question] = "".join(f"{e.ename}: {e.evalue}" for e in errors)
    return submission


def points(course):
    """Return nbgrader's own scores: (student, question) -> points."""
    from nbgrader.api import Gradebook

    found = {}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        for submission in book.assignment_submissions(build.ASSIGNMENT):
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    name = grade.cell.name.removesuffix("_checks")
                    found[submission.student.id, name] = grade.auto_score
    return found


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """Build the course."""
    folder = tmp_path_factory.mktemp("course")
    build.build(folder)
    return folder


def grade(course, handed_in):
    """Hand submissions in, have nbgrader grade them, and read what each got."""
    released = nbformat.read(course / "release" / build.ASSIGNMENT / build.NAME, as_version=4)
    for submission in handed_in:
        hand_in(released, submission, course)
    build.nbgrader("autograde", build.ASSIGNMENT, course=course)
    scores = points(course)
    for submission in handed_in:
        graded(course, submission)
        submission.scores = {q: scores[submission.name, q] for q in QUESTIONS}


@pytest.fixture(scope="session")
def marks(course, tmp_path_factory):
    """Return all submissions, graded, by name; in classes side by side: a kernel waits a lot."""
    everyone, folder = submissions(), tmp_path_factory.mktemp("courses")
    classes = [shutil.copytree(course, folder / str(number)) for number in range(CLASSES)]
    with ThreadPoolExecutor(CLASSES) as pool:
        list(pool.map(grade, classes, (everyone[n::CLASSES] for n in range(CLASSES))))
    return {submission.name: submission for submission in everyone}
