"""Notebook functions: figures, progress, live display, comparison, contact sheets and grids."""

import base64
import html
import io
import re
import sys
from html.parser import HTMLParser

import matplotlib as mpl
import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

mpl.use("agg")

import nst_tf as nst
from nst_tf.errors import OutOfMemory, Stopped


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_style_transfer_in_notebook_cell(pictures, tiny_mat, tmp_path):
    model = nst.load_vgg_model(tiny_mat)
    content, content_image = nst.load_image(pictures[0], size=(40, 52))
    style, style_image = nst.load_image(pictures[1], size=50)
    start = nst.generate_noise_image(content_image, noise_ratio=0.6, seed=0)
    shown = []
    result = nst.style_transfer(
        content_image,
        style_image,
        model,
        init_image=start,
        alpha=0.0025,
        beta=1.0,
        iterations=5,
        callbacks=[nst.save_every(50, tmp_path), nst.show_every(2, show=shown.append)],
    )
    assert [step.iteration for step in shown] == [0, 2, 4, 5]
    figure = nst.show_images(content, style, result.picture, titles=["content", "style", "5"])
    assert [axis.get_title() for axis in figure.axes] == ["content", "style", "5"]
    curves = nst.plot_losses(result.history).axes[0]
    assert {line.get_label() for line in curves.lines} == {"content", "style", "tv", "total"}
    assert nst.recover_image(result.image).shape == (40, 52, 3)


def test_show_images_with_mean_subtracted_image():
    image = nst.PixelSpace().to_image(make_picture(40, 40))
    (axis,) = nst.show_images(image).axes
    shown = axis.images[0].get_array()
    assert (shown.min(), shown.max()) == (0, 1)


def test_progress_bar_in_terminal(tiny_model):
    image = nst.PixelSpace().to_image(make_picture(40, 40))
    terminal = Terminal()
    nst.style_transfer(
        image, image, tiny_model, iterations=3, callbacks=[nst.progress(stream=terminal)]
    )
    last = terminal.getvalue().split("\r")[-1]
    assert "100%" in last
    assert "3/3" in last
    assert "loss" in last
    assert "it/s" in last or "s/it" in last


def test_interrupted_progress_bar_is_closed_once(tiny_model):
    image = nst.PixelSpace().to_image(make_picture(40, 40))
    terminal = Terminal()
    progress = nst.progress(stream=terminal)

    def interrupt(step):
        if step.iteration == 2:
            raise KeyboardInterrupt

    with pytest.raises(nst.Interrupted):
        nst.style_transfer(image, image, tiny_model, iterations=9, callbacks=[progress, interrupt])
    assert terminal.getvalue().endswith("\n")
    printed = terminal.getvalue()
    progress.close()
    del progress
    assert terminal.getvalue() == printed


def test_progress_in_file_is_plain_lines(tiny_model):
    image = nst.PixelSpace().to_image(make_picture(40, 40))
    log = io.StringIO()
    nst.style_transfer(
        image, image, tiny_model, iterations=5, callbacks=[nst.progress(2, stream=log)]
    )
    lines = log.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["0/5", "2/5", "4/5", "5/5"]
    assert all("it/s" in line and "left" in line for line in lines[1:])


def test_time_left_in_minutes_and_seconds():
    step = nst.Step(200, 500, {"total": 409.7}, None, None, 200 / 1.05, last=False)
    log = io.StringIO()
    nst.progress(50, stream=log)(step)
    assert log.getvalue() == "200/500  loss 409.7  1.05 it/s  4:46 left\n"


def test_every_zero_raises():
    for make in (
        lambda: nst.save_every(0, "output"),
        lambda: nst.progress(0),
        lambda: nst.show_every(0),
    ):
        with pytest.raises(nst.ConfigError, match="`every` is 0; it must be at least 1"):
            make()


def test_unknown_attribute_raises():
    with pytest.raises(AttributeError, match="no attribute 'gram'"):
        nst.gram  # noqa: B018
    assert "gram_matrix" in dir(nst)
    assert np.isscalar(nst.__version__)


# ------------------------------------------------------------------ lessons


def test_environment_variable_overrides_lesson_mode(monkeypatch, capsys):
    monkeypatch.delenv("NST_MODE", raising=False)
    assert nst.lesson_mode("full", minutes={"full": 3}).iterations == 300
    assert "320x240 pixels, 300 iterations" in capsys.readouterr().out
    monkeypatch.setenv("NST_MODE", "quick")
    assert nst.lesson_mode("full", minutes={"quick": 0.5}).name == "quick"
    assert "about 30 seconds" in capsys.readouterr().out


