"""Write weights files in the layout of each release, for tests and experiments.

`python tests/helpers/mat_files.py model/trial.mat` writes a 19-layer file with the weights of the
embedded VGG-16 and identities for the three layers that it lacks. With `--layers 16` the file has
the convolutions of MatConvNet's imagenet-vgg-verydeep-16.mat.
"""

import argparse
import sys
from pathlib import Path

import h5py
import numpy as np
import scipy.io

MEAN = np.array([123.68, 116.779, 103.939])
LAYOUTS = ("beta10", "beta16", "beta22", "current")
WIDTHS = {"1": 4, "2": 6, "3": 8, "4": 10, "5": 12}  # channels of the tiny network's blocks
IDENTITIES = ("conv3_4", "conv4_4", "conv5_4")
BLOCKS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


def layer_names(depth):
    return [f"conv{b}_{i}" for b, n in enumerate(BLOCKS[depth], 1) for i in range(1, n + 1)]


def tiny_vgg(depth=19, seed=0):
    """Return a seeded random network with VGG's layers and few channels."""
    generator = np.random.default_rng(seed)
    convolutions, incoming = {}, 3
    for name in layer_names(depth):
        channels = WIDTHS[name[4]]
        kernel = generator.standard_normal((3, 3, incoming, channels)) * np.sqrt(2 / 9 / incoming)
        bias = generator.standard_normal(channels) * 0.1
        convolutions[name] = kernel.astype(np.float32), bias.astype(np.float32)
        incoming = channels
    return convolutions


def as_vgg19(vgg16):
    """Return a VGG-16 extended by identities to the layers of VGG-19."""
    convolutions = dict(vgg16)
    for name in IDENTITIES:
        channels = vgg16[name[:-1] + "3"][1].size
        kernel = np.zeros((3, 3, channels, channels), np.float32)
        kernel[1, 1] = np.eye(channels)  # after a ReLU, an identity changes nothing
        convolutions[name] = kernel, np.zeros(channels, np.float32)
    return {name: convolutions[name] for name in layer_names(19)}


# ---------------------------------------------------------------------------- MatConvNet


def write_matconvnet(path, convolutions, layout="current", mean=MEAN):
    """Write a .mat in the layout of a release: order and names of fields, shapes, mean."""
    layers = []
    for block in "12345":
        for name, pair in convolutions.items():
            if name[4] == block:
                layers += [_conv(name, *pair, layout), _relu(name, layout)]
        layers.append(_pool(block, layout))
    layers.append(_conv("fc6", np.zeros((7, 7, 2, 3), np.float32), np.zeros(3), layout))
    contents = {"layers": _cell(*layers)} | _normalization(layout, mean)
    scipy.io.savemat(path, contents, do_compression=layout == "current", oned_as="row")


def _cell(*values):
    cell = np.empty((1, len(values)), object)
    for i, value in enumerate(values):
        cell[0, i] = value
    return cell


def _conv(name, kernel, bias, layout):
    column = layout in ("beta22", "current")
    bias = bias.reshape(-1, 1) if column else bias.reshape(1, -1)
    pad, stride = np.array([1.0, 1, 1, 1]), np.array([1.0, 1])
    weights, size = _cell(kernel, bias), np.array(kernel.shape, float)
    last_fields = {"precious": False, "opts": _cell()}
    return {
        "beta10": lambda: {
            "name": name,
            "stride": stride,
            "pad": pad,
            "biases": bias,
            "filters": kernel,
            "type": "conv",
        },
        "beta16": lambda: {
            "weights": weights,
            "pad": pad,
            "type": "conv",
            "name": name,
            "stride": stride,
        },
        "beta22": lambda: {
            "name": name,
            "type": "conv",
            "weights": weights,
            "size": size,
            "pad": pad,
            "stride": stride,
            **last_fields,
        },
        "current": lambda: {
            "name": name,
            "type": "conv",
            "weights": weights,
            "size": size,
            "pad": pad,
            "stride": stride.astype(np.uint8),  # MATLAB saves integral doubles as bytes
            "precious": False,
            "dilate": 1.0,
            "opts": _cell(),
        },
    }[layout]()


def _relu(name, layout):
    name = name.replace("conv", "relu")
    if layout in ("beta10", "beta16"):
        return {"type": "relu", "name": name}
    return {"name": name, "type": "relu", "leak": 0.0, "weights": _cell(), "precious": False}


def _pool(block, layout):
    name, stride, pad = f"pool{block}", np.array([2.0, 2]), np.zeros(4)
    if layout in ("beta10", "beta16"):
        return {
            "name": name,
            "stride": stride,
            "pad": pad,
            "type": "pool",
            "method": "max",
            "pool": stride,
        }
    return {
        "name": name,
        "type": "pool",
        "method": "max",
        "pool": stride,
        "stride": stride,
        "pad": pad,
        "weights": _cell(),
        "precious": False,
        "opts": _cell(),
    }


