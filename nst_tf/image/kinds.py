"""Name the files that are often taken for pictures, and say what to do instead."""

HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

# (position, bytes, what it is, what to do); the first match counts.
KINDS = (
    (0, b"\xff\x0a", "a JPEG XL", "save it as JPEG or PNG"),
    (4, b"JXL \r\n", "a JPEG XL", "save it as JPEG or PNG"),
    (0, b"%PDF", "a PDF", "export its page as PNG"),
    (0, b"%!PS", "PostScript", "export it as PNG"),
    (0, b"\xc5\xd0\xd3\xc6", "PostScript", "export it as PNG"),
    (0, b"version https://git-lfs", "a pointer of Git LFS", "run `git lfs pull`"),
    (0, b"v/1\x01", "an OpenEXR of high dynamic range", "map it to 8 bits, as PNG"),
    (0, b"#?R", "a Radiance HDR", "map it to 8 bits, as PNG"),
    (0, b"SIMPLE  =", "a FITS", "save it as PNG or 16-bit TIFF"),
    (128, b"DICM", "a DICOM", "save it as PNG or 16-bit TIFF"),
    (0, b"\x89HDF", "an HDF5 file", "save its array as PNG or TIFF"),
    (0, b"\x93NUMPY", "a NumPy array", "save it as PNG, or pass the array in Python"),
    (8, b"CR\x02", "a raw file of a camera", "develop it, and save it as JPEG"),
    (4, b"ftypcrx", "a raw file of a camera", "develop it, and save it as JPEG"),
    (0, b"FUJIFILM", "a raw file of a camera", "develop it, and save it as JPEG"),
    (0, b"IIU\0", "a raw file of a camera", "develop it, and save it as JPEG"),
    (0, b"IIRO", "a raw file of a camera", "develop it, and save it as JPEG"),
    (0, b"IIRS", "a raw file of a camera", "develop it, and save it as JPEG"),
    (0, b"PF\n", "a PFM of high dynamic range", "map it to 8 bits, as PNG"),
    (0, b"II\xbc", "a JPEG XR", "save it as JPEG or PNG"),
    (0, b"\xff\xfe", "a text file", "choose a picture"),
    (0, b"gimp xcf", "a GIMP project", "export it as PNG"),
    (0, b"Rar!", "an archive", "unpack it"),
    (0, b"\x1f\x8b", "an archive, or a compressed file", "unpack it"),
    (0, b"7z\xbc\xaf", "an archive", "unpack it"),
    (0, b"\xd0\xcf\x11\xe0", "an old Office document", "export its picture as PNG"),
    (0, b"ID3", "a sound", "choose a picture"),
    (8, b"AVI ", "a film", "save one of its frames as PNG"),
    (4, b"ftypmp4", "a film", "save one of its frames as PNG"),
    (4, b"ftypiso", "a film", "save one of its frames as PNG"),
    (4, b"ftypqt", "a film", "save one of its frames as PNG"),
    (0, b"\x1aE\xdf\xa3", "a film", "save one of its frames as PNG"),
    (0, b"DDS ", "a DDS texture", "save it as PNG"),
    (0, b"qoif", "a QOI", "save it as PNG"),
    (0, b"\0\0\1\0", "an icon", "save it as PNG"),
    (0, b"icns", "an icon", "save it as PNG"),
)
START = 1024  # bytes that are needed
MARKUP = (  # anywhere in them
    (b"<svg", "an SVG drawing", "export it as PNG"),
    (b"<!doctype html", "a web page", "download the picture itself"),
    (b"<html", "a web page", "download the picture itself"),
    (b"<?xml", "an XML file", "download the picture itself"),
)
ZIPS = (
    (b"[Content_Types]", "an Office document", "export its picture as PNG"),
    (b"mimetype", "a Krita, OpenRaster or OpenDocument file", "export it as PNG"),
    (b".npy", "a file of NumPy arrays", "save its array as PNG or TIFF"),
)
FORMATS = (
    *((mark, "TIFF") for mark in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG", "PNG"),
    (b"8BPS", "PSD"),
    *((f"P{number}".encode(), "Netpbm picture") for number in range(1, 8)),
)
PRINTABLE = frozenset({*b"\t\n\r", *range(32, 127), *range(128, 256)})


def is_heif(start):
    """Return whether a file that starts with these bytes is a HEIC or HEIF, and not an AVIF."""
    is_avif = b"avif" in start[8:64] or b"avis" in start[8:64]
    return start[4:8] == b"ftyp" and start[8:12] in HEIF_BRANDS and not is_avif


def unreadable_kind(start):
    """Return "a PDF: export its page as PNG" for the first `START` bytes of a file, or None."""
    for position, mark, kind, remedy in KINDS:
        if start[position : position + len(mark)] == mark:
            return f"{kind}: {remedy}"
    if start.startswith(b"PK\x03\x04"):
        return _kind_of_zip(start)
    return None if known_format(start) else _kind_of_text(start)


def known_format(start):
    """Return the name of a format that is read, if the file is one of it; else None."""
    return next((name for mark, name in FORMATS if start.startswith(mark)), None)


def _kind_of_zip(start):
    for mark, kind, remedy in ZIPS:
        if mark in start:
            return f"{kind}: {remedy}"
    return "a zip: unpack it"


def _kind_of_text(start):
    """Return what a text is, and what to do; None for other files."""
    text = start.lower()
    for mark, kind, remedy in MARKUP:
        if mark in text:
            return f"{kind}: {remedy}"
    if not start:
        return "an empty file: download or save it again"
    if not any(start):
        return "a file of zeros: download or save it again"
    if not PRINTABLE.issuperset(start):
        return None
    return "a text file: choose a picture"
