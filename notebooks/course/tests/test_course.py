"""The assignment: nothing is given away, and marks are what they should be."""

import nbformat
import pytest
from conftest import COURSE, QUESTIONS, SUBMISSIONS, build, read_submission

WRONG = sorted(path.stem for path in (SUBMISSIONS / "wrong").glob("*.py"))
RIGHT = sorted(path.stem for path in (SUBMISSIONS / "right").glob("*.py"))


def test_there_are_enough_submissions():
    assert len(WRONG) >= 20
    assert len(RIGHT) >= 6


def test_a_submission_names_only_cells_that_exist():
    known = {
        cell.metadata.get("nbgrader", {}).get("grade_id") for cell in build.read_assignment().cells
    }
    for path in SUBMISSIONS.rglob("*.py"):
        submission = read_submission(path)
        assert submission.cells, path
        assert set(submission.cells) <= known, path


def test_a_wrong_one_answers_one_question_and_says_which():
    for name in WRONG:
        submission = read_submission(SUBMISSIONS / "wrong" / f"{name}.py")
        assert list(submission.cells) == [submission.loses], name


def test_questions_have_thirty_points():
    cells = [cell.metadata.get("nbgrader", {}) for cell in build.read_assignment().cells]
    assert sum(cell.get("points", 0) for cell in cells if cell.get("grade")) == 30


def test_nothing_released_gives_anything_away(course):
    files = [path for path in (course / "release").rglob("*") if path.is_file()]
    assert [path.name for path in files] == [build.NAME]
    released = files[0].read_text(encoding="utf-8")
    for secret in build.SECRETS:
        assert secret not in released
    for hidden in hidden_lines():
        assert hidden not in released
    assert released.count("raise NotImplementedError()") >= 10
    assert "Your answers" in released


def hidden_lines():
    """Return the lines of solutions and hidden tests that are nowhere else."""
    lines, hidden, seen = [], False, set()
    for line in (COURSE / "assignment.py").read_text(encoding="utf-8").split("\n"):
        if "### BEGIN" in line or "### END" in line:
            hidden = "BEGIN" in line
        elif hidden and len(line.strip()) > 30:
            lines.append(line.strip().replace('"', '\\"'))
        else:
            seen.add(line.lstrip("# ").strip())
    return [line for line in lines if line not in seen]


def test_there_is_something_hidden():
    assert len(hidden_lines()) > 50


def test_the_released_notebook_is_plain_jupyter(course):
    notebook = nbformat.read(course / "release" / build.ASSIGNMENT / build.NAME, as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert "nbgrader" not in code
    assert "nst_tf" not in code
    assert not any(cell.get("outputs") for cell in notebook.cells)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_submission_loses_its_question_and_no_other(marks, name):
    submission = marks[name]
    assert submission.scores == {**QUESTIONS, submission.loses: 0}, submission.errors


@pytest.mark.parametrize("name", WRONG)
def test_the_message_says_what_to_look_at(marks, name):
    submission = marks[name]
    assert submission.told in submission.errors[submission.loses]
    assert submission.errors[submission.loses]


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_submission_gets_full_marks_whatever_its_style(marks, name):
    assert marks[name].scores == QUESTIONS, marks[name].errors


def test_a_blank_one_gets_nothing_and_is_told_why(marks):
    blank = marks["blank"]
    assert set(blank.scores.values()) == {0}
    for question, error in blank.errors.items():
        assert error.startswith("NotImplementedError"), (question, error)
