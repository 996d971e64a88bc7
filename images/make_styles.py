"""Draw the sample style pictures of nst_tf with numpy, scipy and Pillow.

Usage: ``python images/make_styles.py [NAME ...] [--output DIR]``

Every picture has a fixed seed, is drawn at twice its size and reduced with a Lanczos filter.
Coordinates are pixels of that larger sheet; colours are float RGB in 0..1.
"""

import argparse
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy import fft, ndimage
from scipy.interpolate import CubicSpline

SUPER = 2  # drawing scale: two drawn pixels for every saved one
JPEG_QUALITY = 90
TAU = 2 * np.pi


# --------------------------------------------------------------------------------------------
# Shared tools
# --------------------------------------------------------------------------------------------


def rgb(*codes):
    """Colours in 0..1 from hex codes: one code gives shape (3,), several give (n, 3)."""
    values = [[int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)] for code in codes]
    return np.array(values if len(codes) > 1 else values[0], dtype=np.float32)


def sheet_grid(width, height):
    """Column and row coordinates of the (supersampled) sheet for a saved width and height."""
    y, x = np.mgrid[0 : height * SUPER, 0 : width * SUPER].astype(np.float32)
    return x, y


def noise(rng, shape, scale, slope=2.0, stretch=(1.0, 1.0)):
    """Isotropic fractal noise, mean 0 and deviation 1, with features up to `scale` pixels.

    A larger `slope` is smoother; `stretch` (rows, columns) above 1 lengthens features that way.
    """
    fy = fft.fftfreq(shape[0])[:, None] * stretch[0]
    fx = fft.rfftfreq(shape[1])[None, :] * stretch[1]
    spectrum = (1 + scale**2 * (fy**2 + fx**2)) ** (-slope / 2)
    spectrum[0, 0] = 0
    white = rng.standard_normal(shape, dtype=np.float32)
    field = fft.irfft2(fft.rfft2(white) * spectrum.astype(np.float32), s=shape)
    return (field / field.std()).astype(np.float32)


