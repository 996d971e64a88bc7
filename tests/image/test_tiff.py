"""TIFFs of science and print: planes, white as zero, 16 and 32 bits, floats, raw files."""

import io
import zlib

import numpy as np
import pytest
import tifffile
from pictures import make_picture
from PIL import Image

from nst_tf.errors import ImageError
from nst_tf.image.io import read_picture

PICTURE = make_picture(40, 56)
GRAY = PICTURE[..., 0]
WIDE = PICTURE.astype(np.uint16) * 257


def written(tmp_path, values, **options):
    path = tmp_path / "picture.tif"
    tifffile.imwrite(path, values, **options)
    return path


def read(path):
    """Return the picture and the lines that were said."""
    lines = []
    return read_picture(path, say=lines.append), lines


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("options", [{}, {"tile": (16, 32)}, {"bigtiff": True}])
@pytest.mark.parametrize("planes", [False, True])
def test_sixteen_bit_color_in_any_layout(tmp_path, compression, byteorder, options, planes):
    values = np.moveaxis(WIDE, 2, 0) if planes else WIDE
    options = {**options, "planarconfig": "separate" if planes else "contig"}
    options |= {"photometric": "rgb", "compression": compression, "byteorder": byteorder}
    picture, lines = read(written(tmp_path, values, **options))
    np.testing.assert_array_equal(picture, PICTURE)
    assert lines == []


@pytest.mark.parametrize("values", [GRAY, GRAY.astype(np.uint16) * 257, GRAY / np.float32(255)])
def test_black_is_black_where_zero_is_white(tmp_path, values):
    negative = (1 if values.dtype.kind == "f" else np.iinfo(values.dtype).max) - values
    picture, _ = read(written(tmp_path, negative, photometric="miniswhite"))
    np.testing.assert_array_equal(picture[..., 1], GRAY)


def test_float_color(tmp_path):
    picture, lines = read(written(tmp_path, PICTURE / np.float32(255), photometric="rgb"))
    np.testing.assert_array_equal(picture, PICTURE)
    assert lines == []
    brightest = PICTURE.max()
    picture, lines = read(written(tmp_path, PICTURE / np.float64(brightest / 4), photometric="rgb"))
    assert picture.max() == 255
    assert lines == [f"{tmp_path / 'picture.tif'}: its values from 0 to 4 are divided by 4"]


@pytest.mark.parametrize(("extra", "alpha"), [("unassalpha", True), ("unspecified", False)])
def test_alpha_of_sixteen_bits(tmp_path, extra, alpha):
    opacity = np.full((40, 56, 1), 65535, np.uint16)
    opacity[:20] = 0
    values = np.concatenate([WIDE, opacity], axis=2)
    picture, lines = read(written(tmp_path, values, photometric="rgb", extrasamples=[extra]))
    expected = PICTURE.copy()
    expected[:20] = 255 if alpha else expected[:20]
    np.testing.assert_array_equal(picture, expected)
    remark = (
        "its transparent parts are white" if alpha else "channels other than its colors are ignored"
    )
    assert lines == [f"{tmp_path / 'picture.tif'}: {remark}"]


@pytest.mark.parametrize("used", [8, 12])
@pytest.mark.parametrize("opaque", [None, "used", "all"])
def test_alpha_has_the_bits_that_are_in_use(tmp_path, used, opaque):
    values = np.rint(PICTURE / 255 * (2**used - 1)).astype(np.uint16)
    options = {"photometric": "rgb"}
    if opaque:
        level = 65535 if opaque == "all" else 2**used - 1
        values = np.dstack([values, np.full((40, 56), level, np.uint16)])
        options["extrasamples"] = ["unassalpha"]
    picture, lines = read(written(tmp_path, values, **options))
    np.testing.assert_allclose(picture, PICTURE, atol=1)
    assert [line.partition(" are taken as ")[2] for line in lines] == [f"{used} bits"]


def test_preview_before_the_picture_is_skipped(tmp_path):
    path = tmp_path / "preview.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(np.full((33, 35, 3), 9, np.uint8), photometric="rgb", subfiletype=1)
        writer.write(PICTURE, photometric="rgb")
    picture, lines = read(path)
    np.testing.assert_array_equal(picture, PICTURE)
    assert lines == []


@pytest.mark.parametrize("options", [{"imagej": True}, {"ome": True}])
def test_channels_as_pages_are_said(tmp_path, options):
    metadata = {"axes": "CYX", "mode": "composite"} if "imagej" in options else {"axes": "CYX"}
    planes = np.moveaxis(PICTURE, 2, 0)
    path = written(tmp_path, planes, photometric="minisblack", metadata=metadata, **options)
    picture, lines = read(path)
    np.testing.assert_array_equal(picture[..., 0], PICTURE[..., 0])
    assert lines == [f"{path}: only the first of its 3 channels is used: merge them to RGB"]


