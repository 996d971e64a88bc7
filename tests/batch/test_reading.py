"""Files of job lists as spreadsheets save them, and Windows paths in TOML and JSON."""

import codecs
import json

import pytest

from nst_tf.batch import reading
from nst_tf.batch.lists import read_jobs
from nst_tf.errors import ConfigError


@pytest.fixture
def read_list(tmp_path):
    """Return a function that writes a job list and reads it back."""

    def read(text, name="jobs.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_jobs(path)

    return read


def table(delimiter, *rows, newline="\r\n"):
    return "".join(delimiter.join(row) + newline for row in rows)


HEADER = ("name", "content", "style", "alpha")


# ------------------------------------------------------------------ tables


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_is_that_of_the_header(read_list, delimiter, tmp_path):
    (job,) = read_list(table(delimiter, HEADER, ("tür", "ä.jpg", "b.jpg", "2.5")))
    assert job.name == "tür"
    assert job.config.content == str(tmp_path / "ä.jpg")
    assert job.config.alpha == 2.5


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_cells_may_contain_other_delimiters(read_list, delimiter, tmp_path):
    row = ("", '"a, b\tc.jpg"', '"d.jpg;e, f, g.jpg"', "2")
    (job,) = read_list(table(delimiter, HEADER, row))
    assert job.config.content == str(tmp_path / "a, b\tc.jpg")
    assert job.config.style == (str(tmp_path / "d.jpg"), str(tmp_path / "e, f, g.jpg"))


def test_quoted_header_and_cells_with_line_breaks(read_list, tmp_path):
    rows = [('"name"', '"content"', '"style"'), ("", '"a\nb.jpg"', '"c.jpg;d.jpg"')]
    (job,) = read_list(table(";", *rows))
    assert job.config.content == str(tmp_path / "a\nb.jpg")
    assert job.config.style == (str(tmp_path / "c.jpg"), str(tmp_path / "d.jpg"))


def test_semicolons_come_with_decimal_commas(read_list):
    header = ("content", "style", "style_weights", "alpha", "seed")
    row, point = ("a.jpg", '"b.jpg;c.jpg"', '"1;2,5"', "1,5e-3", "7"), ("a.jpg", "b.jpg", "", "0.5")
    first, second = read_list(table(";", header, row, point))
    assert first.config.style_weights == (1.0, 2.5)
    assert (first.config.alpha, first.config.seed) == (1.5e-3, 7)
    assert second.config.alpha == 0.5


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_comma_in_a_number_is_ambiguous_elsewhere(read_list, delimiter):
    (job,) = read_list(table(delimiter, HEADER, ("", "a.jpg", "b.jpg", '"1,000"')))
    assert job.problem == "`alpha` is '1,000'; a number was expected"


@pytest.mark.parametrize("value", ["1.000,5", "1,5,5", ","])
def test_number_with_two_marks_is_a_problem(read_list, value):
    (job,) = read_list(table(";", HEADER, ("", "a.jpg", "b.jpg", value)))
    assert job.problem == f"`alpha` is {value!r}; a number was expected"


def test_whole_numbers_and_texts_keep_their_commas(read_list, tmp_path):
    header = ("content", "style", "iterations")
    first, second = read_list(table(";", header, ("a,b.jpg", "c.jpg"), ("a", "c", "2,0")))
    assert first.config.content == str(tmp_path / "a,b.jpg")
    assert second.problem == "`iterations` is '2,0'; a whole number was expected"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("empty", [(), ("", "", "", ""), (" ", "", "\xa0", ""), ("",) * 9])
def test_empty_rows_and_columns_are_skipped(read_list, delimiter, empty):
    row = ("", "a.jpg", "b.jpg", "2")
    rows = [empty, (*HEADER, "", ""), empty, (*row, "", "", ""), empty, row, empty]
    first, second = read_list(table(delimiter, *rows))
    assert first.config == second.config
    assert first.config.alpha == 2


def test_cell_without_a_name_is_a_problem(read_list):
    (job,) = read_list(table(";", (*HEADER, ""), ("", "a.jpg", "b.jpg", "2", "", "note")))
    assert job.problem == "its row has 6 cells, but the first row has 4"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["jobs.csv", "jobs.tsv", "jobs.TXT"])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
def test_encodings_of_spreadsheets(read_list, mark, encoding, name, newline):
    text = table("\t", HEADER, ("tür 漢, a,,,,,,b", "a.jpg", "b.jpg", "2"), newline=newline)
    (job,) = read_list(mark + text.encode(encoding), name)
    assert job.name == "tür 漢, a,,,,,,b"
    assert job.config.alpha == 2


def test_other_lists_may_be_utf_16(read_list):
    text = json.dumps([{"name": "tür", "content": "a.jpg", "style": "b.jpg"}], ensure_ascii=False)
    (job,) = read_list(text.encode("utf-16"), "jobs.json")
    assert job.name == "tür"


