"""The masks of a film: one picture for all frames, or a film or directory of masks."""

import functools
from fractions import Fraction

import numpy as np

from nst_tf.config import NO_MASK, NOT
from nst_tf.errors import ImageError
from nst_tf.files import address_advice
from nst_tf.image.folders import Folders, is_folder
from nst_tf.image.io import is_picture
from nst_tf.image.mask_files import mask_levels
from nst_tf.image.masks import check_aspect, fit_mask
from nst_tf.jobs.inputs import read_mask
from nst_tf.video.reading import decoded

TOLERANCE = Fraction(2, 1000)  # seconds; containers round frame times to a millisecond or finer
NOWHERE = 1e-6  # value of a mask that is all black, so that its style has almost no effect


class Masks:
    """The mask of each frame.

    Parameters
    ----------
    path : str
        An entry of `masks`, or `content_map`: a picture, a film, or a directory of pictures, after
        "not:" to invert it; or "-".
    config : VideoConfig
        Only `binary_masks` is read.
    size : (height, width)
        Size of the painted frames.
    picture_size : (height, width)
        Size of the original frames, on which the masks were drawn.
    say : callable
        Called with a message about assumptions, and about masks that end before the film.

    Attributes
    ----------
    moving : bool
        Whether frames may have different masks.

    Raises
    ------
    ImageError
        It can't be read, or it is one picture that is all black or has another aspect ratio than
        the frames.
    """

    def __init__(self, path, config, size, picture_size, say):
        self.path, self.inverted = path.removeprefix(NOT), path.startswith(NOT)
        self.binary, self.size, self.picture_size = config.binary_masks, size, picture_size
        self.say = functools.cache(say)  # masks that are read twice are reported once
        self.folder = is_folder(self.path)
        self.moving = path != NO_MASK and (self.folder or not is_picture(self.path))
        if not self.moving:
            self.mask = read_mask(path, size, picture_size, self.binary, say)
            return
        if advice := address_advice(self.path):
            raise ImageError(advice)
        self._begin()

    def _begin(self):
        """Read the masks from the first one."""
        self.pieces = self._of_folder() if self.folder else self._of_film()
        self.coming = next(self.pieces, None)
        if self.coming is None:
            raise ImageError(f"{self.path} has no frame that can be read; masks were expected")
        self.place, self.step, self.levels, self.mask = self.coming[0], 0, None, None

    def of(self, frame):
        """Return the mask of a `Frame`: (H, W) float32, or None.

        Pass the frames in order: for one before the current mask, the masks are read again from
        the first.

        From a film of masks, it is the latest one that is not after the frame; both times count
        from the first frame of their file. From a directory, it is the picture with the index of
        the frame. After the masks end, the last one is used. A style whose mask is all black acts
        nowhere.

        Raises
        ------
        ImageError
            Its aspect ratio differs from the frame's.
        """
        if not self.moving:
            return self.mask
        place = frame.index if self.folder else frame.since
        if self.levels is not None and place + TOLERANCE < self.place:
            self._begin()
        while self.coming and (self.levels is None or self.coming[0] <= place + TOLERANCE):
            self.step = self.coming[0] - self.place
            self.place, self.levels = self.coming
            self.coming, self.mask = next(self.pieces, None), None
        if self.mask is None:
            self.mask = self._fitted(self.levels)
        if self.coming is None and place > self.place + self.step - TOLERANCE:
            at = f"frame {self.place + 1}" if self.folder else f"second {float(self.place):.2f}"
            self.say(
                f"{self.path} ends at {at}, before the film; its last mask is used for the rest"
            )
        return self.mask

    def _fitted(self, levels):
        check_aspect("mask", self.path, levels.shape, self.picture_size)
        mask = fit_mask(levels, self.size, binary=self.binary)
        mask = 1 - mask if self.inverted else mask
        return mask if mask.any() else np.full_like(mask, NOWHERE)

    def _of_folder(self):
        """Yield the index and the gray levels (H, W) uint8 of each picture."""
        for number, path in enumerate(Folders(self.say).pictures(self.path)):
            try:
                yield number, mask_levels(path)[0]
            except ImageError as error:
                if number == 0:  # probably none of them is a mask
                    raise
                self.say(f"{error}; the previous mask is used instead")

    def _of_film(self):
        """Yield the seconds since the first frame and the gray levels (H, W) uint8 of each frame.

        A gray level is the pixel's brightest channel, so a pure color on black is a mask, too.
        """
        first = None
        for time, picture in decoded(self.path, self.say):
            first = time if first is None else first
            yield time - first, picture().max(axis=-1)
