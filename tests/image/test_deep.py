"""Pictures of 16 bits per channel, read by other libraries and by ours."""

import numpy as np
import pytest
import tensorflow as tf
import tifffile
from pictures import make_picture
from PIL import Image

from nst_tf import ImageError, recover_image, save_image
from nst_tf.image.io import check_format, read_note, read_picture
from nst_tf.image.pixels import UNIT_PIXELS, VGG_PIXELS

IMAGE = VGG_PIXELS.to_image(make_picture(71, 93) + np.random.default_rng(0).random((71, 93, 3)))


def libpng(path):
    return tf.io.decode_png(path.read_bytes(), dtype=tf.uint16).numpy()


READERS = {"a.png": libpng, "a.tif": tifffile.imread, "a.tiff": tifffile.imread}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("options", [{}, {"profile": "srgb", "dpi": 300, "notes": {"key": "ü"}}])
def test_sixteen_bits_are_those_of_the_image_before_rounding(tmp_path, name, options):
    save_image(tmp_path / name, IMAGE, bits=16, **options)
    found = READERS[name](tmp_path / name)
    assert found.dtype == np.uint16
    assert len(np.unique(found)) > 5000, "more than 256 levels"
    exact = np.clip(IMAGE[0].astype(np.float64) + VGG_PIXELS.mean, 0, 255) / 255
    assert np.abs(found / 65535 - exact).max() < 1 / 65535
    with Image.open(tmp_path / name) as saved:
        assert ("dpi" in saved.info) == bool(options) or name != "a.png"
        if options:
            assert saved.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    np.testing.assert_allclose(read_picture(tmp_path / name), 255 * exact, atol=1.01)


def test_text_of_a_deep_png_is_read_back(tmp_path):
    save_image(tmp_path / "a.png", IMAGE, bits=16, notes={"nst_tf": '{"size": "ü"}'})
    assert read_note(tmp_path / "a.png", "nst_tf") == '{"size": "ü"}'


def test_deep_tiff_holds_pixels_and_nothing_else(tmp_path):
    save_image(tmp_path / "a.tif", IMAGE, bits=16, notes={"nst_tf": "x"})
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        tags = {tag.name: tag.value for tag in tiff.pages[0].tags}
    assert not {"Software", "DateTime", "ImageDescription", "HostComputer", "Artist"} & set(tags)
    assert tags["ResolutionUnit"] == 1, "no resolution is claimed"


@pytest.mark.parametrize("space", [VGG_PIXELS, UNIT_PIXELS])
def test_recovered_picture_of_sixteen_bits(space):
    picture = make_picture(40, 50)
    deep = recover_image(space.to_image(picture), space, bits=16)
    assert deep.dtype == np.uint16
    np.testing.assert_allclose(deep / 257, picture, atol=1e-4)


def test_eight_bits_are_saved_as_before(tmp_path):
    for name in ("a.png", "a.tif", "a.webp"):
        save_image(tmp_path / name, IMAGE)
        np.testing.assert_array_equal(read_picture(tmp_path / name), recover_image(IMAGE))
        with Image.open(tmp_path / name) as saved:
            assert not {"icc_profile", "dpi"} & set(saved.info) or saved.info["dpi"] == (1, 1)
    save_image(tmp_path / "b.png", recover_image(IMAGE, bits=16))
    assert read_picture(tmp_path / "b.png").tolist() == recover_image(IMAGE).tolist()


def test_formats_without_sixteen_bits_or_resolution_are_refused(tmp_path):
    with pytest.raises(ImageError, match=r"a\.jpg with 16 bits per channel: use \.png, \.tif"):
        save_image(tmp_path / "a.jpg", IMAGE, bits=16)
    with pytest.raises(ImageError, match=r"a\.webp with 300 dpi: use .*\.jpeg, or leave it out"):
        check_format("a.webp", dpi=300)
    assert not list(tmp_path.iterdir())
