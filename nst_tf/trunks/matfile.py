"""Reads MATLAB v5 and v7 files, as far as a network needs it, and believes nothing in them.

SciPy's reader, which is C, does what a file's numbers say: one bit turned over ends the process,
and a few kB may unpack to gigabytes. This one looks at every claim first ("MAT-File Format",
The MathWorks, version 5): an element is a tag of 8 bytes, kind and length, and so many bytes;
kind 14 is a matrix, which holds other elements; kind 15 is a compressed one.
"""

import math
import struct
import zlib

import numpy as np

MOST_BYTES = 2**30  # of what is looked through, unpacked; VGG-19 has 575 MB
MOST_ELEMENTS = 500_000  # VGG-19 has about 15,000
MOST_NUMBERS = 2**26  # that are kept; VGG-19 has 20 million in its convolutions
LARGEST = 2**23  # numbers of an array that is kept: fully connected layers are passed over
MOST_TEXT = 2**16  # bytes of a text, of the names of fields, of dimensions
DEEPEST = 20  # matrices in matrices; VGG-19 has 4
CHUNK = 2**18

MATRIX, COMPRESSED = 14, 15
CELL, STRUCT, CHAR, FIRST_NUMERIC, LAST_NUMERIC = 1, 2, 4, 6, 15  # classes of a matrix
INTEGERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 12: "i8", 13: "u8"}
NUMBERS = {**INTEGERS, 7: "f4", 9: "f8"}
TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}


def read_matlab(path, wanted):
    """Read variables of a MATLAB v5 or v7 file.

    Parameters
    ----------
    path : Path
    wanted : collection of str
        The names of the variables to read.

    Returns
    -------
    dict
        By name: an array of numbers; an array of one text; an array of objects for a cell; the
        same of dicts for a struct; None for what is of another kind, or over `LARGEST`. What is
        not wanted is None, too.

    Raises
    ------
    ValueError, struct.error, zlib.error
        It is damaged, cut off, or claims more than a file of weights has.
    """
    found, size, budget = {}, path.stat().st_size, _Budget()
    if size < 136:
        raise ValueError("it is cut off")
    with open(path, "rb") as file:
        order = ">" if file.read(128)[126:] == b"MI" else "<"
        place = 128
        while place + 8 <= size:
            file.seek(place)
            kind, length = struct.unpack(f"{order}II", file.read(8))
            if length > size - place - 8:
                raise ValueError(f"an element claims {length:,} bytes, more than are left")
            if kind == COMPRESSED:
                element = _Reader(_Inflated(file, length), order, budget)
            else:
                file.seek(place)
                element = _Reader(_Plain(file), order, budget)
            name, found[name] = element.variable(wanted)
            element.stream.finish()
            place += 8 + length
    return found


class _Budget:
    """What a file may still claim."""

    def __init__(self):
        self.left = {"bytes": MOST_BYTES, "elements": MOST_ELEMENTS, "numbers": MOST_NUMBERS}

    def spend(self, what, number):
        self.left[what] -= number
        if self.left[what] < 0:
            raise ValueError(f"it claims more {what} than any file of weights has")


class _Reader:
    """Reads one element of a file, which may hold others."""

    def __init__(self, stream, order, budget):
        self.stream, self.order, self.budget = stream, order, budget

    def variable(self, wanted):
        """Return the name and the value of a variable, which is None if it is not wanted."""
        kind, length, _ = self.tag()
        self.budget.spend("bytes", length)
        if kind != MATRIX:
            return "", None
        return self.matrix(length, 1, wanted)

    def tag(self):
        """Return an element's kind and length; and its data, where they lie in the tag."""
        self.budget.spend("elements", 1)
        tag = self.stream.read(8)
        kind, length = struct.unpack(f"{self.order}II", tag)
        if kind >> 16:
            kind, length = kind & 0xFFFF, kind >> 16
            return kind, length, tag[4 : 4 + min(length, 4)]
        return kind, length, None

    def matrix(self, length, depth, wanted=None):
        """Return the name and the value of a matrix of so many bytes."""
        if length == 0:
            return "", None
        if depth > DEEPEST:
            raise ValueError(f"its matrices lie in one another more than {DEEPEST} deep")
        inside = _Inside(self, length)
        flags = inside.numbers()
        shape = tuple(map(int, inside.numbers()))
        name = inside.text()
        if min(shape, default=0) < 0 or not len(flags):
            raise ValueError(f"a matrix claims the shape {shape}")
        value = None
        if wanted is None or name in wanted:
            value = self._value(int(flags[0]) & 0xFF, shape, inside, depth)
        self.stream.skip(inside.left)  # imaginary parts, and what is of other kinds
        return name, value

    def _value(self, kind, shape, inside, depth):
        if FIRST_NUMERIC <= kind <= LAST_NUMERIC:
            return inside.array(shape)
        if kind == CHAR:
            return np.array([inside.text()])
        if kind == CELL:
            return _objects([inside.matrix(depth) for _ in range(inside.count(shape))])
        if kind == STRUCT:
            fields = inside.fields()
            count = inside.count(shape, len(fields)) if fields else 0
            structs = ({field: inside.matrix(depth) for field in fields} for _ in range(count))
            return _objects(list(structs))
        return None


