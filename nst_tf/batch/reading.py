"""Read the files of job lists: TOML, JSON, and tables as spreadsheets save them."""

import codecs
import csv
import io
import itertools
import json
import os
import re
import tomllib

from nst_tf.config import NOT, PATHS
from nst_tf.errors import ConfigError
from nst_tf.files import read_bytes
from nst_tf.jobs.settings import KNOBS, POINT, value_of
from nst_tf.suggestions import suggestion

FORMAT = "nst_tf jobs 1"
LARGEST = 2**26  # bytes of a list
MOST = 100_000  # jobs
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # byte order marks
DELIMITERS = {  # of tables -> decimal mark in addition to the point
    ",": POINT,
    ";": ",",  # spreadsheets separate by semicolons where numbers have decimal commas
    "\t": POINT,
}
ESCAPED = {"\b": r"\b", "\t": r"\t", "\n": r"\n", "\f": r"\f", "\r": r"\r"}
WINDOWS_PATHS = {  # kind of file -> how it can hold C:\photos\cat.jpg
    ".toml": "write Windows paths in single quotes or with /, as in 'C:\\photos\\cat.jpg'",
    ".json": 'write Windows paths with / or \\\\, as in "C:/photos/cat.jpg"',
}


def read_list(path):
    """Return the defaults and the entries of a list of jobs.

    Parameters
    ----------
    path : Path
        .toml, .json, or a table: .csv, .tsv or .txt.

    Returns
    -------
    defaults : dict
        Knobs of all jobs.
    entries : list of dict
        Knobs of each job, and its "name". An invalid entry has a "problem" instead of knobs.

    Raises
    ------
    ConfigError
        The file can't be read or is not a list of jobs.
    """
    kind = path.suffix.lower()
    if kind not in READERS:
        raise ConfigError(
            f"{path} is not a list of jobs; a file ending in {', '.join(READERS)} was expected"
        )
    text = _text(path)
    try:
        return READERS[kind](path, text)
    except ConfigError:
        raise
    except (ValueError, RecursionError, csv.Error) as error:
        name = "CSV" if kind not in WINDOWS_PATHS else kind[1:].upper()
        advice = _advice(kind, text, error)
        raise ConfigError(f"{path} is not valid {name}: {error}{advice}") from None


def check_count(count):
    """Raise `ConfigError` if there are more jobs than a batch takes."""
    if count > MOST:
        raise ConfigError(f"{count} jobs are too many; a batch takes at most {MOST}: split it")


# ---------------------------------------------------------------------------- text


def _text(path):
    try:
        if not path.is_file():
            raise ConfigError(f"{path} is not a file; a list of jobs was expected")
        return _decoded(path, read_bytes(path, most=LARGEST))
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror or error}") from None


def _decoded(path, data):
    """Return the text of bytes in UTF-8, or in UTF-16 with a byte order mark.

    An older encoding, such as Windows-1252, can't be distinguished from similar ones, and a wrong
    guess would give another file name: it is refused.
    """
    try:
        text = data.decode("utf-16" if data.startswith(UTF_16) else "utf-8")
        return text.removeprefix("\ufeff")  # the mark of UTF-8
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path} is not UTF-8, nor UTF-16 with a byte order mark: its line {line} has the byte "
            f'0x{data[error.start]:02x}; save it as UTF-8, in a spreadsheet as "CSV UTF-8"'
        ) from None


# ---------------------------------------------------------------------------- TOML and JSON


def _read_toml(path, text):
    return _checked(path, tomllib.loads(text))


def _read_json(path, text):
    listed = json.loads(text)
    return _checked(path, {"jobs": listed} if isinstance(listed, list) else listed)


def _advice(kind, text, error):
    r"""Return what to do about an error in a line with a backslash, such as "C:\Users"."""
    place = re.search(r"\bline (\d+)", str(error))
    if kind not in WINDOWS_PATHS or not place:
        return ""
    line = next(itertools.islice(io.StringIO(text), int(place[1]) - 1, None), "")
    return f"; {WINDOWS_PATHS[kind]}" if "\\" in line else ""


