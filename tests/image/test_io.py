"""Reading, resizing and saving pictures, and noise images."""

import os

import numpy as np
import pytest
import tifffile
from pictures import make_picture
from PIL import Image, ImageCms
from valid_files import png_with

from nst_tf import ImageError, generate_noise_image, load_image, recover_image, save_image
from nst_tf.image.io import read_picture
from nst_tf.image.pixels import PixelSpace
from nst_tf.image.sizes import fit_size, parse_size, same_area_size

PICTURE = make_picture(40, 56)


def saved(tmp_path, image, name="picture.png", **options):
    path = tmp_path / name
    image.save(path, **options)
    return path


# ------------------------------------------------------------------ file formats


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.png", {}), ("a.tif", {}), ("a.bmp", {}), ("a.webp", {"lossless": True})],
)
def test_lossless_formats_are_read_exactly(tmp_path, name, options):
    path = saved(tmp_path, Image.fromarray(PICTURE), name, **options)
    np.testing.assert_array_equal(read_picture(path), PICTURE)


def test_jpeg_is_read_approximately(tmp_path):
    path = saved(tmp_path, Image.fromarray(PICTURE), "a.jpg", quality=95, subsampling=0)
    assert np.abs(read_picture(path).astype(int) - PICTURE).mean() < 2


def test_gray_is_read_as_three_equal_channels(tmp_path):
    gray = PICTURE[:, :, 0]
    picture = read_picture(saved(tmp_path, Image.fromarray(gray)))
    np.testing.assert_array_equal(picture, np.stack([gray] * 3, axis=2))


def test_palette_and_one_bit(tmp_path):
    palette = Image.fromarray(PICTURE).quantize(16)
    expected = np.asarray(palette.convert("RGB"))
    np.testing.assert_array_equal(read_picture(saved(tmp_path, palette)), expected)
    bits = Image.fromarray(PICTURE).convert("1")
    assert set(np.unique(read_picture(saved(tmp_path, bits)))) == {0, 255}


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_composited_on_white(tmp_path, mode):
    picture = np.zeros((40, 40, 4), np.uint8)
    picture[:20] = 100, 100, 100, 255
    picture[20:30] = 100, 100, 100, 128 if mode != "P" else 0
    image = Image.fromarray(picture).convert(mode)
    found = read_picture(saved(tmp_path, image))
    assert tuple(found[5, 5]) == (100, 100, 100)
    assert tuple(found[35, 5]) == (255, 255, 255)
    if mode != "P":
        np.testing.assert_allclose(found[25, 5], 177, atol=1)  # half of 100, half of white


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bit_gray_keeps_full_range(tmp_path, name):
    gray = np.linspace(0, 65535, 40 * 40).reshape(40, 40).astype(np.uint16)
    found = read_picture(saved(tmp_path, Image.fromarray(gray), name))
    np.testing.assert_allclose(found[:, :, 1], gray / 257, atol=0.51)


def test_sixteen_bit_color(tmp_path):
    path = tmp_path / "wide.png"
    path.write_bytes(_png_16(PICTURE.astype(np.uint16) * 257))  # Pillow cannot write it
    np.testing.assert_allclose(read_picture(path).astype(int), PICTURE, atol=1)


def _png_16(picture):
    import struct
    import zlib

    height, width, _ = picture.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in picture)

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def test_float_tiff(tmp_path):
    gray = PICTURE[:, :, 0].astype(np.float32)
    for scale in (1, 1 / 255):
        path = saved(tmp_path, Image.fromarray(gray * np.float32(scale)), "float.tif")
        np.testing.assert_allclose(read_picture(path)[:, :, 2].astype(int), gray, atol=1)


def test_cmyk(tmp_path):
    colors = np.zeros((40, 40, 4), np.uint8)
    colors[:20, :, 0] = 255  # cyan ink only
    path = saved(tmp_path, Image.fromarray(colors, "CMYK"), "print.jpg", quality=95)
    found = read_picture(path)
    np.testing.assert_allclose(found[5, 5].astype(int), (0, 255, 255), atol=6)
    np.testing.assert_allclose(found[35, 5].astype(int), (255, 255, 255), atol=6)


def test_exif_rotation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # display rotated by 90 degrees clockwise
    path = saved(tmp_path, Image.fromarray(PICTURE), "phone.png", exif=exif)
    np.testing.assert_array_equal(read_picture(path), np.rot90(PICTURE, -1))


def test_icc_profile_is_converted_to_srgb(tmp_path):
    # A profile with red and green swapped: the conversion swaps them back.
    plain = saved(tmp_path, Image.fromarray(PICTURE), "plain.png")
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = bytearray(srgb)
    red, green = swapped.index(b"rXYZ"), swapped.index(b"gXYZ")
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    tagged = saved(tmp_path, Image.fromarray(PICTURE), "tagged.png", icc_profile=bytes(swapped))
    found = read_picture(tagged).astype(int)
    np.testing.assert_allclose(found, read_picture(plain)[:, :, [1, 0, 2]], atol=3)
    same = saved(tmp_path, Image.fromarray(PICTURE), "srgb.png", icc_profile=srgb)
    np.testing.assert_allclose(read_picture(same).astype(int), PICTURE, atol=1)