def smoothstep(low, high, value):
    """0 below `low`, 1 above `high` (or the reverse when low > high), smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(first, second, amount):
    """Blend two colours or pictures; a two-dimensional amount is spread over the channels."""
    amount = np.asarray(amount, dtype=np.float32)
    if amount.ndim == 2:
        amount = amount[..., None]
    return first + (second - first) * amount


def ramp(stops, colours, value):
    """Colour of each value on a gradient through the given stops."""
    channels = [np.interp(value, stops, colours[:, i]) for i in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def lookup(field, points):
    """Values of a field at (..., 2) points x, y: nearest pixel, clamped to the sheet."""
    column = np.clip(points[..., 0].astype(np.int32), 0, field.shape[1] - 1)
    row = np.clip(points[..., 1].astype(np.int32), 0, field.shape[0] - 1)
    return field[row, column]


def warp(picture, dx, dy):
    """Move the pixels of a colour picture by the given offsets."""
    row, column = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
    where = [row + dy, column + dx]
    bands = [
        ndimage.map_coordinates(picture[..., i], where, order=1, mode="nearest") for i in range(3)
    ]
    return np.stack(bands, axis=-1)


def relief(height, strength):
    """Brightness factor of a surface lit from the upper left."""
    dy, dx = np.gradient(height)
    return 1 + strength * np.tanh(dx + dy)


def scatter(rng, shape, spacing):
    """Points on a jittered grid over the sheet and a margin, in random order."""
    xs = np.arange(-spacing, shape[1] + spacing, spacing)
    ys = np.arange(-spacing, shape[0] + spacing, spacing)
    points = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    points = points + rng.uniform(-0.6, 0.6, points.shape) * spacing
    return rng.permutation(points).astype(np.float32)


def polygon_mask(shape, points, box):
    """Float mask of a filled polygon inside a window of the sheet."""
    image = Image.new("L", (box[1].stop - box[1].start, box[0].stop - box[0].start))
    points = np.asarray(points) - (box[1].start, box[0].start)
    ImageDraw.Draw(image).polygon([tuple(p) for p in points.tolist()], fill=255)
    return np.asarray(image, dtype=np.float32) / 255


def spline(points, count=200):
    """Smooth curve of `count` points through the given control points."""
    points = np.asarray(points, dtype=float)
    return CubicSpline(np.linspace(0, 1, len(points)), points)(np.linspace(0, 1, count))


# --------------------------------------------------------------------------------------------
# Brush strokes: curved, tapered, with bristle streaks and a paint height
# --------------------------------------------------------------------------------------------


def trace(angle, starts, lengths, steps=14):
    """Paths (strokes, steps, 2) which follow the angle field from their start points."""
    point, path = starts, [starts]
    for _ in range(steps - 1):
        heading = lookup(angle, point)
        stride = (lengths / (steps - 1))[:, None]
        point = point + stride * np.stack([np.cos(heading), np.sin(heading)], axis=-1)
        path.append(point)
    return np.stack(path, axis=1).astype(np.float32)


def stroke_points(paths, widths, step=0.7):
    """Dense samples of strokes: positions (k, t, s, 2), t along in 0..1 and s across in -1..1."""
    span = np.linalg.norm(np.diff(paths, axis=1), axis=2).sum(axis=1).max()
    t = np.linspace(0, 1, max(8, int(span / step)), dtype=np.float32)
    s = np.linspace(-1, 1, max(4, int(widths.max() / step)), dtype=np.float32)
    at = t * (paths.shape[1] - 1)
    low = np.minimum(at.astype(int), paths.shape[1] - 2)
    part = (at - low)[None, :, None].astype(np.float32)
    centre = paths[:, low] * (1 - part) + paths[:, low + 1] * part
    tangent = np.gradient(centre, axis=1)
    tangent /= np.linalg.norm(tangent, axis=2, keepdims=True) + 1e-6
    normal = np.stack([-tangent[..., 1], tangent[..., 0]], axis=-1)
    # A round, quick landing of the brush and a long, thin lift at the end of the stroke.
    taper = np.minimum((t / 0.10).clip(0, 1) ** 0.5, ((1 - t) / 0.38).clip(0, 1) ** 0.6)
    reach = (widths[:, None] / 2 * taper)[:, :, None, None]
    return centre[:, :, None] + normal[:, :, None] * reach * s[None, None, :, None], t, s


def lay_strokes(canvas, height, paths, widths, colours, rng, streak=0.06, dry=0.3, target=None):
    """Paint opaque strokes in order on the canvas and its height map.

    `streak` is the brightness of bristle marks, `dry` how early bristles run out of paint; a
    `target` picture, where given, tints every pixel, so that its edges stay sharp.
    """
    for first in range(0, len(paths), 48):
        chunk = slice(first, first + 48)
        points, t, s = stroke_points(paths[chunk], widths[chunk])
        count = len(points)
        bristle = rng.standard_normal((count, len(s))).astype(np.float32)
        bristle = ndimage.gaussian_filter1d(bristle, 1.2, axis=1) * 1.8
        runs_out = 1 - dry * np.abs(np.roll(bristle, 3, axis=1))
        ragged = 1 + 0.1 * np.abs(bristle)
        wet = (t[None, :, None] < runs_out[:, None, :]) & (np.abs(s) * ragged < 1)[:, None, :]
        x, y = points[..., 0].astype(np.int32), points[..., 1].astype(np.int32)
        wet &= (x >= 0) & (y >= 0) & (x < canvas.shape[1]) & (y < canvas.shape[0])
        # The brush carries a lighter paint on one side than on the other.
        side = 0.05 * s * rng.uniform(-1, 1, (count, 1)).astype(np.float32)
        shade = np.broadcast_to((bristle * streak + side)[:, None, :], wet.shape)
        paint = np.broadcast_to(colours[chunk, None, None, :], (*wet.shape, 3))[wet]
        x, y = x[wet], y[wet]
        if target is not None:
            paint = 0.36 * paint + 0.64 * target[y, x]
        canvas[y, x] = paint * (1 + 2.2 * shade[wet][:, None])
        # Paint is pushed into ridges along both sides and carries the grooves of the bristles.
        body = 0.6 - 0.4 * s**2 + 0.7 * np.exp(-(((np.abs(s) - 0.86) / 0.1) ** 2))
        body = body[None, :] + 0.45 * bristle
        thick = np.broadcast_to((body * widths[chunk, None] ** 0.5)[:, None, :], wet.shape)
        height[y, x] = 0.35 * height[y, x] + thick[wet]


def vary(rng, colours, value, hue):
    """Colours with random brightness and random hue, as a painter mixes each load anew."""
    count = len(colours)
    out = colours * np.exp(rng.normal(0, value, (count, 1)))
    return np.clip(out + rng.normal(0, hue, (count, 3)), 0, 1).astype(np.float32)


# --------------------------------------------------------------------------------------------
# night_strokes
# --------------------------------------------------------------------------------------------

# x, y, radius (as shares of the sheet width), spin: the moon first, then stars.
LIGHTS = (
    (0.360, 0.300, 0.060, 1.0),
    (0.800, 0.150, 0.027, -1.0),
    (0.075, 0.110, 0.020, -1.0),
    (0.585, 0.105, 0.015, 1.0),
    (0.935, 0.330, 0.014, 1.0),
    (0.610, 0.365, 0.016, -1.0),
    (0.100, 0.420, 0.014, -1.0),
)
# Swirls of wind without a light: x, y, reach, spin.
SWIRLS = ((0.70, 0.30, 0.070, -1.2), (0.20, 0.10, 0.085, 1.0), (0.93, 0.06, 0.06, 0.8))


def night_wind(rng, x, y):
    """Angle field of the sky: a rolling stream bent by every light and swirl."""
    width = x.shape[1]
    bend = noise(rng, x.shape, 700, 3)
    vx = np.ones_like(x)
    vy = 0.55 * np.cos(x / width * TAU * 1.15 + 0.6) + 0.28 * bend
    lights = [(lx, ly, 2.6 * r + 0.02, 2.6 * spin) for lx, ly, r, spin in LIGHTS]
    for cx, cy, reach, spin in lights + [(*s[:3], 3.4 * s[3]) for s in SWIRLS]:
        dx, dy = x / width - cx, y / width - cy
        pull = spin * np.exp(-((np.hypot(dx, dy) / reach) ** 2)) * 1.5
        r = np.hypot(dx, dy) + 1e-4
        vx, vy = vx - pull * dy / r * 2, vy + pull * dx / r * 2
    return np.arctan2(vy, vx)


def streams(rng, angle, distance=260, steps=26):
    """Noise smeared along the angle field: long bands of lighter and darker paint."""
    grain = noise(rng, angle.shape, 34, 2.5)
    y, x = np.mgrid[0 : angle.shape[0] : 4, 0 : angle.shape[1] : 4].astype(np.float32)
    point, total = np.stack([x, y], axis=-1), 0
    for _ in range(steps):
        heading = lookup(angle, point)
        step = np.stack([np.cos(heading), np.sin(heading)], axis=-1) * (distance / steps)
        point = point + step
        total = total + lookup(grain, point)
    total = ndimage.zoom(total / total.std(), 4, order=1)
    return total[: angle.shape[0], : angle.shape[1]]


def night_sky(x, y, bands):
    """Colours of the sky: blue bands, a teal glow at the horizon, halos around the lights."""
    width, height = x.shape[1], x.shape[0]
    blues = rgb("0b1040", "13226e", "1f3f9e", "2f66bd", "57a0c9", "a9d3cf")
    level = 0.33 + 0.16 * bands + 0.22 * smoothstep(0.1, 0.7, y / height)
    sky = ramp(np.linspace(0, 1, 6), blues, level)
    glow = smoothstep(0.38, 0.68, y / height) * (0.55 + 0.2 * bands)
    sky = mix(sky, rgb("3fa39b"), glow.clip(0, 0.75))
    halo = rgb("fff6cf", "fbe27a", "f2b632", "a9bd6a", "4f9f9f", "2f66bd")
    for cx, cy, r, _ in LIGHTS:
        d = np.hypot(x / width - cx, y / width - cy) / r
        ring = 0.13 * np.cos(d * TAU / (0.75 if r > 0.03 else 1.1)) * (d > 1)
        colour = ramp([0, 0.9, 1.3, 2.0, 2.7, 3.4], halo, d + 1.6 * ring)
        sky = mix(sky, colour, (np.exp(-((d / 2.6) ** 3)) + 1.2 * ring * (d < 3.6)).clip(0, 1))
    return sky


def night_hills(rng, x, y, angle, picture):
    """Put far hills, a lake with the moon in it and a near bank into angles and picture."""
    width, height = x.shape[1], x.shape[0]
    u = x / width
    tones = (("1b4a78", "4a94a0"), ("10285a", "2f6d84"), ("123a70", "5fb0b4"), ("070f24", "2a5540"))
    ridges = (
        0.590 + 0.035 * np.sin(u * 8 + 2.5) + 0.012 * np.sin(u * 19),
        0.650 + 0.040 * np.sin(u * 6.2 + 5.0) + 0.012 * np.sin(u * 17 + 1),
        0.715 + 0.0 * u,
        0.945 - 0.10 * smoothstep(0.35, 1.0, u) + 0.018 * np.sin(u * 13) + 0.03 * np.cos(u * 5),
    )
    fold = noise(rng, x.shape, 160, 2.5, (1, 2))
    for row, (ridge, (dark, light)) in enumerate(zip(ridges, tones, strict=True)):
        depth = y / height - ridge
        lake = row == 2
        slope = np.gradient(ridge, axis=1) * height
        furrow = 0.5 + 0.5 * np.sin(depth * (150 if lake else 95) + 1.6 * fold + u * 6)
        shade = furrow * np.exp(-depth.clip(0) * (2 if lake else 7))
        shade = shade + 0.9 * np.exp(-depth.clip(0) * 70) * (not lake)
        land = mix(rgb(dark), rgb(light), shade.clip(0, 1))
        # Moonlight gilds the hills below the moon and breaks into glints on the lake.
        reach = 0.035 + 0.30 * depth.clip(0) if lake else 0.13
        gild = np.exp(-(((u - LIGHTS[0][0]) / reach) ** 2)) * (shade > 0.42)
        land = mix(land, rgb("f5d774" if lake else "d0b060"), (0.9 if lake else 0.5) * gild)
        picture = np.where((depth > 0)[..., None], land, picture)
        bend = 0.06 * fold if lake else 0.35 * fold * (depth > 0.015)
        angle = np.where(depth > 0, np.arctan(slope + bend), angle)
    return angle, picture


def night_trees(x, y, rng):
    """Mask, angle and colours of a row of dark wind-bent poplars on the right bank."""
    width, height = x.shape[1], x.shape[0]
    mask = np.zeros(x.shape, dtype=bool)
    angle = np.full_like(x, -np.pi / 2)
    picture = np.zeros((*x.shape, 3), dtype=np.float32) + rgb("0d2430")
    streak = noise(rng, x.shape, 40, 2, (5, 1))
    trees = ((0.715, 0.50, 0.026, 2), (0.925, 0.40, 0.036, 4), (0.785, 0.37, 0.034, 1),
             (0.985, 0.52, 0.036, 6), (0.855, 0.45, 0.036, 3), (0.025, 0.66, 0.030, 5))  # fmt: skip
    for cx, top, half, turn in trees:
        v = (y / height - top) / (1.03 - top)
        sway = 0.012 * np.sin(v * 7 + turn) * (0.3 + v) + 0.030 * (1 - v.clip(0, 1)) ** 2
        spread = half * np.clip(v, 0, 1) ** 0.62 * (1.02 - 0.42 * v.clip(0, 1) ** 3)
        spread = spread * (1 + 0.16 * np.sin(v * 26 + turn * 2))
        across = (x / width - cx - sway) / (spread + 1e-5)
        inside = (np.abs(across) < 1) & (v > 0)
        mask |= inside
        lick = -np.pi / 2 + 0.55 * across + 0.5 * np.sin(v * 14 + turn + across)
        angle = np.where(inside, lick, angle)
        # The moon stands on the left: that side of every tree takes a green and rusty light.
        tone = 0.36 + 0.20 * streak - 0.34 * across
        colour = ramp([0, 0.4, 0.75, 1], rgb("050a18", "0f2a38", "2b5f4a", "96823c"), tone)
        picture = np.where(inside[..., None], colour, picture)
    return mask, angle, picture


def night_layers(rng, canvas, height, angle, picture, widths, keep=None, length=6.5):
    """One pass of strokes for each brush width, from the largest to the smallest."""
    for width in widths:
        starts = scatter(rng, angle.shape, width * 0.82)
        if keep is not None:
            starts = starts[lookup(keep, starts)]
        lengths = width * length * rng.uniform(0.55, 1.25, len(starts)).astype(np.float32)
        sizes = (width * rng.uniform(0.7, 1.25, len(starts))).astype(np.float32)
        middle = trace(angle, starts, lengths / 3, 5)[:, -1]
        colours = vary(rng, lookup(picture, middle), 0.16, 0.028)
        lay_strokes(canvas, height, trace(angle, starts, lengths), sizes, colours, rng)


def paint_night_strokes():
    """Paint a windy moonlit night over a lake, in some forty thousand impasto strokes."""
    rng = np.random.default_rng(11)
    x, y = sheet_grid(640, 480)
    angle = night_wind(rng, x, y)
    picture = night_sky(x, y, streams(rng, angle))
    angle, picture = night_hills(rng, x, y, angle, picture)
    canvas, height = picture * 0.7, np.zeros_like(x)
    night_layers(rng, canvas, height, angle, picture, (46, 27, 18), length=5.5)
    # The finest brush goes only where something happens: lights, ridges, bright bands.
    light = ndimage.gaussian_filter(picture.mean(axis=2), 4)
    busy = (ndimage.gaussian_gradient_magnitude(light, 6) > 0.0022) | (light > 0.5)
    night_layers(rng, canvas, height, angle, picture, (11.5, 8.5), busy, 6)
    mask, lean, leaves = night_trees(x, y, rng)
    night_layers(rng, canvas, height, lean, leaves, (20, 12, 9), mask, 5)
    height = ndimage.gaussian_filter(height, 0.9)
    return canvas * relief(height * 0.5, 0.34)[..., None]


# --------------------------------------------------------------------------------------------
# stained_glass
# --------------------------------------------------------------------------------------------


def glass_cells(rng, x, y):
    """Pane labels, and the region of every pixel (a key of GLASS)."""
    size = x.shape[0]
    wx = x / size + 0.006 * noise(rng, x.shape, 260, 3)
    wy = y / size + 0.006 * noise(rng, x.shape, 260, 3)
    dx, dy = wx - 0.5, wy - 0.40
    r, theta = np.hypot(dx, dy), np.arctan2(dy, dx)
    # Sky: broad blue sectors with narrow pale rays between them, all bent one way.
    turn = ((theta + 0.75 * np.log(r + 0.15)) / TAU * 14) % 14
    pale = (turn % 1) > 0.68 - 0.25 * r
    ray = np.floor(turn) * 2 + pale
    cut = np.floor((r - 0.235) / np.where(pale, 0.20, 0.135) + 0.5 * np.sin(ray * 2.4))
    label, region = 1000 + ray * 20 + cut, np.where(pale, 7, 2)
    region[r < 0.235 + 0.018 * np.cos(theta * 16)] = 1
    region[r < 0.125 + 0.014 * np.cos(theta * 8)] = 0
    petal = np.floor((theta / TAU + (1 / 32)) * 16) % 16
    label = np.where(region == 1, 2000 + petal, label)
    inner = np.floor((theta / TAU + (1 / 16)) * 8) % 8
    label = np.where(region == 0, np.where(r < 0.048, 2100, 2110 + inner), label)
    ridges = (0.70 + 0.05 * np.sin(wx * 7 + 0.4), 0.79 + 0.045 * np.sin(wx * 6 + 2.6),
              0.885 + 0.03 * np.sin(wx * 9 + 4.4))  # fmt: skip
    for i, ridge in enumerate(ridges):
        under = wy > ridge
        lean = wx + (0.5 + 0.3 * i) * (wy - ridge) * (-1) ** i
        column = np.floor(lean * (11 - i) + 0.35 * i + 0.3 * np.sin(lean * 30))
        label = np.where(under, 3000 + 100 * i + column, label)
        region = np.where(under, 3 + (i == 2), region)
    return glass_border(x / size, y / size, label, region)


def glass_border(u, v, label, region, wide=0.062):
    """Frame the labels and regions with a border of unequal rectangular panes."""
    edge = np.minimum(np.minimum(u, 1 - u), np.minimum(v, 1 - v))
    upright = np.minimum(u, 1 - u) < np.minimum(v, 1 - v)
    sector = (u > v) * 2 + (u + v > 1)
    piece = np.floor(np.where(upright, v, u) * 11.5 + 0.3 * np.sin(np.where(upright, v, u) * 40))
    corner = (np.minimum(u, 1 - u) < wide) & (np.minimum(v, 1 - v) < wide)
    ids = np.where(corner, 4900 + (u > 0.5) * 2 + (v > 0.5), 4000 + sector * 50 + piece)
    kind = np.where(corner, 6, 5)
    return np.where(edge < wide, ids, label), np.where(edge < wide, kind, region)


def cell_distance(label):
    """Distance of every pixel to the nearest border between two labels."""
    border = np.zeros(label.shape, dtype=bool)
    border[:, 1:] |= label[:, 1:] != label[:, :-1]
    border[1:] |= label[1:] != label[:-1]
    return ndimage.distance_transform_edt(~border).astype(np.float32), border


GLASS = {
    0: rgb("ffd23c", "ffb31a", "ffe27a"),
    1: rgb("e8501c", "f08020", "c92a1e", "f5a01e"),
    2: rgb("123f9e", "1c62c4", "2c7fd0", "3a2f9c", "5a3aa8", "0f2f7a"),
    3: rgb("1d7a3e", "3f9a3a", "8ab82e", "0f5a4a", "c2b52a"),
    4: rgb("0f4f6e", "14808c", "1a3f86", "2aa59a"),
    5: rgb("9c1224", "b8202c", "7a0f3a", "c43a1e"),
    6: rgb("f0b428", "ffd050"),
    7: rgb("7fd0d8", "f2d67a", "f0a8b0", "a8dcc0", "19a0b4"),
}


def glass_colours(rng, label, region, x, y, swirl):
    """Colours of every pane: two glasses of its region flow into one another along a slope."""
    ids, index = np.unique(label, return_inverse=True)
    index = index.reshape(label.shape)
    home = np.asarray(ndimage.minimum(region, index, np.arange(len(ids)))).astype(int)
    pairs = [GLASS[r][rng.permutation(len(GLASS[r]))[:2]] for r in home]
    pairs = np.clip(np.array(pairs) * np.exp(rng.normal(0, 0.13, (len(ids), 1, 1))), 0, 1)
    centres = np.array(ndimage.center_of_mass(np.ones_like(x), index, np.arange(len(ids))))
    heading = rng.uniform(0, TAU, len(ids))
    slope = (x - centres[index, 1]) * np.cos(heading)[index]
    slope = slope + (y - centres[index, 0]) * np.sin(heading)[index]
    blend = smoothstep(-30, 150, slope + 34 * swirl).astype(np.float32)
    shade = 1 + 0.28 * np.tanh(slope / 90)
    first, second = (pairs[index, k].astype(np.float32) for k in (0, 1))
    return mix(first, second, 0.8 * blend) * shade[..., None].astype(np.float32), index


def glass_streaks(rng, index, shape):
    """Streaks of the pulled glass, in one of four directions for every pane."""
    kinds = rng.integers(0, 4, index.max() + 1)[index]
    out = np.zeros(shape, dtype=np.float32)
    big = int(shape[0] * 1.5)
    for kind, degrees in enumerate((8, 55, 98, 140)):
        field = noise(rng, (big, big), 130, 1.55, (0.8, 9))
        field = ndimage.rotate(field, degrees, reshape=False, order=1, mode="wrap")
        margin = (big - shape[0]) // 2
        field = field[margin : margin + shape[0], margin : margin + shape[1]]
        out = np.where(kinds == kind, field, out)
    return out


def glass_bubbles(rng, shape, count=430):
    """Seeds (air bubbles) as dark rings with a bright spot: a factor on the light."""
    light = np.ones(shape, dtype=np.float32)
    for _ in range(count):
        r = rng.uniform(3, 5.5) if rng.random() < 0.8 else rng.uniform(6, 11)
        cx, cy = rng.uniform(20, shape[1] - 20), rng.uniform(20, shape[0] - 20)
        box = (slice(int(cy) - 16, int(cy) + 17), slice(int(cx) - 16, int(cx) + 17))
        yy, xx = (part[: light[box].shape[0], : light[box].shape[1]] for part in np.mgrid[box])
        d = np.hypot(xx - cx, (yy - cy) * rng.uniform(0.55, 1)) / r
        spot = np.hypot(xx - cx + 0.3 * r, yy - cy + 0.3 * r) / r
        light[box] *= 1 - 0.5 * np.exp(-(((d - 0.9) / 0.22) ** 2))
        light[box] += 0.45 * np.exp(-((spot / 0.42) ** 2))
    return light


def paint_stained_glass():
    """Paint a sun rose with bent rays over hills and water, in leaded jewel-coloured panes."""
    rng = np.random.default_rng(5)
    x, y = sheet_grid(640, 640)
    size = x.shape[0]
    label, region = glass_cells(rng, x, y)
    far, border = cell_distance(label)
    main, _ = cell_distance(region)
    swirl = noise(rng, x.shape, 90, 2.2)
    glass, index = glass_colours(rng, label, region, x, y, swirl)
    streak = glass_streaks(rng, index, x.shape)
    hammer = noise(rng, x.shape, 26, 2.2)
    shade = (1 + 0.17 * streak + 0.07 * swirl) * glass_bubbles(rng, x.shape)
    shade *= relief(hammer * 1.7, 0.24)
    sun = np.hypot(x / size - 0.5, y / size - 0.40)
    shade *= 1.34 - 0.80 * smoothstep(0.0, 0.75, sun)  # daylight stands behind the sun
    shade *= 1 - 0.5 * np.exp(-far / 11)  # old dirt gathers along the lead
    glass = np.clip(glass * shade[..., None], 0, None)
    glass = mix(glass, np.ones(3, np.float32), 0.14 * np.clip(streak - 0.7, 0, 2.0))
    # Lead: thicker between regions, swelling and shrinking like a hand-cut came.
    wide = 4.6 + 1.1 * noise(rng, x.shape, 180, 3) + 4.4 * np.exp(-((main / 7) ** 2))
    joints = ndimage.uniform_filter(border.astype(np.float32), 25) * 625
    wide = wide + 3.0 * smoothstep(62, 95, joints)
    profile = np.sqrt(np.clip(1 - (far / wide) ** 2, 0, 1)) * wide
    metal = 0.115 * relief(profile + 0.5 * noise(rng, x.shape, 9, 1.5), 1.0)
    metal = metal[..., None] * rgb("f4f0ff") * 1.1
    out = mix(glass, metal, smoothstep(wide + 0.8, wide - 0.8, far))
    bloom = ndimage.gaussian_filter(out, (14, 14, 0))
    return out + 0.15 * bloom


# --------------------------------------------------------------------------------------------
# woodcut
# --------------------------------------------------------------------------------------------


def hatch(phase, tone):
    """Ink of lines at whole values of `phase`; `tone` is the inked share, so lines taper."""
    gy, gx = np.gradient(phase)
    soft = np.hypot(gx, gy).clip(0.01, 0.3) * 1.1
    off = 2 * np.abs(phase - np.round(phase))
    tone = np.asarray(tone) * 1.12 - 0.06
    return smoothstep(tone + soft, tone - soft, off)


def cut_sky(rng, x, y, sun):
    """Ink and second colour of a sky of rays around a banded sun."""
    dx, dy = x - sun[0], y - sun[1]
    r = np.hypot(dx, dy) / sun[2]
    theta = np.arctan2(dy, dx) + 0.020 / r.clip(1) * noise(rng, x.shape, 120, 2.7)
    shake = noise(rng, x.shape, 60, 1.8)
    beam = 0.5 + 0.5 * np.cos(theta * 18)  # broad light and dark beams
    tone = 0.13 + 0.10 * r + 0.26 * (beam - 0.5) * smoothstep(1.2, 2.4, r) + 0.05 * shake
    # Ever more rays further out: each doubling starts as a taper between two older rays.
    level = np.log2(r.clip(1) * 1.3)
    base = np.floor(level)
    rays = hatch(theta / TAU * 72 * 2**base, tone * (1 - 0.5 * (level - base)) + 0.02)
    fresh = hatch(theta / TAU * 72 * 2 ** (base + 1), tone * (level - base))
    ink = np.maximum(rays, fresh) * (r > 1.22)
    rim = smoothstep(0.045, 0.025, np.abs(r - 1 - 0.01 * shake))
    face = hatch(r * 7.5 + 0.12 * shake, 0.62 * smoothstep(0.9, -0.9, (dx - dy) / sun[2] / 1.2))
    ink = np.maximum(np.where(r < 1, face * (r > 0.12), ink), rim)
    red = np.where(r < 1.0, 1.0, smoothstep(4.6, 1.3, r) * (0.35 + 0.6 * (beam > 0.5)))
    return ink, np.where((r > 1) & (r < 1.2), 0.0, red)


def cut_clouds(rng, x, y, ink, red):
    """Lay heaped clouds over the sky: white heads, hatched bellies, a cut outline."""
    shake = noise(rng, x.shape, 50, 3)
    clouds = ((215, 175, 250, 1.0), (520, 250, 150, 0.6), (1165, 130, 190, 0.75),
              (75, 320, 150, 0.65), (560, 75, 130, 0.5))  # fmt: skip
    for cx, cy, length, size in clouds:
        # Heads from the highest, in the middle, to the low ones in front at both ends.
        spots = rng.uniform(-1, 1, 9)
        heads = [(t, (1 - 0.75 * abs(t)) * rng.uniform(50, 74) * size) for t in spots]
        heads = sorted(heads, key=lambda head: -head[1])
        for t, r in (*heads, (-0.85, 30 * size), (0.8, 27 * size)):
            px, py = cx + t * length * 0.8, cy - r * 0.55
            d = np.hypot((x - px) / 1.15, y - py) - r + 1.5 * shake
            d = np.maximum(d, y - cy - 3 * shake)
            fall = (y - py) / r + 0.5 * (px - x) / r
            lines = hatch((np.hypot(x - px, y - py) + 2 * shake) / 9, 0.05 + 0.42 * fall)
            ink = np.where(d < 0, np.maximum(lines, smoothstep(-6, -4, d)), ink * (d > 6))
            red = np.where(d < 0, 0.0, red)
    return ink, red


def cut_mountains(rng, x, y, peaks, ink, red, wash):
    """Peaks from far to near: lit slopes to the right, dark slopes hatched to the left."""
    for px, py, steep in peaks:
        rough = noise(rng, (1, x.shape[1]), 90, 1.6) * 7
        depth = y - py - steep * np.abs(x - px) ** 0.97 - rough * smoothstep(0, 30, np.abs(x - px))
        meander = noise(rng, (x.shape[0], 1), 120, 2) * 18
        gully = noise(rng, x.shape, 130, 2.6, (2.2, 1))
        fall = (y - py).clip(0)
        lean = x - px - meander * smoothstep(0, 60, fall) - 0.18 * fall
        dark = lean + 34 * gully * smoothstep(0, 90, fall) < 0
        tone = np.where(dark, 0.70 + 0.10 * gully, 0.24 + 0.17 * gully + 0.0007 * fall)
        tone = tone - 0.25 * np.exp(-fall / 60) * ~dark
        bend = 9 * gully
        along = (y * 0.62 - np.sign(lean) * x * 0.78 + bend) / 13  # falls with the slope
        across = (y * 0.80 - x * 0.45 + bend) / 12
        lines = np.where(dark, hatch(across, tone), hatch(along, tone))
        edge = smoothstep(6.5, 4.5, np.abs(depth - 3))
        ink = np.where(depth > 0, np.maximum(lines, edge), ink * (depth < -5))
        red = np.where(depth > 0, wash * dark, red)
    return ink, red


def cut_pines(rng, x, y, ink, red):
    """Black pines with cut branches on a dark bank in the left foreground."""
    shake = noise(rng, x.shape, 90, 3)
    bank = 655 + 0.00085 * (x - 40).clip(0) ** 2 + 9 * np.sin(x / 37) + 5 * np.sin(x / 11)
    inside = y > bank
    lines = hatch((y - bank * 0.85 + 14 * np.sin(x / 55) + 5 * shake) / 14, 0.66 + 0.12 * shake)
    edge = smoothstep(9, 6, np.abs(y - bank))
    ink, red = np.where(inside, np.maximum(lines, edge), ink), np.where(inside, 0.0, red)
    pines = ((180, 385, 705, 70), (62, 300, 700, 84), (285, 480, 730, 54), (395, 590, 790, 42))
    for px, top, foot, half in pines:
        v = (y - top) / (foot - top)
        side = np.abs(x - px - 3 * shake) / half
        droop = v + 0.05 * side  # branches hang at their ends
        tier = (droop * 8) % 1
        reach = (0.08 + 0.92 * v.clip(0, 1)) * (0.38 + 0.62 * tier**0.8) + 0.05 * np.sin(y / 3.1)
        body = (v > 0) & (v < 0.95) & (side < reach) | ((side < 0.08) & (v > 0) & (v < 1.04))
        swing = (y - np.abs(x - px) * 0.9 + 2 * shake) / 12
        cuts = hatch(swing, 0.86 - 0.42 * (x > px) * smoothstep(0.1, 0.6, side) + 0.1 * (x < px))
        halo = (v > -0.03) & (v < 0.97) & (side < reach + 0.12)
        ink = np.where(body, cuts, np.where(halo & ~inside, 0.0, ink))
        red = np.where(halo, 0.0, red)
    return ink, red


def cut_sea(rng, x, y, ink, red, sun_x):
    """Rows of pointed waves, larger towards the viewer, cut along their crests."""
    shake = noise(rng, x.shape, 70, 2.5)
    top = 612.0
    for row in range(9):
        base = top + 9 * row + 4.4 * row**2
        length, rise = 90 + 34 * row, 6 + 5.2 * row
        u = x / length + rng.uniform(0, 1) + 0.11 * np.sin(x / 171 + row)
        u = u + 0.10 * np.sin(TAU * u)  # steeper fronts than backs
        swell = 0.75 + 0.35 * np.sin(x / (61 + 23 * row) + 2.3 * row)  # no two crests alike
        crest = base - rise * swell * (1 - np.abs(np.sin(np.pi * u))) ** 1.3 + 2.0 * shake
        depth = y - crest
        gap = 9 + 8.8 * row + rise
        tone = 0.10 + 0.82 * smoothstep(0.02, 0.95, depth / gap) + 0.05 * shake
        broad = 70 + 0.25 * (y - top).clip(0)
        glint = np.exp(-(((x - sun_x - 20 * shake) / broad) ** 2))
        tone = tone - 0.42 * glint * (row < 7)
        space = 7.5 + 0.75 * row
        lines = hatch((depth - 0.25 * (base - crest) + 1.5 * shake) / space + 0.5, tone)
        edge = smoothstep(2.6 + 0.35 * row, 1.0 + 0.3 * row, np.abs(depth - 2))
        inside = depth > 0
        ink = np.where(inside, np.maximum(lines, edge), ink)
        wash = 0.85 * glint + 0.75 * ((depth > gap * 0.36) & (row % 2 == 1))
        red = np.where(inside, np.clip(wash, 0, 1), red)
    return ink, red


def print_texture(rng, shape):
    """Grain of the plank, speckle of the ink and fibres of the paper."""
    bend = noise(rng, shape, 500, 3)
    y = np.mgrid[0 : shape[0], 0 : shape[1]][0]
    grain = 0.5 * np.sin(y / 5.5 + 9 * bend) + noise(rng, shape, 20, 1.3, (1, 12))
    return grain, noise(rng, shape, 5, 1.2), noise(rng, shape, 16, 1.5)


def paint_woodcut():
    """Print sun, mountains and sea in black and brick-red ink on warm paper."""
    rng = np.random.default_rng(23)
    x, y = sheet_grid(640, 480)
    sun = (850.0, 235.0, 112.0)  # x, y, radius
    # Peaks from far to near: x and y of the top, steepness.
    ink, red = cut_sky(rng, x, y, sun)
    ink, red = cut_clouds(rng, x, y, ink, red)
    far = ((330, 300, 0.62), (1180, 315, 0.6), (640, 400, 0.5), (985, 440, 0.5))
    near = ((500, 345, 0.66), (140, 425, 0.5), (1270, 420, 0.6), (1075, 470, 0.55))
    near = (*near, (775, 510, 0.42))
    ink, red = cut_mountains(rng, x, y, far, ink, red, 0.8)
    ink, red = cut_mountains(rng, x, y, near, ink, red, 0.55)
    ink, red = cut_sea(rng, x, y, ink, red, sun[0])
    ink, red = cut_pines(rng, x, y, ink, red)
    grain, speckle, fibre = print_texture(rng, x.shape)
    paper = rgb("efe0c2") * (1 + 0.022 * fibre + 0.012 * speckle)[..., None]
    # The colour block is printed first, a little out of register, and shows the plank.
    red = ndimage.gaussian_filter(np.roll(red, (3, -4), (0, 1)), 0.8)
    red = red * (0.86 + 0.11 * grain - 0.09 * np.clip(speckle - 0.6, 0, 2))
    out = mix(paper, paper * rgb("c4492c"), np.clip(red, 0, 1))
    bite = smoothstep(2.9, 1.7, speckle + 0.35 * grain)  # flecks where the ink did not take
    ink = ndimage.gaussian_filter(ink.astype(np.float32), 0.7) * (0.55 + 0.45 * bite)
    black = rgb("1c1815") * (1 + 0.12 * grain)[..., None]
    return mix(out, black, np.clip(ink, 0, 1))


# --------------------------------------------------------------------------------------------
# cubist
# --------------------------------------------------------------------------------------------

CUBIST = rgb(
    "d2a85a", "b07f34", "7a5026", "4a3220", "8f969a", "5a707c", "334654", "6b6c3e",
    "e2cd98", "bdb6a4", "2a221e", "9fb0b6", "efe6cc", "8a6534",
)  # fmt: skip
CUBIST_WEIGHTS = np.array([12, 10, 8, 6, 8, 8, 6, 8, 9, 8, 4, 6, 6, 6]) / 105
CUBIST_ACCENTS = rgb("a8402a", "2f5f86", "c98a2a")
CUBIST_ANGLES = np.radians((90, 90, 65, 115, 28, 152, 0, 78))


def cubist_plane(rng, shape, size):
    """Corners of one plane: a leaning quadrilateral, triangle or disc sector, and its angle."""
    w, h = shape[1], shape[0]
    spread = 0.33 if size > 420 else 0.25
    centre = np.array([w * rng.normal(0.5, spread), h * rng.normal(0.5, spread)])
    angle = CUBIST_ANGLES[rng.integers(len(CUBIST_ANGLES))] + rng.normal(0, 0.06)
    long, wide = size * rng.uniform(0.7, 1.5), size * rng.uniform(0.3, 0.8)
    kind = rng.random()
    if kind < 0.68:
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * rng.uniform(0.55, 1.15, (4, 1))
    elif kind < 0.86:
        corners = np.array([(-1, -1), (1, -0.6 + rng.uniform(-0.4, 0.4)), (-0.7, 1)])
    else:
        sweep = np.linspace(0, rng.uniform(1.2, 3.1), 40)
        corners = np.concatenate([[(0, 0)], np.stack([np.cos(sweep), np.sin(sweep)], axis=1)])
        wide = long
    corners = corners * (long / 2, wide / 2)
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    return corners @ turn.T + centre, angle, centre


def cubist_box(shape, corners, margin):
    """Slices around a polygon with a margin, or None where it lies off the sheet."""
    x0, y0 = np.maximum(corners.min(axis=0) - margin, 0).astype(int)
    x1, y1 = np.minimum(corners.max(axis=0) + margin, (shape[1], shape[0])).astype(int)
    return (slice(y0, y1), slice(x0, x1)) if x1 - x0 > 8 and y1 - y0 > 8 else None


def cubist_planes(rng, x, y, picture, angle, sizes):
    """Overlay one plane for each size: strong at one edge, dissolving at the other.

    Beyond its strong edge each plane throws a shade, so that the facets fold over one another.
    """
    lines = np.zeros_like(x)
    for size in sizes:
        corners, lean, centre = cubist_plane(rng, x.shape, size)
        box = cubist_box(x.shape, corners, 60)
        if box is None:
            continue
        mask = polygon_mask(x.shape, corners, box)
        side = lean + np.pi / 2 * rng.choice((-1, 1))
        toward = np.array([np.cos(side), np.sin(side)])
        run = (x[box] - centre[0]) * toward[0] + (y[box] - centre[1]) * toward[1]
        along = (y[box] - centre[1]) * toward[0] - (x[box] - centre[0]) * toward[1]
        extent = (corners - centre) @ toward
        length = np.abs((corners - centre) @ np.array([-toward[1], toward[0]])).max()
        pixels, part = run - extent.min(), (run - extent.min()) / (np.ptp(extent) + 1e-6)
        shade = np.exp(np.minimum(pixels, 0) / (0.13 * size)) * (pixels < 0)
        shade = shade * smoothstep(length, length - 3, np.abs(along + 0.1 * length)) * (1 - mask)
        picture[box] = mix(picture[box], rgb("241d1a"), rng.uniform(0.25, 0.65) * shade)
        colour = CUBIST[rng.choice(len(CUBIST), p=CUBIST_WEIGHTS)]
        if rng.random() < 0.06 and size < 420:
            colour = CUBIST_ACCENTS[rng.integers(3)]
        colour = vary(rng, colour[None], 0.10, 0.012)[0]
        alpha = rng.uniform(0.85, 1.0) * (1 - part.clip(0, 1)) ** rng.uniform(0.45, 1.1)
        picture[box] = mix(picture[box], colour, mask * (alpha + 0.05).clip(0, 1))
        # A thin light rim on the strong edge of some planes.
        rim = mask * np.exp(-pixels.clip(0) / 9) * rng.choice((0, 0.6))
        picture[box] = mix(picture[box], rgb("f1e7cc"), rim)
        strokes = lean + rng.choice((0, np.pi / 2))
        angle[box] = np.where(mask * (part < 0.75) > 0, strokes, angle[box])
        if rng.random() < 0.34:
            lines = np.maximum(lines, cubist_line(rng, x.shape, corners))
    return picture, angle, lines


def cubist_line(rng, shape, corners):
    """Draw a broken, swelling contour along one or two sides of a plane."""
    image = Image.new("L", (shape[1], shape[0]))
    draw = ImageDraw.Draw(image)
    first = rng.integers(len(corners))
    if len(corners) > 6:
        path = corners[1:]
    else:
        start, end = corners[first], corners[(first + 1) % len(corners)]
        path = start + np.linspace(-0.08, rng.uniform(0.8, 1.2), 30)[:, None] * (end - start)
    for t, (a, b) in enumerate(pairwise(path)):
        width = 2 + 5 * np.sin(np.pi * (t + 1) / len(path))
        draw.line([tuple(a), tuple(b)], fill=255, width=max(2, round(width)))
    return np.asarray(image, dtype=np.float32) / 255


# Masses of the still life: colour, opacity, whether the outline is smooth, outline.
CUBIST_MASSES = (
    ("b9772e", 0.75, True,
     ((560, 700), (440, 740), (390, 840), (440, 960), (570, 1015), (650, 1010))),
    ("d8a04a", 0.80, True,
     ((660, 1000), (800, 985), (868, 880), (840, 770), (790, 690), (830, 600), (770, 510),
      (660, 500))),
    ("8a5422", 0.75, True,
     ((640, 500), (570, 490), (540, 560), (590, 640), (560, 700), (650, 760))),
    ("2a211c", 0.92, False, ((648, 520), (640, 150), (726, 140), (738, 510))),
    ("1c1714", 0.92, True,
     ((655, 655), (712, 690), (700, 760), (655, 785), (602, 760), (596, 690))),
    ("3f5a3a", 0.80, False,
     ((330, 900), (325, 600), (340, 470), (386, 400), (388, 250), (420, 250), (420, 900))),
    ("7f9a78", 0.70, False,
     ((424, 900), (424, 270), (452, 270), (454, 390), (500, 470), (508, 700), (508, 900))),
    ("c8d0cc", 0.70, True,
     ((905, 592), (990, 560), (1075, 592), (1058, 740), (990, 800), (920, 740))),
    ("e9e0c6", 0.85, False, ((840, 960), (1110, 930), (1150, 1075), (870, 1110))),
)  # fmt: skip


def cubist_still_life(x, y, picture):
    """Lay the masses of guitar, bottle, glass and newspaper, each fading to one side."""
    for row, (tint, opacity, smooth, outline) in enumerate(CUBIST_MASSES):
        points = np.array(outline, dtype=float)
        points = spline([*points, points[0]], 90) if smooth else points
        box = cubist_box(x.shape, points, 4)
        mask = polygon_mask(x.shape, points, box)
        lean = (0.3, 2.6, 1.2, -0.4)[row % 4]
        run = x[box] * np.cos(lean) + y[box] * np.sin(lean)
        run = (run - run.min()) / np.ptp(run)
        picture[box] = mix(picture[box], rgb(tint), mask * opacity * (1.1 - 0.75 * run).clip(0, 1))
    return picture


def cubist_motif(shape):
    """Contours of the still life: guitar body, sound hole, strings, neck, bottle and glass."""
    image = Image.new("L", (shape[1], shape[0]))
    draw = ImageDraw.Draw(image)

    def curve(points, width):
        """Draw a smooth line through the points."""
        path = [tuple(p) for p in spline(points, 120).tolist()]
        draw.line(path, fill=255, width=width, joint="curve")

    curve(((560, 700), (450, 730), (400, 830), (450, 950), (570, 1010), (690, 960)), 8)
    curve(((560, 700), (590, 640), (540, 560), (570, 490), (650, 470)), 8)
    curve(((760, 520), (830, 600), (790, 690), (850, 770), (850, 890), (770, 960)), 7)
    for r, w in ((62, 7), (48, 4)):
        draw.arc((655 - r, 720 - r, 655 + r, 720 + r), 20, 300, fill=255, width=w)
    for k in range(5):
        draw.line((612 + 19 * k, 920, 655 + 13 * k, 190 + 30 * (k % 2)), fill=200, width=3)
    draw.line((640, 480, 662, 150), fill=255, width=7)
    draw.line((735, 500, 728, 170), fill=255, width=6)
    draw.rectangle((575, 915, 745, 936), outline=255, width=5)
    for k in range(7):
        draw.line((646, 455 - 42 * k, 734, 450 - 42 * k), fill=190, width=3)
    curve(((330, 900), (325, 600), (335, 480), (385, 400), (388, 260)), 6)
    draw.arc((386, 240, 452, 268), 0, 360, fill=255, width=5)
    curve(((450, 258), (452, 390), (500, 470), (505, 560)), 5)
    draw.arc((905, 560, 1075, 625), 0, 360, fill=255, width=5)
    curve(((905, 592), (915, 760), (985, 800), (990, 940)), 5)
    curve(((1075, 592), (1062, 740), (1000, 800)), 5)
    draw.arc((920, 920, 1070, 975), 0, 250, fill=255, width=5)
    draw.line((90, 1010, 620, 1085, 1200, 985), fill=255, width=6)
    return np.asarray(image, dtype=np.float32) / 255


def cubist_dabs(rng, picture, angle):
    """Repaint the planes with short flat dabs whose bristles run dry."""
    canvas, height = picture.copy(), np.zeros(angle.shape, dtype=np.float32)
    for width, length in ((34, 3.0), (20, 3.2)):  # brush width, and dab length in widths
        starts = scatter(rng, angle.shape, width * 0.95)
        lengths = width * length * rng.uniform(0.6, 1.3, len(starts)).astype(np.float32)
        sizes = (width * rng.uniform(0.7, 1.25, len(starts))).astype(np.float32)
        paths = trace(angle, starts, lengths, 4)
        colours = vary(rng, lookup(picture, paths[:, 1]), 0.17, 0.016)
        lay_strokes(canvas, height, paths, sizes, colours, rng, 0.05, 0.75, picture)
    return canvas, height


def paint_cubist():
    """Paint a still life with guitar, bottle and glass, broken into translucent planes."""
    rng = np.random.default_rng(8)
    x, y = sheet_grid(640, 640)
    ground = ramp([-2, 0, 2], rgb("4a3a2a", "94804f", "b9a98a"), noise(rng, x.shape, 500, 2.5))
    # From planes of half the sheet to small facets; more of the small ones.
    sizes = 640 * (1 - np.linspace(0, 1, 150)) ** 1.2 + 110
    picture, angle, lines = cubist_planes(rng, x, y, ground, np.zeros_like(x), sizes[:95])
    picture = cubist_still_life(x, y, picture)
    # A few late facets break the things up again.
    picture, angle, late = cubist_planes(rng, x, y, picture, angle, sizes[95::2])
    motif = np.maximum(np.maximum(lines, late) * 0.8, cubist_motif(x.shape))
    wear = smoothstep(-1.5, 0.1, noise(rng, x.shape, 160, 2.2))  # lines appear and get lost
    canvas, height = cubist_dabs(rng, picture, angle)
    canvas = mix(canvas, picture, 0.25)
    dry = smoothstep(-0.9, 0.6, noise(rng, x.shape, 12, 1.4))  # charcoal over dry paint
    canvas = mix(canvas, rgb("1a1512"), 0.85 * motif * wear * (0.45 + 0.55 * dry))
    scumble = smoothstep(0.9, 1.9, noise(rng, x.shape, 30, 1.3, (1, 2.5)))
    canvas = mix(canvas, canvas * 1.25 + 0.04, 0.5 * scumble)
    canvas = mix(canvas, smoothstep(0.03, 0.97, canvas), 0.75) * 1.06  # firmer lights and darks
    edge = 1 - 0.25 * smoothstep(0.45, 0.75, np.hypot(x / 1280 - 0.5, y / 1280 - 0.5))
    return canvas * (edge * relief(ndimage.gaussian_filter(height, 0.9) * 0.4, 0.24))[..., None]


# --------------------------------------------------------------------------------------------
# watercolour
# --------------------------------------------------------------------------------------------


class Sheet:
    """A sheet of watercolour paper which sums the light that every wash takes away."""

    def __init__(self, rng, width, height):
        """Prepare an empty sheet of the given saved size."""
        self.rng = rng
        self.x, self.y = sheet_grid(width, height)
        shape = self.x.shape
        self.absorbed = np.zeros((*shape, 3), dtype=np.float32)
        self.tooth = 0.8 * noise(rng, shape, 13, 1.9) + 0.5 * noise(rng, shape, 5, 1.3)
        self.fine = noise(rng, shape, 120, 1.75)
        self.broad = noise(rng, shape, 420, 2.2)

    def window(self, cx, cy, reach):
        """Slices of a square window around a point, or None outside the sheet."""
        x0, x1 = max(0, int(cx - reach)), min(self.x.shape[1], int(cx + reach))
        y0, y1 = max(0, int(cy - reach)), min(self.x.shape[0], int(cy + reach))
        return (slice(y0, y1), slice(x0, x1)) if x1 - x0 > 2 and y1 - y0 > 2 else None

    def wobble(self, field, box):
        """Return the part of a noise field under a window, taken from a random other place."""
        shift = self.rng.integers(0, min(field.shape), 2)
        rows = (np.arange(box[0].start, box[0].stop) + shift[0]) % field.shape[0]
        columns = (np.arange(box[1].start, box[1].stop) + shift[1]) % field.shape[1]
        return field[np.ix_(rows, columns)]

    def wash(self, box, inside, colour, load, edge=0.8, rim=5.0, soft=2.5, grain=0.09):
        """Lay a wash where `inside` (pixels from its edge) is positive.

        Pigment creeps to the edge (`edge` strong, `rim` pixels wide), which is lost in places,
        and settles in the hollows of the paper (`grain`).
        """
        cover = smoothstep(-soft, soft, inside)
        lost = smoothstep(-0.9, 0.7, self.wobble(self.broad, box) + 0.3)
        line = edge * lost * np.exp(-np.clip(inside, 0, None) / rim)
        cloud = 1 + 0.13 * self.wobble(self.fine, box)
        settle = 1 - grain * self.tooth[box]
        density = load * cover * np.clip((0.72 * cloud + line) * settle, 0.02, None)
        taken = -np.log(np.clip(vary(self.rng, colour[None], 0.03, 0.012)[0], 0.03, 0.985))
        self.absorbed[box] += density[..., None] * taken

    def lift(self, box, inside, amount, rim=7.0):
        """Make a backrun: water pushes pigment out of a patch into a frilled dark line."""
        cover = smoothstep(-1.5, 2.5, inside)
        line = np.exp(-np.abs(inside) / rim) * (inside > -rim * 2)
        settle = 1 - 0.2 * self.tooth[box]
        change = 1 - amount * cover * smoothstep(-5, 45, inside) + 0.55 * amount * line * settle
        self.absorbed[box] *= change[..., None]

    def picture(self):
        """Return the light that comes back from the sheet."""
        white = rgb("fbf7ec") * relief(self.tooth * 0.55, 0.055)[..., None]
        return white * np.exp(-self.absorbed)


def blob(sheet, cx, cy, rx, ry, turn, frill):
    """Window and inside-distance of an ellipse with a frilled edge."""
    box = sheet.window(cx, cy, 1.7 * max(rx, ry))
    if box is None:
        return None, None
    dx, dy = sheet.x[box] - cx, sheet.y[box] - cy
    u = (dx * np.cos(turn) + dy * np.sin(turn)) / rx
    v = (-dx * np.sin(turn) + dy * np.cos(turn)) / ry
    size = min(rx, ry)
    return box, (1 - np.hypot(u, v) + frill * sheet.wobble(sheet.fine, box)) * size


def wet_ground(sheet):
    """Cover the whole sheet with soft running colours, then backruns."""
    rng, (h, w) = sheet.rng, sheet.x.shape
    cool = rgb("a5d6f0", "86c2ec", "b8e6e4", "b3c6f2", "9adcd0", "cdbdf0")
    warm = rgb("fdf0b0", "fbd9cc", "dcedaa", "fae0ee")
    for cx, cy in scatter(rng, (h, w), 190):
        palette = warm if rng.random() < 0.25 + 0.35 * (cy > 0.55 * h) else cool
        rx, ry = rng.uniform(130, 270, 2)
        box, inside = blob(sheet, cx, cy, rx, ry, rng.uniform(0, 3), 0.13)
        if box:
            colour = palette[rng.integers(len(palette))]
            soft = rng.choice((2.5, 2.5, 40.0, 80.0))
            sheet.wash(box, inside, colour, rng.uniform(0.5, 1.0), 0.9, 8, soft, 0.12)
    for cx, cy in scatter(rng, (h, w), 230):
        rx, ry = rng.uniform(45, 120, 2)
        box, inside = blob(sheet, cx, cy, rx, ry, rng.uniform(0, 3), 0.24)
        if box:
            sheet.lift(box, inside, rng.uniform(0.3, 0.6))


def leaf(sheet, x0, y0, length, turn, colour, load=0.95):
    """One curved pointed leaf with a light midrib and darker veins."""
    box = sheet.window(x0, y0, length * 1.15)
    if box is None:
        return
    dx, dy = sheet.x[box] - x0, sheet.y[box] - y0
    u = (dx * np.cos(turn) + dy * np.sin(turn)) / length
    v = (-dx * np.sin(turn) + dy * np.cos(turn)) / length
    v = v - 0.16 * np.sin(np.pi * u.clip(0, 1)) * np.sign(np.sin(turn * 7))
    half = 0.18 * np.sin(np.pi * u.clip(0, 1) ** 0.8) ** 0.9
    inside = (half - np.abs(v) + 0.006 * sheet.wobble(sheet.fine, box)) * length
    inside = np.where((u > 0) & (u < 1), inside, -20)
    rib = smoothstep(0.0, 0.016, np.abs(v))
    vein = 1 + 0.20 * np.cos((u * 1.0 - np.abs(v) * 1.3) * 46)
    tilt = 0.65 + 0.45 * (v > 0)  # one half of the blade lies in shade
    run = 1.25 - 0.7 * u  # the tip is nearly water
    sheet.wash(box, inside, colour, load * (0.3 + 0.7 * rib) * vein * tilt * run, 0.8, 4.0, 1.6)


def petal(sheet, cx, cy, size, turn, colours, load):
    """One petal: frilled rim, pale middle, strong pigment running out of the heart."""
    px, py = cx + 0.56 * size * np.cos(turn), cy + 0.56 * size * np.sin(turn)
    rx, ry = 0.50 * size, 0.40 * size
    box, inside = blob(sheet, px, py, rx, ry * sheet.rng.uniform(0.85, 1.15), turn, 0.05)
    if box is None:
        return
    dx, dy = sheet.x[box] - cx, sheet.y[box] - cy
    r, theta = np.hypot(dx, dy) / size, np.arctan2(dy, dx)
    veins = np.cos(theta * 44 + 2 * sheet.wobble(sheet.fine, box)) * smoothstep(0.1, 0.5, r)
    sheet.wash(box, inside, colours[0], load * (0.62 + 0.13 * veins), 1.1, 5.0, 1.8)
    heart = load * 1.1 * np.exp(-((r / 0.45) ** 2)) * (1 + 0.3 * veins)
    sheet.wash(box, inside, colours[1], heart, 0.25, 4.0, 2.0)


def flower(sheet, cx, cy, size, colours, petals):
    """Paint a flower of overlapping petals in two rows with a dark heart and stamens."""
    rng = sheet.rng
    first = rng.uniform(0, TAU)
    for row, scale in enumerate((1.0, 0.62)):
        for k in range(petals - row):
            turn = first + row * 0.5 + k * TAU / (petals - row) + rng.normal(0, 0.08)
            load = rng.uniform(0.6, 1.0)
            petal(sheet, cx, cy, size * scale * rng.uniform(0.88, 1.12), turn, colours, load)
    box, inside = blob(sheet, cx, cy, 0.13 * size, 0.12 * size, 0, 0.2)
    if box:
        sheet.wash(box, inside, rgb("6a4a3a"), 0.8, 0.6, 5, 7)
    for _ in range(26):
        turn, reach = rng.uniform(0, TAU), size * rng.normal(0.24, 0.045)
        sx, sy = cx + reach * np.cos(turn), cy + reach * np.sin(turn)
        box, inside = blob(sheet, sx, sy, *rng.uniform(3, 6, 2), 0, 0.1)
        if box:
            sheet.wash(box, inside, rgb("5a2a40"), 0.9, 0.4, 2, 1.2)


# x, y (shares of the sheet), size in pixels, palette, number of petals.
BOUQUET = (
    (0.35, 0.36, 205, ("f2604a", "c21f4a"), 6),
    (0.69, 0.55, 225, ("e85a9a", "8a1f7a"), 6),
    (0.26, 0.77, 170, ("f7a83a", "d8481f"), 6),
    (0.72, 0.19, 150, ("8f6fd6", "3f2a94"), 5),
    (0.06, 0.48, 130, ("9f86e0", "4a3aa0"), 5),
    (0.95, 0.84, 150, ("f27a5a", "c22a3a"), 6),
    (0.53, 0.90, 110, ("f7d04a", "e07a1f"), 5),
    (0.12, 0.11, 115, ("f29ac0", "c23a7a"), 5),
    (0.97, 0.38, 95, ("f7c04a", "e0641f"), 5),
    (0.50, 0.07, 85, ("f2887a", "c23a4a"), 5),
)


def paint_watercolour():
    """Paint garden flowers in wet washes over the whole sheet."""
    rng = np.random.default_rng(31)
    sheet = Sheet(rng, 640, 640)
    h, w = sheet.x.shape
    wet_ground(sheet)
    greens = rgb("5fa04a", "2f8060", "8fb83a", "3f7f8a", "4a6f3a", "7aa86a")
    for cx, cy, size, _, _ in BOUQUET:
        for _ in range(9):
            turn = rng.uniform(0, TAU)
            x0 = cx * w + 0.55 * size * np.cos(turn)
            y0 = cy * h + 0.55 * size * np.sin(turn)
            tint = greens[rng.integers(len(greens))]
            leaf(sheet, x0, y0, size * rng.uniform(0.9, 1.5), turn + rng.normal(0, 0.35), tint)
    # Water keeps the flowers clear of the greens behind them: lift before painting.
    for cx, cy, size, _, _ in BOUQUET:
        box, inside = blob(sheet, cx * w, cy * h, size, size, 0, 0.04)
        sheet.absorbed[box] *= (1 - 0.93 * smoothstep(-10, 24, inside))[..., None]
    for cx, cy, size, colours, petals in BOUQUET:
        flower(sheet, cx * w, cy * h, size, rgb(*colours), petals)
    spray = rgb("e85a7a", "3f7fc0", "f2a03a", "5fa04a", "6f5ac0")
    for _ in range(150):
        r = rng.uniform(2.5, 6) if rng.random() < 0.85 else rng.uniform(8, 14)
        box, inside = blob(sheet, rng.uniform(0, w), rng.uniform(0, h), r, r, 0, 0.1)
        if box:
            sheet.wash(box, inside, spray[rng.integers(5)], rng.uniform(0.4, 1), 0.7, 2.5, 1.3)
    return sheet.picture()


# --------------------------------------------------------------------------------------------
# waves
# --------------------------------------------------------------------------------------------

INDIGO = "12233f"
# Control points of a breaking wave in its own frame: the back, and the hollow face.
WAVE_BACK = ((-1.7, 1.08), (-1.05, 0.90), (-0.62, 0.60), (-0.34, 0.22), (-0.06, -0.03),
             (0.26, -0.09), (0.52, 0.05), (0.64, 0.30))  # fmt: skip
WAVE_FACE = ((1.25, 1.08), (0.66, 1.00), (0.30, 0.82), (0.15, 0.56), (0.19, 0.34),
             (0.32, 0.21), (0.49, 0.17), (0.64, 0.30))  # fmt: skip


def code(colour):
    """Hex code as a colour that Pillow understands."""
    return "#" + colour


def wave_curves(cx, cy, scale, flip):
    """Back and face of a breaking wave, placed on the sheet; `flip` is 1 or -1."""
    frame = np.array([scale * flip, scale])
    return tuple(spline(np.array(c) * frame + (cx, cy)) for c in (WAVE_BACK, WAVE_FACE))


def draw_wave_body(draw, back, face):
    """Fill a wave with stripes which sweep from its foot to its tip."""
    edges = np.array([0, 0.10, 0.17, 0.27, 0.34, 0.46, 0.54, 0.62, 0.71, 0.79, 0.88, 0.93, 1.0])
    tints = ("1d4a7c", "2f6ea3", "163660", "7fb0c4", "1d4a7c", "c9dcd6", "163660", "5d9abb",
             "1d4a7c", "c9dcd6", "2f6ea3", "12294d")  # fmt: skip
    t = np.linspace(0, 1, len(back))[:, None]

    def curve_at(u):
        """Line between the back (0) and the face (1) of the wave."""
        sway = 0.018 * np.sin(9 * t + 20 * u) * (0 < u < 1)
        return back + (face - back) * np.clip(u + sway, 0, 1)

    for low, high, tint in zip(edges[:-1], edges[1:], tints, strict=True):
        points = np.concatenate([curve_at(low), curve_at(high)[::-1]])
        draw.polygon([tuple(p) for p in points.tolist()], fill=code(tint))
        # Fine cut lines inside the stripe, which begin and end at different heights.
        for k, part in enumerate((0.25, 0.5, 0.75)):
            line = curve_at(low + part * (high - low))[12 + 17 * k : 165 - 31 * ((k * 2) % 3)]
            fine = "c9dcd6" if tint in ("1d4a7c", "163660", "12294d") else "1d4a7c"
            draw.line([tuple(p) for p in line.tolist()], fill=code(fine), width=2)
    for u in edges:
        line = [tuple(p) for p in curve_at(u).tolist()]
        draw.line(line, fill=code(INDIGO), width=7 if u in (0, 1) else 3, joint="curve")


def finger(rng, discs, x, y, heading, size, bend, depth=1):
    """Append the discs (x, y, radius) of one hooked foam finger and its side fingers."""
    count = 18
    for i in range(count):
        t = i / count
        discs.append((x, y, size * 0.105 * (1 - t) ** 0.55 + 1.5))
        if depth and i in (3, 7, 11):
            finger(rng, discs, x, y, heading - 1.1 * bend, size * 0.52, bend, depth - 1)
        heading += bend * (0.0 + 0.27 * t)
        x, y = x + np.cos(heading) * size / count, y + np.sin(heading) * size / count


def foam_discs(rng, back, face, scale, flip):
    """Foam in three layers of discs: claws of the hollow, claws of the crest, knobs."""
    hollow, crest, knobs = [], [], []
    for i in range(132, 199, 9):
        (x, y), (nx, ny) = face[i], face[i] - face[i - 1]
        heading = np.arctan2(ny, nx) + flip * rng.uniform(0.9, 1.5)
        finger(rng, hollow, x, y, heading, scale * rng.uniform(0.10, 0.17), flip, i % 2)
        hollow.append((x, y, scale * 0.022))
    for i in range(197, 84, -10):
        (x, y), (nx, ny) = back[i], back[i + 1] - back[i]
        heading, grown = np.arctan2(ny, nx), float(smoothstep(80, 150, i))
        size = scale * (0.11 + 0.15 * grown) * rng.uniform(0.85, 1.15)
        finger(rng, crest, x, y, heading - flip * rng.uniform(0.6, 1.0), size, flip)
    for i in range(70, 199, 2):
        grown = float(smoothstep(70, 150, i))
        inward = (face[i] - back[i]) * rng.uniform(-0.01, 0.15) * grown
        r = scale * (0.006 + 0.020 * grown) * rng.uniform(0.5, 1.2)
        knobs.append((*(back[i] + inward), r))
    return hollow, crest, knobs


def draw_discs(draw, discs, line=3.5):
    """Foam in passes: contour of the whole, pale blue shade, cream light from the upper left."""
    passes = ((line, 1, 0, INDIGO), (0, 1, 0, "a9c8cf"), (0, 0.8, 0.22, "f6eedb"))
    for grow, size, shift, tint in passes:
        for x, y, r in discs:
            x, y, r = x - shift * r, y - shift * r, r * size + grow
            draw.ellipse((x - r, y - r, x + r, y + r), fill=code(tint))


def draw_curls(draw, rng, knobs, scale):
    """Small curled cuts inside the foam of a crest."""
    for x, y, _ in knobs[8::3]:
        r = scale * rng.uniform(0.012, 0.026)
        first = rng.uniform(0, 360)
        x, y = x + rng.uniform(-1, 1) * r, y + rng.uniform(-0.5, 1) * r
        draw.arc((x - r, y - r, x + r, y + r), first, first + 150, fill=code("4f7a96"), width=3)


def draw_swell(draw, rng, base, rise, length, start, tints, width):
    """Draw a swell over the whole width: stripes along its crest and a knobbed foam edge."""
    x = np.arange(-20, width + 21, 4.0)
    u = x / length + start + 0.12 * np.sin(x / 217 + 5 * start)
    u = u + 0.09 * np.sin(TAU * u)
    tall = 0.75 + 0.4 * np.sin(x / (0.9 * length) + 9 * start)  # no two crests alike
    crest = base - rise * tall * (1 - np.abs(np.sin(np.pi * u))) ** 1.4
    for i, tint in enumerate(tints):
        drop = i * (13 + rise * 0.10) + (0.45 * i / len(tints)) * (base - crest)
        drop = drop + 3 * np.sin(x / 47 + i * 2 + start * 9)
        line = [*zip(x.tolist(), (crest + drop).tolist(), strict=True)]
        draw.polygon([*line, (width + 20, 2000), (-20, 2000)], fill=code(tint))
        draw.line(line, fill=code(INDIGO), width=5 if i == 0 else 2)
        fine = "c9dcd6" if tint in ("1d4a7c", "163660", "12294d", "2f6ea3") else "1d4a7c"
        for first in range(int(rng.integers(0, 40)), len(x), 44):  # short cuts inside the stripe
            cut = [(a, b + 6 + rise * 0.04) for a, b in line[first : first + rng.integers(12, 34)]]
            draw.line(cut, fill=code(fine), width=2)
    discs = []
    for i in range(0, len(x), 2):
        lift = (base - crest[i]) / rise
        if lift > 0.18:
            discs.append((x[i], crest[i] + 2, (2 + 0.11 * rise * lift) * rng.uniform(0.6, 1.2)))
        if lift > 0.42 and i % 4 == 0:
            way = 1 if i % 8 else -1
            heading = np.pi / 2 - way * rng.uniform(0.2, 1.1)
            finger(rng, discs, x[i], crest[i] + 2, heading, rise * (0.25 + 0.45 * lift), way, 0)
    draw_discs(draw, discs, 3)


def wave_sky(rng, x, y):
    """Bokashi sky: deep indigo above, cream, then a warm band; a red sun and cloud bands."""
    v = y / x.shape[0] + 0.012 * noise(rng, x.shape, 300, 2)
    stops = (0, 0.10, 0.28, 0.46, 0.60, 0.70)
    sky = ramp(stops, rgb("1c3558", "3f6a8c", "a9bfb6", "ecdcb4", "edb988", "d98a6a"), v)
    sun = np.hypot(x - 905, y - 300)
    disc = ramp([0, 60, 130], rgb("e0532f", "d8452c", "b93226"), sun - (y - 300) * 0.4 + 30)
    sky = mix(sky, disc, smoothstep(113, 110, sun))
    for cy, x0, x1, tint in ((150, 500, 1020, "e9e0c6"), (330, 700, 1300, "f0d9b0"),
                             (215, 880, 1290, "dfe0cf"), (70, 20, 420, "8fb0b8"),
                             (395, 560, 980, "e8b48c")):  # fmt: skip
        u = ((x - x0) / (x1 - x0)).clip(0, 1)
        half = 17 * np.sin(np.pi * u).clip(0.01) ** 0.4 * (1 + 0.35 * np.sin(u * 17 + cy))
        d = np.abs(y - cy - 9 * np.sin(u * 7 + cy)) - half
        inside = smoothstep(1, -1, d) * (u > 0) * (u < 1)
        fade = 0.95 - 0.5 * smoothstep(-half, half, y - cy)
        sky = mix(sky, rgb(tint), inside * fade)
        sky = mix(sky, rgb("2b3d55"), 0.8 * smoothstep(2.6, 1.2, np.abs(d)) * (u > 0) * (u < 1))
    return sky


def wave_hills(x, y, sky):
    """Three misty ranges of hills on the horizon, each pale at its foot."""
    for i, (top, tint) in enumerate(((455, "7f8f9c"), (490, "4f6f88"), (520, "2b4d70"))):
        ridge = top + 26 * np.sin(x / (118 - 19 * i) + 2 * i) + 12 * np.sin(x / (41 + 9 * i))
        ridge = ridge + 3 * np.sin(x / 9 + i)
        depth = y - ridge
        colour = ramp([0, 90], np.stack([rgb(tint), rgb("e6c69a")]), depth + 6 * np.sin(x / 60))
        sky = mix(sky, colour, smoothstep(-1, 1, depth))
        sky = mix(sky, rgb(INDIGO), 0.9 * smoothstep(3.0, 1.6, np.abs(depth)))
    return sky


def paint_waves():
    """Paint breaking indigo waves under a bokashi sky, as a colour woodblock print."""
    rng = np.random.default_rng(17)
    x, y = sheet_grid(640, 480)
    width = x.shape[1]
    picture = wave_hills(x, y, wave_sky(rng, x, y))
    image = Image.fromarray((picture.clip(0, 1) * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    deep = ("2f6ea3", "7fb0c4", "1d4a7c", "9fc4cc", "163660")
    deep = (*deep, "5d9abb", "1d4a7c", "c9dcd6", "12294d")
    draw_swell(draw, rng, 585, 20, 120, 0.2, deep[3:], width)
    draw_swell(draw, rng, 640, 45, 210, 0.7, deep, width)
    # Behind, a small wave which breaks to the left; before it the great one to the right.
    for cx, cy, scale, flip in ((1060, 500, 300, -1), (400, 190, 560, 1)):
        back, face = wave_curves(cx, cy, scale, flip)
        draw_wave_body(draw, back, face)
        layers = foam_discs(rng, back, face, scale, flip)
        for discs in layers:
            draw_discs(draw, discs)
        draw_curls(draw, rng, layers[-1], scale)
        tip = back[-1]
        spray = rng.normal(0, 1, (70, 2)) * (0.17 * scale, 0.16 * scale) + tip
        spray += np.array([0.16 * scale * flip, -0.10 * scale])
        draw_discs(draw, [(*p, rng.uniform(1.5, 5)) for p in spray], 2)
    draw_swell(draw, rng, 790, 70, 330, 0.35, deep, width)
    draw_swell(draw, rng, 905, 90, 420, 0.9, deep[2:] + deep[:4], width)
    flat = np.asarray(image, dtype=np.float32) / 255
    # Hand-cut edges: no line of a block is perfectly smooth.
    flat = warp(flat, 1.1 * noise(rng, x.shape, 40, 3), 1.1 * noise(rng, x.shape, 40, 3))
    grain, speckle, fibre = print_texture(rng, x.shape)
    mottle = noise(rng, x.shape, 140, 1.6)
    ink = 1 - flat.min(axis=2)  # paper shows through where there is little ink
    shade = 1 + (0.035 + 0.075 * ink) * grain + 0.03 * mottle + 0.03 * speckle + 0.02 * fibre
    out = mix(flat, rgb("efe4c8"), 0.10 + 0.05 * np.clip(mottle, -1, 2))
    return out * shade[..., None]


# --------------------------------------------------------------------------------------------

PAINTINGS = {
    "night_strokes": paint_night_strokes,
    "stained_glass": paint_stained_glass,
    "woodcut": paint_woodcut,
    "cubist": paint_cubist,
    "watercolour": paint_watercolour,
    "waves": paint_waves,
}


def save(picture, path):
    """Reduce a drawn sheet to its final size and write it as a JPEG."""
    image = Image.fromarray((np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8))
    image = image.resize((image.width // SUPER, image.height // SUPER), Image.Resampling.LANCZOS)
    image.save(path, quality=JPEG_QUALITY, subsampling=0, optimize=True)


def main():
    """Draw the named pictures, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(PAINTINGS)}")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "style")
    options = parser.parse_args()
    unknown = set(options.names) - set(PAINTINGS)
    if unknown:
        parser.error(f"no such picture: {', '.join(sorted(unknown))}")
    options.output.mkdir(parents=True, exist_ok=True)
    for name in options.names or PAINTINGS:
        start = time.perf_counter()
        path = options.output / f"{name}.jpg"
        save(PAINTINGS[name](), path)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB, {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
