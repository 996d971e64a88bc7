"""Validate a MATLAB v5 or v7 file before SciPy reads it.

SciPy's reader, written in C, trusts the lengths in a file: one flipped bit can end the process, and
a few kB can decompress to gigabytes. So every length is checked first ("MAT-File Format",
The MathWorks, version 5): an element is a tag of 8 bytes, kind and length, and that many bytes;
kind 14 is a matrix, which contains other elements; kind 15 is a compressed element.
"""

import math
import struct
import zlib

import numpy as np

MOST_BYTES = 2**30  # in total, decompressed; VGG-19 has 575 MB
MOST_ELEMENTS = 500_000  # VGG-19 has about 15,000
MOST_CHARACTERS = 2**24  # of four bytes each in memory
MOST_TEXT = 2**16  # bytes of a string, of field names, of dimensions
MOST_AXES = 32  # NumPy's limit
MOST_DEPTH = 20  # of nested matrices; VGG-19 has 4
CHUNK = 2**18

MATRIX, COMPRESSED = 14, 15
CELL, STRUCT, CHAR, FIRST_NUMERIC, LAST_NUMERIC = 1, 2, 4, 6, 15  # classes of a matrix
COMPLEX = 0x0800  # a flag
INTEGERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 12: "i8", 13: "u8"}
NUMBERS = {**INTEGERS, 7: "f4", 9: "f8"}
CHARACTERS = {1: 1, 2: 1, 4: 2, 16: None, 17: 2, 18: 4}  # bytes per character; None: UTF-8


def check_matlab(path, wanted):
    """Check every length in a MATLAB v5 or v7 file.

    Parameters
    ----------
    path : Path
    wanted : collection of str
        Names of the variables to read.

    Returns
    -------
    dict of bool
        By variable name, whether it is safe to read: wanted, and made of only numbers, strings,
        cells and structs.

    Raises
    ------
    ValueError, struct.error, zlib.error
        The file is damaged, cut off, or declares more than a weights file has.
    """
    found, size, budget = {}, path.stat().st_size, _Budget()
    if size < 136:
        raise ValueError("it is cut off")
    with open(path, "rb") as file:
        byte_order = ">" if file.read(128)[126:] == b"MI" else "<"
        offset = 128
        while offset + 8 <= size:
            file.seek(offset)
            kind, length = struct.unpack(f"{byte_order}II", file.read(8))
            if length > size - offset - 8:
                raise ValueError(f"an element declares {length:,} bytes, more than are left")
            if kind == COMPRESSED:
                element = _Reader(_Decompressed(file, length), byte_order, budget)
            else:
                file.seek(offset)
                element = _Reader(_Uncompressed(file), byte_order, budget)
            name, safe = element.variable(wanted)
            if name in found:
                raise ValueError(f"it contains {name[:40]!r} twice")
            found[name] = safe
            element.stream.finish()
            offset += 8 + length
    return found


class _Budget:
    """Limits for a file, less what was read."""

    def __init__(self):
        self.left = {"bytes": MOST_BYTES, "elements": MOST_ELEMENTS, "characters": MOST_CHARACTERS}

    def spend(self, resource, amount):
        self.left[resource] -= amount
        if self.left[resource] < 0:
            raise ValueError(f"it declares more {resource} than any weights file has")


class _Reader:
    """Checks one element of a file and the elements in it."""

    def __init__(self, stream, byte_order, budget):
        self.stream, self.byte_order, self.budget = stream, byte_order, budget

    def variable(self, wanted):
        """Return the name of a variable, and whether it is safe to read."""
        kind, length, _ = self.tag()
        self.budget.spend("bytes", length)
        if kind != MATRIX:
            raise ValueError(f"an element of kind {kind} where a variable was expected")
        return self.matrix(length, 1, wanted)

    def tag(self):
        """Return an element's kind and length, and its data if the tag contains it."""
        self.budget.spend("elements", 1)
        tag = self.stream.read(8)
        kind, length = struct.unpack(f"{self.byte_order}II", tag)
        if kind >> 16:
            kind, length = kind & 0xFFFF, kind >> 16
            return kind, length, tag[4 : 4 + min(length, 4)]
        return kind, length, None

    def matrix(self, length, depth, wanted=None):
        """Return the name of a matrix of `length` bytes, and whether it is safe to read."""
        if length == 0:
            return "", True
        if depth > MOST_DEPTH:
            raise ValueError(f"its matrices are nested more than {MOST_DEPTH} deep")
        contents = _Contents(self, length)
        flags = contents.integers()
        shape = tuple(map(int, contents.integers()))
        name = contents.name()
        if min(shape, default=0) < 0 or len(shape) > MOST_AXES or len(flags) != 2:
            raise ValueError(f"a matrix declares the shape {shape[:MOST_AXES]}")
        safe = wanted is None or name in wanted
        if safe:
            safe = self._check_contents(int(flags[0]), shape, contents, depth)
        if safe and contents.left:
            raise ValueError(f"a matrix has {contents.left:,} bytes more than it needs")
        self.stream.skip(contents.left)  # not wanted, or of an unsupported class
        return name, safe

    def _check_contents(self, flags, shape, contents, depth):
        """Check the contents of a matrix; return whether it is safe to read."""
        kind = flags & 0xFF
        if FIRST_NUMERIC <= kind <= LAST_NUMERIC:
            contents.array(shape)
            return not flags & COMPLEX
        if kind == CHAR:
            return contents.string(shape)
        if kind == CELL:
            count = contents.count(shape)
        elif kind == STRUCT:
            count = contents.count(shape, len(contents.fields()))
        else:  # objects, functions, sparse matrices
            return False
        safe = [contents.matrix(depth) for _ in range(count)]  # check all, even after an unsafe one
        return all(safe)


