"""Bounds on the memory and the time that reading a picture file takes.

Pillow limits only the number of pixels. Files of a few bytes can still take gibibytes, because a
flat picture compresses without limit in some formats, and minutes, because Pillow parses headers
and decodes some formats in Python. The checks in this module run before the pixels are decoded.
"""

import io
import mmap
import re
import struct
from itertools import islice, takewhile

from PIL import Image

from nst_tf.errors import ImageError
from nst_tf.image.sizes import MAX_PIXELS

MAX_FILE_BYTES = 8 * MAX_PIXELS  # 16-bit RGBA; some formats are read into memory whole
MAX_READS = 10_000  # of a header, whose parts Pillow reads in Python loops; cameras need hundreds
MAX_SEGMENTS = 10_000  # of a JPEG, between its scans, too
MAX_SCANS = 100  # of a JPEG: each decodes the whole picture; cameras and programs write 10
MAX_SCANNED_PIXELS = 20 * MAX_PIXELS  # scans times pixels: 10 s
MAX_TAG_BYTES = 2**24  # of Exif or TIFF tags; Pillow copies what each claims, also twice
MAX_TAG_LISTS = 100  # in a file whose Exif can be anywhere

# Maximum number of pixels per byte of a file: in gray, palette or bits, and in color.
PIXELS_PER_BYTE = {
    "PNG": (8 * 1032, 1032 // 2),  # deflate: 258 bytes in 2 bits (zlib.net/zlib_tech.html)
    "GIF": (2560, 2560),  # LZW: 3838 pixels in 12 bits
    "JPEG": (512, 512),  # one bit for each block of 8x8 (ITU T.81)
    "MPO": (512, 512),
    "BMP": (8, 0.5),  # not compressed: run lengths are decoded in Python and refused
    "DIB": (8, 0.5),
    "PPM": (8, 0.5),
    "TGA": (512, 64),  # 128 pixels in two bytes or more
    "PCX": (252, 32),  # 63 bytes in two
    "SGI": (64, 32),  # 127 bytes in two
    "PSD": (512, 64),  # 128 bytes in two
}
FLAT_PIXELS = 50_000_000  # of a small file in another format, in which flat areas cost nothing
FLAT_PIXELS_PER_BYTE = 1000  # beyond that
MAX_COPIED_PIXELS = 100_000_000  # in formats whose decoders hold up to 25 bytes for each pixel
COPYING_FORMATS = ("WEBP", "AVIF", "HEIF", "JPEG2000")


class BoundedFile(io.BufferedReader):
    """A file whose readers may take a bounded number of steps and bytes.

    Parameters
    ----------
    path : path

    Raises
    ------
    ImageError
        By `read`: it was called too often, or returned more than the file has, because tags
        overlap.
    """

    def __init__(self, path):
        super().__init__(io.FileIO(path))
        self.size = self.seek(0, io.SEEK_END)
        self.seek(0)
        self.reads_left = MAX_READS
        self.bytes_left = self.size + MAX_TAG_BYTES

    def read(self, size=-1, /):
        """Read like any file, but within the bounds."""
        data = super().read(size)
        self.reads_left -= 1
        self.bytes_left -= len(data)
        if min(self.reads_left, self.bytes_left) < 0:
            raise ImageError(
                f"{self.name} has more comments, tags or other parts than a picture was expected "
                "to have: save it again with another program"
            )
        return data

    def allow_pixels(self):
        """Allow for the pixels, which PNG has in parts of a few kB and TIFF in blocks."""
        self.reads_left = MAX_READS + self.size // 300
        self.bytes_left = float("inf")

    def contents(self):
        """Return the bytes of the file without reading them into memory."""
        return mmap.mmap(self.fileno(), 0, access=mmap.ACCESS_READ) if self.size else b""


# ---------------------------------------------------------------------------- before opening


def check_tags(file):
    """Reject a JPEG or AVIF whose Exif claims too much: Pillow reads it when it opens the file."""
    data = file.contents()
    if data[:2] == b"\xff\xd8":
        segments = list(takewhile(lambda segment: segment[0] != SCAN, _segments(file, data)))
        exif = [part[6:] for marker, part in segments if marker == 0xE1 and part[:4] == b"Exif"]
        multiple = [part[4:] for marker, part in segments if marker == 0xE2 and part[:3] == b"MPF"]
        _check_claims(file.name, [(part, 0) for part in [b"".join(exif), *multiple]])
    elif data[4:8] == b"ftyp":
        found = islice(TAGS.finditer(data), MAX_TAG_LISTS + 1)
        _check_claims(file.name, [(data, match.start()) for match in found])


def check_exif(path, picture):
    """Reject a picture whose Exif claims too much, before `ImageOps` reads it."""
    exif = picture.info.get("exif")
    if exif is None and "Raw profile type exif" in picture.info:  # hexadecimal, of ImageMagick
        exif = bytes.fromhex("".join(picture.info["Raw profile type exif"].split("\n")[3:]))
    exif = exif or b""
    while exif.startswith(b"Exif\0\0"):
        exif = exif[6:]
    _check_claims(path, [(exif, 0)])


TAGS = re.compile(rb"II\*\0|MM\0\*")  # the start of a TIFF, which Exif is
TYPE_BYTES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)  # of the types of values (TIFF 6.0)


