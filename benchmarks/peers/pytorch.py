"""Worker: the tutorial's algorithm, well written in PyTorch.

The same objective and optimiser as ours: content at conv4_2, Gram matrices at conv1_1 ...
conv5_1, average pooling, Adam by 2 grey levels on the pixels.
"""

import contextlib

import numpy as np
import torch
import torch.nn.functional as nnf

from benchmarks.channel import Pace, arguments

CONTENT = "conv4_2"
STYLE = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
DEEPEST = "conv5_1"
ALPHA, STYLE_WEIGHT, LEARNING_RATE = 0.0025, 0.5, 2.0


def main():
    """Load, then descend at the benchmark's pace."""
    pace = Pace()
    given = arguments()
    data = np.load(given["data"])
    layout = torch.channels_last if given.get("channels_last") else torch.contiguous_format
    dtype = torch.bfloat16 if given.get("bfloat16") else torch.float32
    torch.set_default_device(given.get("device", "cpu"))
    torch.set_float32_matmul_precision("high")  # TF32 on a GPU, as TensorFlow has it
    layers = read_layers(data, dtype, layout)
    content, style = (read_image(data[name], layout) for name in ("content", "style"))
    pace.restart()
    descend(make_loss(layers, content, style, dtype), content, given.get("compiled"), pace)


def read_layers(data, dtype, layout):
    """Return (name, kernel, bias) in network order; kernels (out, in, 3, 3), cast once."""
    names = [key.removesuffix("/kernel") for key in data.files if key.endswith("/kernel")]
    layers = []
    for name in names[: names.index(DEEPEST) + 1]:
        kernel = torch.asarray(data[f"{name}/kernel"].transpose(3, 2, 0, 1).copy())
        bias = torch.asarray(data[f"{name}/bias"])
        layers.append((name, kernel.to(dtype, memory_format=layout), bias.to(dtype)))
    return layers


def read_image(image, layout):
    """Turn (1, H, W, 3) into (1, 3, H, W)."""
    image = torch.asarray(image.transpose(0, 3, 1, 2).copy())
    return image.contiguous(memory_format=layout)


def make_loss(layers, content, style, dtype):
    """Return the total loss as a function of the image, its targets computed."""

    def features(image):
        found, x = {}, image
        for name, kernel, bias in layers:
            if name.endswith("_1") and name != "conv1_1":
                x = nnf.avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False)
            x = nnf.relu(nnf.conv2d(x, kernel, bias, padding=1))
            found[name] = x
        return found

    def lower():
        if dtype == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(content.device.type, dtype)

    with torch.no_grad(), lower():
        kept = features(content)[CONTENT].float()
        matched = features(style)
        matched = {name: gram(matched[name]) for name in STYLE}

    def loss(image):
        with lower():
            found = features(image)
            grams = {name: gram(found[name]) for name in STYLE}
        total = ALPHA * 0.5 * (found[CONTENT].float() - kept).square().sum()
        for name in STYLE:
            squared = (grams[name] - matched[name]).square().sum()
            total = total + STYLE_WEIGHT * squared / (4 * grams[name].shape[1] ** 2)
        return total

    return loss


def gram(features):
    """Return the Gram matrix per position, (1, N, N) in float32."""
    flat = features.flatten(2)  # (1, N, M)
    return torch.bmm(flat, flat.transpose(1, 2)).float() / flat.shape[2]


def descend(loss, start, compiled, pace):
    """Change the pixels for ever."""
    image = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([image], lr=LEARNING_RATE)
    loss = torch.compile(loss) if compiled else loss
    while True:
        if image.is_cuda:
            torch.cuda.synchronize()  # what was asked for is done now, and timed
        pace()
        optimizer.zero_grad()
        loss(image).backward()
        optimizer.step()


if __name__ == "__main__":
    main()