@pytest.mark.parametrize(
    ("data", "line", "byte"),
    [
        ("name;content\n\ntür;a.jpg\n".encode("cp1252"), 3, "fc"),
        ("grün;content\n".encode("mac-roman"), 1, "9f"),
        (codecs.BOM_UTF8 + b"name\n\xe9.jpg", 2, "e9"),
        ("name\n".encode("utf-16") + b"\0", 2, "00"),
    ],
)
def test_other_encodings_are_refused(read_list, data, line, byte):
    with pytest.raises(ConfigError) as error:
        read_list(data)
    message = str(error.value)
    assert f"its line {line} has the byte 0x{byte}" in message
    assert 'save it as UTF-8, in a spreadsheet as "CSV UTF-8"' in message


def test_table_of_too_many_rows_ends_early(read_list, monkeypatch):
    monkeypatch.setattr(reading, "MOST", 3)
    with pytest.raises(ConfigError, match="4 jobs are too many; a batch takes at most 3"):
        read_list(table(";", HEADER, *[("", "a.jpg", "b.jpg", "2")] * 9))


# ------------------------------------------------------------------ Windows paths


@pytest.mark.parametrize(
    "path",
    [r"C:\Users\me\a.jpg", r"C:\photos\a.jpg", r"\\server\x.jpg", "D:\\photos\\", r"C:\u12\a.jpg"],
)
@pytest.mark.parametrize(
    ("name", "text", "advice"),
    [
        ("jobs.toml", '[[jobs]]\nstyle = "b"\ncontent = "{}"\n', "in single quotes or with /"),
        ("jobs.json", '[{{"style": "b",\n"content": "{}"}}]', "with / or \\\\"),
    ],
)
def test_windows_path_in_double_quotes_gives_advice(read_list, name, text, advice, path):
    with pytest.raises(ConfigError) as error:
        read_list(text.format(path), name)
    assert f"is not valid {name[-4:].upper()}: " in str(error.value)
    assert f"write Windows paths {advice}" in str(error.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("jobs.toml", "a = 'C:\\Users'\nb = [[\n\n"),
        ("jobs.json", '["C:\\\\Users",\n2 3]'),
        ("jobs.csv", 'content,style\n"C:\\Users'),
    ],
)
def test_other_errors_do_not_advise_on_paths(read_list, name, text):
    with pytest.raises(ConfigError, match="is not valid") as error:
        read_list(text, name)
    assert "Windows" not in str(error.value)


ESCAPED = [
    r"C:\temp\a.jpg",
    r"D:\new\a.jpg",
    r"photos\red.jpg",
    r"C:\folder\a.jpg",
    r"E:\temp\b.jpg",
]


@pytest.mark.parametrize("path", ESCAPED)
@pytest.mark.parametrize("knob", ["content", "style", "masks", "init"])
@pytest.mark.parametrize("name", ["jobs.toml", "jobs.json"])
def test_escape_in_a_path_is_a_problem_of_its_job(read_list, name, path, knob):
    path = path.replace(r"\a", "/a")
    value = f'["{path}"]' if knob in ("style", "masks") else f'"{path}"'
    rest = [f'"{other}": "x.jpg"' for other in ("content", "style") if other != knob]
    entry = ", ".join([f'"{knob}": {value}', *rest])
    fine = '"content": "x.jpg", "style": "y.jpg"'
    if name == "jobs.json":
        text = f"[{{{entry}}}, {{{fine}}}]"
    else:
        entry, fine = (part.replace('": ', '" = ') for part in (entry, fine))
        text = f"jobs = [{{{entry}}}, {{{fine}}}]"
    bad, good = read_list(text, name)
    assert f"`{knob}` is " in bad.problem
    assert f"with the control character {path[path.index(chr(92)) :][:2]}; " in bad.problem
    assert "write Windows paths " in bad.problem
    assert good.config is not None


def test_escape_in_a_default_path_is_an_error_for_all(read_list):
    text = '[defaults]\nstyle = "C:\\temp"\n[[jobs]]\ncontent = "a.jpg"\n'
    with pytest.raises(ConfigError, match=r"`style` is .* in single quotes or with /"):
        read_list(text, "jobs.toml")


@pytest.mark.parametrize("path", ["a\tb.jpg", "not:a\tb.jpg"])
def test_existing_file_may_have_a_tab_in_its_name(read_list, tmp_path, path):
    (tmp_path / "a\tb.jpg").touch()
    (job,) = read_list(json.dumps([{"content": "a", "style": "b", "masks": path}]), "jobs.json")
    assert job.config.masks[0].endswith("a\tb.jpg")


def test_windows_paths_in_single_quotes_are_read(read_list):
    (job,) = read_list("[[jobs]]\ncontent = 'C:\\temp\\a.jpg'\nstyle = 'b'\n", "jobs.toml")
    assert job.config.content.endswith("C:\\temp\\a.jpg")
