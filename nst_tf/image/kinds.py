"""Name the files that are often taken for pictures, and say what to do instead."""

HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

# (position, bytes, what it is, what to do); the first match counts.
KINDS = (
    (0, b"\xff\x0a", "a JPEG XL", "save it as JPEG or PNG"),
    (4, b"JXL \r\n", "a JPEG XL", "save it as JPEG or PNG"),
    (0, b"%PDF", "a PDF", "export its page as PNG"),
    (0, b"%!PS", "PostScript", "export it as PNG"),
    (0, b"\xc5\xd0\xd3\xc6", "PostScript", "export it as PNG"),
    (0, b"<svg", "an SVG drawing", "export it as PNG"),
    (0, b"<?xml", "an SVG drawing or another XML file", "export it as PNG"),
    (0, b"<!doc", "a web page", "download the picture itself"),
    (0, b"<html", "a web page", "download the picture itself"),
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
    (0, b"gimp xcf", "a GIMP project", "export it as PNG"),
    (0, b"PK\x03\x04", "a zip, such as a Krita or OpenRaster project", "export it as PNG"),
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
START = 256  # bytes that are needed


def is_heif(start):
    """Return whether a file that starts with these bytes is a HEIC or HEIF, and not an AVIF."""
    is_avif = b"avif" in start[8:64] or b"avis" in start[8:64]
    return start[4:8] == b"ftyp" and start[8:12] in HEIF_BRANDS and not is_avif


def unreadable_kind(start):
    """Return "a PDF: export its page as PNG" for the first `START` bytes of a file, or None."""
    lower = start.lower()
    for position, mark, kind, remedy in KINDS:
        text = mark.isascii() and mark.startswith(b"<")
        if (lower if text else start)[position : position + len(mark)] == mark:
            return f"{kind}: {remedy}"
    return None
