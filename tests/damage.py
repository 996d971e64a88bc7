"""Damages files by a seed: cut off, bits turned over, parts doubled, lost or exchanged, sizes huge.

A format's own checksums would keep most damage at the door, so some of it is done inside them:
`WRAPPINGS` take a file apart into its parts and put damaged parts together again, checksums right.
"""

import io
import json
import random
import struct
import warnings
import zipfile
import zlib

HUGE = (0, 1, 2**15, 2**16 - 1, 2**24, 10**9, 2**31 - 1, 2**31, 2**32 - 16, 2**32 - 1)
NASTY = (  # what a text of JSON may hold in the place of anything
    *(None, True, False, 0, -1, 1.5, 1e308, -1e308, 10**30, float("nan"), float("inf")),
    *("", "x", "nan", "-", "not:", "\0", "\ud800", "\x1b[2J", "../../../etc/passwd", "/dev/zero"),
    *([], {}, [[]], [None], ["x"] * 40, {"a": {"b": 1}}, [[[["deep"]]]], "9" * 400, 10**4000),
)
ENOUGH = 1 << 20  # bytes of a part that are looked at


def damaged(data, random_from, wrapping=None):
    """Return (what was done, the damaged bytes); inside a `wrapping` every other time."""
    if wrapping and random_from.random() < 0.5:
        try:
            return _inside(data, random_from, *WRAPPINGS[wrapping])
        except (ValueError, KeyError, IndexError, struct.error, zlib.error, zipfile.BadZipFile):
            pass  # it was damaged before: no parts
    name = random_from.choice(list(DAMAGE))
    return name, DAMAGE[name](data, random_from)


def _inside(data, random_from, take_apart, put_together):
    """Damage a part, or the order of the parts."""
    parts = take_apart(data)
    where = random_from.randrange(len(parts))
    what = random_from.choice(["part", "part", "part", "lost", "doubled", "exchanged"])
    if what == "part":
        label, part = parts[where]
        if part[:1] in (b"{", b"[") and random_from.random() < 0.7:
            name, part = "json", json_damaged(part, random_from)
        else:
            name = random_from.choice(list(DAMAGE))
            part = DAMAGE[name](part, random_from)
        parts[where] = label, part
        what = f"{name} in {label!r:.40}"
    elif what == "lost":
        del parts[where]
    elif what == "doubled":
        parts.insert(random_from.randrange(len(parts) + 1), parts[where])
    else:
        other = random_from.randrange(len(parts))
        parts[where], parts[other] = parts[other], parts[where]
    return what, put_together(parts)


# ---------------------------------------------------------------------------- any bytes


def _place(data, random_from):
    """Return a place in the data: every other time near its beginning, where the headers are."""
    end = len(data) if random_from.random() < 0.5 else min(len(data), 512)
    return random_from.randrange(max(end, 1))


def cut_off(data, random_from):
    return data[: _place(data, random_from)]


def beginning_lost(data, random_from):
    return data[_place(data, random_from) :]


def bit_flipped(data, random_from, times=1):
    data = bytearray(data)
    for _ in range(times if data else 0):
        data[_place(data, random_from)] ^= 1 << random_from.randrange(8)
    return bytes(data)


