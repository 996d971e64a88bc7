"""Which processor computes."""

import tensorflow as tf

from nst_tf.console import hushed
from nst_tf.errors import DeviceError


def choose_device(wish="auto"):
    """Set TensorFlow to the CPU or the GPU, and say which in one line.

    On a GPU, memory is taken as needed rather than all at once. To be called before anything
    is computed.

    Parameters
    ----------
    wish : {"auto", "cpu", "gpu"}

    Raises
    ------
    DeviceError
        A GPU was asked for and TensorFlow sees none.
    """
    with hushed():
        gpus = tf.config.list_physical_devices("GPU") if wish != "cpu" else []
        if wish == "gpu" and not gpus:
            raise DeviceError(_why_no_gpu())
        try:
            tf.config.set_visible_devices(gpus[:1], "GPU")
            for gpu in gpus[:1]:
                tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:
            pass  # TensorFlow has begun to compute (a notebook's second job): it stays as it was
    gpu = gpu_details()
    return "on the CPU" if gpu is None else f"on {gpu.get('device_name', 'the GPU')}"


def gpu_details():
    """Return what TensorFlow knows of the GPU that computes, as a dict; None on the CPU."""
    gpus = tf.config.get_visible_devices("GPU")
    return tf.config.experimental.get_device_details(gpus[0]) if gpus else None


def _why_no_gpu():
    if tf.test.is_built_with_cuda():
        return (
            "TensorFlow sees no GPU: check `nvidia-smi`, and install TensorFlow's CUDA libraries "
            "with `pip install -r requirements-gpu.txt`; or use --device cpu"
        )
    return (
        "this TensorFlow was built without CUDA: on Linux (or WSL2 under Windows) "
        "`pip install -r requirements-gpu.txt`; or use --device cpu"
    )
