"""Films as they are written: times, sound, and files that appear when they are complete."""

from fractions import Fraction

import av
import numpy as np
import pytest
from films import film_of, moving_frames, write_clip

from nst_tf.video.writing import clock, write_film


def times_of(numbers, ticks=1000):
    return [Fraction(number, ticks) for number in numbers]


def test_film_has_uneven_times_and_the_right_format(tmp_path):
    times, frames = times_of((500, 540, 550, 630, 900)), moving_frames(5)
    write_film(tmp_path / "film.mp4", times, iter(frames))
    found, pictures, sound = film_of(tmp_path / "film.mp4")
    assert found == pytest.approx([0, 0.04, 0.05, 0.13, 0.4])
    assert sound is None
    assert np.abs(pictures[4].astype(int) - frames[4]).mean() < 8
    with av.open(str(tmp_path / "film.mp4")) as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")


def test_clock_measures_usual_times_exactly_and_rounds_strange_ones():
    ntsc = [Fraction(1001 * n, 30_000) for n in range(5)]
    assert clock(ntsc) == 30_000
    assert clock([Fraction(0), Fraction(1, 999_983), Fraction(1, 7)]) == 90_000


@pytest.mark.parametrize(
    ("suffix", "codec", "kept"),
    [("mp4", "aac", "aac"), ("avi", "pcm_s16le", "aac"), ("mkv", "mp3", "mp3float")],
)
def test_sound_is_kept_for_the_time_of_the_film(tmp_path, suffix, codec, kept):
    clip = write_clip(tmp_path / f"clip.{suffix}", moving_frames(30), sound=codec)
    times = [Fraction(n, 25) for n in range(10, 25)]
    write_film(tmp_path / "film.mp4", times, moving_frames(15), clip)
    found, _, (name, seconds) = film_of(tmp_path / "film.mp4")
    assert name == kept
    assert found == pytest.approx([n / 25 for n in range(15)])
    assert seconds == pytest.approx(0.6, abs=0.08)


def test_failure_leaves_no_file(tmp_path):
    def pictures():
        yield moving_frames(1)[0]
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        write_film(tmp_path / "film.mp4", times_of((0, 40)), pictures())
    assert not list(tmp_path.iterdir())