def bits_flipped(data, random_from):
    return bit_flipped(data, random_from, random_from.choice([2, 5, 20, max(len(data) // 50, 3)]))


def bytes_replaced(data, random_from):
    place, length = _place(data, random_from), random_from.choice([1, 4, 16, 300])
    filled = random_from.choice([b"\0" * length, b"\xff" * length, random_from.randbytes(length)])
    return data[:place] + filled + data[place + length :]


def bytes_inserted(data, random_from):
    place = _place(data, random_from)
    return data[:place] + random_from.randbytes(random_from.choice([1, 2, 16, 500])) + data[place:]


def slice_lost(data, random_from):
    place = _place(data, random_from)
    return data[:place] + data[place + random_from.choice([1, 4, 64, 1000]) :]


def slice_doubled(data, random_from):
    place = _place(data, random_from)
    piece = data[place : place + random_from.choice([4, 64, 1000])]
    return data[:place] + piece * random_from.choice([2, 2, 50]) + data[place + len(piece) :]


def slices_exchanged(data, random_from):
    first, second = sorted(_place(data, random_from) for _ in "ab")
    length = min(random_from.choice([4, 64, 1000]), second - first)
    a, b = data[first : first + length], data[second : second + length]
    return data[:first] + b + data[first + length : second] + a + data[second + length :]


def number_made_huge(data, random_from):
    """Set two or four bytes, as a header's numbers lie, to a number that no file has."""
    kind = random_from.choice(["<I", ">I", "<H", ">H"])
    number = random_from.choice(HUGE)
    word = struct.pack(kind, number & (0xFFFFFFFF if kind[1] == "I" else 0xFFFF))
    place = _place(data, random_from) // 2 * 2
    return data[:place] + word + data[place + len(word) :]


def numbers_made_huge(data, random_from):
    for _ in range(random_from.choice([2, 4])):
        data = number_made_huge(data, random_from)
    return data


def garbage_after(data, random_from):
    return data + random_from.choice([b"\0" * 4096, random_from.randbytes(4096), data])


def zeros(data, random_from):
    return b"\0" * random_from.choice([0, 1, len(data)])


DAMAGE = {
    each.__name__: each
    for each in (
        *(cut_off, cut_off, beginning_lost, bit_flipped, bits_flipped, bytes_replaced),
        *(bytes_inserted, slice_lost, slice_doubled, slices_exchanged),
        *(number_made_huge, numbers_made_huge, garbage_after, zeros),
    )
}


# ---------------------------------------------------------------------------- parts


def png_chunks(data):
    chunks, place = [], 8
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    return chunks


def png_of(chunks):
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def zip_parts(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return [(name, file.read(name)) for name in file.namelist()]


def zip_of(parts, how=zipfile.ZIP_STORED):
    data = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a second part under one name, which is meant
        with zipfile.ZipFile(data, "w", how) as file:
            for name, part in parts:
                file.writestr(name, part)
    return data.getvalue()


def mat_elements(data):
    """Return the header and each element of a .mat file, unpacked where it is compressed."""
    parts, place = [("header", data[:128])], 128
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<II", data, place)
        body = data[place + 8 : place + 8 + length]
        body = zlib.decompressobj().decompress(body, ENOUGH) if kind == 15 else body
        parts.append((kind, body))
        place += 8 + length
    return parts


def mat_of(parts):
    data = b""
    for label, body in parts:
        if label == "header":
            data += body
        else:
            body = zlib.compress(body) if label == 15 else body
            data += struct.pack("<II", label, len(body)) + body
    return data


def riff_chunks(data):
    """Return the chunks of a WebP file."""
    chunks, place = [], 12
    while place + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, place + 4)
        chunks.append((data[place : place + 4], data[place + 8 : place + 8 + length]))
        place += 8 + length + length % 2
    return chunks


def riff_of(chunks):
    body = b"".join(
        kind + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2)
        for kind, part in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def lines(data):
    return [("line", line) for line in data.split(b"\n")]


def of_lines(parts):
    return b"\n".join(part for _, part in parts)


def json_whole(data):
    return [("whole", data)]


def of_whole(parts):
    return parts[0][1] if parts else b""


WRAPPINGS = {
    "png": (png_chunks, png_of),
    "zip": (zip_parts, zip_of),
    "mat": (mat_elements, mat_of),
    "riff": (riff_chunks, riff_of),
    "json": (json_whole, of_whole),
    "lines": (lines, of_lines),
}


# ---------------------------------------------------------------------------- JSON


def json_damaged(text, random_from):
    """Put something nasty in the place of a value, somewhere in it; or under another name."""
    value = json.loads(text)
    holders = [each for each in _holders(value) if each]
    if not holders:
        return json.dumps(random_from.choice(NASTY)).encode()
    holder = random_from.choice(holders)
    key = random_from.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    what = random_from.choice(["value", "value", "value", "lost", "name"])
    if what == "value":
        holder[key] = random_from.choice(NASTY)
    elif what == "lost":
        del holder[key]
    elif isinstance(holder, dict):
        holder[random_from.choice(["self", "", "\0", "x" * 5000, "cls"])] = holder.pop(key)
    return json.dumps(value).encode()


def _holders(value):
    if isinstance(value, (dict, list)):
        yield value
        for each in value.values() if isinstance(value, dict) else value:
            yield from _holders(each)


def seeded(*words):
    """Return a generator that gives the same for the same words."""
    return random.Random(" ".join(map(str, words)))
