"""Films as they are read: times, rotation, limits, memory and damage."""

import contextlib
import itertools
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from films import moving_frames, write_clip
from PIL import Image

from nst_tf.errors import ConfigError, ImageError
from nst_tf.video import reading
from nst_tf.video.config import VideoConfig
from nst_tf.video.reading import Film

UNEVEN = [Fraction(n, 1000) for n in (0, 40, 50, 130, 400, 440)]


def read(path, say=None, **knobs):
    return list(Film(VideoConfig(content=str(path), **knobs), say or print))


def test_frames_have_the_times_and_pixels_of_the_file(tmp_path):
    frames = moving_frames(6)
    path = write_clip(tmp_path / "clip.mp4", frames, times=UNEVEN)
    film = Film(VideoConfig(content=str(path)), print)
    found = list(film)
    assert [frame.time for frame in found] == UNEVEN
    assert film.expected == 6
    for frame, original in zip(found, frames):
        assert np.abs(frame.picture.astype(int) - original).mean() < 8


@pytest.mark.parametrize(
    ("knobs", "kept"),
    [
        ({"begin": 0.05}, [2, 3, 4, 5]),
        ({"end": 0.13}, [0, 1, 2]),
        ({"begin": 0.04, "end": 0.42, "every": 2}, [1, 3]),
    ],
)
def test_limits_and_every_nth(tmp_path, knobs, kept):
    path = write_clip(tmp_path / "clip.mp4", moving_frames(6), times=UNEVEN)
    assert [frame.time for frame in read(path, **knobs)] == [UNEVEN[n] for n in kept]


@pytest.mark.parametrize("degrees", [90, -90, 180])
def test_rotated_film_is_read_upright(tmp_path, degrees):
    """A phone's film is stored lying, with the angle to turn it counterclockwise."""
    frame = np.zeros((36, 64, 3), np.uint8)
    frame[:18, :32] = 255  # upper left as stored
    path = write_clip(tmp_path / "phone.mp4", [frame] * 2, rotation=degrees)
    picture = read(path)[0].picture
    upright = np.rot90(frame, degrees // 90)
    assert picture.shape == upright.shape
    assert np.abs(picture.astype(int) - upright).mean() < 10


def test_colors_of_hd_matrix_are_read_as_recorded(tmp_path):
    from nst_tf.video.writing import write_film

    frame = np.zeros((36, 64, 3), np.uint8)
    frame[:] = (200, 40, 90)
    write_film(tmp_path / "red.mp4", [Fraction(0)], [frame])
    assert np.abs(read(tmp_path / "red.mp4")[0].picture.astype(int) - frame).max() <= 3


def test_one_frame_is_held_at_a_time(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "clip.mp4", moving_frames(30))
    converted = []
    original = reading.upright
    monkeypatch.setattr(reading, "upright", lambda *a: converted.append(1) or original(*a))
    frames = iter(Film(VideoConfig(content=str(path), every=3), print))
    assert len(list(itertools.islice(frames, 2))) == 2
    assert len(converted) == 2, "frames that are not painted are not converted either"


def test_damaged_film_is_read_as_far_as_it_can_be(tmp_path):
    path = write_clip(tmp_path / "clip.avi", moving_frames(40))
    data = bytearray(path.read_bytes())
    middle = slice(len(data) // 3, len(data) // 3 + 600)
    data[middle] = np.random.default_rng(0).integers(0, 256, 600, np.uint8).tobytes()
    path.write_bytes(data)
    lines = []
    found = read(path, lines.append)
    assert 20 <= len(found) <= 40
    times = [frame.time for frame in found]
    assert times == sorted(set(times))


def test_skipped_frame_is_reported_once(tmp_path):
    for number, frame in enumerate(moving_frames(3)):
        Image.fromarray(frame).save(tmp_path / f"{number}.png")
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    lines = []
    film = Film(VideoConfig(content=str(tmp_path)), lines.append)
    assert len(list(film)) == len(list(film)) == 2
    assert len(lines) == 1


def test_cut_off_film_is_read_to_its_end(tmp_path):
    path = write_clip(tmp_path / "clip.ts", moving_frames(20), codec="libx264", format="mpegts")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    assert 8 <= len(read(path)) < 20


def test_too_large_film_is_refused(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "clip.mp4", moving_frames(2))
    monkeypatch.setattr(reading, "MAX_PIXELS", 64 * 36 - 1)
    with pytest.raises(ImageError, match="the film has 64x36 pixels; from 32x32 to 2303 pixels"):
        read(path)


@pytest.mark.parametrize(("most", "widths"), [(100_000, []), (2**25, [1280])])
def test_decoder_refuses_frames_that_are_larger_than_the_first(tmp_path, monkeypatch, most, widths):
    """In MPEG-4 each key frame may have its own size, and a decoder allocates memory for it."""
    small, large = (
        write_clip(tmp_path / f"{width}.mp4", moving_frames(2, 36, width)) for width in (64, 1280)
    )
    monkeypatch.setattr(reading, "MAX_PIXELS", most)
    with av.open(str(large)) as film:
        key = next(film.demux(film.streams.video[0]))
        key = av.Packet(film.streams.video[0].codec_context.extradata + bytes(key))
    with reading.open_container(small) as film:
        stream = reading.video_stream(film, small)
        stream.thread_type = "SLICE"  # a frame comes with its packet
        assert next(film.decode(stream)).width == 64
        found = []
        with contextlib.suppress(av.error.FFmpegError):
            found = [frame.width for frame in stream.codec_context.decode(key)]
    assert found == widths


def test_folder_of_other_sizes_is_refused(tmp_path):
    for number, width in enumerate((64, 64, 66)):
        Image.fromarray(np.zeros((36, width, 3), np.uint8)).save(tmp_path / f"{number}.png")
    with pytest.raises(ImageError, match=r"64x36 pixels at first, and 66x36 at second 0.08"):
        read(tmp_path)


def test_missing_pyav_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)  # as if it were not installed
    with pytest.raises(ConfigError, match="a film needs PyAV: `python -m pip install -r req"):
        read(tmp_path / "clip.mp4")
