"""The masks of a film's frames: a picture for all of them, or a film or folder in step."""

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

TOLERANCE = Fraction(2, 1000)  # seconds; containers round the times of frames to one or finer
NOWHERE = 1e-6  # of a mask that is all black: its style counts as good as nothing


class Masks:
    """The mask of each frame.

    Parameters
    ----------
    path : str
        An entry of `masks`, or `content_map`: a picture, a film, or a folder of pictures, with
        "not:" before it to invert it; or "-".
    config : VideoConfig
        Its `binary_masks`.
    size : (height, width)
        Of the frames that are painted.
    picture_size : (height, width)
        Of the frames that are read, on which the masks were drawn.
    say : callable
        Receives a line about what was assumed, and about masks that end before the film.

    Attributes
    ----------
    moving : bool
        Whether frames may have different masks.

    Raises
    ------
    ImageError
        It can't be read, or a picture is all black or differs from the frames in aspect ratio.
    """

    def __init__(self, path, config, size, picture_size, say):
        self.path, self.inverted = path.removeprefix(NOT), path.startswith(NOT)
        self.binary, self.size, self.picture_size = config.binary_masks, size, picture_size
        self.say, self.folder = say, is_folder(self.path)
        self.moving = path != NO_MASK and (self.folder or not is_picture(self.path))
        if not self.moving:
            self.mask = read_mask(path, size, picture_size, self.binary, say)
            return
        if advice := address_advice(self.path):
            raise ImageError(advice)
        self.pieces = self._of_folder() if self.folder else self._of_film()
        self.coming = next(self.pieces, None)
        if self.coming is None:
            raise ImageError(f"{self.path} has no frame that can be read; masks were expected")
        self.place, self.step, self.levels, self.mask = self.coming[0], 0, None, None

    def of(self, frame):
        """Return the mask of a `Frame` which is not before the last one: (H, W) float32, or None.

        It is the latest one of a film that is not after the frame, both counted from the first
        frames of their files; or the picture that has the frame's place in a folder. Where the
        masks end, the last one remains. Where one is all black, its style acts nowhere.

        Raises
        ------
        ImageError
            It differs from the frame in aspect ratio.
        """
        if not self.moving:
            return self.mask
        place = frame.index if self.folder else frame.since
        while self.coming and (self.levels is None or self.coming[0] <= place + TOLERANCE):
            self.step = self.coming[0] - self.place
            self.place, self.levels = self.coming
            self.coming, self.mask = next(self.pieces, None), None
        if self.mask is None:
            self.mask = self._fitted(self.levels)
        if self.coming is None and self.say and place > self.place + self.step - TOLERANCE:
            at = f"frame {self.place + 1}" if self.folder else f"second {float(self.place):.2f}"
            self.say(f"{self.path} ends with {at}, before the film: its last mask remains")
            self.say = None
        return self.mask

    def _fitted(self, levels):
        check_aspect("mask", self.path, levels.shape, self.picture_size)
        mask = fit_mask(levels, self.size, binary=self.binary)
        mask = 1 - mask if self.inverted else mask
        return mask if mask.any() else np.full_like(mask, NOWHERE)

    def _of_folder(self):
        """Yield the number from 0 and the gray levels (H, W) uint8 of each picture."""
        for number, path in enumerate(Folders(self.say).pictures(self.path)):
            try:
                yield number, mask_levels(path)[0]
            except ImageError as error:
                if number == 0:  # all of them may be of the wrong kind
                    raise
                self.say(f"{error}; the mask before it remains")

    def _of_film(self):
        """Yield the seconds from the first and the gray levels (H, W) uint8 of each frame.

        They are the brightest channel: white and any pure color on black are masks.
        """
        first = None
        for time, picture in decoded(self.path, self.say):
            first = time if first is None else first
            yield time - first, picture().max(axis=-1)
