"""Files that are taken for pictures, HEIC, gamma, and remarks about what was assumed."""

import sys
import zlib

import numpy as np
import pytest
import tifffile
from damage import png_chunk
from pictures import make_picture
from PIL import Image
from valid_files import png_with

from nst_tf.errors import ImageError
from nst_tf.image.io import picture_extensions, read_picture

PICTURE = make_picture(40, 56)


def read(path):
    """Return the picture and the lines that were said, without the name."""
    lines = []
    picture = read_picture(path, say=lines.append)
    return picture, [line.removeprefix(f"{path}: ") for line in lines]


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"%PDF-1.7\n", "a PDF: export its page as PNG"),
        (b'<?xml version="1.0"?><svg/>', "an SVG drawing"),
        (b"<!DOCTYPE html><html>", "a web page: download the picture itself"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "a pointer of Git LFS: run `git lfs pull`",
        ),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL: save it as JPEG or PNG"),
        (b"\0\0\0\x18ftypcrx isom", "a raw file of a camera: develop it"),
        (b"\0\0\0\x20ftypisom", "a film: save one of its frames"),
        (b"v/1\x01\2\0\0\0", "an OpenEXR of high dynamic range"),
        (b"\n<!-- -->\n<html lang='en'>", "a web page"),
        (b"PK\x03\x04 [Content_Types].xml", "an Office document"),
        (b"PK\x03\x04 arr_0.npy", "a file of NumPy arrays"),
        (b"PK\x03\x04 a.jpg", "a zip: unpack it"),
        (bytes(128) + b"DICM", "a DICOM"),
    ],
)
def test_other_files_are_named(tmp_path, start, message):
    path = tmp_path / "photo.jpg"
    path.write_bytes(start + bytes(100))
    with pytest.raises(ImageError, match=rf"photo\.jpg is not a readable picture but {message}"):
        read(path)


def test_texts_and_empty_files_are_named(tmp_path):
    for data, message in [
        (b"", "an empty file"),
        (bytes(5000), "a file of zeros"),
        (b"a note\n", "a text file: choose a picture"),
        (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "an XML file: download the picture"),
    ]:
        (tmp_path / "a.jpg").write_bytes(data)
        with pytest.raises(ImageError, match=rf"a\.jpg is not a readable picture but {message}"):
            read(tmp_path / "a.jpg")


def test_bright_netpbm_is_no_text(tmp_path):
    (tmp_path / "a.ppm").write_bytes(b"P6\n40 40\n255\n" + b"w" * 4800)
    assert (read(tmp_path / "a.ppm")[0] == ord("w")).all()


