"""What nst_tf needs of Python, checked before anything else is imported."""

import sys
from importlib.util import find_spec

OLDEST_PYTHON = (3, 11)
# Packages that nst_tf needs, by their names in requirements.txt.
MODULES = {
    "tensorflow": "tensorflow",
    "numpy": "numpy",
    "scipy": "scipy",
    "h5py": "h5py",
    "imageio": "imageio",
    "Pillow": "PIL",
    "tifffile": "tifffile",
    "pooch": "pooch",
    "requests": "requests",
    "tqdm": "tqdm",
    "psutil": "psutil",
    "lazy-loader": "lazy_loader",
    "filelock": "filelock",
    "Jinja2": "jinja2",
}


def check_requirements(*, command):
    """Stop if this Python is too old or lacks a package.

    Parameters
    ----------
    command : bool
        Whether a command is starting: then print one line and exit with status 2.

    Raises
    ------
    ModuleNotFoundError
        Python code imports nst_tf.
    """
    problem = _problem()
    if problem and not command:
        raise ModuleNotFoundError(problem)
    if problem:
        sys.stderr.write(f"nst_tf: {problem}\n")
        sys.exit(2)


def _problem():
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        return f"{sys.executable} is Python {found}; nst_tf needs Python 3.11, 3.12 or 3.13"
    missing = [package for package, module in MODULES.items() if find_spec(module) is None]
    return lacks(missing) if missing else ""


def lacks(packages):
    """Return the message about missing packages."""
    return (
        f"{sys.executable} lacks {', '.join(packages)}; "
        "`python -m pip install -r requirements.txt` installs what nst_tf needs"
    )
