import os

from nst_tf.console import hushed

with hushed():  # otherwise TensorFlow's startup messages appear after pytest's last line
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)  # several processes share it
        # Many tests compare results to the last digits of float32; TF32 has three.
        tf.config.experimental.enable_tensor_float_32_execution(False)
    tf.constant(0)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest
from mat_files import tiny_vgg, write_matconvnet
from pictures import make_picture
from PIL import Image

from nst_tf import load_vgg_model
from nst_tf.models.readers.vgg_npz import read_vgg_npz
from nst_tf.models.vgg import EMBEDDED_FILE
from nst_tf.run import main


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
    """Return a function that runs a small job in a temporary directory."""
    monkeypatch.chdir(tmp_path)

    def run(*options, pair=pictures):
        small = ["--weights", tiny_mat, "--iterations", "6", "--save-every", "2", "--size", "48"]
        return main([str(argument) for argument in [*pair, *small, *options]])

    return run


@pytest.fixture
def pictures(tmp_path):
    """Return the paths of a content and a style picture of different sizes."""
    content, style = tmp_path / "house.png", tmp_path / "brush.jpg"
    Image.fromarray(make_picture(45, 61)).save(content)
    Image.fromarray(make_picture(50, 39, seed=1)).save(style)
    return content, style
