"""Worker: the package `neural-style` 0.5.7, its own code unchanged.

It is run as from its command line, with average pooling, Adam, the content as start and no
total variation, so that it does what the others do; its losses are means, which costs the same.
"""

import sys
import types
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image

from benchmarks.channel import Pace, arguments

FOREVER = 10**9


def main():
    """Write its input files, then let it go at the benchmark's pace."""
    pace = Pace()
    data = np.load(arguments()["data"])
    with TemporaryDirectory() as place:
        command = command_line(data, Path(place))
        sys.argv = ["neural-style", *command]
        # This torchvision does not know this torch's operators; its image functions need none.
        stub = "torchvision._meta_registrations"
        sys.modules[stub] = types.ModuleType(stub)
        package = import_module("neural_style.neural_style")
        package.optim.Adam = paced(torch.optim.Adam, pace)
        pace.restart()
        package.main()


def paced(optimizer, pace):
    """Return an optimiser that waits for its turn before each step."""

    class Paced(optimizer):
        def step(self, closure):
            pace()
            return super().step(closure)

    return Paced


def command_line(data, place):
    """Write weights and pictures; return the arguments that name them."""
    weights, content, style = (place / name for name in ("vgg19.pth", "c.png", "s.png"))
    torch.save(state_dict(data), weights)
    for path, image in (content, data["content"]), (style, data["style"]):
        picture = np.rint(np.clip(image[0] + data["mean"], 0, 255)).astype(np.uint8)
        Image.fromarray(picture).save(path)
    options = {
        "content_image": content,
        "style_image": style,
        "model_file": weights,
        "image_size": max(data["content"].shape[1:3]),
        "output_image": place / "out.png",
        "gpu": "c",
        "backend": "nn",
        "pooling": "avg",
        "optimizer": "adam",
        "learning_rate": 2,
        "tv_weight": 0,
        "init": "image",
        "num_iterations": FOREVER,
        "save_iter": 0,
        "print_iter": 0,
    }
    pairs = [(f"-{name}", str(value)) for name, value in options.items()]
    return ["-disable_check", *(word for pair in pairs for word in pair)]


def state_dict(data):
    """Return the convolutions as torchvision names them: features.0, features.2, features.5 ..."""
    state, place = {}, 0
    names = [key.removesuffix("/kernel") for key in data.files if key.endswith("/kernel")]
    for before, name in zip([None, *names], names):
        if before and before[:5] != name[:5]:
            place += 1  # a pool between two blocks
        kernel = data[f"{name}/kernel"].transpose(3, 2, 0, 1)
        kernel = kernel[:, ::-1] if before is None else kernel  # it feeds blue, green, red
        state[f"features.{place}.weight"] = torch.from_numpy(kernel.copy())
        state[f"features.{place}.bias"] = torch.from_numpy(data[f"{name}/bias"])
        place += 2
    return state


if __name__ == "__main__":
    main()
