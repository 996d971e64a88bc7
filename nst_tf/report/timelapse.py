"""A time-lapse of the saved pictures of a run, as GIF, WebP or MP4."""

from pathlib import Path

import imageio.v3 as iio
import numpy as np
from PIL import Image

from nst_tf.console import raise_if_interrupted
from nst_tf.errors import ConfigError
from nst_tf.files import atomic_file
from nst_tf.image.io import read_picture

SIDES = {"gif": 640, "webp": 960, "mp4": 1280}  # maximum longer side in pixels
DURATION = 6.0  # intended total, in seconds
SHORTEST, LONGEST = 0.08, 0.5  # limits of the seconds per picture
LAST = 1.5  # seconds of the last picture


def check_kind(kind):
    """Raise `ConfigError` if a format is not supported on this machine."""
    if kind not in SIDES:
        raise ConfigError(f"`animate` is {kind!r}; choose from {', '.join(SIDES)}")
    if kind == "mp4":
        check_pyav("an mp4", "; gif and webp need no extra package")


def check_pyav(what, otherwise=""):
    """Raise `ConfigError` if PyAV, which `what` needs, is missing or broken."""
    try:
        import av  # noqa: F401
    except Exception as error:  # a missing library or another NumPy ABI raise any type
        missing = isinstance(error, ModuleNotFoundError) and error.name == "av"
        state = "" if missing else f", which is installed but fails to import ({error})"
        flag = "" if missing else "--force-reinstall "
        raise ConfigError(
            f"{what} needs PyAV{state}: `python -m pip install {flag}-r requirements-video.txt`"
            f"{otherwise}"
        ) from None


def save_timelapse(pictures, path):
    """Write pictures as an animation; the suffix of `path` selects the format.

    Parameters
    ----------
    pictures : sequence of path
        In order; the last one is shown longer.
    path : path
        .gif, .webp or .mp4 (H.264, which needs PyAV).

    Returns
    -------
    Path

    Raises
    ------
    ConfigError
        There are no pictures, or the format is not supported on this machine.
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    check_kind(kind)
    if not pictures:
        raise ConfigError(f"{path.parent} has no saved pictures to make a time-lapse of")
    seconds = min(max(DURATION / len(pictures), SHORTEST), LONGEST)
    with atomic_file(path) as temporary:
        save = _save_film if kind == "mp4" else _save_pages
        save(temporary, pictures, SIDES[kind], seconds)
    return path


def _save_pages(path, pictures, side, seconds):
    first, *rest = pictures
    durations = [round(1000 * seconds)] * len(rest) + [round(1000 * LAST)]
    _frame(first, side).save(
        path,
        save_all=True,
        append_images=(_frame(picture, side) for picture in rest),
        duration=durations,
        loop=0,
    )


def _save_film(path, pictures, side, seconds):
    repeats = round(LAST / seconds)
    with iio.imopen(path, "w", plugin="pyav") as film:
        film.init_video_stream("libx264", fps=1 / seconds)
        for picture in pictures:
            frame = np.asarray(_even(_frame(picture, side)))
            film.write_frame(frame)
        for _ in range(repeats):
            film.write_frame(frame)


def _frame(path, side):
    raise_if_interrupted()
    picture = Image.fromarray(read_picture(path, say=None))
    picture.thumbnail((side, side))
    return picture


def _even(picture):
    """Crop to even sides: H.264 stores color at half the resolution."""
    return picture.crop((0, 0, picture.width // 2 * 2, picture.height // 2 * 2))