def test_broken_icc_profile_is_ignored(tmp_path):
    path = saved(tmp_path, Image.fromarray(PICTURE), icc_profile=b"no profile")
    np.testing.assert_array_equal(read_picture(path), PICTURE)


def test_first_frame_of_an_animation_is_read(tmp_path):
    frames = [Image.new("RGB", (40, 40), color) for color in ("red", "blue")]
    for name in ("a.gif", "a.webp"):
        options = {"lossless": True} if name == "a.webp" else {}
        path = saved(tmp_path, frames[0], name, save_all=True, append_images=frames[1:], **options)
        assert tuple(read_picture(path)[3, 3]) == (255, 0, 0)


# ------------------------------------------------------------------ invalid files


def test_invalid_files_raise(tmp_path):
    text = tmp_path / "notes.png"
    text.write_text("no picture")
    junk, variant = tmp_path / "junk.jpg", tmp_path / "lab.tif"
    junk.write_bytes(bytes(range(256)))
    tifffile.imwrite(variant, PICTURE, photometric="icclab")
    cut = saved(tmp_path, Image.fromarray(make_picture(200, 300)), "cut.png")
    cut.write_bytes(cut.read_bytes()[:-4000])
    small = saved(tmp_path, Image.new("RGB", (31, 400)), "small.png")
    for path, message in [
        (tmp_path / "none.png", "there is no picture"),
        (tmp_path, "is a directory; a picture file was expected"),
        (text, "is not a readable picture but a text file: choose a picture"),
        (junk, "is not a readable picture; use JPEG, PNG, WebP or TIFF"),
        (variant, "is a TIFF of a variant that is not read, or damaged: save it again with 8 bits"),
        (cut, "damaged or cut off"),
        (small, "has 31x400 pixels; at least 32x32 are needed"),
    ]:
        with pytest.raises(ImageError, match=message):
            read_picture(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only Unix has named pipes")
def test_named_pipe_raises(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="is not a file; a picture file was expected"):
        read_picture(tmp_path / "pipe.png")


def test_truncated_jpeg_raises(tmp_path):
    path = saved(tmp_path, Image.fromarray(make_picture(300, 300)), "cut.jpg")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ImageError, match="damaged or cut off"):
        read_picture(path)


@pytest.mark.parametrize("side", [14_000, 40_000])
def test_decompression_bomb_raises(tmp_path, side):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_with(size=(side, side), bits=1, color=0))
    with pytest.raises(ImageError, match="over the limit of 178956970"):
        read_picture(path)


# ------------------------------------------------------------------ sizes


def test_parse_size():
    assert parse_size(None) is None
    assert parse_size("640x480") == (480, 640)
    assert parse_size("512") == 512
    for wrong in ("640x", "x", "1x2x3", "-5", "1e3", "big", "", "9" * 400):
        with pytest.raises(ImageError, match="write WxH as in 640x480"):
            parse_size(wrong)


@pytest.mark.parametrize("shape", [(480, 640), (300, 451), (2000, 1001), (97, 800)])
def test_default_size_has_content_shape_and_tutorial_area(shape):
    height, width = fit_size(None, shape)
    assert abs(height * width - 640 * 480) < 2 * (height + width)
    assert abs(height / width - shape[0] / shape[1]) < 0.02


def test_fit_size_of_longer_side_and_of_pair():
    assert fit_size(512, (300, 451)) == (341, 512)
    assert fit_size(512, (451, 300)) == (512, 341)
    assert fit_size((480, 640), (100, 100)) == (480, 640)
    assert same_area_size((100, 400), (200, 200)) == (100, 400)


def test_fit_size_argument_types():
    assert fit_size(np.int64(512), (300, 451)) == (341, 512)
    assert fit_size([48, 64], (300, 451)) == (48, 64)
    assert fit_size("64x48", (300, 451)) == (48, 64)
    for wrong in (64.0, (64,) * 3, (64.5, 64), ()):
        with pytest.raises(ImageError, match=r"the longer side or \(height, width\) was expected"):
            fit_size(wrong, (300, 451))


def test_size_error_names_the_picture(tmp_path):
    path = saved(tmp_path, Image.new("RGB", (800, 40)), "panorama.png")
    with pytest.raises(ImageError, match=r"panorama\.png: a size of 96x5 is too small"):
        load_image(path, 96)


def test_too_small_or_too_large_size_raises():
    with pytest.raises(ImageError, match="32x3 is too small"):
        fit_size(32, (40, 400))
    with pytest.raises(ImageError, match="over the limit"):
        fit_size(100_000, (400, 400))


def test_load_image_returns_picture_and_image(tmp_path):
    path = saved(tmp_path, Image.fromarray(PICTURE))
    picture, image = load_image(path, (33, 47))
    assert picture.shape == (33, 47, 3)
    assert image.shape == (1, 33, 47, 3)
    assert image.dtype == np.float32
    expected = picture - np.array([123.68, 116.779, 103.939])
    np.testing.assert_allclose(image[0], expected, atol=1e-4)
    np.testing.assert_array_equal(recover_image(image), picture)


