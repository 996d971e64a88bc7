"""Report of a run and index of many runs: self-contained pages made from the saved files."""

import base64
import io
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst_tf.config import JobConfig
from nst_tf.errors import ImageError
from nst_tf.jobs.settings import make_config
from nst_tf.report.__main__ import main
from nst_tf.report.render import FRAMES, frames_of, write_index, write_report
from nst_tf.run import main as run_main
from nst_tf.run import make_parser
from nst_tf.rundir.record import read_record


class Page(HTMLParser):
    """Text, images and addresses of a page."""

    VOID = frozenset({"meta", "img", "input", "br"})

    def __init__(self, path):
        super().__init__()
        self.text, self.images, self.addresses, self.open = [], [], [], []
        self.feed(Path(path).read_text(encoding="utf-8"))
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "img":
            self.images.append(attrs)
        self.addresses += [value for name, value in attrs.items() if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def contains(self, text):
        return text in " ".join(" ".join(self.text).split())


@pytest.fixture
def done(job):
    """Return the directory of a finished run."""
    assert job("--output", "done", "--alpha", "0.5") == 0
    return Path("done")


def test_run_writes_report(done):
    page = Page(done / "report.html")
    alts = [image.get("alt") for image in page.images]
    assert {"content: house.png", "style: brush.jpg", "result: result.png"} <= set(alts)
    assert [alt for alt in alts if alt.startswith("after")] == [
        f"after {n} iterations" for n in (2, 4, 6)
    ]
    assert page.contains("finished")
    assert page.contains("losses") or page.contains("Losses")
    assert page.contains("credit K. Simonyan and A. Zisserman")
    assert page.contains("GiB peak")
    assert page.contains("alpha 0.5")


def test_report_loads_nothing_external(done):
    page = Page(done / "report.html")
    addresses = [address for address in page.addresses if address and not address.startswith("#")]
    assert addresses
    assert all(address.startswith("data:image/jpeg") for address in addresses)
    text = (done / "report.html").read_text()
    assert "default-src 'none'" in text
    loaded = re.findall(r"url\((?!#)|@import|fetch\(|XMLHttpRequest|WebSocket", text)
    assert loaded == [], "url(#...) names a part of the page itself"


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_timelapse_is_linked_but_not_embedded(job, kind):
    assert job("--output", "film", "--animate", kind) == 0
    page = Page("film/report.html")
    links = [address for address in page.addresses if not address.startswith("data:image/jpeg")]
    assert links == [f"timelapse.{kind}"]
    assert "img-src data:;" in Path("film/report.html").read_text(), "the policy is as it was"


def test_last_output_line_names_report(job, capsys):
    assert job("--output", "done") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert str(Path("done/result.png")) in last
    assert str(Path("done/report.html")) in last


def pixels(image):
    """Return the pixels of an image in a page."""
    data = base64.b64decode(image["src"].partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)))


def test_masks_are_shown_after_their_styles_as_applied(job, pictures):
    content, style = pictures
    half = np.zeros((45, 61), np.uint8)
    half[:, 30:] = 255
    Image.fromarray(half).save("half.png")
    Image.fromarray(half.T[:50, :39]).resize((39, 50)).save("part.png")
    masks = ["--masks", "half.png", "not:half.png", "-", "--style-masks", "-", "-", "part.png"]
    assert job(*masks, "--output", "done", pair=(content, style, style, style)) == 0
    images = {image.get("alt"): image for image in Page("done/report.html").images}
    assert list(images)[:8] == [
        "content: house.png",
        "style 1: brush.jpg",
        "mask 1: half.png",
        "style 2: brush.jpg",
        "mask 2: negative of half.png",
        "style 3: brush.jpg",
        "style mask 3: part.png",
        "result: result.png",
    ]
    one, other = pixels(images["mask 1: half.png"]), pixels(images["mask 2: negative of half.png"])
    assert one[20, 50].min() > 250 > 5 > one[20, 10].max()
    assert other[20, 10].min() > 250 > 5 > other[20, 50].max()
    Path("half.png").unlink()
    assert Page(write_report("done")).contains("half.png can't be shown")


