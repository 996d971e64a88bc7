"""Lists of jobs: from a TOML, JSON or CSV file or from pairs of pictures, with sweeps of knobs."""

import itertools
import json
import math
import re
from dataclasses import asdict, replace
from pathlib import Path

from nst_tf.batch.pictures import matching
from nst_tf.batch.reading import FORMAT, check_count, read_list
from nst_tf.config import KEYWORDS, NO_MASK, NOT, PATHS, JobConfig
from nst_tf.console import print_line
from nst_tf.errors import ConfigError
from nst_tf.files import address_advice, atomic_file, cut
from nst_tf.image.folders import Folders
from nst_tf.jobs.job import Job
from nst_tf.samples import resolve_picture

LONGEST = 110  # bytes of either half of a generated name
NAME = re.compile(r"[^\s./\\:*?\"<>|\0-\x1f-][^/\\:*?\"<>|\0-\x1f]{0,199}")  # valid on any system
TAKEN = re.compile(r"index(_\d+)?\.html|summary\.csv|jobs\.json", re.IGNORECASE)


# ---------------------------------------------------------------------------- sources of jobs


def read_jobs(path, *, base=None, over=None, sweeps=None, say=print_line):
    """Read the jobs of a file.

    Parameters
    ----------
    path : path
        A .toml or .json with "jobs", tables of knobs, and optionally "defaults" for all of them;
        or a .csv, .tsv or .txt with a column per knob, separated by commas, semicolons or tabs. A
        job's "name" names its folder. Paths are relative to the folder of the file; content and
        style can be names of samples, or folders: such an entry is a job for each picture in them.
    base : JobConfig, optional
        Values of the knobs that are not in the file.
    over : dict, optional
        Knobs that override the file for all jobs.
    sweeps : dict of lists, optional
        Values by knob: each job is run with each of them, in all combinations.
    say : callable or None
        Receives a line about each folder in which files were skipped.

    Returns
    -------
    list of Job
        A job with an invalid knob carries the reason instead of a config.

    Raises
    ------
    ConfigError
        The file can't be read or is not a list of jobs, or a value for all jobs is invalid.
    """
    path = Path(path)
    defaults, entries = read_list(path)
    base = (base or JobConfig()).changed(**_from_folder(path.parent, defaults))
    entries = [(entry.get("name"), _from_folder(path.parent, entry)) for entry in entries]
    return _all_jobs(entries, base, over or {}, sweeps or {}, say)


def pairs(contents, styles=None, *, base=None, over=None, sweeps=None, say=print_line):
    """Return a job for each pair of content and style; without styles, for each content.

    Parameters
    ----------
    contents, styles : sequence of str
        Files, folders, patterns such as "photos/*.jpg", or names of samples.
    base, over, sweeps
        As for `read_jobs`.
    say : callable or None
        Receives a line about contents and one about styles, if files were left out.

    Raises
    ------
    ConfigError
        A folder or pattern has no pictures, or a value for all jobs is invalid.
    """
    contents = matching("content", contents, say)
    styles = [{}] if styles is None else [{"style": (s,)} for s in matching("style", styles, say)]
    check_count(len(contents) * len(styles))
    combined = [{"content": content, **style} for content in contents for style in styles]
    entries = [(None, knobs) for knobs in combined]
    return _all_jobs(entries, base or JobConfig(), over or {}, sweeps or {}, say)