def test_crop_takes_the_center(tmp_path):
    path = saved(tmp_path, Image.fromarray(PICTURE))
    np.testing.assert_array_equal(load_image(path, (40, 40), crop=True)[0], PICTURE[:, 8:48])
    np.testing.assert_array_equal(load_image(path, (34, 56), crop=True)[0], PICTURE[3:37])
    assert load_image(path, 48, crop=True)[0].shape == load_image(path, 48)[0].shape


def test_bilinear_matches_scipy_imresize(tmp_path):
    # scipy.misc.imresize, which tutorial 0 calls, was Pillow's bilinear on bytes.
    path = saved(tmp_path, Image.fromarray(PICTURE))
    expected = Image.fromarray(PICTURE).resize((64, 48), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(load_image(path, (48, 64), resample="bilinear")[0], expected)


def test_unknown_resampling_raises(tmp_path):
    path = saved(tmp_path, Image.fromarray(PICTURE))
    with pytest.raises(ImageError, match="choose from lanczos, bicubic, bilinear"):
        load_image(path, 50, resample="magic")


# ------------------------------------------------------------------ saving


def test_recover_image_of_invalid_array_raises():
    for wrong in (PICTURE, PICTURE / 255, PICTURE[np.newaxis, :, :, :2]):
        with pytest.raises(ImageError, match="pass the second value of load_image"):
            recover_image(wrong)


def test_recover_image_rounds_and_clips():
    space = PixelSpace(mean=(100.0, 100.0, 100.0))
    image = np.full((1, 1, 1, 3), 0.0, np.float32)
    image[0, 0, 0] = [-200, 54.6, 200]
    np.testing.assert_array_equal(recover_image(image, space)[0, 0], [0, 155, 255])


@pytest.mark.parametrize("name", ["r.png", "r.webp", "r.tiff", "r.JPG", "new/folder/r.jpeg"])
def test_save_image_chooses_format_by_extension(tmp_path, name):
    path = tmp_path / name
    save_image(path, PICTURE)
    with Image.open(path) as image:
        assert image.format == {"p": "PNG", "w": "WEBP", "t": "TIFF"}.get(path.suffix[1], "JPEG")
    assert np.abs(read_picture(path).astype(int) - PICTURE).mean() < 2
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_jpeg_is_saved_without_chroma_subsampling(tmp_path):
    save_image(tmp_path / "r.jpg", PICTURE)
    with Image.open(tmp_path / "r.jpg") as image:
        assert [component[1:3] for component in image.layer] == [(1, 1)] * 3  # 4:4:4
        assert max(image.quantization[0]) <= 15  # quality 95


def test_save_image_recovers_image(tmp_path):
    _, image = load_image(saved(tmp_path, Image.fromarray(PICTURE)), (40, 56))
    save_image(tmp_path / "r.png", image)
    np.testing.assert_array_equal(read_picture(tmp_path / "r.png"), PICTURE)


def test_unknown_extension_raises(tmp_path):
    with pytest.raises(ImageError, match=r"extension '\.gift'; use \.png, \.jpg, \.jpeg, \.webp"):
        save_image(tmp_path / "r.gift", PICTURE)
    assert list(tmp_path.iterdir()) == []


def test_failed_save_keeps_existing_file(tmp_path, monkeypatch):
    save_image(tmp_path / "r.png", PICTURE)
    before = (tmp_path / "r.png").read_bytes()

    def disk_full(file, data):
        file.write_text("half of")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", disk_full)
    with pytest.raises(OSError, match=r"No space.*r\.png"):
        save_image(tmp_path / "r.png", 255 - PICTURE)
    assert (tmp_path / "r.png").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


# ------------------------------------------------------------------ noise images


CONTENT = PixelSpace().to_image(make_picture(200, 300))


def test_noise_ratio_zero_is_content_and_one_is_noise():
    np.testing.assert_array_equal(generate_noise_image(CONTENT, 0.0), CONTENT)
    noise = generate_noise_image(CONTENT, 1.0)
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.02  # tutorial 0's standard normal


def test_uniform_noise_spans_20_gray_levels():
    noise = generate_noise_image(CONTENT, 1.0, noise="uniform")
    assert -20 <= noise.min() < -19.9
    assert 19.9 < noise.max() <= 20
    mixed = generate_noise_image(CONTENT, 0.6, noise="uniform")
    np.testing.assert_allclose(mixed, 0.6 * noise + 0.4 * CONTENT, atol=1e-4)
    assert abs(generate_noise_image(CONTENT, 1, amplitude=50).std() - 50) < 1


def test_same_seed_gives_same_noise():
    a, b, c = (generate_noise_image(CONTENT, 0.5, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_invalid_noise_raises():
    with pytest.raises(ImageError, match=r"`noise_ratio` is 1\.5; it must be between 0 and 1"):
        generate_noise_image(CONTENT, 1.5)
    with pytest.raises(ImageError, match="'pink'; choose from gaussian, uniform"):
        generate_noise_image(CONTENT, 0.5, noise="pink")
