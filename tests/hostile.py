"""Files that someone made to do harm: bombs, absurd sizes, links, pickles, pipes.

Each is a line in `HOSTILE`: name -> how it is written. All must be refused, in little memory,
unless `refused` is False: then a right result will do as well.
"""

import json
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import goodfiles
import h5py
import numpy as np
from damage import zip_of
from matfiles import tiny_vgg, write_keras

CANARY = "canary"  # a file that appears where something in a file was run
GIB = 2**30


@dataclass(frozen=True)
class Hostile:
    """A hostile file: its kind in `fuzzing.KINDS`, how it is written, what is allowed of it.

    `write` gets the folder and returns the path; `most` is in MiB.
    """

    kind: str
    write: Callable
    refused: bool = True
    most: int = 256


def one(kind, name, data, **how):
    """Return a hostile file of some bytes, or of what a function without arguments makes."""

    def write(folder):
        path = folder / name
        path.write_bytes(data() if callable(data) else data)
        return path

    return Hostile(kind, write, **how)


def sparse(kind, name, start, **how):
    """Return a file that claims a terabyte and takes none of it on the disk."""

    def write(folder):
        with open(folder / name, "wb") as file:
            file.write(start)
            file.truncate(2**40)
        return folder / name

    return Hostile(kind, write, **how)


def special(kind, name, make, **how):
    """Return what is no file at all."""

    def write(folder):
        make(folder / name)
        return folder / name

    return Hostile(kind, write, **how)


def link_to(target):
    return lambda path: path.symlink_to(target)