def test_unknown_lesson_mode_raises(monkeypatch):
    monkeypatch.setenv("NST_MODE", "slow")
    with pytest.raises(nst.ConfigError, match="`mode` is 'slow'; choose from quick, default, full"):
        nst.lesson_mode()


def test_show_and_live_print_text_outside_notebook(tiny_model, capsys):
    picture = make_picture(40, 40)
    nst.show(nst.show_images(picture), "A square of noise")
    assert capsys.readouterr().out == "A square of noise\n"
    image = nst.PixelSpace().to_image(picture)
    nst.style_transfer(image, image, tiny_model, iterations=4, callbacks=[nst.live(2)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["0/4", "2/4", "4/4"]
    with pytest.raises(nst.ConfigError, match="`every` is 0; it must be at least 1"):
        nst.live(0)


# ------------------------------------------------------------------ live


class Display:
    """A display of a notebook cell: everything it has shown, the latest last."""

    def __init__(self, content):
        self.contents = [content]

    def update(self, content, raw):
        self.contents.append(content)


@pytest.fixture
def displays(monkeypatch):
    """Return a list that collects a `Display` for each display of the notebook."""
    opened = []

    def display(content, raw, display_id=False, metadata=None):
        opened.append(Display({**content, "metadata": metadata}))
        return opened[-1]

    for module in ("lesson", "compare", "live"):  # `live`, which defines it, last
        monkeypatch.setattr(f"nst_tf.notebook.{module}.in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", display)
    return opened


class Tags(HTMLParser):
    """Tags of a page with their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, text):
        self.text += text

    def named(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


def step(iteration, iterations=10, **changes):
    """Return a step with a constant picture."""
    fields = {"image": True, "seconds": iteration / 2, "last": iteration == iterations, **changes}
    loss = {"total": 100.0 / (iteration + 1)}
    return nst.Step(
        iteration, iterations, loss, fields["image"], get_picture, fields["seconds"], fields["last"]
    )


def get_picture(_, picture=make_picture(40, 56)):  # noqa: B008
    return picture


def test_live_display_has_bar_picture_and_curve(tiny_model, displays):
    image = nst.PixelSpace().to_image(make_picture(40, 40))
    live = nst.live(2, caption='A "square"')
    nst.style_transfer(image, image, tiny_model, iterations=4, callbacks=[live], alpha=1.0)
    ((first, *_, last),) = [display.contents for display in displays]
    assert len(displays[0].contents) == 3
    page = Tags(last["text/html"])
    picture, curve = page.named("img")
    assert picture["alt"] == 'A "square", after 4 of 4 iterations'
    assert picture["src"].startswith("data:image/jpeg;base64,")
    assert "max-width:100%" in picture["style"]
    assert curve["alt"].startswith("Total loss over the iterations, logarithmic: from ")
    (bar,) = page.named("progress")
    assert (bar["value"], bar["max"], bar["aria-label"]) == ("4", "4", "iterations")
    assert first["text/plain"].startswith("0/4  loss")
    assert re.fullmatch(r"4/4  loss \S+  took \d:\d\d", last["text/plain"])


def test_live_display_shows_time_left(displays):
    live = nst.live(1)
    live(step(0))
    live(step(4))
    assert displays[0].contents[-1]["text/plain"] == "4/10  loss 20  2.00 it/s  0:03 left"
    assert "4/10, loss 20, 2.00 it/s, 0:03 left" in Tags(displays[0].contents[-1]["text/html"]).text


def test_live_updates_take_at_most_a_twentieth_of_the_time(displays, monkeypatch):
    clock = iter(np.arange(0, 1000, 0.1))  # each reading of the clock advances it by 0.1 s
    monkeypatch.setattr("nst_tf.notebook.live.time.perf_counter", lambda: next(clock))
    live = nst.live()
    assert live.look_every == 0, "no iteration must be looked at"
    for iteration in range(100):
        live(step(iteration, 99))
    # An update takes 0.1 s; the next is due 1.9 s later, and each step in between takes 0.1 s.
    assert 5 <= len(displays[0].contents) <= 7
    assert displays[0].contents[-1]["text/plain"].startswith("99/99")


def test_live_skips_steps_without_image(displays, monkeypatch):
    monkeypatch.setattr("nst_tf.notebook.live.PAUSE", 0.0)
    monkeypatch.setattr("nst_tf.notebook.live.SHARE", 1.0)
    live = nst.live()
    for iteration in range(4):
        live(step(iteration, image=True if iteration % 2 == 0 else None))
    assert [content["text/plain"][0] for content in displays[0].contents] == ["0", "2"]


def test_each_run_gets_its_own_display(displays):
    live = nst.live(5)
    for first in (0, 0, 7):
        for iteration in range(first, 11):
            live(step(iteration))
    assert [len(display.contents) for display in displays] == [3, 3, 2]
    assert displays[2].contents[0]["text/plain"].startswith("7/10")


def test_interrupted_run_is_marked_as_interrupted(displays):
    live = nst.live(2)
    for iteration in range(4):
        live(step(iteration))
    live.close()  # as a run does at its end, see the test of the progress bar
    last = displays[0].contents[-1]
    assert last["text/plain"] == "interrupted: 3/10  loss 25"
    assert Tags(last["text/html"]).named("img")[0]["alt"].endswith("after 2 of 10 iterations")
    live.close()
    assert len(displays[0].contents) == 3
    live(step(0))
    assert len(displays) == 2, "the next run has its own display"


def test_finished_run_is_not_marked_as_interrupted(displays):
    live = nst.live(2)
    live(step(0))
    live(step(10))
    live.close()
    assert "took" in displays[0].contents[-1]["text/plain"]


def test_live_output_size_is_limited(displays):
    live = nst.live(5000)
    large = np.kron(make_picture(60, 90), np.ones((20, 20, 1), np.uint8))
    live(step(0, 5000))
    live.totals += [(n, 1.0 / n) for n in range(1, 5000)]
    live(nst.Step(5000, 5000, {"total": 1e-4}, True, lambda _: large, 9.0, last=True))
    page = Tags(displays[0].contents[-1]["text/html"])
    picture = _decode_picture(page.named("img")[0])
    assert max(picture.size) == 640
    assert len(base64.b64decode(page.named("img")[1]["src"].partition(",")[2])) < 6000


def _decode_picture(image):
    return Image.open(
        io.BytesIO(base64.b64decode(image["src"].partition(",")[2])), formats=["JPEG"]
    )


def test_loss_curve_labels_values_and_omits_zeros():
    from nst_tf.report.inline import loss_curve

    assert loss_curve([(0, 0.0)], 9) == loss_curve([(0, 1.0)], 9) == ""
    curve = loss_curve([(0, 0.0), (1, 12345.0), (2, 1.5)], 400)
    (points,) = re.findall('points="([^"]+)"', curve)
    assert len(points.split()) == 2
    assert re.findall(">([^<]+)</text>", curve) == [
        *("total loss, logarithmic", "1.23e4", "1.5", "400 iterations", "0"),
    ]


# ------------------------------------------------------------------ comparison


def test_compare_slider(displays, tmp_path):
    after = make_picture(45, 61)
    nst.save_image(tmp_path / "before.png", make_picture(90, 122))
    nst.compare(tmp_path / "before.png", after, labels=("photo", 'a <b> & "c"'), caption="Cup's")
    (content,) = displays[0].contents
    page = Tags(content["text/html"])
    assert [image["alt"] for image in page.named("img")] == ["photo: Cup's", 'a <b> & "c": Cup\'s']
    assert [_decode_picture(image).size for image in page.named("img")] == [(61, 45)] * 2
    (slider,) = page.named("input")
    assert (slider["type"], slider["min"], slider["max"]) == ("range", "0", "100")
    assert slider["aria-label"] == 'slider: photo to the left of it, a <b> & "c" to the right'
    assert page.text.split() == ["photo", "a", "<b>", "&", '"c"', "Cup's"], "labels, caption alone"
    assert not page.named("b") + page.named("script")
    line = 'photo | a <b> & "c" (61x45 pixels): Cup\'s'
    assert content["text/plain"] == line
    assert content["metadata"]["image/jpeg"]["alt"] == line
    assert base64.b64decode(content["image/jpeg"])[:2] == b"\xff\xd8"


def test_compare_without_scripts_is_side_by_side(displays):
    nst.compare(make_picture(40, 52), make_picture(40, 52))
    page = Tags(displays[0].contents[0]["text/html"])
    assert page.text.split() == ["before", "after"]
    assert page.named("input")[0]["style"].startswith("display:none"), "a script shows the slider"
    styles = [div.get("style", "") for div in page.named("div")]
    assert sum("repeat(2," in style for style in styles) == 1
    assert not any("position:absolute" in style or "clip" in style for style in styles)


def test_html_loads_nothing_external(displays):
    nst.compare(make_picture(40, 52), make_picture(40, 52))
    nst.live(1)(step(0))
    for display in displays:
        page = display.contents[0]["text/html"]
        for image in Tags(page).named("img"):
            assert image["src"].startswith("data:image/")
        assert not re.search(r"https?:|//\w+\.|@import|url\(|fetch|link", html.unescape(page))


def test_compare_output_size_is_limited(displays):
    large = np.kron(make_picture(75, 100), np.ones((16, 16, 1), np.uint8))
    nst.compare(large, large)
    page = Tags(displays[0].contents[0]["text/html"])
    assert [max(_decode_picture(image).size) for image in page.named("img")] == [720, 720]
    assert sum(len(s) for s in displays[0].contents[0].values() if isinstance(s, str)) < 700_000


def test_compare_prints_line_outside_notebook(capsys):
    nst.compare(make_picture(40, 52), make_picture(80, 104), caption="A cup")
    assert capsys.readouterr().out == "before | after (104x80 pixels): A cup\n"


def test_compare_with_invalid_arguments_raises(tmp_path):
    picture = make_picture(40, 52)
    image = nst.PixelSpace().to_image(picture)
    with pytest.raises(nst.ImageError, match=r"`after` has shape \(1, 40, 52, 3\) of float32; a "):
        nst.compare(picture, image)
    with pytest.raises(nst.ImageError, match=r"there is no picture .*nowhere.png"):
        nst.compare(tmp_path / "nowhere.png", picture)
    for labels in ("ab", ("one",)):
        with pytest.raises(nst.ConfigError, match=r"`labels` is .*; two were expected"):
            nst.compare(picture, picture, labels=labels)


def test_contact_sheet_layout_with_labels():
    pictures = [np.full((30, 60, 3), level, np.uint8) for level in (10, 60, 110, 160, 210)]
    unlabeled = nst.contact_sheet(pictures, columns=2, side=60)
    assert unlabeled.dtype == np.uint8
    assert unlabeled.shape == (3 * (30 + 8) + 8, 2 * (60 + 8) + 8, 3)
    labeled = nst.contact_sheet(pictures, ["a", "b", "c", "d", "é – ж"], columns=2, side=60)
    assert labeled.shape == (3 * (30 + 8 + 30) + 8, 2 * (60 + 8) + 8, 3)
    assert (labeled[8 + 68 : 38 + 68, 8:68] == 110).all(), "the third begins the second row"
    assert (labeled[38:68, 8:68] < 100).any(), "letters"
    assert (labeled[-60:, 76:] == 255).all(), "the last place is empty"


def test_contact_sheet_fits_pictures_and_truncates_labels():
    sheet = nst.contact_sheet(
        [make_picture(40, 80), make_picture(90, 30)], ["x" * 99, "y"], side=48
    )
    assert sheet.shape == (8 + 48 + 30 + 8, 3 * 8 + 48 + 48, 3)
    assert (sheet[56:, 56:64] == 255).all(), "nothing between the labels"


def test_contact_sheet_of_directory_is_evenly_sampled(tmp_path, monkeypatch):
    shown = {}
    monkeypatch.setattr(
        "nst_tf.notebook.compare.tiled", lambda *arguments: shown.update(tiled=arguments)
    )
    for iteration in range(30):
        nst.save_image(tmp_path / f"{iteration:06d}.png", make_picture(32, 32))
    nst.save_image(tmp_path / "result.png", make_picture(32, 32))
    nst.contact_sheet(tmp_path)
    pictures, labels, columns = shown["tiled"]
    assert (len(pictures), len(labels), columns) == (24, 24, 5)
    assert (labels[0], labels[-1]) == ("iteration 0", "iteration 29")
    nst.contact_sheet([tmp_path / "result.png"] * 2)
    assert shown["tiled"][1:] == (["result", "result"], 2)


def test_contact_sheet_with_invalid_arguments_raises(tmp_path):
    picture = make_picture(40, 52)
    for pictures, options, message in (
        ([], {}, "`pictures` is empty"),
        ([picture] * 3, {"labels": "ab"}, "there are 3 pictures and 2 labels; give one for each"),
        ([picture], {"columns": 0}, "`columns` is 0; it must be at least 1"),
        (tmp_path, {}, "contains no saved pictures such as 000050.png"),
        (tmp_path / "nowhere", {}, "nowhere, which is not a directory"),
    ):
        with pytest.raises(nst.ConfigError, match=message):
            nst.contact_sheet(pictures, **options)
    with pytest.raises(nst.ImageError, match=r"`pictures\[1\]` has shape \(40, 52\) of uint8"):
        nst.contact_sheet([picture, picture[:, :, 0]])


def test_show_picture_with_caption(displays):
    nst.show(nst.contact_sheet([make_picture(40, 52)]), "A sheet")
    assert displays[0].contents[0]["metadata"]["image/jpeg"]["alt"] == "A sheet"


# ------------------------------------------------------------------ grids


def test_read_grid_splits_image_into_pictures(tmp_path):
    tiles = np.repeat(np.arange(4, dtype=np.uint8) * 60, 3).reshape(2, 2, 3)  # [row, column]
    image = np.kron(tiles, np.ones((16, 16, 1), np.uint8))
    Image.fromarray(image).save(tmp_path / "grid.jpg", quality=100)
    layout = '{"axes": {"start": ["a"], "row": ["1", "2"], "column": ["x", "y"]}, "caption": "c"}'
    (tmp_path / "grid.json").write_text(layout)
    grid = nst.read_grid(tmp_path / "grid.json")
    assert abs(int(grid.picture(start="a", row="2", column="x").mean()) - 120) <= 2
    sheet = grid.sheet(start="a")
    assert (sheet.rows, sheet.columns) == (("1", "2"), ("x", "y"))
    assert sheet.pictures[1][1].shape == (16, 16, 3)


# ------------------------------------------------------------------ runs that stop early


@pytest.fixture
def cell(tmp_path, monkeypatch, capsys):
    """Return a function that calls a function in a cell of IPython; it returns what is shown."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config({"HistoryManager": {"enabled": False}})
    module = type(sys)("cells")
    shell = InteractiveShell(ipython_dir=str(tmp_path), config=config, user_module=module)
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        monkeypatch.setattr(sys, name, None, raising=False)
    monkeypatch.setattr(Stopped, "_shown", None)

    def run(function):
        shell.user_ns["function"] = function
        shell.run_cell("function()")
        return capsys.readouterr().out

    return run


def stopped_by(error, model):
    """Return a function that runs two iterations, which an error in a callback ends."""
    image = nst.PixelSpace().to_image(make_picture(40, 44))

    def stop(step):
        if step.iteration == 2:
            raise error

    return lambda: nst.style_transfer(image, image[:, ::-1], model, iterations=9, callbacks=[stop])


def test_interrupted_cell_leaves_its_result_and_says_where(cell, tiny_model):
    with pytest.raises(nst.ConfigError, match="no run was interrupted or failed since this kernel"):
        nst.stopped_result()
    shown = cell(stopped_by(KeyboardInterrupt, tiny_model))
    first, *others = shown.strip().splitlines()
    assert first == "Interrupted: interrupted after 2 iterations"
    assert "`nst_tf.stopped_result()` returns the result reached" in " ".join(others)
    assert "transfer.py" not in shown, "no traceback"
    result = nst.stopped_result()
    assert result.iterations == 2
    assert result.picture.shape == (40, 44, 3)
    assert result is sys.last_value.result


def test_cell_that_diverged_or_ran_out_of_memory_leaves_its_result(cell, tiny_model):
    cell(stopped_by(KeyboardInterrupt, tiny_model))
    earlier = nst.stopped_result()
    for kind in (nst.Diverged, OutOfMemory):
        result = nst.Result(earlier.picture, earlier.image, [], earlier.config, 1.0)
        error = kind("the loss is not finite", result)
        error.add_note("the picture is result.png")
        shown = cell(stopped_by(error, tiny_model))
        assert shown.startswith(f"{kind.__name__}: the loss is not finite\nthe picture is result")
        assert nst.stopped_result() is result, "of one run, the last"


def test_caught_or_empty_errors_are_not_kept(cell, tiny_model):
    with pytest.raises(nst.Interrupted):
        stopped_by(KeyboardInterrupt, tiny_model)()
    shown = cell(stopped_by(nst.Interrupted(None, "interrupted: 1 of 2 jobs"), tiny_model))
    assert shown.strip() == "Interrupted: interrupted: 1 of 2 jobs"
    with pytest.raises(nst.ConfigError):
        nst.stopped_result()
