"""Inputs of a job from its config: sizes, styles, masks, colors and initial images."""

import json

import numpy as np
import pytest
import scipy.stats
from pictures import make_picture
from PIL import Image

from nst_tf import ConfigError, ImageError, JobConfig, recover_image, styles_from_maps
from nst_tf.image.pixels import UNIT_PIXELS, VGG_PIXELS, PixelSpace
from nst_tf.image.sizes import fit_size, parse_size
from nst_tf.jobs.inputs import check_inputs_survive, input_files, load_images
from nst_tf.run import main, make_parser


@pytest.fixture
def config(pictures):
    content, style = pictures  # 45x61 and 50x39
    return JobConfig(content=str(content), style=(str(style),), size="60x44", style_margin=0)


def save_mask(path, height, width):
    """Save a mask whose left half is white; return its path."""
    mask = np.zeros((height, width), np.uint8)
    mask[:, : width // 2] = 255
    Image.fromarray(mask).save(path)
    return str(path)


def init_image(config, space=VGG_PIXELS):
    return load_images(config, space)["init_image"]


# ------------------------------------------------------------------ sizes


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("short:192", (192, 256)),
        ("long:512", (384, 512)),
        ("height:400", (400, 533)),
        ("width:100", (75, 100)),
        ("area:300", (260, 346)),
        ("512", (384, 512)),
        ("100x50", (50, 100)),
    ],
)
def test_size_with_named_side(text, size):
    assert fit_size(parse_size(text), (768, 1024)) == size


def test_size_with_max_never_enlarges():
    assert fit_size("max:512", (768, 1024)) == (384, 512)
    assert fit_size("MAX:512", (300, 200)) == (300, 200)
    assert fit_size(("max", 300), (300, 200)) == (300, 200)


def test_size_with_plus_is_for_jobs():
    assert parse_size("512+") == ("largest", 512)
    with pytest.raises(ImageError, match=r"512\+, the largest that fits .*; give a number"):
        fit_size("512+", (300, 200))
    for text in ("+", "640x480+", "short:512+", "512++", "max:640x480"):
        with pytest.raises(ImageError, match="write WxH"):
            parse_size(text)


def test_size_with_invalid_side_raises():
    for text in ("depth:100", "short:10x10", "short:", ":100"):
        with pytest.raises(
            ImageError, match=r"or a named side \(short, long, height, width, area\)"
        ):
            parse_size(text)


def test_style_size_defaults_to_pixel_count_of_result(config):
    shape = load_images(config, VGG_PIXELS)["style_image"][0].image.shape
    assert shape == (1, 58, 45, 3)  # 60 * 44 pixels in the shape of 50x39
    larger = load_images(config.changed(style_scale=2.0), VGG_PIXELS)
    assert larger["style_image"][0].image.shape == (1, 116, 90, 3)
    sized = load_images(config.changed(style_size="short:64"), VGG_PIXELS)
    assert sized["style_image"][0].image.shape == (1, 82, 64, 3)
    stretched = load_images(config.changed(stretch_style=True), VGG_PIXELS)
    assert stretched["style_image"][0].image.shape == (1, 44, 60, 3)


def test_style_margin_crops_frame_unless_style_mask_is_given(config, tmp_path):
    framed = np.full((100, 200, 3), (200, 40, 40), np.uint8)  # a red frame around a green picture
    framed[6:-6, 12:-12] = 40, 200, 40
    Image.fromarray(framed).save(tmp_path / "framed.png")
    mask = save_mask(tmp_path / "mask.png", 100, 200)
    config = config.changed(style=str(tmp_path / "framed.png"), style_size="height:88")

    def colors(**knobs):
        image = load_images(config.changed(**knobs), VGG_PIXELS)["style_image"][0].image
        return {tuple(color) for color in recover_image(image).reshape(-1, 3).tolist()}

    assert colors(style_margin=None) == {(40, 200, 40)}
    assert colors(style_margin=0.06) == {(40, 200, 40)}
    assert (200, 40, 40) in colors(style_margin=0.0)
    assert (200, 40, 40) in colors(style_margin=None, style_masks=mask)
    assert (200, 40, 40) in colors(style_margin=0.06, style_masks=mask)
    assert JobConfig().style_margin is None


def test_too_small_style_raises(config):
    with pytest.raises(ImageError, match=r"brush.jpg: a size of .* change --size, --style-si"):
        load_images(config.changed(style_scale=0.5), VGG_PIXELS)


# ------------------------------------------------------------------ several styles and masks


