"""The score of a picture: what each number measures, and where a run keeps it."""

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from pictures import make_picture
from squeezenet_files import tiny_squeezenet, write_npz

import nst_tf as nst
from nst_tf.batch.__main__ import main as batch_main
from nst_tf.config import STYLE_LAYERS
from nst_tf.jobs import check_result
from nst_tf.report import score as module
from nst_tf.report.__main__ import main as report_main
from nst_tf.report.score import line_ratios, measure_pixels
from nst_tf.rundir.record import read_record
from nst_tf.rundir.scores import OF_LAYER, SCORES

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
PICTURE = make_picture(61, 83)
PAINTING = make_picture(70, 54, seed=1)


@pytest.fixture(scope="module")
def images(tiny_model):
    return tiny_model.space.to_image(PICTURE), tiny_model.space.to_image(PAINTING)


@pytest.fixture
def scored(images, tiny_model):
    """Return a function that scores a picture of the size of `PICTURE`."""
    return lambda picture: nst.score(picture, *images, tiny_model)


# ------------------------------------------------------------------ distances


def test_content_is_near_itself_and_far_from_the_style(scored):
    found = scored(PICTURE)
    assert {*SCORES, *(OF_LAYER + layer for layer in STYLE_LAYERS)} == set(found)
    assert found["content_distance"] == found["seams"] == found["clipped"] == 0
    assert found["style_distance"] > 0.1
    assert found["high_pass_content"] == pytest.approx(1)
    assert found["style_distance"] == pytest.approx(
        np.mean([found[OF_LAYER + layer] for layer in STYLE_LAYERS])
    )


def test_painting_is_near_itself(images, tiny_model):
    content = tiny_model.space.to_image(make_picture(70, 54, seed=2))
    found = nst.score(PAINTING, content, images[1], tiny_model)
    assert found["style_distance"] == pytest.approx(0, abs=1e-6)
    assert found["high_pass_style"] == pytest.approx(1)
    assert found["content_distance"] > 0.1


def test_distances_are_the_losses_in_the_unit_relative(images, tiny_model):
    result = nst.style_transfer(
        *images, tiny_model, unit="relative", method="moments", iterations=0, init_image=images[0]
    )
    found = nst.score(result.picture, *images, tiny_model)
    assert found["style_distance"] == pytest.approx(result.history[-1]["style"], rel=1e-4)


def test_more_alpha_is_nearer_to_the_content(images, tiny_model, scored):
    knobs = {"unit": "relative", "optimizer": "lbfgs-fixed", "iterations": 12}
    little, much = (
        scored(nst.style_transfer(*images, tiny_model, alpha=alpha, **knobs).picture)
        for alpha in (0.01, 100.0)
    )
    assert much["content_distance"] < 0.8 * little["content_distance"]
    assert little["style_distance"] < much["style_distance"]


def test_masked_styles_are_compared_where_they_act(images, tiny_model):
    left = np.zeros((64, 96), np.float32)
    left[:, :48] = 1
    painting, other = make_picture(64, 96, seed=3), make_picture(64, 96, seed=4)
    both = np.where(left[..., np.newaxis] > 0, painting, other)
    to_image = tiny_model.space.to_image
    half = {"mask": left, "style_mask": left}
    rest = {"mask": 1 - left, "style_mask": 1 - left}
    styles = [nst.Style(to_image(painting), **half), nst.Style(to_image(other), **rest)]
    right = nst.score(both, None, styles, tiny_model)
    wrong = nst.score(both, None, styles[::-1], tiny_model)
    assert right["style_distance"] == wrong["style_distance"], "the order does not count"
    swapped = [nst.Style(to_image(other), **half), nst.Style(to_image(painting), **rest)]
    assert (
        right["style_distance"] < 0.3 * nst.score(both, None, swapped, tiny_model)["style_distance"]
    )
    assert "content_distance" not in right


def test_large_pictures_are_reduced_by_one_factor(tiny_model, monkeypatch):
    seen = []

    def reduced(levels, factor):
        seen.append(reduce(levels, factor))
        return seen[-1]

    reduce = module._reduced
    monkeypatch.setattr(module, "_reduced", reduced)
    content = tiny_model.space.to_image(np.zeros((40, 700, 3), np.uint8))
    style = tiny_model.space.to_image(np.zeros((1024, 512, 3), np.uint8))
    nst.score(np.zeros((40, 700, 3), np.uint8), content, style, tiny_model)
    assert [levels.shape[:2] for levels in seen] == [(32, 350), (512, 256), (32, 350)]


