"""Malicious files: decompression bombs, absurd sizes, links, pickles, pipes.

`HOSTILE` maps names to `Hostile` files. All must be rejected in little memory, but if `rejected`
is False, a correct result is accepted, too.
"""

import json
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import h5py
import numpy as np
import valid_files
from costly import COSTLY
from damage import join_zip
from mat_files import tiny_vgg, write_keras

CANARY = "canary"  # a file that is created if code in a hostile file is executed
GIB = 2**30


@dataclass(frozen=True)
class Hostile:
    """A hostile file: its kind in `fuzzing.KINDS`, a function that writes it, and limits.

    `write` takes the folder and returns the path; `max_mib` limits the additional memory.
    """

    kind: str
    write: Callable
    rejected: bool = True
    max_mib: int = 256


def regular(kind, name, data, **limits):
    """Return a hostile file with the given bytes; `data` may be a function that returns them."""

    def write(folder):
        path = folder / name
        path.write_bytes(data() if callable(data) else data)
        return path

    return Hostile(kind, write, **limits)


def sparse(kind, name, start, **limits):
    """Return a sparse file of a terabyte, which takes no disk space."""

    def write(folder):
        with open(folder / name, "wb") as file:
            file.write(start)
            file.truncate(2**40)
        return folder / name

    return Hostile(kind, write, **limits)


def special(kind, name, make, **limits):
    """Return a path that is not a regular file."""

    def write(folder):
        make(folder / name)
        return folder / name

    return Hostile(kind, write, **limits)


def link_to(target):
    return lambda path: path.symlink_to(target)


SPECIAL_FILES = {
    "a pipe": os.mkfifo,
    "a folder": lambda path: path.mkdir(),
    "a link to endless zeros": lambda path: path.symlink_to("/dev/zero"),
    "a link to a full disk": lambda path: path.symlink_to("/dev/full"),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a cycle of links": lambda path: path.symlink_to(path.name),
    "an empty file": lambda path: path.write_bytes(b""),
}
FILE_NAMES = {  # kind -> file name
    "picture": "a.png",
    "mask": "a.png",
    "mat": "a.mat",
    "hdf5": "a.h5",
    "npz": "a.npz",
    "vgg npz": "a.npz",
    "verify": "a.mat",
    "config": "config.json",
    "job list": "jobs.json",
    "settings": "result.png",
    "checkpoint": "checkpoint-000003.npz",
    "journal": "journal.json",
    "run content": "a.png",
    "run weights": "a.mat",
    "run config": "config.json",
}


# ---------------------------------------------------------------------------- pictures


def deflated_zeros(gibibytes):
    """Return a zlib stream of `gibibytes` of zeros, in repeated blocks of 1 MiB."""
    compressor = zlib.compressobj(9)
    block = compressor.compress(bytes(2**20)) + compressor.flush(zlib.Z_FULL_FLUSH)
    return block + block[2:] * int(1024 * gibibytes - 1) + b"\x03\0" + struct.pack(">I", 1)


def png(*chunks, **options):
    return lambda: valid_files.png_with(*chunks, **options)


def patched(name, old, new, times=1):
    """Return a valid picture with some bytes replaced."""

    def data():
        original = valid_files.pictures()[name]
        assert old in original, name
        return original.replace(old, new, times)

    return data


