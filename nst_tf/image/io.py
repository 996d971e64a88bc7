"""Pictures in and out: what a camera writes, what a trunk wants, what a screen shows.

Two kinds of array travel through the package:

=========  =================  =======================================================
picture    (H, W, 3) uint8    RGB, 0..255, what one looks at
image      (1, H, W, 3)       float32 in the trunk's pixel space (VGG: RGB minus mean),
                              what the network sees and the optimiser changes
=========  =================  =======================================================

Sizes are (height, width), as in the arrays; only the command line says WxH.
"""

import io
import logging
import warnings
from contextlib import nullcontext
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from nst_tf.console import silenced
from nst_tf.errors import ImageError
from nst_tf.files import MOST_TEXT, atomic_file
from nst_tf.image.pixels import STRIP, VGG_PIXELS, recover_image
from nst_tf.image.sizes import MAX_PIXELS, MIN_SIDE, fit_size, resize_picture

MOST_BYTES = 8 * MAX_PIXELS  # of a picture file: 16 bits of RGBA a pixel; some are read whole
MOST_SCANS = 100  # of a JPEG: each goes through the whole picture; cameras and programs write 10
READ = (  # of Pillow's formats. Not EPS: it is a program, which Ghostscript would run
    *("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "DIB", "AVIF", "JPEG2000", "PSD"),
    *("PPM", "TGA", "ICO", "ICNS", "PCX", "SGI", "QOI", "DDS", "SUN", "XBM"),
)
JPEG = {"quality": 95, "subsampling": 0}  # 4:4:4: style lives in colour edges too
TIFF = {"compression": "tiff_deflate"}
FORMATS = {  # ending -> the writer's options
    ".png": {},
    ".jpg": JPEG,
    ".jpeg": JPEG,
    ".webp": {"lossless": True},
    ".tif": TIFF,
    ".tiff": TIFF,
}


logging.getLogger("PIL").addHandler(logging.NullHandler())  # else its words go to the screen


def load_image(path, size=None, *, space=VGG_PIXELS, resample="lanczos", crop=False):
    """Read a picture file for the network, as `load_image` does in tutorial 0.

    Parameters
    ----------
    path : path
        JPEG, PNG, WebP, TIFF, GIF or whatever else Pillow reads; see `read_picture`.
    size : None, int, (height, width) or str
        None keeps the aspect ratio at about 640x480 pixels in all, a number is the longer
        side, a pair is taken as it is; a text is read by `parse_size`, as on the command line.
    space : PixelSpace
        Usually `model.space`.
    resample : {"lanczos", "bicubic", "bilinear"}
        How pixels are interpolated; "bilinear" is the tutorials'.
    crop : bool
        Where a (height, width) has another shape than the picture: cut off what is too much, half
        on either side. Default: stretch, as tutorial 0 does.

    Returns
    -------
    picture : (H, W, 3) uint8
        What one looks at.
    image : (1, H, W, 3) float32
        The same minus the mean, "which looks funny" when shown.

    Raises
    ------
    ImageError
        When the file is no readable picture or smaller than 32x32.
    """
    picture = read_picture(path)
    try:
        size = fit_size(size, picture.shape[:2])
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from None
    picture = resize_picture(picture, size, resample, crop=crop)
    return picture, space.to_image(picture)


def save_image(path, image, space=VGG_PIXELS, *, notes=None):
    """Write a picture or an image to a file; the ending of `path` chooses the format.

    The file is written under a temporary name and renamed, so that it is whole or not there.

    Parameters
    ----------
    path : path
        .png, .jpg (quality 95, no chroma subsampling), .webp (lossless) or .tif.
    image : (H, W, 3) uint8 or (1, H, W, 3) float32
        A picture is written as it is, an image is recovered first.
    space : PixelSpace
        The pixel space of an image.
    notes : dict of str, optional
        Texts that a .png carries beside its pixels, by keyword; `read_note` reads them.
    """
    path = Path(path)
    image = np.asarray(image)
    picture = image if image.dtype == np.uint8 else recover_image(image, space)
    how = {"extension": path.suffix.lower(), **writer_options(path)}
    if notes and path.suffix.lower() == ".png":
        how["pnginfo"] = PngInfo()
        for keyword, text in notes.items():
            how["pnginfo"].add_itxt(keyword, text)
    data = iio.imwrite("<bytes>", picture, plugin="pillow", **how)
    with atomic_file(path) as temporary:
        temporary.write_bytes(data)


def read_note(path, keyword):
    """Return a text that a .png carries beside its pixels, as `save_image` wrote it.

    Raises
    ------
    ImageError
        It is no readable .png, or has no such text.
    """
    read_picture(path)  # texts may stand behind the pixels; and what is damaged is told
    with warnings.catch_warnings(), Image.open(path, formats=_formats()) as picture:
        warnings.simplefilter("ignore")
        picture.load()
        text = getattr(picture, "text", {}).get(keyword)
    if not isinstance(text, str):
        raise ImageError(
            f"{path} carries no settings: --config takes a config.json, or a result.png of nst_tf "
            "that was not edited"
        )
    if len(text) > MOST_TEXT:
        raise ImageError(f"{path} carries {len(text):,} letters; at most {MOST_TEXT:,} are read")
    return text


def is_picture(path):
    """Tell whether a file begins as some picture does."""
    try:
        with Image.open(path, formats=_formats()):
            return True
    except Exception:  # not one, or a damaged one: Pillow's formats raise what comes
        return False


def writer_options(path):
    """Return the options for the ending of a file name, or say which endings there are."""
    try:
        return FORMATS[Path(path).suffix.lower()]
    except KeyError:
        raise ImageError(
            f"can't write {path}: unknown ending {Path(path).suffix!r}; use {', '.join(FORMATS)}"
        ) from None


# ---------------------------------------------------------------------------- reading


def read_picture(path, *, background="white"):
    """Read any picture that people have into (H, W, 3) uint8 RGB, at its own size.

    Turned upright by its EXIF tag; colours converted to sRGB by its ICC profile; grey,
    palette, CMYK and 16-bit pictures converted; transparent ones composited on `background`; of
    an animation, the first frame.

    Raises
    ------
    ImageError
        Missing, no picture, damaged, smaller than 32x32 or larger than `MAX_PIXELS`.
    """
    path = Path(path)
    try:
        _check_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's size warning: our own limit is checked
            with Image.open(path, formats=_formats()) as picture:
                _check_pixels(path, picture.size)
                _check_scans(path, picture.format)
                with silenced() if picture.format == "TIFF" else nullcontext():  # libtiff talks
                    picture.load()
                _check_pixels(path, picture.size)  # an icon may hold another than it claims
                return _pixels(_upright_rgb(picture, background))
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"there is no picture {path}") from None
    except PermissionError:
        raise ImageError(f"{path} may not be read: check its permissions") from None
    except UnidentifiedImageError:
        raise ImageError(
            f"{path} is not a picture that can be read; JPEG, PNG, WebP and TIFF are"
        ) from None
    except MemoryError:
        raise ImageError(f"{path} does not fit into memory: make it smaller first") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{path} is over the limit of {MAX_PIXELS} pixels") from None
    except Exception as error:  # what Pillow's readers raise: a dozen kinds for a dozen formats
        if isinstance(error, OSError) and error.filename:  # of the file, not of what is in it
            raise ImageError(f"{path} can't be read: {error.strerror}") from None
        why = f"{error!s:.300}" or type(error).__name__
        raise ImageError(f"{path} is damaged or cut off: {why}") from None


