"""Small films for the tests, and a flow that is known."""

from fractions import Fraction

import av
import numpy as np
from pictures import make_picture
from PIL import Image

from nst_tf.video.config import VideoConfig


def moving_frames(count, height=36, width=64, step=2, seed=0):
    """Return frames of a view that moves to the right over a random picture, `step` pixels each."""
    scene = make_picture(height, width + step * count, seed)
    return [scene[:, step * n : step * n + width].copy() for n in range(count)]


def shift(first, second):
    """Return the flow between two of `moving_frames`, found by trying whole steps."""
    size = first.shape[:2]
    steps = range(-8, 9)
    wide = {dx: np.roll(second.astype(int), -dx, 1) for dx in steps}
    inner = slice(10, -10)
    error = {dx: np.abs(first - moved)[:, inner].mean() for dx, moved in wide.items()}
    flow = np.zeros((*size, 2), np.float32)
    flow[..., 0] = min(steps, key=error.get)
    return flow


def write_clip(path, frames, *, times=None, codec="mpeg4", sound=None, rotation=None, **options):
    """Write frames as a film; `times` are seconds (default: 25 frames each), `sound` its codec."""
    times = times or [Fraction(n, 25) for n in range(len(frames))]
    with av.open(str(path), "w", **options) as film:
        stream = film.add_stream(codec, rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 4_000_000
        stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        voice = film.add_stream(sound, rate=48_000) if sound else None
        for time, picture in zip(times, frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
        if voice:
            write_sound(film, voice, float(times[-1]) + 0.04)
    return path


def film_of_two_scenes(weights, *counts, **knobs):
    """Write a painting and a film with `counts` frames in its scenes; return a config for them."""
    Image.fromarray(make_picture(40, 52, seed=1)).save("brush.png")
    first, second = counts
    write_clip("clip.mp4", [*moving_frames(first), *moving_frames(second, seed=5)])
    return VideoConfig(
        content="clip.mp4",
        style=("brush.png",),
        weights=str(weights),
        iterations=3,
        frame_iterations=2,
        size="64",
        content_layers=("conv2_1",),
        style_layers=("conv1_1", "conv2_1"),
        links=(1, 2),
        **knobs,
    )


def write_sound(film, voice, seconds):
    """Write a tone of 440 Hz."""
    tone = np.sin(2 * np.pi * 440 * np.arange(int(48_000 * seconds)) / 48_000)
    layout = "stereo"
    for at in range(0, len(tone), 1024):
        part = np.float32(tone[at : at + 1024])
        frame = av.AudioFrame.from_ndarray(np.stack([part, part]), format="fltp", layout=layout)
        frame.pts, frame.sample_rate, frame.time_base = at, 48_000, Fraction(1, 48_000)
        film.mux(voice.encode(frame))
    film.mux(voice.encode(None))


def film_of(path):
    """Return times, pictures and (codec, seconds) of the sound of a film; None without sound."""
    with av.open(str(path)) as film:
        frames = [(float(f.time), f.to_ndarray(format="rgb24")) for f in film.decode(video=0)]
    with av.open(str(path)) as film:
        sound = None
        if film.streams.audio:
            name = film.streams.audio[0].codec_context.name
            sound = name, sum(f.samples / f.sample_rate for f in film.decode(audio=0))
    times, pictures = zip(*frames)
    return list(times), list(pictures), sound
