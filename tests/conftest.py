import os

from nst_tf.console import hushed

with hushed():  # or TensorFlow's start-up messages appear after pytest's last line
    import tensorflow as tf

    tf.constant(0)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
from matfiles import tiny_vgg, write_matconvnet
from PIL import Image

from nst_tf import Objective, load_vgg_model
from nst_tf.models.readers.vgg_npz import read_vgg_npz
from nst_tf.models.vgg import EMBEDDED_FILE
from nst_tf.objective import objective
from nst_tf.objective.objective import as_styles
from nst_tf.optim import descent, scipy_lbfgs
from nst_tf.run import main
from nst_tf.transfer import loss_terms


def make_picture(height, width, seed=0):
    """Return a smooth random picture of colors and shapes."""
    small = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), np.uint8)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def losses_for(content_image, style_image, model, config):
    """Return a function from an image to the losses of a config."""
    styles = as_styles(style_image)
    terms = loss_terms(model, config, content=content_image is not None, style=bool(styles))
    losses = Objective(model, terms)
    targets = losses.targets(content_image, styles)
    return lambda image: losses(image, targets)


def forget_traces():
    """Clear the caches of traced functions, for tests that change what is traced."""
    for traced in (descent._traced, scipy_lbfgs._traced, objective._traced_target):
        traced.cache_clear()


@pytest.fixture(scope="session")
def tiny_mat(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "tiny-19.mat"
    write_matconvnet(path, tiny_vgg(19))
    return path


@pytest.fixture(scope="session")
def tiny_model(tiny_mat):
    return load_vgg_model(tiny_mat)


@pytest.fixture(scope="session")
def real_vgg16():
    """Return kernels and biases of the embedded VGG-16, keyed by layer name."""
    return read_vgg_npz(EMBEDDED_FILE).convolutions


@pytest.fixture
def job(pictures, tiny_mat, tmp_path, monkeypatch):
    """Return a function that runs a small job in a temporary folder."""
    monkeypatch.chdir(tmp_path)

    def run(*options, pair=pictures):
        small = ["--weights", tiny_mat, "--iterations", "6", "--save-every", "2", "--size", "48"]
        return main([str(argument) for argument in [*pair, *small, *options]])

    return run


@pytest.fixture
def pictures(tmp_path):
    """Return the paths of a content and a style picture of different odd sizes."""
    content, style = tmp_path / "house.png", tmp_path / "brush.jpg"
    Image.fromarray(make_picture(45, 61)).save(content)
    Image.fromarray(make_picture(50, 39, seed=1)).save(style)
    return content, style
