"""Find the pictures that patterns and folders match, and list the files that were skipped."""

import glob
import os

from nst_tf.errors import ConfigError
from nst_tf.files import address_advice
from nst_tf.image.folders import in_folder, is_folder, left_out, no_picture, split
from nst_tf.samples import expected, resolve_picture


def matching(option, patterns, say):
    """Return the pictures that files, folders, patterns and names of samples match.

    From folders and patterns, only files with a picture's extension are used: folders of pictures
    contain credits, too. A folder matches the files in it, but not those in its subfolders.

    Parameters
    ----------
    option : {"content", "style"}
    patterns : sequence of str
    say : callable or None
        Receives a line about the files and subfolders that were left out, if any.

    Returns
    -------
    list of str
        Paths in the order of the patterns, each sorted, without duplicates.

    Raises
    ------
    ConfigError
        There is no picture for a pattern.
    """
    found, others = {}, {}  # ordered sets
    for pattern in patterns:
        pictures, skipped = _matched(option, pattern)
        if not pictures:
            raise ConfigError(f"--{option} {pattern}: {no_picture(skipped)}")
        found.update(dict.fromkeys(pictures))
        others.update(dict.fromkeys(skipped))
    others = [path for path in others if path not in found]
    if others and say:
        say(f"--{option}: {left_out(others)}")
    return list(found)


def _matched(option, pattern):
    """Return the pictures and the other paths that a pattern matches."""
    if advice := address_advice(pattern):
        raise ConfigError(f"--{option}: {advice}")
    path = pattern and resolve_picture(pattern)  # "" is not the working directory
    if is_folder(path):
        return split(in_folder(path))
    if os.path.exists(path):  # noqa: PTH110
        return [path], []
    paths = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207
    if not paths:
        wanted = expected(pattern, "a folder, a pattern, ")
        raise ConfigError(f"--{option} {pattern}: there is no such picture; {wanted}")
    pictures, others = split(paths)
    if "**" in pattern:  # what is in subfolders was matched, too
        others = [path for path in others if not path.endswith(os.sep)]
    return pictures, others
