"""Make the notebooks from their sources: `python notebooks/build.py [NAME ...] [--mode MODE]`.

Edit `src/NAME.py` (jupytext's py:percent format); open `NAME.ipynb`. Each notebook is run from top
to bottom and written with its outputs. `--text` runs nothing, for changes of text only.
`--check` writes nothing: it reports whether the notebooks agree with their sources.
"""

import argparse
import hashlib
import os
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "src"
MODES = ("quick", "default", "full")
MOST_BYTES = 1_000_000  # of a notebook with its outputs
MOST_SECONDS = 1800  # of a cell, in the slowest mode


def names():
    """Return the lessons' names, in order."""
    return sorted(path.stem for path in SOURCES.glob("*.py"))


def read_source(name):
    """Return a lesson as a notebook without outputs; the same source gives the same cell ids."""
    notebook = jupytext.read(SOURCES / f"{name}.py", fmt="py:percent")
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells):
        cell.id = hashlib.sha256(f"{name} {number} {cell.source}".encode()).hexdigest()[:8]
    return notebook


def execute(notebook, mode, *, folder=HERE, **hooks):
    """Run a notebook's cells in order, in place; an error of a cell is raised.

    Parameters
    ----------
    notebook : NotebookNode
    mode : {"quick", "default", "full"}
    folder : path
        Where the kernel starts, as Jupyter's would.
    **hooks
        Of `NotebookClient`, such as `on_cell_executed`.
    """
    environment = {**os.environ, "NST_MODE": mode}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # as a learner's: nst_tf keeps the news off
    client = NotebookClient(
        notebook,
        timeout=MOST_SECONDS,
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
        **hooks,
    )
    client.execute(env=environment)
    return notebook


def build(name, mode):
    """Run a lesson and write it with its outputs."""
    notebook = execute(read_source(name), mode)
    notebook.metadata["language_info"] = {"name": "python"}  # not this machine's version
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran: it would differ at every build
        if "panel" in cell.metadata.get("tags", []):
            cell.outputs = []  # controls without a kernel: an error message in JupyterLab
    write(notebook, name)


def reword(name):
    """Write a lesson whose text has changed and whose code has not: its outputs are still right."""
    new, old = read_source(name), nbformat.read(HERE / f"{name}.ipynb", as_version=4)
    pairs = list(zip(code_cells(new), code_cells(old)))
    same = len(code_cells(new)) == len(code_cells(old))
    if not same or any(cell.source != built.source for cell, built in pairs):
        raise SystemExit(f"the code of {name} has changed: build it without --text")
    for cell, built in pairs:
        cell.outputs, cell.execution_count = built.outputs, built.execution_count
    write(new, name)


def code_cells(notebook):
    """Return a notebook's code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def write(notebook, name):
    """Write a lesson, and complain where it is too large for a repository."""
    path = HERE / f"{name}.ipynb"
    nbformat.write(notebook, path)
    size = path.stat().st_size
    print(f"{path.name}: {size / 1000:.0f} kB")
    if size > MOST_BYTES:
        raise SystemExit(f"{path.name} has {size} bytes, {MOST_BYTES} are allowed: smaller figures")


def differences(name):
    """Return what keeps a notebook from being its source's: a list of sentences, empty if none."""
    path = HERE / f"{name}.ipynb"
    if not path.is_file():
        return [f"{path.name} is missing"]
    built, source = nbformat.read(path, as_version=4), read_source(name)
    if len(built.cells) != len(source.cells):
        return [f"{path.name} has {len(built.cells)} cells, its source {len(source.cells)}"]
    return [
        f"{path.name}, cell {number}: differs from its source"
        for number, (one, other) in enumerate(zip(built.cells, source.cells), 1)
        if (one.id, one.cell_type, one.source) != (other.id, other.cell_type, other.source)
    ]


def main():
    """Build or check the lessons that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names())}")
    parser.add_argument("--mode", choices=MODES, default="default")
    parser.add_argument("--text", action="store_true", help="run nothing: no code has changed")
    parser.add_argument("--check", action="store_true", help="whether sources and notebooks agree")
    options = parser.parse_args()
    unknown = set(options.names) - set(names())
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))} in {SOURCES}")
    chosen = options.names or names()
    if options.check:
        wrong = [line for name in chosen for line in differences(name)]
        print("\n".join(wrong) or "sources and notebooks agree")
        return 2 if wrong else 0
    for name in chosen:
        reword(name) if options.text else build(name, options.mode)
    return 0


if __name__ == "__main__":
    sys.exit(main())
