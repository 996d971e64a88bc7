"""Memory and time that some methods need in addition to the network's."""

from typing import NamedTuple

from nst_tf.objective.neighbors import STRIDE
from nst_tf.objective.patches import KERNELS, SCORES, SIDE
from nst_tf.objective.statistics import SHIFTS
from nst_tf.objective.transport import POOL, SAMPLES

SEARCHING = 0.4  # of an update's convolutions, what hypercolumns or the last pass's search take


class Needs(NamedTuple):
    """Memory and operations of a method, in addition to those of the network.

    Attributes
    ----------
    memory : float
        Bytes.
    an_update, a_level : float
        Multiplications and additions in each update, and at the start of a level.
    share : float
        Other time of an update, as a fraction of the time of its convolutions.
    """

    memory: float
    an_update: float = 0.0
    a_level: float = 0.0
    share: float = 0.0


def patches(config, maps, area, piece, width):
    """Return the needs of `patches`, for a picture and a style of the same size.

    The features of style and picture (of both pictures of an analogy) are held for the whole run;
    a comparison holds its scores, its kernels twice, and three maps of the largest layer.

    Parameters
    ----------
    config : TransferConfig
    maps : list of (int, int)
        Channels and stride of each style layer.
    area, piece : int
        Pixels of the picture, and those that are processed at once.
    width : int
        Bytes of a number.

    Returns
    -------
    Needs
    """
    held = 2 * area * _bytes_a_pixel(maps, width)
    wanted = max(4 * n * piece / stride**2 for n, stride in maps)
    memory = held + SCORES * (4 + width) + 2 * KERNELS * width + 3 * wanted
    compared = sum(2 * SIDE**2 * n * (area / stride**2) ** 2 for n, stride in maps)
    return Needs(memory, compared / config.patch_stride**4)


def neighbors(config, maps, area, piece, width):
    """Return the needs of `neighbors`, for a picture and a style of the same size.

    Matching holds the hypercolumns of the style twice for each rotation (three times if gray copies
    are matched) and those of the picture twice. The loop holds the targets and the hypercolumns of
    the picture four times. Both hold a comparison. Parameters as for `patches`.
    """
    turns = 4 if config.turned else 1
    channels, places = sum(n for n, _ in maps), area / STRIDE**2
    copies = (3 if config.match_gray else 2) * turns + 2
    memory = 4 * channels * places * max(copies, 5) + 4 * (SCORES + KERNELS)
    return Needs(memory, a_level=2 * turns * channels * places**2, share=SEARCHING)


def transport(config, maps, area, piece, width):
    """Return the needs of `transport`, which compares samples of hypercolumns.

    The run holds the maps of the content, the pool of the style, and its covariance. An update
    holds a dozen copies of the samples and four of the covariance. Parameters as for `patches`.
    """
    channels = 3 + sum(n for n, _ in maps)
    held = area * _bytes_a_pixel(maps, width) if config.alpha else 0
    memory = held + 4 * channels * (2 * POOL + 12 * SAMPLES + 5 * channels)
    covariances = 3 * 2 * SAMPLES * channels**2  # of the picture, and their gradient
    distances = 5 * 2 * SAMPLES**2 * channels  # to the style, and of picture and content
    return Needs(memory, covariances + distances, a_level=2 * POOL * channels**2)


def shifted(config, maps, area, piece, width):
    """Return the needs of `shifted`: maps and shifted copies; parameters as for `patches`."""
    moves = 2 * len(SHIFTS)
    products = 3 * moves * sum(2 * n**2 * area / stride**2 for n, stride in maps)
    return Needs(moves * piece * _bytes_a_pixel(maps, width), products)


NEEDS = {"shifted": shifted, "patches": patches, "neighbors": neighbors, "transport": transport}


def _bytes_a_pixel(maps, width):
    return sum(n * width / stride**2 for n, stride in maps)
