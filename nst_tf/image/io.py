"""Read and write picture files.

The package uses two kinds of arrays:

=========  =================  =======================================================
picture    (H, W, 3) uint8    RGB, 0..255, to display and save
image      (1, H, W, 3)       float32 in the trunk's pixel space (VGG: RGB minus mean),
                              the network's input, which the optimizer changes
=========  =================  =======================================================

Sizes are (height, width), as in the arrays; only the command line uses WxH.
"""

import io
import logging
import sys
import warnings
from contextlib import contextmanager, nullcontext
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from nst_tf.console import print_line, silenced
from nst_tf.errors import ImageError
from nst_tf.files import MAX_TEXT_BYTES, address_advice, atomic_file
from nst_tf.image.bounds import (
    MAX_FILE_BYTES,
    BoundedFile,
    check_decoding,
    check_exif,
    check_tags,
)
from nst_tf.image.kinds import START, is_heif, known_format, unreadable_kind
from nst_tf.image.levels import alpha_levels, eight_bits
from nst_tf.image.pixels import STRIP, VGG_PIXELS, recover_image
from nst_tf.image.profiles import PROFILES, in_profile
from nst_tf.image.sizes import MAX_PIXELS, MIN_SIDE, fit_size, resize_picture
from nst_tf.image.tiff import read_tiff