def _checked(path, listed):
    if not isinstance(listed, dict) or not isinstance(listed.get("jobs"), list):
        raise ConfigError(f"{path} contains no jobs; a list of tables under `jobs` was expected")
    other = set(listed) - {"jobs", "defaults", "format"}
    if other:
        raise ConfigError(
            f"{path} has {', '.join(sorted(map(str, other)))} outside `jobs` and `defaults`; put "
            "options for all jobs into `defaults`"
        )
    if listed.get("format", FORMAT) != FORMAT:
        raise ConfigError(f"{path} has format {listed['format']!r:.40}, not {FORMAT!r}")
    defaults = listed.get("defaults", {})
    if not isinstance(defaults, dict) or not all(isinstance(job, dict) for job in listed["jobs"]):
        raise ConfigError(f"{path}: `defaults` and each job must be tables: option = value")
    problem = _escaped_path(path, defaults)
    if problem:
        raise ConfigError(f"{path}: {problem}")
    return defaults, [_with_plain_paths(path, entry) for entry in listed["jobs"]]


def _with_plain_paths(path, entry):
    """Return the entry, or its problem if a path in it was changed by escapes."""
    problem = _escaped_path(path, entry)
    return {"name": entry.get("name"), "problem": problem} if problem else entry


def _escaped_path(path, knobs):
    r"""Return the problem of knobs with a path such as "C:\temp", in which \t is a tab, or "".

    A file name may contain a tab: that of an existing file is no problem.
    """
    for name in set(PATHS) & set(knobs):
        values = knobs[name] if isinstance(knobs[name], list) else [knobs[name]]
        for value in values:
            escaped = ESCAPED.keys() & set(value) if isinstance(value, str) else ()
            if escaped and not os.path.lexists(path.parent / value.removeprefix(NOT)):
                escape = ESCAPED[min(escaped, key=value.index)]
                return (
                    f"`{name}` is {value!r:.60}, with the control character {escape}; "
                    f"{WINDOWS_PATHS[path.suffix.lower()]}"
                )
    return ""


# ---------------------------------------------------------------------------- tables


def _read_table(path, text):
    """Return no defaults and the rows as entries, with cells converted to the types of knobs."""
    delimiter = _delimiter(text)
    rows = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    rows = filter(None, map(_trimmed, rows))  # spreadsheets save empty rows and columns, too
    header = next(rows, [])
    unknown = [name for name in header if name != "name" and name not in KNOBS]
    if unknown or not header:
        hint = suggestion(unknown[0], KNOBS) if unknown else ""
        raise ConfigError(
            f"{path}: its first row has {', '.join(map(repr, unknown)) or 'nothing'}; the names of "
            "options were expected, such as content, style, alpha" + (f"; {hint}" if hint else "")
        )
    entries = []
    for cells in rows:
        entries.append(_entry(header, cells))
        if len(entries) > MOST:
            check_count(len(entries))
    return {}, [_typed_cells(entry, DELIMITERS[delimiter]) for entry in entries]


def _delimiter(text):
    """Return the delimiter of a table: the most frequent one in its first row with a name."""
    named = (line for line in io.StringIO(text, newline="") if re.search(r"\w", line))
    return max(DELIMITERS, key=next(named, "").count)


def _trimmed(row):
    """Return the cells of a row without surrounding spaces and without empty ones at its end."""
    cells = [cell.strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _entry(header, cells):
    entry = {name: cell for name, cell in zip(header, cells) if cell}
    if len(cells) > len(header):
        entry["problem"] = f"its row has {len(cells)} cells, but the first row has {len(header)}"
    return entry


def _typed_cells(entry, decimal):
    try:
        return {name: value_of(name, cell, decimal=decimal) for name, cell in entry.items()}
    except ConfigError as error:
        return {"name": entry.get("name"), "problem": str(error)}


READERS = {
    ".toml": _read_toml,
    ".json": _read_json,
    ".csv": _read_table,
    ".tsv": _read_table,
    ".txt": _read_table,  # "Unicode text" of Excel
}
