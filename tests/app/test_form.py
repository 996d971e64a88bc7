"""The form of the web page: its config, and messages for invalid choices."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from pictures import make_picture
from PIL import Image

from nst_tf.app.form import (
    BLACK,
    CHOICES,
    ELSE,
    MORE,
    PAINTED,
    WHITE,
    Form,
    StyleChoice,
    config_of,
    heading_of,
    own_side,
    preset_config,
)
from nst_tf.app.orders import Limits
from nst_tf.app.uploads import Uploads, _png, everywhere_else, painted_mask, without_mark
from nst_tf.config import PATHS, JobConfig
from nst_tf.errors import ConfigError, ImageError
from nst_tf.image.masks import load_mask
from nst_tf.jobs.inputs import load_paintings
from nst_tf.presets import PRESETS
from nst_tf.samples import SAMPLE_PAIR, SAMPLES

LIMITS = Limits(side=640, minutes=2)


@pytest.fixture
def uploads(tmp_path):
    return Uploads(tmp_path / "uploads", SAMPLES)


@pytest.fixture
def pair(pictures):
    content, style = pictures
    return str(content), str(style)


def strokes(height=45, width=61):
    """Return layers of the mask editor with the left third painted."""
    layer = np.zeros((height, width, 4), np.uint8)
    layer[:, : width // 3] = 255, 0, 100, 153
    return [layer]


def mask_file(path, height=45, width=61):
    picture = np.zeros((height, width), np.uint8)
    picture[:, width // 2 :] = 255
    Image.fromarray(picture).save(path)
    return str(path)


def make(uploads, content, *styles, knobs=None, **choices):
    return config_of(Form(content, list(styles), **choices), uploads, LIMITS, knobs)


def test_form_gives_the_config_of_the_command_line(uploads, pair):
    content, style = pair
    config = make(uploads, content, StyleChoice(style), side=200, color="swap", scale=1.5)
    assert (config.size, config.color, config.style_scale) == ("200", "swap", 1.5)
    assert config.beta == JobConfig().beta
    assert (config.masks, config.style_weights, config.animate) == (None, None, "gif")
    assert config.content.endswith(".png")
    assert config.content.startswith(str(uploads.folder))


def test_each_strength_step_doubles_the_style_weight(uploads, pair):
    content, style = map(str, pair)
    for preset in ("none", "devos", "gatys2016"):
        plain, strong = (
            make(uploads, content, StyleChoice(style), preset=preset, strength=strength)
            for strength in (0, 2)
        )
        assert strong.beta == pytest.approx(4 * plain.beta)
        assert preset == "none" or plain.beta == PRESETS[preset].knobs["beta"]


def test_samples_are_not_copied_and_uploads_are_stored_once(uploads, pair, tmp_path):
    assert str(uploads.keep(SAMPLE_PAIR["content"])) == SAMPLE_PAIR["content"]
    first, again = uploads.keep(pair[0]), uploads.keep(pair[0])
    assert first == again
    assert len(list(uploads.folder.iterdir())) == 1
    assert first.read_bytes() == (tmp_path / "house.png").read_bytes()


def test_stored_uploads_are_not_stored_again(uploads, pair, tmp_path):
    tiff = tmp_path / "a.tif"
    Image.fromarray(make_picture(40, 50)).save(tiff)
    for path in (pair[0], tiff):
        stored = uploads.keep(path)
        assert uploads.keep(stored) == stored
    assert len(list(uploads.folder.iterdir())) == 2
    assert without_mark(f"{uploads.keep(pair[0]).stem}_night") == "house_night"


def test_stored_uploads_have_a_limit(uploads, pair, monkeypatch):
    stored = uploads.keep(pair[0])
    monkeypatch.setattr("nst_tf.app.uploads.MAX_STORED", 2 * stored.stat().st_size)
    assert uploads.keep(pair[0]) == stored, "nothing new is stored"
    later = Uploads(uploads.folder, SAMPLES)  # of a page that was started again
    large = stored.with_name("large.png")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)).save(large)
    with pytest.raises(ConfigError, match=r"uploads take .* GiB, the limit of this page"):
        later.keep(pair[1])


def test_preset_keeps_its_size_unless_another_is_chosen(uploads, pair):
    content, style = pair
    config = preset_config("devos")
    assert own_side(config, content) == 640
    assert own_side(config, None) is None
    for side, size in ((640, "640x480"), (300, "300")):
        assert make(uploads, content, StyleChoice(style), preset="devos", side=side).size == size
    assert own_side(preset_config("cs231n-starry"), content) == round(192 * 61 / 45)
    assert own_side(preset_config("none"), content) is None


def test_unusable_mask_raises_before_the_run_is_queued(uploads, pair, tmp_path):
    content, style = pair
    tall, black = mask_file(tmp_path / "tall.png", 90, 40), tmp_path / "black.png"
    Image.fromarray(np.zeros((45, 61), np.uint8)).save(black)
    messages = {
        tall: "style 1: its mask has 40x90 pixels, its picture 61x45: draw it on the picture",
        str(black): "style 1: its mask is all black, so it would act nowhere",
    }
    for mask, message in messages.items():
        with pytest.raises(ConfigError, match=message):
            make(uploads, content, StyleChoice(style, where=WHITE, mask=mask))


def test_map_of_what_is_kept_is_stored_and_checked(uploads, pair, tmp_path):
    content, style = pair[0], StyleChoice(pair[1])
    config = make(uploads, content, style, content_map=mask_file(tmp_path / "map.png"))
    stored = Path(config.content_map)
    assert stored.parent == uploads.folder
    assert load_mask(stored, (45, 61), say=None)[:, [0, -1]].tolist() == [[0, 1]] * 45
    tall = mask_file(tmp_path / "tall.png", 90, 40)
    with pytest.raises(ConfigError, match="the content map has 40x90 pixels"):
        make(uploads, content, style, content_map=tall)
    with pytest.raises(ConfigError, match="is uploaded, and `content_map` is 'contrast'"):
        make(uploads, content, style, content_map=tall, more={"content_map": "contrast"})


def test_tiff_is_stored_as_png_under_a_safe_name(uploads, tmp_path):
    tiff = tmp_path / "böse name; rm -rf .tiff"
    Image.fromarray(make_picture(40, 50)).save(tiff)
    stored = uploads.keep(tiff)
    assert stored.suffix == ".png"
    assert stored.stem.startswith("böse_name_rm_-rf-")
    np.testing.assert_array_equal(np.asarray(Image.open(stored)), make_picture(40, 50))


def test_unreadable_picture_error_names_the_uploaded_file(uploads, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"^bad\.jpg is not a readable picture"):
        uploads.keep(bad)
    good = SAMPLE_PAIR["content"]
    with pytest.raises(ImageError, match=r"^style 2: bad\.jpg is not a readable picture"):
        make(uploads, good, StyleChoice(good), StyleChoice(str(bad)))
    assert not uploads.folder.exists(), "nothing is kept of it"


def test_missing_input_raises(uploads, pair):
    content, style = pair
    with pytest.raises(ConfigError, match="the photograph is missing: upload one or choose"):
        make(uploads, None, StyleChoice(style))
    with pytest.raises(ConfigError, match="the style is missing: upload a painting or choose"):
        make(uploads, content, StyleChoice(None), StyleChoice(None))
    with pytest.raises(ConfigError, match="the duration is empty; a number was expected"):
        make(uploads, content, StyleChoice(style), iterations=None)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"side": 641}, "the longer side is 641 pixels; this page allows 640"),
        ({"seconds": 121.0}, "the duration is 121 seconds; this page allows 1 to 120"),
        ({"iterations": 0}, "the duration is 0 iterations; at least 1 was expected"),
        ({"keep_content": True}, "a style acts everywhere: choose where each style acts"),
        ({"seconds": 0.0}, "the duration is 0 seconds"),
        ({"scale": 3.0, "side": 640}, r"the stroke size is 3; the maximum at this size is 1\.5"),
        ({"more": {"seed": "x"}}, "`seed` is 'x'; a whole number was expected"),
        ({"more": {"method": "gramm"}}, "`method` is 'gramm'; choose from gram"),
        ({"more": {"init": "/etc/passwd"}}, "`init` is '/etc/passwd'; choose from content"),
        ({"more": {"content_map": "a.png"}}, "`content_map` is 'a.png'; choose from contrast"),
        ({"more": {"print": "90x60cm"}}, "`print` can't be set on this page"),
        ({"more": {"weights": "/x.mat"}}, "`weights` can't be set on this page"),
        ({"more": {"style_masks": "/x.png"}}, "`style_masks` can't be set on this page"),
    ],
)
def test_invalid_choice_raises(uploads, pair, choices, message):
    content, style = pair
    with pytest.raises(ConfigError, match=message):
        make(uploads, content, StyleChoice(style), **choices)


def test_more_knobs_are_parsed_and_empty_ones_keep_the_preset(uploads, pair):
    content, style = pair
    more = {"content_layers": "conv1_1, conv2_1", "clip": "no", "seed": "7", "pooling": ""}
    config = make(uploads, content, StyleChoice(style), preset="devos", more=more)
    assert config.content_layers == ("conv1_1", "conv2_1")
    assert (config.clip, config.seed, config.pooling) == (False, 7, "average")


def test_no_control_accepts_a_path_on_the_server():
    named = {knob.name for knob in MORE} & set(PATHS)
    assert named == {"init", "content_map"} == set(CHOICES), "of which only words are taken"
    assert all(heading_of(knob.name) for knob in MORE)


# ------------------------------------------------------------------ several styles and masks


def test_weights_and_masks_follow_their_styles(uploads, pair, tmp_path):
    content, style = pair
    mask = mask_file(tmp_path / "m.png")
    config = make(
        uploads,
        content,
        StyleChoice(style, 0.5, WHITE, mask=mask),
        StyleChoice(None),
        StyleChoice(content, 2.0, BLACK, mask=mask),
        keep_content=True,
    )
    stored = str(uploads.keep(mask))
    assert config.style_weights == (0.5, 2.0)
    assert config.masks == (stored, f"not:{stored}")
    assert config.keep_content


def test_painted_mask_and_its_complement_cover_the_picture(uploads, pair):
    content, style = pair
    choices = StyleChoice(style, where=PAINTED, painted=strokes()), StyleChoice(style, where=ELSE)
    config = make(uploads, content, *choices)
    assert config.masks[1] == f"not:{config.masks[0]}"
    first, rest = load_paintings(config, (45, 61), (45, 61))
    np.testing.assert_array_equal(first.mask + rest.mask, np.ones((45, 61)))
    assert first.mask[:, :20].all()
    assert not first.mask[:, 20:].any()


def test_remaining_area_is_what_no_mask_covers(uploads, pair, tmp_path):
    content, style = pair
    config = make(
        uploads,
        content,
        StyleChoice(style, where=PAINTED, painted=strokes()),
        StyleChoice(style, where=ELSE),
        StyleChoice(style, where=WHITE, mask=mask_file(tmp_path / "m.png")),
    )
    masks = [painting.mask for painting in load_paintings(config, (45, 61), (45, 61))]
    np.testing.assert_allclose(sum(masks), 1, atol=0.01)
    assert masks[1][:, 20:30].all()


def test_empty_or_missing_mask_raises(uploads, pair, tmp_path):
    content, style = pair
    invalid = {
        "style 1: nothing is painted yet": [StyleChoice(style, where=PAINTED)],
        "style 1: the mask is missing": [StyleChoice(style, where=WHITE)],
        "style 1: it acts where no other style acts, but no other style has a mask": [
            StyleChoice(style, where=ELSE)
        ],
        "style 2: it acts where no other style acts, but another style acts everywhere": [
            StyleChoice(style),
            StyleChoice(style, where=ELSE),
        ],
    }
    for message, styles in invalid.items():
        with pytest.raises(ConfigError, match=message):
            make(uploads, content, *styles)
    white = tmp_path / "white.png"
    Image.fromarray(np.full((45, 61), 255, np.uint8)).save(white)
    with pytest.raises(ConfigError, match="act on the whole picture: nothing is left"):
        everywhere_else([white], (45, 61))


def test_layers_without_strokes_raise():
    for layers in (None, [], [None], [np.zeros((5, 5, 4), np.uint8)]):
        with pytest.raises(ConfigError, match="nothing is painted yet"):
            painted_mask(layers)


def test_pictures_that_share_a_mark_are_not_taken_for_one(uploads, tmp_path, monkeypatch):
    first, second = tmp_path / "a.png", tmp_path / "b" / "a.png"
    second.parent.mkdir()
    for seed, path in enumerate((first, second)):
        Image.fromarray(make_picture(40, 50, seed=seed)).save(path)
    masks = [np.full((4, 5), value, np.float32) for value in (0, 1)]
    kept = [uploads.keep(first), uploads.keep_mask(masks[0], "a")]
    for path in kept:  # as if the others had the same first 12 digits
        data = second.read_bytes() if path == kept[0] else _png(Image.new("L", (5, 4), 255))
        digest = hashlib.sha256(data).hexdigest()
        path.rename(path.with_stem(f"a-{digest[:12]}"))
    kept = [uploads.keep(second), uploads.keep_mask(masks[1], "a")]
    assert kept[0].read_bytes() == second.read_bytes()
    assert np.asarray(Image.open(kept[1])).min() == 255
    assert all(path.stem.startswith("a_2-") for path in kept)
    assert kept == [uploads.keep(second), uploads.keep_mask(masks[1], "a")]
    assert len(list(uploads.folder.iterdir())) == 4


def test_upload_does_not_create_the_output_directory_again(pair, tmp_path):
    (tmp_path / "output").mkdir()
    uploads = Uploads(tmp_path / "output" / "uploads", SAMPLES)
    uploads.keep(pair[0])
    (tmp_path / "output").rename(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="output: the directory was removed or renamed"):
        uploads.keep(pair[1])
    assert not (tmp_path / "output").exists()