# Pillow's names. Not EPS: it is a program, which Ghostscript would run. Not DDS and QOI, which
# Pillow decodes in Python, nor icons, which it decodes before their size can be checked.
READABLE_FORMATS = (
    *("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "DIB", "AVIF", "JPEG2000", "PSD"),
    *("PPM", "TGA", "PCX", "SGI", "HEIF"),
)
HEIF = frozenset(
    {".heic", ".heif", ".hif"}
)  # without pillow-heif, the error says how to install it
FILMS = ("GIF", "WEBP", "PNG", "AVIF")  # a remark is made if they have more frames
GAMMA = 1 / 2.2  # of a PNG that looks right without conversion
# Pillow's names of 16-bit pixel formats that read the high bytes -> those that read the low bytes.
LOW_BYTES = {
    f"{mode};16{order}": f"{mode};16{other}"
    for mode in ("RGB", "RGBA")
    for order, other in [("B", "L"), ("L", "B"), ("N", "B" if sys.byteorder == "little" else "L")]
}
NEARLY_BLACK = 32  # levels that a picture of 12 bits, read as one of 16, does not reach
JPEG = {"quality": 95, "subsampling": 0}  # 4:4:4: style includes color edges
TIFF = {"compression": "tiff_deflate"}
FORMATS = {  # file extension -> options of the writer
    ".png": {"compress_level": 2},  # twice as fast as the usual 6, 6 % larger
    ".jpg": JPEG,
    ".jpeg": JPEG,
    ".webp": {"lossless": True},
    ".tif": TIFF,
    ".tiff": TIFF,
}
DEEP_FORMATS = (".png", ".tif", ".tiff")  # can have 16 bits per channel
DPI_FORMATS = (*DEEP_FORMATS, ".jpg", ".jpeg")


logging.getLogger("PIL").addHandler(logging.NullHandler())  # else warnings go to stderr


def load_image(
    path, size=None, *, space=VGG_PIXELS, resample="lanczos", crop=False, say=print_line
):
    """Read a picture file for the network, like `load_image` of tutorial 0.

    Parameters
    ----------
    path : path
        JPEG, PNG, WebP, TIFF, GIF or another of `READABLE_FORMATS`; see `read_picture`.
    size : None, int, (height, width) or str
        None keeps the aspect ratio at about the area of 640x480, a number is the longer side, a
        pair is used exactly; a string is parsed by `parse_size`, as on the command line.
    space : PixelSpace
        Usually `model.space`.
    resample : {"lanczos", "bicubic", "bilinear"}
        Interpolation; the tutorials use "bilinear".
    crop : bool
        If the aspect ratio of (height, width) differs from the picture's, crop the excess equally
        on both sides. Default: stretch, as in tutorial 0.
    say : callable or None
        Called with one line about what was assumed, if anything was.

    Returns
    -------
    picture : (H, W, 3) uint8
        The resized picture.
    image : (1, H, W, 3) float32
        The same minus the mean, "which looks funny" when shown.

    Raises
    ------
    ImageError
        The file is not a readable picture, or is smaller than 32x32.
    """
    picture = read_picture(path, say=say)
    try:
        size = fit_size(size, picture.shape[:2])
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from None
    picture = resize_picture(picture, size, resample, crop=crop)
    return picture, space.to_image(picture)


def save_image(path, image, space=VGG_PIXELS, *, notes=None, bits=8, profile=None, dpi=None):
    """Write a picture or an image to a file; the extension of `path` selects the format.

    The file is written under a temporary name and then renamed, so it is never incomplete.

    Parameters
    ----------
    path : path
        .png, .jpg (quality 95, no chroma subsampling), .webp (lossless) or .tif.
    image : (H, W, 3) uint8 or uint16, or (1, H, W, 3) float32
        A picture in sRGB, or an image, which is converted first (`recover_image`).
    space : PixelSpace
        The pixel space of an image.
    notes : dict of str, optional
        Text chunks of a .png, by keyword; `read_note` reads them.
    bits : {8, 16}
        Of each channel in the file; 16 for .png and .tif. An image is rounded once, to these bits.
    profile : {None, "srgb", "p3"}
        ICC profile in the file. For "p3" (Display P3) the pixels are converted from sRGB.
    dpi : int, optional
        Dots per inch, for printing; not in .webp.

    Raises
    ------
    ImageError
        The format can't be written, or not with these `bits` or this `dpi`; `image` is neither a
        picture nor an image.
    """
    path = Path(path)
    check_format(path, bits, dpi)
    picture = np.asarray(image)
    if picture.dtype not in (np.uint8, np.uint16):
        picture = recover_image(picture, space, bits=16 if profile == "p3" else bits)
    if profile or 8 * picture.itemsize != bits:
        picture = in_profile(picture, profile, bits)
    extension, profile = path.suffix.lower(), profile and PROFILES[profile].data()
    notes = {"notes": notes} if notes and extension == ".png" else {}
    if bits == 16:
        from nst_tf.image.deep import DEEP_WRITERS

        data = DEEP_WRITERS[extension](picture, profile=profile, dpi=dpi, **notes)
    else:
        options = {"extension": extension, **FORMATS[extension]}
        if notes:
            options["pnginfo"] = PngInfo()
            for keyword, text in notes["notes"].items():
                options["pnginfo"].add_itxt(keyword, text)
        if profile:
            options["icc_profile"] = profile
        if dpi:
            options["dpi"] = (dpi, dpi)
        data = iio.imwrite("<bytes>", picture, plugin="pillow", **options)
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def check_format(path, bits=8, dpi=None):
    """Raise `ImageError` if a file of this extension can't be written, or not with these."""
    extension = Path(path).suffix.lower()
    if extension not in FORMATS:
        raise ImageError(
            f"can't write {path}: unknown extension {Path(path).suffix!r}; use {', '.join(FORMATS)}"
        )
    if bits == 16 and extension not in DEEP_FORMATS:
        raise ImageError(
            f"can't write {path} with 16 bits per channel: use {', '.join(DEEP_FORMATS)}, or 8 bits"
        )
    if dpi and extension not in DPI_FORMATS:
        raise ImageError(
            f"can't write {path} with {dpi} dpi: use {', '.join(DPI_FORMATS)}, or leave it out"
        )


def read_note(path, keyword):
    """Return a text chunk of a .png, as `save_image` wrote it.

    Raises
    ------
    ImageError
        The file is not a readable .png, or has no such text.
    """
    read_picture(path, say=None)  # reports damage; the text may follow the pixels
    with warnings.catch_warnings(), Image.open(path, formats=_formats()) as picture:
        warnings.simplefilter("ignore")
        picture.load()
        text = getattr(picture, "text", {}).get(keyword)
    if not isinstance(text, str):
        raise ImageError(
            f"{path} contains no settings: --config expects a config.json, or a result.png of "
            "nst_tf that was not edited"
        )
    if len(text) > MAX_TEXT_BYTES:
        raise ImageError(
            f"{path} contains a text of {len(text):,} characters; at most {MAX_TEXT_BYTES:,} were "
            "expected"
        )
    return text


def is_picture(path):
    """Return whether a file starts like a picture of a readable format."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with BoundedFile(path) as file:
                start = file.read(START)
                file.seek(0)
                with _opened(file, start):
                    return True
    except Exception:  # not a picture, or damaged: Pillow's readers raise many kinds
        return False


def picture_extensions():
    """Return the file extensions of the readable formats, such as ".jpg", in lower case."""
    readable = {*_formats(), "MPO"}  # two JPEGs in one file; the first is read
    known = Image.registered_extensions()
    return HEIF.union(extension for extension, name in known.items() if name in readable)


# ---------------------------------------------------------------------------- reading


def read_picture(path, *, background="white", say=print_line):
    """Read a picture file into (H, W, 3) uint8 RGB, at its original size.

    Applies the EXIF orientation and the gamma of a PNG; converts colors to sRGB by the ICC profile;
    converts gray, palette, CMYK, 16-bit, 32-bit and floating-point pictures; composites transparent
    ones on `background`; takes the first frame of an animation.

    Takes at most 16 bytes of memory for each pixel; 25 for WebP, AVIF, HEIC and JPEG 2000, which
    may have 100 million pixels; more for TIFFs of more than 16 bits per channel.

    Parameters
    ----------
    path : path
    background : str
        A color name of Pillow.
    say : callable or None
        Called with one line about what was assumed, if anything was.

    Raises
    ------
    ImageError
        The file is missing, damaged, not a picture, smaller than 32x32, larger than `MAX_PIXELS`,
        has values of unknown range, or would take more memory or time than
        `nst_tf.image.bounds` allows.
    """
    picture, alpha, remarks = read_layers(path)
    if alpha is not None and alpha.getextrema()[1] == 0:
        remarks.append("its alpha channel is 0 everywhere, and ignored")
    elif alpha is not None:
        composite = Image.new("RGB", picture.size, background)
        composite.paste(picture, mask=alpha)
        picture = composite
        if alpha.getextrema()[0] < 255:
            remarks.append(f"its transparent parts are {background}")
    pixels = _pixels(picture)
    remarks += _look(pixels)
    if remarks and say:
        say(f"{path}: {'; '.join(remarks)}")
    return pixels


def read_layers(path):
    """Read a picture file like `read_picture`, but with its alpha channel apart.

    Returns
    -------
    picture : PIL.Image.Image
        In RGB.
    alpha : PIL.Image.Image or None
        In mode L: 0 is transparent. None if the picture has no alpha channel.
    remarks : list of str
        What was assumed.
    """
    if advice := address_advice(str(path)):
        raise ImageError(advice)
    path = Path(path)
    try:
        _check_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's size warning: `_check_pixels` has a limit
            picture, remarks = _decoded(path)
            return *_upright_layers(path, picture, remarks), remarks
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"there is no picture {path}") from None
    except PermissionError:
        raise ImageError(f"{path} may not be read: check its permissions") from None
    except UnidentifiedImageError:
        raise ImageError(_unidentified(path)) from None
    except MemoryError:
        raise ImageError(f"{path} does not fit into memory: make it smaller first") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{path} is over the limit of {MAX_PIXELS} pixels") from None
    except Exception as error:  # Pillow's readers raise a dozen kinds for a dozen formats
        if isinstance(error, OSError) and error.filename:  # about the file, not its content
            raise ImageError(f"{path} can't be read: {error.strerror}") from None
        reason = f"{error!s:.300}" or type(error).__name__
        raise ImageError(f"{path} is damaged or cut off: {reason}") from None


def _unidentified(path):
    """Return the message for a file that Pillow does not recognize."""
    with open(path, "rb") as file:
        kind = known_format(file.read(START))
    if kind is None:
        return f"{path} is not a readable picture; use JPEG, PNG, WebP or TIFF"
    return (
        f"{path} is a {kind} of a variant that is not read, or damaged: save it again with 8 bits "
        "per channel, as PNG or JPEG"
    )


def _decoded(path):
    """Return the picture of a file, decoded, and a list of remarks."""
    with BoundedFile(path) as file:
        start = file.read(START)
        file.seek(0)
        remarks = []
        if known_format(start) == "TIFF":
            with _named(path):
                picture, remarks = read_tiff(file)
            file.seek(0)
            if picture:
                _check_pixels(path, picture.size)
                return picture, remarks
        with _opened(file, start) as picture:
            mode = picture.tile[0][3] if picture.tile else None  # how pixels will be unpacked
            rawmode = mode[0] if isinstance(mode, tuple) else mode
            _check_pixels(path, picture.size)
            check_decoding(file, picture)
            if picture.format in FILMS and getattr(picture, "is_animated", False):
                remarks.append("only the first of its frames is used")
            file.allow_pixels()
            with silenced() if picture.format == "TIFF" else nullcontext():  # libtiff prints
                picture.load()
            _check_pixels(path, picture.size)  # a decoder may find another size
            check_exif(path, picture)
        if rawmode in LOW_BYTES:
            return _of_sixteen_bits(path, start, picture, LOW_BYTES[rawmode], remarks)
        return picture, remarks


def _of_sixteen_bits(path, start, high, rawmode, remarks):
    """Return a picture of 16 bits by those in use, and remarks; Pillow has read the high bytes."""
    color = high.info.get("transparency")  # of a PNG, in 16 bits
    if max(highest for _, highest in high.getextrema()[:3]) >= 16:  # more than 12 are in use
        if isinstance(color, tuple):
            high.info["transparency"] = tuple(level >> 8 for level in color)
        return high, remarks
    with BoundedFile(path) as file, _opened(file, start) as low:
        file.allow_pixels()
        tile = low.tile[0]
        arguments = (rawmode, *tile.args[1:]) if isinstance(tile.args, tuple) else rawmode
        low.tile = [tile._replace(args=arguments)]
        low.load()
        values = np.uint16(np.asarray(high)) * 256 + np.asarray(low)
    levels, remark = eight_bits(values[..., :3])
    picture = Image.fromarray(levels)
    if high.mode == "RGBA":
        picture.putalpha(Image.fromarray(alpha_levels(values[..., 3], values[..., :3])))
    elif isinstance(color, tuple):
        picture.putalpha(Image.fromarray(np.uint8(255) * (values != color).any(axis=-1)))
    picture.info = {name: entry for name, entry in high.info.items() if name != "transparency"}
    picture.getexif().update(high.getexif())
    return picture, [*remarks, remark]


@contextmanager
def _named(path):
    """Put the name of the file before the message of an `ImageError`."""
    try:
        yield
    except ImageError as error:
        text = str(error)
        raise ImageError(text if text.startswith(str(path)) else f"{path}: {text}") from None


@contextmanager
def _opened(file, start):
    """Yield the picture of a `BoundedFile`; only the header has been read."""
    if kind := unreadable_kind(start):
        raise ImageError(f"{file.name} is not a readable picture but {kind}")
    if is_heif(start):
        _register_heif(file.name)
    check_tags(file)
    with Image.open(file, formats=_formats()) as picture:
        yield picture


def _register_heif(name):
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        raise ImageError(
            f"{name} is a HEIC picture, as iPhones save them: `python -m pip install "
            "pillow-heif`, or save it as JPEG"
        ) from None
    register_heif_opener()


def _formats():
    """Return the `READABLE_FORMATS` that the installed Pillow supports."""
    Image.init()
    return [name for name in READABLE_FORMATS if name in Image.OPEN]


def _check_file(path):
    """Reject paths that are not regular files (a pipe would block) and files that are too large."""
    if path.exists() and not path.is_file():
        kind = "a directory" if path.is_dir() else "not a file"
        raise ImageError(f"{path} is {kind}; a picture file was expected")
    size = path.stat().st_size if path.exists() else 0
    if size > MAX_FILE_BYTES:
        raise ImageError(
            f"{path} has {size:,} bytes; a picture of at most {MAX_FILE_BYTES:,} was expected: "
            "make it smaller first"
        )


def _check_pixels(path, size):
    width, height = size
    if min(size) < MIN_SIDE:
        raise ImageError(
            f"{path} has {width}x{height} pixels; at least {MIN_SIDE}x{MIN_SIDE} are needed"
        )
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{path} has {width}x{height} pixels, over the limit of {MAX_PIXELS}: "
            "make it smaller first"
        )


def _upright_layers(path, picture, remarks):
    """Return the picture in sRGB and its alpha channel, upright; add to the remarks."""
    profile, gamma = picture.info.get("icc_profile"), _gamma(picture)
    ImageOps.exif_transpose(picture, in_place=True)  # saves a copy of a large picture
    alpha = None
    if picture.mode.startswith(("I", "F")):  # 16 or 32 bits, or floats, in gray
        picture, alpha = _gray_layers(path, picture, remarks)
    elif picture.has_transparency_data:
        picture, alpha = _split_alpha(picture)
    if picture.mode == "CMYK" and not profile:
        remarks.append("it is CMYK without a color profile, so its colors are approximate")
    picture = _to_srgb(picture, profile, remarks)
    if gamma:
        picture = picture.point([round(255 * (n / 255) ** (GAMMA / gamma)) for n in range(256)] * 3)
        remarks.append(f"its gamma of {gamma:.3g} is converted to that of sRGB")
    return picture, alpha


def _gray_layers(path, picture, remarks):
    """Return gray of 16 or 32 bits, or of floats, as levels, and its alpha channel or None."""
    values = np.asarray(picture)
    if picture.format == "PPM" and values.dtype.kind == "i":  # Pillow has scaled it to 16 bits
        values = values.astype(np.uint16)
    with _named(path):
        levels, remark = eight_bits(values)
    remarks += filter(None, [remark])
    transparent = picture.info.get("transparency")
    if not isinstance(transparent, int):
        return Image.fromarray(levels), None
    return Image.fromarray(levels), Image.fromarray(np.uint8(255) * (values != transparent))


def _gamma(picture):
    """Return the gamma of a PNG if it matters: chunks about the color space come before it."""
    gamma = picture.info.get("gamma")
    known = picture.info.get("icc_profile") or "srgb" in picture.info
    if picture.format != "PNG" or known or not gamma or not 0.1 <= gamma <= 10:
        return None
    return gamma if abs(gamma / GAMMA - 1) > 0.05 else None


def _look(pixels):
    """Return remarks about a picture that is hardly one."""
    lowest, highest = pixels.min(axis=(0, 1)), pixels.max(axis=(0, 1))
    if (lowest == highest).all():
        return [f"all of its pixels have the color #{bytes(highest).hex()}"]
    if highest.max() < NEARLY_BLACK:
        return [f"it is nearly black: its largest value is {highest.max()} of 255"]
    return []


def _pixels(picture):
    """Return the pixels as an array, converted in strips: Pillow makes two temporary copies."""
    width, height = picture.size
    pixels = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, STRIP):
        bottom = min(top + STRIP, height)
        pixels[top:bottom] = picture.crop((0, top, width, bottom))
    return pixels


def _split_alpha(picture):
    """Return the picture without alpha, in the mode of its ICC profile, and the alpha channel."""
    if picture.mode == "LA":
        return picture.getchannel("L"), picture.getchannel("A")
    is_gray = picture.mode in ("L", "La")
    picture = picture if picture.mode == "RGBA" else picture.convert("RGBA")
    alpha, picture = picture.getchannel("A"), picture.convert("RGB")
    return picture.convert("L") if is_gray else picture, alpha


def _to_srgb(picture, profile, remarks):
    picture = picture.convert("RGB") if picture.mode == "P" else picture
    if profile and picture.mode in ("RGB", "L", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(
                picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            remarks.append("its color profile is damaged or for other colors, and ignored")
    return picture.convert("RGB")
