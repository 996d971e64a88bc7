"""A time-lapse of a run: its saved pictures one after the other, as GIF, WebP or MP4."""

from pathlib import Path

import imageio.v3 as iio
import numpy as np
from PIL import Image

from nst_tf.errors import ConfigError
from nst_tf.files import atomic_file
from nst_tf.image.io import read_picture

SIDES = {"gif": 640, "webp": 960, "mp4": 1280}  # the longer side at most: kind -> pixels
WHOLE = 6.0  # seconds that it should take
SHORTEST, LONGEST = 0.08, 0.5  # seconds of a picture
LAST = 1.5  # seconds that the last one stays


def check_kind(kind):
    """Refuse a kind that can't be made here, before anything is painted."""
    if kind not in SIDES:
        raise ConfigError(f"`animate` is {kind!r}; choose from {', '.join(SIDES)}")
    if kind == "mp4":
        _check_pyav()


def _check_pyav():
    try:
        import av  # noqa: F401
    except Exception as error:  # a library that is missing, another NumPy's build: any kind
        missing = isinstance(error, ModuleNotFoundError) and error.name == "av"
        state = "" if missing else f", which is here but does not load ({error})"
        how = "" if missing else "--force-reinstall "
        raise ConfigError(
            f"an mp4 needs PyAV{state}: `python -m pip install {how}-r requirements-video.txt`; "
            "gif and webp need nothing more"
        ) from None


def save_timelapse(pictures, path):
    """Write pictures as a film; the ending of `path` chooses the format.

    Parameters
    ----------
    pictures : sequence of path
        In order; each stays a moment, the last one longer.
    path : path
        .gif, .webp or .mp4 (H.264, which needs PyAV).

    Returns
    -------
    Path

    Raises
    ------
    ConfigError
        There are no pictures, or this kind can't be made here.
    """
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    check_kind(kind)
    if not pictures:
        raise ConfigError(f"{path.parent} has no saved pictures to make a time-lapse of")
    each = min(max(WHOLE / len(pictures), SHORTEST), LONGEST)
    with atomic_file(path) as temporary:
        (_save_film if kind == "mp4" else _save_pages)(temporary, pictures, SIDES[kind], each)
    return path


def _save_pages(path, pictures, side, each):
    first, *rest = pictures
    stays = [round(1000 * each)] * len(rest) + [round(1000 * LAST)]
    _frame(first, side).save(
        path,
        save_all=True,
        append_images=(_frame(picture, side) for picture in rest),
        duration=stays,
        loop=0,
    )


def _save_film(path, pictures, side, each):
    repeated = round(LAST / each)
    with iio.imopen(path, "w", plugin="pyav") as film:
        film.init_video_stream("libx264", fps=1 / each)
        for picture in pictures:
            frame = np.asarray(_even(_frame(picture, side)))
            film.write_frame(frame)
        for _ in range(repeated):
            film.write_frame(frame)


def _frame(path, side):
    picture = Image.fromarray(read_picture(path))
    picture.thumbnail((side, side))
    return picture


def _even(picture):
    """Cut off a row or a column where there is an odd number: H.264 halves its colours."""
    return picture.crop((0, 0, picture.width // 2 * 2, picture.height // 2 * 2))