class _Contents:
    """The elements of a matrix, each of which must end within it."""

    def __init__(self, reader, length):
        self.reader, self.left = reader, length

    def integers(self):
        """Return a short array of integers: flags, dimensions, a length."""
        kind, data = self._small()
        if kind not in INTEGERS:
            raise ValueError(f"an element of kind {kind} where integers were expected")
        return np.frombuffer(data, self.reader.byte_order + INTEGERS[kind])

    def name(self):
        """Return the name of the matrix."""
        kind, data = self._small()
        if kind not in (1, 2):
            raise ValueError(f"an element of kind {kind} where a name was expected")
        return data.decode("latin-1")

    def string(self, shape):
        """Skip a string after checking its length against its shape; return True."""
        kind, data = self._small()
        if kind not in CHARACTERS:
            raise ValueError(f"an element of kind {kind} where a string was expected")
        count, width = math.prod(shape), CHARACTERS[kind]
        length = len(data) / width if width else len(data.decode("utf-8", errors="replace"))
        if length != count:
            raise ValueError(f"{len(data):,} bytes for a string of shape {shape}")
        self.reader.budget.spend("characters", count)
        return True

    def fields(self):
        """Return the field names of a struct."""
        length = self.integers()
        kind, data = self._small()
        if len(length) != 1 or length[0] < 1 or len(data) % length[0] or kind not in (1, 2):
            raise ValueError("a struct without field names")
        length = int(length[0])
        names = [data[start : start + length] for start in range(0, len(data), length)]
        names = [name.partition(b"\0")[0] for name in names]
        if len(set(names)) < len(names):
            raise ValueError("a struct with duplicate field names")
        return names

    def array(self, shape):
        """Skip numbers after checking their length against the shape."""
        kind, length, data = self._open()
        if kind not in NUMBERS:
            raise ValueError(f"an element of kind {kind} where numbers were expected")
        if math.prod(shape) * np.dtype(NUMBERS[kind]).itemsize != length:
            raise ValueError(f"{length:,} bytes for numbers of shape {shape}")
        if data is None:
            self._skip(length)

    def matrix(self, depth):
        """Check a nested matrix; return whether it is safe to read."""
        kind, length, _ = self._open()
        if kind != MATRIX:
            raise ValueError(f"an element of kind {kind} where a matrix was expected")
        self.left -= length
        return self.reader.matrix(length, depth + 1)[1]

    def count(self, shape, fields=1):
        """Return the number of matrices in a cell or struct; each needs at least a tag."""
        count = math.prod(shape) * fields
        if count * 8 > self.left:
            raise ValueError(f"a cell or struct of shape {shape} in {self.left:,} bytes")
        return count

    def _small(self):
        """Return the kind and the data of an element that is always small."""
        kind, length, data = self._open()
        if length > MOST_TEXT:
            raise ValueError(f"an element of {length:,} bytes where a few were expected")
        return kind, self._read(length) if data is None else data

    def _open(self):
        """Return kind, length and any inline data of the next element; check that it fits."""
        kind, length, data = self.reader.tag()
        self.left -= 8
        if self.left < 0 or (data is None and length > self.left) or (data and length > 4):
            raise ValueError(f"an element declares {length:,} bytes, more than its matrix has left")
        return kind, length, data

    def _read(self, length):
        data = self.reader.stream.read(length)
        self.left -= length
        self._skip_padding(length)
        return data

    def _skip(self, length):
        self.reader.stream.skip(length)
        self.left -= length
        self._skip_padding(length)

    def _skip_padding(self, length):
        """Skip to a multiple of 8 bytes."""
        padding = min(-length % 8, self.left)
        self.reader.stream.skip(padding)
        self.left -= padding


class _Uncompressed:
    """Stream of an uncompressed element."""

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


class _Decompressed:
    """Stream of a compressed element, decompressed only as far as it is read."""

    def __init__(self, file, length):
        self.file, self.left = file, length
        self.decompressor, self.buffer, self.position = zlib.decompressobj(), b"", 0

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
        """Check that no data is left and that the checksum is right."""
        while self.position == len(self.buffer) and not self.decompressor.eof:
            self._decompress()
        if self.position < len(self.buffer):
            raise ValueError("a compressed element has data after its end")

    def _piece(self, most):
        """Return at least one byte and at most `most`."""
        while self.position == len(self.buffer):
            if self.decompressor.eof:
                raise ValueError("it is cut off")
            self._decompress()
        piece = self.buffer[self.position : self.position + most]
        self.position += len(piece)
        return piece

    def _decompress(self):
        packed = self.decompressor.unconsumed_tail
        if not packed:
            packed = self.file.read(min(self.left, CHUNK))
            self.left -= len(packed)
        self.buffer, self.position = self.decompressor.decompress(packed, CHUNK), 0
        if not self.buffer and not packed and not self.decompressor.eof:
            raise ValueError("it is cut off")
