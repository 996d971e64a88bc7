"""Save the result of a run in the form that its config asks for."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nst_tf.config import SAVING, SETTINGS, JobConfig
from nst_tf.console import uninterrupted
from nst_tf.image.io import save_image
from nst_tf.image.pixels import PixelSpace, quantized
from nst_tf.image.sizes import resize_picture
from nst_tf.jobs.inputs import Finish, with_full_paths
from nst_tf.rundir.journal import record_picture, recorded_picture
from nst_tf.rundir.layout import RESULT


@dataclass(frozen=True)
class Output:
    """The files of a run's result: result.png, and the one that --output names.

    Attributes
    ----------
    folder : Path
        The run directory.
    config : JobConfig
    space : PixelSpace
        Of the trunk.
    finish : Finish
    """

    folder: Path
    config: JobConfig
    space: PixelSpace
    finish: Finish

    def save(self, result):
        """Save the result picture with its settings, uninterrupted by signals; return the path."""
        path = self.folder / RESULT
        with uninterrupted():
            self._write(path, result)
        return path

    def save_outside(self, result):
        """Save the picture file outside of the run directory, if --output names one.

        Returns
        -------
        Path or None

        Raises
        ------
        ConfigError
            Another file has come in its place.
        """
        path = recorded_picture(self.folder)
        if path is not None:
            with uninterrupted():
                self._write(path, result)
                record_picture(self.folder, path)
        return path

    def picture(self, result):
        """Return the picture of a `Result` to be saved: (H, W, 3) uint8, or uint16.

        For 16 bits, another color space or another size, it is made of the image before rounding.
        """
        form = self.config.form
        if form["bits"] == 8 and form["profile"] != "p3" and self.finish.photograph is None:
            return result.picture
        finish = self.finish.for_result()
        levels = self.space.to_picture(result.image, np.float32)
        size, resample = finish.content.shape[:2], self.config.resample
        levels = resize_picture(levels, size, resample, wrap=self.config.wrap)
        return quantized(finish(np.clip(levels, 0, 255)), 16)

    def _write(self, path, result):
        save_image(path, self.picture(result), notes=notes_of(self.config), **self.config.form)


def notes_of(config):
    """Return the settings in a picture, which is sent to others: names, no directories."""
    return {SETTINGS: with_full_paths(config).with_names().text(without=SAVING)}
