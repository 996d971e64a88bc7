"""Worker: writes what other frameworks are to work with: the same weights, the same pictures."""

import numpy as np

from benchmarks import ours
from benchmarks.channel import arguments, serve


def main():
    """Answer each request by a file."""
    model = ours.trunk(arguments()["trunk"])
    serve(lambda path, **pictures: export(model, path, **pictures))


def export(model, path, content, style, size):
    """Write an .npz: kernels and biases by layer, images (1, H, W, 3), the mean's RGB."""
    images = ours.images_of(ours.configured(content, style, size), model)
    np.savez(
        path,
        content=images["content_image"],
        style=images["style_image"][0].image,
        mean=np.float32(model.space.mean),
        **ours.weights(model),
    )
    return {"path": str(path)}


if __name__ == "__main__":
    main()
