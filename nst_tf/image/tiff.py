"""Read the TIFFs of science and print, which Pillow can't: planes, floats, 16 and 32 bits.

TIFFs with up to 8 bits per channel are left to Pillow, and so are 16-bit ones compressed in a way
that tifffile alone can't decode.
"""

import importlib.util
import logging
import re
import zlib

import numpy as np
from PIL import Image, TiffImagePlugin

from nst_tf.errors import ImageError
from nst_tf.image.bounds import check_claim
from nst_tf.image.levels import REMEDY, alpha_levels, eight_bits

BIG = (b"II+\0", b"MM\0+")  # BigTIFF

CHANNELS = re.compile(r'^channels=([2-9])$|SizeC="([2-9])"', re.MULTILINE)  # ImageJ, OME

# Tags (TIFF 6.0, TIFF/EP, DNG).
SUBFILE, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, PLANAR = 254, 258, 259, 262, 277, 284
SAMPLE_FORMAT, DNG_VERSION, SUB_IFDS, ORIENTATION = 339, 50706, 330, 274
DESCRIPTION, DEPTH, EXTRA_SAMPLES = 270, 32997, 338
REDUCED = 1  # of SUBFILE: a preview of another picture in the file

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, SEPARATED = 0, 1, 2, 5
RAW = (32803, 34892)  # color filter array, linear raw
PHOTOMETRICS = {  # -> Pillow's mode and number of channels
    WHITE_IS_ZERO: ("L", 1),
    BLACK_IS_ZERO: ("L", 1),
    RGB: ("RGB", 3),
    SEPARATED: ("CMYK", 4),
}
NAMES = {
    3: "palette",
    4: "transparency mask",
    6: "YCbCr",
    8: "CIE Lab",
    9: "ICC Lab",
    10: "ITU Lab",
}
PLAIN, DEFLATE = (1,), (8, 32946)
ALPHA = {1: "a", 2: "A"}  # ExtraSamples -> suffix of Pillow's mode: associated or not
MOST_PREVIEWS = 8  # before a picture
MAX_BYTES_A_PIXEL = 32  # four channels of float64

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # else warnings go to stderr


def read_tiff(file):
    """Read a TIFF that Pillow would not read, or not as it is meant.

    Parameters
    ----------
    file : BoundedFile
        At its start.

    Returns
    -------
    picture : PIL.Image.Image or None
        In mode L, RGB or CMYK, with an alpha channel if there is one; None if Pillow reads the
        file correctly.
    remarks : list of str
        What was assumed.

    Raises
    ------
    ImageError
        It is a raw file of a camera, or of a kind that can't be read; the message does not name
        the file.
    """
    if file.read(4) in BIG:  # Pillow reads few of them
        picture, remark = _read_page(file)
        return picture, [*filter(None, [remark])]
    tags = _tags(file)
    _check_is_picture(tags)
    remarks = _remarks(tags)
    if not (_is_preview(tags) or _needs_tifffile(tags)):
        return None, remarks
    picture, remark = _read_page(file)
    return picture, [*remarks, *filter(None, [remark])]


def _needs_tifffile(tags):
    """Return whether Pillow would misread a TIFF of these tags, or not read it."""
    bits, formats = _numbers(tags, BITS, 1), _numbers(tags, SAMPLE_FORMAT, 1)
    if max(bits) <= 8 and set(formats) <= {1, 4}:  # unsigned or undefined
        return False
    compression = tags.get(COMPRESSION, 1)
    if compression in (*PLAIN, *DEFLATE) or importlib.util.find_spec("imagecodecs"):
        return True
    is_plain = set(bits) == {16} and set(formats) == {1} and tags.get(PLANAR, 1) == 1
    if is_plain and tags.get(PHOTOMETRIC) in (BLACK_IS_ZERO, RGB):
        return False
    raise ImageError(_lacks_codec(max(bits), compression))


def _lacks_codec(bits, compression):
    import tifffile  # of most TIFFs not needed

    known = compression in set(tifffile.COMPRESSION)
    name = tifffile.COMPRESSION(compression).name if known else compression
    return (
        f"it is a TIFF of {bits} bits per channel, packed by {name}: `python -m pip install "
        f"imagecodecs`, or {REMEDY}"
    )


