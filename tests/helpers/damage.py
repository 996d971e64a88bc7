"""Seeded damage to files: truncation, flipped bits, repeated or missing parts, huge sizes.

Checksums reveal most damage. `WRAPPINGS` therefore split a file into its parts and join damaged
parts with valid checksums.
"""

import io
import json
import random
import struct
import warnings
import zipfile
import zlib

EXTREME_SIZES = (0, 1, 2**15, 2**16 - 1, 2**24, 10**9, 2**31 - 1, 2**31, 2**32 - 16, 2**32 - 1)
EXTREME_VALUES = (  # replacements for values in JSON
    *(None, True, False, 0, -1, 1.5, 1e308, -1e308, 10**30, float("nan"), float("inf")),
    *("", "x", "nan", "-", "not:", "\0", "\ud800", "\x1b[2J", "../../../etc/passwd", "/dev/zero"),
    *([], {}, [[]], [None], ["x"] * 40, {"a": {"b": 1}}, [[[["deep"]]]], "9" * 400, 10**4000),
)
MAX_PART_BYTES = 1 << 20  # of a compressed part


def damaged(data, rng, wrapping=None):
    """Return a description and the damaged bytes; half the time, damage a part of a `wrapping`."""
    if wrapping and rng.random() < 0.5:
        try:
            return _damaged_part(data, rng, *WRAPPINGS[wrapping])
        except (ValueError, KeyError, IndexError, struct.error, zlib.error, zipfile.BadZipFile):
            pass  # damaged before: it can't be split
    name = rng.choice(list(DAMAGE))
    return name, DAMAGE[name](data, rng)


def _damaged_part(data, rng, split, join):
    """Damage one part or the order of the parts."""
    parts = split(data)
    index = rng.randrange(len(parts))
    change = rng.choice(["part", "part", "part", "removed", "repeated", "swapped"])
    if change == "part":
        label, part = parts[index]
        if part[:1] in (b"{", b"[") and rng.random() < 0.7:
            name, part = "json", damaged_json(part, rng)
        else:
            name = rng.choice(list(DAMAGE))
            part = DAMAGE[name](part, rng)
        parts[index] = label, part
        change = f"{name} in {label!r:.40}"
    elif change == "removed":
        del parts[index]
    elif change == "repeated":
        parts.insert(rng.randrange(len(parts) + 1), parts[index])
    else:
        other = rng.randrange(len(parts))
        parts[index], parts[other] = parts[other], parts[index]
    return change, join(parts)


# ---------------------------------------------------------------------------- damage to bytes


def _random_offset(data, rng):
    """Return a random offset, half of the time near the start, where headers are."""
    end = len(data) if rng.random() < 0.5 else min(len(data), 512)
    return rng.randrange(max(end, 1))


def truncated(data, rng):
    return data[: _random_offset(data, rng)]


def start_removed(data, rng):
    return data[_random_offset(data, rng) :]


def bit_flipped(data, rng, times=1):
    data = bytearray(data)
    for _ in range(times if data else 0):
        data[_random_offset(data, rng)] ^= 1 << rng.randrange(8)
    return bytes(data)


