"""Worker: nst_tf, iteration by iteration, through `style_transfer` as a user calls it."""

from benchmarks import ours
from benchmarks.channel import Pace, arguments


def main():
    """Load, then paint at the benchmark's pace."""
    pace = Pace()
    given = arguments()
    model = ours.trunk(given.pop("trunk"))
    config = ours.configured(**given)
    images = ours.images_of(config, model)
    pace.restart()
    ours.paint(model, images, config, [pace])


if __name__ == "__main__":
    main()
