"""journal.json: checksums of a run's inputs, its precision, package versions and outcome.

It also holds the picture file outside of the run directory, if --output names one.
"""

import contextlib
import hashlib
import importlib.metadata
import json
import os
from dataclasses import replace
from pathlib import Path

from nst_tf.config import JobConfig
from nst_tf.console import print_line, to_type
from nst_tf.errors import ConfigError, NstError
from nst_tf.files import atomic_file, discard, read_text
from nst_tf.image.io import FORMATS
from nst_tf.rundir.checkpoint import checkpoints
from nst_tf.rundir.layout import CONFIG, JOURNAL, RESULT
from nst_tf.scaling.device import gpu_memory
from nst_tf.scaling.memory import GIB, most_gpu_memory, most_memory

FORMAT = 1
VERSIONS = ("tensorflow", "keras", "numpy", "scipy", "Pillow")  # packages that affect the result


def write_journal(folder, config_file, files, model, precision, picture=None, remarks=()):
    """Write the checksums of a run's inputs and the versions of the packages.

    Parameters
    ----------
    folder : path
    config_file : path
    files : dict of str
        Path of each input by role: "content", "style 1", "weights".
    model : str
        The trunk's name.
    precision : {"float32", "mixed"}
        Precision of the run.
    picture : Path, optional
        The file outside of the run directory that gets the result. It may exist.
    remarks : sequence of str
        What was assumed of the inputs.
    """
    journal = {
        "format": FORMAT,
        "model": model,
        "precision": precision,
        "config": _checksum(config_file),
        "files": {role: {"path": str(p), "sha256": _checksum(p)} for role, p in files.items()},
        "versions": versions(),
        "remarks": list(remarks),
    }
    _write(folder, journal)
    if picture is not None:
        record_picture(folder, picture)


def record_picture(folder, picture):
    """Record the picture file of a run, and what it holds: only that may be replaced."""
    picture = Path(os.path.abspath(picture))  # noqa: PTH100 - links are kept
    found = _checksum(picture) if picture.exists() else None
    _write(folder, {**read_journal(folder), "picture": {"path": str(picture), "sha256": found}})


def record_file(folder, role, path):
    """Record a file that the picture depends on, as the run has made it."""
    journal = read_journal(folder)
    journal["files"][role] = {"path": str(path), "sha256": _checksum(path)}
    _write(folder, journal)


def recorded_picture(folder):
    """Return the picture file of a run outside of its directory, or None.

    Raises
    ------
    ConfigError
        Its record is damaged, or another file has come in its place.
    """
    recorded = read_journal(folder).get("picture")
    if recorded is None:
        return None
    if not _is_picture_record(recorded):
        raise ConfigError(
            f"{Path(folder) / JOURNAL} is damaged; start again with `{restart_command(folder)}`"
        )
    path = Path(recorded["path"])
    exists = os.path.lexists(path)
    if exists and (not path.is_file() or _checksum(path) != recorded.get("sha256")):
        raise ConfigError(
            f"{path} was changed since the run in {folder} started; move it away, then "
            f"`{to_type('--resume', folder)}` writes the picture"
        )
    return path


def _is_picture_record(recorded):
    try:
        path = Path(recorded["path"])
        no_name = b"\0" in os.fsencode(path)
    except (TypeError, KeyError, ValueError):  # not a dict, or text that can't be a file name
        return False
    return path.is_absolute() and path.suffix.lower() in FORMATS and not no_name


def finish_journal(folder, result, warnings=(), score=None):
    """Record that a run has finished, with warnings and the score; remove its checkpoints.

    The peaks of memory are those of the process so far, which may have had other runs before.
    """
    journal = read_journal(folder)
    journal["finished"] = {
        "iterations": result.iterations,
        "seconds": round(result.seconds, 3),
        "gibibytes": round(most_memory() / GIB, 2),
        "warnings": list(warnings),
        "score": dict(score or {}),
    }
    if gpu_memory() is not None:
        journal["finished"]["gpu_gibibytes"] = round(most_gpu_memory() / GIB, 2)
    if result.best is not None:
        journal["finished"]["best"] = result.best
    _write(folder, journal)
    for path in checkpoints(folder):
        discard(path)