def _normalization(layout, mean):
    if layout in ("beta10", "beta16"):
        mean_image = np.broadcast_to(mean, (224, 224, 3)).copy()
        return {
            "normalization": {
                "averageImage": mean_image,
                "keepAspect": 1.0,
                "border": np.zeros(2),
                "imageSize": np.array([224.0, 224, 3]),
                "interpolation": "bilinear",
            },
            "classes": {"name": _cell("n01440764"), "description": _cell("tench")},
        }
    average, size = mean.reshape(1, 1, 3), np.array([224.0, 224, 3])
    normalization = {"averageImage": average, "keepAspect": True, "border": np.zeros(2)}
    if layout == "current":
        normalization = {"imageSize": size, "keepAspect": True, "averageImage": average}
    return {"meta": {"inputs": {"name": "data"}, "normalization": normalization}}


# ---------------------------------------------------------------------------- .npz


def write_vgg_npz(path, convolutions, dtype=np.float16):
    """Write an .npz in the layout of the embedded network: kernels of `dtype`, float32 biases."""
    arrays = {f"{name}/kernel": kernel.astype(dtype) for name, (kernel, _) in convolutions.items()}
    arrays |= {f"{name}/bias": bias for name, (_, bias) in convolutions.items()}
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)


# ---------------------------------------------------------------------------- Keras


def write_keras(path, convolutions, **kernel_options):
    """Write Keras' legacy notop .h5: one flat group per layer, BGR input.

    `kernel_options` are passed to h5py's `create_dataset` for the kernels.
    """
    with h5py.File(path, "w") as file:
        groups = []
        for name, (kernel, bias) in convolutions.items():
            group_name = name.replace("conv", "block").replace("_", "_conv")
            group = file.create_group(group_name)
            kernel = kernel[:, :, ::-1] if name == "conv1_1" else kernel
            names = [f"{group_name}_W_1:0", f"{group_name}_b_1:0"]
            group.create_dataset(names[0], data=kernel, **kernel_options)
            group.create_dataset(names[1], data=bias)
            group.attrs["weight_names"] = [dataset.encode() for dataset in names]
            groups.append(group_name.encode())
        file.attrs["layer_names"] = [*groups, b"block5_pool"]
        file.create_group("block5_pool").attrs["weight_names"] = []


def save_by_keras(path, convolutions, *, named=True, top=False):
    """Save a VGG with Keras itself, with BGR input: .keras, .weights.h5 or .h5 by the path.

    `named`: layers are called block1_conv1, ... as in keras.applications, or conv2d, conv2d_1, ...
    """
    import keras

    image = values = keras.Input((32, 32, 3))
    for name, (kernel, _) in convolutions.items():
        if name[4:] in ("2_1", "3_1", "4_1", "5_1"):
            values = keras.layers.MaxPooling2D()(values)
        own_name = {"name": name.replace("conv", "block").replace("_", "_conv")} if named else {}
        values = keras.layers.Conv2D(kernel.shape[3], 3, padding="same", **own_name)(values)
    if top:
        values = keras.layers.Dense(3, name="fc1")(keras.layers.Flatten()(values))
    model = keras.Model(image, values)
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    for layer, (name, (kernel, bias)) in zip(layers, convolutions.items()):
        layer.set_weights([kernel[:, :, ::-1] if name == "conv1_1" else kernel, bias])
    if path.name.endswith(".weights.h5"):
        model.save_weights(path)
    else:
        model.save(path)


# ---------------------------------------------------------------------------- Frossard


def write_frossard(path, convolutions):
    """Write an .npz with the names in vgg16_weights.npz, whose fully connected layers are large."""
    arrays = {f"{name}_W": kernel for name, (kernel, _) in convolutions.items()}
    arrays |= {f"{name}_b": bias for name, (_, bias) in convolutions.items()}
    with open(path, "wb") as file:
        np.savez(file, **arrays, fc6_W=np.zeros((500, 50)), fc6_b=np.zeros(50))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--layers", type=int, choices=(16, 19), default=19)
    parser.add_argument("--layout", choices=[*LAYOUTS, "keras"], default="current")
    parser.add_argument("--tiny", action="store_true", help="random weights and few channels")
    options = parser.parse_args()
    if options.tiny:
        convolutions = tiny_vgg(options.layers)
    else:
        sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
        from nst_tf.models.readers.vgg_npz import read_vgg_npz
        from nst_tf.models.vgg import EMBEDDED_FILE

        convolutions = read_vgg_npz(EMBEDDED_FILE).convolutions
        convolutions = as_vgg19(convolutions) if options.layers == 19 else convolutions
    if options.layout == "keras":
        write_keras(options.path, convolutions)
    else:
        write_matconvnet(options.path, convolutions, options.layout)


if __name__ == "__main__":
    main()