def test_cmyk_of_sixteen_bits(tmp_path):
    ink = np.zeros((40, 40, 4), np.uint16)
    ink[:20, :, 0] = 65535  # cyan
    picture, lines = read(written(tmp_path, ink, photometric="separated"))
    np.testing.assert_array_equal(picture[5, 5], (0, 255, 255))
    np.testing.assert_array_equal(picture[35, 5], (255, 255, 255))
    assert "it is CMYK without a color profile" in lines[0]


def test_orientation_and_first_page(tmp_path):
    path = tmp_path / "pages.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(WIDE, photometric="rgb", extratags=[(274, "H", 1, 6, True)])
        writer.write(WIDE[::-1], photometric="rgb")
    picture, lines = read(path)
    np.testing.assert_array_equal(picture, np.rot90(PICTURE, -1))
    assert lines == [f"{path}: only the first of its pages is used"]


def test_lzw_of_sixteen_bits_is_left_to_pillow(tmp_path):
    path = tmp_path / "picture.tif"
    data = io.BytesIO()
    Image.fromarray(WIDE[..., 0]).save(data, "TIFF", compression="tiff_lzw")
    path.write_bytes(data.getvalue())
    np.testing.assert_array_equal(read(path)[0][..., 2], GRAY)
    Image.fromarray(GRAY.astype(np.float32)).save(path, compression="tiff_lzw")
    with pytest.raises(ImageError, match=r"32 bits per channel, packed by LZW: .*imagecodecs"):
        read(path)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.full((40, 40), np.nan, np.float32), {}, "holds NaN or infinite numbers"),
        (np.full((40, 40), -5, np.int16), {}, "values from -5 to -5; 0 and more were expected"),
        (np.ones((40, 40), np.complex64), {}, "volumes or complex numbers; a picture was expected"),
        (np.ones((40, 40, 7), np.uint16), {"planarconfig": "contig"}, "7 bands: choose one"),
        (np.ones((40, 40, 3), np.uint16), {"photometric": "cielab"}, "color space CIE Lab"),
        (
            np.ones((40, 40), np.uint16),
            {"photometric": "cfa"},
            "is a raw file of a camera: develop",
        ),
        (
            np.ones((40, 40), np.uint8),
            {"extratags": [(50706, "B", 4, (1, 4, 0, 0), True)]},
            "is a raw file of a camera: develop",
        ),
    ],
    ids=["NaN", "negative", "complex", "channels", "Lab", "mosaic", "DNG"],
)
def test_what_cannot_be_known_is_refused(tmp_path, values, options, message):
    with pytest.raises(ImageError, match=rf"picture\.tif: it .*{message}"):
        read(written(tmp_path, values, **{"photometric": "minisblack", **options}))


def test_strip_that_expands_beyond_its_pixels_raises(tmp_path):
    path = written(tmp_path, WIDE, photometric="rgb", compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages.first
        (offset,), (count,) = page.dataoffsets, page.databytecounts
    bomb = zlib.compress(bytes(4_000_000), 9)
    assert len(bomb) <= count
    data = bytearray(path.read_bytes())
    data[offset : offset + len(bomb)] = bomb
    path.write_bytes(data)
    with pytest.raises(ImageError, match="a strip holds more pixels than it claims"):
        read(path)


def test_claim_beyond_the_file_raises(tmp_path):
    path = written(tmp_path, np.zeros((64, 64), np.uint16), compression="zlib")
    data = path.read_bytes()
    size = (64).to_bytes(4, "little")
    for tag in (256, 257):  # width and height, as 32-bit numbers
        entry = tag.to_bytes(2, "little") + (4).to_bytes(2, "little") + (1).to_bytes(4, "little")
        at = data.find(entry + size) + len(entry)
        if at >= len(entry):
            data = data[:at] + (13_000).to_bytes(4, "little") + data[at + 4 :]
            continue
        entry = tag.to_bytes(2, "little") + (3).to_bytes(2, "little") + (1).to_bytes(4, "little")
        at = data.index(entry) + len(entry)
        data = data[:at] + (13_000).to_bytes(4, "little") + data[at + 4 :]
    path.write_bytes(data)
    with pytest.raises(ImageError, match=r"claims 13000x13000 pixels; at most 50,000,000"):
        read(path)