def test_other_networks_use_the_layers_of_the_run(tmp_path, images):
    path = tmp_path / "squeezenet.npz"
    write_npz(path, tiny_squeezenet())
    model = nst.load_squeezenet_model(path)
    config = nst.TransferConfig(content_layers=("fire2",), style_layers=("conv1", "fire3"))
    images = [model.space.to_image(picture) for picture in (PICTURE, PAINTING)]
    found = nst.score(PICTURE, *images, model, config=config)
    layers = [name for name in found if name.startswith(OF_LAYER)]
    assert layers == [OF_LAYER + "conv1", OF_LAYER + "fire3"]
    with pytest.raises(nst.ConfigError, match="there is no layer 'conv1_1'"):
        nst.score(PICTURE, *images, model)


@pytest.mark.parametrize(
    "picture", [PICTURE[np.newaxis], np.float32(PICTURE), PICTURE[..., 0], PICTURE[:40]]
)
def test_other_arrays_are_refused(picture, scored):
    with pytest.raises(nst.ImageError, match="`picture` has shape"):
        scored(picture)


# ------------------------------------------------------------------ pixels


def test_seam_raises_the_number_of_seams_alone(scored):
    seam = PICTURE.copy()
    seam[:, 40:] = np.clip(seam[:, 40:].astype(int) + 40, 0, 254)
    found = scored(seam)
    assert found["seams"] > 1
    assert found["clipped"] == 0


def test_horizon_of_the_content_is_no_seam(tiny_model, images):
    horizon = PICTURE // 2
    horizon[30:] += 100
    moved = PICTURE // 2
    moved[32:] += 100
    content = tiny_model.space.to_image(horizon)
    assert nst.score(moved, content, images[1], tiny_model)["seams"] < 0.3
    assert nst.score(moved, None, images[1], tiny_model)["seams"] > 5


def test_strips_measure_what_the_whole_picture_has():
    for height in (1, 2, 64, 65, 66, 130):
        picture = np.random.default_rng(0).integers(0, 256, (height, 37, 3), np.uint8)
        found, levels = measure_pixels(picture), picture.astype(float)
        np.testing.assert_allclose(found.rows, np.abs(np.diff(levels, axis=0)).mean((1, 2)))
        np.testing.assert_allclose(found.columns, np.abs(np.diff(levels, axis=1)).mean((0, 2)))
        around = levels[:-2, 1:-1] + levels[2:, 1:-1] + levels[1:-1, :-2] + levels[1:-1, 2:]
        laplacian = 4 * levels[1:-1, 1:-1] - around
        assert found.high_pass == pytest.approx(np.sum(laplacian**2) / max(laplacian.size, 1))


def test_ratio_of_a_line_is_that_to_the_lines_around():
    differences = np.full(40, 4.0)
    differences[10] = 20
    ratios = line_ratios(differences)
    assert ratios[10] == 5
    assert (np.delete(ratios, 10) == 1).all()
    assert (line_ratios(differences / 100) <= 0.2).all(), "below a gray level nothing is seen"


def test_clipped_pixels_count_beyond_those_of_content_and_style(scored, tiny_model, images):
    clipped = PICTURE.copy()
    clipped[:, :20] = 255
    clipped[:, 20:30, 0] = 0  # one channel alone does not count
    assert scored(clipped)["clipped"] == pytest.approx(20 / 83, abs=0.01)
    content = tiny_model.space.to_image(clipped)
    assert nst.score(clipped, content, images[1], tiny_model)["clipped"] == 0


def test_noise_raises_high_pass(scored):
    noise = np.random.default_rng(0).normal(0, 10, PICTURE.shape)
    noisy = np.uint8(np.clip(PICTURE + noise, 1, 254))
    plain, found = scored(PICTURE), scored(noisy)
    assert found["high_pass_content"] > 2 * plain["high_pass_content"]
    assert found["high_pass_style"] > 2 * plain["high_pass_style"]
    assert found["seams"] < 1


# ------------------------------------------------------------------ runs


def test_run_stores_its_score_and_shows_it(job):
    assert job("--output", "done") == 0
    found = read_record("done").score
    assert set(SCORES) < set(found)
    page = Path("done/report.html").read_text()
    assert f"<dd>{found['seams']:.3g} excess of the sharpest" in page
    assert f"<dt>style distance conv5_1</dt><dd>{found[OF_LAYER + 'conv5_1']:.3g}</dd>" in page