NO_FILES = {
    "a pipe": os.mkfifo,
    "a folder": lambda path: path.mkdir(),
    "a link to zeros without end": lambda path: path.symlink_to("/dev/zero"),
    "a link to a full disk": lambda path: path.symlink_to("/dev/full"),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a ring of links": lambda path: path.symlink_to(path.name),
    "an empty file": lambda path: path.write_bytes(b""),
}
NAMES = {  # kind -> the name under which nothing of the kind may lie
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
    """Return a zlib stream of so many GiB of zeros: a block of 1 MiB, again and again."""
    packing = zlib.compressobj(9)
    block = packing.compress(bytes(2**20)) + packing.flush(zlib.Z_FULL_FLUSH)
    return block + block[2:] * int(1024 * gibibytes - 1) + b"\x03\0" + struct.pack(">I", 1)


def png(*chunks, **how):
    return lambda: goodfiles.png_with(*chunks, **how)


def patched(name, old, new, times=1):
    """Return one of the good pictures with some bytes replaced."""

    def data():
        whole = goodfiles.pictures()[name]
        assert old in whole, name
        return whole.replace(old, new, times)

    return data


def png_of_zeros(side, color, bits=8):
    """Return a PNG that is as large as it may be, and black."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    rows = side * (side * channels * bits // 8 + 1)
    palette = [(b"PLTE", bytes(range(6)))] * (color == 3)
    packing = zlib.compressobj(1)
    pixels = b"".join(packing.compress(bytes(2**20)) for _ in range(rows >> 20))
    pixels += packing.compress(bytes(rows & 0xFFFFF)) + packing.flush()
    return goodfiles.png_with(*palette, size=(side, side), bits=bits, color=color, pixels=pixels)


def many_scans(name="progressive.jpg", times=3000):
    """Return a JPEG whose last scan comes thousands of times."""
    whole = goodfiles.pictures()[name]
    scan = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + scan * times + whole[-2:]


def icon(inner, side=(48, 40)):
    """Return an .ico that holds a PNG."""
    width, height = side
    entry = struct.pack("<BBBBHHII", width, height, 0, 0, 1, 32, len(inner), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + inner


def tiff(**tags):
    """Return a TIFF of one directory: number of a tag -> (type, count, value)."""
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
PROGRAM = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 52 40\n%%EndComments\n"
PICTURES = {
    **{
        f"a PNG that claims {width}x{height}": one("picture", "a.png", png(size=(width, height)))
        for width, height in [(10**5, 10**5), (2**31 - 1, 2**31 - 1), (2**32 - 1, 1), (0, 0)]
    },
    "a PNG that claims what is allowed, and has none of it": one(
        "picture", "a.png", png(size=(13_377, 13_377)), most=1024
    ),
    "a PNG whose pixels unpack to 4 GiB": one(
        "picture", "a.png", png(pixels=deflated_zeros(4)), refused=False
    ),
    **{
        f"a {kind.decode()} that unpacks to 2 GiB": one(
            "picture", "a.png", png((kind, start + deflated_zeros(2))), refused=False
        )
        for kind, start in [
            (b"zTXt", TEXT),
            (b"iTXt", b"nst_tf\0\1\0\0\0"),
            (b"iCCP", b"profile\0\0"),
        ]
    },
    "a thousand texts of a megabyte": one(
        "picture", "a.png", png(*[(b"zTXt", TEXT + zlib.compress(bytes(10**6)))] * 1000)
    ),
    "a hundred thousand chunks": one("picture", "a.png", png(*[(b"tEXt", b"a\0b")] * 10**5)),
    "an animation of four thousand million frames": one(
        "picture", "a.png", png((b"acTL", b"\xff" * 8)), refused=False
    ),
    **{
        f"Exif of {words}": one(
            "picture",
            "a.png",
            png((b"eXIf", data), pixels=zlib.compress(bytes(40 * 157))),
            refused=False,
        )
        for words, data in [
            ("noise", b"II*\0\x08\0\0\0" + bytes(range(255)) * 9),
            ("an absurd count", b"II*\0\x08\0\0\0\1\0\x12\1\3\0\xff\xff\xff\xff\6\0\0\0"),
            ("a ring", b"II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\x08\0\0\0"),
        ]
    },
    "a profile of noise": one(
        "picture",
        "a.png",
        png(
            (b"iCCP", b"profile\0\0" + zlib.compress(bytes(range(256)) * 40)),
            pixels=zlib.compress(bytes(40 * 157)),
        ),
        refused=False,
    ),
    "a GIF of 65535x65535": one(
        "picture", "a.gif", patched("one.gif", struct.pack("<HH", 52, 40), b"\xff" * 4)
    ),
    "a GIF whose frame is larger than its screen": one(
        "picture",
        "a.gif",
        b"GIF89a" + struct.pack("<HH", 52, 40) + b"\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\2\1\0;",
    ),
    "a JPEG of 65500x65500": one(
        "picture",
        "a.jpg",
        patched("progressive.jpg", struct.pack(">HH", 40, 52), struct.pack(">HH", 65500, 65500)),
    ),
    "a JPEG of three thousand scans": one("picture", "a.jpg", many_scans),
    "a large JPEG of a hundred scans": one(
        "picture",
        "a.jpg",
        lambda: many_scans(times=85).replace(
            struct.pack(">HH", 40, 52), struct.pack(">HH", 4000, 4000), 1
        ),
        refused=False,
        most=512,
    ),
    "a WebP of 65535x65535": one("picture", "a.webp", webp_canvas(65535, 65535)),
    "a WebP of 16383x16383": one("picture", "a.webp", webp_canvas(16383, 16383), most=1024),
    "a BMP of 2147483647x2147483647": one("picture", "a.bmp", bmp(2**31 - 1, 2**31 - 1)),
    "a BMP of 13000x-13000": one("picture", "a.bmp", bmp(13000, -13000), most=1024),
    "a TIFF of 4294967295x4294967295": one(
        "picture",
        "a.tif",
        tiff(_256=(LONG, 1, 2**32 - 1), _257=(LONG, 1, 2**32 - 1), _273=(LONG, 1, 8)),
    ),
    "a TIFF with a tile of 65535x65535": one(
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
    "a TIFF of four thousand million strips": one(
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
    "a TIFF whose directory follows itself": one(
        "picture", "a.tif", b"II*\0\x08\0\0\0\0\0\x08\0\0\0" + b"\0" * 20
    ),
    "an icon that holds 30000x30000": one(
        "picture", "a.ico", lambda: icon(goodfiles.png_with(size=(30000, 30000)))
    ),
    "an icon that holds less than it claims": one(
        "picture",
        "a.ico",
        lambda: icon(goodfiles.png_with(size=(5, 5), pixels=zlib.compress(bytes(5 * 16)))),
    ),
    "a program in PostScript": one(
        "picture",
        "a.png",
        PROGRAM + b"(canary) (w) file closefile showpage\n%%EOF\n",
    ),
    "a program in PostScript that never ends": one(
        "picture", "a.eps", PROGRAM + b"{} loop\n%%EOF\n"
    ),
    "a picture with a long name": Hostile("picture", lambda folder: folder / ("a" * 4000)),
    "a terabyte of WebP": sparse("picture", "a.webp", b"RIFF\xf0\xff\xff\xffWEBPVP8X"),
    "a terabyte of PNG": sparse("picture", "a.png", goodfiles.png_with()[:33]),
    "a terabyte of JPEG": sparse("picture", "a.jpg", b"\xff\xd8\xff\xe0"),
    "the memory of this process": special("picture", "a.png", link_to("/proc/self/mem")),
    "a file of the system": special("picture", "a.png", link_to("/proc/self/smaps")),
}
LARGE = {  # as large as is allowed, gibibytes of memory: for the long test alone
    f"black, as large as is allowed, {words}": one(
        "picture", "a.png", lambda how=how: png_of_zeros(13_377, *how), refused=False, most=3072
    )
    for words, how in {
        "grey": (0,),
        "16-bit grey": (0, 16),
        "colour": (2,),
        "palette": (3,),
        "grey with alpha": (4,),
        "colour with alpha": (6,),
        "16-bit colour with alpha": (6, 16),
    }.items()
}


# ---------------------------------------------------------------------------- MATLAB

HEADER = b"MATLAB 5.0 MAT-file, made by hand".ljust(124) + struct.pack("<H", 0x100) + b"IM"
CELL, STRUCT, CHAR, SPARSE, SINGLE = 1, 2, 4, 5, 7


def element(kind, data, claims=None):
    length = len(data) if claims is None else claims
    return struct.pack("<II", kind, length) + data + b"\0" * (-len(data) % 8)


def matrix(kind, shape, *inside, name=b"", claims=None):
    start = element(6, struct.pack("<II", kind, 0)) + element(
        5, struct.pack(f"<{len(shape)}i", *shape)
    )
    return element(14, start + element(1, name) + b"".join(inside), claims)


def layers(kind, shape, *inside, **how):
    return HEADER + matrix(kind, shape, *inside, name=b"layers", **how)


def nested(depth):
    value = matrix(SINGLE, (1, 1), element(7, bytes(4)))
    for _ in range(depth):
        value = matrix(CELL, (1, 1), value)
    return layers(CELL, (1, 1), value)


def compressed(data):
    packed = data if data.startswith(b"x") else zlib.compress(data)
    return HEADER + element(15, packed)


def claiming(gibibytes):
    """Return a compressed cell whose numbers unpack to so many GiB of zeros."""
    start = layers(CELL, (1, 1))[128:]
    start = struct.pack("<II", 14, min(int(gibibytes * GIB), 2**32 - 8)) + start[8:]
    packing = zlib.compressobj(1)
    data = packing.compress(start) + packing.flush(zlib.Z_FULL_FLUSH)
    return HEADER + element(15, data + deflated_zeros(gibibytes)[2:])


MATLAB = {
    f"a .mat: {words}": one("mat", "a.mat", data)
    for words, data in {
        "an element of 4 GiB": layers(CELL, (1, 1), claims=2**32 - 8),
        "numbers of 4 GiB": layers(SINGLE, (2**15, 2**15), element(7, b"", claims=2**32 - 8)),
        "a negative shape": layers(SINGLE, (-3, -3), element(7, bytes(36))),
        "a shape that is no product": layers(SINGLE, (2**31 - 1, 2**31 - 1), element(7, bytes(8))),
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
        "fields of no length": layers(
            STRUCT, (1, 1), element(5, struct.pack("<i", 0)), element(1, b"name")
        ),
        "cells in cells, 30 deep": nested(30),
        "cells in cells, 3000 deep": nested(3000),
        "a text of a shape": layers(CHAR, (1, 2**31 - 1), element(4, b"a\0b\0")),
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
        "a stream that is none": HEADER + element(15, b"no stream"),
        "a stream in a stream": compressed(element(15, zlib.compress(bytes(100)))),
        "half a tag": HEADER + b"\x0e\0\0\0",
        "dimensions of a megabyte": layers(SINGLE, [1] * 250_000, element(7, bytes(4))),
    }.items()
} | {
    "a .mat that unpacks to zeros without end": one(
        "mat", "a.mat", lambda: compressed(deflated_zeros(4))
    ),
    "a .mat of 400,000 packed elements": one(
        "mat",
        "a.mat",
        lambda: compressed(layers(CELL, (1, 400_000), element(14, b"") * 400_000)[128:]),
    ),
    "a .mat of a cell that unpacks to 4 GiB": one("mat", "a.mat", lambda: claiming(4)),
    "a .mat of a cell that unpacks to a tenth": one("mat", "a.mat", lambda: claiming(0.1)),
    "a .mat that goes on after its end": one(
        "mat",
        "a.mat",
        lambda: compressed(layers(CELL, (1, 1), element(14, b""))[128:] + bytes(10**6)),
    ),
    "a terabyte of .mat": sparse("mat", "a.mat", HEADER),
}


# ---------------------------------------------------------------------------- HDF5


def hdf5(change, **how):
    """Return Keras' file after a change by a function of it and of its folder."""

    def write(folder):
        path = folder / "a.h5"
        write_keras(path, tiny_vgg(16))
        with h5py.File(path, "r+") as file:
            change(file, folder)
        return path

    return Hostile("hdf5", write, **how)


KERNEL = "block1_conv1/block1_conv1_W_1:0"
SHAPE = (3, 3, 3, 4)


def replaced(name, **how):
    def change(file, folder):
        del file[name]
        file.create_dataset(name, **how)

    return change


def linked(make):
    def change(file, folder):
        other = folder / "other.h5"
        write_keras(other, tiny_vgg(16))
        name = "block1_conv1"
        file.move(name, "moved")
        file[name] = make(other)

    return change


def external(file, folder):
    (folder / "secret").write_bytes(bytes(4 * 108))
    del file[KERNEL]
    file.create_dataset(KERNEL, SHAPE, "f4", external=[(str(folder / "secret"), 0, 4 * 108)])


def virtual(file, folder):
    other = folder / "other.h5"
    write_keras(other, tiny_vgg(16))
    layout = h5py.VirtualLayout(SHAPE, "f4")
    layout[:] = h5py.VirtualSource(str(other), KERNEL, SHAPE)
    del file[KERNEL]
    file.create_virtual_dataset(KERNEL, layout)


def many_names(file, folder):
    file.attrs["layer_names"] = np.array([b"block1_conv1"] * 3000)


HDF5 = {
    f"an .h5: {words}": hdf5(change)
    for words, change in {
        "a link to another file": linked(lambda other: h5py.ExternalLink(other, "block1_conv1")),
        "a link to a system's file": linked(lambda other: h5py.ExternalLink("/etc/passwd", "/")),
        "a link within": linked(lambda other: h5py.SoftLink("/moved")),
        "a ring of links": linked(lambda other: h5py.SoftLink("/block1_conv1")),
        "numbers in another file": external,
        "numbers that another file lends": virtual,
        "a shape of 10**12": replaced(KERNEL, shape=(10**6, 10**6), dtype="f4", chunks=(64, 64)),
        "a shape of a hundred million": replaced(
            KERNEL, shape=(3, 3, 3, 4 * 10**6), dtype="f4", compression="gzip", fillvalue=1
        ),
        "a chunk of 2 GiB": replaced(
            KERNEL, shape=SHAPE, dtype="f4", maxshape=(None,) * 4, chunks=(3, 3, 3, 2 * 10**7)
        ),
        "a plug-in": replaced(
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
        "a group for a kernel": lambda file, folder: (file.pop(KERNEL), file.create_group(KERNEL)),
        "a kernel for a group": lambda file, folder: (
            file.pop("block1_conv1"),
            file.create_dataset("block1_conv1", data=np.zeros(3)),
        ),
        "a number for names": lambda file, folder: file.attrs.__setitem__("layer_names", 3),
        "names of what is not there": lambda file, folder: file.attrs.__setitem__(
            "layer_names", [b"../../etc/passwd_conv", b"/_conv"]
        ),
    }.items()
} | {
    "an .h5: three thousand names of a layer": hdf5(many_names),
    "a terabyte of .h5": sparse("hdf5", "a.h5", b"\x89HDF\r\n\x1a\n"),
}


# ---------------------------------------------------------------------------- NumPy


class Evil:
    """Makes a file when it is unpickled."""

    def __reduce__(self):
        return open, (CANARY, "w")


def npy(descr="'<f4'", shape="(3,)", data=b"", header=None):
    text = header or f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text.encode() + data


def npz(name, part, how=zipfile.ZIP_STORED):
    return lambda: zip_of([(name, part() if callable(part) else part)], how)


def zeros_member():
    """Return a zip whose member unpacks to 4 GiB, made without packing them."""
    raw = deflated_zeros(4)[2:-4]
    head = npy(shape=f"({GIB},)")
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packing.compress(head) + packing.flush(zlib.Z_FULL_FLUSH) + raw
    name, size = b"conv1/weights.npy", 2**32 - 2
    middle = struct.pack("<HHHHIIIHH", 20, 0, 8, 0, 0, len(data), size, len(name), 0)
    entry = struct.pack(
        "<HHHHHHIIIHHHHHII", 20, 20, 0, 8, 0, 0, 0, len(data), size, len(name), 0, 0, 0, 0, 0, 0
    )
    local = b"PK\3\4" + middle[:6] + struct.pack("<HH", 0, 0) + middle[8:] + name + data
    central = b"PK\1\2" + entry + name
    end = struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + b"PK\5\6" + end


def overlapping(times=2000):
    """Return a zip of many names for one member of a megabyte."""
    big = zip_of([("00000.npy", npy(shape="(262144,)", data=bytes(2**20)))])
    where = big.index(b"PK\1\2")
    entry = bytearray(big[where : where + 46])
    central = b"".join(bytes(entry) + f"{number:05d}.npy".encode() for number in range(times))
    end = struct.pack("<HHHHIIH", 0, 0, times, times, len(central), where, 0)
    return big[:where] + central + b"PK\5\6" + end


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
    "a name outside": npz("../../../../tmp/canary.npy", npy(data=bytes(12))),
    "a name from the root": npz("/tmp/canary.npy", npy(data=bytes(12))),
    "packed zeros": npz(
        "conv1/weights.npy",
        lambda: npy(shape=f"({2**26},)", data=bytes(2**28)),
        zipfile.ZIP_DEFLATED,
    ),
    "4 GiB of packed zeros": zeros_member,
    "two thousand names for one megabyte": overlapping,
    "sixty thousand members": lambda: zip_of([(f"{n}.npy", b"") for n in range(60_000)]),
    "no members": lambda: zip_of([]),
    "a zip and nothing else": b"PK\3\4" + bytes(100),
    "an array alone": npy(data=bytes(12)),
}
ABOUT = {"format": 1, "level": 0, "done": 3, "seconds": 1.5}


def checkpoint(losses=((1.0,),), image=None, names=("total",), **about):
    """Return a checkpoint with something in it that is none."""
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
    f"a checkpoint: {words}": each
    for words, each in {
        "a level of text": checkpoint(level="one"),
        "seconds of text": checkpoint(seconds="a"),
        "seconds without end": checkpoint(seconds=float("inf")),
        "a level of a thousand digits": checkpoint(level=10**1000),
        "losses of text": checkpoint(losses=[["a"]]),
        "losses that are no numbers": checkpoint(losses=[[float("nan")]]),
        "more losses than names": checkpoint(losses=[[1.0, 2.0]]),
        "names that are lists": checkpoint(names=[[]]),
        "no losses": checkpoint(losses=[]),
        "an image of text": checkpoint(image=np.full((1, 40, 48, 3), "a")),
        "an image of complex numbers": checkpoint(image=np.zeros((1, 40, 48, 3), complex)),
        "an image that is no number": checkpoint(image=np.full((1, 40, 48, 3), np.nan, np.float32)),
        "an image of one number": checkpoint(image=np.zeros((), np.float32)),
    }.items()
}
NUMPY = {
    f"{where}: {words}": one(kind, NAMES[kind], data)
    for kind, where in [
        ("npz", "an .npz"),
        ("vgg npz", "an .npz of VGG"),
        ("checkpoint", "a checkpoint"),
    ]
    for words, data in ARCHIVES.items()
} | {
    "a terabyte of .npz": sparse("npz", "a.npz", b"PK\3\4"),
    "a terabyte of .npz of VGG": sparse("vgg npz", "a.npz", b"PK\3\4"),
    "a terabyte of a checkpoint": sparse("checkpoint", NAMES["checkpoint"], b"PK\3\4"),
}


