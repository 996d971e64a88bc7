"""What a notebook cell needs: pictures, curves, progress, and the API as the README shows it."""

import io

import matplotlib as mpl
import numpy as np
import pytest
from conftest import make_picture

mpl.use("agg")

import nst_tf as nst


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_notebook_cell(pictures, tiny_mat, tmp_path):
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


def test_a_mean_subtracted_image_can_be_shown():
    image = nst.PixelSpace().to_image(make_picture(40, 40))
    (axis,) = nst.show_images(image).axes
    shown = axis.images[0].get_array()
    assert (shown.min(), shown.max()) == (0, 1)


def test_a_terminal_gets_a_bar_with_loss_rate_and_time_left(tiny_model):
    image = nst.PixelSpace().to_image(make_picture(40, 40))
    screen = Terminal()
    nst.style_transfer(
        image, image, tiny_model, iterations=3, callbacks=[nst.progress(stream=screen)]
    )
    last = screen.getvalue().split("\r")[-1]
    assert "100%" in last
    assert "3/3" in last
    assert "loss" in last
    assert "it/s" in last or "s/it" in last


def test_a_bar_that_is_cut_off_can_be_closed_once_and_for_all(tiny_model):
    image = nst.PixelSpace().to_image(make_picture(40, 40))
    screen = Terminal()
    show = nst.progress(stream=screen)

    def interrupt(step):
        if step.iteration == 2:
            raise KeyboardInterrupt

    with pytest.raises(nst.Interrupted):
        nst.style_transfer(image, image, tiny_model, iterations=9, callbacks=[show, interrupt])
    show.close()
    assert screen.getvalue().endswith("\n")
    said = screen.getvalue()
    del show
    assert screen.getvalue() == said


def test_a_file_gets_plain_lines(tiny_model):
    image = nst.PixelSpace().to_image(make_picture(40, 40))
    log = io.StringIO()
    nst.style_transfer(
        image, image, tiny_model, iterations=5, callbacks=[nst.progress(2, stream=log)]
    )
    lines = log.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["0/5", "2/5", "4/5", "5/5"]
    assert all("it/s" in line and "left" in line for line in lines[1:])


def test_time_left_is_minutes_and_seconds():
    step = nst.Step(200, 500, {"total": 409.7}, None, None, 200 / 1.05, last=False)
    log = io.StringIO()
    nst.progress(50, stream=log)(step)
    assert log.getvalue() == "200/500  loss 409.7  1.05 it/s  4:46 left\n"


def test_every_zero_iterations_is_refused():
    for make in (
        lambda: nst.save_every(0, "output"),
        lambda: nst.progress(0),
        lambda: nst.show_every(0),
    ):
        with pytest.raises(nst.ConfigError, match="`every` is 0; it must be at least 1"):
            make()


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'gram'"):
        nst.gram  # noqa: B018
    assert "gram_matrix" in dir(nst)
    assert np.isscalar(nst.__version__)


# ------------------------------------------------------------------ lessons


def test_a_mode_says_what_it_means_and_the_environment_goes_first(monkeypatch, capsys):
    monkeypatch.delenv("NST_MODE", raising=False)
    assert nst.lesson_mode("full", minutes={"full": 3}).iterations == 300
    assert "320x240 pixels, 300 iterations" in capsys.readouterr().out
    monkeypatch.setenv("NST_MODE", "quick")
    assert nst.lesson_mode("full", minutes={"quick": 0.5}).name == "quick"
    assert "about 30 seconds" in capsys.readouterr().out


def test_an_unknown_mode_lists_the_modes(monkeypatch):
    monkeypatch.setenv("NST_MODE", "slow")
    with pytest.raises(nst.ConfigError, match="`mode` is 'slow'; choose from quick, default, full"):
        nst.lesson_mode()


def test_outside_a_notebook_a_figure_is_its_caption_and_a_run_prints_lines(tiny_model, capsys):
    picture = make_picture(40, 40)
    nst.show(nst.show_images(picture), "A square of noise")
    assert capsys.readouterr().out == "A square of noise\n"
    image = nst.PixelSpace().to_image(picture)
    nst.style_transfer(image, image, tiny_model, iterations=4, callbacks=[nst.live(2)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["0/4", "2/4", "4/4"]
    with pytest.raises(nst.ConfigError, match="`every` is 0; it must be at least 1"):
        nst.live(0)


def test_in_a_notebook_one_display_holds_bar_picture_and_curve(tiny_model, monkeypatch):
    shown = []

    class Handle:
        def update(self, seen, raw):
            shown.append(seen)

    def display(seen, raw, display_id):
        shown.append(seen)
        return Handle()

    ipython = pytest.importorskip("IPython.display", reason="comes with the notebooks' extra")
    monkeypatch.setattr("nst_tf.watch.in_notebook", lambda: True)
    monkeypatch.setattr(ipython, "display", display)
    image = nst.PixelSpace().to_image(make_picture(40, 40))
    look = nst.live(2, caption='A "square"')
    nst.style_transfer(image, image, tiny_model, iterations=4, callbacks=[look], alpha=1.0)
    assert len(shown) == 3
    page = shown[-1]["text/html"]
    assert 'alt="A &quot;square&quot;, after 4 of 4 iterations"' in page
    assert '<progress value="4" max="4"' in page
    assert "<polyline" in page
    assert shown[-1]["text/plain"].startswith("4/4  loss")


def test_a_curve_leaves_out_what_has_no_logarithm():
    from nst_tf.watch import loss_curve

    assert loss_curve([0.0]) == loss_curve([1.0]) == ""
    assert loss_curve([0.0, 10.0, 1.0]).count(",") >= 2
    assert "from 0 to 1" in loss_curve([0.0, 10.0, 1.0])


def test_a_grid_is_cut_into_its_pictures(tmp_path):
    from PIL import Image

    tiles = np.repeat(np.arange(4, dtype=np.uint8) * 60, 3).reshape(2, 2, 3)  # [row, column]
    together = np.kron(tiles, np.ones((16, 16, 1), np.uint8))
    Image.fromarray(together).save(tmp_path / "grid.jpg", quality=100)
    about = '{"axes": {"start": ["a"], "row": ["1", "2"], "column": ["x", "y"]}, "caption": "c"}'
    (tmp_path / "grid.json").write_text(about)
    grid = nst.read_grid(tmp_path / "grid.json")
    assert abs(int(grid.picture(start="a", row="2", column="x").mean()) - 120) <= 2
    sheet = grid.sheet(start="a")
    assert (sheet.rows, sheet.columns) == (("1", "2"), ("x", "y"))
    assert sheet.pictures[1][1].shape == (16, 16, 3)