@pytest.mark.parametrize("damage", [None, [1], {"seams": "much", "clipped": 0.5, "<b>": 1}])
def test_damaged_score_is_left_out(job, damage):
    assert job("--output", "done") == 0
    path = Path("done/journal.json")
    journal = json.loads(path.read_text())
    journal["finished"]["score"] = damage
    path.write_text(json.dumps(journal))
    assert report_main(["done"]) == 0
    assert read_record("done").score == ({"clipped": 0.5} if isinstance(damage, dict) else {})


def test_failure_of_the_score_loses_nothing(job, monkeypatch, capsys):
    def fail(*args, **options):
        raise tf.errors.ResourceExhaustedError(None, None, "no\nmemory")

    monkeypatch.setattr(check_result, "score", fail)
    assert job("--output", "done") == 0
    record = read_record("done")
    assert record.finished
    assert record.score == {}
    assert "it has no score (ResourceExhaustedError: no memory)" in record.warnings[-1]
    assert "it has no score" in capsys.readouterr().out
    assert "<h2>Score" not in Path("done/report.html").read_text()
    assert job("--output", "again") == 0
    assert Path("done/result.png").read_bytes() == Path("again/result.png").read_bytes()


def test_batch_has_columns_and_a_sheet_that_sorts(pictures, tiny_mat, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("broken.png").write_text("no picture")
    small = ["--weights", tiny_mat, "--iterations", "8", "--size", "48", "--save-every", "0"]
    pair = ["--content", pictures[0], "--style", pictures[1], "broken.png"]
    sweep = ["--set", "alpha=0.01,100,1", "--sort", "content_distance", "--output", "out"]
    assert batch_main([str(argument) for argument in [*pair, *small, *sweep]]) == 2
    with open("out/summary.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["state"] == "done"]
    assert len(rows) == 3
    for row in rows:
        record = read_record(f"out/{row['name']}")
        for name, value in record.score.items():
            assert float(row[name]) == pytest.approx(value, rel=1e-4)
    nearest = sorted(rows, key=lambda row: float(row["content_distance"]))
    assert nearest[0]["name"].endswith("100")
    page = Path("out/index.html").read_text()
    order = [page.index(f'alt="result of {row["name"]}"') for row in nearest]
    assert page.index("failed</dd>") < order[0] < order[1] < order[2]
    assert '<option value="content_distance" selected>content distance</option>' in page
    assert f'<option value="{OF_LAYER}conv1_1">style distance conv1_1</option>' in page
    shutil.rmtree(f"out/{nearest[1]['name']}")
    assert report_main(["out", "--index", "all.html"]) == 0
    page = Path("all.html").read_text()
    assert " selected" not in page
    assert page.index(f">{nearest[2]['name']}<") < page.index(f">{nearest[0]['name']}<"), "by name"


def test_index_without_scores_has_no_select(job):
    assert job("--output", "runs/one") == 0
    Path("runs/one/journal.json").unlink()
    assert report_main(["runs", "--index", "all.html"]) == 0
    assert "<select" not in Path("all.html").read_text()


@pytest.mark.app
def test_menu_of_the_index_sorts_its_cards(job):
    from playwright.sync_api import sync_playwright

    assert job("--output", "runs/a") == 0
    for name, seams in {"b": 0.2, "c": 0.1, "d": None}.items():
        shutil.copytree("runs/a", f"runs/{name}")
        path = Path(f"runs/{name}/journal.json")
        journal = json.loads(path.read_text())
        journal["finished"]["score"] = {} if seams is None else {"seams": seams}
        path.write_text(json.dumps(journal))
    Path("runs/d2").mkdir()
    Path("runs/d2/config.json").write_text("damaged")
    assert report_main(["runs", "--sort", "seams", "--index", "all.html"]) == 2
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    assert program, "this test needs Chromium: apt-get install chromium, or name it in $CHROMIUM"
    with sync_playwright() as play:
        page = play.chromium.launch(executable_path=program, args=["--no-sandbox"]).new_page()
        page.goto(Path("all.html").resolve().as_uri())

        def order():
            return "".join(page.locator(".cards h2").all_inner_texts())

        seams = {"a": read_record("runs/a").score["seams"], "b": 0.2, "c": 0.1}
        by_seams = "d2" + "".join(sorted(seams, key=seams.get)) + "d"
        assert order() == by_seams
        page.get_by_label("sorted by").select_option("name")
        assert order() == "d2abcd"
        page.get_by_label("sorted by").select_option("seams")
        assert order() == by_seams
        page.get_by_label("sorted by").select_option("content distance")
        assert order() == "d2abcd"
