"""Read films: one frame at a time, with the time of each frame."""

import functools
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nst_tf.errors import ImageError
from nst_tf.files import address_advice
from nst_tf.image.folders import Folders, is_folder
from nst_tf.image.io import read_picture
from nst_tf.image.sizes import MIN_SIDE
from nst_tf.report.timelapse import check_pyav

MAX_PIXELS = 2**25  # of a frame: 8K has 33,177,600
MOST_LOST = 10_000  # packets of a damaged film that can't be decoded; then the rest is skipped


class Frame(NamedTuple):
    """A frame of a film.

    Attributes
    ----------
    time : Fraction
        In seconds, on the clock of the file, which may start at any value.
    picture : (H, W, 3) uint8
        Upright.
    index : int
        Its index among all frames of the file or directory, from 0.
    since : Fraction
        Seconds since the first frame of the file or directory.
    """

    time: Fraction
    picture: np.ndarray
    index: int
    since: Fraction


class Film:
    """The frames to paint, from a film or from a directory of pictures.

    Each iteration reads them from the start and has one frame in memory at a time. Frames that
    can't be read are skipped.

    Parameters
    ----------
    config : VideoConfig
        Only `content`, `begin`, `end`, `every` and `rate` are read.
    say : callable
        Called with each message about skipped frames, once however often the film is read.

    Attributes
    ----------
    expected : int or None
        The approximate number of frames; None if the file does not record it.
    """

    def __init__(self, config, say):
        self.config, self.say = config, functools.cache(say)
        if advice := address_advice(config.content):
            raise ImageError(advice)
        self.folder = is_folder(config.content)
        if self.folder:
            self.files = Folders(self.say).pictures(config.content)
            self.expected = self._share(len(self.files), len(self.files) / config.rate)
        else:
            check_pyav("a film")
            self.expected = self._share(*_length(config.content))

    def __iter__(self):
        """Yield each `Frame`.

        Raises
        ------
        ImageError
            There are no frames, or they have different sizes.
        """
        config, origin, last, seen, late, size = self.config, None, None, 0, 0, None
        begin, end = exact(config.begin), None if config.end is None else exact(config.end)
        if self.folder:
            pictures = self._of_folder()
        else:
            pictures = enumerate(decoded(config.content, self.say))
        for index, (time, picture) in pictures:
            origin = time if origin is None else origin
            if end is not None and time - origin >= end:
                break
            if last is not None and time <= last:
                late += 1
                continue
            if time - origin < begin:
                continue
            last, seen = time, seen + 1
            if (seen - 1) % config.every == 0:
                pixels = picture()
                size = size or pixels.shape
                if pixels.shape != size:
                    raise ImageError(_other_size(config.content, time - origin, size, pixels.shape))
                yield Frame(time, pixels, index, time - origin)
        if late:
            self.say(f"{config.content}: {late} frames skipped: their times do not increase")
        if not seen:
            raise ImageError(_nothing(config, origin))

    def _of_folder(self):
        for number, path in enumerate(self.files):
            try:
                picture = read_picture(path, say=None)
            except ImageError as error:
                self.say(f"{error}; the frame is skipped")
                continue
            yield number, (number / exact(self.config.rate), lambda p=picture: p)

    def _share(self, frames, seconds):
        """Return about how many of the frames are to be painted."""
        if not frames or not seconds:
            return None
        end = min(self.config.end or seconds, seconds)
        share = max(end - self.config.begin, 0) / seconds
        return max(round(frames * share / self.config.every), 1)


def exact(number):
    """Return a decimal number as an exact fraction: 0.1 is a tenth."""
    return Fraction(number).limit_denominator(10**6)


def _other_size(path, seconds, size, other):
    return (
        f"{path} has {size[1]}x{size[0]} pixels at first, and {other[1]}x{other[0]} at second "
        f"{float(seconds):.2f}; a film of one size was expected"
    )


def _nothing(config, origin):
    if origin is None:
        return f"{config.content} has no frame that can be read; a film was expected"
    return f"{config.content} has no frame at or after second {config.begin:g}; choose other limits"


# ---------------------------------------------------------------------------- files


def decoded(path, say):
    """Yield the time of each decoded frame, and a function that returns its upright picture."""
    import av

    lost = damaged = 0
    with open_container(path) as container:
        stream = video_stream(container, path)
        tick = 1 / (stream.average_rate or Fraction(25))
        time = -tick
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
                frames = packet.decode()
            except StopIteration:
                break
            except av.error.FFmpegError:
                lost += 1
                if lost > MOST_LOST:
                    break
                continue
            for frame in frames:
                known = frame.pts is not None
                time = frame.pts * frame.time_base if known else time + tick
                damaged += bool(frame.is_corrupt)
                yield time, lambda frame=frame: upright(frame, stream)
    if lost or damaged:
        say(f"{path}: {lost} packets of the film can't be decoded, {damaged} frames are damaged")


def upright(frame, stream):
    """Return a decoded frame as a picture (H, W, 3) uint8 with square pixels, rotated upright."""
    aspect = stream.sample_aspect_ratio or 1
    width = max(round(frame.width * aspect), 1)
    _check_size(width, frame.height)
    picture = frame.to_ndarray(format="rgb24", width=width)
    return np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90)))


def _check_size(width, height):
    if min(width, height) < MIN_SIDE or width * height > MAX_PIXELS:
        raise ImageError(
            f"the film has {width}x{height} pixels; from {MIN_SIDE}x{MIN_SIDE} to {MAX_PIXELS} "
            "pixels were expected"
        )


def open_container(path):
    """Open a film. PyAV may read only this file, not other files that it refers to.

    Raises
    ------
    ImageError
        The file can't be read or is not a film.
    """
    import av

    path = Path(path)
    if not path.is_file():
        kind = "is not a file" if path.exists() else "does not exist"
        raise ImageError(f"{path} {kind}; a film or a directory of frames was expected")
    try:
        return av.open(str(path.absolute()), options={"protocol_whitelist": "file"})
    except (av.error.FFmpegError, OSError) as error:
        raise ImageError(
            f"{path} can't be read as a film: {error.strerror or error}; mp4, mov, webm, mkv, avi "
            "or similar was expected"
        ) from None


def video_stream(container, path):
    """Return the video stream of a film, not that of its cover picture."""
    import av

    cover = av.stream.Disposition.attached_pic
    streams = [stream for stream in container.streams.video if not stream.disposition & cover]
    if not streams:
        raise ImageError(f"{path} has sound, but no pictures; a film was expected")
    stream = streams[0]
    if stream.width and stream.height:
        _check_size(stream.width, stream.height)
    stream.thread_type = "AUTO"
    # The size may change in the middle of a damaged film, and the decoder allocates memory for it.
    # The limit is doubled, because it includes the margins that codecs add to a frame.
    stream.codec_context.options = {"max_pixels": str(2 * MAX_PIXELS)}
    return stream


def _length(path):
    """Return the number of frames and the seconds that a film's file records, or else 0."""
    with open_container(path) as container:
        stream = video_stream(container, path)
        seconds = (container.duration or 0) / 1e6
        return stream.frames or float(stream.average_rate or 0) * seconds, seconds