def bits_flipped(data, rng):
    return bit_flipped(data, rng, rng.choice([2, 5, 20, max(len(data) // 50, 3)]))


def bytes_replaced(data, rng):
    offset, length = _random_offset(data, rng), rng.choice([1, 4, 16, 300])
    filler = rng.choice([b"\0" * length, b"\xff" * length, rng.randbytes(length)])
    return data[:offset] + filler + data[offset + length :]


def bytes_inserted(data, rng):
    offset = _random_offset(data, rng)
    return data[:offset] + rng.randbytes(rng.choice([1, 2, 16, 500])) + data[offset:]


def slice_removed(data, rng):
    offset = _random_offset(data, rng)
    return data[:offset] + data[offset + rng.choice([1, 4, 64, 1000]) :]


def slice_repeated(data, rng):
    offset = _random_offset(data, rng)
    piece = data[offset : offset + rng.choice([4, 64, 1000])]
    return data[:offset] + piece * rng.choice([2, 2, 50]) + data[offset + len(piece) :]


def slices_swapped(data, rng):
    first, second = sorted(_random_offset(data, rng) for _ in "ab")
    length = min(rng.choice([4, 64, 1000]), second - first)
    a, b = data[first : first + length], data[second : second + length]
    return data[:first] + b + data[first + length : second] + a + data[second + length :]


def huge_number(data, rng):
    """Set two or four aligned bytes to an extreme number, as in a header."""
    layout = rng.choice(["<I", ">I", "<H", ">H"])
    number = rng.choice(EXTREME_SIZES)
    word = struct.pack(layout, number & (0xFFFFFFFF if layout[1] == "I" else 0xFFFF))
    offset = _random_offset(data, rng) // 2 * 2
    return data[:offset] + word + data[offset + len(word) :]


def huge_numbers(data, rng):
    for _ in range(rng.choice([2, 4])):
        data = huge_number(data, rng)
    return data


def garbage_appended(data, rng):
    return data + rng.choice([b"\0" * 4096, rng.randbytes(4096), data])


def zeros(data, rng):
    return b"\0" * rng.choice([0, 1, len(data)])


DAMAGE = {
    function.__name__: function
    for function in (
        *(truncated, truncated, start_removed, bit_flipped, bits_flipped, bytes_replaced),
        *(bytes_inserted, slice_removed, slice_repeated, slices_swapped),
        *(huge_number, huge_numbers, garbage_appended, zeros),
    )
}


# ---------------------------------------------------------------------------- parts of a file


def split_png(data):
    chunks, offset = [], 8
    while offset + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, offset)
        chunks.append((data[offset + 4 : offset + 8], data[offset + 8 : offset + 8 + length]))
        offset += 12 + length
    return chunks


def join_png(chunks):
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def split_zip(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return [(name, file.read(name)) for name in file.namelist()]


def join_zip(parts, compression=zipfile.ZIP_STORED):
    data = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicate names are intended
        with zipfile.ZipFile(data, "w", compression) as file:
            for name, part in parts:
                file.writestr(name, part)
    return data.getvalue()


def split_mat(data):
    """Return the header and the elements of a .mat file, decompressed."""
    parts, offset = [("header", data[:128])], 128
    while offset + 8 <= len(data):
        kind, length = struct.unpack_from("<II", data, offset)
        body = data[offset + 8 : offset + 8 + length]
        body = zlib.decompressobj().decompress(body, MAX_PART_BYTES) if kind == 15 else body
        parts.append((kind, body))
        offset += 8 + length
    return parts


def join_mat(parts):
    data = b""
    for label, body in parts:
        if label == "header":
            data += body
        else:
            body = zlib.compress(body) if label == 15 else body
            data += struct.pack("<II", label, len(body)) + body
    return data


def split_webp(data):
    """Return the chunks of a WebP file."""
    chunks, offset = [], 12
    while offset + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, offset + 4)
        chunks.append((data[offset : offset + 4], data[offset + 8 : offset + 8 + length]))
        offset += 8 + length + length % 2
    return chunks


def join_webp(chunks):
    body = b"".join(
        kind + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2)
        for kind, part in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def split_lines(data):
    return [("line", line) for line in data.split(b"\n")]


def join_lines(parts):
    return b"\n".join(part for _, part in parts)


def as_one_part(data):
    return [("whole", data)]


def first_part(parts):
    return parts[0][1] if parts else b""


WRAPPINGS = {
    "png": (split_png, join_png),
    "zip": (split_zip, join_zip),
    "mat": (split_mat, join_mat),
    "riff": (split_webp, join_webp),
    "json": (as_one_part, first_part),
    "lines": (split_lines, join_lines),
}


# ---------------------------------------------------------------------------- damage to JSON


def damaged_json(text, rng):
    """Replace or remove a random value, or rename a random key."""
    value = json.loads(text)
    containers = [container for container in _containers(value) if container]
    if not containers:
        return json.dumps(rng.choice(EXTREME_VALUES)).encode()
    container = rng.choice(containers)
    key = rng.choice(list(container) if isinstance(container, dict) else range(len(container)))
    change = rng.choice(["value", "value", "value", "removed", "name"])
    if change == "value":
        container[key] = rng.choice(EXTREME_VALUES)
    elif change == "removed":
        del container[key]
    elif isinstance(container, dict):
        container[rng.choice(["self", "", "\0", "x" * 5000, "cls"])] = container.pop(key)
    return json.dumps(value).encode()


def _containers(value):
    if isinstance(value, (dict, list)):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from _containers(item)


def make_rng(*values):
    """Return a random generator seeded with the values."""
    return random.Random(" ".join(map(str, values)))
