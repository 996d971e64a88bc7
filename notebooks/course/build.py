"""Make the course's folder for nbgrader from `assignment.py`: `python notebooks/course/build.py`.

Under output/course/ it leaves `source/`, `release/` (what students get: no solutions, no hidden
tests) and `solution.ipynb`, run from top to bottom, which is for the teacher.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
COURSE = HERE.parents[1] / "output" / "course"
ASSIGNMENT = "nst"
NAME = "assignment.ipynb"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
# What marks a solution or a hidden test; none of it may be in a released file.
SECRETS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS")


def read_assignment():
    """Return the assignment as a notebook, with solutions and hidden tests."""
    notebook = jupytext.read(HERE / "assignment.py", fmt="py:percent")
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells):
        cell.id = cell.metadata.get("nbgrader", {}).get("grade_id", f"text-{number}")
    return notebook


def build(course=COURSE):
    """Make source, release and solution in a folder, which nbgrader then takes for the course.

    Parameters
    ----------
    course : path
        Existing submissions and grades are not changed.

    Returns
    -------
    path
        Of the released notebook.
    """
    course = Path(course)
    source = course / "source" / ASSIGNMENT / NAME
    source.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "nbgrader_config.py", course)
    nbformat.write(read_assignment(), source)
    nbgrader("generate_assignment", ASSIGNMENT, "--force", course=course)
    return course / "release" / ASSIGNMENT / NAME


def nbgrader(*arguments, course=COURSE):
    """Run nbgrader in the course's folder; raise RuntimeError with its output if it fails."""
    command = [sys.executable, "-m", "nbgrader", *arguments]
    # nbgrader calls `alembic` by name: it is next to Python, which may not be on PATH.
    beside = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        command, cwd=course, env=beside, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"nbgrader {' '.join(arguments)} failed:\n{done.stderr}")
    return done


def solve(path):
    """Run the assignment with its solutions and write it, for the teacher."""
    notebook = read_assignment()
    NotebookClient(notebook, timeout=60).execute()
    nbformat.write(notebook, path)


def main():
    """Build the course and print where it is."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--course", type=Path, default=COURSE, help="the folder to make it in")
    options = parser.parse_args()
    try:
        released = build(options.course)
    except RuntimeError as error:
        raise SystemExit(str(error)) from None
    solve(options.course / "solution.ipynb")
    print(f"for students: {released}")
    print(f"for the teacher: {options.course / 'solution.ipynb'}")


if __name__ == "__main__":
    main()
