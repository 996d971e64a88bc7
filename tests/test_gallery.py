"""The gallery: its page, its pictures and its commands belong together. Nothing is painted here."""

import importlib.util
import re
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from nst_tf.config import COLOR_MODES, STATISTICS, JobConfig
from nst_tf.presets import PRESETS

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def gallery():
    """Return docs/make_gallery.py as a module."""
    before = list(sys.path)
    spec = importlib.util.spec_from_file_location("make_gallery", ROOT / "docs/make_gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path[:] = before


@pytest.fixture(scope="module")
def pictures(gallery):
    return gallery.all_pictures()


@pytest.fixture
def page(gallery):
    return gallery.PAGE.read_text(encoding="utf-8")


def paintings(pictures):
    return [each for picture in pictures.values() for each in picture.paintings if each.words]


# ------------------------------------------------------------------ page and folder


def test_the_page_is_what_the_script_writes(gallery, page):
    assert page == gallery.page()


def test_the_page_shows_every_picture_in_the_folder_and_no_other(gallery, page):
    named = re.findall(r"\]\(gallery/(.+?)\)", page)
    there = [path.name for path in gallery.PICTURES.iterdir()]
    assert sorted(named) == sorted(there)


def test_all_pictures_together_are_small(gallery):
    assert sum(path.stat().st_size for path in gallery.PICTURES.iterdir()) < gallery.MOST_BYTES


def test_every_picture_has_words_for_those_who_cannot_see_it(pictures):
    for picture in pictures.values():
        assert len(picture.alt) > 20, picture.name
        assert picture.caption, picture.name
        assert not set("[]\n") & set(picture.alt), picture.name


def test_links_of_the_page_lead_somewhere(gallery, page):
    for link in re.findall(r"\]\((.+?)\)", page):
        assert link.startswith("https://") or (gallery.HERE / link.split("#")[0]).exists(), link


# ------------------------------------------------------------------ commands


def test_each_picture_was_made_by_the_commands_under_it(gallery, pictures):
    for picture in pictures.values():
        assert gallery.recipe_in(gallery.file_of(picture)) == gallery.recipe(picture)


def test_each_command_of_the_page_stands_for_the_painting_in_the_table(gallery, pictures, page):
    typed = re.findall(rf"^{gallery.PROGRAM} (.+)$", page, re.MULTILINE)
    expected = [gallery.config_of(each.words) for each in paintings(pictures)]
    assert [gallery.config_of(words) for words in typed] == expected


def test_the_commands_name_pictures_of_the_project_and_its_embedded_trunk(gallery, pictures):
    for painting in paintings(pictures):
        config = gallery.config_of(painting.words)
        files = [config.content, *config.style, *(config.masks or ()), *(config.style_masks or ())]
        for file in files:
            assert (ROOT / file.removeprefix("not:")).is_file(), painting.words
        assert config.weights == "embedded", painting.words


def test_a_preset_s_command_changes_sizes_and_iterations_and_what_its_caption_names(
    gallery, pictures
):
    allowed = {"content", "style", "weights", "precision", "size", "iterations"}
    for name in PRESETS:
        picture = pictures[f"preset_{name}"]
        words = shlex.split(picture.paintings[0].words)
        given = {word[2:].replace("-", "_") for word in words if word.startswith("--")}
        named = set(re.findall(r"`--([a-z-]+)", picture.caption))
        assert given - allowed - {"preset"} <= {word.replace("-", "_") for word in named}, name


def test_there_is_a_picture_of_every_preset_colour_mode_and_statistic(gallery, pictures):
    configs = [gallery.config_of(each.words) for each in paintings(pictures)]
    assert {f"preset_{name}" for name in PRESETS} <= set(pictures)
    assert {config.color for config in configs} == set(COLOR_MODES)
    assert {config.statistic for config in configs} == set(STATISTICS)


# ------------------------------------------------------------------ the script


def test_another_config_lies_in_another_folder(gallery):
    config = JobConfig(content="a.jpg", style=("b.jpg",))
    assert gallery.folder_name(config) == gallery.folder_name(replace(config))
    assert gallery.folder_name(config) != gallery.folder_name(replace(config, beta=9.0))
    assert gallery.folder_name(config).startswith("a_b-")


def test_a_picture_is_redrawn_when_its_table_entry_has_changed(gallery, pictures, tmp_path):
    picture = pictures["strength"]
    assert gallery.recipe(picture) != gallery.recipe(replace(picture, columns=1))
    assert gallery.recipe_in(tmp_path / "missing.jpg") == ""


def test_tiles_stand_in_rows_with_a_line_for_their_labels(gallery):
    images = [(Image.new("RGB", (40, 30), "black"), label) for label in ("a", "b", "c")]
    sheet = gallery.in_rows(images, columns=2, width=20)
    assert sheet.size == (20 + gallery.GAP + 20, 2 * (15 + gallery.LINE) + gallery.GAP)
    assert sheet.getpixel((0, 0)) == (0, 0, 0)
    assert sheet.getpixel((20 + gallery.GAP // 2, 0)) == (255, 255, 255)


def test_a_name_that_is_none_lists_those_that_exist(gallery, capsys):
    assert gallery.main(["preset_devo"]) == 2
    assert "preset_devos" in capsys.readouterr().err