def _remarks(tags):
    """Return what is left out of a TIFF with these tags."""
    remarks = []
    channels = CHANNELS.search(str(tags.get(DESCRIPTION, "")))
    if channels and tags.get(SAMPLES, 1) == 1:
        count = channels[1] or channels[2]
        remarks.append(f"only the first of its {count} channels is used: merge them to RGB")
    elif tags.next and not _is_preview(tags):
        remarks.append("only the first of its pages is used")
    if 0 in _numbers(tags, EXTRA_SAMPLES, 1):
        remarks.append("channels other than its colors are ignored")
    return remarks


def _tags(file):
    """Return the tags of the first directory of a TIFF."""
    file.seek(0)
    tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
    file.seek(tags.next)
    tags.load(file)
    return tags


def _numbers(tags, tag, default):
    value = tags.get(tag, default)
    return value if isinstance(value, tuple) and value else (value,)


def _check_is_picture(tags):
    """Reject raw files, which are TIFFs whose first picture is a preview, and volumes."""
    is_raw = _is_preview(tags) and SUB_IFDS in tags
    if DNG_VERSION in tags or is_raw or tags.get(PHOTOMETRIC) in RAW:
        raise ImageError(
            "it is a raw file of a camera: develop it with a raw converter, and save it as JPEG "
            "or PNG"
        )
    if tags.get(DEPTH, 1) > 1:
        raise ImageError(f"it holds a volume of {tags[DEPTH]} layers: save one of them as PNG")


def _is_preview(tags):
    return tags.get(SUBFILE, 0) == REDUCED


def _read_page(file):
    import tifffile  # not needed by most runs

    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        page = _full_page(tiff)
        mode, channels = _mode(page)
        check_claim(file, "TIFF", (page.imagewidth, page.imagelength), mode)
        if page.nbytes > MAX_BYTES_A_PIXEL * page.imagewidth * page.imagelength:
            raise ImageError(f"it has {page.samplesperpixel} channels: {REMEDY}")
        file.allow_pixels()
        if page.compression in DEFLATE:
            _check_deflated(file, page)
        try:
            values = page.asarray(maxworkers=1)
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            raise ImageError(_lacks_codec(page.bitspersample, page.compression)) from None
        orientation = page.tags.valueof(ORIENTATION, default=1)
        profile, photometric = page.iccprofile, page.photometric
        alpha = ALPHA.get(int(page.extrasamples[0])) if page.extrasamples else None
    if page.axes[:1] == "S":  # in planes
        values = np.moveaxis(values, 0, -1)
    values = values.reshape(*values.shape[:2], -1)
    pixels, remark = eight_bits(values[..., :channels])
    if photometric == WHITE_IS_ZERO:
        pixels = 255 - pixels
    if alpha and values.shape[2] > channels and mode != "CMYK":
        opacity = alpha_levels(values[..., channels], values[..., :channels])
        pixels = np.dstack([pixels, opacity])
        mode += alpha
    picture = Image.fromarray(np.ascontiguousarray(pixels.squeeze()), mode)
    if profile:
        picture.info["icc_profile"] = profile
    picture.getexif()[ORIENTATION] = orientation
    return picture, remark


def _full_page(tiff):
    """Return the first page that is not a preview of another one."""
    for number in range(MOST_PREVIEWS):
        try:
            page = tiff.pages[number]
        except IndexError:
            break
        if not page.is_reduced:
            return page
    return tiff.pages.first


def _mode(page):
    """Return Pillow's mode and the number of channels, without alpha."""
    photometric = int(page.photometric)
    if photometric not in PHOTOMETRICS:
        kind = NAMES.get(photometric, f"number {photometric}")
        raise ImageError(
            f"it is a TIFF of {page.bitspersample} bits in the color space {kind}; gray, RGB or "
            f"CMYK was expected: {REMEDY}"
        )
    mode, channels = PHOTOMETRICS[photometric]
    extra = page.samplesperpixel - channels
    if extra < 0 or (channels == 1 and extra > 1):
        raise ImageError(
            f"it has {page.samplesperpixel} bands: choose one (gray) or three (RGB), and {REMEDY}"
        )
    if page.imagedepth > 1 or page.dtype is None or page.dtype.kind not in "uif":
        raise ImageError(f"it holds volumes or complex numbers; a picture was expected: {REMEDY}")
    return mode, channels


def _check_deflated(file, page):
    """Reject strips or tiles that expand to more than their pixels: tifffile has no limit."""
    most = int(np.prod(page.chunks)) * page.dtype.itemsize
    for offset, count in zip(page.dataoffsets, page.databytecounts):
        file.seek(offset)
        data = zlib.decompressobj().decompress(file.read(count), most + 1)
        if len(data) > most:
            raise ImageError("it is damaged or cut off: a strip holds more pixels than it claims")