# ---------------------------------------------------------------------------- texts

TEXTS = {
    "brackets, a hundred thousand deep": b"[" * 100_000,
    "objects, a hundred thousand deep": b'{"a":' * 100_000,
    "a list, deep and closed": b'{"style": ' + b"[" * 900 + b"]" * 900 + b"}",
    "a number of a million digits": b'{"seed": ' + b"9" * 10**6 + b"}",
    "infinity": b'{"alpha": Infinity}',
    "no number": b'{"alpha": NaN}',
    "1e999": b'{"alpha": 1e999}',
    "bytes that are no UTF-8": b'{"content": "\xff\xfe"}',
    "UTF-16": '{"alpha": 1}'.encode("utf-16"),
    "zeros": bytes(1000),
    "a zero in a name": b'{"content": "a\\u0000b"}',
    "a list": b"[1, 2]",
    "null": b"null",
    "a text": b'"alpha"',
    "self": b'{"self": 1}',
    "an attribute": b'{"__class__": "os.system", "__init__": 1}',
    "a name of ten thousand letters": b'{"' + b"n" * 10_000 + b'": 1}',
    "a value of ten thousand letters": b'{"unit": "' + b"v" * 10_000 + b'"}',
    "a layer of ten thousand letters, twice": b'{"style_layers": ["'
    + b'", "'.join([b"v" * 10_000] * 2)
    + b'"]}',
    "eleven megabytes": b'{"content": "' + b"a" * 11_000_000 + b'"}',
    "an escape": b'{"\\u001b[2J": 1}',
    "half a letter": b'{"content": "\\ud800", "style": "\\udfff"}',
}
HARMLESS = {
    "a mark before it": b"\xef\xbb\xbf{}",
    "a knob twice": b'{"alpha": 1, "alpha": 2}',
    "a path outside": b'{"content": "../../../etc/passwd", "style": ["/dev/zero"]}',
    "a seed of four thousand digits": b'{"seed": ' + b"9" * 4000 + b"}",
}