def test_styles_have_their_weights_and_masks(config, pictures, tmp_path):
    content, style = map(str, pictures)
    mask = save_mask(tmp_path / "mask.png", 45, 61)
    style_mask = save_mask(tmp_path / "style_mask.png", 50, 39)
    config = config.changed(
        style=(style, content, style),
        style_weights=(1, 2, 3),
        masks=(mask, f"not:{mask}", "-"),
        style_masks=("-", "-", style_mask),
    )
    one, two, three = load_images(config, VGG_PIXELS)["style_image"]
    assert (one.weight, two.weight, three.weight) == (1, 2, 3)
    np.testing.assert_allclose(one.mask + two.mask, 1, atol=1e-6)
    assert one.mask.shape == (44, 60)
    assert one.mask[:, 0].all()
    assert three.mask is None
    assert one.style_mask is None
    assert three.style_mask.shape == three.image.shape[1:3]


def test_style_scale_may_be_one_per_style(config):
    twice = config.changed(style=(config.style[0],) * 2)
    one, other = load_images(twice.changed(style_scale=(1.0, 1.5)), VGG_PIXELS)["style_image"]
    ratio = np.divide(other.image.shape[1:3], one.image.shape[1:3])
    assert ratio == pytest.approx([1.5, 1.5], abs=0.05)
    assert config.changed(style_scale=[2]).style_scale == 2.0
    with pytest.raises(ConfigError, match="`style_scale` has 3 entries for 2 styles"):
        twice.changed(style_scale=(1, 2, 3))
    with pytest.raises(ConfigError, match=r"`style_scale` is 0\.0; it must be above 0"):
        twice.changed(style_scale=(1, 0))


@pytest.mark.parametrize("name", ["style_weights", "masks", "style_masks"])
def test_wrong_number_of_entries_per_style_raises(config, name):
    values = (1, 2) if name == "style_weights" else ("a.png", "b.png")
    with pytest.raises(ConfigError, match=f"`{name}` has 2 entries for 1 styles; give one for"):
        config.changed(**{name: values})


def test_keep_content_without_masks_raises(config):
    for masks in (None, ("-",)):
        with pytest.raises(ConfigError, match="`keep_content` needs `masks`"):
            config.changed(masks=masks, keep_content=True)


def test_keep_content_outside_masks(config, tmp_path):
    mask = save_mask(tmp_path / "mask.png", 45, 61)
    inputs = load_images(config.changed(masks=(mask,), keep_content=True), VGG_PIXELS)
    content = recover_image(inputs["content_image"])
    black = np.zeros_like(content)
    finished = inputs["finish"](black)
    assert not finished[:, :29].any()
    np.testing.assert_array_equal(finished[:, 32:], content[:, 32:])


# ------------------------------------------------------------------ regions


def save_map(path, height, width, colors=((200, 30, 20), (20, 60, 200))):
    """Save a map with the first color in the left third and the second in the rest."""
    picture = np.full((height, width, 3), colors[1], np.uint8)
    picture[:, : width // 3] = colors[0]
    Image.fromarray(picture).save(path)
    return str(path)


@pytest.fixture
def maps(tmp_path):
    return save_map(tmp_path / "map.png", 45, 61), save_map(tmp_path / "style_map.png", 50, 39)


def test_regions_are_styles_with_masks(config, maps, tmp_path):
    right, left = load_images(config.changed(regions=maps), VGG_PIXELS)["style_image"]
    assert right.image is left.image
    np.testing.assert_allclose(left.mask + right.mask, 1, atol=1e-6)
    np.testing.assert_allclose(left.style_mask + right.style_mask, 1, atol=1e-6)
    assert (left.mask.shape, left.style_mask.shape) == ((44, 60), left.image.shape[1:3])
    assert left.mask[:, :19].all()
    assert left.style_mask[:, :13].all()
    binary = load_images(config.changed(regions=maps, binary_masks=True), VGG_PIXELS)["style_image"]
    assert set(np.unique(binary[0].style_mask)) == {0, 1}


def test_regions_in_python_are_those_of_a_job(config, maps):
    inputs = load_images(config.changed(regions=maps), VGG_PIXELS)
    image = inputs["style_image"][0].image
    styles = styles_from_maps(image, *maps, inputs["content_image"].shape[1:3], say=None)
    for style, expected in zip(styles, inputs["style_image"], strict=True):
        np.testing.assert_array_equal(style.mask, expected.mask)
        np.testing.assert_array_equal(style.style_mask, expected.style_mask)


def test_colors_are_matched_region_by_region(config, maps):
    styles = load_images(config.changed(regions=maps, color="pca"), VGG_PIXELS)["style_image"]
    assert np.abs(styles[0].image - styles[1].image).max() > 1


def test_photograph_is_kept_where_a_region_has_no_style(config, maps, tmp_path):
    other = save_map(tmp_path / "other.png", 50, 39, ((9, 200, 9), (20, 60, 200)))
    config = config.changed(regions=(maps[0], other), keep_content=True)
    lines = []
    inputs = load_images(config, VGG_PIXELS, say=lines.append)
    assert any("no style acts there" in line for line in lines)
    content = recover_image(inputs["content_image"])
    finished = inputs["finish"](np.zeros_like(content))
    np.testing.assert_array_equal(finished[:, :18], content[:, :18])
    assert not finished[:, 22:].any()


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"regions": ("a.png",)}, "`regions` has 1 entries; two were expected, the maps"),
        ({"regions": ("a", "b"), "masks": ("-",)}, "`masks` or `style_masks` both say where"),
        ({"regions": ("a", "b"), "style_masks": ("-",)}, "`regions` and `masks` or `style_mas"),
        ({"regions": ("a", "b"), "style": ("a", "b")}, "maps one painting, but there are 2 styles"),
    ],
)
def test_unusable_regions_raise(config, knobs, message):
    with pytest.raises(ConfigError, match=message):
        config.changed(**knobs)