def test_command_in_report_repeats_the_run(done, tmp_path):
    config = JobConfig.load(done / "config.json")
    options = vars(make_parser().parse_intermixed_args(config.arguments()))
    knobs = {name: options[name] for name in JobConfig.__dataclass_fields__}
    assert make_config(knobs) == config


def test_command_line_round_trip_for_every_kind_of_knob():
    config = JobConfig(
        content="a b.jpg",
        style=("x.jpg", "y,z.jpg"),
        clip=False,
        normalize=True,
        activation_shift=-1.5,
        style_layers=("conv1_1", "conv2_1"),
        style_layer_weights=(1.0, 0.25),
        masks=("-", "not:m.png"),
        size="320x240",
        learning_rate=3.0,
        iterations=7,
    )
    options = vars(make_parser().parse_intermixed_args(config.arguments()))
    assert make_config({n: options[n] for n in JobConfig.__dataclass_fields__}) == config


def test_result_picture_contains_config(done):
    embedded, saved = (JobConfig.load(done / name) for name in ("result.png", "config.json"))
    assert embedded == saved.changed(save_every=50), "how often it was saved does not matter to it"
    assert run_main(["--config", str(done / "result.png"), "--output", "again", "--quiet"]) == 0
    assert (done / "result.png").read_bytes() == Path("again/result.png").read_bytes()
    with pytest.raises(ImageError, match="contains no settings"):
        JobConfig.load(done / "000002.png")


def test_report_of_interrupted_run(done):
    shutil.copytree(done, "cut")
    journal = json.loads(Path("cut/journal.json").read_text())
    del journal["finished"]
    Path("cut/journal.json").write_text(json.dumps(journal))
    Path("cut/result.png").unlink()
    page = Page(write_report("cut"))
    assert page.contains("not finished: 6 of 6 iterations")
    assert page.contains("result.png can't be shown")


@pytest.mark.parametrize("text", ["garbage", "", "iteration,total\n0,3\n1,2\n2,"])
def test_damaged_losses_are_not_reported_as_converged(done, text):
    (done / "losses.csv").write_text(text)
    page = Page(write_report(done))
    assert not page.contains("converged")
    assert page.contains("finished; losses.csv is damaged")
    journal = json.loads((done / "journal.json").read_text())
    del journal["finished"]
    (done / "journal.json").write_text(json.dumps(journal))
    count = "1 of 6 iterations" if "3" in text else "losses.csv is damaged"
    assert Page(write_report(done)).contains(f"not finished: {count}")


def test_report_of_converged_run(job):
    assert job("--beta", 0, "--tv-weight", 0, "--optimizer", "lbfgs", "--output", "goal") == 0
    assert Page("goal/report.html").contains("converged: 0 of 6 iterations")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "iteration,total,style,seconds\n0,3,2,0\n1,2,1,1\n2,20",
        "iteration,total,style,seconds\n0,3,2,0\n1,nan,1,1\n2,2,1,2\n",
        "iteration,total\n0,nan\nx,y,z\n\0,,,\n",
    ],
)
def test_report_with_damaged_losses_and_journal(done, text):
    (done / "losses.csv").write_text(text)
    (done / "journal.json").write_text('{"format": 1, "files": {}, "finished": 3, "model": []}')
    assert Page(write_report(done)).contains("Settings")


def test_file_names_are_escaped(done):
    knobs = json.loads((done / "config.json").read_text())
    knobs["content"] = "<script>alert(1)</script>.png"
    (done / "config.json").write_text(json.dumps(knobs))
    text = write_report(done).read_text()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_number_of_frames_is_limited(done):
    record = read_record(done)
    pictures = [(n, Path(f"{n:06d}.png")) for n in range(1, 501)]
    chosen = frames_of(type(record)(**{**vars(record), "pictures": pictures}))
    assert len(chosen) == FRAMES
    assert (chosen[0][0], chosen[-1][0]) == (1, 500)


