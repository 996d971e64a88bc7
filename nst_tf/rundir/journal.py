"""journal.json: the checksums of a run's inputs, its precision and versions, and how it ended."""

import contextlib
import hashlib
import importlib.metadata
import json
from dataclasses import replace
from pathlib import Path

from nst_tf.config import JobConfig
from nst_tf.console import to_type
from nst_tf.errors import ConfigError, NstError
from nst_tf.files import atomic_file, read_text
from nst_tf.rundir.checkpoint import checkpoints
from nst_tf.rundir.layout import CONFIG, JOURNAL, RESULT
from nst_tf.scaling.memory import GIB, most_memory

FORMAT = 1
VERSIONS = ("tensorflow", "keras", "numpy", "scipy", "Pillow")  # what numbers depend on


def write_journal(folder, config_file, files, model, precision):
    """Write the checksums of what a run is begun with, and the versions that compute it.

    Parameters
    ----------
    folder : path
    config_file : path
    files : dict of str
        Path of each input by what it is: "content", "style 1", "weights".
    model : str
        The trunk's name.
    precision : {"float32", "mixed"}
        What the run computes in.
    """
    journal = {
        "format": FORMAT,
        "model": model,
        "precision": precision,
        "config": _checksum(config_file),
        "files": {what: {"path": str(p), "sha256": _checksum(p)} for what, p in files.items()},
        "versions": versions(),
    }
    _write(folder, journal)


def finish_journal(folder, result):
    """Note that a run has come to its end, and remove its checkpoints."""
    journal = read_journal(folder)
    journal["finished"] = {
        "iterations": result.iterations,
        "seconds": round(result.seconds, 3),
        "gibibytes": round(most_memory() / GIB, 2),
    }
    _write(folder, journal)
    for path in checkpoints(folder):
        path.unlink()


def read_journal(folder):
    """Return what `write_journal` wrote."""
    path = Path(folder) / JOURNAL
    try:
        journal = json.loads(read_text(path))
        if journal["format"] == FORMAT and isinstance(journal["files"], dict):
            return journal
    except FileNotFoundError:
        raise ConfigError(
            f"{folder} holds no {JOURNAL}: no run has begun there; begin one with "
            f"`{begin_anew(folder)}`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ConfigError(f"{path} is damaged; begin anew with `{begin_anew(folder)}`")


def begin_anew(folder):
    """Return what to type to make a run anew in its folder, from what its files still tell."""
    what = ["CONTENT", "STYLE"]
    for name in (RESULT, CONFIG):
        with contextlib.suppress(NstError):
            config = JobConfig.load(Path(folder) / name)
            if config.content and config.style:
                what = ["--config", Path(folder) / name]
    return to_type(*what, "--output", folder, "--overwrite")


def load_settings(folder):
    """Return the config of a run that is to be gone on with."""
    try:
        return JobConfig.load(Path(folder) / CONFIG)
    except ConfigError as error:
        raise ConfigError(
            f"{error}; put it back, or begin anew with `{begin_anew(folder)}`"
        ) from None


def check_unchanged(folder, config_file, files, say=print):
    """Refuse to go on with a run whose inputs are not those that it was begun with."""
    journal = read_journal(folder)
    changed = [] if journal.get("config") == _checksum(config_file) else [str(config_file)]
    for what, path in files.items():
        then = journal["files"].get(what)
        if not isinstance(then, dict) or then.get("sha256") != _checksum(path):
            changed.append(f"{path} ({what})")
    if changed:
        raise ConfigError(
            f"changed since the run in {folder} was begun: {', '.join(changed)}; put it back, then "
            f"`{to_type('--resume', folder)}`; or begin anew with "
            f"`{to_type('--config', config_file, '--output', 'ANOTHER')}`"
        )
    then, now = journal.get("versions"), versions()
    if then != now and isinstance(then, dict):
        other = [
            f"{name} {then.get(name)} -> {now[name]}" for name in now if then.get(name) != now[name]
        ]
        say(f"begun with other versions ({', '.join(other)}): the last digits may differ")


def settings_to_resume(folder):
    """Return the config of a run that is to be resumed.

    A config.json without the knob `style_margin` was saved by an earlier version: paintings were
    used whole, ``padding="edge"`` applied to the first convolution only, and the schedules "fast"
    and "fine" had other levels. A run with the latter can't be continued.
    """
    config = load_settings(folder)
    if "style_margin" in json.loads(read_text(Path(folder) / CONFIG)):
        return config
    if config.padding == "zero" and config.schedule == "tutorial":
        return replace(config, style_margin=0.0)
    raise ConfigError(
        f"the run in {folder} was begun by an earlier version of nst_tf, with another padding or "
        f"other levels; begin anew with `{begin_anew(folder)}`"
    )


def recorded_precision(config, journal):
    """Return the precision that a run was begun in; "auto" if it is not recorded.

    Runs of earlier versions with ``--precision auto`` did not record what that was.
    """
    if config.precision != "auto":
        return config.precision
    recorded = journal.get("precision")
    return recorded if recorded in ("float32", "mixed") else "auto"


def record_precision(folder, precision, say=print):
    """Add the precision that a run continues in to its journal, which lacks it, and say so."""
    say(f"this run did not record its precision; continuing in {precision}, last digits may differ")
    _write(folder, {**read_journal(folder), "precision": precision})


def versions():
    """Return the versions that a picture's last digits depend on, by package."""
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
