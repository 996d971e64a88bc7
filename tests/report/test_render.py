"""A run's report and the index of many: from files alone, one file each, nothing fetched."""

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
    """What a page holds: text, pictures, addresses."""

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

    def says(self, words):
        return words in " ".join(" ".join(self.text).split())


@pytest.fixture
def done(job):
    """Return the folder of a run."""
    assert job("--output", "done", "--alpha", "0.5") == 0
    return Path("done")


def test_a_run_leaves_its_report(done):
    page = Page(done / "report.html")
    alts = [image.get("alt") for image in page.images]
    assert {"content: house.png", "style: brush.jpg", "result: result.png"} <= set(alts)
    assert [alt for alt in alts if alt.startswith("after")] == [
        f"after {n} iterations" for n in (2, 4, 6)
    ]
    assert page.says("finished")
    assert page.says("losses") or page.says("Losses")
    assert page.says("credit K. Simonyan and A. Zisserman")
    assert page.says("GiB peak")
    assert page.says("alpha 0.5")


def test_nothing_leaves_the_page(done):
    page = Page(done / "report.html")
    shown = [address for address in page.addresses if address and not address.startswith("#")]
    assert shown
    assert all(address.startswith("data:image/jpeg") for address in shown)
    text = (done / "report.html").read_text()
    assert "default-src 'none'" in text
    loaded = re.findall(r"url\((?!#)|@import|fetch\(|XMLHttpRequest|WebSocket", text)
    assert loaded == [], "url(#...) names a part of the page itself"


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_a_time_lapse_is_linked_and_not_loaded(job, kind):
    assert job("--output", "film", "--animate", kind) == 0
    page = Page("film/report.html")
    linked = [each for each in page.addresses if not each.startswith("data:image/jpeg")]
    assert linked == [f"timelapse.{kind}"]
    assert "img-src data:;" in Path("film/report.html").read_text(), "the policy is as it was"


def test_the_last_line_of_a_run_names_its_report(job, capsys):
    assert job("--output", "done") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert str(Path("done/result.png")) in last
    assert str(Path("done/report.html")) in last


def shown(image):
    """Return the pixels of a picture in a page."""
    data = base64.b64decode(image["src"].partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)))


def test_masks_are_shown_beside_their_styles_as_they_act(job, pictures):
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
    one, other = shown(images["mask 1: half.png"]), shown(images["mask 2: negative of half.png"])
    assert one[20, 50].min() > 250 > 5 > one[20, 10].max()
    assert other[20, 10].min() > 250 > 5 > other[20, 50].max()
    Path("half.png").unlink()
    assert Page(write_report("done")).says("half.png can't be shown")


def test_the_command_in_it_repeats_the_run(done, tmp_path):
    config = JobConfig.load(done / "config.json")
    options = vars(make_parser().parse_intermixed_args(config.arguments()))
    kept = {name: options[name] for name in JobConfig.__dataclass_fields__}
    assert make_config(kept) == config


def test_every_kind_of_knob_comes_back_from_the_command_line():
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


def test_the_settings_lie_in_the_picture_too(done):
    inside, beside = (JobConfig.load(done / name) for name in ("result.png", "config.json"))
    assert inside == beside.changed(save_every=50), "how often it was saved does not matter to it"
    assert run_main(["--config", str(done / "result.png"), "--output", "again", "--quiet"]) == 0
    assert (done / "result.png").read_bytes() == Path("again/result.png").read_bytes()
    with pytest.raises(ImageError, match="contains no settings"):
        JobConfig.load(done / "000002.png")


def test_a_run_that_was_cut_off_is_shown_as_that(done):
    shutil.copytree(done, "cut")
    journal = json.loads(Path("cut/journal.json").read_text())
    del journal["finished"]
    Path("cut/journal.json").write_text(json.dumps(journal))
    Path("cut/result.png").unlink()
    page = Page(write_report("cut"))
    assert page.says("not finished: 6 of 6 iterations")
    assert page.says("result.png can't be shown")


@pytest.mark.parametrize("text", ["garbage", "", "iteration,total\n0,3\n1,2\n2,"])
def test_losses_that_are_damaged_are_not_taken_for_a_run_that_converged(done, text):
    (done / "losses.csv").write_text(text)
    page = Page(write_report(done))
    assert not page.says("converged")
    assert page.says("finished; losses.csv is damaged")
    journal = json.loads((done / "journal.json").read_text())
    del journal["finished"]
    (done / "journal.json").write_text(json.dumps(journal))
    count = "1 of 6 iterations" if "3" in text else "losses.csv is damaged"
    assert Page(write_report(done)).says(f"not finished: {count}")