def test_maps_are_input_files(config, maps, tmp_path):
    config = config.changed(regions=maps)
    assert input_files(config)["regions"] == list(maps)
    assert config.with_names().regions == ("map.png", "style_map.png")
    with pytest.raises(ConfigError, match=r"map\.png is an input and would be replaced"):
        check_inputs_survive(config, None, maps[0])


def test_regions_between_the_pictures_on_the_command_line():
    words = ["a.jpg", "--regions", "one.png", "two, or 2.png", "b.jpg"]
    options = vars(make_parser().parse_intermixed_args(words))
    assert (options["content"], options["style"]) == ("a.jpg", ["b.jpg"])
    assert options["regions"] == ("one.png", "two, or 2.png")


def test_regions_give_the_picture_of_the_same_masks(job, pictures, maps, tmp_path):
    for path, height, width in (("content.png", 45, 61), ("style.png", 50, 39)):
        mask = np.zeros((height, width), np.uint8)
        mask[:, : width // 3] = 255
        Image.fromarray(mask).save(tmp_path / path)
    masks = [f"--{knob}" for knob in ("masks", "style-masks")]
    files = ["not:content.png", "content.png"], ["not:style.png", "style.png"]
    content, style = pictures
    options = [masks[0], *files[0], masks[1], *files[1], "--output", "masks"]
    small = ["--style-layers", "conv1_1", "conv2_1", "--alpha", "0", "--iterations", "2"]
    assert job(*options, *small, pair=(content, style, style)) == 0
    assert job("--regions", *maps, *small, "--output", "regions") == 0
    one, other = (
        np.asarray(Image.open(tmp_path / folder / "result.png")) for folder in ("masks", "regions")
    )
    np.testing.assert_array_equal(one, other)
    journal = json.loads((tmp_path / "regions/journal.json").read_text())
    assert {"regions 1", "regions 2"} <= set(journal["files"])
    assert journal["remarks"] == []
    page = (tmp_path / "regions/report.html").read_text()
    assert 'alt="content map: map.png"' in page
    assert 'alt="style map: style_map.png"' in page


# ------------------------------------------------------------------ analogies


@pytest.fixture
def pair(pictures, tmp_path):
    """Return the paths of a picture and of its painting, of one size."""
    Image.fromarray(make_picture(50, 39, seed=4)).save(tmp_path / "plain.png")
    return str(tmp_path / "plain.png"), str(pictures[1])


def test_an_analogy_brings_its_style(config, pair):
    config = config.changed(analogy=pair)
    assert (config.style, config.method) == (pair[1:], "patches")
    [style] = load_images(config, VGG_PIXELS)["style_image"]
    assert style.unfiltered.shape == style.image.shape
    assert input_files(config)["analogy"] == [pair[0]]
    assert config.with_names().analogy == ("plain.png", "brush.jpg")
    assert config.arguments()[0].endswith("house.png")
    assert config.arguments()[1:6] == ["--method", "patches", "--analogy", *pair]
    again = JobConfig().changed(**json.loads(config.text()))
    assert again == config


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"analogy": ("a.png",)}, "`analogy` has 1 entries; two were expected"),
        ({"analogy": ("a", "b"), "style": ("c",)}, "names its own painting, b; leave out the sty"),
        ({"analogy": ("a", "b"), "regions": ("c", "d")}, "`regions` and `analogy` both say"),
        (
            {"analogy": ("a", "b"), "method": "gram"},
            "chooses patches, but the method is gram",
        ),
    ],
)
def test_unusable_analogies_raise(config, knobs, message):
    with pytest.raises(ConfigError, match=message):
        config.changed(**knobs)


