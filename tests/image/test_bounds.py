"""The memory and the time that reading a picture takes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import tifffile
from costly import COSTLY, encoded, flat_webp
from damage import join_png, split_png
from phone_files import MANY_SCANS, PHONE_FILES, progressive
from pictures import make_picture
from PIL import Image, ImageCms

from nst_tf import ImageError
from nst_tf.image.io import is_picture, read_picture

pillow_heif.register_heif_opener()
PICTURE = make_picture(41, 57)
CHILD = Path(__file__).parents[1] / "helpers" / "reading.py"
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="memory is measured on Linux"
)


def read_in_child(paths):
    """Return (shape or message, MiB) of each picture, read within 20 seconds of CPU time."""
    command = [sys.executable, str(CHILD), *map(str, paths)]
    environment = {**os.environ, "PYTHONPATH": str(CHILD.parents[2])}
    process = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert process.returncode == 0, process.stderr[-2000:]
    return [json.loads(line) for line in process.stdout.splitlines()]


@needs_proc
def test_costly_files_are_rejected_in_little_memory_and_time(tmp_path):
    paths = []
    for number, (name, make, _) in enumerate(COSTLY.values()):
        paths.append(tmp_path / f"{number}-{name}")
        paths[-1].write_bytes(make())
    found = read_in_child(paths)
    for (label, (*_, message)), (outcome, mib) in zip(COSTLY.items(), found, strict=True):
        assert message in outcome, label
        assert mib < 64, label


FLAT = Image.new("RGB", (2001, 1999), (200, 100, 50))
CLEAR = Image.new("RGBA", (2001, 1999), (200, 100, 50, 128))
ROTATED = Image.Exif()
ROTATED[0x0112] = 6
METADATA = {
    "exif": ROTATED,
    "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
}


@needs_proc
def test_memory_of_a_picture_is_a_small_multiple_of_its_pixels(tmp_path):
    cases = [  # picture, name, options, bytes for each pixel
        (FLAT, "flat.png", {}, 16),
        (FLAT.convert("1"), "bit.png", {}, 16),
        (FLAT, "flat.gif", {}, 16),
        (FLAT, "flat.jpg", {"progressive": True, "subsampling": 0, **METADATA}, 16),
        (FLAT, "flat.tif", {"compression": "tiff_lzw", **METADATA}, 16),
        (FLAT, "flat.webp", {"lossless": True}, 25),
        (CLEAR, "clear.png", METADATA, 16),
        (CLEAR.convert("LA"), "clear_gray.png", METADATA, 16),
        (CLEAR, "clear.tif", METADATA, 16),
        (CLEAR, "clear.webp", {"lossless": True, **METADATA}, 25),
        (CLEAR, "clear.avif", {"speed": 10, "subsampling": "4:4:4", **METADATA}, 25),
        (CLEAR, "clear.jp2", {}, 25),
        (FLAT, "flat.heic", {}, 25),
    ]
    for picture, name, options, _ in cases:
        picture.save(tmp_path / name, **options)
    wide = np.full((*FLAT.size[::-1], 3), 200, np.uint16)
    for name, values, most in [("wide.tif", wide, 16), ("float.tif", np.float32(wide), 25)]:
        options = {"photometric": "rgb", "compression": "zlib", "rowsperstrip": 64}
        tifffile.imwrite(tmp_path / name, values, **options)
        cases.append((FLAT, name, options, most))
    found = read_in_child(tmp_path / name for _, name, *_ in cases)
    for (picture, name, options, most), (shape, mib) in zip(cases, found, strict=True):
        width, height = picture.size
        assert sorted(shape) == [3, *sorted((width, height))], name
        assert mib < most * width * height / 2**20 + 16, (name, options)


def test_limits_of_flat_webp(tmp_path):
    path = tmp_path / "flat.webp"
    path.write_bytes(flat_webp(1001, 999))
    assert (read_picture(path) == (200, 100, 50)).all()
    path.write_bytes(flat_webp(7072, 7072))
    with pytest.raises(ImageError, match=r"7072x7072 pixels; at most 50,000,000 .* save it as PNG"):
        read_picture(path)
    path.write_bytes(flat_webp(10_001, 10_000) + bytes(1_000_000))
    with pytest.raises(ImageError, match=r"10001x10000 pixels; at most 100,000,000"):
        read_picture(path)


def test_png_in_many_parts_is_read(tmp_path):
    chunks = []
    for kind, data in split_png(encoded("PNG", Image.fromarray(make_picture(600, 900)))):
        parts = range(0, len(data), 200) if kind == b"IDAT" else [0]
        chunks += [(kind, data[start : start + 200]) for start in parts]
    path = tmp_path / "parts.png"
    path.write_bytes(join_png(chunks))
    assert len(chunks) > 1000
    np.testing.assert_array_equal(read_picture(path), make_picture(600, 900))


# ------------------------------------------------------------------ JPEG


@pytest.mark.parametrize("make", PHONE_FILES, ids=lambda make: make.__name__)
def test_phone_files_are_read(tmp_path, make):
    data, expected = make(PICTURE)
    path = tmp_path / "phone.jpg"
    path.write_bytes(data)
    assert is_picture(path)
    np.testing.assert_array_equal(read_picture(path), expected)


def test_progressive_has_ten_scans():
    assert progressive(PICTURE)[0].count(b"\xff\xda") == 10


@pytest.mark.parametrize(("extra", "rejected"), [(90, False), (91, True)])
def test_scans_are_counted_in_the_picture(tmp_path, extra, rejected):
    data, expected = progressive(PICTURE)
    scan = data[data.rindex(b"\xff\xda") : -2]
    path = tmp_path / "scans.jpg"
    path.write_bytes(data[:-2] + scan * extra + data[-2:] + MANY_SCANS)
    if rejected:
        with pytest.raises(
            ImageError, match="is a JPEG of 101 scans and 57x41 pixels; at most 100"
        ):
            read_picture(path)
    else:
        assert read_picture(path).shape == expected.shape


# ------------------------------------------------------------------ formats


@pytest.mark.parametrize("kind", ["DDS", "QOI", "XBM", "ICO", "ICNS", "EPS"])
def test_other_formats_are_rejected(tmp_path, kind):
    path = tmp_path / "a.png"
    Image.fromarray(make_picture(64, 64)).convert("1" if kind == "XBM" else "RGB").save(path, kind)
    assert not is_picture(path)
    advice = "choose a picture" if kind == "XBM" else "(save|export) it as PNG"
    with pytest.raises(ImageError, match=f"is not a readable picture but .*: {advice}"):
        read_picture(path)


@pytest.mark.parametrize("kind", ["BMP", "PPM", "TGA", "PCX", "SGI"])
def test_simple_formats_are_read_exactly(tmp_path, kind):
    path = tmp_path / "a"
    Image.fromarray(PICTURE).save(path, kind)
    np.testing.assert_array_equal(read_picture(path), PICTURE)
