"""The gallery: page, pictures and commands are consistent. Nothing is painted here."""

import importlib.util
import re
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from nst_tf.config import COLOR_MODES, METHODS, JobConfig
from nst_tf.presets import PRESETS

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def gallery():
    """Import docs/make_gallery.py."""
    saved_path = list(sys.path)
    spec = importlib.util.spec_from_file_location("make_gallery", ROOT / "docs/make_gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path[:] = saved_path


@pytest.fixture(scope="module")
def pictures(gallery):
    return gallery.all_pictures()


@pytest.fixture
def page(gallery):
    return gallery.PAGE.read_text(encoding="utf-8")


def paintings(pictures):
    return [item for picture in pictures.values() for item in picture.paintings if item.words]


# ------------------------------------------------------------------ page and directory


def test_page_is_up_to_date(gallery, page):
    assert page == gallery.page()


def test_page_shows_exactly_the_pictures_in_the_directory(gallery, page):
    named = re.findall(r"\]\(gallery/(.+?)\)", page)
    existing = [path.name for path in gallery.PICTURES.iterdir()]
    assert sorted(named) == sorted(existing)


def test_total_size_of_pictures_is_limited(gallery):
    assert sum(path.stat().st_size for path in gallery.PICTURES.iterdir()) < gallery.MOST_BYTES


def test_pictures_have_alt_text_and_captions(pictures):
    for picture in pictures.values():
        assert len(picture.alt) > 20, picture.name
        assert picture.caption, picture.name
        assert not set("[]\n") & set(picture.alt), picture.name


def test_links_exist(gallery, page):
    for link in re.findall(r"\]\((.+?)\)", page):
        assert link.startswith("https://") or (gallery.HERE / link.split("#")[0]).exists(), link


# ------------------------------------------------------------------ commands


def test_pictures_record_their_commands(gallery, pictures):
    for picture in pictures.values():
        assert gallery.recipe_in(gallery.file_of(picture)) == gallery.recipe(picture)


def test_commands_match_the_table(gallery, pictures, page):
    commands = re.findall(rf"^{gallery.PROGRAM} (.+)$", page, re.MULTILINE)
    expected = [gallery.config_of(painting.words) for painting in paintings(pictures)]
    assert [gallery.config_of(command) for command in commands] == expected


def test_commands_use_project_pictures_and_embedded_weights(gallery, pictures):
    for painting in paintings(pictures):
        config = gallery.config_of(painting.words)
        masks = (config.masks, config.style_masks, config.regions)
        for file in (
            config.content,
            *config.paintings,
            *(path for paths in masks for path in paths or ()),
        ):
            assert (ROOT / file.removeprefix("not:")).is_file(), painting.words
        assert config.weights == "embedded", painting.words


def test_preset_commands_change_only_what_the_caption_names(gallery, pictures):
    allowed = {"content", "style", "weights", "precision", "size", "iterations"}
    for name in PRESETS:
        picture = pictures[f"preset_{name}"]
        arguments = shlex.split(picture.paintings[0].words)
        given = {word[2:].replace("-", "_") for word in arguments if word.startswith("--")}
        named = set(re.findall(r"`--([a-z-]+)", picture.caption))
        assert given - allowed - {"preset"} <= {word.replace("-", "_") for word in named}, name


def test_every_preset_color_mode_and_method_is_shown(gallery, pictures):
    configs = [gallery.config_of(painting.words) for painting in paintings(pictures)]
    assert {f"preset_{name}" for name in PRESETS} <= set(pictures)
    assert {config.color for config in configs} == set(COLOR_MODES)
    assert {config.method for config in configs} == set(METHODS)


# ------------------------------------------------------------------ the script


def test_folder_name_depends_on_the_config(gallery):
    config = JobConfig(content="a.jpg", style=("b.jpg",))
    assert gallery.folder_name(config) == gallery.folder_name(replace(config))
    assert gallery.folder_name(config) != gallery.folder_name(replace(config, beta=9.0))
    assert gallery.folder_name(config).startswith("a_b-")


def test_recipe_changes_with_the_table_entry(gallery, pictures, tmp_path):
    picture = pictures["strength"]
    assert gallery.recipe(picture) != gallery.recipe(replace(picture, columns=1))
    assert gallery.recipe_in(tmp_path / "missing.jpg") == ""


def test_tiles_form_rows_with_labels(gallery):
    images = [(Image.new("RGB", (40, 30), "black"), label) for label in ("a", "b", "c")]
    sheet = gallery.in_rows(images, columns=2, width=20)
    assert sheet.size == (20 + gallery.GAP + 20, 2 * (15 + gallery.LINE) + gallery.GAP)
    assert sheet.getpixel((0, 0)) == (0, 0, 0)
    assert sheet.getpixel((20 + gallery.GAP // 2, 0)) == (255, 255, 255)


def test_unknown_name_lists_the_known_names(gallery, capsys):
    assert gallery.main(["preset_devo"]) == 2
    assert "preset_devos" in capsys.readouterr().err
