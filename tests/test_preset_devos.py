"""The preset `devos` against tutorial 0, reimplemented as a TensorFlow 1 session."""

import csv

import numpy as np
import scipy.io
import tensorflow as tf
from mat_files import tiny_vgg, write_matconvnet
from pictures import make_picture
from PIL import Image

from nst_tf.presets import PRESETS
from nst_tf.run import main

STEPS = 50
HEIGHT, WIDTH = 48, 64
MEAN = np.array([123.68, 116.779, 103.939])
STYLE_LAYERS = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"]


def tutorial_losses(mat, content_file, style_file):
    """Build and run the tutorial's graph: layers by index, eq. 4 with one M, TF1's Adam."""
    layers = scipy.io.loadmat(mat)["layers"]

    def read(file):
        small = Image.open(file).convert("RGB").resize((WIDTH, HEIGHT), Image.BILINEAR)
        return (np.asarray(small) - MEAN)[np.newaxis].astype(np.float32)

    def gram(x):
        flat = tf.reshape(x, (-1, x.shape[3]))
        return tf.matmul(tf.transpose(flat), flat)

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        image = tf.compat.v1.get_variable(
            "image", initializer=np.zeros((1, HEIGHT, WIDTH, 3), np.float32), use_resource=False
        )
        x, net = image, {}
        for cell in layers[0]:
            layer = cell[0, 0]
            name, kind = layer["name"][0], layer["type"][0]
            if kind == "conv" and name.startswith("conv"):
                kernel, bias = layer[2][0]  # the third field, indexed as in the tutorial
                x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME") + bias.reshape(-1))
                net[name] = x
            elif kind == "pool":
                x = tf.nn.avg_pool2d(x, 2, 2, "SAME")
        content, style = read(content_file), read(style_file)
        session.run(image.assign(content))
        content_target = session.run(net["conv4_2"])
        content_loss = 0.5 * tf.reduce_sum(tf.square(net["conv4_2"] - content_target))
        session.run(image.assign(style))
        style_loss = 0.0
        for name in STYLE_LAYERS:
            _, height, width, n = net[name].shape
            m = height * width
            target = session.run(gram(net[name]))
            squared = tf.reduce_sum(tf.square(gram(net[name]) - target))
            style_loss += 0.5 * squared / (4.0 * n**2 * m**2)
        total = 0.0025 * content_loss + style_loss
        step = tf.compat.v1.train.AdamOptimizer(2.0).minimize(total, var_list=[image])
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(image.assign(content))
        losses = []
        for _ in range(STEPS):
            losses.append(session.run(total))
            session.run(step)
    return losses


def test_devos_reproduces_the_first_50_losses_of_the_tutorial(tmp_path, monkeypatch):
    mat, content, style = (tmp_path / name for name in ("vgg.mat", "c.png", "s.png"))
    write_matconvnet(mat, tiny_vgg(19))
    Image.fromarray(make_picture(70, 90)).save(content)
    Image.fromarray(make_picture(120, 80, seed=1)).save(style)
    command = [content, style, "--preset", "devos", "--weights", mat, "--output", tmp_path / "out"]
    small = ["--size", f"{WIDTH}x{HEIGHT}", "--iterations", STEPS - 1]
    monkeypatch.setattr("nst_tf.scaling.precision.processor_kind", lambda: "avx512_bf16")
    assert main([str(argument) for argument in [*command, *small, "--quiet"]]) == 0
    with open(tmp_path / "out" / "losses.csv", newline="") as file:
        ours = [float(row["total"]) for row in csv.DictReader(file)]
    theirs = tutorial_losses(mat, content, style)
    assert theirs[-1] < theirs[0] / 2
    # Float32 sums in a different order; the difference grows over 50 steps of Adam.
    np.testing.assert_allclose(ours[:5], theirs[:5], rtol=1e-4)
    np.testing.assert_allclose(ours[:21], theirs[:21], rtol=2e-3)
    np.testing.assert_allclose(ours, theirs, rtol=1e-2)


def test_devos_has_the_settings_of_the_tutorial():
    preset = PRESETS["devos"].knobs
    assert preset["size"] == "640x480"
    assert (preset["alpha"], preset["beta"], preset["tv_weight"]) == (0.0025, 1.0, 0.0)
    assert (preset["learning_rate"], preset["epsilon"]) == (2.0, 1e-8)
    assert preset["style_layers"] == tuple(STYLE_LAYERS)
    assert preset["style_layer_weights"] == (0.5,) * 5
    assert preset["noise_ratio"] == 0.0
    assert not preset["clip"]