def test_index_shows_links_and_differing_settings(job, done, tmp_path):
    assert job("--output", "other & more", "--alpha", "2") == 0
    Path("broken").mkdir()
    Path("broken/config.json").write_text("{")
    page = Page(write_index(["done", "other & more", "broken"], "index.html"))
    links = [address for address in page.addresses if not address.startswith("data:")]
    assert set(links) == {"done/report.html", "other%20%26%20more/report.html"}
    assert page.contains("alpha 0.5")
    assert page.contains("alpha 2.0")
    assert not page.contains("beta"), "what is the same everywhere is not repeated"
    assert page.contains("broken/config.json is not JSON")


# ------------------------------------------------------------------ the command line


def test_report_for_directory_of_runs(job, done, capsys):
    assert job("--output", "runs/one") == 0
    assert job("--output", "runs/two") == 0
    for path in Path("runs").glob("*/report.html"):
        path.unlink()
    capsys.readouterr()
    assert main(["runs", "done"]) == 0
    assert capsys.readouterr().out.split() == [
        *("runs/one/report.html", "runs/two/report.html", "done/report.html", "index.html")
    ]
    assert main(["runs"]) == 0
    assert Path("runs/index.html").exists()


def test_report_creates_and_links_timelapse(done, capsys):
    capsys.readouterr()
    assert main(["done", "--animate", "gif"]) == 0
    assert capsys.readouterr().out.split() == ["done/timelapse.gif", "done/report.html"]
    assert "timelapse.gif" in Page("done/report.html").addresses


def test_index_path_is_printed_relative_to_working_directory(job, done, monkeypatch, capsys):
    assert job("--output", "runs/one") == 0
    assert job("--output", "runs/two") == 0
    capsys.readouterr()
    assert main(["runs"]) == 0
    assert capsys.readouterr().out.split()[-1] == "runs/index.html"
    monkeypatch.chdir("runs/one")
    assert main([".", "../two"]) == 0
    assert capsys.readouterr().out.split()[-1] == "../index.html"


@pytest.mark.parametrize(
    ("folder", "message"),
    [("nowhere", "nowhere is not a directory"), (".", "contains no run"), ("bad", "is not JSON")],
)
def test_directory_without_valid_run_is_rejected(tmp_path, monkeypatch, capsys, folder, message):
    monkeypatch.chdir(tmp_path)
    if folder == "bad":
        Path("bad").mkdir()
        Path("bad/config.json").write_text("[")
    assert main([folder]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


def test_bad_run_does_not_stop_the_others(job, done, capsys):
    Path("bad").mkdir()
    Path("bad/config.json").write_text("[")
    assert main(["done", "bad"]) == 2
    captured = capsys.readouterr()
    assert "bad/config.json is not JSON" in captured.err
    assert "done/report.html" in captured.out
    assert "index.html" in captured.out


def test_index_file_name_must_end_in_html(done, capsys):
    before = (done / "result.png").read_bytes()
    assert main(["done", "--index", "done/result.png"]) == 2
    assert "a file name ending in .html was expected" in capsys.readouterr().err
    assert (done / "result.png").read_bytes() == before


def test_directory_name_that_is_not_utf_8(done):
    renamed = shutil.copytree(done, "bad\udcff")
    assert Page(write_report(renamed)).contains("finished")
    page = Page(write_index([renamed, done], "index.html"))
    assert "bad%FF/report.html" in page.addresses


def test_nul_in_path_is_rejected(done, capsys):
    knobs = json.loads((done / "config.json").read_text())
    Path("nul.json").write_text(json.dumps({**knobs, "content": "a\0b"}))
    assert run_main(["--config", "nul.json"]) == 2
    assert "text without a NUL was expected" in capsys.readouterr().err
