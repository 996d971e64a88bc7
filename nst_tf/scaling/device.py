"""Which processor computes: the CPU, or one GPU, set up so that its results can be repeated."""

import os
from dataclasses import dataclass

import tensorflow as tf

from nst_tf.config import DEVICE
from nst_tf.console import hushed
from nst_tf.errors import DeviceError

# For cuDNN's workspaces: with TensorFlow's 4096, a picture of 320x240 took 4.3 GiB.
WORKSPACE_MIB = 512


def choose_device(wish="auto", *, deterministic=True):
    """Set TensorFlow to the CPU or to one GPU, and say which in one line.

    On a GPU, memory is taken as needed rather than all at once. To be called before anything
    is computed.

    Parameters
    ----------
    wish : {"auto", "cpu", "gpu", "gpu:0", "gpu:1", ...}
        GPUs are numbered as by ``nvidia-smi``; "auto" and "gpu" take the first one.
    deterministic : bool
        On a GPU, use operations that give the same numbers each time
        (`tf.config.experimental.enable_op_determinism`). That holds for the whole process and
        can't be undone in it. A CPU always does.

    Raises
    ------
    DeviceError
        TensorFlow sees no such GPU, or already computes on another device.
    """
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # the order of nvidia-smi
    os.environ.setdefault("TF_CUDNN_WORKSPACE_LIMIT_IN_MB", str(WORKSPACE_MIB))
    with hushed():
        chosen = _chosen_gpus(wish)
        try:
            tf.config.set_visible_devices(chosen, "GPU")
            for gpu in chosen:
                tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError:  # TensorFlow has begun to compute: it stays as it was
            _check_unchanged(wish, chosen)
    gpu = gpu_details()
    if gpu is None:
        return "on the CPU"
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    return f"on {gpu.get('device_name', 'the GPU')}"


def _check_unchanged(wish, chosen):
    """Raise DeviceError if TensorFlow computes on another device than the one asked for."""
    if wish != "auto" and tf.config.get_visible_devices("GPU") != chosen:
        raise DeviceError(
            f"this process already computes on another device than {wish}, and can't change it: "
            "start another command, or restart the notebook's kernel"
        )


def _chosen_gpus(wish):
    """Return the GPU that was asked for, as a list; an empty list for the CPU."""
    if not DEVICE.fullmatch(wish):
        raise DeviceError(f"the device is {wish!r:.60}; choose auto, cpu, gpu or gpu:N")
    if wish == "cpu":
        return []
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus and wish != "auto":
        raise DeviceError(_why_no_gpu())
    number = int(wish.partition(":")[2] or 0)
    if gpus and number >= len(gpus):
        raise DeviceError(
            f"there is no {wish}: TensorFlow sees {len(gpus)} GPU{'s' * (len(gpus) > 1)}, numbered "
            "from gpu:0; CUDA_VISIBLE_DEVICES may hide others"
        )
    return gpus[number : number + 1]


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


# ------------------------------------------------------------------ the memory of a GPU


@dataclass(frozen=True)
class GpuMemory:
    """Bytes on the GPU that computes.

    Attributes
    ----------
    used : int
        By TensorFlow's tensors.
    left : float
        That TensorFlow may still take; infinite if the driver does not say.
    """

    used: int
    left: float


def gpu_memory():
    """Return the `GpuMemory`; None on the CPU.

    TensorFlow keeps what it once took from the card. So what it may take is what is free there and
    what it held at its peak, less what its tensors hold now.
    """
    gpus = tf.config.get_visible_devices("GPU")
    if not gpus:
        return None
    held = tf.config.experimental.get_memory_info("GPU:0")
    free = _free_on_card(tf.config.list_physical_devices("GPU").index(gpus[0]))
    return GpuMemory(held["current"], free + held["peak"] - held["current"])


def _free_on_card(number):
    """Return the free bytes of a GPU by its number among those that CUDA shows."""
    try:
        import pynvml

        pynvml.nvmlInit()
        shown = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
        name = shown[number].strip() if number < len(shown) else ""
        if name.startswith(("GPU-", "MIG-")):
            card = pynvml.nvmlDeviceGetHandleByUUID(name)
        else:
            card = pynvml.nvmlDeviceGetHandleByIndex(int(name or number))
        return pynvml.nvmlDeviceGetMemoryInfo(card).free
    except Exception:  # not installed, or a driver that does not answer
        return float("inf")
