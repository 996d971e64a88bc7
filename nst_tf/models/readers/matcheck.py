"""Looks through a MATLAB v5 or v7 file before SciPy reads it, and believes nothing in it.

SciPy's reader, which is C, does what a file's numbers say: one bit turned over ends the process,
and a few kB may unpack to gigabytes. So every claim is looked at first ("MAT-File Format",
The MathWorks, version 5): an element is a tag of 8 bytes, kind and length, and so many bytes;
kind 14 is a matrix, which holds other elements; kind 15 is a compressed one.
"""

import math
import struct
import zlib

import numpy as np

MOST_BYTES = 2**30  # in all, unpacked; VGG-19 has 575 MB
MOST_ELEMENTS = 500_000  # VGG-19 has about 15,000
MOST_LETTERS = 2**24  # each of which takes four bytes of memory
MOST_TEXT = 2**16  # bytes of a text, of the names of fields, of dimensions
MOST_AXES = 32  # that NumPy takes
DEEPEST = 20  # matrices in matrices; VGG-19 has 4
CHUNK = 2**18

MATRIX, COMPRESSED = 14, 15
CELL, STRUCT, CHAR, FIRST_NUMERIC, LAST_NUMERIC = 1, 2, 4, 6, 15  # classes of a matrix
COMPLEX = 0x0800  # a flag
INTEGERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 12: "i8", 13: "u8"}
NUMBERS = {**INTEGERS, 7: "f4", 9: "f8"}
LETTERS = {1: 1, 2: 1, 4: 2, 16: None, 17: 2, 18: 4}  # bytes of one; None: of one or more


def check_matlab(path, wanted):
    """Look at every claim in a MATLAB v5 or v7 file.

    Parameters
    ----------
    path : Path
    wanted : collection of str
        The names of the variables that are to be read.

    Returns
    -------
    dict of bool
        Of each variable, whether it is safe to be read: wanted, and made of nothing but numbers,
        texts, cells and structs.

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
            name, safe = element.variable(wanted)
            if name in found:
                raise ValueError(f"it holds {name[:40]!r} twice")
            found[name] = safe
            element.stream.finish()
            place += 8 + length
    return found


class _Budget:
    """What a file may still claim."""

    def __init__(self):
        self.left = {"bytes": MOST_BYTES, "elements": MOST_ELEMENTS, "letters": MOST_LETTERS}

    def spend(self, what, number):
        self.left[what] -= number
        if self.left[what] < 0:
            raise ValueError(f"it claims more {what} than any file of weights has")


class _Reader:
    """Goes through one element of a file, which may hold others."""

    def __init__(self, stream, order, budget):
        self.stream, self.order, self.budget = stream, order, budget

    def variable(self, wanted):
        """Return the name of a variable, and whether it is safe to be read."""
        kind, length, _ = self.tag()
        self.budget.spend("bytes", length)
        if kind != MATRIX:
            raise ValueError(f"an element of kind {kind} where a variable was expected")
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
        """Return the name of a matrix of so many bytes, and whether it is safe to be read."""
        if length == 0:
            return "", True
        if depth > DEEPEST:
            raise ValueError(f"its matrices lie in one another more than {DEEPEST} deep")
        inside = _Inside(self, length)
        flags = inside.numbers()
        shape = tuple(map(int, inside.numbers()))
        name = inside.name()
        if min(shape, default=0) < 0 or len(shape) > MOST_AXES or len(flags) != 2:
            raise ValueError(f"a matrix claims the shape {shape[:MOST_AXES]}")
        safe = wanted is None or name in wanted
        if safe:
            safe = self._looked_at(int(flags[0]), shape, inside, depth)
        if safe and inside.left:
            raise ValueError(f"a matrix has {inside.left:,} bytes more than it needs")
        self.stream.skip(inside.left)  # what is not wanted, or of another kind
        return name, safe

    def _looked_at(self, flags, shape, inside, depth):
        """Go through what a matrix holds; return whether it is safe to be read."""
        kind = flags & 0xFF
        if FIRST_NUMERIC <= kind <= LAST_NUMERIC:
            inside.array(shape)
            return not flags & COMPLEX
        if kind == CHAR:
            return inside.text(shape)
        if kind == CELL:
            count = inside.count(shape)
        elif kind == STRUCT:
            count = inside.count(shape, len(inside.fields()))
        else:  # objects, functions, sparse matrices
            return False
        inner = [inside.matrix(depth) for _ in range(count)]  # all are looked at
        return all(inner)


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

    def name(self):
        """Return a name."""
        kind, data = self._small()
        if kind not in (1, 2):
            raise ValueError(f"an element of kind {kind} where a name was expected")
        return data.decode("latin-1")

    def text(self, shape):
        """Go past a text; return whether it has as many letters as its shape says."""
        kind, data = self._small()
        if kind not in LETTERS:
            raise ValueError(f"an element of kind {kind} where a text was expected")
        count, each = math.prod(shape), LETTERS[kind]
        letters = len(data) / each if each else len(data.decode("utf-8", errors="replace"))
        if letters != count:
            raise ValueError(f"{len(data):,} bytes for a text of shape {shape}")
        self.reader.budget.spend("letters", count)
        return True

    def fields(self):
        """Return the names of a struct's fields."""
        length = self.numbers()
        kind, data = self._small()
        if len(length) != 1 or length[0] < 1 or len(data) % length[0] or kind not in (1, 2):
            raise ValueError("a struct without names of fields")
        length = int(length[0])
        names = [data[place : place + length] for place in range(0, len(data), length)]
        names = [name.partition(b"\0")[0] for name in names]
        if len(set(names)) < len(names):
            raise ValueError("a struct with two fields of one name")
        return names

    def array(self, shape):
        """Go past numbers of a shape."""
        kind, length, data = self._open()
        if kind not in NUMBERS:
            raise ValueError(f"an element of kind {kind} where numbers were expected")
        if math.prod(shape) * np.dtype(NUMBERS[kind]).itemsize != length:
            raise ValueError(f"{length:,} bytes for numbers of shape {shape}")
        if data is None:
            self._skip(length)

    def matrix(self, depth):
        """Go through a matrix within this one; return whether it is safe to be read."""
        kind, length, _ = self._open()
        if kind != MATRIX:
            raise ValueError(f"an element of kind {kind} where a matrix was expected")
        self.left -= length
        return self.reader.matrix(length, depth + 1)[1]

    def count(self, shape, fields=1):
        """Return how many matrices a cell or struct holds: each takes a tag at least."""
        count = math.prod(shape) * fields
        if count * 8 > self.left:
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