def _formats():
    """Return those of `READ` that this Pillow has."""
    Image.init()
    return [name for name in READ if name in Image.OPEN]


def _check_file(path):
    """Refuse what is no file, before it is waited for, and what is larger than any picture."""
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "no file"
        raise ImageError(f"{path} is {kind}; a picture file was expected")
    size = path.stat().st_size if path.exists() else 0
    if size > MOST_BYTES:
        raise ImageError(
            f"{path} has {size:,} bytes; a picture of at most {MOST_BYTES:,} was expected: make it "
            "smaller first"
        )


def _check_scans(path, kind):
    """Refuse a JPEG that goes over itself thousands of times: minutes for a few kB."""
    if kind not in ("JPEG", "MPO"):
        return
    scans = path.read_bytes().count(b"\xff\xda")  # within a scan, 0xFF is followed by 0
    if scans > MOST_SCANS:
        raise ImageError(
            f"{path} is a JPEG of {scans} scans; {MOST_SCANS} at most were expected: save it anew "
            "with another program"
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
    ImageOps.exif_transpose(picture, in_place=True)  # of a large picture, each copy counts
    picture = _eight_bits(picture)
    if picture.has_transparency_data:
        picture, alpha = _split_alpha(picture)
        picture = _to_srgb(picture, profile)
        composite = Image.new("RGB", picture.size, background)
        composite.paste(picture, mask=alpha)
        return composite
    return _to_srgb(picture, profile)


def _pixels(picture):
    """Return the pixels as an array: strip by strip, as Pillow copies twice what it gives."""
    width, height = picture.size
    pixels = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, STRIP):
        bottom = min(top + STRIP, height)
        pixels[top:bottom] = picture.crop((0, top, width, bottom))
    return pixels


def _split_alpha(picture):
    """Return the picture without its alpha, in a mode that its ICC profile fits, and alpha."""
    if picture.mode == "LA":
        return picture.getchannel("L"), picture.getchannel("A")
    grey = picture.mode in ("L", "La")
    picture = picture if picture.mode == "RGBA" else picture.convert("RGBA")
    alpha, picture = picture.getchannel("A"), picture.convert("RGB")
    return picture.convert("L") if grey else picture, alpha


def _eight_bits(picture):
    """Bring 16-bit, 32-bit and float greys to 8 bits by their full range; others pass."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    grey = np.asarray(picture)
    if picture.mode == "F":
        scale = 255 if grey.max() <= 1 else 1  # floats are 0..1 or 0..255 by custom
    else:
        scale = 1 / 257 if grey.max() > 255 or picture.mode.startswith("I;16") else 1
    levels = np.empty(grey.shape, np.uint8)
    for top in range(0, len(grey), STRIP):
        strip = slice(top, top + STRIP)
        exact = np.nan_to_num(grey[strip].astype(np.float64) * scale)  # a float file may hold NaN
        levels[strip] = np.rint(np.clip(exact, 0, 255))
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
            pass  # a broken or foreign profile: take the numbers as they are, as browsers do
    return picture.convert("RGB")