def test_a_run_that_converged_says_so(job):
    assert job("--beta", 0, "--tv-weight", 0, "--optimizer", "lbfgs", "--output", "goal") == 0
    assert Page("goal/report.html").says("converged: 0 of 6 iterations")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "iteration,total,style,seconds\n0,3,2,0\n1,2,1,1\n2,20",
        "iteration,total,style,seconds\n0,3,2,0\n1,nan,1,1\n2,2,1,2\n",
        "iteration,total\n0,nan\nx,y,z\n\0,,,\n",
    ],
)
def test_damaged_losses_and_journal_are_shown_as_far_as_they_go(done, text):
    (done / "losses.csv").write_text(text)
    (done / "journal.json").write_text('{"format": 1, "files": {}, "finished": 3, "model": []}')
    assert Page(write_report(done)).says("Settings")


def test_names_from_outside_are_text_not_html(done):
    knobs = json.loads((done / "config.json").read_text())
    knobs["content"] = "<script>alert(1)</script>.png"
    (done / "config.json").write_text(json.dumps(knobs))
    text = write_report(done).read_text()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_a_long_run_has_a_short_strip(done):
    record = read_record(done)
    many = [(n, Path(f"{n:06d}.png")) for n in range(1, 501)]
    chosen = frames_of(type(record)(**{**vars(record), "pictures": many}))
    assert len(chosen) == FRAMES
    assert (chosen[0][0], chosen[-1][0]) == (1, 500)


def test_the_index_shows_what_differs_and_links(job, done, tmp_path):
    assert job("--output", "other & more", "--alpha", "2") == 0
    Path("broken").mkdir()
    Path("broken/config.json").write_text("{")
    page = Page(write_index(["done", "other & more", "broken"], "index.html"))
    links = [each for each in page.addresses if not each.startswith("data:")]
    assert set(links) == {"done/report.html", "other%20%26%20more/report.html"}
    assert page.says("alpha 0.5")
    assert page.says("alpha 2.0")
    assert not page.says("beta"), "what is the same everywhere is not repeated"
    assert page.says("broken/config.json is not JSON")


# ------------------------------------------------------------------ the command line


def test_report_takes_a_folder_of_runs(job, done, capsys):
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


def test_report_makes_a_film_and_links_it(done, capsys):
    capsys.readouterr()
    assert main(["done", "--animate", "gif"]) == 0
    assert capsys.readouterr().out.split() == ["done/timelapse.gif", "done/report.html"]
    assert "timelapse.gif" in Page("done/report.html").addresses


def test_the_index_is_told_as_the_folders_were_given(job, done, monkeypatch, capsys):
    assert job("--output", "runs/one") == 0
    assert job("--output", "runs/two") == 0
    capsys.readouterr()
    assert main(["runs"]) == 0
    assert capsys.readouterr().out.split()[-1] == "runs/index.html"
    monkeypatch.chdir("runs/one")
    assert main([".", "../two"]) == 0
    assert capsys.readouterr().out.split()[-1] == "../index.html"


@pytest.mark.parametrize(
    ("folder", "words"),
    [("nowhere", "nowhere is not a directory"), (".", "holds no run"), ("bad", "is not JSON")],
)
def test_what_is_no_run_is_refused(tmp_path, monkeypatch, capsys, folder, words):
    monkeypatch.chdir(tmp_path)
    if folder == "bad":
        Path("bad").mkdir()
        Path("bad/config.json").write_text("[")
    assert main([folder]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1


def test_one_bad_run_does_not_stop_the_others(job, done, capsys):
    Path("bad").mkdir()
    Path("bad/config.json").write_text("[")
    assert main(["done", "bad"]) == 2
    said = capsys.readouterr()
    assert "bad/config.json is not JSON" in said.err
    assert "done/report.html" in said.out
    assert "index.html" in said.out


def test_an_index_is_a_page_and_no_picture_is_replaced(done, capsys):
    before = (done / "result.png").read_bytes()
    assert main(["done", "--index", "done/result.png"]) == 2
    assert "a file name ending in .html was expected" in capsys.readouterr().err
    assert (done / "result.png").read_bytes() == before


def test_a_name_that_is_no_utf_8_is_shown_as_far_as_it_goes(done):
    strange = shutil.copytree(done, "bad\udcff")
    assert Page(write_report(strange)).says("finished")
    page = Page(write_index([strange, done], "index.html"))
    assert "bad%FF/report.html" in page.addresses


def test_a_nul_in_a_path_is_refused_in_words(done, capsys):
    knobs = json.loads((done / "config.json").read_text())
    Path("nul.json").write_text(json.dumps({**knobs, "content": "a\0b"}))
    assert run_main(["--config", "nul.json"]) == 2
    assert "text without a NUL was expected" in capsys.readouterr().err
