"""Search for weights files when no path is given."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
MODEL_PATH = "NST_TF_MODEL_PATH"  # directories, separated as in $PATH


def model_folders():
    """Return the directories to search: ./model, the checkout's model, $NST_TF_MODEL_PATH."""
    extra = os.environ.get(MODEL_PATH, "").split(os.pathsep)
    folders = {}
    for folder in (Path("model"), CHECKOUT / "model", *map(Path, filter(None, extra))):
        folders.setdefault(folder.resolve(), folder)  # no duplicates; keep the first spelling
    return list(folders.values())


def find_model_file(names):
    """Return the first file with one of the names in `model_folders`, or None.

    Each directory is searched for all names before the next one: the earlier directory wins.
    """
    files = (folder / name for folder in model_folders() for name in names)
    return next((file for file in files if file.is_file()), None)