class _Inside:
    """The elements in a matrix: each must end within it."""

    def __init__(self, reader, length):
        self.reader, self.left = reader, length

    def numbers(self):
        """Return a short row of whole numbers: flags, dimensions, a length."""
        kind, data = self._small()
        if kind not in INTEGERS:
            raise ValueError(f"an element of kind {kind} where whole numbers were expected")
        return np.frombuffer(data, self.reader.order + INTEGERS[kind])

    def text(self):
        """Return a text."""
        kind, data = self._small()
        if kind not in TEXTS:
            raise ValueError(f"an element of kind {kind} where a text was expected")
        coding = TEXTS[kind]
        if coding in ("utf-16", "utf-32"):
            coding += "-le" if self.reader.order == "<" else "-be"
        return data.decode(coding, errors="replace")

    def fields(self):
        """Return the names of a struct's fields."""
        (length,) = map(int, self.numbers())
        kind, data = self._small()
        if length < 1 or kind not in (1, 2):
            raise ValueError("a struct without names of fields")
        names = [data[place : place + length] for place in range(0, len(data), length)]
        return [name.partition(b"\0")[0].decode("latin-1") for name in names]

    def array(self, shape):
        """Return numbers of a shape, as they are stored; None where they are too many."""
        kind, length, data = self._open()
        if kind not in NUMBERS:
            raise ValueError(f"an element of kind {kind} where numbers were expected")
        dtype = np.dtype(self.reader.order + NUMBERS[kind])
        count = math.prod(shape)
        if count * dtype.itemsize != length:
            raise ValueError(f"{length:,} bytes for numbers of shape {shape}")
        if count > LARGEST:
            self._skip(length)
            return None
        self.reader.budget.spend("numbers", count)
        data = self._read(length) if data is None else data
        return np.frombuffer(data, dtype).reshape(shape, order="F")

    def matrix(self, depth):
        """Return the value of a matrix within this one."""
        kind, length, _ = self._open()
        if kind != MATRIX:
            raise ValueError(f"an element of kind {kind} where a matrix was expected")
        self.left -= length
        return self.reader.matrix(length, depth + 1)[1]

    def count(self, shape, fields=1):
        """Return how many a cell or struct holds: each takes a tag at least."""
        count = math.prod(shape)
        if count * fields * 8 > self.left:
            raise ValueError(f"a cell or struct of shape {shape} in {self.left:,} bytes")
        return count

    def _small(self):
        """Return the kind and the data of an element that is never large."""
        kind, length, data = self._open()
        if length > MOST_TEXT:
            raise ValueError(f"an element of {length:,} bytes where a few were expected")
        return kind, self._read(length) if data is None else data

    def _open(self):
        """Return kind, length and maybe the data of the next element; it must end in here."""
        kind, length, data = self.reader.tag()
        self.left -= 8
        if self.left < 0 or (data is None and length > self.left) or (data and length > 4):
            raise ValueError(f"an element claims {length:,} bytes, more than what holds it")
        return kind, length, data

    def _read(self, length):
        data = self.reader.stream.read(length)
        self.left -= length
        self._skip_to_eighth(length)
        return data

    def _skip(self, length):
        self.reader.stream.skip(length)
        self.left -= length
        self._skip_to_eighth(length)

    def _skip_to_eighth(self, length):
        padding = min(-length % 8, self.left)
        self.reader.stream.skip(padding)
        self.left -= padding


def _objects(values):
    """Return an array of objects, whatever they are."""
    array = np.empty(len(values), object)
    for number, value in enumerate(values):
        array[number] = value
    return array


class _Plain:
    """A file as it is."""

    def __init__(self, file):
        self.file = file

    def read(self, count):
        data = self.file.read(count)
        if len(data) < count:
            raise ValueError("it is cut off")
        return data

    def skip(self, count):
        self.file.seek(count, 1)

    def finish(self):
        pass


class _Inflated:
    """What a compressed element unpacks to, no more of it at a time than is asked for."""

    def __init__(self, file, length):
        self.file, self.left = file, length
        self.inflating, self.ready, self.place = zlib.decompressobj(), b"", 0

    def read(self, count):
        pieces = []
        while count:
            pieces.append(self._piece(count))
            count -= len(pieces[-1])
        return b"".join(pieces)

    def skip(self, count):
        while count:
            count -= len(self._piece(count))

    def finish(self):
        """Refuse what goes on, or whose checksum is wrong."""
        while self.place == len(self.ready) and not self.inflating.eof:
            self._unpack()
        if self.place < len(self.ready):
            raise ValueError("a compressed element goes on after its end")

    def _piece(self, most):
        """Return up to so many bytes, at least one."""
        while self.place == len(self.ready):
            if self.inflating.eof:
                raise ValueError("it is cut off")
            self._unpack()
        piece = self.ready[self.place : self.place + most]
        self.place += len(piece)
        return piece

    def _unpack(self):
        packed = self.inflating.unconsumed_tail
        if not packed:
            packed = self.file.read(min(self.left, CHUNK))
            self.left -= len(packed)
        self.ready, self.place = self.inflating.decompress(packed, CHUNK), 0
        if not self.ready and not packed and not self.inflating.eof:
            raise ValueError("it is cut off")