def test_pictures_of_an_analogy_must_have_one_size(config, pictures, pair):
    with pytest.raises(
        ImageError, match=r"house\.png has 61x45 pixels and .*brush\.jpg 39x50; the"
    ):
        load_images(config.changed(analogy=(str(pictures[0]), pair[1])), VGG_PIXELS)


def test_analogy_on_the_command_line(pictures, pair, tmp_path, monkeypatch, tiny_mat, capsys):
    monkeypatch.chdir(tmp_path)
    small = ["--weights", tiny_mat, "--style-layers", "conv1_1", "--alpha", "0", "--size", "48"]
    small += ["--iterations", "1", "--output", "a"]
    assert main([str(x) for x in [pictures[0], "--analogy", *pair, *small]]) == 0
    files = json.loads((tmp_path / "a/journal.json").read_text())["files"]
    assert {"content", "style", "analogy"} <= set(files)
    again = ["--config", "a/result.png", "--iterations", "0", "--output", "again"]
    assert main(again) == 0, "the settings in a picture name their files"
    assert main(["--analogy", *pair]) == 2
    assert "an analogy needs CONTENT" in capsys.readouterr().err


# ------------------------------------------------------------------ colors


def chroma(picture):
    """Return the I and Q channels, on a scale of 0..1."""
    to_iq = np.array([[0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    return picture / 255.0 @ to_iq.T


@pytest.mark.parametrize("color", ["luminance", "swap"])
def test_finish_restores_content_colors(config, color):
    content = recover_image(load_images(config, VGG_PIXELS)["content_image"])
    inputs = load_images(config.changed(color=color), VGG_PIXELS)
    stylized = make_picture(44, 60, seed=9)
    finished = inputs["finish"](stylized)
    np.testing.assert_allclose(chroma(finished), chroma(content), atol=1 / 255)
    if color == "luminance":
        gray = recover_image(inputs["content_image"])
        assert (gray == gray[..., :1]).all()


@pytest.mark.parametrize("color", ["cholesky", "pca", "symmetric", "histogram"])
def test_color_transfer_changes_style_but_not_result(config, color):
    content = recover_image(load_images(config, VGG_PIXELS)["content_image"])
    inputs = load_images(config.changed(color=color), VGG_PIXELS)
    style = recover_image(inputs["style_image"][0].image)
    means = [picture.mean(axis=(0, 1)) for picture in (style, content)]
    np.testing.assert_allclose(*means, atol=4)  # clipped and rounded
    stylized = make_picture(44, 60, seed=9)
    np.testing.assert_array_equal(inputs["finish"](stylized), stylized)


def test_photograph_is_recolored_for_one_style_only(config, pictures, tmp_path):
    inputs = load_images(config.changed(color="match-style"), VGG_PIXELS)
    colors = [recover_image(inputs[name]).mean(axis=(0, 1)) for name in ("content_image",)]
    style = recover_image(inputs["style_image"][0].image).mean(axis=(0, 1))
    np.testing.assert_allclose(colors[0], style, atol=4)
    two = {"style": (str(pictures[1]),) * 2, "color": "match-style"}
    with pytest.raises(ConfigError, match="2 styles without a mask recolor the same photograph"):
        config.changed(**two)
    mask = save_mask(tmp_path / "mask.png", 45, 61)
    config.changed(**two, masks=(mask, "-"))


def test_colors_are_restored_only_under_masks(config, tmp_path):
    mask = save_mask(tmp_path / "mask.png", 45, 61)
    inputs = load_images(config.changed(masks=(mask,), color="swap"), VGG_PIXELS)
    stylized = make_picture(44, 60, seed=9)
    finished = inputs["finish"](stylized)
    np.testing.assert_array_equal(finished[:, 32:], stylized[:, 32:])
    assert (finished[:, :29] != stylized[:, :29]).any()


# ------------------------------------------------------------------ initial images


def test_init_defaults_to_content(config):
    inputs = load_images(config, VGG_PIXELS)
    np.testing.assert_array_equal(inputs["init_image"], inputs["content_image"])


def test_noise_and_gray_init(config):
    noise = init_image(config.changed(init="noise", noise="gaussian", noise_amplitude=50))
    np.testing.assert_allclose([noise.mean(), noise.std()], [0, 50], atol=2)
    gray = init_image(config.changed(init="grey"))
    assert (np.abs(recover_image(gray).astype(int) - 127.5) <= 1).all()


def test_noise_amplitude_in_gray_levels_in_any_pixel_space(config):
    space = PixelSpace(mean=(120.0,) * 3, std=(50.0,) * 3)
    noise = init_image(config.changed(init="noise", noise="uniform", noise_amplitude=20), space)
    assert 19 < np.abs(noise).max() * 50 <= 20


def test_style_init_is_mean_color_by_weights_and_masks(config, tmp_path):
    red, blue = str(tmp_path / "red.png"), str(tmp_path / "blue.png")
    Image.new("RGB", (40, 40), (255, 0, 0)).save(red)
    two_halves = Image.new("RGB", (40, 40), (0, 0, 255))
    two_halves.paste((0, 255, 0), (20, 0, 40, 40))
    two_halves.save(blue)
    mask = save_mask(tmp_path / "mask.png", 40, 40)
    config = config.changed(
        style=(red, blue),
        style_weights=(3, 1),
        style_masks=("-", mask),
        init="style",
        resample="bilinear",
        style_size="40x40",
    )
    picture = recover_image(init_image(config))
    assert (picture == [191, 0, 64]).all()


def test_style_stats_init_is_noise_of_the_styles_mean_and_deviation(config, pictures):
    config = config.changed(init="style-stats", style=(str(pictures[1]), str(pictures[0])))
    config = config.changed(style_weights=(3, 1), size="200x150")
    inputs = load_images(config, VGG_PIXELS)
    start = inputs["init_image"]
    pixels = [recover_image(style.image).reshape(-1, 3) / 255 for style in inputs["style_image"]]
    mean = 0.75 * pixels[0].mean(axis=0) + 0.25 * pixels[1].mean(axis=0)
    deviation = np.sqrt(0.75 * pixels[0].var(axis=0) + 0.25 * pixels[1].var(axis=0))
    theirs = scipy.stats.truncnorm(-mean / deviation, (1 - mean) / deviation, mean, deviation)
    found = (start[0] + VGG_PIXELS.mean).reshape(-1, 3) / 255  # 30,000 pixels
    np.testing.assert_allclose(found.mean(axis=0), theirs.mean(), atol=0.01)
    np.testing.assert_allclose(found.std(axis=0), theirs.std(), atol=0.01)
    assert found.min() + 1e-6 >= 0
    assert found.max() - 1e-6 <= 1
    assert abs(np.corrcoef(found[:-1, 0], found[1:, 0])[0, 1]) < 0.03  # pixel by pixel
    np.testing.assert_array_equal(init_image(config), start)
    assert (init_image(config.changed(seed=1)) != start).any()


def test_style_stats_of_a_flat_painting_is_its_color(config, tmp_path):
    Image.fromarray(np.full((40, 50, 3), (255, 90, 0), np.uint8)).save(tmp_path / "flat.png")
    start = init_image(config.changed(init="style-stats", style=(str(tmp_path / "flat.png"),)))
    expected = np.full_like(start[0], (255, 90, 0))
    np.testing.assert_allclose(start[0] + VGG_PIXELS.mean, expected, atol=1e-3)


def test_init_from_file_mixed_with_noise(config, pictures):
    _, other = pictures
    unmixed = init_image(config.changed(init=str(other)))
    assert unmixed.shape == (1, 44, 60, 3)
    mixed = init_image(config.changed(init=str(other), noise_ratio=0.5, noise_amplitude=10))
    assert np.abs(mixed - unmixed / 2).max() <= 5.001
    with pytest.raises(
        ImageError, match=r"neither content, noise, grey, style, style-stats nor a picture file"
    ):
        init_image(config.changed(init="nowhere.png"))


def test_noise_added_does_not_change_noise_init(config):
    noise = config.changed(init="noise", noise="gaussian", noise_amplitude=50)
    np.testing.assert_array_equal(init_image(noise), init_image(noise.changed(noise_added=True)))


def test_noise_added_to_unscaled_content(config):
    config = config.changed(noise_added=True, noise_ratio=1.0, noise_amplitude=10)
    difference = init_image(config, UNIT_PIXELS) - load_images(config, UNIT_PIXELS)["content_image"]
    assert 9 < np.abs(difference).max() * 255 <= 10.001