def png_of_zeros(side, color, bits=8):
    """Return a black PNG of a given size."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    rows = side * (side * channels * bits // 8 + 1)
    palette = [(b"PLTE", bytes(range(6)))] * (color == 3)
    compressor = zlib.compressobj(1)
    pixels = b"".join(compressor.compress(bytes(2**20)) for _ in range(rows >> 20))
    pixels += compressor.compress(bytes(rows & 0xFFFFF)) + compressor.flush()
    return valid_files.png_with(*palette, size=(side, side), bits=bits, color=color, pixels=pixels)


def many_scans(name="progressive.jpg", times=3000):
    """Return a JPEG whose last scan is repeated thousands of times."""
    original = valid_files.pictures()[name]
    scan = original[original.rindex(b"\xff\xda") : -2]
    return original[:-2] + scan * times + original[-2:]


def icon(inner, size=(48, 40)):
    """Return an .ico that contains a PNG."""
    width, height = size
    tag_entry = struct.pack("<BBBBHHII", width, height, 0, 0, 1, 32, len(inner), 22)
    return struct.pack("<HHH", 0, 1, 1) + tag_entry + inner


def tiff(**tags):
    """Return a TIFF with one directory: tag number -> (type, count, value)."""
    entries = sorted((int(tag[1:]), *value) for tag, value in tags.items())
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + b"\0" * 4 + b"\0" * 64


def bmp(width, height):
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 99, 0, 0, 54) + header + b"\0" * 99


def webp_canvas(width, height):
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size
    return b"RIFF" + struct.pack("<I", len(body)) + body


TEXT = b"comment\0\0"
SHORT, LONG = 3, 4
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 52 40\n%%EndComments\n"
PICTURES = {
    **{
        f"a PNG that claims {width}x{height}": regular(
            "picture", "a.png", png(size=(width, height))
        )
        for width, height in [(10**5, 10**5), (2**31 - 1, 2**31 - 1), (2**32 - 1, 1), (0, 0)]
    },
    "a PNG that claims the largest allowed size, without pixels": regular(
        "picture", "a.png", png(size=(13_377, 13_377)), max_mib=1024
    ),
    "a PNG whose pixels unpack to 4 GiB": regular(
        "picture", "a.png", png(pixels=deflated_zeros(4)), rejected=False
    ),
    **{
        f"a {kind.decode()} that unpacks to 2 GiB": regular(
            "picture", "a.png", png((kind, start + deflated_zeros(2))), rejected=False
        )
        for kind, start in [
            (b"zTXt", TEXT),
            (b"iTXt", b"nst_tf\0\1\0\0\0"),
            (b"iCCP", b"profile\0\0"),
        ]
    },
    "a thousand texts of a megabyte": regular(
        "picture", "a.png", png(*[(b"zTXt", TEXT + zlib.compress(bytes(10**6)))] * 1000)
    ),
    "a hundred thousand chunks": regular("picture", "a.png", png(*[(b"tEXt", b"a\0b")] * 10**5)),
    "an animation of four billion frames": regular(
        "picture", "a.png", png((b"acTL", b"\xff" * 8)), rejected=False
    ),
    **{
        f"Exif of {label}": regular(
            "picture",
            "a.png",
            png((b"eXIf", data), pixels=zlib.compress(bytes(40 * 157))),
            rejected=False,
        )
        for label, data in [
            ("noise", b"II*\0\x08\0\0\0" + bytes(range(255)) * 9),
            ("an absurd count", b"II*\0\x08\0\0\0\1\0\x12\1\3\0\xff\xff\xff\xff\6\0\0\0"),
            ("a cycle", b"II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\x08\0\0\0"),
        ]
    },
    "a profile of noise": regular(
        "picture",
        "a.png",
        png(
            (b"iCCP", b"profile\0\0" + zlib.compress(bytes(range(256)) * 40)),
            pixels=zlib.compress(bytes(40 * 157)),
        ),
        rejected=False,
    ),
    "a GIF of 65535x65535": regular(
        "picture", "a.gif", patched("one.gif", struct.pack("<HH", 52, 40), b"\xff" * 4)
    ),
    "a GIF whose frame is larger than its screen": regular(
        "picture",
        "a.gif",
        b"GIF89a" + struct.pack("<HH", 52, 40) + b"\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\2\1\0;",
    ),
    "a JPEG of 65500x65500": regular(
        "picture",
        "a.jpg",
        patched("progressive.jpg", struct.pack(">HH", 40, 52), struct.pack(">HH", 65500, 65500)),
    ),
    "a JPEG of three thousand scans": regular("picture", "a.jpg", many_scans),
    "a large JPEG of a hundred scans": regular(
        "picture",
        "a.jpg",
        lambda: many_scans(times=85).replace(
            struct.pack(">HH", 40, 52), struct.pack(">HH", 4000, 4000), 1
        ),
        rejected=False,
        max_mib=512,
    ),
    "a WebP of 65535x65535": regular("picture", "a.webp", webp_canvas(65535, 65535)),
    "a WebP of 16383x16383": regular("picture", "a.webp", webp_canvas(16383, 16383), max_mib=1024),
    "a BMP of 2147483647x2147483647": regular("picture", "a.bmp", bmp(2**31 - 1, 2**31 - 1)),
    "a BMP of 13000x-13000": regular("picture", "a.bmp", bmp(13000, -13000), max_mib=1024),
    "a TIFF of 4294967295x4294967295": regular(
        "picture",
        "a.tif",
        tiff(_256=(LONG, 1, 2**32 - 1), _257=(LONG, 1, 2**32 - 1), _273=(LONG, 1, 8)),
    ),
    "a TIFF with a tile of 65535x65535": regular(
        "picture",
        "a.tif",
        tiff(
            _256=(LONG, 1, 64),
            _257=(LONG, 1, 64),
            _258=(SHORT, 1, 8),
            _259=(SHORT, 1, 8),
            _262=(SHORT, 1, 1),
            _277=(SHORT, 1, 1),
            _322=(LONG, 1, 65520),
            _323=(LONG, 1, 65520),
            _324=(LONG, 1, 8),
            _325=(LONG, 1, 60),
        ),
    ),
    "a TIFF of four billion strips": regular(
        "picture",
        "a.tif",
        tiff(
            _256=(LONG, 1, 64),
            _257=(LONG, 1, 64),
            _258=(SHORT, 1, 8),
            _259=(SHORT, 1, 1),
            _262=(SHORT, 1, 1),
            _273=(LONG, 2**32 - 1, 8),
            _279=(LONG, 2**32 - 1, 8),
        ),
    ),
    "a TIFF with a cyclic directory": regular(
        "picture", "a.tif", b"II*\0\x08\0\0\0\0\0\x08\0\0\0" + b"\0" * 20
    ),
    "an icon that contains 30000x30000": regular(
        "picture", "a.ico", lambda: icon(valid_files.png_with(size=(30000, 30000)))
    ),
    "an icon that contains less than it claims": regular(
        "picture",
        "a.ico",
        lambda: icon(valid_files.png_with(size=(5, 5), pixels=zlib.compress(bytes(5 * 16)))),
    ),
    "a program in PostScript": regular(
        "picture",
        "a.png",
        POSTSCRIPT + b"(canary) (w) file closefile showpage\n%%EOF\n",
    ),
    "a program in PostScript that never ends": regular(
        "picture", "a.eps", POSTSCRIPT + b"{} loop\n%%EOF\n"
    ),
    "a picture with a long name": Hostile("picture", lambda folder: folder / ("a" * 4000)),
    "a terabyte of WebP": sparse("picture", "a.webp", b"RIFF\xf0\xff\xff\xffWEBPVP8X"),
    "a terabyte of PNG": sparse("picture", "a.png", valid_files.png_with()[:33]),
    "a terabyte of JPEG": sparse("picture", "a.jpg", b"\xff\xd8\xff\xe0"),
    "the memory of this process": special("picture", "a.png", link_to("/proc/self/mem")),
    "a system file": special("picture", "a.png", link_to("/proc/self/smaps")),
    **{label: regular("picture", name, make) for label, (name, make, _) in COSTLY.items()},
}
LARGE = {  # of the largest allowed size; the long test reads them with gibibytes of memory
    f"black, of the largest allowed size, {label}": regular(
        "picture",
        "a.png",
        lambda mode=mode: png_of_zeros(13_377, *mode),
        rejected=False,
        max_mib=3072,
    )
    for label, mode in {
        "gray": (0,),
        "16-bit gray": (0, 16),
        "color": (2,),
        "palette": (3,),
        "gray with alpha": (4,),
        "color with alpha": (6,),
        "16-bit color with alpha": (6, 16),
    }.items()
}


# ---------------------------------------------------------------------------- MATLAB

HEADER = b"MATLAB 5.0 MAT-file, made by hand".ljust(124) + struct.pack("<H", 0x100) + b"IM"
CELL, STRUCT, CHAR, SPARSE, SINGLE = 1, 2, 4, 5, 7


def element(kind, data, length=None):
    length = len(data) if length is None else length
    return struct.pack("<II", kind, length) + data + b"\0" * (-len(data) % 8)


def matrix(kind, shape, *children, name=b"", length=None):
    start = element(6, struct.pack("<II", kind, 0)) + element(
        5, struct.pack(f"<{len(shape)}i", *shape)
    )
    return element(14, start + element(1, name) + b"".join(children), length)


def layers(kind, shape, *children, length=None):
    return HEADER + matrix(kind, shape, *children, name=b"layers", length=length)


def nested(depth):
    value = matrix(SINGLE, (1, 1), element(7, bytes(4)))
    for _ in range(depth):
        value = matrix(CELL, (1, 1), value)
    return layers(CELL, (1, 1), value)


def compressed(data):
    packed = data if data.startswith(b"x") else zlib.compress(data)
    return HEADER + element(15, packed)


def cell_bomb(gibibytes):
    """Return a compressed cell that decompresses to `gibibytes` of zeros."""
    start = layers(CELL, (1, 1))[128:]
    start = struct.pack("<II", 14, min(int(gibibytes * GIB), 2**32 - 8)) + start[8:]
    compressor = zlib.compressobj(1)
    data = compressor.compress(start) + compressor.flush(zlib.Z_FULL_FLUSH)
    return HEADER + element(15, data + deflated_zeros(gibibytes)[2:])


MATLAB = {
    f"a .mat: {label}": regular("mat", "a.mat", data)
    for label, data in {
        "an element of 4 GiB": layers(CELL, (1, 1), length=2**32 - 8),
        "numbers of 4 GiB": layers(SINGLE, (2**15, 2**15), element(7, b"", length=2**32 - 8)),
        "a negative shape": layers(SINGLE, (-3, -3), element(7, bytes(36))),
        "a shape of 2**62": layers(SINGLE, (2**31 - 1, 2**31 - 1), element(7, bytes(8))),
        "a cell of 2**62": layers(CELL, (2**31 - 1, 2**31 - 1)),
        "a cell of 2**31": layers(CELL, (1, 2**31 - 1), matrix(SINGLE, (0, 0), element(7, b""))),
        "a struct of 2**62": layers(
            STRUCT,
            (2**31 - 1, 2**31 - 1),
            element(5, struct.pack("<i", 8)),
            element(1, b"name\0\0\0\0"),
        ),
        "a million fields": layers(
            STRUCT, (1, 1), element(5, struct.pack("<i", 1)), element(1, b"n" * 10**6)
        ),
        "fields of length zero": layers(
            STRUCT, (1, 1), element(5, struct.pack("<i", 0)), element(1, b"name")
        ),
        "nested cells, 30 deep": nested(30),
        "nested cells, 3000 deep": nested(3000),
        "a text with a huge shape": layers(CHAR, (1, 2**31 - 1), element(4, b"a\0b\0")),
        "a sparse matrix": layers(
            SPARSE, (2**31 - 1, 2**31 - 1), *[element(5, struct.pack("<i", 2**31 - 1))] * 3
        ),
        "an object": layers(
            3, (1, 1), element(1, b"Evil"), element(5, b"\x08\0\0\0"), element(1, b"")
        ),
        "a function": layers(16, (1, 1), matrix(CHAR, (1, 4), element(1, b"exit"))),
        "an opaque object": HEADER
        + element(
            14, element(6, struct.pack("<II", 17, 0)) + element(1, b"layers") + element(1, b"MCOS")
        ),
        "a million empty elements": layers(CELL, (1, 10**6), element(14, b"") * 10**6),
        "version 4": struct.pack("<IIIII", 0, 2**30, 2**30, 0, 2) + b"layers\0\0" + bytes(200),
        "an invalid stream": HEADER + element(15, b"no stream"),
        "a stream in a stream": compressed(element(15, zlib.compress(bytes(100)))),
        "half a tag": HEADER + b"\x0e\0\0\0",
        "dimensions of a megabyte": layers(SINGLE, [1] * 250_000, element(7, bytes(4))),
    }.items()
} | {
    "a .mat that decompresses to 4 GiB of zeros": regular(
        "mat", "a.mat", lambda: compressed(deflated_zeros(4))
    ),
    "a .mat of 400,000 packed elements": regular(
        "mat",
        "a.mat",
        lambda: compressed(layers(CELL, (1, 400_000), element(14, b"") * 400_000)[128:]),
    ),
    "a .mat of a cell that unpacks to 4 GiB": regular("mat", "a.mat", lambda: cell_bomb(4)),
    "a .mat of a cell that unpacks to a tenth of a GiB": regular(
        "mat", "a.mat", lambda: cell_bomb(0.1)
    ),
    "a .mat with data after its end": regular(
        "mat",
        "a.mat",
        lambda: compressed(layers(CELL, (1, 1), element(14, b""))[128:] + bytes(10**6)),
    ),
    "a terabyte of .mat": sparse("mat", "a.mat", HEADER),
}


# ---------------------------------------------------------------------------- HDF5


def hdf5(change):
    """Return a Keras file modified by ``change(file, folder)``."""

    def write(folder):
        path = folder / "a.h5"
        write_keras(path, tiny_vgg(16))
        with h5py.File(path, "r+") as file:
            change(file, folder)
        return path

    return Hostile("hdf5", write)


KERNEL = "block1_conv1/block1_conv1_W_1:0"
SHAPE = (3, 3, 3, 4)


def replaced(name, **options):
    def change(file, folder):
        del file[name]
        file.create_dataset(name, **options)

    return change


def linked(make):
    def change(file, folder):
        other_path = folder / "other.h5"
        write_keras(other_path, tiny_vgg(16))
        name = "block1_conv1"
        file.move(name, "moved")
        file[name] = make(other_path)

    return change


def external(file, folder):
    (folder / "secret").write_bytes(bytes(4 * 108))
    del file[KERNEL]
    file.create_dataset(KERNEL, SHAPE, "f4", external=[(str(folder / "secret"), 0, 4 * 108)])


def virtual(file, folder):
    other_path = folder / "other.h5"
    write_keras(other_path, tiny_vgg(16))
    layout = h5py.VirtualLayout(SHAPE, "f4")
    layout[:] = h5py.VirtualSource(str(other_path), KERNEL, SHAPE)
    del file[KERNEL]
    file.create_virtual_dataset(KERNEL, layout)


def repeated_layer_name(file, folder):
    file.attrs["layer_names"] = np.array([b"block1_conv1"] * 3000)


HDF5 = {
    f"an .h5: {label}": hdf5(change)
    for label, change in {
        "a link to another file": linked(lambda other: h5py.ExternalLink(other, "block1_conv1")),
        "a link to a system file": linked(lambda other: h5py.ExternalLink("/etc/passwd", "/")),
        "an internal link": linked(lambda other: h5py.SoftLink("/moved")),
        "a cycle of links": linked(lambda other: h5py.SoftLink("/block1_conv1")),
        "numbers in another file": external,
        "a virtual dataset of another file": virtual,
        "a shape of 10**12": replaced(KERNEL, shape=(10**6, 10**6), dtype="f4", chunks=(64, 64)),
        "a shape of a hundred million": replaced(
            KERNEL, shape=(3, 3, 3, 4 * 10**6), dtype="f4", compression="gzip", fillvalue=1
        ),
        "a chunk of 2 GiB": replaced(
            KERNEL, shape=SHAPE, dtype="f4", maxshape=(None,) * 4, chunks=(3, 3, 3, 2 * 10**7)
        ),
        "an unknown filter": replaced(
            KERNEL,
            shape=SHAPE,
            dtype="f4",
            chunks=SHAPE,
            compression=32015,
            allow_unknown_filter=True,
        ),
        "texts": replaced(KERNEL, shape=SHAPE, dtype=h5py.string_dtype()),
        "references": replaced(KERNEL, shape=SHAPE, dtype=h5py.ref_dtype),
        "one number": replaced(KERNEL, data=1.0),
        "no numbers": replaced(KERNEL, data=h5py.Empty("f4")),
        "compound numbers": replaced(KERNEL, shape=SHAPE, dtype=[("a", "f4"), ("b", "f4")]),
        "a group as a dataset": lambda file, folder: (file.pop(KERNEL), file.create_group(KERNEL)),
        "a dataset as a group": lambda file, folder: (
            file.pop("block1_conv1"),
            file.create_dataset("block1_conv1", data=np.zeros(3)),
        ),
        "a number as layer names": lambda file, folder: file.attrs.__setitem__("layer_names", 3),
        "names of missing groups": lambda file, folder: file.attrs.__setitem__(
            "layer_names", [b"../../etc/passwd_conv", b"/_conv"]
        ),
    }.items()
} | {
    "an .h5: a layer name three thousand times": hdf5(repeated_layer_name),
    "a terabyte of .h5": sparse("hdf5", "a.h5", b"\x89HDF\r\n\x1a\n"),
}


# ---------------------------------------------------------------------------- NumPy


class Evil:
    """Creates a file when it is unpickled."""

    def __reduce__(self):
        return open, (CANARY, "w")


def npy(descr="'<f4'", shape="(3,)", data=b"", header=None):
    text = header or f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text.encode() + data


def npz(name, part, compression=zipfile.ZIP_STORED):
    return lambda: join_zip([(name, part() if callable(part) else part)], compression)


def zip_bomb():
    """Return a zip with a member that decompresses to 4 GiB, assembled from repeated blocks."""
    zeros = deflated_zeros(4)[2:-4]
    header = npy(shape=f"({GIB},)")
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = compressor.compress(header) + compressor.flush(zlib.Z_FULL_FLUSH) + zeros
    name, size = b"conv1/weights.npy", 2**32 - 2
    fields = struct.pack("<HHHHIIIHH", 20, 0, 8, 0, 0, len(data), size, len(name), 0)
    entry = struct.pack(
        "<HHHHHHIIIHHHHHII", 20, 20, 0, 8, 0, 0, 0, len(data), size, len(name), 0, 0, 0, 0, 0, 0
    )
    local = b"PK\3\4" + fields[:6] + struct.pack("<HH", 0, 0) + fields[8:] + name + data
    central = b"PK\1\2" + entry + name
    end = struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + b"PK\5\6" + end


def overlapping_zip(times=2000):
    """Return a zip in which many names refer to one member of a megabyte."""
    archive = join_zip([("00000.npy", npy(shape="(262144,)", data=bytes(2**20)))])
    offset = archive.index(b"PK\1\2")
    entry = bytearray(archive[offset : offset + 46])
    central = b"".join(bytes(entry) + f"{number:05d}.npy".encode() for number in range(times))
    end = struct.pack("<HHHHIIH", 0, 0, times, times, len(central), offset, 0)
    return archive[:offset] + central + b"PK\5\6" + end


ARCHIVES = {
    "a pickled object": npz(
        "conv1/weights.npy", lambda: npy("'|O'", "(1,)", pickle.dumps([Evil()], protocol=2))
    ),
    "a pickle under a name": npz("conv1/weights", lambda: pickle.dumps(Evil(), protocol=2)),
    "a header with code": npz(
        "conv1/weights.npy", npy(header=f"__import__('os').system('touch {CANARY}')")
    ),
    "a header of brackets": npz("conv1/weights.npy", npy(header="(" * 9000)),
    "a header of 60 kB": npz("conv1/weights.npy", npy(header="{" + " " * 60_000)),
    "an absurd shape": npz("conv1/weights.npy", npy(shape="(1000000000000000,)")),
    "a negative shape": npz("conv1/weights.npy", npy(shape="(-1, 5)")),
    "a shape of 64 GiB": npz("conv1/weights.npy", npy(shape="(17179869184,)")),
    "numbers of a gigabyte each": npz("conv1/weights.npy", npy("'|V1000000000'", "(4,)")),
    "a name outside the archive": npz("../../../../tmp/canary.npy", npy(data=bytes(12))),
    "an absolute name": npz("/tmp/canary.npy", npy(data=bytes(12))),
    "packed zeros": npz(
        "conv1/weights.npy",
        lambda: npy(shape=f"({2**26},)", data=bytes(2**28)),
        zipfile.ZIP_DEFLATED,
    ),
    "4 GiB of packed zeros": zip_bomb,
    "two thousand names for one megabyte": overlapping_zip,
    "sixty thousand members": lambda: join_zip([(f"{n}.npy", b"") for n in range(60_000)]),
    "no members": lambda: join_zip([]),
    "a zip signature only": b"PK\3\4" + bytes(100),
    "a bare .npy": npy(data=bytes(12)),
}
ABOUT = {"format": 1, "level": 0, "done": 3, "seconds": 1.5}


def checkpoint(losses=((1.0,),), image=None, names=("total",), **about):
    """Return a checkpoint with an invalid part."""
    arrays = {
        "loop_image": np.zeros((1, 40, 48, 3), np.float32) if image is None else image,
        "losses": np.array(losses),
        "about": np.frombuffer(json.dumps(ABOUT | {"losses": names} | about).encode(), "u1"),
    }

    def write(folder):
        np.savez(folder / "checkpoint-000003.npz", **arrays)
        return folder / "checkpoint-000003.npz"

    return Hostile("checkpoint", write)


CHECKPOINTS = {
    f"a checkpoint: {label}": file
    for label, file in {
        "a level of text": checkpoint(level="one"),
        "seconds of text": checkpoint(seconds="a"),
        "infinite seconds": checkpoint(seconds=float("inf")),
        "a level of a thousand digits": checkpoint(level=10**1000),
        "losses of text": checkpoint(losses=[["a"]]),
        "losses of NaN": checkpoint(losses=[[float("nan")]]),
        "more losses than names": checkpoint(losses=[[1.0, 2.0]]),
        "names that are lists": checkpoint(names=[[]]),
        "no losses": checkpoint(losses=[]),
        "an image of text": checkpoint(image=np.full((1, 40, 48, 3), "a")),
        "an image of complex numbers": checkpoint(image=np.zeros((1, 40, 48, 3), complex)),
        "an image of NaN": checkpoint(image=np.full((1, 40, 48, 3), np.nan, np.float32)),
        "an image of one number": checkpoint(image=np.zeros((), np.float32)),
    }.items()
}
NUMPY = {
    f"{title}: {label}": regular(kind, FILE_NAMES[kind], data)
    for kind, title in [
        ("npz", "an .npz"),
        ("vgg npz", "an .npz of VGG"),
        ("checkpoint", "a checkpoint"),
    ]
    for label, data in ARCHIVES.items()
} | {
    "a terabyte of .npz": sparse("npz", "a.npz", b"PK\3\4"),
    "a terabyte of .npz of VGG": sparse("vgg npz", "a.npz", b"PK\3\4"),
    "a terabyte of a checkpoint": sparse("checkpoint", FILE_NAMES["checkpoint"], b"PK\3\4"),
}


# ---------------------------------------------------------------------------- configs and job lists

BAD_JSON = {
    "a hundred thousand nested brackets": b"[" * 100_000,
    "a hundred thousand nested objects": b'{"a":' * 100_000,
    "a deep, closed list": b'{"style": ' + b"[" * 900 + b"]" * 900 + b"}",
    "a number of a million digits": b'{"seed": ' + b"9" * 10**6 + b"}",
    "infinity": b'{"alpha": Infinity}',
    "NaN": b'{"alpha": NaN}',
    "1e999": b'{"alpha": 1e999}',
    "bytes that are not UTF-8": b'{"content": "\xff\xfe"}',
    "UTF-16": '{"alpha": 1}'.encode("utf-16"),
    "zeros": bytes(1000),
    "a null character in a name": b'{"content": "a\\u0000b"}',
    "a list": b"[1, 2]",
    "null": b"null",
    "a text": b'"alpha"',
    "self": b'{"self": 1}',
    "an attribute": b'{"__class__": "os.system", "__init__": 1}',
    "a name of ten thousand characters": b'{"' + b"n" * 10_000 + b'": 1}',
    "a value of ten thousand characters": b'{"unit": "' + b"v" * 10_000 + b'"}',
    "a layer of ten thousand characters, twice": b'{"style_layers": ["'
    + b'", "'.join([b"v" * 10_000] * 2)
    + b'"]}',
    "eleven megabytes": b'{"content": "' + b"a" * 11_000_000 + b'"}',
    "an escape": b'{"\\u001b[2J": 1}',
    "a lone surrogate": b'{"content": "\\ud800", "style": "\\udfff"}',
}
ODD_JSON = {
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a knob twice": b'{"alpha": 1, "alpha": 2}',
    "a path outside the folder": b'{"content": "../../../etc/passwd", "style": ["/dev/zero"]}',
    "a seed of four thousand digits": b'{"seed": ' + b"9" * 4000 + b"}",
}


def settings_png(text, kind=b"iTXt"):
    """Return a result.png with the given text as its settings."""
    keyword = b"nst_tf\0" + (b"\0\0\0\0" if kind == b"iTXt" else b"")
    return valid_files.png_with((kind, keyword + text), pixels=zlib.compress(bytes(40 * 157)))


CONFIGS = {
    **{
        f"a config: {label}": regular("config", "config.json", data)
        for label, data in BAD_JSON.items()
    },
    **{
        f"a config: {label}": regular("config", "config.json", data, rejected=False)
        for label, data in ODD_JSON.items()
    },
    **{
        f"settings: {label}": regular("settings", "result.png", settings_png(data))
        for label, data in BAD_JSON.items()
    },
    **{
        f"settings: {label}": regular("settings", "result.png", settings_png(data), rejected=False)
        for label, data in ODD_JSON.items()
    },
    **{
        f"a job list: {label}": regular("job list", "jobs.json", data)
        for label, data in BAD_JSON.items()
    },
    **{
        f"a job list: a job with {label}": regular(
            "job list", "jobs.json", b'{"jobs": [' + data + b"]}", rejected=False
        )
        for label, data in ODD_JSON.items()
        if data.startswith(b"{")
    },
    "a job list: deep TOML": regular("job list", "jobs.toml", b"jobs = " + b"[" * 100_000),
    "a job list: many tables": regular("job list", "jobs.toml", b"[a." + b"a." * 50_000 + b"a]"),
    "a job list: a million jobs": regular("job list", "jobs.csv", b"alpha\n" + b"1\n" * 1_000_000),
    "a job list: a name outside the folder": regular(
        "job list", "jobs.csv", b"name,content,style\n../../up,a.jpg,b.jpg\n", rejected=False
    ),
    "a job list: a lone surrogate": regular(
        "job list",
        "jobs.json",
        b'[{"name": "\\ud800", "content": "a.jpg", "style": "b.jpg"}]',
        rejected=False,
    ),
    "a terabyte of a job list": sparse("job list", "jobs.json", b"["),
    "settings that unpack to 2 GiB": regular(
        "settings", "result.png", png((b"iTXt", b"nst_tf\0\1\0\0\0" + deflated_zeros(2)))
    ),
    "settings in another kind of text": regular(
        "settings", "result.png", settings_png(b"{", b"tEXt")
    ),
    "a terabyte of a config": sparse("config", "config.json", b"{"),
    "a terabyte of a journal": sparse("journal", "journal.json", b"{"),
    **{
        f"the run's config: {label}": regular("run config", "config.json", data)
        for label, data in {
            "an init with a lone surrogate": b'{"init": "\\ud800"}',
            "an init with a long name": b'{"init": "' + b"a" * 4000 + b'"}',
            "an init of /dev/full": b'{"init": "/dev/full"}',
        }.items()
    },
    "the run's config: self": regular("run config", "config.json", b'{"self": 1}'),
    "the run's config: an escape": regular("run config", "config.json", b'{"\\u001b[2J": 1}'),
    "the run's config: a null character": regular(
        "run config", "config.json", b'{"mask\\u0000s": 1}'
    ),
    "the run's config: /dev/zero as a mask": regular(
        "run config", "config.json", b'{"masks": ["/dev/zero"]}'
    ),
    "the run's config: a mask outside the folder": regular(
        "run config", "config.json", b'{"masks": ["not:../../../../../etc/passwd"]}'
    ),
}


# ---------------------------------------------------------------------------- run folders


def in_run(name, make, kind="report", rejected=False, max_mib=256):
    """Return a run folder with a hostile file."""

    def write(folder):
        for other, data in valid_files.run_files().items():
            (folder / other).write_bytes(data)
        (folder / name).unlink(missing_ok=True)
        make(folder / name)
        return folder / name

    return Hostile(kind, write, rejected, max_mib)


def with_content(data):
    return lambda path: path.write_bytes(data)


def journal(**knobs):
    return with_content(
        json.dumps({**json.loads(valid_files.run_files()["journal.json"]), **knobs}).encode()
    )


def terabyte_losses(path):
    with open(path, "wb") as file:
        file.write(b"iteration,total,content,style,tv,seconds\n")
        file.truncate(2**40)


FOLDERS = {
    **{
        f"a folder: {name} is {label}": in_run(name, make, rejected=name == "config.json")
        for name in ("config.json", "journal.json", "losses.csv", "000001.png", "result.png")
        for label, make in SPECIAL_FILES.items()
    },
    "a folder: report.html is a folder": in_run(
        "report.html", lambda path: path.mkdir(), "report by command", rejected=True
    ),
    "a folder: report.html is a link": in_run(
        "report.html", lambda path: path.symlink_to("/dev/full"), "report by command"
    ),
    "a folder: losses of a terabyte": in_run("losses.csv", terabyte_losses),
    "a folder: losses of nine megabytes": in_run(
        "losses.csv",
        lambda path: path.write_text(
            "iteration,total,content,style,tv,seconds\n" + "1,1,1,1,1,1\n" * 700_000
        ),
        max_mib=1024,
    ),
    "a folder: losses of empty rows": in_run(
        "losses.csv", with_content(b"iteration,total\n" + b"1\n" * 4_000_000), max_mib=1024
    ),
    "a folder: losses of a million columns": in_run(
        "losses.csv", with_content(b"a," * 10**6 + b"\n" + b"1," * 10**6), max_mib=512
    ),
    "a folder: losses of a million characters": in_run(
        "losses.csv", with_content(b"total,tv\n" + b"1" * 10**6)
    ),
    "a folder: losses of zeros": in_run("losses.csv", with_content(bytes(10**5))),
    "a folder: losses of extreme values": in_run(
        "losses.csv", with_content(b"total,content\n1e999,nan\n-1e308,1e308\n1e-320,0\n1e308,1\n")
    ),
    "a folder: finished with text": in_run(
        "journal.json", journal(finished={"seconds": "a", "gibibytes": [1], "iterations": {}})
    ),
    "a folder: finished with infinities": in_run(
        "journal.json", journal(finished={"seconds": 10**400, "gibibytes": float("nan")})
    ),
    "a folder: finished with a list": in_run("journal.json", journal(finished=[1], versions=[2])),
    "a folder: versions of any type": in_run(
        "journal.json", journal(versions={"a": [1], "b": {"c": None}}, model=["x"])
    ),
    "a folder: HTML tags in names": in_run(
        "journal.json", journal(model="<script>alert(1)</script>", versions={"<b>": "</pre>"})
    ),
    **{
        f"a journal: {label}": in_run("journal.json", with_content(data), "journal", rejected=True)
        for label, data in BAD_JSON.items()
    },
}

SPECIAL = {
    f"{kind}: {label}": special(kind, name, make)
    for kind, name in FILE_NAMES.items()
    for label, make in SPECIAL_FILES.items()
}
ALL = PICTURES | MATLAB | HDF5 | NUMPY | CHECKPOINTS | CONFIGS | FOLDERS | SPECIAL
SLOW = (  # several seconds each
    *("losses of empty rows", "losses of nine megabytes", "sixty thousand members"),
    *("a folder: 000001.png is", "a folder: result.png is", "a folder: config.json is"),
)
HOSTILE = {name: file for name, file in ALL.items() if not any(slow in name for slow in SLOW)}
LARGE |= {name: file for name, file in ALL.items() if name not in HOSTILE}
