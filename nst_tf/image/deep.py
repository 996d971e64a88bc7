"""Write pictures of 16 bits per channel, which Pillow can't: PNG, and TIFF by tifffile."""

import io
import struct
import zlib

import numpy as np

from nst_tf.image.pixels import STRIP

SIGNATURE = b"\x89PNG\r\n\x1a\n"
RGB = 2  # color type
SUB = 1  # filter: the difference to the pixel on the left
PIXEL = 6  # bytes
LEVEL = 2  # of compression, as for 8 bits
METER = 0.0254  # of an inch
NO_UNIT, INCH = 1, 2  # ResolutionUnit of TIFF


def deep_png(picture, *, notes=None, profile=None, dpi=None):
    """Return a picture as the bytes of a PNG (PNG specification, third edition).

    Parameters
    ----------
    picture : (H, W, 3) uint16
    notes : dict of str, optional
        International text chunks, by keyword.
    profile : bytes, optional
        ICC profile.
    dpi : int, optional
    """
    height, width = picture.shape[:2]
    chunks = [_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, RGB, 0, 0, 0))]
    if profile:
        chunks.append(_chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile)))
    if dpi:
        chunks.append(_chunk(b"pHYs", struct.pack(">IIB", *2 * [round(dpi / METER)], 1)))
    for keyword, text in (notes or {}).items():
        chunks.append(_chunk(b"iTXt", keyword.encode("latin-1") + bytes(5) + text.encode()))
    chunks += [_chunk(b"IDAT", part) for part in _compressed(picture) if part]
    return b"".join([SIGNATURE, *chunks, _chunk(b"IEND", b"")])


def _chunk(kind, data):
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def _compressed(picture):
    """Yield the pixels, filtered and compressed."""
    packer = zlib.compressobj(LEVEL)
    for top in range(0, len(picture), STRIP):
        strip = picture[top : top + STRIP]
        rows = strip.astype(">u2").view(np.uint8).reshape(len(strip), -1)
        filtered = np.full((len(rows), 1 + rows.shape[1]), SUB, np.uint8)
        filtered[:, 1:] = rows
        filtered[:, 1 + PIXEL :] -= rows[:, :-PIXEL]
        yield packer.compress(filtered.tobytes())
    yield packer.flush()


def deep_tiff(picture, *, profile=None, dpi=None):
    """Return a picture (H, W, 3) uint16 as the bytes of a TIFF; arguments as for `deep_png`."""
    import tifffile  # of most runs not needed

    file = io.BytesIO()
    tifffile.imwrite(
        file,
        picture,
        photometric="rgb",
        compression="zlib",
        iccprofile=profile,
        resolution=(dpi, dpi) if dpi else None,
        resolutionunit=INCH if dpi else NO_UNIT,
        metadata=None,
        software=False,
    )
    return file.getvalue()


DEEP_WRITERS = {".png": deep_png, ".tif": deep_tiff, ".tiff": deep_tiff}  # by extension
