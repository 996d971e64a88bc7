"""Worker: whole transfers, timed from loaded pictures to the picture, their saved loss read."""

import time

from benchmarks import ours
from benchmarks.channel import arguments, serve
from nst_tf import read_picture, save_image


def main():
    """Load the trunk once; then one transfer for each request."""
    model = ours.trunk(arguments()["trunk"])

    def transfer(picture, **how):
        config = ours.configured(**how)
        images = ours.images_of(config, model)
        began = time.perf_counter()
        result = ours.paint(model, images, config)
        seconds = time.perf_counter() - began
        save_image(picture, result.picture)
        loss = ours.saved_loss(model, images, config, read_picture(picture))
        return {"seconds": seconds, "loss": loss}

    serve(transfer)


if __name__ == "__main__":
    main()
