"""A second pass over a film, from its last frame to its first: `--passes 2`.

Ruder, Dosovitskiy and Brox 2016, "Multi-pass algorithm": the passes alternate their direction, and
a frame starts as a blend of its own image in the pass before with its neighbor, moved along the
motion. In the paper, the first pass paints each frame by itself; here it is the usual one.

The second pass has its own directory in that of the film (or of the scene): frame 1 there is the
last frame. All images of the first pass are kept until the film is finished.
"""

from collections import deque
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import islice
from math import nan
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

from nst_tf.console import raise_if_interrupted
from nst_tf.errors import Diverged
from nst_tf.files import copy_file, make_folder
from nst_tf.rundir.layout import BACKWARD, FIRST_ROWS, FRAMES
from nst_tf.video.film import paint_frames
from nst_tf.video.painter import Fitted, Painter
from nst_tf.video.record import Record, load_painted, picture_path, read_rows, write_rows

MOST_BYTES = 2**29  # of the frames that are held in memory to reverse their order


def paint_passes(folder, frames, painter, record, *, callbacks=(), say, show=None):
    """Paint the missing frames of both passes, and merge them.

    Parameters
    ----------
    folder, painter, record, callbacks, say
        As for `paint_frames`. `record` gets the merged rows.
    frames : iterable of Frame
        All frames. It is read several times, each time from the first frame.
    show : callable, optional
        Called with the rows of a pass after each frame, the keyword `title`, and for the second
        pass also `expected` and `done`: its number of frames, and of those from an earlier run.
    """
    folder, options = Path(folder), {"callbacks": callbacks, "say": say}
    backward, first = folder / BACKWARD, folder / BACKWARD / FIRST_ROWS
    if not record.rows and backward.is_dir():  # no part of it can be continued
        rmtree(backward)
    titled = show and partial(show, title="first pass: ")
    paint_frames(folder, frames, painter, record, **options, show=titled, keep_images=True)
    make_folder(backward)
    if not first.exists():
        copy_file(folder / FRAMES, first)
    again = Record(backward, max(painter.config.links))
    done, count = len(again.rows), len(record.rows)
    titled = show and partial(show, title="second pass: ", expected=count, done=done)
    second = SecondPainter(painter, folder, record.rows)
    try:
        paint_frames(backward, second.reverse(frames), second, again, **options, show=titled)
    except Diverged as error:
        error.add_note("this is the second pass, whose frame 1 is the last frame")
        raise
    record.rows[:] = merge_passes(folder)


def merge_passes(folder):
    """Replace the frames and rows of the first pass by those of both; return the rows.

    This can be repeated, also after an interruption. If a pass is not complete, nothing is
    replaced, and the list is empty.

    Returns
    -------
    list of Row
        Iterations and seconds are sums; the losses, `followed` and the flicker are those of the
        second pass.
    """
    folder, backward = Path(folder), Path(folder) / BACKWARD
    first, second = read_rows(folder, f"{BACKWARD}/{FIRST_ROWS}"), read_rows(backward)
    if not first or len(first) != len(second):
        return []
    for row in second:
        copy_file(
            picture_path(backward, row.frame), picture_path(folder, len(first) + 1 - row.frame)
        )
    second.reverse()
    # In the second pass, the flicker between two frames is in the row of the earlier one.
    flicker = [nan, *(row.flicker for row in second[:-1])]
    rows = [
        replace(
            again,
            frame=row.frame,
            time=row.time,
            iterations=row.iterations + again.iterations,
            seconds=round(row.seconds + again.seconds, 3),
            flicker=change,
        )
        for row, again, change in zip(first, second, flicker)
    ]
    write_rows(folder, rows)
    return rows


class Reversed(NamedTuple):
    """A frame for the second pass.

    Attributes
    ----------
    time : Fraction
        The negative time of the frame, so that times increase.
    fitted : Fitted
    """

    time: Fraction
    fitted: Fitted


class SecondPainter(Painter):
    """Paint frames from the last to the first, with the model, styles and masks of a `Painter`.

    The scenes are those of the first pass. The style targets of a scene are computed for its last
    frame.

    Parameters
    ----------
    painter : Painter
        It has painted the first pass, or passed by it.
    folder : path
        The directory of the first pass, with the images of all frames.
    rows : sequence of Row
        The rows of the first pass.
    """

    def __init__(self, painter, folder, rows):
        vars(self).update(vars(painter))
        self.config = painter.config.changed(cut=0.0)  # no more cuts than those of the rows
        self.recent, self.task = deque(maxlen=painter.recent.maxlen), None
        self.first_pass, self.rows = folder, rows
        self.scene = rows[-1].scene + 1

    def reverse(self, frames):
        """Yield each `Reversed` frame, from the last to the first.

        Films are read forward, so each part of them that fits into memory is read from the start.
        """
        height, width = self.size
        moving = sum(mask.moving for mask in (*self.masks, self.content_map))
        size = self.first.photograph.nbytes + (3 + 4 * moving) * height * width
        length, part = max(MOST_BYTES // size, 1), []
        for last in range(len(self.rows), 0, -length):
            for number, frame in enumerate(islice(frames, last)):
                raise_if_interrupted()
                if number >= last - length:
                    part.append(Reversed(-frame.time, super()._fitted(frame)))
            while part:
                yield part.pop()

    def paint(self, number, frame, folder, **options):
        """Paint the next frame; parameters and return value as for `Painter.paint`."""
        if number > 1 and self.rows[-number].scene != self.rows[1 - number].scene:
            self.recent.clear()
        return super().paint(number, frame, folder, **options)

    def _begin_scene(self, fitted):
        super()._begin_scene(fitted)
        self.scene -= 2  # the scene before

    def _own(self, number):
        return load_painted(self.first_pass, self.rows[-number].frame)

    def _fitted(self, frame):
        return frame.fitted