def note(text, kind=b"iTXt"):
    """Return a result.png with a text for its settings."""
    head = b"nst_tf\0" + (b"\0\0\0\0" if kind == b"iTXt" else b"")
    return goodfiles.png_with((kind, head + text), pixels=zlib.compress(bytes(40 * 157)))


CONFIGS = {
    **{f"a config: {words}": one("config", "config.json", data) for words, data in TEXTS.items()},
    **{
        f"a config: {words}": one("config", "config.json", data, refused=False)
        for words, data in HARMLESS.items()
    },
    **{
        f"settings: {words}": one("settings", "result.png", note(data))
        for words, data in TEXTS.items()
    },
    **{
        f"settings: {words}": one("settings", "result.png", note(data), refused=False)
        for words, data in HARMLESS.items()
    },
    **{f"a job list: {words}": one("job list", "jobs.json", data) for words, data in TEXTS.items()},
    **{
        f"a job list: a job of {words}": one(
            "job list", "jobs.json", b'{"jobs": [' + data + b"]}", refused=False
        )
        for words, data in HARMLESS.items()
        if data.startswith(b"{")
    },
    "a job list: deep TOML": one("job list", "jobs.toml", b"jobs = " + b"[" * 100_000),
    "a job list: many tables": one("job list", "jobs.toml", b"[a." + b"a." * 50_000 + b"a]"),
    "a job list: a million jobs": one("job list", "jobs.csv", b"alpha\n" + b"1\n" * 1_000_000),
    "a job list: a name outside": one(
        "job list", "jobs.csv", b"name,content,style\n../../up,a.jpg,b.jpg\n", refused=False
    ),
    "a job list: half a letter": one(
        "job list",
        "jobs.json",
        b'[{"name": "\\ud800", "content": "a.jpg", "style": "b.jpg"}]',
        refused=False,
    ),
    "a terabyte of a job list": sparse("job list", "jobs.json", b"["),
    "settings that unpack to 2 GiB": one(
        "settings", "result.png", png((b"iTXt", b"nst_tf\0\1\0\0\0" + deflated_zeros(2)))
    ),
    "settings in another kind of text": one("settings", "result.png", note(b"{", b"tEXt")),
    "a terabyte of a config": sparse("config", "config.json", b"{"),
    "a terabyte of a journal": sparse("journal", "journal.json", b"{"),
    **{
        f"the run's config: {words}": one("run config", "config.json", data)
        for words, data in {
            "a start of half a letter": b'{"init": "\\ud800"}',
            "a start with a long name": b'{"init": "' + b"a" * 4000 + b'"}',
            "weights with a long name": b'{"init": "/dev/full"}',
        }.items()
    },
    "the run's config: self": one("run config", "config.json", b'{"self": 1}'),
    "the run's config: an escape": one("run config", "config.json", b'{"\\u001b[2J": 1}'),
    "the run's config: a zero": one("run config", "config.json", b'{"mask\\u0000s": 1}'),
    "the run's config: /dev/zero as a mask": one(
        "run config", "config.json", b'{"masks": ["/dev/zero"]}'
    ),
    "the run's config: a mask outside": one(
        "run config", "config.json", b'{"masks": ["not:../../../../../etc/passwd"]}'
    ),
}