def save_jobs(path, jobs):
    """Write jobs as JSON, atomically; `read_jobs` reads them back."""
    listed = [_as_listed(job) for job in jobs]
    text = json.dumps({"format": FORMAT, "jobs": listed}, indent=1)
    with atomic_file(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def _as_listed(job):
    if job.config is None:
        return {"name": job.name, "problem": job.problem}
    return {"name": job.name, **asdict(job.config)}


# ---------------------------------------------------------------------------- paths


def _from_folder(folder, knobs):
    """Return the knobs with relative paths resolved against a folder."""
    found = {name: value for name, value in knobs.items() if name != "name"}
    for name in set(PATHS) & set(found):
        value = found[name]
        if isinstance(value, str):
            found[name] = _joined(folder, name, value)
        elif isinstance(value, (list, tuple)):
            found[name] = [
                _joined(folder, name, path) if isinstance(path, str) else path for path in value
            ]
    return found


def _joined(folder, name, path):
    if not path or path in (NO_MASK, *KEYWORDS.get(name, ())):
        return path
    if address_advice(path.removeprefix(NOT)):
        return path  # the config refuses it
    if name in ("content", "style", "fine", "coarse", "analogy"):
        return resolve_picture(path, folder)
    inverted = NOT if path.startswith(NOT) else ""
    return inverted + str(folder / path.removeprefix(NOT))


# ---------------------------------------------------------------------------- creating jobs


def _all_jobs(entries, base, over, sweeps, say):
    """Return the jobs of all entries (name or None, knobs) and combinations of the sweeps."""
    for name, values in sweeps.items():
        for value in values:
            base.changed(**{name: value})  # an error that affects all jobs is raised at once
    base.changed(**over)
    combinations = [dict(zip(sweeps, values)) for values in itertools.product(*sweeps.values())]
    check_count(len(entries) * len(combinations))
    if not entries:
        raise ConfigError("there are no jobs in the list; at least one was expected")
    folders, taken, jobs = Folders(say), {}, []
    for number, (name, knobs) in enumerate(entries, 1):
        for swept in combinations:
            found = _jobs(number, name, {**knobs, **over, **swept}, swept, base, folders)
            check_count(len(jobs) + len(found))
            jobs += [Job(_unused(job.name, taken), job.config, job.problem) for job in found]
    return jobs


def _jobs(number, name, knobs, swept, base, folders):
    """Return the jobs of an entry: one, or one for each picture of its folders.

    The job of an invalid entry carries the problem instead of a config.
    """
    problem = knobs.pop("problem", "")
    if name is not None and not _is_name(name):
        problem = (
            f"its name is {name!r:.60}; a plain folder name was expected: no / \\ : * or similar, "
            "no leading dot, at most 220 bytes, not the name of one of the batch's own files"
        )
        name = None
    try:
        if problem:
            raise ConfigError(problem)
        config = base.changed(**knobs)
        _check_pictures(config)
        configs = _with_pictures(config, folders)
    except ConfigError as error:
        name, generated = name or f"job {number}", name is None
        return [Job(_job_name(name, swept, generated=generated), None, str(error))]
    return [Job(_name_of(one, config, name, swept), one) for one in configs]


def _with_pictures(config, folders):
    """Return the configs of all combinations of the pictures in folders."""
    listed = (config.content, *(config.style or ()))
    choices = [folders.pictures(path) for path in listed]
    check_count(math.prod(map(len, choices)))
    if all(path in found for path, found in zip(listed, choices)):  # no folder
        return [config]
    combined = itertools.product(*choices)
    return [
        replace(config, content=content, style=tuple(style) or None) for content, *style in combined
    ]


def _name_of(config, listed, name, swept):
    """Return the name of a job; in that of an entry, add the pictures that came from folders."""
    if name is None:
        return _job_name(folder_name(config), swept, generated=True)
    before, after = ((c.content, *c.paintings) for c in (listed, config))
    added = [f"_{Path(path).stem}" for path, folder in zip(after, before) if path != folder]
    return _job_name(name, swept, added="".join(added))


def _job_name(name, swept, *, added="", generated=False):
    """Return a name with an addition and the values of the sweeps; a listed name is kept as is."""
    if not (generated or added or swept):
        return name
    tail = added + "".join(f"_{knob}-{_value_text(value)}" for knob, value in swept.items())
    return _plain(cut(name, LONGEST) + cut(tail, LONGEST))


def _is_name(name):
    if not isinstance(name, str) or not NAME.fullmatch(name) or TAKEN.fullmatch(name):
        return False
    if len(name.encode(errors="ignore")) > 2 * LONGEST:
        return False
    return name.encode(errors="ignore").decode() == name  # no lone surrogates


def _check_pictures(config):
    if not config.content or not config.paintings or not all(config.paintings):
        raise ConfigError(
            f"content is {config.content!r} and style {config.style!r}; both pictures are needed"
        )


def folder_name(config):
    """Return harbour_waves, or harbour_waves_woodcut for two styles."""
    return "_".join(Path(path).stem for path in (config.content, *config.paintings))


def _value_text(value):
    values = value if isinstance(value, (tuple, list)) else [value]
    return "+".join(f"{item:g}" if isinstance(item, float) else str(item) for item in values)


def _plain(text):
    """Return a text that is a valid folder name on any system."""
    text = re.sub(r"[/\\:*?\"<>|\0-\x1f]", "-", text)
    return re.sub(r"^[\s.-]+|[\s.]+$", "", text) or "job"


def _unused(name, taken):
    """Return the name, or name_2, name_3, ... if it is taken, ignoring case.

    `taken` has the last number of each name, where the search continues: the time for a list of
    many equal names is linear in its length.
    """
    key, candidate = name.casefold(), name
    number = taken.get(key, 0)
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken[key] = max(number, 1)
    taken.setdefault(candidate.casefold(), 1)
    return candidate
