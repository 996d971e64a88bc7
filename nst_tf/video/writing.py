"""Write films: H.264 in an mp4, with the frame times and the sound of the original."""

import contextlib
import heapq
import math
from fractions import Fraction

from nst_tf.errors import ImageError
from nst_tf.files import atomic_file
from nst_tf.video.reading import open_container

QUALITY = {"crf": "17", "preset": "medium"}  # of x264; 17 is about visually lossless
MOST_TICKS = 1_000_000  # per second; times that need more are rounded
TICKS = 90_000  # per second if times are rounded: MPEG's clock
COPIED = ("aac", "mp3", "ac3", "eac3", "alac", "opus")  # sound formats that mp4 supports
BT709 = 1  # FFmpeg's number of the color matrix, primaries and transfer of HD video


def write_film(path, times, pictures, sound_of=None):
    """Write pictures as an mp4 (H.264, yuv420p); the file gets its name when it is complete.

    Parameters
    ----------
    path : path
    times : sequence of Fraction
        The time of each picture in seconds, increasing, on the clock of the file `sound_of`.
    pictures : iterable of (H, W, 3) uint8
        One for each time, all of one size with even sides.
    sound_of : path, optional
        The film whose sound is added, for the duration of the pictures. Sound is copied if mp4
        supports its format, otherwise converted to AAC.
    """
    import av

    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(atomic_file(path))
        options = {"movflags": "faststart"}
        film = stack.enter_context(av.open(str(temporary), "w", format="mp4", options=options))
        source = stack.enter_context(open_container(sound_of)) if sound_of else None
        streams = [_video(film, times, pictures)]
        if source is not None and source.streams.audio:
            streams.append(_sound(film, source, times))
        # Streams are interleaved, so that neither the writer nor a player must buffer much.
        for packet in heapq.merge(*streams, key=lambda packet: packet.dts * packet.time_base):
            film.mux(packet)


def clock(times):
    """Return the ticks per second that represent all times exactly, or `TICKS` if too many."""
    ticks = math.lcm(*((time - times[0]).denominator for time in times))
    return ticks if ticks <= MOST_TICKS else TICKS


def duration_of(times):
    """Return the seconds that a film lasts; the last frame lasts as long as the mean frame."""
    span = times[-1] - times[0]
    return span + (span / (len(times) - 1) if len(times) > 1 else Fraction(1, 25))


def _video(film, times, pictures):
    """Add a stream of pictures to a film; return an iterator of its packets."""
    mean = duration_of(times) / len(times)
    stream = film.add_stream("libx264", rate=(1 / mean).limit_denominator(1001), options=QUALITY)
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, clock(times))
    context.colorspace = context.color_primaries = context.color_trc = BT709
    context.color_range = 1
    first, pictures = _first(pictures)
    stream.height, stream.width = first.shape[:2]
    return _encoded(stream, times, pictures)


def _first(pictures):
    """Return the first picture, and an iterator of all pictures."""
    pictures = iter(pictures)
    first = next(pictures)

    def chained():
        yield first
        yield from pictures

    return first, chained()


def _encoded(stream, times, pictures):
    import av

    base = stream.codec_context.time_base
    for time, picture in zip(times, pictures, strict=True):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
        frame.pts, frame.time_base = round((time - times[0]) / base), base
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _sound(film, source, times):
    """Add a stream of sound to a film; return an iterator of its packets."""
    sound = source.streams.audio[0]
    if sound.codec_context.codec.canonical_name in COPIED:
        return _copied(film.add_stream_from_template(sound), source, sound, times)
    stream = film.add_stream("aac", rate=sound.codec_context.sample_rate or 48_000)
    stream.layout = "mono" if sound.codec_context.layout.nb_channels == 1 else "stereo"
    return _as_aac(stream, source, sound, times)


def _copied(stream, source, sound, times):
    """Yield the packets of a sound within the film's time, with times from the film's start."""
    for packet in _pieces(source.demux(sound), times):
        shift = round(times[0] / packet.time_base)
        packet.pts -= shift
        packet.dts -= shift
        packet.stream = stream
        yield packet


def _as_aac(stream, source, sound, times):
    """Yield the packets of a sound within the film's time, encoded as AAC."""
    import av

    resampler = av.AudioResampler(
        format="fltp", layout=stream.layout, rate=stream.rate, frame_size=1024
    )
    begun = None
    for frame in _pieces(source.decode(sound), times):
        begun = frame.pts * frame.time_base - times[0] if begun is None else begun
        for piece in resampler.resample(frame):
            yield from stream.encode(piece)
    yield from stream.encode(None)


def _pieces(pieces, times):
    """Yield packets or frames of a sound that start within the film; stop where it is damaged."""
    import av

    end = times[0] + duration_of(times)
    with contextlib.suppress(av.error.FFmpegError):
        for piece in pieces:
            if piece.pts is None or getattr(piece, "dts", piece.pts) is None:
                continue
            if piece.pts * piece.time_base >= end:
                return
            if piece.pts * piece.time_base >= times[0]:
                yield piece


def check_encoder():
    """Raise `ImageError` if PyAV has no H.264 encoder."""
    import av

    if "libx264" not in av.codecs_available:
        raise ImageError("this PyAV can't write H.264; --write frames writes pictures only")
