"""Color profiles of saved pictures: sRGB and Display P3, as pixels and as ICC data.

The profiles are made from their primaries, not by Little CMS, which writes the time into them: the
same picture gives the same file.
"""

import struct
from dataclasses import dataclass

import numpy as np

from nst_tf.image.pixels import STRIP, quantized, with_bits

D65 = (0.3127, 0.3290)  # white of both color spaces (IEC 61966-2-1, SMPTE EG 432-1)
D50 = (0.9642, 1.0, 0.8249)  # of the profile connection space (ICC.1:2022, 7.2.16)
BRADFORD = np.array(  # XYZ to responses of cones (ICC.1:2022, annex E.2)
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
# (a x + b)^gamma above d, c x below it: IEC 61966-2-1, in the order of an ICC curve of type 3.
GAMMA, A, B, C, D = 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045


@dataclass(frozen=True)
class Profile:
    """A color space with the white and the curve of sRGB, by its primaries.

    Attributes
    ----------
    name : str
        Of the color space, in the profile.
    primaries : three pairs of float
        Chromaticities x, y of red, green and blue.
    """

    name: str
    primaries: tuple[tuple[float, float], ...]

    def to_xyz(self):
        """Return the (3, 3) map from linear RGB to XYZ, where the white D65 has Y = 1."""
        columns = np.array([_xyz(*primary) for primary in self.primaries]).T
        return columns * np.linalg.solve(columns, _xyz(*D65))

    def data(self):
        """Return the ICC profile (version 4.4, ICC.1:2022) as bytes."""
        adaptation = _adaptation()
        red, green, blue = (adaptation @ self.to_xyz()).T
        curve = b"para" + struct.pack(">4xH2x", 3) + _fixed(GAMMA, A, B, C, D)
        tags = {
            b"desc": _text(self.name),
            b"cprt": _text("No copyright, use freely"),
            b"wtpt": _numbers(b"XYZ ", *D50),
            b"chad": _numbers(b"sf32", *adaptation.ravel()),
            b"rXYZ": _numbers(b"XYZ ", *red),
            b"gXYZ": _numbers(b"XYZ ", *green),
            b"bXYZ": _numbers(b"XYZ ", *blue),
            **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
        }
        return _assembled(tags)


PROFILES = {  # value of --profile -> profile
    "srgb": Profile("sRGB", ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))),
    "p3": Profile("Display P3", ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))),
}


def in_profile(picture, profile, bits):
    """Convert the colors of a picture from sRGB to those of a profile.

    Parameters
    ----------
    picture : (H, W, 3) uint8 or uint16
        In sRGB.
    profile : str or None
        A key of `PROFILES`; None is sRGB.
    bits : {8, 16}
        Of each channel of the result.

    Returns
    -------
    (H, W, 3) uint8 or uint16
    """
    if profile in (None, "srgb"):
        return with_bits(picture, bits)
    colors = np.linalg.solve(PROFILES[profile].to_xyz(), PROFILES["srgb"].to_xyz())
    most, converted = np.iinfo(picture.dtype).max, []
    for top in range(0, len(picture), STRIP):
        levels = linear(picture[top : top + STRIP] / most) @ colors.T
        converted.append(quantized(255 * encoded(np.clip(levels, 0, 1)), bits))
    return np.concatenate(converted)


def linear(values):
    """Return the light of values of sRGB or Display P3, all in 0..1."""
    return np.where(values < D, C * values, (A * values + B) ** GAMMA)


def encoded(light):
    """Return the inverse of `linear`, for light that may exceed 1."""
    return np.where(light < C * D, light / C, (light ** (1 / GAMMA) - B) / A)


def _xyz(x, y):
    return np.array([x / y, 1, (1 - x - y) / y])


def _adaptation():
    """Return the (3, 3) map of XYZ under D65 to XYZ under D50 (Bradford)."""
    ratios = BRADFORD @ D50 / (BRADFORD @ _xyz(*D65))
    return np.linalg.solve(BRADFORD, ratios[:, np.newaxis] * BRADFORD)


def _fixed(*numbers):
    """Return numbers as s15Fixed16Number."""
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def _numbers(kind, *numbers):
    return kind + bytes(4) + _fixed(*numbers)


def _text(text):
    """Return a multiLocalizedUnicodeType of one language."""
    data = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">4xII2s2sII", 1, 12, b"en", b"US", len(data), 28) + data


def _assembled(tags):
    """Return the profile of an RGB display with these tags; equal ones are stored once."""
    start, places, body = 128 + 4 + 12 * len(tags), {}, b""
    for data in tags.values():
        if data not in places:
            places[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
    table = struct.pack(">I", len(tags)) + b"".join(
        struct.pack(">4sII", tag, places[data], len(data)) for tag, data in tags.items()
    )
    header = struct.pack(
        ">I4xI4s4s4s12x4s28x12s48x",
        start + len(body),
        0x04400000,
        b"mntr",
        b"RGB ",
        b"XYZ ",
        b"acsp",
        _fixed(*D50),
    )
    return header + table + body