def png_of_sixteen_bits(path, values, *chunks):
    """Write (H, W, C) uint16 as a PNG, which Pillow can't."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    kind = {3: 2, 4: 6}[channels]
    options = {"size": (width, height), "bits": 16, "color": kind, "pixels": zlib.compress(rows)}
    path.write_bytes(png_with(*chunks, **options))


@pytest.mark.parametrize("used", [8, 12])
@pytest.mark.parametrize("opaque", [None, "used", "all"])
def test_bits_in_use_of_a_png(tmp_path, used, opaque):
    values = np.rint(PICTURE / 255 * (2**used - 1)).astype(np.uint16)
    if opaque:
        level = 65535 if opaque == "all" else 2**used - 1
        values = np.dstack([values, np.full((40, 56), level, np.uint16)])
    png_of_sixteen_bits(tmp_path / "a.png", values)
    picture, lines = read(tmp_path / "a.png")
    np.testing.assert_allclose(picture, PICTURE, atol=1)
    assert [line.partition(" are taken as ")[2] for line in lines] == [f"{used} bits"]


def test_bits_in_use_of_a_compressed_tiff(tmp_path):
    values = np.rint(PICTURE / 255 * 4095).astype(np.uint16)
    for byteorder in "<>":
        path = tmp_path / "a.tif"
        tifffile.imwrite(path, values, photometric="rgb", byteorder=byteorder)
        with tifffile.TiffFile(path) as tiff:
            offset, count = tiff.pages.first.dataoffsets[0], tiff.pages.first.databytecounts[0]
            tag = tiff.pages.first.tags["Compression"].valueoffset
        data = bytearray(path.read_bytes())
        strip = bytes(data[offset : offset + count])
        packed = b"".join(  # PackBits without runs
            bytes([len(strip[at : at + 128]) - 1]) + strip[at : at + 128]
            for at in range(0, len(strip), 128)
        )
        with tifffile.TiffFile(path) as tiff:
            places = {
                name: tiff.pages.first.tags[name].valueoffset
                for name in ("StripOffsets", "StripByteCounts")
            }
            sizes = {name: tiff.pages.first.tags[name].dtype for name in places}
        order = "little" if byteorder == "<" else "big"
        data[tag : tag + 2] = (32773).to_bytes(2, order)
        for name, number in [("StripOffsets", len(data)), ("StripByteCounts", len(packed))]:
            length = {3: 2, 4: 4}[sizes[name]]
            data[places[name] : places[name] + length] = number.to_bytes(length, order)
        path.write_bytes(bytes(data) + packed)
        picture, lines = read(path)
        np.testing.assert_allclose(picture, PICTURE, atol=1)
        assert lines[0].endswith("are taken as 12 bits")


def test_transparent_color_of_sixteen_bits(tmp_path):
    values = PICTURE.astype(np.uint16) * 257
    values[:10] = 65535, 0, 65535
    color = b"\xff\xff\0\0\xff\xff"
    png_of_sixteen_bits(tmp_path / "a.png", values, (b"tRNS", color))
    picture, lines = read(tmp_path / "a.png")
    assert (picture[:10] == 255).all()
    np.testing.assert_array_equal(picture[10:], PICTURE[10:])
    assert lines == ["its transparent parts are white"]
    gray = Image.fromarray(values[..., 0])
    gray.save(tmp_path / "b.png", transparency=int(values[20, 20, 0]))
    picture, lines = read(tmp_path / "b.png")
    assert (picture[20, 20] == 255).all()
    assert lines == ["its transparent parts are white"]


def test_damaged_profile_is_said(tmp_path):
    Image.fromarray(PICTURE).save(tmp_path / "a.png", icc_profile=b"no profile")
    assert read(tmp_path / "a.png")[1] == [
        "its color profile is damaged or for other colors, and ignored"
    ]


def test_address_is_explained():
    with pytest.raises(ImageError, match=r"https://example\.com/a\.jpg is an address: download it"):
        read("https://example.com/a.jpg")


def test_heic_is_read(tmp_path):
    import pillow_heif

    smooth = Image.fromarray(PICTURE[:4, :5]).resize((64, 48), Image.Resampling.BICUBIC)
    pillow_heif.register_heif_opener()
    smooth.save(tmp_path / "IMG_0001.HEIC", "HEIF", quality=95)
    monochrome = smooth.convert("L")
    monochrome.save(tmp_path / "gray.heif", "HEIF", quality=95)
    for name, expected in [("IMG_0001.HEIC", smooth), ("gray.heif", monochrome.convert("RGB"))]:
        found, lines = read(tmp_path / name)
        assert np.abs(found.astype(int) - np.asarray(expected)).mean() < 4
        assert lines == []


def test_heic_without_its_library_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(ImageError, match=r"a HEIC picture.*`python -m pip install pillow-heif`"):
        read(path)
    assert {".heic", ".heif"} <= picture_extensions(), "a batch does not leave them out"


def with_chunk(path, kind, data):
    """Put a chunk behind the header of a PNG."""
    png = path.read_bytes()
    path.write_bytes(png[:33] + png_chunk(kind, data) + png[33:])


@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_gamma_of_a_png_is_applied(tmp_path, mode):
    path = tmp_path / "linear.png"
    picture = Image.fromarray(PICTURE).convert(mode)
    picture.save(path)
    plain, _ = read(path)
    with_chunk(path, b"gAMA", (100_000).to_bytes(4))  # 1.0: linear
    found, lines = read(path)
    np.testing.assert_allclose(found, 255 * (plain / 255) ** (1 / 2.2), atol=0.51)
    assert lines == ["its gamma of 1 is converted to that of sRGB"]


@pytest.mark.parametrize(
    "chunks",
    [
        [(b"gAMA", (45_455).to_bytes(4))],
        [(b"gAMA", (100_000).to_bytes(4)), (b"sRGB", b"\0")],
        [(b"gAMA", bytes(4))],
    ],
    ids=["usual", "sRGB comes first", "zero"],
)
def test_gamma_that_does_not_matter(tmp_path, chunks):
    path = tmp_path / "a.png"
    Image.fromarray(PICTURE).save(path)
    for chunk in chunks:
        with_chunk(path, *chunk)
    found, lines = read(path)
    np.testing.assert_array_equal(found, PICTURE)
    assert lines == []


def test_remarks(tmp_path):
    def saved(picture, name="a.png", **options):
        path = tmp_path / name
        (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(
            path, **options
        )
        return read(path)[1]

    frames = [Image.fromarray(PICTURE), Image.fromarray(255 - PICTURE)]
    film = {"save_all": True, "append_images": frames[1:]}
    assert saved(PICTURE) == []
    assert saved(frames[0], "a.gif", **film) == ["only the first of its frames is used"]
    assert saved(frames[0], "a.tif", **film) == ["only the first of its pages is used"]
    assert saved(np.full((40, 40, 3), 200, np.uint8)) == [
        "all of its pixels have the color #c8c8c8"
    ]
    assert saved(PICTURE // 20) == [
        f"it is nearly black: its largest value is {PICTURE.max() // 20} of 255"
    ]
    opaque = np.dstack([PICTURE, np.full((40, 56), 255, np.uint8)])
    assert saved(opaque) == []
    opaque[5, 5, 3] = 0
    assert saved(opaque) == ["its transparent parts are white"]
    opaque[..., 3] = 0
    assert saved(opaque) == ["its alpha channel is 0 everywhere, and ignored"]
    assert saved(frames[0].convert("CMYK"), "a.jpg")[0].startswith("it is CMYK without a color")
