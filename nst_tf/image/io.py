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
import warnings
from contextlib import contextmanager, nullcontext
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from nst_tf.console import silenced
from nst_tf.errors import ImageError
from nst_tf.files import MAX_TEXT_BYTES, atomic_file
from nst_tf.image.bounds import (
    MAX_FILE_BYTES,
    BoundedFile,
    check_decoding,
    check_exif,
    check_tags,
)
from nst_tf.image.pixels import STRIP, VGG_PIXELS, recover_image
from nst_tf.image.sizes import MAX_PIXELS, MIN_SIDE, fit_size, resize_picture

# Pillow's names. Not EPS: it is a program, which Ghostscript would run. Not DDS and QOI, which
# Pillow decodes in Python, nor icons, which it decodes before their size can be checked.
READABLE_FORMATS = (
    *("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "DIB", "AVIF", "JPEG2000", "PSD"),
    *("PPM", "TGA", "PCX", "SGI"),
)
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


logging.getLogger("PIL").addHandler(logging.NullHandler())  # else warnings go to stderr


def load_image(path, size=None, *, space=VGG_PIXELS, resample="lanczos", crop=False):
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
    picture = read_picture(path)
    try:
        size = fit_size(size, picture.shape[:2])
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from None
    picture = resize_picture(picture, size, resample, crop=crop)
    return picture, space.to_image(picture)


def save_image(path, image, space=VGG_PIXELS, *, notes=None):
    """Write a picture or an image to a file; the extension of `path` selects the format.

    The file is written under a temporary name and then renamed, so it is never incomplete.

    Parameters
    ----------
    path : path
        .png, .jpg (quality 95, no chroma subsampling), .webp (lossless) or .tif.
    image : (H, W, 3) uint8 or (1, H, W, 3) float32
        A picture is written unchanged, an image is converted first (`recover_image`).
    space : PixelSpace
        The pixel space of an image.
    notes : dict of str, optional
        Text chunks of a .png, by keyword; `read_note` reads them.
    """
    path = Path(path)
    image = np.asarray(image)
    picture = image if image.dtype == np.uint8 else recover_image(image, space)
    options = {"extension": path.suffix.lower(), **writer_options(path)}
    if notes and path.suffix.lower() == ".png":
        options["pnginfo"] = PngInfo()
        for keyword, text in notes.items():
            options["pnginfo"].add_itxt(keyword, text)
    data = iio.imwrite("<bytes>", picture, plugin="pillow", **options)
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def read_note(path, keyword):
    """Return a text chunk of a .png, as `save_image` wrote it.

    Raises
    ------
    ImageError
        The file is not a readable .png, or has no such text.
    """
    read_picture(path)  # reports damage; the text may follow the pixels
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
            with _opened(path):
                return True
    except Exception:  # not a picture, or damaged: Pillow's readers raise many kinds
        return False


def picture_extensions():
    """Return the file extensions of the readable formats, such as ".jpg", in lower case."""
    readable = {*_formats(), "MPO"}  # two JPEGs in one file, of which the first is read
    known = Image.registered_extensions()
    return frozenset(extension for extension, name in known.items() if name in readable)


def writer_options(path):
    """Return the writer's options for the extension of a file name.

    Raises
    ------
    ImageError
        The extension is unknown.
    """
    try:
        return FORMATS[Path(path).suffix.lower()]
    except KeyError:
        raise ImageError(
            f"can't write {path}: unknown extension {Path(path).suffix!r}; use {', '.join(FORMATS)}"
        ) from None


# ---------------------------------------------------------------------------- reading


def read_picture(path, *, background="white"):
    """Read a picture file into (H, W, 3) uint8 RGB, at its original size.

    Applies the EXIF orientation; converts colors to sRGB by the ICC profile; converts gray,
    palette, CMYK and 16-bit pictures; composites transparent ones on `background`; takes the first
    frame of an animation.

    Takes at most 16 bytes of memory for each pixel; 25 for WebP, AVIF and JPEG 2000, which may
    have 100 million pixels.

    Raises
    ------
    ImageError
        The file is missing, damaged, not a picture, smaller than 32x32, larger than `MAX_PIXELS`,
        or would take more memory or time than `nst_tf.image.bounds` allows.
    """
    path = Path(path)
    try:
        _check_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's size warning: `_check_pixels` has a limit
            with _opened(path) as (file, picture):
                _check_pixels(path, picture.size)
                check_decoding(file, picture)
                file.allow_pixels()
                with silenced() if picture.format == "TIFF" else nullcontext():  # libtiff prints
                    picture.load()
                _check_pixels(path, picture.size)  # a decoder may find another size
                check_exif(path, picture)
                return _pixels(_upright_rgb(picture, background))
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"there is no picture {path}") from None
    except PermissionError:
        raise ImageError(f"{path} may not be read: check its permissions") from None
    except UnidentifiedImageError:
        raise ImageError(f"{path} is not a readable picture; use JPEG, PNG, WebP or TIFF") from None
    except MemoryError:
        raise ImageError(f"{path} does not fit into memory: make it smaller first") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{path} is over the limit of {MAX_PIXELS} pixels") from None
    except Exception as error:  # Pillow's readers raise a dozen kinds for a dozen formats
        if isinstance(error, OSError) and error.filename:  # about the file, not its content
            raise ImageError(f"{path} can't be read: {error.strerror}") from None
        reason = f"{error!s:.300}" or type(error).__name__
        raise ImageError(f"{path} is damaged or cut off: {reason}") from None


@contextmanager
def _opened(path):
    """Yield a file and its picture, of which only the header was read."""
    with BoundedFile(path) as file:
        check_tags(file)
        with Image.open(file, formats=_formats()) as picture:
            yield file, picture


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


def _upright_rgb(picture, background):
    profile = picture.info.get("icc_profile")
    ImageOps.exif_transpose(picture, in_place=True)  # saves a copy of a large picture
    picture = _eight_bits(picture)
    if picture.has_transparency_data:
        picture, alpha = _split_alpha(picture)
        picture = _to_srgb(picture, profile)
        composite = Image.new("RGB", picture.size, background)
        composite.paste(picture, mask=alpha)
        return composite
    return _to_srgb(picture, profile)


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


def _eight_bits(picture):
    """Convert 16-bit, 32-bit and float gray to 8 bits by its full range; keep other modes."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    gray = np.asarray(picture)
    if picture.mode == "F":
        scale = 255 if gray.max() <= 1 else 1  # floats are 0..1 or 0..255 by convention
    else:
        scale = 1 / 257 if gray.max() > 255 or picture.mode.startswith("I;16") else 1
    levels = np.empty(gray.shape, np.uint8)
    for top in range(0, len(gray), STRIP):
        strip = slice(top, top + STRIP)
        scaled = np.nan_to_num(gray[strip].astype(np.float64) * scale)  # floats may be NaN
        levels[strip] = np.rint(np.clip(scaled, 0, 255))
    return Image.fromarray(levels)


def _to_srgb(picture, profile):
    picture = picture.convert("RGB") if picture.mode == "P" else picture
    if profile and picture.mode in ("RGB", "L", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(
                picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a damaged or unsupported profile: ignore it, as browsers do
    return picture.convert("RGB")
