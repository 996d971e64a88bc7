"""JPEG files as phones and cameras lay them out, with more behind the end of the picture.

Each function takes a picture (H, W, 3) uint8 and returns the bytes and the expected pixels.
"""

import io
import struct

import numpy as np
from costly import jpeg_segment
from PIL import Image

XMP = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:Description %s/>"
MANY_SCANS = b"\xff\xda\0\x0c\3\1\0\2\x11\3\x11\0\x3f\0" * 200


def jpeg(picture, **options):
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=90, **options)
    return data.getvalue()


def pixels(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def progressive(picture):
    """Return a progressive JPEG, in the ten scans that libjpeg writes."""
    data = jpeg(picture, progressive=True)
    return data, pixels(data)


def motion_photo(picture):
    """Return a JPEG with a film behind it, as Google's and Samsung's phones write it."""
    data = jpeg(picture)
    note = jpeg_segment(0xE1, XMP % b'GCamera:MotionPhoto="1"')
    boxes = [(b"ftyp", b"isom\0\0\2\0"), (b"mdat", MANY_SCANS + bytes(100_000) + MANY_SCANS)]
    film = b"".join(struct.pack(">I", len(body) + 8) + kind + body for kind, body in boxes)
    return data[:2] + note + data[2:] + film, pixels(data)


def multi_picture(picture):
    """Return an MPO: several JPEGs in one file, as of stereo cameras and phones' depth maps."""
    first, *others = [Image.fromarray(np.roll(picture, shift, 1)) for shift in (0, 5, 9)]
    data = io.BytesIO()
    first.save(data, "MPO", save_all=True, append_images=others, quality=90)
    return data.getvalue(), pixels(jpeg(picture))


def gain_map(picture):
    """Return an Ultra HDR: a JPEG, a list of pictures (MPF) and a gray JPEG with the gain."""
    gray = Image.fromarray(picture[::4, ::4, 0])
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "MPO", save_all=True, append_images=[gray], quality=90)
    note = jpeg_segment(
        0xE1, XMP % b'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"'
    )
    data = data.getvalue()
    return data[:2] + note + data[2:] + MANY_SCANS, pixels(jpeg(picture))


def with_thumbnail(picture):
    """Return a JPEG whose Exif contains a progressive JPEG of many scans."""
    data = jpeg(picture)
    thumbnail = jpeg(picture[::2, ::2], progressive=True)
    start = thumbnail.rindex(b"\xff\xda")
    exif = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + thumbnail[:start] + thumbnail[start:-2] * 120
    return data[:2] + jpeg_segment(0xE1, exif) + data[2:], pixels(data)


def with_restarts(picture):
    """Return a JPEG with restart markers."""
    data = jpeg(picture, restart_marker_rows=1)
    return data, pixels(data)


PHONE_FILES = (
    *(progressive, motion_photo, multi_picture, gain_map, with_thumbnail, with_restarts),
)
