"""Small picture files that would take gibibytes or minutes if they were decoded.

`COSTLY` maps names to (file name, function that returns the bytes, start of the error message).
"""

import io
import struct
import zlib

from damage import join_png, png_chunk, split_png
from PIL import Image

SIZE = (52, 40)
FLAT = Image.new("RGB", SIZE, (200, 100, 50))


def encoded(kind, picture=FLAT, **options):
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def flat_webp(width, height):
    """Return a valid lossless WebP of one color: as many bytes for any size."""
    data = encoded("WEBP", lossless=True, method=0, quality=0)
    start = data.index(b"VP8L") + 9
    (bits,) = struct.unpack_from("<I", data, start)
    bits = bits >> 28 << 28 | height - 1 << 14 | width - 1
    return data[:start] + struct.pack("<I", bits) + data[start + 4 :]


def with_size(kind, size, **options):
    """Return a picture whose header claims another size; its pixels are missing."""
    layout = {"JPEG": ">HH", "GIF": "<HH", "TGA": "<HH", "PNG": ">II"}[kind]
    step = -1 if kind == "JPEG" else 1  # height and width
    old, new = (struct.pack(layout, *sides[::step]) for sides in (SIZE, size))
    data = encoded(kind, **options)
    assert old in data
    data = data.replace(old, new, 1)
    return join_png(split_png(data)) if kind == "PNG" else data  # computes the checksums again


def tags(count, size):
    """Return a TIFF directory whose entries each claim the same `size` bytes."""
    entries = [struct.pack("<HHII", 0x8800 + number, 1, size, 0) for number in range(count)]
    return b"II*\0\x08\0\0\0" + struct.pack("<H", count) + b"".join(entries) + bytes(4)


OVERLAPPING = tags(10_000, 120_000)  # 1.2 GB of 120 kB


def png_with_chunk(kind, data):
    """Return a PNG with another chunk before its pixels."""
    original = encoded("PNG")
    start = original.index(b"IDAT") - 4
    return original[:start] + png_chunk(kind, data) + original[start:]


def raw_profile(exif):
    """Return a PNG with Exif as ImageMagick writes it: hexadecimal text, compressed."""
    text = f"\nexif\n{len(exif)}\n{exif.hex()}".encode()
    return png_with_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text))


def jpeg_segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg_with_exif(exif):
    """Return a JPEG with Exif in several segments, which Pillow joins."""
    data = encoded("JPEG")
    parts = [exif[start : start + 60_000] for start in range(0, len(exif), 60_000)]
    segments = [jpeg_segment(0xE1, b"Exif\0\0" + part) for part in parts]
    return data[:2] + b"".join(segments) + data[2:]


def avif_with_exif():
    """Return an AVIF with Exif, which Pillow reads as it opens the file."""
    return encoded("AVIF", exif=b"Exif\0\0" + OVERLAPPING, speed=10)


def many_comments_gif():
    """Return a GIF with a comment in 20,000 blocks, which Pillow joins one by one."""
    data = encoded("GIF", FLAT.convert("P"))
    start = data.index(b",\0\0\0\0")
    return data[:start] + b"!\xfe" + (b"\xff" + bytes(255)) * 20_000 + b"\0" + data[start:]


def junk_jpeg():
    """Return a JPEG with 4 MB between two segments, which Pillow skips byte by byte."""
    data = encoded("JPEG")
    return data[:20] + bytes(4_000_000) + data[20:]


def plain_ppm(comments):
    """Return a PPM in text, with comments between its numbers."""
    return b"P3\n52 40\n255\n" + b"#\n" * comments + b"7 " * (52 * 40 * 3)


def odd_dds():
    """Return a DDS of 32 bits whose colors are in unusual bits."""
    data = bytearray(encoded("DDS"))
    data[80:108] = struct.pack("<7I", 0x40, 0, 32, 0x1FF, 0x3FE00, 0x7FC0000, 0)
    data[12:20] = struct.pack("<2I", 3000, 3000)
    return bytes(data) + bytes(4 * 3000 * 3000)


def run_length_bmp():
    """Return a BMP of 8 bits with run lengths."""
    header = struct.pack("<IiiHHIIiiII", 40, *SIZE, 1, 8, 1, 0, 0, 0, 256, 0)
    pixels = (b"\x34\7\0\0") * 40 + b"\0\1"
    start = 14 + len(header) + 1024
    size = start + len(pixels)
    return b"BM" + struct.pack("<IHHI", size, 0, 0, start) + header + bytes(1024) + pixels


PARTS = "more comments, tags or other parts than a picture was expected to have"
CLAIM, SLOW, EXIF = (
    "claims {}x{} pixels; at most",
    "decodes in Python, slowly",
    "has Exif tags that claim",
)
UNKNOWN = "is not a readable picture"
LARGEST = (13_377, 13_377)
COSTLY = {
    "a WebP of 38 bytes": ("a.webp", lambda: flat_webp(*LARGEST), CLAIM.format(*LARGEST)),
    **{
        f"a {kind} of a few bytes": (
            f"a.{kind.lower()}",
            lambda kind=kind, size=size, options=options: with_size(kind, size, **options),
            CLAIM.format(*size),
        )
        for kind, size, options in [
            ("PNG", LARGEST, {}),
            ("JPEG", LARGEST, {}),
            ("GIF", LARGEST, {}),
            ("TGA", LARGEST, {"compression": "tga_rle"}),
        ]
    },
    "a PPM that begins with comments": (
        "a.ppm",
        lambda: b"P6\n" + b"#\n" * 4_000_000 + encoded("PPM")[3:],
        PARTS,
    ),
    "a PPM in text with comments": ("a.ppm", lambda: plain_ppm(500_000), SLOW),
    "a PPM in text": ("a.ppm", lambda: plain_ppm(0), SLOW),
    "a PPM of 255 levels that are not 0 to 255": (
        "a.ppm",
        lambda: encoded("PPM").replace(b"255", b"254", 1),
        SLOW,
    ),
    "a BMP with run lengths": ("a.bmp", run_length_bmp, SLOW),
    "a DDS with odd masks": ("a.dds", odd_dds, UNKNOWN),
    "a GIF with a long comment": ("a.gif", many_comments_gif, PARTS),
    "a JPEG with junk": ("a.jpg", junk_jpeg, PARTS),
    "a JPEG of 20,000 segments": (
        "a.jpg",
        lambda: encoded("JPEG")[:2] + jpeg_segment(0xFE, b"") * 20_000 + encoded("JPEG")[2:],
        "is a JPEG of more than 10,000 segments",
    ),
    "a TIFF with overlapping tags": ("a.tif", lambda: tags(20_000, 240_000), PARTS),
    "a PNG with overlapping Exif": ("a.png", lambda: png_with_chunk(b"eXIf", OVERLAPPING), EXIF),
    "a PNG with overlapping Exif in hexadecimal": (
        "a.png",
        lambda: raw_profile(OVERLAPPING),
        EXIF,
    ),
    "a JPEG with overlapping Exif": ("a.jpg", lambda: jpeg_with_exif(OVERLAPPING), EXIF),
    "a JPEG with overlapping Exif behind an early end": (
        "a.jpg",
        lambda: jpeg_with_exif(OVERLAPPING).replace(b"\xff\xd8", b"\xff\xd8\xff\xd9", 1),
        EXIF,
    ),
    "an AVIF with overlapping Exif": ("a.avif", avif_with_exif, EXIF),
    "a WebP with overlapping Exif": (
        "a.webp",
        lambda: encoded("WEBP", exif=OVERLAPPING),
        EXIF,
    ),
}