def read_journal(folder):
    """Return the contents of journal.json."""
    path = Path(folder) / JOURNAL
    try:
        journal = json.loads(read_text(path))
        if journal["format"] == FORMAT and isinstance(journal["files"], dict):
            return journal
    except FileNotFoundError:
        raise ConfigError(
            f"{folder} contains no {JOURNAL}: no run was started there, or the file was lost; put "
            f"it back, or start again and replace all files with `{restart_command(folder)}`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ConfigError(f"{path} is damaged; start again with `{restart_command(folder)}`")


def restart_command(folder):
    """Return the command that repeats a run in its directory, with its settings if readable."""
    inputs = ["CONTENT", "STYLE"]
    for name in (RESULT, CONFIG):
        with contextlib.suppress(NstError):
            config = JobConfig.load(Path(folder) / name)
            if config.content and config.paintings:
                inputs = ["--config", Path(folder) / name]
    return to_type(*inputs, "--output", folder, "--overwrite")


def load_settings(folder):
    """Return the saved config of a run."""
    try:
        return JobConfig.load(Path(folder) / CONFIG)
    except ConfigError as error:
        raise ConfigError(
            f"{error}; restore it, or start again with `{restart_command(folder)}`"
        ) from None


def check_unchanged(folder, config_file, files, say=print_line, command="run"):
    """Check that a run's inputs have not changed since it started.

    `command` is the module of nst_tf that the run is of, for the message.
    """
    journal = read_journal(folder)
    changed = [] if journal.get("config") == _checksum(config_file) else [str(config_file)]
    for role, path in files.items():
        recorded = journal["files"].get(role)
        if not isinstance(recorded, dict) or recorded.get("sha256") != _checksum(path):
            changed.append(f"{path} ({role})")
    if changed:
        raise ConfigError(
            f"changed since the run in {folder} started: {', '.join(changed)}; restore it, then "
            f"`{to_type('--resume', folder, command=command)}`; or start again with "
            f"`{to_type('--config', config_file, '--output', 'ANOTHER', command=command)}`"
        )
    old, new = journal.get("versions"), versions()
    if old != new and isinstance(old, dict):
        different = [
            f"{name} {old.get(name)} -> {new[name]}" for name in new if old.get(name) != new[name]
        ]
        say(f"started with other versions ({', '.join(different)}): the last digits may differ")


def settings_to_resume(folder):
    """Return the config of a run that is to be resumed.

    A config.json without the knob `style_margin` was saved by an earlier version: paintings were
    not cropped, ``padding="edge"`` applied to the first convolution only, and the schedules "fast"
    and "fine" had other levels. A run with the latter can't be continued.
    """
    config = load_settings(folder)
    if "style_margin" in json.loads(read_text(Path(folder) / CONFIG)):
        return config
    if config.padding == "zero" and config.schedule == "tutorial":
        return replace(config, style_margin=0.0)
    raise ConfigError(
        f"the run in {folder} was started by an earlier version of nst_tf, with other padding or "
        f"levels; start again with `{restart_command(folder)}`"
    )


def recorded_precision(config, journal):
    """Return the precision that a run started in; "auto" if it is not recorded.

    Earlier versions did not record the precision that ``--precision auto`` chose.
    """
    if config.precision != "auto":
        return config.precision
    recorded = journal.get("precision")
    return recorded if recorded in ("float32", "mixed") else "auto"


def record_precision(folder, precision, say=print_line):
    """Add the precision of a resumed run to its journal and report it."""
    say(f"this run did not record its precision; continuing in {precision}, last digits may differ")
    _write(folder, {**read_journal(folder), "precision": precision})


def versions():
    """Return the versions of the packages that affect the result, by name."""
    return {name: importlib.metadata.version(name) for name in VERSIONS}


def _checksum(path):
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror or error}") from None


def _write(folder, journal):
    with atomic_file(Path(folder) / JOURNAL) as temporary:
        temporary.write_text(json.dumps(journal, indent=2) + "\n", encoding="utf-8")
