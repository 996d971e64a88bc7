"""Where weights files are looked for when none is named."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
MODEL_PATH = "NST_TF_MODEL_PATH"  # folders with the system's separator between them, as in $PATH


def model_folders():
    """Return where weights may lie, in order: model/ here, the checkout's, $NST_TF_MODEL_PATH."""
    named = os.environ.get(MODEL_PATH, "").split(os.pathsep)
    folders = {}
    for folder in (Path("model"), CHECKOUT / "model", *map(Path, filter(None, named))):
        folders.setdefault(folder.resolve(), folder)  # each once, as it was first named
    return list(folders.values())


def find_model_file(names):
    """Return the first file of these names in `model_folders`, or None.

    A folder is searched for every name before the next folder is: what lies nearer wins.
    """
    files = (folder / name for folder in model_folders() for name in names)
    return next((file for file in files if file.is_file()), None)