# ---------------------------------------------------------------------------- a run's folder


def in_run(name, make, kind="report", refused=False, most=256):
    """Return a run's folder with something hostile under a name."""

    def write(folder):
        for other, data in goodfiles.run_folder().items():
            (folder / other).write_bytes(data)
        (folder / name).unlink(missing_ok=True)
        make(folder / name)
        return folder / name

    return Hostile(kind, write, refused, most)


def holding(data):
    return lambda path: path.write_bytes(data)


def journal(**knobs):
    return holding(
        json.dumps({**json.loads(goodfiles.run_folder()["journal.json"]), **knobs}).encode()
    )


def terabyte(path):
    with open(path, "wb") as file:
        file.write(b"iteration,total,content,style,tv,seconds\n")
        file.truncate(2**40)


FOLDERS = {
    **{
        f"a folder: {name} is {words}": in_run(name, make, refused=name == "config.json")
        for name in ("config.json", "journal.json", "losses.csv", "000001.png", "result.png")
        for words, make in NO_FILES.items()
    },
    "a folder: report.html is a folder": in_run(
        "report.html", lambda path: path.mkdir(), "report by command", refused=True
    ),
    "a folder: report.html is a link": in_run(
        "report.html", lambda path: path.symlink_to("/dev/full"), "report by command"
    ),
    "a folder: losses of a terabyte": in_run("losses.csv", terabyte),
    "a folder: losses of nine megabytes": in_run(
        "losses.csv",
        lambda path: path.write_text(
            "iteration,total,content,style,tv,seconds\n" + "1,1,1,1,1,1\n" * 700_000
        ),
        most=1024,
    ),
    "a folder: losses of empty rows": in_run(
        "losses.csv", holding(b"iteration,total\n" + b"1\n" * 4_000_000), most=1024
    ),
    "a folder: losses of a million columns": in_run(
        "losses.csv", holding(b"a," * 10**6 + b"\n" + b"1," * 10**6), most=512
    ),
    "a folder: losses of a million letters": in_run(
        "losses.csv", holding(b"total,tv\n" + b"1" * 10**6)
    ),
    "a folder: losses of zeros": in_run("losses.csv", holding(bytes(10**5))),
    "a folder: losses beyond all bounds": in_run(
        "losses.csv", holding(b"total,content\n1e999,nan\n-1e308,1e308\n1e-320,0\n1e308,1\n")
    ),
    "a folder: ended in words": in_run(
        "journal.json", journal(finished={"seconds": "a", "gibibytes": [1], "iterations": {}})
    ),
    "a folder: ended never": in_run(
        "journal.json", journal(finished={"seconds": 10**400, "gibibytes": float("nan")})
    ),
    "a folder: ended in a list": in_run("journal.json", journal(finished=[1], versions=[2])),
    "a folder: versions of anything": in_run(
        "journal.json", journal(versions={"a": [1], "b": {"c": None}}, model=["x"])
    ),
    "a folder: a tag for a name": in_run(
        "journal.json", journal(model="<script>alert(1)</script>", versions={"<b>": "</pre>"})
    ),
    **{
        f"a journal: {words}": in_run("journal.json", holding(data), "journal", refused=True)
        for words, data in TEXTS.items()
    },
}

NOTHING = {
    f"{kind}: {words}": special(kind, name, make)
    for kind, name in NAMES.items()
    for words, make in NO_FILES.items()
}
ALL = PICTURES | MATLAB | HDF5 | NUMPY | CHECKPOINTS | CONFIGS | FOLDERS | NOTHING
SLOW = (  # seconds each
    *("losses of empty rows", "losses of nine megabytes", "sixty thousand members"),
    *("a folder: 000001.png is", "a folder: result.png is", "a folder: config.json is"),
)
HOSTILE = {name: each for name, each in ALL.items() if not any(slow in name for slow in SLOW)}
LARGE |= {name: each for name, each in ALL.items() if name not in HOSTILE}