def _check_claims(path, tag_lists):
    claimed = sum(_claimed_bytes(data, start) for data, start in tag_lists)
    if claimed > MAX_TAG_BYTES or len(tag_lists) > MAX_TAG_LISTS:
        raise ImageError(
            f"{path} has Exif tags that claim {claimed:,} bytes; at most {MAX_TAG_BYTES:,}, in at "
            f"most {MAX_TAG_LISTS} lists, were expected: save it without Exif"
        )


def _claimed_bytes(data, start):
    """Return how many bytes the entries of a list of tags claim, which may overlap."""
    order, sign = ("big", ">") if data[start : start + 2] == b"MM" else ("little", "<")
    first = start + int.from_bytes(data[start + 4 : start + 8], order)
    count = int.from_bytes(data[first : first + 2], order)
    entries = data[first + 2 : first + 2 + 12 * count]
    entries = entries[: len(entries) // 12 * 12]
    return sum(
        min(number * TYPE_BYTES[kind], len(data))
        for _, kind, number, _ in struct.iter_unpack(f"{sign}HHII", entries)
        if kind < len(TYPE_BYTES)
    )


# ---------------------------------------------------------------------------- before decoding


def check_decoding(file, picture):
    """Reject a picture that would take too much memory or time; nothing is decoded yet."""
    check_claim(file, picture.format, picture.size, picture.mode)
    if any(tile[0] in Image.DECODERS for tile in picture.tile):  # a million pixels a second
        raise ImageError(
            f"{file.name} is a {picture.format} of a rare kind, which Pillow decodes in Python, "
            "slowly: save it as PNG"
        )
    if picture.format in ("JPEG", "MPO"):
        _check_scans(file, picture.size)


def check_claim(file, kind, size, mode):
    """Reject a picture of more pixels than its file can have, or than its decoder can bear."""
    width, height = size
    if kind in PIXELS_PER_BYTE:
        gray, color = PIXELS_PER_BYTE[kind]
        most = file.size * (gray if mode in ("1", "L", "P") else color)
        advice = "it is damaged or cut off"
    else:
        most = max(file.size * FLAT_PIXELS_PER_BYTE, FLAT_PIXELS)
        most = min(most, MAX_COPIED_PIXELS) if kind in COPYING_FORMATS else most
        advice = "save it as PNG or make it smaller first"
    if width * height > most:
        raise ImageError(
            f"{file.name} claims {width}x{height} pixels; at most {int(most):,} were expected of a "
            f"{kind} of {file.size:,} bytes: {advice}"
        )


def _check_scans(file, size):
    """Reject a JPEG of many scans: a few kB can take minutes to decode."""
    width, height = size
    most = min(MAX_SCANS, MAX_SCANNED_PIXELS // (width * height))
    # A film, a gain map or other pictures may follow the end.
    picture = takewhile(lambda segment: segment[0] != END, _segments(file, file.contents()))
    scans = sum(marker == SCAN for marker, _ in picture)
    if scans > most:
        raise ImageError(
            f"{file.name} is a JPEG of {scans} scans and {width}x{height} pixels; at most {most} "
            "scans were expected: save it again with another program"
        )


SCAN, END = 0xDA, 0xD9
MARKER = re.compile(  # not those without a length, nor those at which Pillow and libjpeg give up
    rb"\xff[^\x00\x01\xc8\xd0-\xd8\xf0-\xfd\xff]"
)


def _segments(file, data):
    """Yield the marker and the content of each segment of a JPEG; pixels are skipped."""
    position = 2
    for _ in range(MAX_SEGMENTS):
        found = MARKER.search(data, position)
        if not found:
            return
        marker, start = found[0][1], found.end()
        length = 0 if marker == END else int.from_bytes(data[start : start + 2])
        position = start + length
        yield marker, data[start + 2 : position]
    raise ImageError(
        f"{file.name} is a JPEG of more than {MAX_SEGMENTS:,} segments: save it again with another "
        "program"
    )
